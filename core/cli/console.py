"""Input and output that the commands share: common options, a progress bar, JSON and tables."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import InputError

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else, on standard output.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Name or folder of a trained model; the default model if not given. `timbrescope models` lists them.",
    ),
]
Out = Annotated[
    Path, typer.Option("--out", file_okay=False, help="Folder for the results; created if it does not exist.")
]

BAD_INPUT = 2  # exit status
BAR_WIDTH = 24


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error if that is a terminal.

    Yields:
        A function that moves it, for example by ``advance=1``, or to ``completed=3, total=8``.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(description, total=total)
        yield lambda **changes: bar.update(task, **changes)


def complain(sentence: str) -> None:
    """Prints what is wrong, as one line on standard error."""
    with suppress(OSError):  # if standard error cannot be written either, only the exit status tells
        typer.echo(f"timbrescope: {' '.join(sentence.splitlines())}", err=True)


def print_json(value: Any) -> None:
    """Prints valid JSON: NaN and infinity, which JSON cannot hold, become null."""
    strict = json.loads(json.dumps(value), parse_constant=lambda _: None)
    typer.echo(json.dumps(strict, indent=2))


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Prints a table on standard output. Cells are strings, or anything that rich can draw."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    typer.secho(title, bold=True)
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    Console().print(table)


def bar(share: float) -> Any:
    """A horizontal bar for a share in [0, 1]."""
    from rich.progress_bar import ProgressBar

    return ProgressBar(total=1, completed=share, width=BAR_WIDTH)


def output_folder(path: Path) -> Path:
    """The folder for results, created if it does not exist.

    Raises:
        InputError: it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {path} cannot be created ({error.strerror}); choose another one for --out."
        ) from error
    return path
