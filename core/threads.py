"""How many threads calculations use."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Limits PyTorch and the libraries behind NumPy to one thread each.

    Processes that share the cores then do not wait for each other's threads. A single thread also adds numbers in the
    same order every time, so that the same sound gives the same bytes.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
