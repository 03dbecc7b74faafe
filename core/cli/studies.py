"""The commands that repeat the studies, which explain why the defaults are what they are."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import AsJson, Model, print_json, print_table, progress
from core.errors import InputError

if TYPE_CHECKING:
    from core.comparison.records import VariantResult
    from core.grading.searches import CandidateSearch, MaskSearch
    from core.records import Interval

MASKS_SHOWN = 12  # of the best

app = typer.Typer(
    name="study",
    help="""Repeat the studies that the defaults come from. Their results are kept in `trained_models/studies/`.

    Examples:

        timbrescope study rules --clips 20

        timbrescope study masks --clips 60

        timbrescope study reasons

        timbrescope study ablation general-deep-rich --folder runs/ablation --real recordings
    """,
)


@app.command()
def rules(
    model: Model = None,
    clips: Annotated[int, typer.Option(min=1, help="How many clips to compose.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first clip.")] = 31_000_000,
    as_json: AsJson = False,
) -> None:
    """Grade ways to propagate relevance. The default rules were chosen by this study.

    Writes `trained_models/studies/rules.json`, which the Evidence page shows.

    Examples:
        timbrescope study rules

        timbrescope study rules --model general-shallow-simple --clips 40 --seed 32000000
    """
    from core.grading.searches import RULES
    from core.models.store import default_model, load_model
    from core.paths import STUDIES, TRAINED_MODELS
    from core.studies.rule_search import search

    trained, path = load_model(model or default_model()), TRAINED_MODELS / STUDIES / RULES
    with progress("Explaining", total=clips) as move:
        result = search(trained, clips, seed, on_progress=_moving(move))
    result.write(path)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _print_candidates(result)
        typer.echo(f"Written: {path}")


@app.command()
def masks(
    model: Model = None,
    clips: Annotated[int, typer.Option(min=1, help="How many clips to compose.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first clip.")] = 30_000_000,
    as_json: AsJson = False,
) -> None:
    """Grade masks for the app's sounds. The default mask was chosen by this study.

    Writes `trained_models/studies/masks.json`.

    Examples:
        timbrescope study masks

        timbrescope study masks --model general-shallow-simple --clips 20 --seed 33000000
    """
    from core.grading.searches import MASKS
    from core.models.store import default_model, load_model
    from core.paths import STUDIES, TRAINED_MODELS
    from core.studies.mask_search import search

    trained, path = load_model(model or default_model()), TRAINED_MODELS / STUDIES / MASKS
    with progress("Explaining", total=clips) as move:
        result = search(trained, clips, seed, on_progress=_moving(move))
    result.write(path)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _print_masks(result)
        typer.echo(f"Written: {path}")


@app.command()
def reasons(
    model: Model = None,
    clips: Annotated[int, typer.Option(min=1, help="How many clips to grade on.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first of these clips.")] = 34_000_000,
    references: Annotated[int, typer.Option(min=2, help="How many clips to learn reasons from.")] = 200,
    reference_seed: Annotated[int, typer.Option(min=0, help="Determines their seeds.")] = 35,
    as_json: AsJson = False,
) -> None:
    """Grade ways to group a layer's channels into reasons. The shipped reasons were chosen by this study.

    Run the same command again to continue after an interruption. It writes `trained_models/studies/reasons.json`, which
    the Evidence page shows.

    Examples:
        timbrescope study reasons

        timbrescope study reasons --model general-shallow-simple --clips 20 --references 60
    """
    from core.grading.searches import REASONS
    from core.models.store import default_model
    from core.paths import STUDIES, TRAINED_MODELS
    from core.studies.reason_search import search

    path = TRAINED_MODELS / STUDIES / REASONS
    with progress("Observing", total=references) as move:
        result = search(
            model or default_model(), clips, seed, references, reference_seed, TRAINED_MODELS, _moving(move)
        )
    result.write(path)
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _print_candidates(result)
        typer.echo(f"Written: {path}")


@app.command()
def templates() -> None:
    """Learn what the notes of each instrument look like, which fills in the notes that evidence points at.

    Every note of every instrument is played by two soundfonts. Writes `trained_models/note_templates.npz`.

    Examples:
        timbrescope study templates
    """
    from core.explanation.templates import PATH, save_templates
    from core.studies.note_templates import learn
    from core.taxonomy.instruments import INSTRUMENTS

    with progress("Learning notes", total=len(INSTRUMENTS)) as move:
        found = learn(on_progress=lambda done, _: move(completed=done))
    save_templates(found)
    typer.echo(f"Written: {PATH}")


@app.command()
def ablation(
    config: Annotated[str, typer.Argument(help="The training to leave ingredients out of: general-deep-rich, ...")],
    folder: Annotated[Path, typer.Option(file_okay=False, help="Where data sets and models are kept.")],
    real: Annotated[Path, typer.Option(file_okay=False, help="Folder of labelled recordings to measure on.")],
    clips: Annotated[int, typer.Option(min=1, help="How many clips each network is trained on.")] = 6144,
    epochs: Annotated[int, typer.Option(min=1, help="How often each clip is seen.")] = 10,
    test_clips: Annotated[int, typer.Option(min=1, help="How many composed clips each network is measured on.")] = 500,
    as_json: AsJson = False,
) -> None:
    """Train networks that each lack one ingredient of the training, and measure what the ingredient is worth.

    The study takes hours; run the same command again to continue after an interruption. It writes
    `trained_models/studies/ablation.json`, which the Experiments page shows.

    Examples:
        timbrescope study ablation general-deep-rich --folder runs/ablation --real recordings

        timbrescope study ablation general-shallow-rich --folder runs/small --real recordings --clips 512 --epochs 2
    """
    try:
        from core.studies.ablation import VARIANTS, Plan, run_ablation
    except ModuleNotFoundError as error:
        raise InputError(f"Training needs {error.name}; install it with `uv pip install -e '.[train]'`.") from error
    from core.paths import TRAINED_MODELS

    plan = Plan(config, folder, real, clips, epochs, test_clips)
    with progress("Training", total=len(VARIANTS)) as move, redirect_stdout(sys.stderr):  # for Lightning's remarks
        result = run_ablation(plan, TRAINED_MODELS, lambda variant: move(advance=1))
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _print_variants(result.variants)


def _moving(move: Callable[..., None]) -> Callable[[str, int, int], None]:
    """A function that shows in a progress bar what is being done, how many are done and how many there are."""
    return lambda what, done, all: move(description=what, completed=done, total=all)


def _print_candidates(result: "CandidateSearch") -> None:
    measures = list(result.candidates[result.default].measures)
    print_table(
        f"{result.model}, {result.instruments} instruments in {result.clips} clips",
        ("part", "candidate", *measures),
        (
            (
                row.part,
                row.title + (" (default)" if name == result.default else ""),
                *(_cell(row.measures.get(measure)) for measure in measures),
            )
            for name, row in result.candidates.items()
        ),
    )


def _print_masks(result: "MaskSearch") -> None:
    """How well maps fit the truth; then the best masks, and the best mask that needs no network."""
    print_table(
        f"Fit over {result.instruments} instruments",
        ("map", "rma", "lift", "rra", "pointing"),
        (
            (name, *(f"{value:.3f}" for value in (fit.rma, fit.lift, fit.rra, fit.pointing)))
            for name, fit in result.fit.items()
        ),
    )
    floor = next(row for row in result.masks if row.map == "energy")
    print_table(
        f"Masks (ceiling {result.ceiling:.1f} dB)",
        ("map", "blur", "steady", "power", "contrast", "rest", "dB", "better"),
        (
            (row.map, str(row.blur), str(row.steady), f"{row.power:g}", f"{row.contrast:g}", f"{row.rest:g}",
             f"{row.improvement:.2f}", f"{row.better:.0%}")
            for row in [*result.masks[:MASKS_SHOWN], floor]
        ),
    )  # fmt: skip


def _print_variants(variants: "dict[str, VariantResult]") -> None:
    sets = list(next(iter(variants.values())).sets)
    print_table(
        "mAP",
        ("left out", *sets),
        ((variant.title, *(_cell(variant.sets[name].mAP) for name in sets)) for variant in variants.values()),
    )


def _cell(interval: "Interval | None") -> str:
    if interval is None or interval.value is None:
        return ""
    return f"{interval.value:.2f} [{interval.low:.2f}–{interval.high:.2f}]"
