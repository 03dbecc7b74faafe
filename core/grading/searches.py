"""What the searches for rules and masks found, as ``timbrescope study rules`` and ``masks`` record it."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from core.paths import STUDIES, TRAINED_MODELS
from core.records import Interval, Part, Record

RULES, MASKS = "rules.json", "masks.json"


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


class RuleCandidate(Part):
    """How well one way to propagate relevance does.

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


class RuleSearch(SearchSubject):
    """Ways to propagate relevance, by name, graded on the same clips; one of them is the ``default``."""

    default: str
    candidates: dict[str, RuleCandidate]

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        if self.default not in self.candidates:
            raise ValueError(f"the default {self.default!r} is none of the candidates")
        return self


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


def read_rules(root: Path = TRAINED_MODELS) -> RuleSearch | None:
    """What the search for rules found, if it was run.

    Raises:
        InputError: the file is damaged.
    """
    return RuleSearch.find(root / STUDIES / RULES, "run `timbrescope study rules` again")
