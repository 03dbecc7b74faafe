"""Untrained networks whose batch statistics leave no bias at zero, and random inputs."""

import pytest
import torch
from torch import Tensor, nn

from core.frontends.frontend import FrontendConfig
from core.models.architecture import build_network
from core.models.card import Card
from core.models.network import StagedNetwork
from core.models.store import TrainedModel

LABELS = 5
BANDS, FRAMES = 32, 37


def random_network(seed: int = 0) -> StagedNetwork:
    config = {"widths": (6, 8, 12), "pools": ((2, 4), (2, 2), (1, 1))}
    return randomised(build_network("convnet", config, LABELS, seed).eval(), seed)


def randomised(network: StagedNetwork, seed: int) -> StagedNetwork:
    generator = torch.Generator().manual_seed(seed)
    for module in network:
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3, generator=generator)
            module.running_var.uniform_(0.3, 2, generator=generator)
            nn.init.normal_(module.weight, 0.5, 0.5, generator=generator)
            nn.init.normal_(module.bias, 0, 0.3, generator=generator)
    return network


def random_inputs(seed: int = 1) -> Tensor:
    return torch.rand(1, 1, BANDS, FRAMES, generator=torch.Generator().manual_seed(seed)) ** 3


@pytest.fixture
def network() -> StagedNetwork:
    return random_network()


@pytest.fixture
def inputs() -> Tensor:
    return random_inputs()


@pytest.fixture
def model(network: StagedNetwork) -> TrainedModel:
    labels = ["piano", "flute", "violin", "organ", "tuba"]
    card = Card.model_construct(
        name="tiny", task="instruments", label_set="general", labels=labels, frontend=FrontendConfig(bands=BANDS),
        temperature=1.0,
    )  # fmt: skip
    return TrainedModel(card, network.requires_grad_(False).to(memory_format=torch.channels_last))
