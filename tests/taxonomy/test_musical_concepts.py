"""The table of musical concepts fits the controls that compose them."""

import pytest

from core.errors import InputError
from core.synthesis.controls import CONTROLS, check_controls
from core.taxonomy.labels import LABEL_SPACES
from core.taxonomy.musical_concepts import MUSICAL_CONCEPTS, SPACE, MusicalConcept, musical_concept

ROWS = pytest.mark.parametrize("row", MUSICAL_CONCEPTS.values(), ids=list(MUSICAL_CONCEPTS))


@ROWS
def test_the_two_sides_differ_in_one_control(row: MusicalConcept) -> None:
    sides = [dict(text.split(":") for text in check_controls(side)) for side in (row.without, row.having)]
    assert list(sides[0]) == list(sides[1])
    assert sum(sides[0][name] != sides[1][name] for name in sides[0]) == 1


@ROWS
def test_a_concept_is_a_question_in_plain_words(row: MusicalConcept) -> None:
    assert row.question.endswith("?")
    assert row.title[0].isupper()
    assert row.composed[0].islower()
    assert not row.composed.endswith(".")


def test_every_control_belongs_to_a_concept() -> None:
    assert len(MUSICAL_CONCEPTS) >= 20
    used = {text.partition(":")[0] for row in MUSICAL_CONCEPTS.values() for text in row.having}
    assert used == set(CONTROLS)


def test_concepts_are_a_label_space() -> None:
    space = LABEL_SPACES.get(SPACE)
    assert (space.labels, space.noun) == (tuple(MUSICAL_CONCEPTS), "concept")
    assert set(space.groups.values()) == {"rhythm", "drums", "harmony", "notes", "instruments", "sound"}


def test_an_unknown_concept_is_refused_with_those_that_there_are() -> None:
    assert musical_concept("swing").title == "Swing"
    with pytest.raises(InputError, match=r"no musical concept 'groove'.*swing"):
        musical_concept("groove")
