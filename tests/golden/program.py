"""What the golden test asks of the program: the only module here that knows the program's names and signatures.

Whoever renames or moves something adapts the function below that calls it. The entries that come out keep their names
and their values.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile
from typer.testing import CliRunner

from core.cli import app
from core.concepts.prototypes import typicality
from core.concepts.store import load_atlas
from core.explanation import playback
from core.explanation.explainer import EXPLAINERS
from core.explanation.relevance import Explanation, contested, explain, target_of, trace_of
from core.frontends.frontend import Matrix, Spectrogram
from core.grading.marks import Scene
from core.grading.truth import Truth, grade
from core.inference import likeliest_start, recognise
from core.models.store import TrainedModel, default_model, load_model
from core.resynthesis import apply_mask
from core.synthesis.clip import Clip, compose
from core.synthesis.export import write_clip
from tests.golden.coarse import cells, per_channel, rms, whole

MODELS = (
    "general-deep-rich",
    "general-deep-rich-8",
    "general-deep-simple",
    "general-shallow-rich",
    "general-shallow-simple",
    "wimu12-shallow",
)
CLIPS = "clips"  # the sounds that the models are given
REPORT = "report"  # what the command writes, by the default model
PARTS = (CLIPS, *MODELS, REPORT)

TRIO = "general;count=2,4;soundfont=timgm6mb@10"  # harp, saxophone and synth lead, 5 s
QUARTET = "wimu12;duration=8;soundfont=timgm6mb@0"  # piano, flute, organ and violin
SOLO = "wimu12;duration=1;soundfont=timgm6mb@6"  # violin, shorter than a window of the timeline
SHORT = {TRIO: "trio", QUARTET: "quartet", SOLO: "solo"}
EXPLAINED = {TRIO: "saxophone", QUARTET: "organ"}  # labels that every model has
EXPLAINERS_MARKED = ("crp", "gradient_x_input", "grad_cam", "random", "energy")
THOROUGH = "wimu12-shallow"  # the smallest model, with which the costly measures are cheap
TOP = 4  # concepts
MAPS = 2  # concepts whose maps, masks and sounds are recorded
# The root of a root magnifies the smallest evidence, and ranks move by whole cells.
MASK_TOLERANCE, GRADE_TOLERANCE = 3e-3, 2e-3
# A plain gradient jumps over the whole patch below a unit where rounding decides whether it is on, or wins its pool.
TOLERANCES = {"gradient_x_input": 5e-2, "random": math.inf}
# The random map is drawn anew for every input, so only averages over its cells are alike on another CPU.
AVERAGES = {"rma": 0.05, "lift": 0.2, "sparseness": 0.02, "absent_leakage": 0.02}


@dataclass(frozen=True)
class Entry:
    """One thing that the program computes.

    Attributes:
        name: ``model/clip/what``.
        value: An array, or data for JSON.
        shrink: Makes the part of an array that is stored.
        tolerance: How far the stored numbers may be off, as a share of an array's peak, or of a number in JSON that is
            larger than one; infinite if only the same bytes can be compared.
    """

    name: str
    value: Any
    shrink: Callable[[Any], Any] = field(default=whole)
    tolerance: float = 1e-4


def entries(part: str) -> Iterator[Entry]:
    """Everything that is recorded of a part of ``PARTS``; what comes first is used by what follows."""
    if part == CLIPS:
        return _sounds()
    return _report() if part == REPORT else _of_model(part)


def _of_model(name: str) -> Iterator[Entry]:
    model = load_model(name)
    for clip, short in SHORT.items():
        yield from _recognition(f"{name}/{short}", model, clip)
    for clip in EXPLAINED:
        yield from _explanation(f"{name}/{SHORT[clip]}", model, clip)
    yield from _marks(f"{name}/{SHORT[TRIO]}", model, TRIO)
    yield from _atlas(f"{name}/atlas", model)


def _sounds() -> Iterator[Entry]:
    for clip, short in SHORT.items():
        yield Entry(f"{CLIPS}/{short}/mix", _clip(clip).mix, rms)
        for label, samples in _clip(clip).stems.items():
            yield Entry(f"{CLIPS}/{short}/{label}", samples, rms)


@cache
def _clip(name: str) -> Clip:
    return compose(name)


def _recognition(prefix: str, model: TrainedModel, clip: str) -> Iterator[Entry]:
    spectrogram = model.frontend.analyse(_clip(clip).audio)
    yield Entry(f"{prefix}/logmel", spectrogram.logmel, cells)
    yield Entry(f"{prefix}/logits", model.logits(spectrogram.features[None])[0])
    prediction = recognise(model, spectrogram)
    yield Entry(f"{prefix}/recognised/logits", prediction.logits)
    yield Entry(f"{prefix}/recognised/probabilities", prediction.probabilities)
    yield Entry(f"{prefix}/recognised/timeline", prediction.timeline)
    yield Entry(f"{prefix}/recognised/detected", list(prediction.detected))
    if clip != QUARTET:  # whose timeline is long, and stands in the arrays
        yield Entry(f"{prefix}/recognised/json", plain(prediction.to_dict("clip.wav")))


def _passage(model: TrainedModel, clip: str) -> tuple[float, Spectrogram, dict[str, Any]]:
    """Where the explained passage of a clip begins, in seconds, and the passage itself with its stems."""
    start = likeliest_start(recognise(model, model.frontend.analyse(_clip(clip).audio)), EXPLAINED[clip])
    found = playback.passage(clip, _clip(clip).audio, model.name, start, _clip(clip).stem_audio)
    return start, model.frontend.analyse(found.audio), found.stems


def _explanation(prefix: str, model: TrainedModel, clip: str) -> Iterator[Entry]:
    label = EXPLAINED[clip]
    start, spectrogram, stems = _passage(model, clip)
    yield Entry(f"{prefix}/start", plain(start))
    explanation = playback.explain(model, spectrogram, label, top=TOP)
    relevance = explanation.relevance.values
    yield Entry(f"{prefix}/relevance", relevance, cells)
    yield Entry(f"{prefix}/explained", _explained(explanation))
    at_layer = _layer_relevance(model, spectrogram.features, label, explanation.layer)
    yield Entry(f"{prefix}/layer_relevance", at_layer, per_channel)
    yield Entry(f"{prefix}/shares", explanation.shares)
    for concept in explanation.concepts[:MAPS]:
        yield Entry(f"{prefix}/concept/{concept.channel}/map", concept.map.values, cells)
        mask = playback.concept_mask(concept.map, model.frontend)
        yield from _heard(f"{prefix}/concept/{concept.channel}", spectrogram, mask)
    own, rivals = contested(model, spectrogram.features, label)
    yield Entry(f"{prefix}/contested", np.stack([own, *rivals]), _first_two)
    yield from _heard(f"{prefix}/label", spectrogram, playback.label_mask(relevance, model.frontend))
    mask = playback.mask(model, spectrogram, explanation.relevance)
    yield from _heard(f"{prefix}/label_contested", spectrogram, mask)
    for name, graded in (("grade", None), ("grade_contested", mask)):
        value = plain(grade(relevance, stems, label, model.frontend, graded))
        yield Entry(f"{prefix}/{name}", value, tolerance=GRADE_TOLERANCE)
    yield Entry(f"{prefix}/typicality", _typicality(model, spectrogram.features, label))


def _first_two(maps: Matrix) -> Matrix:
    """The label's map and that of its first rival, coarse."""
    return cells(maps[:2])


