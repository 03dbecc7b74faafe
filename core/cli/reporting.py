"""The command that rebuilds what is told about the models from what was measured."""

from typing import Annotated, Any

import typer

from core.cli.console import AsJson, print_json, progress


def report(
    clips: Annotated[int, typer.Option(min=4, help="How many clips the models are compared on.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Compare the trained models with each other, and write what was measured.

    Writes `trained_models/experiments.json` (how depth and richer data change the way a network works) from newly
    composed clips, and from what `evaluate --record` and `grade --record` measured `trained_models/README.md` and the
    tables in `README.md`.

    Examples:

        timbrescope report

        timbrescope report --clips 20 --json
    """
    from core.paths import README, TRAINED_MODELS
    from core.studies.experiments import run_experiments
    from core.studies.tables import write_readme, write_tables

    with progress("Comparing", total=clips) as move:
        result = run_experiments(clips, TRAINED_MODELS, lambda heard: move(advance=heard))
    readme = write_readme(TRAINED_MODELS)
    write_tables(README, TRAINED_MODELS)
    if as_json:
        print_json({**result, "readme": str(readme)})
    else:
        _print_answers(result["questions"])
        typer.echo(f"Written: {readme}, {readme.with_name('experiments.json')} and the tables in {README}")


def _print_answers(questions: dict[str, Any]) -> None:
    for question in questions.values():
        typer.secho(question["title"], bold=True)
        typer.echo(f"{question['told']}\n")
    if not questions:
        typer.echo("No pair of models to compare yet; train general-shallow-simple and general-deep-simple, say.")
