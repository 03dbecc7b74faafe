"""Whether to believe an answer and its explanation: one sentence made of figures, and a plain yes, partly or no.

In a composed passage the truth decides:

========  ==========================================================================================================
yes       the instrument plays, is heard, and most of the evidence lies where it is the loudest; or it rightly is not
          heard
partly    it plays and is heard, but most of the evidence lies elsewhere; or it is never the loudest, so that no
          evidence can be checked
no        it is missed, or heard although it does not play; or no more of the evidence lies on it than by chance
========  ==========================================================================================================

Of a recording nobody knows what really plays. There it is decided by how well the network recognised the instrument in
other recordings, and by how usual it is that these concepts speak for the instrument: *yes* if both speak for the
answer, *no* if one speaks against it, *partly* otherwise.

========================  =========================================  ====================================
sign                      speaks for the answer                      speaks against it
========================  =========================================  ====================================
F1 on real recordings     its whole interval is at least one half    its whole interval is below one half
how usual the concepts    at least a quarter of the reference clips  less than a twentieth are
are, if it is heard       are as unusual
========================  =========================================  ====================================
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from core.evaluation.record import Evaluation
from core.frontends.frontend import Frontend, Matrix
from core.grading.measures import Array, Mask
from core.records import Interval

MOST = 0.5  # of the evidence, or of the answers
UNUSUAL, COMMON = 0.05, 0.25  # shares of reference clips: below the first a clip is unusual, from the second on usual
EDGES_HZ = (150.0, 300.0, 600.0, 1200.0, 2400.0, 4800.0)  # between the registers
WIDEST = 3  # registers that still are a place
MOMENT_S = 0.5
ATTACK_S = 0.1  # how long an attack lasts
TELLING = 1.5  # how much denser the evidence must lie at a place than elsewhere
COMPARABLE = 10  # recordings from which a confusion is reported


class Verdict(Enum):
    """Whether to believe an answer and its explanation."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


@dataclass(frozen=True)
class Trust:
    """A verdict, and the sentence that gives the figures behind it."""

    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Answer:
    """What a network says about one label in a passage.

    Attributes:
        name: The label as it stands in the middle of a sentence.
        probability: In the passage.
        heard: Whether that is enough to count as heard.
    """

    name: str
    probability: float
    heard: bool


@dataclass(frozen=True)
class Reputation:
    """How well a network recognises a label in real recordings.

    Attributes:
        f1: The harmonic mean of precision and recall.
        recordings: In how many the label plays.
        precision: In what share of the recordings in which it is detected it plays; None where it never is detected, or
            nobody measured it.
        recall: In what share of the recordings in which it plays it is detected; None where nobody measured it.
        rival: The label in whose recordings it is most often detected although it does not play there; None where none
            was measured.
        mistaken: In what share of these.
    """

    f1: Interval
    recordings: int
    precision: float | None = None
    recall: float | None = None
    rival: str | None = None
    mistaken: float = 0.0


@dataclass(frozen=True)
class Place:
    """Where most of the evidence lies, as far as it has a place.

    Attributes:
        kind: "attacks", "sustained sound", or "sound" where it is both.
        time_s: The middle of the moment that holds most of it; None if it is spread over the passage.
        low_hz: From where on; None if from the bottom.
        high_hz: Up to where; None if to the top.
    """

    kind: str = "sound"
    time_s: float | None = None
    low_hz: float | None = None
    high_hz: float | None = None

    def __str__(self) -> str:
        """As it stands in a sentence.

        >>> str(Place("attacks", 2.1, 4800.0)), str(Place("sustained sound", high_hz=300.0)), str(Place())
        ('mostly attacks at 2.1 s above 4.8 kHz', 'mostly sustained sound below 300 Hz', 'spread over all of the sound')
        """
        time = "" if self.time_s is None else f" at {self.time_s:.1f} s"
        return f"mostly {self.kind}{time}{self._register}" if self != Place() else "spread over all of the sound"

    @property
    def _register(self) -> str:
        low, high = (None if hz is None else _hertz(hz) for hz in (self.low_hz, self.high_hz))
        if low and high:
            return f" between {low} and {high}"
        return f" above {low}" if low else f" below {high}" if high else ""


def _hertz(hz: float) -> str:
    return f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz:g} Hz"


