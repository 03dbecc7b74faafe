"""The command that compares the trained models and writes the READMEs from what was measured."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import AsJson, print_json, progress

if TYPE_CHECKING:
    from core.comparison.records import ContrastResult


def report(
    clips: Annotated[int, typer.Option(min=4, help="How many clips the models are compared on.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Compare trained models that differ in one thing, and write what was measured into the READMEs.

    The pairs of models are listed in `trained_models/studies/contrasts.toml`. They are compared on newly composed
    clips; the figures are kept in `trained_models/studies/experiments.json`. Then `trained_models/README.md` and the
    tables in `README.md` are written from what `evaluate --record`, `grade --record` and `study` measured.

    Examples:
        timbrescope report

        timbrescope report --clips 20 --json
    """
    from core.comparison.records import EXPERIMENTS
    from core.paths import README, STUDIES, TRAINED_MODELS
    from core.studies.experiments import run_experiments
    from core.studies.readmes import write_models_readme, write_tables

    with progress("Comparing", total=clips) as move:
        result = run_experiments(clips, TRAINED_MODELS, lambda heard: move(advance=heard))
    readme = write_models_readme(TRAINED_MODELS)
    write_tables(README, TRAINED_MODELS)
    if as_json:
        print_json({**result.model_dump(mode="json"), "readme": str(readme)})
    else:
        _print_summaries(result.questions.values())
        typer.echo(f"Written: {readme}, {TRAINED_MODELS / STUDIES / EXPERIMENTS} and the tables in {README}")


def _print_summaries(results: "Collection[ContrastResult]") -> None:
    for result in results:
        typer.secho(result.title, bold=True)
        typer.echo(f"{result.summary}\n")
    if not results:
        typer.echo("There is no pair of trained models to compare: studies/contrasts.toml names none that is complete.")
