"""How fast composing, explaining, recognising and training are, as ratios to simpler work measured in the same run.

Everything but training is measured in CPU time with one thread on both sides, so that a busy computer changes little.
Training is measured in wall-clock time, because the question is how long it waits for data.
"""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.audio import Audio
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.read import BuiltDataset
from core.explanation import crp
from core.explanation.engine import Trace
from core.explanation.targets import Logit
from core.inference import BATCH, recognise, window_features, window_frames, window_starts, windows
from core.models.architecture import build_network
from core.models.store import TrainedModel
from core.synthesis.clip import Clip, compose
from core.synthesis.render import render_stem
from core.taxonomy.instruments import INSTRUMENTS
from core.threads import one_thread
from core.training.config import TrainingConfig
from core.training.data import ClipDataModule
from core.training.module import RecognitionModule
from core.training.pace import pace

AIMS: dict[str, str] = {
    "compose_vs_fluidsynth": "≥ 0.7",
    "concept_maps_vs_zennit_crp": "≥ 8",
    "concept_maps_vs_backward": "≤ 1.0",
    "predict_vs_forward": "≤ 1.2",
    "train_vs_in_memory": "≥ 0.9",
    "data_waiting": "< 0.1",
}
MAX_CONCEPTS = 128
REFERENCE_BATCHES = (4, 8)  # cotangents at a time; these sizes suit autograd and zennit-crp best on a CPU


@dataclass(frozen=True)
class Sizes:
    """How much work is measured.

    Attributes:
        recipe: Recipe of all clips.
        clips: How many clips are composed.
        song_clips: Length of the song that is recognised, in clips.
        batch_size: Clips in a training batch.
        steps: Training steps with data from disk; as many with data from memory are measured between them.
        repeats: How often each side is measured, except in training.
    """

    recipe: str = "general"
    clips: int = 8
    song_clips: int = 8
    batch_size: int = 64
    steps: int = 8
    repeats: int = 3

    def name(self, seed: int) -> str:
        return f"{self.recipe}@{seed}"


def bench(
    model: TrainedModel, sizes: Sizes | None = None, on_progress: Callable[[str], None] = lambda what: None
) -> dict[str, Any]:
    """The result of ``timbrescope bench --json``: the ratios of ``AIMS``, and under ``about`` what was measured.

    Raises:
        InputError: FluidSynth or a soundfont is missing.
    """
    sizes = sizes or Sizes()
    clip = compose(sizes.name(0))
    about = {
        "model": model.name,
        "layer": measured_layer(model),
        "concepts": _channels(model, measured_layer(model)),
        "clip": clip.name,
        "label": _label(model, clip),
        "threads": 1,
        "machine": f"{os.cpu_count()} cores ({platform.machine()})",
        "torch": torch.__version__,
    }
    result: dict[str, Any] = {}
    with one_thread():
        for what, measure in (
            ("Composing", lambda: composing(model, sizes)),
            ("Explaining", lambda: concept_maps(model, clip, sizes)),
            ("Recognising", lambda: predicting(model, sizes)),
            ("Training", lambda: training(model, sizes)),
        ):
            on_progress(what)
            result |= measure()
    return {**{key: round(value, 4) for key, value in result.items()}, "about": about}


def composing(model: TrainedModel, sizes: Sizes) -> dict[str, float]:
    """CPU time of FluidSynth alone for the stems, divided by the time from a clip's name to its features."""
    alone, whole = 0.0, 0.0
    for seed in range(sizes.clips):
        name = sizes.name(seed)
        clip = compose(name)
        seconds = medians([lambda: _play(clip), lambda: _features(model, name)], sizes.repeats)  # noqa: B023
        alone, whole = alone + seconds[0], whole + seconds[1]
    return {"compose_vs_fluidsynth": alone / whole, "clips_per_second": sizes.clips / whole}


def _features(model: TrainedModel, name: str) -> np.ndarray:
    return model.frontend.analyse(compose(name).audio).features


def _play(clip: Clip) -> None:
    for label, notes in clip.score.parts.items():
        program, soundfont = clip.programs[label], clip.soundfonts[label]
        render_stem(notes, INSTRUMENTS[label].playing(program), program, clip.duration, soundfont)