def _explained(explanation: Explanation) -> Any:
    return plain(
        {
            "logit": explanation.relevance.logit,
            "conservation_error": explanation.conservation_error,
            "layer": explanation.layer,
            "concepts": [
                {"channel": concept.channel, "relevance": concept.relevance, "share": concept.share}
                for concept in explanation.concepts
            ],
        }
    )


def _layer_relevance(model: TrainedModel, logmel: Matrix, label: str, layer: str) -> Matrix:
    """Relevance ``(channels, bands, frames)`` at a layer's output."""
    return trace_of(model, logmel).relevance(target_of(model, label), layer).numpy()


def _heard(prefix: str, spectrogram: Spectrogram, mask: Matrix) -> Iterator[Entry]:
    yield Entry(f"{prefix}/mask", mask, cells, MASK_TOLERANCE)
    yield Entry(f"{prefix}/sound", apply_mask(spectrogram, mask), rms)


def _marks(prefix: str, model: TrainedModel, clip: str) -> Iterator[Entry]:
    truth = Truth(_clip(clip).stem_audio, model.frontend)
    for explainer in EXPLAINERS_MARKED:
        scene = Scene(model, EXPLAINERS.get(explainer), truth, seed=10)
        mark = plain(asdict(scene.mark(clip, EXPLAINED[clip], thorough=model.name == THOROUGH)))
        tolerance = TOLERANCES.get(explainer, GRADE_TOLERANCE)
        yield Entry(f"{prefix}/mark/{explainer}", mark, tolerance=tolerance)
        for name, off in AVERAGES.items() if explainer == "random" else ():
            yield Entry(f"{prefix}/mark/{explainer}/{name}", mark["measures"][name], tolerance=off)


