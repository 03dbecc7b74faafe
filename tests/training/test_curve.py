"""The table of a training's course, from logs as Lightning writes them."""

from pathlib import Path

import pandas as pd
import pytest

from core.training.curve import write_curve

HEADER = "epoch,step,train_loss,val_loss,val_mAP,val_macro_f1"


def log(folder: Path, version: int, rows: list[str]) -> None:
    path = folder / f"version_{version}/metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([HEADER, *rows]) + "\n")


def epoch(number: int, train: float, precision: float) -> list[str]:
    return [f"{number},{number * 9},,0.5,{precision},0.1", f"{number},{number * 9},{train},,,"]


def test_an_epoch_is_a_row_also_of_a_resumed_run(tmp_path: Path) -> None:
    log(tmp_path, 0, [*epoch(0, 0.9, 0.1), *epoch(1, 0.8, 0.2), "2,20,,0.5,0.15,0.1"])
    log(tmp_path, 2, [*epoch(2, 0.7, 0.3)])
    log(tmp_path, 10, [*epoch(3, 0.6, 0.4)])
    write_curve(tmp_path, tmp_path / "training.csv")
    table = pd.read_csv(tmp_path / "training.csv")
    assert list(table.columns) == HEADER.split(",")
    assert table["epoch"].tolist() == [0, 1, 2, 3]
    assert table["train_loss"].tolist() == [0.9, 0.8, 0.7, 0.6]
    assert table["val_mAP"].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_a_new_run_in_the_same_folder_forgets_the_old_one(tmp_path: Path) -> None:
    log(tmp_path, 0, [*epoch(0, 0.9, 0.1), *epoch(1, 0.8, 0.2)])
    log(tmp_path, 1, epoch(0, 0.5, 0.6))
    write_curve(tmp_path, tmp_path / "training.csv")
    assert pd.read_csv(tmp_path / "training.csv")["train_loss"].tolist() == [0.5]


def test_nothing_was_logged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_curve(tmp_path, tmp_path / "training.csv")
