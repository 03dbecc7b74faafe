"""The taxonomy against the table that it implements, and its inner consistency."""

from collections import Counter

import numpy as np
import numpy.typing as npt
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


XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
EYES = {  # what linear RGB becomes for them (Machado, Oliveira & Fernandes 2009, severity 1)
    "normal": np.eye(3),
    "red-blind": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "green-blind": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
Values = npt.NDArray[np.float64]


def linear(shade: str) -> Values:
    """Linear RGB ``(3,)`` of ``#rrggbb``."""
    values = np.array([int(shade[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def cielab(rgb: Values) -> Values:
    """CIELAB ``(..., 3)`` of linear RGB."""
    xyz = np.clip(rgb, 0, 1) @ XYZ.T / WHITE
    x, y, z = np.moveaxis(np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(one: Values, other: Values) -> Values:
    """The distance of colours in CIELAB (Sharma, Wu & Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    grey = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    c1, c2 = np.hypot(a1 * grey, b1), np.hypot(a2 * grey, b2)
    h1, h2 = np.arctan2(b1, a1 * grey), np.arctan2(b2, a2 * grey)
    turn = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi
    light, c, h = (l1 + l2) / 2, (c1 + c2) / 2, h1 + turn / 2
    t = (
        1
        - 0.17 * np.cos(h - np.radians(30))
        + 0.24 * np.cos(2 * h)
        + 0.32 * np.cos(3 * h + np.radians(6))
        - 0.20 * np.cos(4 * h - np.radians(63))
    )
    blue = np.exp(-(((np.degrees(h) % 360 - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60) * blue)
    lightness = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    saturation = (c2 - c1) / (1 + 0.045 * c)
    hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2) / (1 + 0.015 * c * t)
    return np.sqrt(lightness**2 + saturation**2 + hue**2 + rotation * saturation * hue)


def test_the_distance_is_that_of_the_published_example() -> None:
    distance = ciede2000(np.array([50.0, 2.6772, -79.7751]), np.array([50.0, 0.0, -82.7485]))
    assert distance == pytest.approx(2.0425, abs=1e-4)


@pytest.mark.parametrize(("eyes", "least", "of_twelve"), [("normal", 10.5, 12), ("red-blind", 5.5, 9),
                                                          ("green-blind", 5.5, 8.5)])  # fmt: skip
def test_no_two_instruments_look_alike(eyes: str, least: float, of_twelve: float) -> None:
    def nearest(labels: list[str]) -> float:
        shades = cielab(np.stack([linear(INSTRUMENTS[label].color) for label in labels]) @ EYES[eyes].T)
        distances = ciede2000(shades[:, None], shades[None])
        return float(distances[np.triu_indices(len(labels), 1)].min())

    assert nearest(list(INSTRUMENTS)) > least
    assert nearest(list(LABEL_SETS["wimu12"].labels)) > of_twelve
    assert nearest(["violin", "flute"]) > 15


@pytest.mark.parametrize("label", INSTRUMENTS)
def test_a_name_in_its_colour_can_be_read_on_dark(label: str) -> None:
    brightness = {shade: linear(shade) @ XYZ[1] + 0.05 for shade in (INSTRUMENTS[label].color, "#171c26")}
    assert brightness[INSTRUMENTS[label].color] / brightness["#171c26"] >= 4.5  # WCAG 2, level AA
