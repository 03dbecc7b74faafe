import pytest

from core.concepts.atlas import Factor
from core.concepts.naming import EVIDENCE, concept_name, distinct_names, name_score
from core.concepts.questions import QUESTIONS, SPANS
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS

STRONG, STRONGER, STRONGEST = 0.85, 0.9, 0.95


def factors(*found: tuple[str, str, float]) -> list[Factor]:
    return [Factor(*one, "AUC") for one in found]


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([], "mixed"),
        ([("instrument", "violin", EVIDENCE - 0.001)], "mixed"),
        ([("instrument", "violin", EVIDENCE)], "violin"),
        ([("family", "plucked", 0.93), ("onset", "onset", 0.9), ("register", "150–600 Hz", 0.88)],
         "plucked attacks, 150–600 Hz"),
        ([("register", "below 150 Hz", STRONG)], "sound, below 150 Hz"),
        ([("onset", "sustain", STRONGER), ("instrument", "string_ensemble", STRONG)], "sustained string ensemble"),
        ([("onset", "sustain", STRONGER)], "sustained sound"),
        ([("tonal", "noisy", STRONGER), ("onset", "onset", STRONG)], "noisy attacks"),
        ([("tonal", "noisy", STRONGER)], "noise"),
        ([("articulation", "repeated", STRONGER), ("instrument", "drums", STRONG)], "repeated drum notes"),
        ([("instrument", "violin", STRONGER), ("vibrato", "vibrato", STRONG)], "violin with vibrato"),
        ([("level", "quiet", STRONGER), ("polyphony", "single notes", STRONG)], "quiet sound"),
    ],
)  # fmt: skip
def test_the_strongest_factors_make_the_name(found: list[tuple[str, str, float]], name: str) -> None:
    assert concept_name(factors(*found)) == name
    assert concept_name(factors(*reversed(found))) == name


def test_values_that_say_little_are_left_out() -> None:
    trivial = [("level", "loud"), ("silence", "sound"), ("polyphony", "chords"), ("articulation", "held")]
    assert concept_name(factors(*[(*one, 1.0) for one in trivial])) == "mixed"


def test_a_name_has_at_most_three_factors() -> None:
    found = [("onset", "onset", 0.99), ("instrument", "banjo", 0.98), ("vibrato", "straight", 0.97)]
    assert concept_name(factors(*found, ("register", "300–600 Hz", 0.96))) == "banjo attacks without vibrato"


def test_only_the_stronger_of_instrument_and_family_is_named() -> None:
    for scores, name in (((STRONGER, STRONG), "cello"), ((STRONG, STRONGER), "bowed strings")):
        found = zip(("instrument", "family"), ("cello", "strings"), scores, strict=True)
        assert concept_name(factors(*found)) == name


def test_that_an_instrument_is_tonal_goes_without_saying() -> None:
    tonal, attacks = ("tonal", "tonal", STRONGEST), ("onset", "onset", STRONG)
    assert concept_name(factors(tonal, attacks)) == "tonal attacks"
    assert concept_name(factors(tonal, attacks, ("instrument", "bassoon", STRONG))) == "bassoon attacks"
    assert concept_name(factors(tonal, attacks, ("instrument", "bassoon", 0.6))) == "tonal attacks"


def test_silence_is_named_alone_and_only_if_it_is_the_strongest() -> None:
    silence = ("silence", "silence", STRONGER)
    assert concept_name(factors(silence, ("level", "quiet", STRONG))) == "silence"
    assert concept_name(factors(silence, ("instrument", "voice", STRONGEST))) == "voice"


def test_an_instrument_that_is_never_loudest_in_a_register_is_not_named_with_it() -> None:
    assert concept_name(factors(("instrument", "flute", STRONG), ("register", "below 75 Hz", STRONGER))) == (
        "sound, below 75 Hz"
    )
    assert concept_name(factors(("family", "flutes", STRONGER), ("register", "below 75 Hz", STRONG))) == "flutes"
    assert concept_name(factors(("instrument", "flute", STRONG), ("register", "600–1200 Hz", STRONGER))) == (
        "flute, 600–1200 Hz"
    )
    assert concept_name(factors(("instrument", "drums", STRONG), ("register", "above 4800 Hz", STRONGER))) == (
        "drums, above 4800 Hz"
    )


def test_only_the_first_value_of_a_factor_counts_since_the_others_are_its_tuning_curve() -> None:
    assert concept_name(factors(("instrument", "oboe", 0.7), ("instrument", "flute", 0.9))) == "mixed"


@pytest.mark.parametrize("values", [("instrument", INSTRUMENTS), ("family", FAMILIES), ("register", SPANS)])
def test_every_value_has_a_name_of_its_own(values: tuple[str, list[str]]) -> None:
    factor, known = values
    assert factor in {question.factor for question in QUESTIONS}
    names = [concept_name(factors((factor, value, STRONG))) for value in known]
    assert "mixed" not in names
    assert len(set(names)) == len(known)


def test_the_score_of_a_name_is_that_of_its_weakest_word() -> None:
    assert name_score(factors(("instrument", "banjo", STRONGER), ("onset", "onset", STRONG))) == STRONG
    assert name_score(factors(("instrument", "banjo", 0.7), ("onset", "onset", 0.6))) == 0.7
    assert name_score(factors(("silence", "silence", STRONGEST), ("level", "quiet", STRONG))) == STRONGEST
    assert name_score([]) == 0.5


def test_names_that_stand_together_all_differ() -> None:
    tones = ("tonal", "tonal", STRONGEST)
    found = [
        factors(tones, ("instrument", "violin", 0.7), ("register", "above 4800 Hz", 0.6)),
        factors(tones, ("instrument", "violin", 0.6), ("register", "above 4800 Hz", 0.75)),
        factors(tones, ("onset", "sustain", 0.7), ("instrument", "violin", 0.55)),
        factors(("instrument", "violin", STRONG)),
        factors(("instrument", "violin", STRONG)),
        factors(("instrument", "violin", STRONG)),
    ]
    assert distinct_names(found) == [
        "tones (violin)",
        "tones (above 4800 Hz)",
        "tones (sustained)",
        "violin",
        "violin 2",
        "violin 3",
    ]
    assert distinct_names(found[3:5][:1]) == ["violin"]
    assert distinct_names([]) == []
