"""The command that rewrites records of earlier versions of the program."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import BAD_INPUT, AsJson, complain, print_json
from core.errors import InputError

if TYPE_CHECKING:
    from core.records import Record


def kinds() -> "list[tuple[type[Record], str, str]]":
    """Each kind of record, where it lies in a folder of models, and what to do if one is damaged."""
    from core.comparison.records import EXPERIMENTS, Experiments
    from core.models.card import CARD, REMEDY, Card
    from core.paths import STUDIES

    return [
        (Card, f"*/{CARD}", REMEDY),
        (Experiments, f"{STUDIES}/{EXPERIMENTS}", "run `timbrescope report` again"),
    ]


def migrate(
    folder: Annotated[
        Path | None, typer.Argument(file_okay=False, help="Folder of models; `trained_models/` if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rewrite records beside the models, such as cards, that an earlier version of the program wrote.

    The program also reads the earlier form; rewriting saves the conversion at each reading, and shows what changed. A
    damaged record is named on standard error and left as it is, and the exit status is 2.

    Examples:
        timbrescope migrate

        timbrescope migrate runs --json
    """
    from core.paths import TRAINED_MODELS

    rewritten: list[Path] = []
    refused: list[str] = []
    for kind, path, remedy in _records(folder or TRAINED_MODELS):
        try:
            if _rewrite(kind, path, remedy):
                rewritten.append(path)
        except InputError as error:
            refused.append(str(error))
    if as_json:
        print_json({"rewritten": [str(path) for path in rewritten]})
    else:
        typer.echo("\n".join(map(str, rewritten)) or "All records are of the current version.")
    for sentence in refused:
        complain(sentence)
    if refused:
        raise typer.Exit(BAD_INPUT)


def _records(folder: Path) -> "Iterator[tuple[type[Record], Path, str]]":
    for kind, pattern, remedy in kinds():
        for path in sorted(folder.glob(pattern)):
            yield kind, path, remedy


def _rewrite(kind: "type[Record]", path: Path, remedy: str) -> bool:
    """Rewrites a record if it is of an earlier version, and says whether it was."""
    record = kind.read(path, remedy)
    if json.loads(path.read_bytes()).get("schema_version", 1) == kind.VERSION:
        return False
    record.write(path)
    return True
