"""What the app caches, and how large each cache may grow.

A cached function runs once for the same arguments, even if several sessions need the value at the same time. Sessions
share the values, so nobody may change them; only a song that is parted passage by passage is filled in. Every cache is
bounded in bytes and drops what was used least recently; together they hold no more than the sum of ``LIMITS_MB``.
Uploads belong to sessions (:mod:`app.frame.shelves`), and their bounds stand here too.
"""

import gc
import sys
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from threading import Lock
from types import FunctionType, ModuleType
from typing import Any, Generic, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import numpy as np
import streamlit as st
import torch
from cachetools import LRUCache

from app.frame.turns import TURNS, await_lock

P = ParamSpec("P")
T = TypeVar("T")

MB = 2**20
LIMITS_MB = {
    "composed clips": 48,  # 24 MB for 30 s of 8 instruments
    "spectrograms": 96,  # 80 MB for ten minutes
    "overviews": 4,  # a tenth of a MB each
    "predictions": 4,
    "passages": 16,  # 3 MB each
    "traces": 128,  # about 40 MB each
    "outlines": 8,
    "masks": 8,  # 1 MB each
    "splits": 8,  # 1 MB each
    "stems": 24,  # 20 MB of four instruments
    "reconstructions": 4,  # half a MB each
    "truths": 1,
    "explanations": 12,  # 1 MB each
    "previews": 4,
    "reasons": 8,  # 1 MB each
    "reason previews": 2,
    "reason masks": 8,  # 3 MB each
    "reason sounds": 8,  # 1 MB each
    "reason mixes": 6,  # 3 MB each
    "whole songs": 56,  # 51 MB for ten minutes
    "reason truths": 1,
    "answers without": 1,
    "trust": 1,
    "evaluations": 2,
    "reason dictionaries": 2,
    "further previews": 8,  # a sixth of a MB each
    "concept maps": 4,
    "flows": 1,
    "places": 1,
    "last layers": 1,
    "atlases": 64,  # 21 MB for the deepest network
    "concept examples": 12,  # half a MB each
    "reason examples": 4,
    "label examples": 4,
    "sanity checks": 8,
}
UPLOADS_MB = 384  # of all visitors together
UPLOADS_EACH_MB = 128  # of one visitor; ten minutes take 53 MB

_caches: dict[str, "Cache[Any]"] = {}


class Cache(Generic[T]):
    """Values by key, at most ``limit`` bytes of them; threads may share it.

    Args:
        saying: What a spinner says while a value is computed; none if not given.
    """

    def __init__(self, limit: int, saying: str | None = None) -> None:
        self.limit = limit
        self._saying = saying
        self._entries: LRUCache[Hashable, tuple[T, int]] = LRUCache(limit, getsizeof=lambda entry: entry[1])
        self._lock = Lock()
        self._computing: WeakValueDictionary[Hashable, Lock] = WeakValueDictionary()

    @property
    def size(self) -> int:
        """Bytes that it holds now."""
        return int(self._entries.currsize)

    def value(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of a key. If it is not there, one thread computes it in its turn, and the others wait for it.

        A value larger than the limit is returned, but not kept.
        """
        while True:
            with self._lock:
                if key in self._entries:
                    return self._entries[key][0]
                computing = self._computing.setdefault(key, Lock())
            if TURNS.has_one or not computing.locked():
                break
            with self._spinner():  # another thread computes it, so this one needs no turn
                await_lock(computing)
                computing.release()
        with TURNS.turn():
            await_lock(computing)
            try:
                return self._found_or_computed(key, compute)
            finally:
                computing.release()

    def _found_or_computed(self, key: Hashable, compute: Callable[[], T]) -> T:
        with self._lock:
            if key in self._entries:
                return self._entries[key][0]
        with self._spinner():
            value = compute()
        size = size_of(value)
        if size <= self.limit:
            with self._lock:
                self._entries[key] = (value, size)
        return value

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def _spinner(self) -> AbstractContextManager[None]:
        return nullcontext() if self._saying is None else st.spinner(self._saying)


def cached(
    name: str, saying: str | None = None, key: Callable[..., Hashable] | None = None
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keeps what a function returns in the cache of this name.

    Args:
        name: A key of ``LIMITS_MB``.
        saying: What a spinner says while the function runs; none if not given.
        key: Makes a key of the arguments; if not given, the key consists of the arguments, or of their ``key``
            if they have one.
    """
    cache: Cache[Any] = Cache(LIMITS_MB[name] * MB, saying)
    _caches[name] = cache
    tell_apart = key or _keys

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def keeping(*args: P.args, **kwargs: P.kwargs) -> T:
            value: T = cache.value(tell_apart(*args, **kwargs), lambda: function(*args, **kwargs))
            return value

        return keeping

    return decorate


def _keys(*args: Any) -> Hashable:
    return tuple(getattr(argument, "key", argument) for argument in args)


def sizes() -> dict[str, int]:
    """Bytes that each cache holds now."""
    return {name: cache.size for name, cache in _caches.items()}


def clear() -> None:
    """Empties all caches."""
    for cache in _caches.values():
        cache.clear()


def size_of(value: Any) -> int:
    """Bytes that a value keeps in memory, with all that it refers to; each array, tensor or object counts once.

    A view counts as the whole array that it keeps alive. Networks count nothing, as they are loaded once for all.

    >>> size_of(np.zeros(1000)) == size_of(np.zeros(1000)[:2]) == 8000
    True
    """
    total, seen, rest = 0, set[int](), [value]
    while rest:
        item = rest.pop()
        identity = item.untyped_storage().data_ptr() if isinstance(item, torch.Tensor) else id(item)
        if identity not in seen:
            seen.add(identity)
            size, parts = _measure(item)
            total += size
            rest += parts
    return total


def _measure(item: Any) -> tuple[int, Sequence[Any]]:
    """The bytes of an object alone, and the objects that it refers to."""
    if isinstance(item, str | bytes | float | int):
        return sys.getsizeof(item), ()
    if isinstance(item, np.ndarray):
        return (item.nbytes, ()) if item.base is None else (0, (item.base,))
    if isinstance(item, torch.Tensor):
        return item.untyped_storage().nbytes(), ()
    if isinstance(item, torch.nn.Module | ModuleType | type):
        return 0, ()
    if isinstance(item, FunctionType):
        return sys.getsizeof(item), item.__closure__ or ()
    return sys.getsizeof(item), gc.get_referents(item)
