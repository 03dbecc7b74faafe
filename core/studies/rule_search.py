"""Grades ways to propagate and to read relevance on composed clips; the default rules were chosen by these grades.

The candidates are in :mod:`core.studies.rule_candidates`. Only instruments that the model detects are graded. Their
maps become masks with the default settings, and the other detected instruments are the rivals.
"""

from collections.abc import Iterator, Mapping, Sequence

from core.errors import InputError
from core.explanation.relevance import Relevance
from core.explanation.targets import Logit, Target
from core.frontends.frontend import Matrix, Spectrogram
from core.grading.grade import means
from core.grading.measures import mean_of_known, similarity
from core.grading.sanity import forgetting
from core.grading.searches import GradedCandidate, RuleSearch
from core.grading.truth import fit
from core.grading.verdict import SANITY
from core.models.network import StagedNetwork
from core.models.store import TrainedModel
from core.resynthesis import relevance_mask
from core.studies.mask_search import Case, Progress, cases, clip_names, contested_name
from core.studies.rule_candidates import CANDIDATES, Candidate
from core.synthesis.recipe import split_clip_name

COMPARED = ("lift", "rma", "rra", "pointing", "si_sdr_improvement", SANITY)  # measures compared with the default's
REPORTED = (*COMPARED, "conservation_error")
SANITY_CLIPS = 12  # the first ones, of which the sanity check is taken, because it takes long

Taken = dict[str, dict[str, float]]  # measures by candidate


def search(
    model: TrainedModel,
    clips: int,
    seed: int,
    candidates: Mapping[str, Candidate] = CANDIDATES,
    on_progress: Progress = lambda what, done, all: None,
) -> RuleSearch:
    """Grades all candidates on the same composed clips of two to four instruments.

    Measures are means over instruments with 95 % bootstrap intervals over clips. Each candidate is compared with the
    default instrument by instrument, so the intervals of the differences are paired.

    Raises:
        InputError: none of the instruments is detected, or none of the candidates is the default.
    """
    default = next((name for name, candidate in candidates.items() if candidate.is_default), None)
    if default is None:
        raise InputError("None of the candidates is the default.")
    found: list[tuple[str, Taken]] = []
    for done, clip in enumerate(clip_names(model, clips, seed), start=1):
        found += [(clip, taken) for taken in _taken_of(model, clip, candidates, done <= SANITY_CLIPS)]
        on_progress("Explaining", done, clips)
    if not found:
        raise InputError(f"The model {model.name} detects no instrument of these clips; compose more.")
    return RuleSearch(
        model=model.name,
        clips=clips,
        seed=seed,
        instruments=len(found),
        sanity_clips=min(clips, SANITY_CLIPS),
        default=default,
        candidates={name: _graded(name, candidate, default, found) for name, candidate in candidates.items()},
    )


def _graded(name: str, candidate: Candidate, default: str, found: Sequence[tuple[str, Taken]]) -> GradedCandidate:
    return GradedCandidate(
        part=candidate.part,
        title=candidate.title,
        words=candidate.words,
        measures=means([(clip, taken[name]) for clip, taken in found], REPORTED),
        over_default=means([(clip, _difference(taken[name], taken[default])) for clip, taken in found], COMPARED),
    )


def _taken_of(model: TrainedModel, clip: str, candidates: Mapping[str, Candidate], sane: bool) -> Iterator[Taken]:
    """The measures of each candidate for each detected instrument of a clip.

    Args:
        sane: Whether to take the sanity check too.
    """

    def explain(network: StagedNetwork, mix: Spectrogram, targets: Sequence[Target]) -> dict[str, list[Matrix]]:
        plain = {name: candidate.maps(network, mix, targets) for name, candidate in candidates.items()}
        contested = {
            contested_name(name): candidate.contested(network, mix, targets) if candidate.contests else plain[name]
            for name, candidate in candidates.items()
        }
        return plain | contested

    for case in cases(model, clip, explain):
        checked = _sanity(model, clip, case, candidates) if sane else dict.fromkeys(candidates, float("nan"))
        yield {name: {**_measures(case, name), SANITY: checked[name]} for name in candidates}


def _sanity(model: TrainedModel, clip: str, case: Case, candidates: Mapping[str, Candidate]) -> dict[str, float]:
    """How alike each candidate's map stays while the network forgets what it learned, as a mean over its layers."""
    seed, target = split_clip_name(clip)[1], Logit(model.label_index(case.label))
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for _, network in forgetting(model.network, seed):
        for name, candidate in candidates.items():
            (values,) = candidate.maps(network, case.truth.mix, [target])
            found[name].append(similarity(case.maps[name], values))
    return {name: mean_of_known(values) for name, values in found.items()}


def _measures(case: Case, name: str) -> dict[str, float]:
    values, contested = case.maps[name], contested_name(name)
    mask = relevance_mask(case.maps[contested], case.truth.frontend, rivals=case.rivals[contested])
    return {
        **fit(values, case.truth.masks[case.label]),
        "si_sdr_improvement": case.improvement(mask),
        "conservation_error": Relevance(values, case.label, case.logit).conservation_error,
    }


def _difference(own: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {measure: own[measure] - other[measure] for measure in COMPARED}
