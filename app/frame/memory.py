"""Gives memory that was freed back to the system, which the C library alone would keep for later."""

import ctypes
import gc
from threading import Lock, Timer

QUIET_S = 3.0  # without a computation, after which memory is given back

_lock = Lock()
_timer: Timer | None = None


def give_back_soon() -> None:
    """Gives memory back once nothing was computed and nobody left for a few seconds."""
    global _timer  # noqa: PLW0603 - one timer for the process
    with _lock:
        if _timer is not None:
            _timer.cancel()
        _timer = Timer(QUIET_S, give_back)
        _timer.daemon = True
        _timer.start()


def give_back() -> None:
    """Frees what only refers to itself, and hands free pages back to the system where the C library is glibc's."""
    gc.collect()
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)


_C = ctypes.CDLL(None)
