"""Checkpoints of TensorFlow are read without it."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.models.encoders.tensor_bundle import read_bundle
from tests.models.encoders.bundles import write_bundle

TENSORS = {
    "conv/kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "conv/bias": np.float32([0.5, -1]),
    "conv/kernel/Adam": np.zeros((300, 2), np.float32),
    "step": np.int64(7)[None][0].reshape(()),
    "half": np.float16([1.5]),
    "a/name/that/shares/nothing": np.float32([3]),
}


def test_all_tensors_come_back(tmp_path: Path) -> None:
    write_bundle(tmp_path, TENSORS)
    found = read_bundle(tmp_path)
    assert found.keys() == TENSORS.keys()
    for name, values in TENSORS.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)


def test_a_checkpoint_with_a_name_of_its_own(tmp_path: Path) -> None:
    write_bundle(tmp_path, TENSORS)
    for file in tmp_path.iterdir():
        file.rename(tmp_path / f"model{file.name}")
    assert read_bundle(tmp_path / "model").keys() == TENSORS.keys()


def test_what_is_no_checkpoint_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_bundle(tmp_path)
    write_bundle(tmp_path, TENSORS, compressed=1)
    with pytest.raises(InputError, match="no checkpoint, or is damaged"):
        read_bundle(tmp_path)
    write_bundle(tmp_path, TENSORS)
    index = (tmp_path / ".index").read_bytes()
    for damaged in (b"", index[:40], index[:-1] + b"\0", index[30:], b"\xff" * 40 + index[40:]):
        (tmp_path / ".index").write_bytes(damaged)
        with pytest.raises(InputError, match="no checkpoint, or is damaged") as error:
            read_bundle(tmp_path)
        assert "\n" not in str(error.value)


def test_missing_data_is_noticed(tmp_path: Path) -> None:
    write_bundle(tmp_path, TENSORS)
    data = tmp_path / ".data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(InputError, match="damaged"):
        read_bundle(tmp_path)
