"""What tests of several parts share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from core.frontends.frontend import FrontendConfig
from core.models.architecture import build_network
from core.models.card import Card, Training, read_card
from core.models.network import StagedNetwork, parameter_count
from core.models.store import save_model
from core.taxonomy.instruments import label_set

# Tests run side by side, one worker on each core: more threads than that, here or in the processes that tests start,
# would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)

ZOO = (
    "general-shallow-simple",
    "general-deep-simple",
    "general-shallow-rich",
)  # under the names of the research questions
TINY = {"widths": (6, 8, 12), "pools": ((2, 4), (2, 2), (1, 1))}


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is analysed of sound files is not kept in the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIMBRESCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser come first: no worker is to begin with the longest file when the other is about to end."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small network with random weights, a trained model in every other respect: 29 labels, 3 layers."""
    labels = list(label_set("general").labels)
    network = build_network("convnet", TINY, len(labels), seed=0)
    _randomise_statistics(network)
    training = Training(
        recipe="general", data_seed=0, clips=1, validation_seed=0, validation_clips=1, epochs=1, weight_seed=0,
        settings={}, hardware="none", minutes=0.0, commit="unknown",
    )  # fmt: skip
    card = Card(
        name="tiny", title="Tiny", description="Knows nothing.", task="instruments", label_set="general", labels=labels,
        architecture="convnet", config=TINY, frontend=FrontendConfig(), parameters=parameter_count(network),
        thresholds=dict.fromkeys(labels, 0.5), training=training,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(network, card, folder)
    return folder


def _randomise_statistics(network: StagedNetwork) -> None:
    """Batch statistics as training leaves them: no bias is zero, and some channels do little."""
    generator = torch.Generator().manual_seed(0)
    for module in network:
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3, generator=generator)
            module.running_var.uniform_(0.3, 2, generator=generator)
            nn.init.normal_(module.bias, 0, 0.3, generator=generator)


@pytest.fixture(scope="session")
def solos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built data set of single instruments."""
    from tests.tasks.family import build_solos  # which loads Lightning

    return build_solos(tmp_path_factory.mktemp("data") / "solos")


@pytest.fixture(scope="session")
def family_model(solos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model that answers with one label: it has learnt to tell families of instruments apart."""
    from tests.tasks.family import train_family

    folder = tmp_path_factory.mktemp("models") / "family-tiny"
    train_family(solos, folder)
    return folder


@pytest.fixture(scope="module")
def zoo(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of trained models with the pairs shallow–deep (simple) and simple–rich (shallow)."""
    root = tmp_path_factory.mktemp("zoo")
    shutil.copytree(tiny_model, root / "other")
    for seed, name in enumerate(ZOO):
        card = read_card(tiny_model).model_copy(update={"name": name})
        network = build_network(card.architecture, card.config, len(card.labels), seed)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, 0, 0.3, torch.Generator().manual_seed(seed))
        save_model(network, card, root / name)
    return root
