"""What is recorded about several models, read back."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.comparison.records import read_ablation, read_curves, read_experiments, read_records
from core.errors import InputError
from tests.app.measured import evaluation


def test_records_come_in_the_order_of_the_sets(tiny_model: Path, tmp_path: Path) -> None:
    for model in ("b", "a", "never-measured"):
        shutil.copytree(tiny_model, tmp_path / model)
    for name in ("real_dev", "mine", "count-2", "own"):
        evaluation("b", 0.5, np.random.default_rng(0)).write(tmp_path / f"b/evaluation/{name}.json")
    a = evaluation("a", 0.25, np.random.default_rng(0))
    a.write(tmp_path / "a/evaluation/own.json")
    found = read_records(tmp_path)
    assert list(found) == ["a", "b"]
    assert list(found["b"]) == ["own", "count-2", "real_dev", "mine"]
    assert found["a"]["own"] == a


def test_no_files_no_figures(tmp_path: Path) -> None:
    assert (read_records(tmp_path), read_curves(tmp_path)) == ({}, {})
    assert (read_experiments(tmp_path), read_ablation(tmp_path)) == (None, None)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe\0", b'{"base": "x", "variants": {"whole": {}}}'])
def test_a_damaged_ablation_is_one_sentence_with_its_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/ablation.json").write_bytes(content)
    with pytest.raises(InputError, match=r"ablation\.json is damaged .*; run `timbrescope study ablation` again"):
        read_ablation(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe\0", b"epoch,val_mAP\nfirst,0.5\n", b"step\n1\n"])
def test_a_damaged_curve_is_one_sentence_with_its_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/training.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"training\.csv is damaged; train the model again"):
        read_curves(tmp_path)
