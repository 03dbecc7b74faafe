"""Concepts in words: what they respond to, which kind they are, and whether a search finds them."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from app.figures.bars import Score
from app.figures.colors import NEUTRAL, title
from core.concepts.atlas import Concept, Factor, Reason
from core.concepts.naming import is_telling
from core.concepts.questions import REGISTERS, SPANS
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS


@dataclass(frozen=True)
class Kind:
    """How concepts of one kind are drawn."""

    title: str
    color: str
    symbol: str


FACTORS = {
    "instrument": "Instrument",
    "family": "Family",
    "register": "Register",
    "onset": "Moment",
    "tonal": "Tone or noise",
    "articulation": "Articulation",
    "polyphony": "Polyphony",
    "velocity": "Velocity",
    "level": "Level",
    "vibrato": "Vibrato",
    "silence": "Silence",
}
VALUES = {
    ("onset", "onset"): "attacks",
    ("onset", "sustain"): "sustained sound",
    ("tonal", "tonal"): "tones",
    ("tonal", "noisy"): "noise",
    ("articulation", "repeated"): "repeated notes",
    ("articulation", "held"): "held notes",
    ("velocity", "hard"): "hard strokes",
    ("velocity", "soft"): "soft strokes",
    ("level", "loud"): "loud sound",
    ("level", "quiet"): "quiet sound",
    ("vibrato", "straight"): "no vibrato",
    ("silence", "sound"): "any sound",
}
MEASURES = {
    "AUC": "AUC: how probable it is that a test sound of this kind excites the concept more than one of another kind "
    "that is alike otherwise. 0.5 is chance, 1 is always, 0 is never.",
}
CHANCE = {"AUC": 0.5}  # the value of a measure if a concept does not respond to a factor
# A family is shown in the colour of one of its instruments; other kinds have a shape of their own.
_LEADERS = {
    "keys": "piano", "mallets": "mallets", "plucked": "acoustic_guitar", "bass": "electric_bass", "strings": "violin",
    "voice": "voice", "brass": "trumpet", "reeds": "saxophone", "flutes": "flute", "synth": "synth_pad",
    "drums": "drums",
}  # fmt: skip
SHORT = 30  # characters of a name where there is little room
PLAYERS = ("instrument", "family")
MIXED = "mixed"
KINDS = {
    **{family: Kind(title(family), INSTRUMENTS[_LEADERS[family]].color, "circle") for family in FAMILIES},
    "register": Kind("A register", "#6fd3ff", "diamond"),
    "onset": Kind("Attack or sustain", "#ff5c5c", "triangle-up"),
    "tonal": Kind("Tone or noise", "#ffd166", "square"),
    "vibrato": Kind("Vibrato", "#9a7bff", "star"),
    "played": Kind("How it is played", "#c08a62", "pentagon"),
    "silence": Kind("Silence", "#f2f4f8", "circle-open"),
    MIXED: Kind("Mixed", NEUTRAL, "circle"),
}  # fmt: skip


def value_title(factor: Factor) -> str:
    """What people read for the value of a factor.

    >>> value_title(Factor("family", "plucked", 0.9, "AUC")), value_title(Factor("onset", "onset", 0.9, "AUC"))
    ('Plucked', 'Attacks')
    """
    said = VALUES.get((factor.factor, factor.value))
    if said is None and factor.factor in PLAYERS:
        return title(factor.value)
    return capital(said or factor.value)


def capital(text: str) -> str:
    """The text with a capital first letter.

    >>> capital("tones, 150–600 Hz")
    'Tones, 150–600 Hz'
    """
    return text[:1].upper() + text[1:]


def short(name: str) -> str:
    """A name cut after a word.

    >>> short("plucked attacks"), short("sustained distorted guitar, above 1200 Hz")
    ('plucked attacks', 'sustained distorted guitar, …')
    """
    return textwrap.shorten(name, SHORT, placeholder=" …")


def named(concept: Concept) -> str:
    """Number and name, in Markdown."""
    return f"**{concept.channel}** {concept.name}"


def strongest(concept: Concept | Reason) -> list[Factor]:
    """The best value of each factor, the strongest first; values that say little, such as "loud", come last."""
    best = {factor.factor: factor for factor in reversed(concept.tuning)}  # the first of each factor is its best
    titled = {value_title(factor): factor for factor in reversed(best.values())}  # drums are a family of one
    return sorted(titled.values(), key=lambda factor: (not is_telling(factor), -factor.score))


def measured(factors: Iterable[Factor]) -> list[Score]:
    """Factors as scores for bars."""
    return [
        Score(value_title(factor), factor.score, factor.measure, MEASURES.get(factor.measure, factor.measure),
              CHANCE.get(factor.measure, 0.0))
        for factor in factors
    ]  # fmt: skip


def kind(concept: Concept) -> str:
    """The kind of a concept, a key of ``KINDS``: a family that it clearly responds to, or else its clearest factor."""
    telling = filter(is_telling, concept.tuning)
    best = max(telling, key=lambda factor: (factor.factor in PLAYERS, factor.score), default=None)
    if best is None:
        return MIXED
    if best.factor == "instrument" and best.value in INSTRUMENTS:
        return INSTRUMENTS[best.value].family
    if best.factor == "family":
        return best.value if best.value in KINDS else MIXED
    return best.factor if best.factor in KINDS else "played"


def serves(concept: Concept) -> tuple[str, float]:
    """The label of whose evidence a concept carries the largest share, and that share."""
    return max(concept.usage.items(), key=lambda item: item[1], default=("", 0.0))


def answers(concept: Concept) -> set[str]:
    """All that a concept clearly responds to, each as ``factor:value``; a wide register is given as its octaves."""
    clear = set()
    for factor in filter(is_telling, concept.tuning):
        octaves = REGISTERS[slice(*SPANS[factor.value])] if factor.value in SPANS else (factor.value,)
        clear |= {f"{factor.factor}:{value}" for value in octaves}
    return clear


def answer_title(answer: str) -> str:
    """What people read for ``factor:value``.

    >>> answer_title("register:150–300 Hz"), answer_title("onset:onset")
    ('Register: 150–300 Hz', 'Moment: attacks')
    """
    factor, _, value = answer.partition(":")
    said = value_title(Factor(factor, value, 0.0, ""))
    return f"{FACTORS.get(factor, factor.capitalize())}: {said if factor == 'register' else said.lower()}"


def answers_of(concepts: Iterable[Concept]) -> list[str]:
    """What any of the concepts responds to, factor by factor and in the order of instruments and registers."""
    order = [*INSTRUMENTS, *FAMILIES, *REGISTERS]

    def place(answer: str) -> tuple[int, int, str]:
        factor, _, value = answer.partition(":")
        factors = list(FACTORS)
        number = factors.index(factor) if factor in factors else len(factors)
        return number, order.index(value) if value in order else len(order), value

    return sorted({answer for concept in concepts for answer in answers(concept)}, key=place)


def is_meant(concept: Concept, search: str = "", answer: str | None = None, served: str | None = None) -> bool:
    """Whether a search finds a concept.

    Args:
        search: Words that must all stand in its name, in what it responds to, or in the instruments that need it. A
            number must be that of its channel, or stand in its name.
        answer: What it must respond to, as ``factor:value``.
        served: A label of whose evidence it must carry more than an average channel of its layer.
    """
    known = answers(concept)
    if (answer and answer not in known) or (served and served not in concept.relmax_by_label):
        return False
    words = [concept.name, *map(answer_title, known), *map(title, concept.relmax_by_label)]
    text = " ".join(words).lower()
    return all(
        word == str(concept.channel) or (word in concept.name if word.isdigit() else word in text)
        for word in search.lower().split()
    )
