"""The ``timbrescope`` command: one file for each group of commands, all of which only call the rest of ``core``."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from core.cli import atlas, studies
from core.cli.console import BAD_INPUT, complain
from core.cli.grading import grade
from core.cli.learning import dataset, evaluate, models, train
from core.cli.listening import compose, explain, predict
from core.cli.reporting import report
from core.cli.speed import bench
from core.errors import InputError

UsageError: Any = typer.BadParameter.__base__  # Typer does not export the error of which this is one kind


class Commands(TyperGroup):
    """The commands; whatever the user got wrong ends in one line on standard error and the exit status 2."""

    def main(self, args: Sequence[str] | None = None, *positional: Any, **options: Any) -> NoReturn:
        args = list(sys.argv[1:] if args is None else args) or ["--help"]
        status = BAD_INPUT
        try:
            status = super().main(args, *positional, **{**options, "standalone_mode": False})
        except UsageError as error:
            complain(error.format_message())
        except InputError as error:
            complain(str(error))
        sys.exit(status)


app = typer.Typer(
    name="timbrescope",
    cls=Commands,
    help="See and hear which sound made the network say “guitar”.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for command in (compose, predict, explain, models, dataset, train, evaluate, grade, report, bench):
    app.command()(command)
app.add_typer(atlas.app)
app.add_typer(studies.app)


def main() -> None:
    """Entry point of ``timbrescope``."""
    app()
