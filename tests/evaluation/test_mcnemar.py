"""McNemar's exact test, by hand, and the errors by artist and of every model."""

from math import comb

import numpy as np
import pytest

from core.errors import InputError
from core.evaluation.errors import ClipAnswer, accuracy_by_artist, by_artist, missed_by_all
from core.evaluation.mcnemar import mcnemar


def answers(right: str, artists: str | None = None) -> list[ClipAnswer]:
    """An answer for each letter: 1 is right, 0 is wrong, - is none."""
    said = {"1": "rock", "0": "pop", "-": None}
    return [
        ClipAnswer(id=f"{row:02}", label="rock", answer=said[letter], artist=artists[row] if artists else None)
        for row, letter in enumerate(right)
    ]


@pytest.mark.parametrize("only", [(1, 9), (9, 1), (0, 6), (12, 3), (4, 4), (0, 1)])
def test_the_probability_by_hand(only: tuple[int, int]) -> None:
    mine, theirs = only
    found = mcnemar(
        answers("11" + "00" + "1" * mine + "0" * theirs), answers("11" + "00" + "0" * mine + "1" * theirs), "B"
    )
    count = mine + theirs
    tail = sum(comb(count, k) for k in range(min(only) + 1)) / 2**count
    assert found.p == pytest.approx(min(1.0, 2 * tail))
    assert (found.both_right, found.only_this, found.only_other, found.both_wrong) == (2, mine, theirs, 2)
    assert (found.clips, found.against) == (4 + count, "B")


def test_models_that_agree_do_not_differ() -> None:
    assert mcnemar(answers("1010"), answers("1010"), "B").p == 1


def test_only_clips_that_both_were_asked_about_count() -> None:
    assert mcnemar(answers("1111"), answers("00"), "B").clips == 2
    with pytest.raises(InputError, match="The model B was not asked about any of these clips"):
        mcnemar(answers("1"), [], "B")


def test_the_artists_with_the_most_errors_come_first() -> None:
    found = by_artist(answers("10-0110", "aabbbcc"))
    assert list(found) == ["b", "a", "c"]
    assert found["b"].model_dump() == {"clips": 3, "right": 1, "taken_for": {"pop": 1}}
    assert by_artist(answers("10")) == {}


def test_the_interval_over_artists_is_wider_if_the_clips_of_an_artist_are_alike() -> None:
    alike = answers(
        "1" * 40 + "0" * 40, "a" * 10 + "b" * 10 + "c" * 10 + "d" * 10 + "e" * 10 + "f" * 10 + "g" * 10 + "h" * 10
    )
    alone = answers("1" * 40 + "0" * 40)
    over_artists, over_clips = accuracy_by_artist(alike), accuracy_by_artist(alone)
    assert over_artists.value == over_clips.value == 0.5
    assert over_artists.low is not None
    assert over_clips.low is not None
    assert 0.5 - over_artists.low > 2 * (0.5 - over_clips.low) > 0
    assert accuracy_by_artist([]).value is None


def test_the_accuracy_counts_every_clip() -> None:
    assert accuracy_by_artist(answers("1110", "aaab")).value == pytest.approx(np.mean([1, 1, 1, 0]))


def test_clips_that_every_model_gets_wrong() -> None:
    missed = missed_by_all([answers("1001-"), answers("010--"), answers("000000")])
    assert [[each.id for each in row] for row in missed] == [["02"] * 3, ["04"] * 3]
    assert [each.answer for each in missed[1]] == [None, None, "pop"]
    assert missed_by_all([]) == []
