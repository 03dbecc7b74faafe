"""The ``timbrescope`` command: one file for each group of commands, all of which only call the rest of ``core``."""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from core.cli import atlas, concepts, studies
from core.cli.console import BAD_INPUT, complain
from core.cli.doctor import doctor
from core.cli.grading import grade
from core.cli.learning import dataset, evaluate, models, train
from core.cli.listening import compose, explain, predict
from core.cli.migrate import migrate
from core.cli.reporting import report
from core.cli.speed import bench
from core.errors import InputError

FAILED_WRITES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
UsageError: Any = typer.BadParameter.__base__  # which Typer does not export


class Commands(TyperGroup):
    """All commands, with one place that turns errors into one line.

    Bad input, and files that cannot be read or written, end in one line on standard error and exit status 2. If the
    reader of standard output stops early, the command ends without a message.
    """

    def main(self, args: Sequence[str] | None = None, *positional: Any, **options: Any) -> NoReturn:
        args = list(sys.argv[1:] if args is None else args) or ["--help"]
        status = BAD_INPUT
        try:
            status = super().main(args, *positional, **{**options, "standalone_mode": False})
        except UsageError as error:
            complain(error.format_message())
        except InputError as error:
            complain(str(error))
        except OSError as error:
            if error.filename is not None:
                complain(
                    f"{error.filename} cannot be used ({error.strerror}); check its permissions and the free space."
                )
            elif error.errno in FAILED_WRITES:  # the only file without a name is standard output
                _discard_output()
                complain(f"The output cannot be written ({error.strerror}); free space or write it elsewhere.")
            else:
                raise
        sys.exit(status)


def _discard_output() -> None:
    """Discards what standard output still buffers; otherwise Python would try to write it again at exit."""
    with suppress(OSError):  # not every output is a file
        descriptor = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


app = typer.Typer(
    name="timbrescope",
    cls=Commands,
    help="""See and hear which sound made the network say “guitar”.

    Compose a clip, let a model recognise its instruments, and see and hear why it recognised one of them:

        timbrescope compose --seed 7 --instruments violin,piano --out clip

        timbrescope predict clip/mix.wav

        timbrescope explain clip/mix.wav --label violin --stems clip/stems --out why

    Every command has a `--help` with examples. `timbrescope doctor` checks the installation.
    """,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for command in (compose, predict, explain, models, dataset, train, evaluate, grade, report, migrate, bench, doctor):
    app.command()(command)
app.add_typer(atlas.app)
app.add_typer(concepts.app)
app.add_typer(studies.app)


def main() -> None:
    """Entry point of ``timbrescope``."""
    _open_closed_streams()
    app()


def _open_closed_streams() -> None:
    """Opens the standard streams that the caller has closed (``2>&-``), so that no other file gets their numbers."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r+"))  # noqa: SIM115
