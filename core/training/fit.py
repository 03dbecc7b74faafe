"""Fits what needs no gradient descent: support vector machines, heads on frozen encoders, and fusions of models.

Each looks at whole recordings once. What is left to choose (the price of errors, the weights of a fusion's members) is
chosen on the held-out recordings.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from core.corpora.corpus import Corpus
from core.corpora.features import corpus_features
from core.errors import InputError
from core.evaluation.listen import listen
from core.inference import in_order
from core.models.architecture import build_network
from core.models.architectures.frozen_head import FrozenHead, FrozenHeadConfig
from core.models.architectures.fusion import STACKING, Fusion
from core.models.architectures.svm import choose_svm, settings_of
from core.models.card import Card
from core.models.store import load_model, save_model
from core.tasks.task import TASKS, Task
from core.training.config import TrainingConfig, TrainingPlan
from core.training.material import corpus_record, halves
from core.training.stages import keep_weights, stage_data
from core.training.write import card_of, training_record

Values = npt.NDArray[np.floating]

COSTS = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
STACKING_COSTS = (1e-3, 1e-2, 1e-1)  # low ones, since there are more weights than recordings


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was fitted.

    Attributes:
        network: It.
        settings: From which its architecture builds one of its form.
        logits: Its outputs for the held-out recordings ``(recordings, labels)``.
        targets: Their labels, 0 or 1 ``(recordings, labels)``.
    """

    network: nn.Module
    settings: dict[str, Any]
    logits: Values
    targets: Values


Fit = Callable[[TrainingConfig, Task, Corpus, Corpus], Fitted]


def fit(plan: TrainingPlan, number: int, data: Path, out: Path) -> Card:
    """Fits a model, calibrates it on the held-out recordings and writes it with its card.

    Args:
        plan: Its stage has an architecture of :data:`FITS`.
        number: Number of the stage.
        data: Folder of a corpus of recordings.
        out: Folder that gets the model.

    Raises:
        InputError: the data cannot be used for it, or a model or an encoder that it builds upon is missing.
    """
    started = time.monotonic()
    config = plan.stage(number)
    corpus = stage_data(config, data)
    if not isinstance(corpus, Corpus):
        raise InputError(f"{config.name} is fitted to recordings; give the folder of a corpus of recordings as --data.")
    task = TASKS.get(config.task)
    training, held_out = halves(corpus, config)
    fitted = FITS[config.architecture](config, task, training, held_out)
    record = training_record(
        config,
        number,
        corpus_record(corpus, config),
        minutes=(time.monotonic() - started) / 60,
        weights_sha256=keep_weights(fitted.network, out, number),
    )
    calibration = task.calibrate(fitted.logits, fitted.targets)
    card = card_of(config, config.frontend, fitted.network, calibration, record, fitted.settings)
    save_model(fitted.network, card, out)
    return card


def _svm(config: TrainingConfig, task: Task, training: Corpus, held_out: Corpus) -> Fitted:
    parts = [_described(part, config, task) for part in (training, held_out)]
    chosen = choose_svm(parts[0], parts[1], COSTS, **config.config)
    logits = chosen.machine(torch.as_tensor(parts[1][0], dtype=torch.float32)[:, None, :, None]).numpy()
    return Fitted(chosen.machine, settings_of(chosen.machine), logits, parts[1][1])


def _frozen_head(config: TrainingConfig, task: Task, training: Corpus, held_out: Corpus) -> Fitted:
    network = FrozenHead(FrozenHeadConfig(**config.config), len(config.labels))
    parts = [_embedded(network, part, config, task) for part in (training, held_out)]
    chosen = choose_svm(parts[0], parts[1], COSTS)
    network.head.load_state_dict(chosen.machine.state_dict())
    logits = network.head(torch.as_tensor(parts[1][0], dtype=torch.float32)[:, None, :, None]).detach().numpy()
    return Fitted(network.requires_grad_(False).eval(), config.config, logits, parts[1][1])


def _fusion(config: TrainingConfig, task: Task, _: Corpus, held_out: Corpus) -> Fitted:
    network = build_network(config.architecture, config.config, len(config.labels), config.weight_seed)
    assert isinstance(network, Fusion)
    answers = [_answers(name, config, held_out) for name in config.config["members"]]
    targets = _targets(held_out, config, task)
    logs = np.log(np.maximum(np.stack(answers, axis=1), 1e-7)).astype(np.float32)  # (recordings, members, labels)
    if config.config.get("method") == STACKING:
        _stack(network, logs, targets)
    with torch.no_grad():
        logits = network(torch.from_numpy(logs)[:, None]).numpy()
    return Fitted(network.requires_grad_(False).eval(), config.config, logits, targets)


def _stack(network: Fusion, logs: Values, targets: Values) -> None:
    """Fits a fusion's linear map to held-out recordings, with the regularisation that does best on parts left out."""
    from sklearn.linear_model import LogisticRegressionCV

    fitted = LogisticRegressionCV(Cs=list(STACKING_COSTS), cv=5, max_iter=2000, random_state=0)
    fitted.fit(logs.reshape(len(logs), -1), targets.argmax(1))
    assert network.head is not None
    network.head.requires_grad_(False)
    network.head.weight.copy_(torch.from_numpy(fitted.coef_))
    network.head.bias.copy_(torch.from_numpy(fitted.intercept_))


def _answers(name: str, config: TrainingConfig, corpus: Corpus) -> Values:
    """A member's probabilities for recordings ``(recordings, labels)``, in the order of the labels of the fusion."""
    member = load_model(name)
    heard = listen(member, corpus, lambda done, all: None)
    if heard.skipped:
        raise InputError(f"{next(iter(heard.skipped.values()))} A fusion is fitted to recordings that all can be read.")
    return in_order(config.labels, member, member.probabilities(heard.logits))


def _described(corpus: Corpus, config: TrainingConfig, task: Task) -> tuple[Values, Values]:
    """Features of whole recordings, averaged over time ``(recordings, rows)``, and targets."""
    features = corpus_features(corpus, config.frontend)
    rows = np.stack([np.asarray(each, np.float64).mean(1) for each in features])
    return rows, _targets(features.corpus, config, task)


def _embedded(network: FrozenHead, corpus: Corpus, config: TrainingConfig, task: Task) -> tuple[Values, Values]:
    """What a frozen encoder makes of whole recordings ``(recordings, size)``, and targets."""
    features = corpus_features(corpus, config.frontend)
    with torch.no_grad():
        rows = [network.embed(torch.from_numpy(np.asarray(each, np.float32))[None, None])[0] for each in features]
    return torch.stack(rows).double().numpy(), _targets(features.corpus, config, task)


def _targets(corpus: Corpus, config: TrainingConfig, task: Task) -> Values:
    held = [[label for word in item.labels for label in corpus.groups[word]] for item in corpus.items]
    return task.targets(held, config.labels)


FITS: Mapping[str, Fit] = {"svm": _svm, "frozen_head": _frozen_head, "fusion": _fusion}
"""How each architecture that is not trained by gradient descent is fitted."""
