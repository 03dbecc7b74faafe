"""The program computes what it computed when ``golden.npz`` and ``golden.json`` were recorded (see ``record.py``)."""

import numpy as np
import pytest

from core.threads import one_thread
from tests.golden.program import PARTS, entries
from tests.golden.record import Golden, array_difference, data_difference


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden.read()


@pytest.mark.parametrize("part", PARTS)
def test_numbers_are_those_recorded(golden: Golden, part: str) -> None:
    names = []
    with one_thread():
        for entry in entries(part):
            difference = golden.difference(entry)
            assert difference is None, f"{entry.name} {difference}"
            names.append(entry.name)
    assert golden.missing(part, names) == []


def test_differences_are_found_and_named() -> None:
    stored = {"a": [1.0, {"b": "x"}], "c": True}
    assert data_difference(stored, {"a": [1.00005, {"b": "x"}], "c": True, "new": 1}, 1e-4) is None
    assert data_difference(stored, {"a": [1.0002, {"b": "x"}], "c": True}, 1e-4) == ".a[0] is 1.0002, not 1.0"
    assert data_difference(stored, {"a": [1.0, {"b": "y"}], "c": True}, 1e-4) == ".a[1].b is 'y', not 'x'"
    assert data_difference(stored, {"a": [1.0], "c": True}, 1e-4) == ".a has 1 items, not 2"
    assert data_difference(stored, {"a": [1.0, {"b": "x"}]}, 1e-4) == " lacks ['c']"
    array = np.array([2.0, -np.inf, 0.0], np.float32)
    assert array_difference(array, np.array([2.0001, -np.inf, 0.0001]), 1e-4) is None
    assert array_difference(array, np.array([2.0, -np.inf, 0.001]), 1e-4) == "is off by 0.001, its peak being 2"
    assert array_difference(array, np.array([2.0, np.nan, 0.0]), 1e-4) == "has finite values where there were none"
    assert array_difference(array, array[:2], 1e-4) == "has the shape (2,), not (3,)"
