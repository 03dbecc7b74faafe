"""What is asked about a channel, as a table: the properties in which the sounds of probes differ.

A new question is one new row of ``QUESTIONS``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.concepts.probes import OCTAVES, Probe
from core.taxonomy.instruments import INSTRUMENTS

WIDEST = 4  # most octaves of a register


@dataclass(frozen=True)
class Heard:
    """A probe or a moment of it, as one thing to compare with others.

    Attributes:
        probe: The probe.
        octave: The octave in which it is loudest, an index of ``OCTAVES``.
        moment: "onset", "sustain" or "whole".
    """

    probe: Probe
    octave: int
    moment: str = "whole"

    @property
    def maker(self) -> str:
        """What makes the sound: the instrument, or the kind of a probe that is no instrument."""
        return self.probe.label or self.probe.kind


@dataclass(frozen=True)
class Question:
    """A question about one property of sounds.

    Attributes:
        factor: Name of the property.
        value: The value that it has for something heard; None if the question does not apply.
        stratum: What two sounds must have in common to be compared.
        where_it_answers: Whether strata are weighted by how much the channel responds to them, those below the median
            not counting at all. What a channel does with the vibrato of instruments that it ignores says little.
        unions: Sets of values that may be chosen like a single value, by name.
    """

    factor: str
    value: Callable[[Heard], str | None]
    stratum: Callable[[Heard], str] = lambda heard: ""
    where_it_answers: bool = False
    unions: Mapping[str, frozenset[str]] = field(default_factory=dict)


def _plain(heard: Heard) -> bool:
    """Whether it is all of a note, alone and without vibrato."""
    probe = heard.probe
    return probe.kind == "note" and heard.moment == "whole" and not (probe.vibrato or probe.below_db)


def _held(heard: Heard) -> bool:
    return _plain(heard) and not heard.probe.repeated and heard.probe.velocity == Probe.velocity


def _whole(heard: Heard) -> bool:
    return heard.moment == "whole" and not heard.probe.below_db


def register(octave: int, count: int = 1) -> str:
    """The name of a register of one or more octaves.

    >>> register(2, 2), register(0), register(7)
    ('150–600 Hz', 'below 75 Hz', 'above 4800 Hz')
    """
    low, high = f"{OCTAVES[octave]:.0f}", f"{OCTAVES[octave] * 2**count:.0f}"
    if octave == 0:
        return f"below {high} Hz"
    return f"above {low} Hz" if octave + count == len(OCTAVES) else f"{low}–{high} Hz"


def _family(heard: Heard) -> str:
    return INSTRUMENTS[heard.probe.label].family if heard.probe.label else heard.probe.kind


def _tonal(heard: Heard) -> str | None:
    if heard.probe.kind == "noise":
        return "noisy"
    return "tonal" if heard.probe.kind == "tone" or _held(heard) else None


def _bandwidth(heard: Heard) -> str:
    """Noise over all octaves is compared with notes, noise within one octave with tones."""
    return "octave" if heard.probe.hz else "all"


# All registers by name, with the number of their first octave and of the one after their last.
SPANS = {
    register(octave, count): (octave, octave + count)
    for count in range(1, WIDEST + 1)
    for octave in range(len(OCTAVES) - count + 1)
}
REGISTERS = tuple(name for name, (first, end) in SPANS.items() if end - first == 1)
_WIDER = {name: frozenset(REGISTERS[first:end]) for name, (first, end) in SPANS.items() if end - first > 1}

QUESTIONS = (
    Question("instrument", lambda h: h.probe.label if _plain(h) else None, lambda h: REGISTERS[h.octave]),
    Question("family", lambda h: _family(h) if _plain(h) else None, lambda h: REGISTERS[h.octave]),
    Question(
        "register",
        lambda h: REGISTERS[h.octave] if _plain(h) or (_whole(h) and h.probe.hz) else None,
        lambda h: h.maker,
        where_it_answers=True,
        unions=_WIDER,
    ),
    Question("onset", lambda h: h.moment if h.moment != "whole" else None, lambda h: h.maker, where_it_answers=True),
    Question(
        "articulation",
        lambda h: ("repeated" if h.probe.repeated else "held") if _plain(h) else None,
        lambda h: h.maker,
        where_it_answers=True,
    ),
    Question("tonal", lambda h: _tonal(h) if _whole(h) else None, _bandwidth, where_it_answers=True),
    Question(
        "polyphony",
        lambda h: "chords" if h.probe.kind == "chord" else "single notes" if _held(h) else None,
        lambda h: h.maker,
        where_it_answers=True,
    ),
    Question(
        "velocity",
        lambda h: (
            ("hard" if h.probe.velocity == Probe.velocity else "soft") if _plain(h) and not h.probe.repeated else None
        ),
        lambda h: h.maker,
        where_it_answers=True,
    ),
    Question(
        "level",
        lambda h: "quiet" if h.probe.below_db else "loud" if _held(h) else None,
        lambda h: h.maker,
        where_it_answers=True,
    ),
    Question(
        "vibrato",
        lambda h: "vibrato" if h.probe.vibrato else "straight" if _held(h) else None,
        lambda h: h.maker,
        where_it_answers=True,
    ),
    Question("silence", lambda h: ("silence" if h.probe.kind == "silence" else "sound") if _whole(h) else None),
)