def place_of(relevance: Matrix, logmel: Matrix, frontend: Frontend, start: float = 0.0) -> Place | None:
    """Where most of what is positive in a map lies; None where nothing is.

    Args:
        relevance: On the cells of the spectrogram ``(bands, frames)``.
        logmel: The passage itself ``(bands, frames)``, whose attacks are its sudden rises.
        start: Of the passage, in seconds of the song.
    """
    positive = np.maximum(relevance, 0).astype(np.float64)
    total = positive.sum()
    if not total:
        return None
    shares = positive / total
    low, high = _registers(shares.sum(1), frontend.band_hz)
    times = frontend.frame_times(shares.shape[1])
    return Place(_kind(shares.sum(0), logmel, times), _moment(shares.sum(0), times, start), low, high)


def _registers(shares: Array, band_hz: Array) -> tuple[float | None, float | None]:
    """The edges of the fewest neighbouring registers that hold most of the evidence; of equally many, the fullest."""
    edges = [None, *EDGES_HZ, None]
    which = np.searchsorted(EDGES_HZ, band_hz, side="right")
    for width in range(1, WIDEST + 1):
        spans = [(which >= first) & (which < first + width) for first in range(len(edges) - width)]
        first = int(np.argmax([shares[span].sum() for span in spans]))
        if _gathers(shares, spans[first]):
            return edges[first], edges[first + width]
    return None, None


def _moment(shares: Array, times: Array, start: float) -> float | None:
    """The middle of the moment that holds most of the evidence ``(frames,)``, on the clock of the song."""
    moments = (times >= times[:, None]) & (times < times[:, None] + MOMENT_S)
    first = int(np.argmax(moments @ shares))
    return start + float(times[first]) + MOMENT_S / 2 if _gathers(shares, moments[first]) else None


def _kind(shares: Array, logmel: Matrix, times: Array) -> str:
    """Whether the evidence ``(frames,)`` gathers on attacks, or in sustained sound."""
    rise = np.maximum(np.diff(logmel, axis=1, prepend=logmel[:, :1]), 0).sum(0)
    sudden = times[rise > rise.mean() + rise.std()]
    attacks = ((times[:, None] >= sudden) & (times[:, None] < sudden + ATTACK_S)).any(1)
    kinds = (("attacks", attacks), ("sustained sound", ~attacks))
    return next((kind for kind, frames in kinds if _gathers(shares, frames)), "sound")


def _gathers(shares: Array, there: Mask) -> bool:
    """Whether most of the evidence lies there, and clearly denser than elsewhere."""
    held, area = float(shares[there].sum()), float(there.mean())
    return held >= MOST and held * (1 - area) >= TELLING * (1 - held) * area


def reputation(evaluations: Mapping[str, Evaluation], label: str) -> Reputation | None:
    """How well a label is recognised in the largest recorded evaluation on real recordings that hold it."""
    real = [one for one in evaluations.values() if one.data["source"] != "built" and label in one.per_instrument]
    if not real:
        return None
    largest = max(real, key=lambda one: one.per_instrument[label].support)
    scores = largest.per_instrument[label]
    rival, mistaken = _rival(largest, label)
    return Reputation(scores.f1, scores.support, scores.precision.value, scores.recall.value, rival, mistaken)


def _rival(evaluation: Evaluation, label: str) -> tuple[str | None, float]:
    """The label in whose recordings another one is most often detected although it does not play, and how often."""
    table = evaluation.confusion
    if label not in table.called:
        return None, 0.0
    column = table.called.index(label)
    rates = {
        when: rates[column] or 0.0
        for when, rates, clips in zip(table.when, table.rate, table.clips, strict=True)
        if when != label and clips[column] >= COMPARABLE
    }
    rival = max(rates, key=lambda when: rates[when], default=None)
    return (rival, rates[rival]) if rival and rates[rival] > 0 else (None, 0.0)


