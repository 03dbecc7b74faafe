"""An explanation as a folder of numbers, pictures and sounds: what ``timbrescope explain`` writes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core import audio
from core.audio import Audio, common_gain
from core.errors import InputError
from core.explanation import playback
from core.explanation.features import explain_features
from core.explanation.playback import Passage
from core.explanation.reasons import ReasonPart
from core.explanation.reconstruction import can_reconstruct, reconstruction_mask
from core.explanation.relevance import Explanation, trace_of
from core.frontends.frontend import Frontend, Matrix, Spectrogram
from core.grading.truth import grade
from core.inference import likeliest_start, recognise
from core.models.store import TrainedModel
from core.pictures import Axis, bars_picture, relevance_picture, truth_picture
from core.records import write_whole
from core.resynthesis import complement

CONCEPT_PICTURE = (8, 6)  # inches
RECONSTRUCTION = "reconstruction"  # name of a sound
SHOWN_FEATURES = 16  # in the picture; the report holds all


def open_passage(model: TrainedModel, file: Path, label: str, start: float | None, stems: Path | None) -> Passage:
    """The passage of a sound file in which a label is to be explained.

    Args:
        start: Start of the passage in seconds; moved back if the passage would reach over the end. If not given, the
            passage in which the label is most probable.
        stems: Folder of true stems as long as the file, ``<instrument>.wav``.

    Raises:
        InputError: the model knows no such label, ``start`` lies after the end, or a file cannot be used.
    """
    sound = _open(model, file, label, start)
    begin = likeliest_start(recognise(model, model.frontend.analyse(sound)), label) if start is None else start
    return playback.passage(str(file), sound, model.name, begin, _load_stems(stems, sound) if stems else {})


def write_features(model: TrainedModel, file: Path, label: str, start: float | None, folder: Path) -> dict[str, Any]:
    """Explains a linear model on named features, writes ``report.json`` and ``features.png``, and returns the report.

    The report holds ``base`` and ``features``, whose contributions sum with it to ``logit``, the margin of the label.

    Args:
        file: A sound file.
        start: Start in seconds of what is explained, as long as the model's windows; moved back if it would reach over
            the end. If not given, where the label is most probable.

    Raises:
        InputError: the model is another kind of model or knows no such label, ``start`` lies after the end, or a file
            cannot be read or written.
    """
    sound = _open(model, file, label, start)
    seconds = model.card.window_s
    if start is None:
        start = likeliest_start(recognise(model, model.frontend.analyse(sound)), label, seconds)
    start = min(start, max(0.0, sound.duration - seconds))
    part = model.frontend.analyse(sound.cut(start, seconds))
    found = explain_features(model, part.features, label)
    probabilities = model.probabilities(model.logits(part.features[None])[0])
    title = model.space.titles[label]
    report = {
        "file": str(file),
        "start_s": round(start, 4),
        "duration_s": round(part.duration, 4),
        "model": model.name,
        "label": label,
        "logit": found.logit,
        "probability": float(probabilities[model.label_index(label)]),
        "base": found.base,
        "features": [
            {
                **{name: getattr(each, name) for name in ("name", "title", "value", "said", "contribution")},
                "rank": each.ranks[label],
                "words": each.compared(label, title),
            }
            for each in found.features
        ],
    }
    shown = found.features[:SHOWN_FEATURES]
    picture = bars_picture(
        [each.compared(label, title) for each in shown],
        [each.contribution for each in shown],
        f"{title}: margin {found.logit:.2f}; orange speaks for it, blue against it",
    )
    _write(folder / "features.png", picture)
    _write(folder / "report.json", (json.dumps(report, indent=2) + "\n").encode())
    return report


def _open(model: TrainedModel, file: Path, label: str, start: float | None) -> Audio:
    """A sound file at the model's rate, of which a label is to be explained from ``start`` seconds on."""
    model.label_index(label)
    sound = audio.load(file, model.frontend.config.sample_rate)
    if start is not None and start >= sound.duration:
        raise InputError(f"{file.name} ends after {sound.duration:.2f} s, so nothing begins at {start:g} s.")
    return sound


