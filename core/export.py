"""An explanation of a passage of a sound file, as a folder of numbers, pictures and sounds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core import audio
from core.errors import InputError
from core.explanation.relevance import Explanation, contested, trace_of
from core.frontends.logmel import Frontend, Matrix, Samples, Spectrogram
from core.grading.truth import grade
from core.inference import WINDOW_S, likeliest_start, passage, recognise
from core.models.store import TrainedModel
from core.pictures import Axis, relevance_picture, truth_picture
from core.records import write_whole
from core.resynthesis import FOR_CONCEPTS, apply_mask, common_gain, complement, relevance_mask

CONCEPT_PICTURE = (8, 6)  # inches


@dataclass(frozen=True, eq=False)
class Passage:
    """The part of a file that is explained.

    Attributes:
        file: Its name, for people.
        start: Seconds from the beginning of the file.
        spectrogram: Of the passage alone.
        stems: What each instrument contributes to it ``{label: (samples,)}``; empty if that is not known.
    """

    file: str
    start: float
    spectrogram: Spectrogram
    stems: dict[str, Samples]


def open_passage(model: TrainedModel, file: Path, label: str, start: float | None, stems: Path | None) -> Passage:
    """The passage of ``WINDOW_S`` seconds (or all of a shorter file) in which a label is to be explained.

    Args:
        start: Where it begins, in seconds; moved back where it would end too late. If not given, the passage where the
            label is most probable.
        stems: Folder of true stems as long as the file, ``<instrument>.wav``.

    Raises:
        InputError: the model knows no such label, ``start`` lies behind the end, or a file cannot be used.
    """
    model.label_index(label)
    sound = audio.load(file)
    if start is not None and start >= sound.duration:
        raise InputError(f"{file.name} ends after {sound.duration:.2f} s, so nothing begins at {start:g} s.")
    whole = model.frontend.analyse(sound.samples)
    begin = likeliest_start(recognise(model, whole), label) if start is None else start
    begin = min(begin, max(0.0, sound.duration - WINDOW_S))
    truth = {name: passage(samples, begin) for name, samples in _load_stems(stems, sound).items()} if stems else {}
    return Passage(str(file), begin, model.frontend.analyse(passage(sound.samples, begin)), truth)


def _load_stems(folder: Path, mix: audio.Audio) -> dict[str, Samples]:
    stems = {path.stem: audio.load(path) for path in sorted(folder.glob("*.wav"))}
    if not stems:
        raise InputError(f"{folder} holds no WAV files; stems are named after their instruments, like piano.wav.")
    for stem in stems.values():
        if len(stem.samples) != len(mix.samples):
            raise InputError(
                f"The stem {stem.name} lasts {stem.duration:.2f} s but {mix.name} {mix.duration:.2f} s; "
                "stems must be as long as the mix."
            )
    return {label: stem.samples for label, stem in stems.items()}


def write_report(
    model: TrainedModel, passage: Passage, explanation: Explanation, folder: Path, names: Mapping[tuple[str, int], str]
) -> dict[str, Any]:
    """Writes everything about an explanation into a folder, and returns what ``report.json`` holds.

    ``relevance.npz`` holds ``relevance`` and ``logmel`` ``(bands, frames)``, ``concepts`` ``(concepts, bands, frames)``
    with their ``channels`` ``(concepts,)``, the ``shares`` of all channels of the layer ``(channels,)``, and the axes
    ``times`` in seconds ``(frames,)`` and ``band_hz`` ``(bands,)``. The sounds are ``masked.wav``, ``complement.wav``
    and one for each concept, at one common gain. Concepts and truth of an earlier report in the same folder are
    deleted.

    Args:
        names: Of concepts, by layer and channel, as far as they have one.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    concepts = folder / "concepts"
    (folder / "truth.png").unlink(missing_ok=True)
    for layer in model.network.concept_layers:
        for stale in concepts.glob(f"{layer}-[0-9]*"):
            stale.unlink()
    _write_arrays(model.frontend, passage, explanation, folder / "relevance.npz")
    _write_pictures(model.frontend, passage, explanation, folder)
    trace = trace_of(model, passage.spectrogram.logmel)
    own, rivals = contested(model, passage.spectrogram.logmel, explanation.relevance.label, trace)
    mask = relevance_mask(own, model.frontend, rivals=rivals)
    gain = _write_sounds(model.frontend, passage.spectrogram, explanation, mask, folder)
    probabilities = model.probabilities(trace.logits.numpy())
    report = {**_summary(model, passage, explanation, probabilities, names), "gain": gain}
    if passage.stems:
        label = explanation.relevance.label
        report["truth"] = grade(explanation.relevance.values, passage.stems, label, model.frontend, mask)
        if label in passage.stems:
            _write(folder / "truth.png", _truth_picture(model.frontend, passage, explanation, report["truth"]))
    _write(folder / "report.json", (json.dumps(report, indent=2) + "\n").encode())
    return report


