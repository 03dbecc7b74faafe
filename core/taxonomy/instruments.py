"""29 instruments: families, General MIDI programs, playable ranges and colours, and the label sets made of them.

A new instrument is one new row of ``_ROWS``. Pitches are MIDI note numbers (60 = middle C, C4).

The colours are as far apart as 29 colours can be for normal, red-blind and green-blind eyes at once (smallest CIEDE2000
distance 10.7, 5.6 and 5.6). The most common instruments differ most. All can be read on the dark theme.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import InputError
from core.taxonomy.labels import LABEL_SPACES, LabelSpace

DRUM_CHANNEL = 9  # "channel 10" of the General MIDI standard, counted from zero


@dataclass(frozen=True)
class Instrument:
    """One instrument of the taxonomy.

    Attributes:
        label: The name used everywhere (file names, JSON, labels of the networks).
        family: Group of similar instruments.
        programs: General MIDI programs (0-127) that count as this instrument; drum kits (bank 128) for ``drums``.
        low: Lowest MIDI pitch that the instrument plays.
        high: Highest MIDI pitch.
        polyphony: How many notes it plays at once, at most.
        roles: Parts it takes in an arrangement, best first: melody, harmony, bass, pad, drums.
        color: Its colour in all figures, as ``#rrggbb``.
        irmas: Its code in IRMAS (Bosch et al. 2012), if it has one.
        openmic: Its name in OpenMIC-2018 (Humphrey et al. 2018), if it has one.
    """

    label: str
    family: str
    programs: tuple[int, ...]
    low: int
    high: int
    polyphony: int
    roles: tuple[str, ...]
    color: str
    irmas: str | None = None
    openmic: str | None = None

    @property
    def title(self) -> str:
        """Name for people.

        >>> INSTRUMENTS["french_horn"].title
        'French horn'
        """
        return self.label.replace("_", " ").capitalize()

    def playing(self, program: int) -> "Instrument":
        """This instrument with the range of one of its programs (a baritone saxophone lies below a soprano)."""
        low, high = _PROGRAM_RANGES.get((self.label, program), (self.low, self.high))
        return replace(self, low=low, high=high)

    @property
    def is_drums(self) -> bool:
        return self.family == "drums"


def _row(
    label: str,
    family: str,
    programs: str,
    pitches: str,
    polyphony: int,
    roles: str,
    color: str,
    irmas: str | None = None,
    openmic: str | None = None,
) -> Instrument:
    low, high = (int(p) for p in pitches.split("-"))
    return Instrument(
        label,
        family,
        tuple(int(p) for p in programs.split()),
        low,
        high,
        polyphony,
        tuple(roles.split()),
        color,
        irmas,
        openmic,
    )


_ROWS = (
    _row("piano", "keys", "0 1 2", "21-108", 8, "harmony melody bass", "#218db7", "pia", "piano"),
    _row("electric_piano", "keys", "4 5", "28-103", 6, "harmony melody", "#46cecb"),
    _row("mallets", "mallets", "8 9 11 12 13", "48-96", 4, "melody harmony", "#00ffc5", None, "mallet_percussion"),
    _row("organ", "keys", "16 17 18 19", "36-96", 6, "harmony pad melody bass", "#3dd6ff", "org", "organ"),
    _row("accordion", "keys", "21 23", "41-93", 5, "melody harmony", "#b196d5", None, "accordion"),
    _row("acoustic_guitar", "plucked", "24 25", "40-83", 6, "harmony melody", "#ffab01", "gac", "guitar"),
    _row("electric_guitar", "plucked", "26 27 28", "40-84", 6, "harmony melody", "#ff4100", "gel", "guitar"),
    _row("distorted_guitar", "plucked", "29 30", "40-86", 3, "melody harmony", "#7b6fff", "gel", "guitar"),
    _row("banjo", "plucked", "105", "48-86", 4, "harmony melody", "#b0777b", None, "banjo"),
    _row("harp", "plucked", "46", "24-103", 6, "harmony melody", "#e1929b"),
    _row("electric_bass", "bass", "33 34 35 36", "28-67", 1, "bass", "#6996ff", None, "bass"),
    _row("double_bass", "bass", "32 43", "28-67", 1, "bass", "#fb15b7", None, "bass"),
    _row("violin", "strings", "40", "55-100", 2, "melody", "#bfff94", "vio", "violin"),
    _row("viola", "strings", "41", "48-91", 2, "melody", "#309376"),
    _row("cello", "strings", "42", "36-76", 2, "melody bass", "#309700", "cel", "cello"),
    _row("string_ensemble", "strings", "48 49", "28-96", 6, "pad harmony", "#78b09c"),
    _row("voice", "voice", "52 53 54", "43-84", 4, "melody pad", "#fdbca3", "voi", "voice"),
    _row("trumpet", "brass", "56", "54-86", 1, "melody", "#f2f700", "tru", "trumpet"),
    _row("trombone", "brass", "57", "40-72", 1, "melody bass", "#f9c185", None, "trombone"),
    _row("tuba", "brass", "58", "28-58", 1, "bass", "#15b54b"),
    _row("french_horn", "brass", "60", "34-77", 1, "melody", "#fdd25d"),
    _row("saxophone", "reeds", "64 65 66 67", "36-87", 1, "melody", "#ff4681", "sax", "saxophone"),
    _row("oboe", "reeds", "68", "58-91", 1, "melody", "#4bb7ff"),
    _row("bassoon", "reeds", "70", "34-75", 1, "melody bass", "#229397"),
    _row("clarinet", "reeds", "71", "50-94", 1, "melody", "#00ffff", "cla", "clarinet"),
    _row("flute", "flutes", "72 73", "60-96", 1, "melody", "#bcfaeb", "flu", "flute"),
    _row("synth_lead", "synth", "80 81", "36-96", 1, "melody", "#c0a96d", None, "synthesizer"),
    _row("synth_pad", "synth", "88 89 90", "36-84", 6, "pad", "#f2a2ca", None, "synthesizer"),
    _row("drums", "drums", "0 8 16 24 25 40", "35-81", 4, "drums", "#788a58", None, "drums"),
)

# Programs whose range differs from that of their label as a whole.
_PROGRAM_RANGES = {
    ("double_bass", 43): (28, 57),
    ("saxophone", 64): (56, 87),
    ("saxophone", 65): (49, 81),
    ("saxophone", 66): (44, 76),
    ("saxophone", 67): (36, 70),
}

INSTRUMENTS: dict[str, Instrument] = {row.label: row for row in _ROWS}
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(row.family for row in _ROWS))


def words_of(data_set: Literal["irmas", "openmic"]) -> dict[str, tuple[str, ...]]:
    """The labels that each word of another data set stands for, for words that name instruments of the taxonomy.

    >>> words_of("irmas")["gel"]
    ('electric_guitar', 'distorted_guitar')
    """
    words = sorted({word for row in _ROWS if (word := getattr(row, data_set))})
    return {word: tuple(row.label for row in _ROWS if getattr(row, data_set) == word) for word in words}


@dataclass(frozen=True, eq=False)
class LabelSet(LabelSpace):
    """A label space of instruments, which can be played.

    Attributes:
        programs: General MIDI programs that may sound for each label, in the order of the labels.
    """

    programs: Mapping[str, tuple[int, ...]]


def _label_set(name: str, programs: Mapping[str, tuple[int, ...]]) -> LabelSet:
    rows = [INSTRUMENTS[label] for label in programs]
    return LabelSet(
        name=name,
        noun="instrument",
        labels=tuple(programs),
        titles={row.label: row.title for row in rows},
        groups={row.label: row.family for row in rows},
        colors={row.label: row.color for row in rows},
        programs=programs,
    )


# The twelve patches of the student project that this program grew from, one General MIDI program each.
_WIMU12 = {
    "piano": 0,
    "acoustic_guitar": 24,
    "string_ensemble": 48,
    "flute": 72,
    "mallets": 8,
    "double_bass": 32,
    "trumpet": 56,
    "synth_lead": 80,
    "organ": 16,
    "violin": 40,
    "saxophone": 64,
    "synth_pad": 88,
}

LABEL_SETS: dict[str, LabelSet] = {
    labels.name: labels
    for labels in (
        _label_set("general", {row.label: row.programs for row in _ROWS}),
        _label_set("wimu12", {label: (program,) for label, program in _WIMU12.items()}),
    )
}
for _labels in LABEL_SETS.values():
    LABEL_SPACES.register(_labels.name)(_labels)


def label_set(name: str) -> LabelSet:
    """The label set of this name.

    >>> label_set("wimu12").programs["flute"]
    (72,)

    Raises:
        InputError: there is none, or its labels are not instruments.
    """
    if name not in LABEL_SETS:
        raise InputError(f"There is no label set {name!r}; choose one of: {', '.join(LABEL_SETS)}.")
    return LABEL_SETS[name]


def check_labels(labels: list[str] | tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The given labels without repeats, in the order of ``allowed``.

    >>> check_labels(["violin", "piano", "violin"], label_set("general").labels)
    ('piano', 'violin')

    Raises:
        InputError: a label is not among those allowed.
    """
    for label in labels:
        if label not in allowed:
            raise InputError(f"There is no instrument {label!r} here; choose from: {', '.join(allowed)}.")
    return tuple(label for label in allowed if label in labels)
