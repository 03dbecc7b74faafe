"""Commands about one sound: compose it, recognise its instruments, explain what was recognised."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import (
    BAD_INPUT,
    AsJson,
    Model,
    Out,
    bar,
    complain,
    output_folder,
    print_json,
    print_table,
    progress,
)
from core.errors import InputError

if TYPE_CHECKING:
    from core.inference import Prediction
    from core.models.store import TrainedModel

SHOWN = 5  # labels that the table of a prediction has at least


def compose(
    out: Out,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the clip; the same seed gives the same bytes.")] = 0,
    instruments: Annotated[str | None, typer.Option(help="Who plays, joined by commas.")] = None,
    count: Annotated[int | None, typer.Option(help="How many instruments to draw, 1 to 8.")] = None,
    duration: Annotated[float | None, typer.Option(help="Seconds, 1 to 30 (5 if not given).")] = None,
    label_set: Annotated[
        str, typer.Option(help="Instruments to choose from: general (29) or wimu12 (12).")
    ] = "general",
    style: Annotated[str | None, typer.Option(help="How the music is made: random, musical or midi.")] = None,
    midi_folder: Annotated[Path | None, typer.Option(help="MIDI files to take parts from, for --style midi.")] = None,
    soundfont: Annotated[
        str | None, typer.Option(help="What the instruments sound like: musescore, fluidr3, ...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compose a clip: the mix, a stem for each instrument, the score.

    Writes `mix.wav`, `stems/<instrument>.wav`, `score.mid` and `clip.json`. The stems add up to the mix.

    Examples:

        timbrescope compose --seed 7 --instruments violin,piano --out clip

        timbrescope compose --seed 3 --count 4 --style musical --duration 10 --out clip
    """
    from core.synthesis.clip import compose as compose_clip
    from core.synthesis.export import write_clip

    if instruments is not None and count is not None:
        raise InputError("Give either --instruments or --count, not both.")
    if (style == "midi") != (midi_folder is not None):
        raise InputError("--style midi and --midi-folder need each other.")
    changes = {
        "instruments": tuple(label.strip() for label in instruments.split(",")) if instruments is not None else None,
        "count": (count,) if count is not None else None,
        "duration": duration,
        "style": (style,) if style is not None else None,
        "midi": str(midi_folder.resolve()) if midi_folder else None,
        "soundfont": (soundfont,) if soundfont is not None else None,
    }
    name = _clip_name(label_set, seed, {key: value for key, value in changes.items() if value is not None})
    with progress("Composing"):
        clip = compose_clip(name)
        write_clip(clip, output_folder(out))
    if as_json:
        print_json(clip.to_dict())
    else:
        typer.echo(f"{out}: {clip.duration:g} s of {', '.join(clip.labels)} ({clip.name})")


def _clip_name(label_set: str, seed: int, changes: dict[str, Any]) -> str:
    from core.synthesis.recipe import RECIPES, modified
    from core.taxonomy.instruments import label_set as find_label_set

    return modified(RECIPES[find_label_set(label_set).name], **changes).clip_name(seed)


def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sound files of any format.")],
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Recognise the instruments in sound files, for the whole and over time.

    A file that cannot be read is named on standard error, the others are answered, and the exit status is 2.

    Examples:

        timbrescope predict song.mp3

        timbrescope predict *.wav --model wimu12-shallow --json
    """
    from core.models.store import default_model, load_model

    trained = load_model(model or default_model())
    predictions: dict[str, Prediction] = {}
    refused: list[str] = []
    with progress("Listening", total=len(files)) as move:
        for file in files:
            try:
                predictions[typer.format_filename(file)] = _listen(trained, file)
            except InputError as error:
                refused.append(str(error))
            move(advance=1)
    if as_json:
        print_json([prediction.to_dict(file) for file, prediction in predictions.items()])
    else:
        _print_predictions(predictions)
    for sentence in refused:
        complain(sentence)
    if refused:
        raise typer.Exit(BAD_INPUT)


def _listen(model: "TrainedModel", file: Path) -> "Prediction":
    from core.audio import load, quiet_codecs
    from core.inference import recognise

    with quiet_codecs():
        sound = load(file, model.frontend.config.sample_rate)
    return recognise(model, model.frontend.analyse(sound))


def _print_predictions(predictions: "dict[str, Prediction]") -> None:
    """A table for each file: what was detected, and what came closest to it."""
    for file, prediction in predictions.items():
        probabilities = dict(zip(prediction.labels, map(float, prediction.probabilities), strict=True))
        shown = prediction.ranking[: max(SHOWN, len(prediction.detected))]
        print_table(
            f"{file} ({prediction.duration:.1f} s, {prediction.model})",
            ("instrument", "", "probability", ""),
            (
                (
                    label,
                    bar(probabilities[label]),
                    f"{probabilities[label]:.2f}",
                    "detected" if label in prediction.detected else "",
                )
                for label in shown
            ),
        )


def explain(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sound file of any format.")],
    instrument: Annotated[str, typer.Option(help="The label to explain, whether it was recognised or not.")],
    out: Out,
    model: Model = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer whose channels are the concepts; the last if not given.")
    ] = None,
    start: Annotated[
        float | None,
        typer.Option(min=0, help="Second at which the explained 5 s begin; where the label is likeliest if not given."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many concepts to show.")] = 8,
    stems: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of true stems, <instrument>.wav, to grade by."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain why a model hears an instrument: where in the sound, and by which inner concepts.

    Writes `report.json`, `relevance.npz`, `relevance.png`, a picture and the sound of each concept in `concepts/`,
    `masked.wav` (what speaks for the instrument) and `complement.wav` (all the rest), all sounds at one gain. With
    `--stems` also `truth.png`, the explanation beside what the instrument really played.

    Examples:

        timbrescope explain song.mp3 --instrument violin --out why

        timbrescope explain clip/mix.wav --instrument piano --stems clip/stems --layer conv3 --top 4 --out why
    """
    from core.audio import quiet_codecs
    from core.concepts.store import concept_names
    from core.explanation import playback
    from core.export import open_passage, write_explanation
    from core.models.store import default_model, load_model

    name = model or default_model()
    trained = load_model(name)
    with progress("Explaining"):
        with quiet_codecs():
            passage = open_passage(trained, file, instrument, start, stems)
        spectrogram = trained.frontend.analyse(passage.audio)
        explanation = playback.explain(trained, spectrogram, instrument, layer, top)
        report = write_explanation(trained, passage, spectrogram, explanation, output_folder(out), concept_names(name))
    if as_json:
        print_json(report)
    else:
        _print_report(report, out)


def _print_report(report: dict[str, Any], out: Path) -> None:
    start, end = report["start_s"], report["start_s"] + report["duration_s"]
    largest = max(abs(concept["share"]) for concept in report["concepts"]) or 1  # bars compare the concepts
    print_table(
        f"{report['label']} at {start:g} to {end:g} s of {report['file']}: probability {report['probability']:.2f}",
        ("concept", "", "share", "answers to"),
        (
            (
                f"{report['layer']}-{concept['channel']}",
                bar(abs(concept["share"]) / largest),
                f"{concept['share']:+.1%}",
                concept["name"] or "",
            )
            for concept in report["concepts"]
        ),
    )
    typer.echo(f"Pictures and sounds are in {out}.")
