"""How many threads the arithmetic takes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """One for torch and one for NumPy's libraries.

    Processes that share the cores do not wait for each other's threads then, and one thread always adds in the same
    order, so that the same sound gives the same bytes.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