def _atlas(prefix: str, model: TrainedModel) -> Iterator[Entry]:
    atlas = load_atlas(model.name)
    lowest, uppermost = atlas.layers[0], atlas.layers[-1]
    yield Entry(f"{prefix}/names", [concept.name for concept in atlas.layer(lowest)])
    concept = atlas.concept(uppermost, 7)
    yield Entry(f"{prefix}/usage", plain(dict(concept.usage)))
    yield Entry(f"{prefix}/neighbours", plain([list(pair) for pair in concept.neighbours]))
    yield Entry(f"{prefix}/relmax", plain([asdict(reference) for reference in concept.relmax]))


def _typicality(model: TrainedModel, logmel: Matrix, label: str) -> Any:
    atlas = load_atlas(model.name)
    if label not in atlas.prototypes:
        return None
    layer = atlas.prototypes[label].layer
    found = typicality(atlas, label, explain(model, logmel, label, layer, top=1).shares)
    return plain(asdict(found)) if found else None


def _report() -> Iterator[Entry]:
    """What ``timbrescope explain`` writes for the default model."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clip").mkdir()
        write_clip(_clip(QUARTET), folder / "clip")
        _run("explain", folder / "clip/mix.wav", "--instrument", EXPLAINED[QUARTET], "--model", default_model(),
             "--stems", folder / "clip/stems", "--top", MAPS, "--out", folder / "why")  # fmt: skip
        why = folder / "why"
        report = json.loads((why / "report.json").read_text(encoding="utf-8"))
        value = report | {"file": Path(report["file"]).name}
        yield Entry(f"{REPORT}/json", value, tolerance=GRADE_TOLERANCE)
        with np.load(why / "relevance.npz") as arrays:
            for key in sorted(arrays):
                yield Entry(f"{REPORT}/npz/{key}", arrays[key], cells)
        for path in sorted(why.rglob("*.wav")):
            yield Entry(f"{REPORT}/{path.relative_to(why).as_posix()}", soundfile.read(path, dtype="float32")[0], rms)
        yield Entry(f"{REPORT}/pictures", sorted(path.relative_to(why).as_posix() for path in why.rglob("*.png")))


def _run(*args: object) -> None:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exit_code:
        raise RuntimeError(result.output)


def plain(value: Any) -> Any:
    """Data as JSON has it: no NumPy types, no tuples, and words for what is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
