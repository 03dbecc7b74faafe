"""What the searches for rules, masks and reasons found, as the commands of ``timbrescope study`` record it."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from core.paths import STUDIES, TRAINED_MODELS
from core.records import Interval, Part, Record

RULES, MASKS, REASONS = "rules.json", "masks.json", "reasons.json"


class SearchSubject(Record):
    """What a search graded its candidates on.

    Attributes:
        model: The model's name.
        clips: How many clips of two to four instruments were composed.
        seed: Of the first clip.
        instruments: How many instruments the model detected in the clips, rightly; only these count.
    """

    model: str
    clips: int
    seed: int
    instruments: int


class GradedCandidate(Part):
    """How well one way to propagate relevance does, or to group channels into reasons.

    Attributes:
        part: What it varies; candidates that vary the same stand together.
        title: Its short name.
        words: What it does, for readers who do not know the name.
        measures: The mean of each measure over the instruments.
        over_default: By how much the measures exceed those of the default, over the same instruments.
    """

    part: str
    title: str
    words: str
    measures: dict[str, Interval]
    over_default: dict[str, Interval]


class CandidateSearch(SearchSubject):
    """Candidates by name, graded on the same clips; one of them is the ``default``."""

    default: str
    candidates: dict[str, GradedCandidate]

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        if self.default not in self.candidates:
            raise ValueError(f"the default {self.default!r} is none of the candidates")
        return self


class RuleSearch(CandidateSearch):
    """Ways to propagate relevance.

    Attributes:
        sanity_clips: Of how many clips, the first ones, the sanity check was taken; 0 where it was not.
    """

    sanity_clips: int = 0


class ReasonSearch(CandidateSearch):
    """Ways to group the channels of a layer into reasons.

    Attributes:
        reference_clips: From how many clips the reasons were learned.
        reference_seed: Determines the seeds of these clips.
        shown: How many reasons are shown of an explanation at most, with everything else.
    """

    reference_clips: int
    reference_seed: int
    shown: int


class MapFit(Part):
    """How well maps lie on the true cells, as means over instruments; see :mod:`core.grading.measures`."""

    rma: float
    lift: float
    rra: float
    pointing: float


class MaskScore(Part):
    """How well one kind of map does with one mask.

    Attributes:
        map: What made the map.
        blur: The mask's settings, from here on, are those of :class:`core.resynthesis.MaskSettings`.
        improvement: Mean improvement of the SI-SDR in dB.
        better: Share of the instruments that the masked mix is nearer to than the mix.
    """

    map: str
    blur: tuple[float, float]
    steady: bool
    power: float
    contrast: float
    full_at: float
    rest: float
    improvement: float
    better: float


class MaskSearch(SearchSubject):
    """Kinds of maps with different masks, graded on the same clips.

    Attributes:
        ceiling: What the ideal ratio mask reaches, in dB.
        fit: How well the maps of each kind fit the truth.
        masks: Every map with every mask, the best first.
    """

    ceiling: float
    fit: dict[str, MapFit]
    masks: tuple[MaskScore, ...]


def read_reasons(root: Path = TRAINED_MODELS) -> ReasonSearch | None:
    """What the search for reasons found, if it was run.

    Raises:
        InputError: the file is damaged.
    """
    return ReasonSearch.find(root / STUDIES / REASONS, "run `timbrescope study reasons` again")


def read_rules(root: Path = TRAINED_MODELS) -> RuleSearch | None:
    """What the search for rules found, if it was run.

    Raises:
        InputError: the file is damaged.
    """
    return RuleSearch.find(root / STUDIES / RULES, "run `timbrescope study rules` again")