def _load_stems(folder: Path, mix: Audio) -> dict[str, Audio]:
    stems = {path.stem: audio.load(path, mix.sample_rate) for path in sorted(folder.glob("*.wav"))}
    if not stems:
        raise InputError(f"{folder} holds no WAV files; stems are named after their instruments, like piano.wav.")
    for stem in stems.values():
        if len(stem.samples) != len(mix.samples):
            raise InputError(
                f"The stem {stem.name} lasts {stem.duration:.2f} s but {mix.name} {mix.duration:.2f} s; "
                "stems must be as long as the mix."
            )
    return stems


def write_explanation(
    model: TrainedModel,
    passage: Passage,
    spectrogram: Spectrogram,
    explanation: Explanation,
    folder: Path,
    names: Mapping[tuple[str, int], str],
    reasons: Sequence[ReasonPart] = (),
) -> dict[str, Any]:
    """Writes everything about an explanation into a folder, and returns what ``report.json`` holds.

    ``relevance.npz`` holds ``relevance`` and ``logmel`` ``(bands, frames)``, ``concepts`` ``(concepts, bands, frames)``
    with their ``channels`` ``(concepts,)``, the ``shares`` of all channels of the layer ``(channels,)``, ``reasons``
    ``(reasons, bands, frames)``, and the axes ``times`` in seconds ``(frames,)`` and ``band_hz`` ``(bands,)``. The
    sounds are ``masked.wav``, ``complement.wav``, ``reconstruction.wav`` where the instrument's notes are known, and
    one for each concept and each reason, at one common gain; ``matched_gains`` in the report is what makes each of them
    as loud as the mix.
    Concepts, reasons and truth that an earlier explanation left in the folder are deleted.

    Args:
        spectrogram: Spectrogram of the passage.
        explanation: Explanation on the cells of the spectrogram, see :func:`core.explanation.playback.explain`.
        names: Names of concepts, by layer and channel; a concept may have none.
        reasons: Reasons on the cells of the spectrogram, see :func:`core.explanation.playback.reasons`; none if the
            model has no dictionary of reasons.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    concepts = folder / "concepts"
    for stale in ("truth.png", f"{RECONSTRUCTION}.wav"):
        (folder / stale).unlink(missing_ok=True)
    for layer in model.layers:
        for path in (*concepts.glob(f"{layer}-[0-9]*"), *(folder / "reasons").glob(f"{layer}-re[as]*")):
            path.unlink()
    axis = Axis(passage.start + model.frontend.frame_times(spectrogram.frames), model.frontend.band_hz)
    _write_arrays(spectrogram, explanation, reasons, axis, folder / "relevance.npz")
    _write_pictures(spectrogram, explanation, reasons, axis, folder)
    trace = trace_of(model, spectrogram.features) if model.staged else None
    mask = playback.mask(model, spectrogram, explanation.relevance, trace)
    label, stems = explanation.relevance.label, passage.stems
    masks = {"masked": mask, "complement": complement(mask)}
    if can_reconstruct(model, label):
        masks[RECONSTRUCTION] = reconstruction_mask(model, spectrogram, label, trace)
    gain, matched = _write_sounds(model.frontend, spectrogram, explanation, reasons, masks, folder)
    probabilities = model.probabilities(model.logits(spectrogram.features[None])[0])
    report = {**_summary(model, passage, spectrogram, explanation, probabilities, names), "gain": gain}
    report |= {"matched_gains": matched, "reasons": [_described(part) for part in reasons]}
    if stems:
        values, filled_in = explanation.relevance.values, masks.get(RECONSTRUCTION)
        report["truth"] = grade(values, stems, label, model.frontend, mask, filled_in)
    if label in stems:
        stem = model.frontend.analyse(stems[label])
        _write(folder / "truth.png", _truth_picture(spectrogram, stem, explanation, axis, report["truth"]))
    _write(folder / "report.json", (json.dumps(report, indent=2) + "\n").encode())
    return report


def _write(path: Path, content: bytes) -> None:
    write_whole(path, lambda file: file.write(content))


def _summary(
    model: TrainedModel,
    passage: Passage,
    spectrogram: Spectrogram,
    explanation: Explanation,
    probabilities: npt.NDArray[np.float32],
    names: Mapping[tuple[str, int], str],
) -> dict[str, Any]:
    logit, layer = explanation.relevance.logit, explanation.layer
    return {
        "file": passage.source,
        "start_s": round(passage.start, 4),
        "duration_s": round(spectrogram.duration, 4),
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


def _described(part: ReasonPart) -> dict[str, Any]:
    return {name: getattr(part, name) for name in ("id", "name", "auc", "share", "relevance", "fall")}


def _write_arrays(
    spectrogram: Spectrogram, explanation: Explanation, reasons: Sequence[ReasonPart], axis: Axis, path: Path
) -> None:
    arrays: dict[str, Any] = {
        "relevance": explanation.relevance.values,
        "logmel": spectrogram.logmel,
        "concepts": _stack([concept.map.values for concept in explanation.concepts], spectrogram),
        "channels": np.array([concept.channel for concept in explanation.concepts]),
        "shares": explanation.shares,
        "reasons": _stack([part.map.values for part in reasons], spectrogram),
        "times": axis.times,
        "band_hz": axis.band_hz,
    }
    write_whole(path, lambda file: np.savez_compressed(file, **arrays))


def _stack(maps: Sequence[Matrix], spectrogram: Spectrogram) -> Matrix:
    """Maps on the cells of a spectrogram ``(maps, bands, frames)``, of which there may be none."""
    return np.array(maps, np.float32).reshape(-1, *spectrogram.mel_power.shape)


def _write_pictures(
    spectrogram: Spectrogram, explanation: Explanation, reasons: Sequence[ReasonPart], axis: Axis, folder: Path
) -> None:
    logmel, relevance = spectrogram.logmel, explanation.relevance
    title = f"{relevance.label}: logit {relevance.logit:.2f}"
    _write(folder / "relevance.png", relevance_picture(logmel, relevance.values, axis, title))
    for concept in explanation.concepts:
        name = f"{explanation.layer}-{concept.channel}"
        title = f"{relevance.label}: concept {name}, {concept.share:.1%}"
        picture = relevance_picture(logmel, concept.map.values, axis, title, CONCEPT_PICTURE)
        _write(folder / "concepts" / f"{name}.png", picture)
    for part in reasons:
        title = f"{relevance.label}: {part.name}, {part.share:.1%}"
        picture = relevance_picture(logmel, part.map.values, axis, title, CONCEPT_PICTURE)
        _write(folder / "reasons" / f"{part.id}.png", picture)


def _truth_picture(
    spectrogram: Spectrogram, stem: Spectrogram, explanation: Explanation, axis: Axis, truth: dict[str, Any]
) -> bytes:
    relevance = explanation.relevance
    words = {"rma": "{:.0%} of the evidence lies on it", "lift": "{:.1f} times what chance would give"}
    score = ", ".join(text.format(truth[name]) for name, text in words.items() if truth[name] is not None)
    label = relevance.label.replace("_", " ")
    return truth_picture(spectrogram.logmel, relevance.values, stem.logmel, axis, label, score)


def _write_sounds(
    frontend: Frontend,
    spectrogram: Spectrogram,
    explanation: Explanation,
    reasons: Sequence[ReasonPart],
    masks: Mapping[str, Matrix],
    folder: Path,
) -> tuple[float, dict[str, float]]:
    """Writes all sounds at one gain.

    Args:
        masks: Of the label, by the names of their files; that of the evidence is ``masked``.

    Returns:
        The gain; and by name a further one for each sound, and for the mix, with which all are equally loud.
    """
    sounds = {name: playback.masked(spectrogram, mask) for name, mask in masks.items()} | {
        f"concepts/{explanation.layer}-{concept.channel}": playback.masked(
            spectrogram, playback.concept_mask(concept.map, frontend)
        )
        for concept in explanation.concepts
    }
    sounds |= {
        f"reasons/{part.id}": playback.masked(spectrogram, own)
        for part, own in zip(reasons, playback.reason_masks(masks["masked"], reasons, frontend), strict=True)
    }
    gain = common_gain(*(sound.samples for sound in sounds.values()))
    written = {name: Audio(sound.samples * np.float32(gain), sound.sample_rate) for name, sound in sounds.items()}
    for name, sound in written.items():
        audio.write_wav(folder / f"{name}.wav", sound)
    mix = Audio(spectrogram.samples * np.float32(gain), spectrogram.config.sample_rate)
    whole, parts_gains = playback.matched_gains(mix, list(written.values()))
    return gain, {"mix": whole, **dict(zip(written, parts_gains, strict=True))}
