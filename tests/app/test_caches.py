"""The caches of the app: how large they grow, what they drop, and who computes when several ask at once."""

import gc
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep
from typing import Any

import numpy as np
import pytest
import torch

from app.frame import caches
from app.frame.caches import LIMITS_MB, MB, Cache, cached, size_of
from app.frame.hearing import model
from core.errors import InputError
from core.explanation.relevance import trace_of
from core.models.store import default_model
from core.paths import ROOT

KB = 1024


def block(kilobytes: int) -> np.ndarray:
    return np.zeros(kilobytes * KB, np.uint8)


def test_what_was_used_least_recently_is_dropped_first() -> None:
    cache: Cache[np.ndarray] = Cache(10 * KB)
    computed: list[str] = []

    def get(key: str, kilobytes: int = 4) -> np.ndarray:
        return cache.value(key, lambda: (computed.append(key), block(kilobytes))[1])

    for key in ("a", "b", "a", "c", "a", "b"):  # c takes the place of b, which was used before a
        get(key)
    assert computed == ["a", "b", "c", "b"]
    assert cache.size == 8 * KB


def test_a_cache_never_holds_more_bytes_than_its_limit() -> None:
    cache: Cache[np.ndarray] = Cache(10 * KB)
    for number in range(50):
        cache.value(number, lambda number=number: block(1 + number % 7))
        assert 0 < cache.size <= 10 * KB


def test_a_value_that_is_too_large_is_returned_but_not_kept() -> None:
    cache: Cache[np.ndarray] = Cache(10 * KB)
    value = cache.value("large", lambda: block(11))
    gone = weakref.ref(value)
    assert cache.size == 0
    del value
    gc.collect()
    assert gone() is None


def test_what_was_dropped_is_freed() -> None:
    cache: Cache[np.ndarray] = Cache(10 * KB)
    gone = weakref.ref(cache.value("a", lambda: block(8)))
    cache.value("b", lambda: block(8))
    gc.collect()
    assert gone() is None


def test_threads_that_ask_at_once_compute_once() -> None:
    cache: Cache[np.ndarray] = Cache(10 * KB)
    computed: list[int] = []
    together = Barrier(8)

    def ask(number: int) -> np.ndarray:
        together.wait()
        return cache.value("same", lambda: (computed.append(number), sleep(0.05), block(1))[2])

    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(ask, range(8)))
    assert len(computed) == 1
    assert all(value is values[0] for value in values)


def test_other_keys_are_computed_at_the_same_time() -> None:
    cache: Cache[np.ndarray] = Cache(10 * KB)
    together = Barrier(2, timeout=10)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda key: cache.value(key, lambda: (together.wait(), block(1))[1]), "ab"))
    assert cache.size == 2 * KB


def test_a_failure_is_nobody_elses() -> None:
    cache: Cache[str] = Cache(10 * KB)

    def fail() -> str:
        raise InputError("no")

    with pytest.raises(InputError):
        cache.value("a", fail)
    assert cache.value("a", lambda: "yes") == "yes"


def test_arguments_tell_calls_apart_by_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyed:
        def __init__(self, key: str) -> None:
            self.key = key

    monkeypatch.setitem(LIMITS_MB, "test", 1)
    monkeypatch.setattr(caches, "_caches", {})
    computed: list[tuple[str, int]] = []

    @cached("test", "Testing …")
    def join(keyed: Keyed, number: int) -> str:
        computed.append((keyed.key, number))
        return f"{keyed.key}{number}"

    assert [join(Keyed(key), n) for key, n in (("a", 1), ("a", 1), ("a", 2), ("b", 1))] == ["a1", "a1", "a2", "b1"]
    assert len(computed) == 3
    assert caches.sizes() == {"test": 3 * sys.getsizeof("a1")}
    caches.clear()
    assert caches.sizes() == {"test": 0}


def reader(values: np.ndarray) -> Callable[[int], float]:
    return lambda index: float(values[index])


WHOLE = np.zeros(1000, np.float32)
SIZES: dict[str, tuple[Any, int]] = {
    "array": (WHOLE, 4000),
    "view": (WHOLE[:10], 4000),
    "the same twice": ((WHOLE, WHOLE[5:]), 4000),
    "tensor": (torch.zeros(10)[2:4], 40),
    "array of a tensor": (torch.zeros(10).numpy(), 40),
    "bytes": ({"picture": b"12345"}, 5),
    "closure": (reader(np.zeros(10)), 80),
    "network": (torch.nn.Linear(10, 10), 0),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_the_arrays_and_a_little_for_what_holds_them(name: str) -> None:
    value, size = SIZES[name]
    assert size <= size_of(value) < size + 700


def test_many_small_objects_count_too() -> None:
    words = [f"word {number}" for number in range(10_000)]
    assert 10_000 * 50 < size_of(words) < 10_000 * 100


def test_the_size_of_a_trace_is_what_it_takes_beside_the_network() -> None:
    trained = model(default_model())
    logmel = np.random.default_rng(0).random((128, 216), np.float32)
    size = size_of(trace_of(trained, logmel))
    assert 5 * MB < size < 100 * MB
    assert size_of(trace_of(trained, np.tile(logmel, 2))) > 1.4 * size


def test_all_caches_together_are_bounded() -> None:
    assert sum(LIMITS_MB.values()) <= 576


def test_streamlit_caches_nothing_beside_these() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py")}
    sources |= {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "pages").glob("*.py")}
    assert not [name for name, source in sources.items() if "cache_data" in source]
    # Streamlit reports the end of a session to caches alone; nothing is kept in this one.
    assert [name for name, source in sources.items() if "cache_resource" in source] == ["visitors.py"]


def test_every_cache_of_the_table_is_used_once() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    assert {
        name: sources.replace("cached(\n    ", "cached(").count(f'@cached("{name}"') for name in LIMITS_MB
    } == dict.fromkeys(LIMITS_MB, 1)
