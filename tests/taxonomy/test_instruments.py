"""The taxonomy against the table that it implements, and its inner consistency."""

from collections import Counter

import pytest

from core.errors import InputError
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS, LABEL_SETS, Instrument, check_labels, label_set, words_of

# label, family, General MIDI programs
TABLE = """
piano keys 0 1 2
electric_piano keys 4 5
mallets mallets 8 9 11 12 13
organ keys 16 17 18 19
accordion keys 21 23
acoustic_guitar plucked 24 25
electric_guitar plucked 26 27 28
distorted_guitar plucked 29 30
banjo plucked 105
harp plucked 46
electric_bass bass 33 34 35 36
double_bass bass 32 43
violin strings 40
viola strings 41
cello strings 42
string_ensemble strings 48 49
voice voice 52 53 54
trumpet brass 56
trombone brass 57
tuba brass 58
french_horn brass 60
saxophone reeds 64 65 66 67
oboe reeds 68
bassoon reeds 70
clarinet reeds 71
flute flutes 72 73
synth_lead synth 80 81
synth_pad synth 88 89 90
"""
WIMU12 = """
piano 0, acoustic_guitar 24, string_ensemble 48, flute 72, mallets 8, double_bass 32, trumpet 56, synth_lead 80,
organ 16, violin 40, saxophone 64, synth_pad 88
"""
IRMAS = {"cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi"}
OPENMIC = {
    *("accordion", "banjo", "bass", "cello", "clarinet", "cymbals", "drums", "flute", "guitar", "mallet_percussion"),
    *("mandolin", "organ", "piano", "saxophone", "synthesizer", "trombone", "trumpet", "ukulele", "violin", "voice"),
}
ROLES = {"melody", "harmony", "bass", "pad", "drums"}


def test_rows_are_those_of_the_table() -> None:
    rows = {label: (family, programs) for label, family, *programs in map(str.split, TABLE.strip().splitlines())}
    melodic = {item.label: item for item in INSTRUMENTS.values() if not item.is_drums}
    assert {label: (row.family, [str(p) for p in row.programs]) for label, row in melodic.items()} == rows
    assert set(INSTRUMENTS) - set(melodic) == {"drums"}


def test_a_program_belongs_to_one_label() -> None:
    counts = Counter(p for item in INSTRUMENTS.values() if not item.is_drums for p in item.programs)
    assert set(counts.values()) == {1}
    assert all(0 <= program <= 127 for item in INSTRUMENTS.values() for program in item.programs)


@pytest.mark.parametrize("item", INSTRUMENTS.values(), ids=lambda item: item.label)
def test_what_an_instrument_can_play(item: Instrument) -> None:
    assert 21 <= item.low < item.high <= 108, "outside the piano's keyboard"
    assert item.high - item.low >= 24, "less than two octaves"
    assert 1 <= item.polyphony <= 8
    assert item.roles
    assert set(item.roles) <= ROLES
    assert item.family in FAMILIES
    for program in item.programs:
        member = item.playing(program)
        assert item.low <= member.low < member.high <= item.high
        assert (member.label, member.polyphony) == (item.label, item.polyphony)


def test_the_range_of_a_label_is_that_of_its_members() -> None:
    members = [INSTRUMENTS["saxophone"].playing(p) for p in INSTRUMENTS["saxophone"].programs]
    assert [(member.low, member.high) for member in members] == [(56, 87), (49, 81), (44, 76), (36, 70)]
    assert min(m.low for m in members) == INSTRUMENTS["saxophone"].low
    assert max(m.high for m in members) == INSTRUMENTS["saxophone"].high


def test_winds_play_one_note_at_a_time() -> None:
    winds = [item for item in INSTRUMENTS.values() if item.family in {"brass", "reeds", "flutes"}]
    assert len(winds) == 9
    assert {item.polyphony for item in winds} == {1}


def test_label_sets() -> None:
    assert label_set("general").programs == {label: item.programs for label, item in INSTRUMENTS.items()}
    wanted = [entry.split() for entry in WIMU12.replace("\n", " ").split(",")]
    assert label_set("wimu12").programs == {label: (int(program),) for label, program in wanted}
    for name, labels in LABEL_SETS.items():
        assert labels.name == name
        assert all(set(programs) <= set(INSTRUMENTS[label].programs) for label, programs in labels.programs.items())


def test_codes_of_other_data_sets() -> None:
    assert {item.irmas for item in INSTRUMENTS.values()} - {None} == set(words_of("irmas")) == IRMAS
    assert words_of("openmic")["bass"] == ("electric_bass", "double_bass")
    unknown = {item.openmic for item in INSTRUMENTS.values()} - {None} - OPENMIC
    assert not unknown
    assert OPENMIC - {item.openmic for item in INSTRUMENTS.values()} == {"cymbals", "mandolin", "ukulele"}


def test_labels_are_checked_and_put_in_order() -> None:
    assert check_labels([], label_set("wimu12").labels) == ()
    assert check_labels(["synth_pad", "piano", "piano"], label_set("wimu12").labels) == ("piano", "synth_pad")
    with pytest.raises(InputError, match=r"'tuba'.*piano.*synth_pad"):
        check_labels(["tuba"], label_set("wimu12").labels)
    with pytest.raises(InputError, match=r"'irmas'.*general.*wimu12"):
        label_set("irmas")
