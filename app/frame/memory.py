"""Gives freed memory back to the system; the C library would keep it for later."""

import ctypes
import gc
from threading import Lock, Timer

QUIET_S = 3.0  # memory is given back when nothing was computed for so long

_lock = Lock()
_timer: Timer | None = None


def give_back_soon() -> None:
    """Gives memory back after a few seconds without another call."""
    global _timer  # noqa: PLW0603 - one timer for the process
    with _lock:
        if _timer is not None:
            _timer.cancel()
        _timer = Timer(QUIET_S, give_back)
        _timer.daemon = True
        _timer.start()


def give_back() -> None:
    """Collects garbage, and gives free pages back to the system (with glibc alone)."""
    gc.collect()
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)


_C = ctypes.CDLL(None)