def trust_in_composed(
    answer: Answer, place: Place | None, plays: bool, on_it: float | None, area: float | None
) -> Trust:
    """Whether to believe an explanation of a composed passage.

    Args:
        plays: Whether the instrument sounds in the passage.
        on_it: Share of the evidence that lies where it is the loudest; None if it never is.
        area: Share of the spectrogram where it is: what evidence at random places would reach.

    >>> drums = Answer("drums", 0.82, heard=True)
    >>> trust_in_composed(drums, Place("attacks", 2.1, 4800.0), True, 0.78, 0.2).sentence
    '82 % sure here; mostly attacks at 2.1 s above 4.8 kHz; 78 % of it lies on the real drums: right.'
    """
    sure = f"{_percent(answer.probability)} sure here"
    if not plays:
        right = Trust(Verdict.YES, f"Only {sure}, and nobody plays {answer.name}: right.")
        return Trust(Verdict.NO, f"{sure}, but nobody plays {answer.name}: wrong.") if answer.heard else right
    if not answer.heard:
        return Trust(Verdict.NO, f"Only {sure}, too little to count, but somebody plays {answer.name}: missed.")
    begins = f"{sure}; {place}" if place else f"{sure}; no sound speaks for it"
    if on_it is None or area is None:
        return Trust(Verdict.PARTLY, f"{begins}; the {answer.name} is never the loudest: nobody can check.")
    lies = f"{_percent(on_it)} of it lies on the real {answer.name}"
    if on_it <= area:
        return Trust(Verdict.NO, f"{begins}; {lies}, no more than by chance: the right answer for wrong reasons.")
    if on_it < MOST:
        return Trust(Verdict.PARTLY, f"{begins}; only {lies}: partly right.")
    return Trust(Verdict.YES, f"{begins}; {lies}: right.")


def trust_in_recording(
    answer: Answer, place: Place | None, known: Reputation | None, usual: float | None, rival: str | None = None
) -> Trust:
    """Whether to believe an explanation of a recording, of which nobody knows what plays.

    Args:
        known: How well the label was recognised in other recordings; None if that was not measured.
        usual: Share of the reference clips that are at least as unusual; None if that is not known.
        rival: The name of the label that it is most often taken for, as it stands in the middle of a sentence.

    >>> known = Reputation(Interval(value=0.72, low=0.61, high=0.8), 36, precision=0.81, recall=0.65)
    >>> print(trust_in_recording(Answer("drums", 0.82, heard=True), Place("attacks"), known, 0.4).sentence)
    82 % sure here; mostly attacks; when it hears drums in a real recording, it is right 81 % of the time; of the \
recordings with drums it recognises 65 %; recognised as usual.
    """
    signs = [_speaks(known), _is_usual(usual)] if answer.heard else [_speaks(known)]
    verdict = Verdict.NO if False in signs else Verdict.YES if None not in signs else Verdict.PARTLY
    sure = _percent(answer.probability)
    said = [f"{sure} sure here" if answer.heard else f"Only {sure} sure here, too little to count as heard"]
    if answer.heard and place:
        said.append(str(place))
    said += _record(answer.name, known)
    if known and rival:
        said.append(f"it most often takes {rival} for {answer.name} ({_percent(known.mistaken)} of the time)")
    if answer.heard and usual is not None:
        said.append(_USUAL[_is_usual(usual)])
    return Trust(verdict, "; ".join(said) + ".")


def _record(name: str, known: Reputation | None) -> list[str]:
    """How well the label was recognised in other recordings, in words."""
    if known is None or known.f1.value is None:
        return [f"never measured on real recordings of {name}"]
    if known.recall is None:
        return [f"its F1 for {name} in real recordings is {known.f1.value:.2f} (1 is perfect)"]
    if known.precision is None:
        return [f"it recognises none of {known.recordings} real recordings with {name}"]
    return [
        f"when it hears {name} in a real recording, it is right {_percent(known.precision)} of the time",
        f"of the recordings with {name} it recognises {_percent(known.recall)}",
    ]


_USUAL = {
    True: "recognised as usual",
    None: "recognised in a somewhat unusual way",
    False: "recognised as it hardly ever is",
}


def _speaks(known: Reputation | None) -> bool | None:
    if known is None or known.f1.low is None or known.f1.high is None:
        return None
    return known.f1.low >= MOST if known.f1.low >= MOST or known.f1.high < MOST else None


def _is_usual(share: float | None) -> bool | None:
    if share is None:
        return None
    return share >= COMMON if share >= COMMON or share < UNUSUAL else None


def _percent(share: float) -> str:
    """A share as people read it, never rounded to none or all.

    >>> [_percent(share) for share in (0.0, 0.004, 0.5, 0.998, 1.0)]
    ['0 %', 'below 1 %', '50 %', 'over 99 %', '100 %']
    """
    if 0 < share < 0.01:
        return "below 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{share:.0%}".replace("%", " %")
