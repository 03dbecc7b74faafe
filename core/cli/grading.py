"""The command that grades explanations against what really sounded."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import AsJson, Model, print_json, print_table, progress

if TYPE_CHECKING:
    from core.grading.record import ExplainerGrade
    from core.records import Interval


def grade(
    model: Model = None,
    explainer: Annotated[str, typer.Option(help="Which explainer: crp, gradient_x_input, grad_cam, ...")] = "crp",
    clips: Annotated[int, typer.Option(min=1, help="How many clips to compose.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Grades of different seeds share no clip.")] = 0,
    recipe: Annotated[
        str | None,
        typer.Option(help="Recipe of the clips; if not given, two to four instruments that the model knows."),
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Keep the grade beside the model.")] = False,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="Take only the measures of reasons anew, and add them to the kept grade.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Grade how well an explainer's maps show what really sounded, and what the model really uses.

    Every instrument that plays is explained, detected or not. Each measure is a mean over instruments, with its 95 %
    bootstrap interval over clips; the costly measures, listed under `thorough`, are taken of the first clips only. The
    default explainer's reasons are measured too, if `timbrescope atlas reasons` has found what they are made of.

    Examples:
        timbrescope grade --model general-shallow-rich --clips 40

        timbrescope grade --explainer energy --json

        timbrescope grade --reasons --seed 1 --record

        timbrescope grade --recipe "general;count=2,4;soundfont=timgm6mb" --seed 7
    """
    from core.concepts.store import dictionary_of, load_reasons
    from core.grading.grade import grade_explainer, grade_reasons
    from core.grading.record import kept_grade, record_grade
    from core.models.store import default_model

    name = model or default_model()
    with progress("Grading", total=clips) as move:
        if reasons:
            kept, dictionary = kept_grade(name, explainer, seed, recipe), load_reasons(name).dictionary
            result = grade_reasons(kept, name, dictionary, clips, lambda: move(advance=1))
        else:
            found = dictionary_of(name)
            result = grade_explainer(name, explainer, clips, seed, recipe, found, lambda: move(advance=1))
    if record:
        record_grade(name, result)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _print_grade(result)


def _print_grade(result: "ExplainerGrade") -> None:
    from core.grading.catalogue import MEASURES

    print_table(
        f"{result.explainer} of {result.model}: {result.instruments} instruments in {result.clips} clips "
        f"of {result.recipe}",
        ("measure", "value", "", ""),
        ((name, *_interval(figure), MEASURES[name].meaning) for name, figure in result.measures.items()),
    )
    if result.reason_clips:
        typer.echo(f"The measures of reasons are of {result.reason_clips} clips.")
    typer.echo(f"Of the first {result.thorough.clips} clips only: {', '.join(result.thorough.measures)}")


def _interval(figure: "Interval") -> tuple[str, str]:
    """The value, and the ends of its interval."""
    return _number(figure.value), f"[{_number(figure.low)} to {_number(figure.high)}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
