"""The command that locates musical concepts in a model."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import AsJson, Model, print_json, print_table, progress

if TYPE_CHECKING:
    from core.concepts.musical import LocatedConcept, LocatedConcepts
    from core.records import Interval
    from core.taxonomy.labels import LabelSpace

CERTAIN = 0.05  # p below which a label is named as one that a concept matters to

app = typer.Typer(
    name="concepts",
    help="""Find out which musical concepts a model knows, and whether they move its answers.

    Example:

        timbrescope concepts locate --model general-shallow-simple
    """,
)


@app.command()
def locate(
    model: Model = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes; one for each core if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Locate musical concepts, such as a fast tempo, swing or distortion, in a model, and test them by cause.

    Pieces are composed twice, with a concept and without it. They tell in which layer a probe can read the concept, in
    which direction the activations move, what that says about each label, and by how much its logit really changes.
    The result is kept beside the model, and is the same for any number of workers.

    Examples:
        timbrescope concepts locate --model general-shallow-simple

        timbrescope concepts locate --json
    """
    from core.concepts.locate import locate as find
    from core.models.store import default_model, load_model

    name = model or default_model()
    with progress("Listening", total=1) as move:
        found = find(name, workers, lambda share: move(completed=share))
    space = load_model(name).space
    if as_json:
        print_json(_as_json(found, space))
    else:
        _print(found)


def _as_json(found: "LocatedConcepts", space: "LabelSpace") -> dict[str, Any]:
    whole = found.model_dump(mode="json", exclude={"schema_version", "concepts"})
    return {**whole, "concepts": [_concept_as_json(concept, space) for concept in found.concepts]}


def _concept_as_json(concept: "LocatedConcept", space: "LabelSpace") -> dict[str, Any]:
    from core.taxonomy.musical_concepts import musical_concept

    row = musical_concept(concept.name)
    effects = {
        label: {
            "effect": effect.effect,
            "relevance": effect.relevance,
            "p": effect.p,
            "cause": effect.cause.value,
            "cause_low": effect.cause.low,
            "cause_high": effect.cause.high,
        }
        for label, effect in concept.effects.items()
    }
    return {
        "name": concept.name,
        "title": row.title,
        "question": row.question,
        "composed": row.composed,
        **concept.model_dump(mode="json", exclude={"name", "effects", "vector"}),
        space.plural: effects,
    }


def _print(found: "LocatedConcepts") -> None:
    print_table(
        f"Musical concepts in {found.model}, located on {found.locating} pieces and tested on {found.testing}",
        ("concept", "layer", "probe", "control", "untrained", "vector", "moves most", "", "matters to"),
        (_row(concept) for concept in found.concepts),
    )
    typer.echo(f"A concept that means nothing is believed in {found.null_rejected:.1%} of the tests.")
    typer.echo(f"What vectors predict agrees with what happens: {_interval(found.cause_agreement)}")
    typer.echo(f"What relevance predicts agrees with it: {_interval(found.relevance_agreement)}")


def _row(concept: "LocatedConcept") -> tuple[str, ...]:
    from core.taxonomy.musical_concepts import musical_concept

    moved = max(concept.effects, key=lambda label: abs(concept.effects[label].cause.value or 0))
    certain = [label for label, effect in concept.effects.items() if effect.p < CERTAIN]
    return (
        musical_concept(concept.name).title,
        concept.layer,
        *(f"{score.value:.2f}" for score in (concept.probe, concept.control, concept.untrained)),
        "stable" if concept.stable else "unstable",
        moved,
        f"{concept.effects[moved].cause.value:+.2f}",
        ", ".join(certain) or "–",
    )


def _interval(score: "Interval") -> str:
    return "–" if score.value is None else f"{score.value:.2f} [{score.low:.2f} to {score.high:.2f}]"
