"""Measured factors → a name in plain words, by a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.concepts.atlas import Factor
from core.concepts.probes import OCTAVES
from core.concepts.questions import SPANS
from core.taxonomy.instruments import INSTRUMENTS

EVIDENCE = 0.8  # AUC on held-out probes from which a factor enters a name
MAX_FACTORS = 3  # in a name
MIXED = "mixed"


@dataclass(frozen=True)
class Word:
    """How a value is said.

    Attributes:
        adjective: Before the noun of another.
        noun: Where no other noun ranks higher.
        rank: Of the noun.
        needed: The adjective that its own noun cannot do without.
    """

    adjective: str
    noun: str
    rank: int
    needed: str = ""


_FAMILIES = {
    "keys": ("keyboard", "keyboards"),
    "mallets": ("mallet", "mallets"),
    "plucked": ("plucked", "plucked strings"),
    "bass": ("bass", "bass"),
    "strings": ("string", "bowed strings"),
    "voice": ("voice", "voice"),
    "brass": ("brass", "brass"),
    "reeds": ("reed", "reeds"),
    "flutes": ("flute", "flutes"),
    "synth": ("synth", "synthesisers"),
    "drums": ("drum", "drums"),
}
# What is a label and a family alike is called as the family.
_LABELS = {label: _FAMILIES.get(label, (row.title.lower(),) * 2) for label, row in INSTRUMENTS.items()}

# In the order of the adjectives. What is not here is not said: whatever answers to sound at all answers more to more of
# it, so that "loud", "held" or "chords" mean little.
WORDS: dict[tuple[str, str], Word] = {
    ("level", "quiet"): Word("quiet", "sound", 1, "quiet"),
    ("velocity", "hard"): Word("hard", "strokes", 2, "hard"),
    ("velocity", "soft"): Word("soft", "strokes", 2, "soft"),
    ("onset", "sustain"): Word("sustained", "sound", 1, "sustained"),
    ("articulation", "repeated"): Word("repeated", "notes", 5, "repeated"),
    ("polyphony", "single notes"): Word("single", "notes", 5, "single"),
    ("tonal", "noisy"): Word("noisy", "noise", 3),
    ("tonal", "tonal"): Word("tonal", "tones", 3),
    **{("family", family): Word(*words, 4) for family, words in _FAMILIES.items()},
    **{("instrument", label): Word(*words, 4) for label, words in _LABELS.items()},
    ("onset", "onset"): Word("", "attacks", 6),
}
ANYTHING = Word("", "sound", 0)  # where only its register is known, say
LOUDEST_PARTIAL = 4  # that an instrument's sound has, at most
ENDINGS = {("vibrato", "vibrato"): " with vibrato", ("vibrato", "straight"): " without vibrato"}
SILENCE = ("silence", "silence")  # of what answers to silence there is nothing more to say
SAME = {"family": "instrument", "polyphony": "level"}  # of two factors that say much the same only the stronger is said

IMPLIED = {("tonal", "tonal"): {"instrument", "family"}}  # values that go without saying where these factors are said


def concept_name(factors: Sequence[Factor]) -> str:
    """What a channel answers to: its strongest factors in words, or "mixed" where the evidence is weak.

    Args:
        factors: As :func:`core.concepts.tuning.tunings` returns them; the first of each factor, its best, counts.

    >>> best = [Factor("family", "plucked", 0.93, "AUC"), Factor("onset", "onset", 0.91, "AUC")]
    >>> concept_name([*best, Factor("register", "150–600 Hz", 0.88, "AUC")])
    'plucked attacks, 150–600 Hz'
    >>> concept_name([Factor("family", "plucked", 0.71, "AUC")])
    'mixed'
    """
    said = [(factor.factor, factor.value) for factor in _evidence(factors)]
    if not said:
        return MIXED
    if said[0] == SILENCE:
        return "silence"
    words = [word for key, word in WORDS.items() if key in said]
    head = max(words, key=lambda word: word.rank, default=ANYTHING)
    adjectives = [word.needed if word is head else word.adjective for word in words]
    phrase = " ".join([*filter(None, adjectives), head.noun])
    phrase += "".join(ending for key, ending in ENDINGS.items() if key in said)
    return ", ".join([phrase, *(value for factor, value in said if factor == "register")])


def _evidence(factors: Sequence[Factor]) -> list[Factor]:
    """Those that can be said, the strongest first, no more than ``MAX_FACTORS`` and none twice."""
    first: dict[str, Factor] = {}
    for factor in factors:
        first.setdefault(factor.factor, factor)
    strong = [factor for factor in first.values() if is_telling(factor)]
    kinds = {factor.factor for factor in strong}
    telling = [factor for factor in strong if not kinds & IMPLIED.get((factor.factor, factor.value), set())]
    said: dict[str, Factor] = {}
    for factor in sorted(telling, key=lambda factor: -factor.score):
        if not any(_contradict(factor, other) or _contradict(other, factor) for other in said.values()):
            said.setdefault(SAME.get(factor.factor, factor.factor), factor)
    return list(said.values())[:MAX_FACTORS]


def _contradict(player: Factor, place: Factor) -> bool:
    """Whether an instrument or family cannot be loudest in a register.

    Where a channel answers to a register, it may yet prefer an instrument that never plays there among all others.
    """
    if player.factor not in ("instrument", "family") or place.factor != "register":
        return False
    kind = "label" if player.factor == "instrument" else "family"
    rows = [row for row in INSTRUMENTS.values() if getattr(row, kind) == player.value]
    lowest, highest = _hertz(min(row.low for row in rows)), LOUDEST_PARTIAL * _hertz(max(row.high for row in rows))
    first, end = SPANS[place.value]
    return not rows[0].is_drums and (OCTAVES[first] > highest or OCTAVES[end - 1] * 2 < lowest)


def _hertz(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def is_telling(factor: Factor) -> bool:
    """Whether a factor is well measured and says something: whatever answers to sound answers more to more of it."""
    key = (factor.factor, factor.value)
    said = factor.factor == "register" or key == SILENCE or key in WORDS or key in ENDINGS
    return said and factor.score >= EVIDENCE