def _write(path: Path, content: bytes) -> None:
    write_whole(path, lambda file: file.write(content))


def _summary(
    model: TrainedModel,
    passage: Passage,
    explanation: Explanation,
    probabilities: npt.NDArray[np.float32],
    names: Mapping[tuple[str, int], str],
) -> dict[str, Any]:
    logit, layer = explanation.relevance.logit, explanation.layer
    return {
        "file": passage.file,
        "start_s": round(passage.start, 4),
        "duration_s": round(passage.spectrogram.duration, 4),
        "model": model.name,
        "label": explanation.relevance.label,
        "logit": logit,
        "probability": float(probabilities[model.label_index(explanation.relevance.label)]),
        "layer": layer,
        "conservation_error": explanation.conservation_error,
        "concepts": [
            {"channel": c.channel, "share": c.share, "name": names.get((layer, c.channel))}
            for c in explanation.concepts
        ],
    }


def _axis(frontend: Frontend, passage: Passage) -> Axis:
    return Axis(passage.start + frontend.frame_times(passage.spectrogram.frames), frontend.band_hz)


def _write_arrays(frontend: Frontend, passage: Passage, explanation: Explanation, path: Path) -> None:
    axis = _axis(frontend, passage)
    arrays: dict[str, Any] = {
        "relevance": explanation.relevance.values,
        "logmel": passage.spectrogram.logmel,
        "concepts": np.stack([concept.map.values for concept in explanation.concepts]),
        "channels": np.array([concept.channel for concept in explanation.concepts]),
        "shares": explanation.shares,
        "times": axis.times,
        "band_hz": axis.band_hz,
    }
    write_whole(path, lambda file: np.savez_compressed(file, **arrays))


def _write_pictures(frontend: Frontend, passage: Passage, explanation: Explanation, folder: Path) -> None:
    logmel, axis, relevance = passage.spectrogram.logmel, _axis(frontend, passage), explanation.relevance
    title = f"{relevance.label}: logit {relevance.logit:.2f}"
    _write(folder / "relevance.png", relevance_picture(logmel, relevance.values, axis, title))
    for concept in explanation.concepts:
        name = f"{explanation.layer}-{concept.channel}"
        title = f"{relevance.label}: concept {name}, {concept.share:.1%}"
        picture = relevance_picture(logmel, concept.map.values, axis, title, CONCEPT_PICTURE)
        _write(folder / "concepts" / f"{name}.png", picture)


def _truth_picture(frontend: Frontend, passage: Passage, explanation: Explanation, truth: dict[str, Any]) -> bytes:
    relevance, spectrogram = explanation.relevance, passage.spectrogram
    words = {"rma": "{:.0%} of the evidence lies on it", "lift": "{:.1f} times what chance would give"}
    score = ", ".join(text.format(truth[name]) for name, text in words.items() if truth[name] is not None)
    stem = frontend.logmel(passage.stems[relevance.label])
    label = relevance.label.replace("_", " ")
    return truth_picture(spectrogram.logmel, relevance.values, stem, _axis(frontend, passage), label, score)


def _write_sounds(
    frontend: Frontend, spectrogram: Spectrogram, explanation: Explanation, mask: Matrix, folder: Path
) -> float:
    """Writes all sounds at one gain, and returns it."""
    masks = {"masked": mask, "complement": complement(mask)} | {
        f"concepts/{explanation.layer}-{concept.channel}": relevance_mask(concept.evidence, frontend, FOR_CONCEPTS)
        for concept in explanation.concepts
    }
    sounds = {name: apply_mask(spectrogram, mask) for name, mask in masks.items()}
    gain = common_gain(*sounds.values())
    for name, samples in sounds.items():
        audio.write_wav(folder / f"{name}.wav", samples * np.float32(gain))
    return gain
