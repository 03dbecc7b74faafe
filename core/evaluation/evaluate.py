"""Measures a model on a built data set or on a folder of labelled recordings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core import audio
from core.datasets.read import BuiltDataset, multi_hot
from core.errors import InputError
from core.evaluation.metrics import average_precision, f1, summary
from core.models.store import TrainedModel
from core.recognition import recognise

BATCH = 64


@dataclass(frozen=True)
class Answers:
    """A model's answers for labelled clips.

    Attributes:
        held: The labels of each clip, also those that the model does not know.
        kinds: What sort of clip each is, where the data says so.
        probabilities: ``(clips, labels of the model)``.
    """

    held: list[list[str]]
    kinds: list[str]
    probabilities: npt.NDArray[np.float32]


def evaluate(model: TrainedModel, data: Path, on_progress: Callable[[int, int], None] = lambda done, all: None) -> dict:
    """What ``timbrescope evaluate --json`` prints.

    Args:
        data: A built data set, or a folder with ``labels.csv`` (columns ``file`` and ``instruments``, joined by ';').
        on_progress: Called with the clips done and the clips in all.

    Raises:
        InputError: the folder holds neither, or a file cannot be read, or no clip has a label that the model knows.
    """
    built = (data / "manifest.parquet").is_file()
    answers = (_built_answers if built else _folder_answers)(model, data, on_progress)
    labels = [label for label in model.labels if any(label in held for held in answers.held)]
    if not labels:
        raise InputError(f"No clip in {data} has a label that the model {model.name} knows.")
    return {
        "model": model.name,
        "clips": len(answers.held),
        "unknown_labels": sorted({label for held in answers.held for label in held} - set(model.labels)),
        **scores(model, answers),
    }


def scores(model: TrainedModel, answers: Answers) -> dict[str, Any]:
    """All figures of the contract from a model's answers."""
    targets = multi_hot(answers.held, model.labels)
    thresholds = np.array([model.card.thresholds[label] for label in model.labels])
    detected = (answers.probabilities >= thresholds).astype(np.float32)
    counts = np.array([len(held) for held in answers.held])
    kinds = np.array(answers.kinds)

    def over(chosen: npt.NDArray[np.bool_]) -> dict[str, float]:
        return {
            "clips": int(chosen.sum()),
            **_rounded(summary(targets[chosen], answers.probabilities[chosen], detected[chosen])),
        }

    precisions, f1s = average_precision(targets, answers.probabilities), f1(targets, detected)
    return {
        **_rounded(summary(targets, answers.probabilities, detected)),
        "top1_solo": _top1(targets[counts == 1], answers.probabilities[counts == 1]),
        "per_instrument": {
            label: {**_rounded({"ap": precisions[i], "f1": f1s[i]}), "support": int(targets[:, i].sum())}
            for i, label in enumerate(model.labels)
            if targets[:, i].any()
        },
        "by_count": {str(count): over(counts == count) for count in sorted(set(counts))},
        "by_kind": {str(kind): over(kinds == kind) for kind in sorted(set(kinds))},
    }


def _top1(targets: npt.NDArray[np.floating], probabilities: npt.NDArray[np.floating]) -> float | None:
    """How often the likeliest label of a solo is the right one."""
    if not len(targets):
        return None
    return round(float(targets[np.arange(len(targets)), probabilities.argmax(1)].mean()), 4)


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(float(value), 4) for key, value in values.items()}


def _built_answers(model: TrainedModel, data: Path, on_progress: Callable[[int, int], None]) -> Answers:
    source = BuiltDataset(data)
    if source.frontend != model.card.frontend:
        raise InputError(f"{data} was built with another frontend than the model {model.name} has; build it again.")
    logits = []
    for first in range(0, len(source), BATCH):
        batch = range(first, min(first + BATCH, len(source)))
        logits.append(model.logits(source.features(batch)))
        on_progress(batch.stop, len(source))
    held = [row.split(";") for row in source.manifest["instruments"]]
    return Answers(held, list(source.manifest["style"]), model.probabilities(np.concatenate(logits)))


def _folder_answers(model: TrainedModel, data: Path, on_progress: Callable[[int, int], None]) -> Answers:
    table = _labels_csv(data)
    probabilities = []
    for done, file in enumerate(table["file"], start=1):
        sound = audio.load(data / file)
        probabilities.append(recognise(model, model.frontend.analyse(sound.samples)).probabilities)
        on_progress(done, len(table))
    held = [[label.strip() for label in str(row).split(";")] for row in table["instruments"]]
    kinds = list(table["kind"].astype(str)) if "kind" in table else ["recording"] * len(table)
    return Answers(held, kinds, np.stack(probabilities))


def _labels_csv(data: Path) -> pd.DataFrame:
    path = data / "labels.csv"
    if not path.is_file():
        raise InputError(f"{data} is neither a built data set (manifest.parquet) nor a folder with a labels.csv.")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a table: {error}.") from error
    if not {"file", "instruments"} <= set(table.columns):
        raise InputError(f"{path} needs the columns `file` and `instruments`.")
    table = table.dropna(subset=["file", "instruments"])
    if table.empty:
        raise InputError(f"{path} needs at least one row with a file and its instruments.")
    return table
