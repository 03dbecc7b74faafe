"""Composing on many machines: joblib's parallel jobs run on a Dask cluster (https://distributed.dask.org)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib import parallel_config

from core.errors import InputError

CONNECT_S = 5.0  # seconds for a scheduler, and then a worker, to answer


@contextmanager
def on_cluster(address: str, shared: Path) -> Iterator[None]:
    """Runs all joblib jobs inside the context on the workers of a cluster.

    Args:
        address: Address of the scheduler, such as ``tcp://host:8786``.
        shared: A file that every worker must find at the same path.

    Raises:
        InputError: Dask is not installed, no scheduler answers, there are no workers, or one of them lacks the file.
    """
    with _connected(address) as client:
        if not all(client.run(shared.is_file).values()):
            raise InputError(
                f"Not every worker of the cluster {address} sees {shared.parent}; choose a folder that all share."
            )
        with parallel_config(backend="dask", client=client):
            yield


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of a cluster that has at least one worker."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InputError("A cluster needs Dask; install it with `uv pip install -e '.[cluster]'`.") from error
    try:
        asyncio.run(_call(address))
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"No Dask scheduler answers at {address!r}; it looks like tcp://host:8786.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            raise InputError(
                f"The cluster {address} has no workers; start some with `dask worker {address}`."
            ) from error
        yield client


async def _call(address: str) -> None:
    """Tests the connection, because a client that never gets one prints errors when the process ends."""
    from distributed.comm import connect
    from distributed.security import Security

    connection = await connect(address, timeout=CONNECT_S, **Security().get_connection_args("client"))
    await connection.close()
