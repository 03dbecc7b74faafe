"""The learning curve of a training: what Lightning logged, with one row for each epoch."""

from pathlib import Path

import pandas as pd


def write_curve(log: Path, path: Path) -> None:
    """Joins the ``log/version_N/metrics.csv`` of a run and of each time it was resumed into one table.

    Lightning writes training and validation figures in separate rows. A version that begins with the first epoch begins
    a new run, which replaces those before it. If an epoch was logged twice, the later figures count.

    Raises:
        FileNotFoundError: nothing was logged.
    """
    parts: list[pd.DataFrame] = []
    for metrics in sorted(log.glob("version_*/metrics.csv"), key=lambda file: int(file.parent.name.split("_")[1])):
        part = pd.read_csv(metrics)
        parts = [part] if part["epoch"].min() == 0 else [*parts, part]
    if not parts:
        raise FileNotFoundError(f"no metrics.csv under {log}")
    pd.concat(parts).groupby("epoch").last().to_csv(path)
