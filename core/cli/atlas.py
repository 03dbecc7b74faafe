"""The commands that build the concept atlas of a model and show it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import AsJson, Model, bar, print_json, print_table, progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.concepts.atlas import Atlas, Concept, Reasons, Reference

app = typer.Typer(
    name="atlas",
    help="""Build and show the atlas of a model: what each of its concepts responds to, with examples to hear.

    Examples:

        timbrescope atlas build --model general-shallow-rich --clips 200

        timbrescope atlas show --model general-shallow-rich --layer conv4 --channel 17 --json
    """,
)


@app.command()
def build(
    model: Model = None,
    clips: Annotated[int, typer.Option(min=1, help="How many reference clips to compose.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Atlases of different seeds share no clip.")] = 0,
    recipe: Annotated[
        str | None,
        typer.Option(help="Recipe of the clips; if not given, one to four instruments that the model knows."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes; one for each core if not given.")
    ] = None,
) -> None:
    """Build the atlas of a model and keep it beside the model.

    An interrupted build continues where it stopped. The atlas is the same for any number of workers.

    Examples:
        timbrescope atlas build --model general-shallow-rich --clips 200

        timbrescope atlas build --recipe "general;count=1;soundfont=timgm6mb" --workers 1
    """
    from core.concepts.build import build_atlas
    from core.models.store import default_model

    with progress("Building", total=1) as move:
        atlas = build_atlas(model or default_model(), clips, seed, recipe, workers, lambda share: move(completed=share))
    named = len(atlas.concepts), len(atlas.layers), len(atlas.prototypes)
    typer.echo("{}: {} concepts in {} layers, prototypes of {} instruments".format(atlas.model, *named))


@app.command()
def reasons(
    model: Model = None,
    clips: Annotated[int, typer.Option(min=1, help="How many reference clips to compose.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Searches with different seeds share no clip.")] = 0,
    recipe: Annotated[
        str | None, typer.Option(help="What to compose; one to four instruments that the model knows if not given.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find which channels of a model work together as one reason, and keep the reasons beside the model.

    `timbrescope explain` then breaks its explanations into a few of these reasons. A search that was interrupted goes
    on where it was. The reasons are the same for any number of workers.

    Examples:
        timbrescope atlas reasons --model general-shallow-rich

        timbrescope atlas reasons --clips 100 --json
    """
    from core.concepts.reasons import find_reasons
    from core.models.store import default_model

    with progress("Searching", total=1) as move:
        found = find_reasons(
            model or default_model(), clips, seed, recipe, workers, lambda share: move(completed=share)
        )
    if as_json:
        print_json(_reasons_as_json(found))
        return
    _print_reasons(found)


def _print_reasons(found: "Reasons") -> None:
    print_table(
        f"Reasons of {found.model} in {found.layer}, found on {found.clips} clips of {found.recipe}",
        ("reason", "responds to", "AUC", "serves", "", "strongest in"),
        (
            (str(reason.number), reason.name, f"{reason.auc:.2f}", *_served(reason.usage), _strongest(reason.relmax))
            for reason in found.reasons
        ),
    )


def _reasons_as_json(found: "Reasons") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **{name: getattr(found, name) for name in ("model", "layer", "clips", "recipe", "seed")},
        "reasons": [{**asdict(reason), "pattern": reason.pattern.tolist()} for reason in found.reasons],
    }


@app.command()
def show(
    model: Model = None,
    layer: Annotated[str | None, typer.Option(help="Only the concepts of this layer.")] = None,
    channel: Annotated[int | None, typer.Option(min=0, help="Only this channel of the layer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the concepts and the reasons of a model respond to, as measured, and which instruments they serve.

    Examples:
        timbrescope atlas show --layer conv4

        timbrescope atlas show --model general-shallow-rich --layer conv4 --channel 17 --json
    """
    from core.concepts.store import load_atlas, reasons_of
    from core.models.store import default_model

    if channel is not None and layer is None:
        raise typer.BadParameter("--channel needs --layer, the layer that the channel belongs to.")
    name = model or default_model()
    atlas, found = load_atlas(name), reasons_of(name)
    chosen = _chosen(atlas, layer, channel)
    if found and (channel is not None or layer not in (None, found.layer)):
        found = None  # reasons are made of whole layers
    if as_json:
        reasons = {"reasons": _reasons_as_json(found)} if found else {}
        print_json({**_about(atlas), "concepts": [_as_json(concept) for concept in chosen], **reasons})
    else:
        _print(atlas, chosen)
        if found:
            _print_reasons(found)


def _chosen(atlas: "Atlas", layer: str | None, channel: int | None) -> "tuple[Concept, ...]":
    if layer is None:
        return atlas.concepts
    return atlas.layer(layer) if channel is None else (atlas.concept(layer, channel),)


def _about(atlas: "Atlas") -> dict[str, Any]:
    return {"model": atlas.model, "clips": atlas.clips, "recipe": atlas.recipe, "seed": atlas.seed}


def _as_json(concept: "Concept") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "layer": concept.layer,
        "channel": concept.channel,
        "name": concept.name,
        "scores": {f"{factor.factor} {factor.value}": factor.score for factor in concept.tuning},
        "tuning": [asdict(factor) for factor in concept.tuning],
        "usage": dict(concept.usage),
        "relmax": [asdict(reference) for reference in concept.relmax],
        "relmax_by_label": {
            label: [asdict(reference) for reference in references]
            for label, references in concept.relmax_by_label.items()
        },
        "actmax": [asdict(reference) for reference in concept.actmax],
        "neighbours": [{"channel": channel, "similarity": value} for channel, value in concept.neighbours],
        "position": list(concept.position),
    }


def _print(atlas: "Atlas", chosen: "tuple[Concept, ...]") -> None:
    print_table(
        f"Concepts of {atlas.model}, measured on {atlas.clips} clips of {atlas.recipe}",
        ("layer", "channel", "name", "serves", "", "strongest in"),
        (_row(concept) for concept in chosen),
    )


def _row(concept: "Concept") -> tuple[Any, ...]:
    return concept.layer, str(concept.channel), concept.name, *_served(concept.usage), _strongest(concept.relmax)


def _served(usage: "Mapping[str, float]") -> tuple[str, str]:
    """The label that something serves most, and how much of the label's relevance it carries."""
    served = max(usage, key=lambda label: usage[label], default="–")
    return served, bar(usage.get(served, 0))


def _strongest(relmax: "tuple[Reference, ...]") -> str:
    return f"{relmax[0].clip} at {relmax[0].time_s:.1f} s" if relmax else "–"
