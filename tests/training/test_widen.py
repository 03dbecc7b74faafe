"""A network that starts from a trained one computes the same, however much wider it is."""

import pytest
import torch

from core.errors import InputError
from core.models.architecture import build_network
from core.models.network import StagedNetwork
from core.training.widen import start_from

NARROW = [4, 6, 5]
POOLS = [[2, 2], [1, 1], [2, 1]]


def network(widths: list[int], seed: int, labels: int = 3, **settings: object) -> StagedNetwork:
    """A network with random weights and batch statistics."""
    made = build_network("convnet", {"widths": widths, "pools": POOLS[: len(widths)], **settings}, labels, seed)
    generator = torch.Generator().manual_seed(seed)
    for name, value in made.state_dict().items():
        if name.startswith("norm") and value.dim():
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return made.eval()


@pytest.fixture
def trained() -> StagedNetwork:
    return network(NARROW, seed=1)


@pytest.mark.parametrize("widths", [NARROW, [4, 9, 5], [4, 6, 13], [8, 7, 6]], ids=str)
def test_the_function_stays_the_same(trained: StagedNetwork, widths: list[int]) -> None:
    wider = network(widths, seed=2)
    features = torch.rand(2, 1, 16, 12)
    assert not torch.allclose(wider(features), trained(features), rtol=0.1)
    start_from(wider, trained)
    torch.testing.assert_close(wider(features), trained(features))


def test_layers_of_the_same_width_keep_their_weights(trained: StagedNetwork) -> None:
    same = network(NARROW, seed=2)
    start_from(same, trained)
    for name, value in trained.state_dict().items():
        assert torch.equal(same.state_dict()[name], value), name


def test_new_channels_learn_something_of_their_own(trained: StagedNetwork) -> None:
    """What reads them starts at zero and has gradients, so that they count from the second step on."""
    wider = network([4, 9, 5], seed=2)
    start_from(wider, trained)
    wider(torch.rand(2, 1, 16, 12)).square().sum().backward()
    assert not wider.conv3.weight[:, 6:].any()
    assert wider.conv3.weight.grad[:, 6:].abs().amax(dim=(0, 2, 3)).count_nonzero() == 3
    assert wider.conv2.weight[6:].flatten(1).unique(dim=0).shape[0] == 3


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (network([4, 6], seed=2), "other layers"),
        (network([4, 3, 5], seed=2), "may only be wider"),
        (network(NARROW, seed=2, labels=4), "may only be wider"),
        (network(NARROW, seed=2, patch=2), "may only be wider"),
    ],
    ids=["fewer layers", "narrower", "other labels", "other kernels"],
)
def test_networks_that_cannot_be_a_start_are_refused(
    trained: StagedNetwork, target: StagedNetwork, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        start_from(target, trained)
