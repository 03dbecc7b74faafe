"""Grades ways to propagate and to read relevance on composed clips: why the default rules are what they are.

Run as ``python -m core.studies.rule_search --model NAME --clips 20 --seed 31000000``: prints a table, and writes all
its numbers beside this file, from where the app shows them. The candidates are in :mod:`core.studies.rule_candidates`.
Graded are the instruments that the model detects; the masks are the default ones, of maps that all of them contest.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from core.errors import InputError
from core.explanation.relevance import Relevance
from core.explanation.targets import Target
from core.frontends.logmel import Matrix, Spectrogram
from core.grading.grade import means
from core.grading.truth import fit
from core.models.network import StagedNetwork
from core.models.store import TrainedModel, load_model
from core.resynthesis import relevance_mask
from core.statistics import Interval
from core.studies.mask_search import CONTESTED, Case, as_table, cases, clip_names
from core.studies.rule_candidates import CANDIDATES, Candidate

RESULTS = Path(__file__).with_suffix(".json")
COMPARED = ("lift", "rma", "rra", "pointing", "si_sdr_improvement")
MEASURES = (*COMPARED, "conservation_error")
SEED = 31_000_000  # shares no clip with any other search, nor with grades

Taken = dict[str, dict[str, float]]  # measures by candidate


def search(
    model: TrainedModel, clips: int, seed: int, candidates: Mapping[str, Candidate] = CANDIDATES
) -> dict[str, Any]:
    """Grades all candidates on the same composed clips of two to four instruments.

    Returns:
        For each candidate its ``measures``, and ``over_default``, by how much they exceed those of the default; means
        over instruments with 95 % bootstrap intervals over clips. Differences are taken of each instrument, so that
        their intervals are those of pairs.

    Raises:
        InputError: none of the instruments is detected, or none of the candidates is the default.
    """
    default = next((name for name, candidate in candidates.items() if candidate.is_default), None)
    if default is None:
        raise InputError("None of the candidates is the default.")
    names = track(clip_names(model, clips, seed), "Explaining")
    found = [(clip, taken) for clip in names for taken in _taken_of(model, clip, candidates)]
    if not found:
        raise InputError(f"The model {model.name} detects no instrument of these clips.")
    return {
        "model": model.name,
        "clips": clips,
        "seed": seed,
        "instruments": len(found),
        "default": default,
        "candidates": {
            name: {
                "part": candidate.part,
                "title": candidate.title,
                "words": candidate.words,
                "measures": means([(clip, taken[name]) for clip, taken in found], MEASURES),
                "over_default": means(
                    [(clip, _difference(taken[name], taken[default])) for clip, taken in found], COMPARED
                ),
            }
            for name, candidate in candidates.items()
        },
    }


def _taken_of(model: TrainedModel, clip: str, candidates: Mapping[str, Candidate]) -> Iterator[Taken]:
    """The measures of each candidate, for each case of a clip."""

    def explain(network: StagedNetwork, mix: Spectrogram, targets: Sequence[Target]) -> dict[str, list[Matrix]]:
        plain = {name: candidate.maps(network, mix, targets) for name, candidate in candidates.items()}
        contested = {CONTESTED.format(name): c.contested(network, mix, targets) for name, c in candidates.items()}
        return plain | contested

    return ({name: _measures(case, name) for name in candidates} for case in cases(model, clip, explain))


def _measures(case: Case, name: str) -> dict[str, float]:
    values, contested = case.maps[name], CONTESTED.format(name)
    mask = relevance_mask(case.maps[contested], case.truth.frontend, rivals=case.rivals[contested])
    return {
        **fit(values, case.truth.masks[case.label]),
        "si_sdr_improvement": case.improvement(mask),
        "conservation_error": Relevance(values, case.label, case.logit).conservation_error,
    }


def _difference(own: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {measure: own[measure] - other[measure] for measure in COMPARED}


def read_search(path: Path = RESULTS) -> dict[str, Any] | None:
    """What :func:`search` found when it was last run, if it was.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged; run `python -m core.studies.rule_search` again.") from error


def _show(result: dict[str, Any]) -> None:
    rows = [
        (row["part"], row["title"] + (" (default)" if name == result["default"] else ""),
         *(_cell(row["measures"].get(measure)) for measure in MEASURES))
        for name, row in result["candidates"].items()
    ]  # fmt: skip
    title = f"{result['model']}, {result['instruments']} instruments in {result['clips']} clips"
    Console().print(as_table(title, ("part", "candidate", *MEASURES), rows))


def _cell(interval: Interval | None) -> str:
    """
    >>> _cell({"value": 2.2271, "low": 2.0, "high": 2.5}), _cell(None)
    ('2.23 [2.00–2.50]', '')
    """
    if interval is None or interval["value"] is None:
        return ""
    return "{value:.2f} [{low:.2f}–{high:.2f}]".format_map(interval)


def main(
    model: Annotated[str, typer.Option(help="Name of a trained model.")],
    clips: Annotated[int, typer.Option(help="How many clips to compose.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the first clip.")] = SEED,
) -> None:
    """Prints how well each way to propagate relevance does, and keeps all numbers beside this module."""
    result = search(load_model(model), clips, seed)
    RESULTS.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _show(result)


if __name__ == "__main__":
    typer.run(main)
