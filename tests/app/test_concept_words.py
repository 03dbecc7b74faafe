"""Concepts in words: their kinds, and which of them a search means."""

from dataclasses import replace

import pytest

from app.figures.concept_words import KINDS, answers, answers_of, is_meant, kind, serves
from core.concepts.atlas import Concept, Factor, Reference
from core.taxonomy.instruments import FAMILIES

PLACE = Reference("general@1", "acoustic_guitar", 1.0, 0.5, 0.2, 100.0, 200.0)
GUITAR = Concept(
    layer="conv3", channel=17, relmax=(PLACE,), relmax_by_label={"acoustic_guitar": (PLACE,)}, actmax=(),
    usage={"piano": 0.01, "acoustic_guitar": 0.05}, neighbours=(), position=(0.0, 0.0),
    name="plucked attacks, 150–600 Hz",
    tuning=(
        Factor("level", "loud", 0.99, "AUC"), Factor("family", "plucked", 0.93, "AUC"),
        Factor("onset", "onset", 0.91, "AUC"), Factor("register", "150–600 Hz", 0.88, "AUC"),
        Factor("instrument", "harp", 0.7, "AUC"),
    ),
)  # fmt: skip


def test_only_what_is_clear_and_tells_something_counts() -> None:
    assert answers(GUITAR) == {"family:plucked", "onset:onset", "register:150–300 Hz", "register:300–600 Hz"}
    assert serves(GUITAR) == ("acoustic_guitar", 0.05)
    assert serves(replace(GUITAR, usage={})) == ("", 0.0)


def test_choices_stand_in_their_order() -> None:
    other = replace(GUITAR, tuning=(Factor("instrument", "piano", 0.9, "AUC"), Factor("family", "keys", 0.9, "AUC")))
    assert answers_of([GUITAR, other]) == [
        "instrument:piano", "family:keys", "family:plucked", "register:150–300 Hz", "register:300–600 Hz",
        "onset:onset",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("best", "expected"),
    [
        (Factor("family", "plucked", 0.9, "AUC"), "plucked"),
        (Factor("instrument", "harp", 0.9, "AUC"), "plucked"),
        (Factor("register", "below 75 Hz", 0.9, "AUC"), "register"),
        (Factor("onset", "sustain", 0.9, "AUC"), "onset"),
        (Factor("tonal", "noisy", 0.9, "AUC"), "tonal"),
        (Factor("articulation", "repeated", 0.9, "AUC"), "played"),
        (Factor("silence", "silence", 0.9, "AUC"), "silence"),
        (Factor("silence", "sound", 0.9, "AUC"), "mixed"),
        (Factor("level", "loud", 0.9, "AUC"), "mixed"),
        (Factor("family", "plucked", 0.7, "AUC"), "mixed"),
    ],
)
def test_the_kind_is_what_a_concept_answers_to_most_clearly(best: Factor, expected: str) -> None:
    weaker = Factor("onset", "onset", 0.81, "AUC") if expected != "mixed" else Factor("level", "loud", 0.99, "AUC")
    assert kind(replace(GUITAR, tuning=(weaker, best))) == expected


def test_who_plays_counts_before_how() -> None:
    tuning = (Factor("vibrato", "straight", 0.95, "AUC"), Factor("instrument", "saxophone", 0.85, "AUC"))
    assert kind(replace(GUITAR, tuning=tuning)) == "reeds"


def test_every_family_has_a_colour_of_its_own() -> None:
    assert len({KINDS[family].color for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize(
    ("search", "meant"),
    [
        ("", True), ("  ", True), ("Plucked", True), ("attacks plucked", True), ("guitar", True), ("17", True),
        ("600", True), ("1", True), ("18", False), ("piano", False), ("harp", False), ("loud", False),
        ("plucked drums", False),
    ],
)  # fmt: skip
def test_a_search_means_a_concept_by_name_answer_label_or_number(search: str, meant: bool) -> None:
    assert is_meant(GUITAR, search) == meant


def test_filters_narrow_a_search() -> None:
    assert is_meant(GUITAR, "plucked", "onset:onset", "acoustic_guitar")
    assert not is_meant(GUITAR, "plucked", "onset:sustain", "acoustic_guitar")
    assert not is_meant(GUITAR, "plucked", "onset:onset", "piano")
