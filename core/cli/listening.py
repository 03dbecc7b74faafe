"""The commands about sounds: compose a clip, recognise the instruments in sound files, explain what was recognised."""

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

SHOWN = 5  # smallest number of rows in the table of a prediction


def compose(
    out: Out,
    seed: Annotated[
        int, typer.Option(min=0, help="Number that chooses the clip; the same seed gives the same bytes.")
    ] = 0,
    instruments: Annotated[str | None, typer.Option(help="Instruments that play, separated by commas.")] = None,
    count: Annotated[int | None, typer.Option(help="How many instruments to draw, 1 to 8, if none are named.")] = None,
    duration: Annotated[float | None, typer.Option(help="Length in seconds, 1 to 30; 5 if not given.")] = None,
    label_set: Annotated[
        str, typer.Option(help="Set of instruments to choose from: general (29) or wimu12 (12).")
    ] = "general",
    style: Annotated[
        str | None,
        typer.Option(
            help="How the music is composed: random (notes without order), musical (melody, harmony, rhythm), "
            "sparse (single exposed notes) or midi (parts of MIDI files); random or musical if not given."
        ),
    ] = None,
    midi_folder: Annotated[
        Path | None, typer.Option(help="Folder of MIDI files to take parts from, with --style midi.")
    ] = None,
    soundfont: Annotated[
        str | None,
        typer.Option(help="Soundfont that plays the instruments: musescore, fluidr3, ...; musescore if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compose a clip: a mix, the stem of each instrument, and the score.

    Writes `mix.wav`, `stems/<instrument>.wav`, `score.mid` and `clip.json`, which describes the clip. The stems add up
    to the mix.

    Examples:
        timbrescope compose --seed 7 --instruments violin,piano --out clip

        timbrescope compose --seed 3 --count 4 --style musical --duration 10 --out clip
    """
    from core.synthesis.clip import compose as compose_clip
    from core.synthesis.export import write_clip

    if instruments is not None and count is not None:
        raise InputError("Give either --instruments or --count, not both.")
    if (style == "midi") != (midi_folder is not None):
        raise InputError("Give --style midi and --midi-folder together.")
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
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sound files: WAV, FLAC, OGG, MP3, M4A, ...")],
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Recognise the instruments in sound files.

    Prints how probable each instrument is in a file, and with `--json` also over time. A file that cannot be read is
    reported on standard error; the others are answered all the same, and the exit status is 2.

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
    """Prints a table for each file: the instruments that were detected, and the next most probable ones."""
    for file, prediction in predictions.items():
        probabilities = dict(zip(prediction.labels, map(float, prediction.probabilities), strict=True))
        shown = prediction.ranking[: max(SHOWN, len(prediction.detected))]
        print_table(
            f"{file} ({prediction.duration:.1f} s, {prediction.model})",
            (prediction.space.noun, "", "probability", ""),
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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sound file: WAV, FLAC, OGG, MP3, M4A, ...")],
    label: Annotated[
        str,
        typer.Option(
            "--label", "--instrument", help="The label to explain, such as violin, whether it was recognised or not."
        ),
    ],
    out: Out,
    model: Model = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Layer whose channels are the concepts, such as conv3; the last one if not given."),
    ] = None,
    start: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Start in seconds of the 5 s to explain; if not given, where the label is most probable.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many concepts to show and to write.")] = 8,
    stems: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder with the true stem of each instrument, `piano.wav` for example, to grade the explanation by.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain why a model hears an instrument: where in the sound, and by which of its inner concepts.

    Writes `report.json`, `relevance.npz` and `relevance.png`; in `reasons/` a picture and the sound of each reason, if
    `timbrescope atlas reasons` has found some; in `concepts/` the same for each concept; `masked.wav` (the part of the
    sound that speaks for the instrument), `complement.wav` (the rest) and `reconstruction.wav` (the notes that the part
    points at, filled in from what the instrument's notes look like). All sounds have one common gain. With `--stems`
    also `truth.png`: the explanation beside what the instrument really played.

    Examples:
        timbrescope explain song.mp3 --label violin --out why

        timbrescope explain clip/mix.wav --label piano --stems clip/stems --layer conv3 --top 4 --out why
    """
    from core.audio import quiet_codecs
    from core.concepts.store import concept_names, dictionary_of
    from core.explanation import playback
    from core.explanation.features import explains_features
    from core.export import open_passage, write_explanation, write_features
    from core.models.store import default_model, load_model

    name = model or default_model()
    trained = load_model(name)
    if explains_features(trained):
        with progress("Explaining"), quiet_codecs():
            report = write_features(trained, file, label, start, output_folder(out))
        print_json(report) if as_json else _print_features(report, out, top)
        return
    with progress("Explaining"):
        with quiet_codecs():
            passage = open_passage(trained, file, label, start, stems)
        spectrogram = trained.frontend.analyse(passage.audio)
        explanation = playback.explain(trained, spectrogram, label, layer, top)
        dictionary = dictionary_of(name)
        reasons = playback.reasons(trained, spectrogram, label, dictionary) if dictionary else ()
        folder = output_folder(out)
        report = write_explanation(trained, passage, spectrogram, explanation, folder, concept_names(name), reasons)
    if as_json:
        print_json(report)
    else:
        _print_report(report, out)


def _print_features(report: dict[str, Any], out: Path, top: int) -> None:
    """Prints the features that contribute most to a margin, for or against."""
    features = report["features"][:top]
    largest = max(abs(each["contribution"]) for each in features) or 1
    print_table(
        f"{report['label']} in {report['file']}: margin {report['logit']:.2f}, {report['base']:.2f} for the mean",
        ("feature", "", "contribution"),
        (
            (each["words"], bar(abs(each["contribution"]) / largest), f"{each['contribution']:+.3f}")
            for each in features
        ),
    )
    typer.echo(f"All features and a picture are in {out}.")


def _print_report(report: dict[str, Any], out: Path) -> None:
    start, end = report["start_s"], report["start_s"] + report["duration_s"]
    title = f"{report['label']} at {start:g} to {end:g} s of {report['file']}: probability {report['probability']:.2f}"
    if report["reasons"]:
        _print_parts(title, "reason", [(part["id"], part) for part in report["reasons"]])
    _print_parts(title, "concept", [(f"{report['layer']}-{part['channel']}", part) for part in report["concepts"]])
    typer.echo(f"Pictures and sounds are in {out}.")


def _print_parts(title: str, kind: str, parts: list[tuple[str, dict[str, Any]]]) -> None:
    largest = max(abs(part["share"]) for _, part in parts) or 1  # bars compare the parts
    print_table(
        title,
        (kind, "", "share", "responds to"),
        (
            (name, bar(abs(part["share"]) / largest), f"{part['share']:+.1%}", part["name"] or "")
            for name, part in parts
        ),
    )
