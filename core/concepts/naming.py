"""Names of concepts in plain words, made from measured factors by a table."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count

from core.concepts.atlas import Factor
from core.concepts.probes import OCTAVES
from core.concepts.questions import SPANS
from core.taxonomy.instruments import INSTRUMENTS

EVIDENCE = 0.8  # AUC on held-out probes from which a factor enters a name
CHANCE = 0.5  # AUC of what does not respond to a factor at all
MAX_FACTORS = 3  # in a name
MIXED = "mixed"


@dataclass(frozen=True)
class Word:
    """The words for one value of a factor.

    Attributes:
        adjective: The word before the noun of another value.
        noun: The noun, used if no other noun has a higher rank.
        rank: Rank of the noun.
        needed: The adjective without which the noun would be too general: "quiet" in "quiet sound".
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
# Labels that are also families, such as the drums, are named as the family is.
_LABELS = {label: _FAMILIES.get(label, (row.title.lower(),) * 2) for label, row in INSTRUMENTS.items()}

# In the order of the adjectives. Values that are missing here are left out of names: a channel that responds to sound
# at all responds more to more of it, so "loud", "held" or "chords" say little.
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
ANYTHING = Word("", "sound", 0)  # for names with a register alone, for example
LOUDEST_PARTIAL = 4  # highest number of an instrument's loudest partial
ENDINGS = {("vibrato", "vibrato"): " with vibrato", ("vibrato", "straight"): " without vibrato"}
# What tells things of the same name apart.
DETAILS = {
    **{key: word.noun for key, word in WORDS.items() if key[0] in ("instrument", "family")},
    **{("register", span): span for span in SPANS},
    ("onset", "onset"): "attacks",
    ("onset", "sustain"): "sustained",
}
SILENCE = ("silence", "silence")  # a channel that responds to silence has no other properties
SAME = {"family": "instrument", "polyphony": "level"}  # factors so similar that only the stronger is named

IMPLIED = {("tonal", "tonal"): {"instrument", "family"}}  # values that go without saying beside these factors


def concept_name(factors: Sequence[Factor]) -> str:
    """What a channel responds to: its strongest factors in words, or "mixed" if the evidence is weak.

    Args:
        factors: From :func:`core.concepts.tuning.tunings`. Of each factor only the first entry, its best, counts.

    >>> best = [Factor("family", "plucked", 0.93, "AUC"), Factor("onset", "onset", 0.91, "AUC")]
    >>> concept_name([*best, Factor("register", "150–600 Hz", 0.88, "AUC")])
    'plucked attacks, 150–600 Hz'
    >>> concept_name([Factor("family", "plucked", 0.71, "AUC")])
    'mixed'
    """
    named = [(factor.factor, factor.value) for factor in _evidence(factors)]
    if not named:
        return MIXED
    if named[0] == SILENCE:
        return "silence"
    words = [word for key, word in WORDS.items() if key in named]
    head = max(words, key=lambda word: word.rank, default=ANYTHING)
    adjectives = [word.needed if word is head else word.adjective for word in words]
    phrase = " ".join([*filter(None, adjectives), head.noun])
    phrase += "".join(ending for key, ending in ENDINGS.items() if key in named)
    return ", ".join([phrase, *(value for factor, value in named if factor == "register")])


def name_score(factors: Sequence[Factor]) -> float:
    """How surely a name says what something responds to: the lowest score of its factors; the highest of a "mixed" one.

    >>> best = [Factor("family", "plucked", 0.93, "AUC"), Factor("onset", "onset", 0.91, "AUC")]
    >>> name_score(best), name_score([Factor("family", "plucked", 0.71, "AUC")])
    (0.91, 0.71)
    """
    named = _evidence(factors)
    if named and (named[0].factor, named[0].value) == SILENCE:
        return named[0].score
    return min((factor.score for factor in named), default=max((factor.score for factor in factors), default=CHANCE))


def distinct_names(tunings: Sequence[Sequence[Factor]]) -> list[str]:
    """Names for things that are shown together, of which no two are alike.

    Where several would have the same name, each gets in brackets what it responds to more surely than the others of
    that name: an instrument, a family of instruments, a register, attacks or sustained sound.

    >>> low = [Factor("tonal", "tonal", 0.9, "AUC"), Factor("register", "75–150 Hz", 0.75, "AUC")]
    >>> high = [Factor("tonal", "tonal", 0.9, "AUC"), Factor("register", "above 4800 Hz", 0.7, "AUC")]
    >>> distinct_names([low, high, low[:1]])
    ['tones (75–150 Hz)', 'tones (above 4800 Hz)', 'tones']
    """
    names = [concept_name(factors) for factors in tunings]
    distinct: list[str] = []
    for name, factors in zip(names, tunings, strict=True):
        twins = [other for twin, other in zip(names, tunings, strict=True) if twin == name and other is not factors]
        detailed = (f"{name} ({detail})" for detail in _details(factors, twins) if detail not in name)
        numbered = (f"{name} {number}" for number in count(2))
        candidates = chain(detailed if twins else (), (name,), numbered)
        distinct.append(next(candidate for candidate in candidates if candidate not in distinct))
    return distinct


def _details(factors: Sequence[Factor], twins: Sequence[Sequence[Factor]]) -> list[str]:
    """What tells something from its twins, in words, first what tells most."""
    best: dict[tuple[str, str], float] = defaultdict(lambda: CHANCE)
    for factor in chain.from_iterable(twins):
        best[factor.factor, factor.value] = max(best[factor.factor, factor.value], factor.score)
    margins = {
        words: factor.score - best[factor.factor, factor.value]
        for factor in factors
        if (words := DETAILS.get((factor.factor, factor.value)))
    }
    return [words for words in sorted(margins, key=lambda words: -margins[words]) if margins[words] > 0]


def _evidence(factors: Sequence[Factor]) -> list[Factor]:
    """The factors for a name, the strongest first: at most ``MAX_FACTORS`` of them, none twice."""
    first: dict[str, Factor] = {}
    for factor in factors:
        first.setdefault(factor.factor, factor)
    strong = [factor for factor in first.values() if is_telling(factor)]
    kinds = {factor.factor for factor in strong}
    candidates = [factor for factor in strong if not kinds & IMPLIED.get((factor.factor, factor.value), set())]
    named: dict[str, Factor] = {}
    for factor in sorted(candidates, key=lambda factor: -factor.score):
        if not any(_contradict(factor, other) or _contradict(other, factor) for other in named.values()):
            named.setdefault(SAME.get(factor.factor, factor.factor), factor)
    return list(named.values())[:MAX_FACTORS]


def _contradict(player: Factor, place: Factor) -> bool:
    """Whether an instrument or a family can never be loudest in a register.

    A channel that responds to a register may still prefer some instrument that never plays there.
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
    """Whether a factor is strong enough for a name, and its value says something (see :data:`WORDS`)."""
    key = (factor.factor, factor.value)
    has_words = factor.factor == "register" or key == SILENCE or key in WORDS or key in ENDINGS
    return has_words and factor.score >= EVIDENCE
