import pytest
import torch
from torch import Tensor

from core.errors import InputError
from core.explanation.intervention import silence
from core.models.network import StagedNetwork


def test_silencing_nothing_changes_nothing(network: StagedNetwork, inputs: Tensor) -> None:
    torch.testing.assert_close(silence(network, inputs, "conv2", []), network(inputs))


def test_silencing_channels_of_the_last_layer_takes_their_contribution_from_each_logit(
    network: StagedNetwork, inputs: Tensor
) -> None:
    means = network.up_to("conv3", inputs).mean((2, 3))
    weights = network.get_submodule("head").weight
    expected = network(inputs) - means[:, [1, 4]] @ weights[:, [1, 4]].T
    torch.testing.assert_close(silence(network, inputs, "conv3", [1, 4]), expected)


def test_silencing_is_that_of_a_network_without_the_channel(network: StagedNetwork, inputs: Tensor) -> None:
    logits, silenced = network(inputs), silence(network, inputs, "conv1", [2])
    torch.testing.assert_close(network(inputs), logits, rtol=0, atol=0)
    assert not silenced.requires_grad
    with torch.no_grad():
        network.get_submodule("conv2").weight[:, 2] = 0  # nothing reads channel 2 any more
    torch.testing.assert_close(silenced, network(inputs).detach())


def test_an_unknown_layer_is_named(network: StagedNetwork, inputs: Tensor) -> None:
    with pytest.raises(InputError, match="conv1, conv2, conv3"):
        silence(network, inputs, "pool1", [0])