def concept_maps(model: TrainedModel, clip: Clip, sizes: Sizes) -> dict[str, float]:
    """Time for the maps of all concepts in a layer: zennit-crp's divided by ours, and ours divided by autograd's.

    Autograd makes as many maps. zennit-crp and autograd each use the size of ``REFERENCE_BATCHES`` at which they are
    faster.
    ``concept_maps_difference`` is the largest difference from zennit-crp's maps, relative to their peak.
    """
    layer, target = measured_layer(model), Logit(model.label_index(_label(model, clip)))
    inputs = torch.from_numpy(model.frontend.analyse(clip.audio).features)[None, None]
    channels = range(_channels(model, layer))

    def ours() -> Tensor:
        return Trace(model.network, inputs).concept_maps(target, layer, channels)

    def reference(batch: int) -> Tensor:
        return crp.concept_maps(model.network, inputs, target, layer, channels, batch_size=batch)

    references = [partial(reference, batch) for batch in REFERENCE_BATCHES]
    backwards = [_backward(model, inputs, layer, batch) for batch in REFERENCE_BATCHES]
    fast, *others = medians([ours, *references, *backwards], sizes.repeats)
    slow, plain = min(others[: len(references)]), min(others[len(references) :])
    expected = reference(REFERENCE_BATCHES[0])
    return {
        "concept_maps_vs_zennit_crp": slow / fast,
        "concept_maps_vs_backward": fast / plain,
        "concept_maps_difference": float((ours() - expected).abs().max() / expected.abs().max()),
    }


def _backward(model: TrainedModel, inputs: Tensor, layer: str, batch: int) -> Callable[[], None]:
    """Autograd from every channel of a layer back to the input; the forward pass is done beforehand."""
    leaf = inputs.repeat(batch, 1, 1, 1).requires_grad_()
    values = leaf
    for stage in model.network.stages[: model.network.concept_layers.index(layer)]:
        values = stage(values)
    values = model.network.stage(layer).convolution(values)

    def backward() -> None:
        for channels in torch.arange(values.shape[1]).split(batch):
            cotangents = torch.zeros_like(values)
            cotangents[range(len(channels)), channels] = 1
            torch.autograd.grad(values, leaf, cotangents, retain_graph=True)

    return backward


def measured_layer(model: TrainedModel) -> str:
    """The highest layer with at most ``MAX_CONCEPTS`` channels; the lowest layer if all have more."""
    layers = model.network.concept_layers
    return next((layer for layer in reversed(layers) if _channels(model, layer) <= MAX_CONCEPTS), layers[0])


def _channels(model: TrainedModel, layer: str) -> int:
    return model.network.stage(layer).channels


def _label(model: TrainedModel, clip: Clip) -> str:
    """A label of the clip that the model knows; if there is none, the model's first label."""
    return next((label for label in clip.labels if label in model.labels), model.labels[0])


def predicting(model: TrainedModel, sizes: Sizes) -> dict[str, float]:
    """Time from a song's samples to the prediction, divided by that of the network alone on the same windows."""
    clips = [compose(sizes.name(seed)).audio for seed in range(sizes.song_clips)]
    song = Audio(np.concatenate([clip.samples for clip in clips]), clips[0].sample_rate)
    batches = list(_windows(model, song))

    def forward() -> None:
        with torch.inference_mode():
            for batch in batches:
                model.network(batch)

    whole, network = medians([lambda: recognise(model, model.frontend.analyse(song)), forward], sizes.repeats)
    return {"predict_vs_forward": whole / network}


def _windows(model: TrainedModel, song: Audio) -> Iterator[Tensor]:
    """The network's inputs for a song, in batches ``(windows, 1, rows, frames)``."""
    spectrogram = model.frontend.analyse(song)
    for window_s, hop_s in windows(model):
        frames = window_frames(spectrogram, window_s)
        starts = window_starts(spectrogram, frames, hop_s)
        inputs = torch.from_numpy(np.stack([window_features(spectrogram, start, frames) for start in starts]))
        yield from inputs.unsqueeze(1).split(BATCH)


def training(model: TrainedModel, sizes: Sizes) -> dict[str, float]:
    """Rate of training steps with data from disk, divided by the rate with a batch in memory.

    ``data_waiting`` is the share of a step that is spent waiting for data from disk.
    """
    card = model.card
    settings = {"name", "title", "description", "task", "label_set", "architecture"}
    config = TrainingConfig(**card.model_dump(include=settings))
    network = build_network(card.architecture, card.config, len(card.labels))
    module = RecognitionModule(network, config, card.frontend)
    with TemporaryDirectory() as name:
        build_dataset(DatasetPlan(sizes.recipe, 2 * sizes.batch_size + 1, 0, card.frontend), Path(name), workers=1)
        source = BuiltDataset(Path(name))
        targets = model.task.targets(source.held, model.labels)
        clips = ClipDataModule(source, targets, sizes.batch_size, validation=1)
        seconds = pace(module, clips.train_dataloader(), sizes.steps)
    return {
        "train_vs_in_memory": float(np.median(seconds.in_memory) / np.median(seconds.stored)),
        "data_waiting": sum(seconds.waiting) / sum(seconds.stored),
        "seconds_per_step": float(np.median(seconds.stored)),
    }


def medians(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """CPU seconds that each piece of work takes: the median over ``repeats`` turns, after one turn to warm up."""
    for work in works:
        work()
    return [
        float(seconds) for seconds in np.median([[_seconds(work) for work in works] for _ in range(repeats)], axis=0)
    ]


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
