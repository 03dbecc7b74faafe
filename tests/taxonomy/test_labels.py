"""Every label space holds what messages, menus and figures need, and a label means the same in all of them."""

import re

import pytest

from app.figures.colors import NEUTRAL, color, title
from core.errors import InputError
from core.taxonomy.instruments import INSTRUMENTS, LABEL_SETS
from core.taxonomy.labels import LABEL_SPACES, LabelSpace, space_of

SPACES = {name: LABEL_SPACES.get(name) for name in LABEL_SPACES}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_every_label_has_a_title_a_group_and_a_colour(space: LabelSpace) -> None:
    assert SPACES[space.name] is space
    assert re.fullmatch("[a-z]+", space.noun)
    assert len(set(space.labels)) == len(space.labels) > 1
    for known in (space.titles, space.groups, space.colors):
        assert set(known) == set(space.labels)
        assert all(known.values())
    assert all(re.fullmatch("#[0-9a-f]{6}", shade) for shade in space.colors.values())
    assert len(set(space.colors.values())) == len(space.labels), "no two labels look alike"


def test_spaces_that_share_a_label_show_it_alike() -> None:
    for space in SPACES.values():
        for label in space.labels:
            found = space_of(label)
            assert found
            assert (found.titles[label], found.colors[label]) == (space.titles[label], space.colors[label])


def test_the_instruments_are_spaces() -> None:
    assert set(LABEL_SETS) <= set(SPACES)
    general, wimu12 = SPACES["general"], SPACES["wimu12"]
    assert general.labels == tuple(INSTRUMENTS)
    assert set(wimu12.labels) < set(general.labels)
    assert (general.noun, general.plural) == ("instrument", "instruments")
    assert general.groups["viola"] == "strings"


def test_figures_show_labels_as_their_space_says() -> None:
    assert (title("french_horn"), color("french_horn")) == ("French horn", "#fdd25d")
    assert (title("no_such_label"), color("no_such_label")) == ("No such label", NEUTRAL)
    assert space_of("no_such_label") is None


def test_an_unknown_space_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"no label set 'irmas'.*general.*wimu12"):
        LABEL_SPACES.get("irmas")
