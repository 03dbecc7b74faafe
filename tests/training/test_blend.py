"""The average of two networks of one architecture."""

import pytest
import torch

from core.models.architecture import build_network
from core.models.network import StagedNetwork
from core.training.blend import blend


def network(seed: int) -> StagedNetwork:
    return build_network("convnet", {"widths": [4, 6], "pools": [[2, 2], [1, 1]]}, labels=3, seed=seed)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_every_weight_lies_between_the_two(share: float) -> None:
    start, ended, blended = network(0), network(1), network(1)
    blend(blended, start.state_dict(), share)
    for name, values in blended.state_dict().items():
        expected = share * start.state_dict()[name] + (1 - share) * ended.state_dict()[name]
        assert torch.allclose(values, expected.to(values.dtype), atol=1e-6), name


def test_running_means_are_blended_and_counters_stay() -> None:
    start, ended = network(0), network(1)
    ended.get_submodule("norm1").running_mean.fill_(2.0)
    ended.get_submodule("norm1").num_batches_tracked.fill_(7)
    blend(ended, start.state_dict(), 0.5)
    assert torch.allclose(ended.get_submodule("norm1").running_mean, torch.ones(4))
    assert ended.get_submodule("norm1").num_batches_tracked == 7
