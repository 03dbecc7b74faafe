"""The paragraph about pairs of models: it says what the figures say, and no more."""

import re

from core.comparison.place import PLACES
from core.comparison.records import Agreement, Comparison, LayerSimilarity, MapSimilarity, PlaceShares
from core.records import Interval
from core.studies.summary import points, summarise


def figure(value: float, reach: float = 0.01) -> Interval:
    return Interval(value=value, low=value - reach, high=value + reach)


def made_up(own_energy: float = 0.3, **differences: float) -> Comparison:
    """A pair that differs at some places, by so much."""
    energies = dict.fromkeys(PLACES, 0.3) | {"own": own_energy}
    return Comparison(
        models=("a", "b"),
        clips=4,
        agreement=Agreement(equal=figure(0.87), kappa=figure(0.6), logits=figure(0.7)),
        layers=LayerSimilarity(
            rows=("conv1", "conv2"),
            columns=("conv1", "conv2"),
            cka=((figure(0.9), figure(0.5)), (figure(0.4), figure(0.3))),
        ),
        maps=MapSimilarity(all=figure(0.55), per_label={}),
        places={
            place: PlaceShares(
                a=figure(0.4), b=figure(0.4), energy=figure(energy), difference=figure(differences.get(place, 0.0))
            )
            for place, energy in energies.items()
        },
    )


def test_only_clear_differences_are_reported() -> None:
    text = summarise(("shallow", "deep"), {"simple": made_up(onset=0.05), "rich": made_up(onset=0.005, high=-0.2)})
    assert "87 % [86–88] (simple) and 87 % [86–88] (rich)" in text
    assert f"more of its evidence on note onsets: {points(figure(0.05))} (simple), with no clear difference" in text
    assert "less of its evidence on high frequencies" in text
    unclear = re.search(r"no clear difference in the share of evidence on ([^.]*)\.", text)
    assert unclear
    assert "onsets" not in unclear.group(1)
    assert "low frequencies" in unclear.group(1)


def test_pairs_that_differ_in_opposite_ways_are_reported_so() -> None:
    text = summarise(("shallow", "deep"), {"simple": made_up(own=0.05), "rich": made_up(own=-0.05)})
    assert "sometimes more, sometimes less of its evidence on the instrument's own sound" in text


def test_alike_networks_are_reported_so() -> None:
    text = summarise(("shallow", "deep"), {"simple": made_up()})
    assert "network puts" not in text
    assert all(title in text for title in PLACES.values())


def test_own_sound_beyond_its_energy() -> None:
    beyond, within = made_up(), made_up(own_energy=0.45)
    assert "All of them put a larger share" in summarise(("a", "b"), {"x": beyond})
    assert "Some of them put a larger share" in summarise(("a", "b"), {"x": beyond, "y": within})
    assert "None of them clearly puts a larger share" in summarise(("a", "b"), {"y": within})
