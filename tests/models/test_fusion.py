"""Late fusion: each way to fuse, and a fusion of two models from card to answer."""

import pytest
import torch

from core.models.architectures.fusion import METHODS

LOGS = torch.tensor([[[0.7, 0.2, 0.1], [0.05, 0.6, 0.35], [0.1, 0.5, 0.4]]]).log()


@pytest.mark.parametrize(("method", "likeliest"), [("vote", 1), ("mean", 1), ("confident", 0), ("log_mean", 1)])
def test_each_method_has_its_likeliest_label(method: str, likeliest: int) -> None:
    assert METHODS[method](LOGS).argmax().item() == likeliest


def test_a_tie_of_votes_goes_to_the_more_probable() -> None:
    tied = torch.tensor([[[0.9, 0.1], [0.4, 0.6]]]).log()
    assert METHODS["vote"](tied).argmax().item() == 0


def test_the_mean_of_probabilities_is_one() -> None:
    torch.testing.assert_close(METHODS["mean"](LOGS).exp(), LOGS.exp().mean(1))
