"""Commands about models: composing data sets, training, measuring, and the list of models."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import AsJson, Model, Out, bar, complain, output_folder, print_json, print_table, progress
from core.errors import InputError

if TYPE_CHECKING:
    from core.evaluation.mcnemar import McNemar
    from core.evaluation.record import ChoiceEvaluation, Evaluation, EvaluationSubject, Slice
    from core.records import Interval
    from core.training.config import TrainingPlan

SHOWN = 3  # clips that are left out, with the reason
SHOWN_ARTISTS = 8

Data = Annotated[Path, typer.Option("--data", file_okay=False, help="Folder of the data.")]


def dataset(
    recipe: Annotated[str, typer.Argument(help='Recipe of the clips, such as rich, wimu12 or "wimu12;count=1".')],
    clips: Annotated[int, typer.Option(min=1, help="Number of clips.")],
    out: Out,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes; one for each core if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Data sets with different seeds have no clip in common.")] = 0,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Compose on a Dask cluster, tcp://host:8786; all its workers must share the folder given as --out.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compose a data set to train on or to measure with.

    Writes `manifest.parquet`, with one row for each clip, and features that can be memory-mapped. The same command
    continues an interrupted build and composes damaged parts again; the number of workers does not change the result.

    Examples:
        timbrescope dataset rich --clips 20000 --out data/rich

        timbrescope dataset "wimu12;style=musical" --clips 1000 --seed 1 --out data/test

        timbrescope dataset rich --clips 10000000 --out /shared/rich --cluster tcp://host:8786
    """
    from core.corpora.build import DatasetPlan, build_dataset
    from core.frontends.frontend import FrontendConfig

    if workers and cluster is not None:
        raise InputError("Give --workers or --cluster, not both: a cluster has its own number of workers.")
    plan = DatasetPlan(recipe, clips, seed, FrontendConfig())
    with progress("Composing", total=clips) as move:
        manifest = build_dataset(plan, output_folder(out), workers, lambda finished: move(advance=finished), cluster)
    if as_json:
        print_json({"recipe": recipe, "clips": clips, "seed": seed, "manifest": str(manifest)})
    else:
        typer.echo(f"{manifest}: {clips} clips of {recipe}")


def train(
    config: Annotated[str, typer.Argument(help="A TOML file, or the name of a shipped one: wimu12-shallow, ...")],
    data: Data,
    out: Out,
    stage: Annotated[
        int | None, typer.Option(min=1, help="Which stage to train; the first one not trained in --out if not given.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Number of epochs, instead of that in the configuration.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the stage's last checkpoint.")] = False,
    devices: Annotated[
        str | None,
        typer.Option(help="Lightning's option: how many GPUs of a machine to use, or which."),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, help="Lightning's option: how many machines.")] = 1,
    strategy: Annotated[
        str | None, typer.Option(help="Lightning's option: how devices work together, such as ddp.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on a data set.

    Writes `model.safetensors` and `card.json`, and under `training/` the checkpoints and a CSV log.

    A configuration may have several stages; the command trains one of them, on the data that this stage asks for. To
    compose that data, give `timbrescope dataset` the stage's `recipe`, the sum of its `clips` and `validation` as
    `--clips`, and its `data_seed` as `--seed`. With other data the command stops and prints how to compose the right
    data.

    The weights after each stage are kept in `training/stage-N.safetensors`. A stage starts only from weights with the
    checksum that the configuration gives.

    Examples:
        timbrescope dataset wimu12 --clips 32768 --seed 8 --out data/wimu12

        timbrescope train wimu12-shallow --data data/wimu12 --out runs/wimu12-shallow

        timbrescope train general-deep-rich --stage 2 --data data/rich --out runs/general-deep-rich --resume

        timbrescope train mine.toml --data /shared/general --out runs/mine --devices 4 --nodes 2 --strategy ddp
    """
    from core.training.config import read_plan
    from core.training.stages import choose_stage

    plan = read_plan(config)
    number = choose_stage(plan, out, stage)
    plan = plan.changed(number, epochs=epochs, devices=devices, strategy=strategy)
    try:
        from core.training.train import train as train_model
    except ModuleNotFoundError as error:
        raise InputError(f"Training needs {error.name}; install it with `uv pip install -e '.[train]'`.") from error
    from core.training.fit import FITS, fit

    with redirect_stdout(sys.stderr):  # where Lightning's progress belongs
        fits = plan.stage(number).architecture in FITS
        folder = output_folder(out)
        card = fit(plan, number, data, folder) if fits else train_model(plan, number, data, folder, resume, nodes)
    if card is None:  # a helper process of Lightning
        return
    if as_json:
        print_json(card.model_dump())
    else:
        typer.echo(f"{out}: {card.name}, {card.parameters} parameters, trained for {card.training.minutes:g} minutes")
        typer.echo(_what_follows(plan, number, card.training.weights_sha256))


def _what_follows(plan: "TrainingPlan", number: int, weights_sha256: str | None) -> str:
    """The next stage and its data; after the last stage, whether the weights have the checksum in the configuration."""
    from core.training.stages import dataset_command

    if number < len(plan.stages):
        data = dataset_command(plan.stage(number + 1))
        return f"Stage {number + 1} of {len(plan.stages)} comes next" + (f"; compose its data: {data}" if data else "")
    if plan.weights_sha256 is None:
        return f"The checksum of the weights is {weights_sha256}"
    have = "have" if weights_sha256 == plan.weights_sha256 else "do not have"
    return f"The weights {have} the checksum that the configuration gives, {plan.weights_sha256}"


def evaluate(
    data: Data,
    model: Model = None,
    split: Annotated[str | None, typer.Option(help="Measure on this split of the data only.")] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Another model with one answer for each clip, to compare with (McNemar)."),
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="Keep the result beside the model under this name, and a summary in its card.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well a model recognises instruments or genres.

    The data is a built data set; a folder of sound files with a `labels.csv` whose columns include `file` and
    `instruments` (joined by semicolons) or `genre`; a folder with a folder of sound files for each genre; or a folder
    of IRMAS, OpenMIC-2018, GTZAN, FMA-small or of precomputed log-mels. Labels that the model does not know are left
    out and named, and so are files that cannot be read. Each score comes with its 95 % bootstrap interval over clips.
    What is analysed of sound files is kept in `~/.cache/timbrescope`, or in the folder that `TIMBRESCOPE_CACHE` names.

    Clips that the model was trained on are refused. `--split` chooses a part of the data: `validation` is what was held
    out of the data set that the model was trained on, `train` and `test` are those of OpenMIC-2018, `training` and
    `testing` those of IRMAS, `training`, `validation` and `test` those of FMA-small. GTZAN has its fault-filtered lists
    `train`, `valid` and `test`, and the folds `fold1` to `fold3`. A `labels.csv` names its own in a column `split`.
    Nothing should be chosen by a test list: the record of a split called `test` says how many looks there were at it.

    Examples:
        timbrescope evaluate --model wimu12-shallow --data data/test

        timbrescope evaluate --model runs/mine --data data/rich --split validation

        timbrescope evaluate --data recordings --json

        timbrescope evaluate --data data/count-3 --record count-3

        timbrescope evaluate --model runs/cnn --data GTZAN --split test --against runs/svm
    """
    from core.evaluation.evaluate import compare
    from core.evaluation.evaluate import evaluate as evaluate_model
    from core.evaluation.record import ChoiceEvaluation, record_name
    from core.evaluation.record import record as keep
    from core.models.store import default_model, load_model

    name = model or default_model()
    trained, other = load_model(name), load_model(against) if against is not None else None
    if record is not None:
        record_name(record)
    with progress("Listening") as move:

        def on_progress(done: int, total: int) -> None:
            move(completed=done, total=total)

        if other is None:
            result = evaluate_model(trained, data, on_progress, split)
        else:
            result = compare(trained, other, data, on_progress, split)
    if record is not None:
        result = type(result).read(keep(name, record, result), "measure it again")
    _tell_skipped(result)
    if as_json:
        print_json(result.to_json())
    elif isinstance(result, ChoiceEvaluation):
        _print_choices(result)
    else:
        _print_scores(result)


def _tell_skipped(result: "EvaluationSubject") -> None:
    """Names the clips that could not be read, in one line on standard error."""
    if result.skipped:
        clips = len(result.skipped)
        reasons = list(result.skipped.values())
        rest = f" And {clips - SHOWN} more." if clips > SHOWN else ""
        complain(f"{clips} of {clips + result.clips} clips are left out: {' '.join(reasons[:SHOWN])}{rest}")


def _print_choices(result: "ChoiceEvaluation") -> None:
    """The figures of a model that answers with one label, over all clips and of each label."""
    overall = {"accuracy": result.accuracy, "macro-F1": result.macro_f1, "among the likeliest three": result.top3}
    print_table(f"{result.model} on {result.clips} clips", overall, [[_interval(each) for each in overall.values()]])
    print_table(
        "",
        (result.noun, "clips", "precision", "recall", "F1", ""),
        (
            (
                label,
                str(scores.support),
                *(_interval(each) for each in (scores.precision, scores.recall, scores.f1)),
                bar(scores.f1.value or 0),
            )
            for label, scores in result.per_label.items()
        ),
    )
    _print_errors(result)
    _print_unknown(result)
    if result.against is not None:
        _print_comparison(result.against)
    if result.looks is not None:
        typer.echo(f"Look {result.looks} of this model at this test list that is on record")


def _print_errors(result: "ChoiceEvaluation") -> None:
    """The artists with the most errors, if it is known who plays."""
    from core.evaluation.errors import by_artist

    artists = list(by_artist(result.answers).items())
    if not artists:
        return
    typer.echo(f"accuracy with its interval over artists: {_interval(result.accuracy_by_artist)}")
    print_table(
        "Most errors",
        ("artist", "clips", "right", "taken for"),
        (
            (artist, str(each.clips), str(each.right), ", ".join(f"{label} {n}" for label, n in each.taken_for.items()))
            for artist, each in artists[:SHOWN_ARTISTS]
        ),
    )


def _print_comparison(found: "McNemar") -> None:
    typer.echo(
        f"Of {found.clips} clips, {found.only_this} are right here only, {found.only_other} with {found.against} only, "
        f"{found.both_right} with both: p = {found.p:.3g} (McNemar's exact test)"
    )


def _print_scores(result: "Evaluation") -> None:
    """The figures over all clips and by slices, then those of each instrument, with their intervals."""
    slices: dict[str, Evaluation | Slice] = {
        "all": result,
        **_named("instruments", result.by_count),
        **_named("kind", result.by_kind),
        **_named("family", result.by_family),
    }
    print_table(
        f"{result.model} on {result.clips} clips",
        ("", "clips", "mAP", "macro-F1", "micro-F1"),
        (
            (name, str(scores.clips), *map(_interval, (scores.mAP, scores.macro_f1, scores.micro_f1)))
            for name, scores in slices.items()
        ),
    )
    typer.echo(f"The likeliest label of a solo is right: {_interval(result.top1_solo)}")
    print_table(
        "",
        ("instrument", "clips", "AP", "", "F1"),
        (
            (
                label,
                str(scores.support),
                _interval(scores.ap),
                bar(scores.ap.value or 0),
                _interval(scores.f1),
            )
            for label, scores in result.per_instrument.items()
        ),
    )
    _print_unknown(result)


def _print_unknown(result: "EvaluationSubject") -> None:
    if result.unknown_labels:
        typer.echo(f"Left out, since the model does not know them: {', '.join(result.unknown_labels)}")


def _interval(score: "Interval") -> str:
    """``0.805 [0.79-0.82]``; a dash where there was nothing to measure."""
    if score.value is None:
        return "–"
    return f"{score.value:.3f} [{score.low:.2f}-{score.high:.2f}]"


def _named(kind: str, slices: "dict[str, Slice]") -> "dict[str, Slice]":
    return {f"{kind}: {name}": scores for name, scores in slices.items()}


def models(as_json: AsJson = False) -> None:
    """List the trained models and what their cards say.

    Examples:
        timbrescope models

        timbrescope models --json
    """
    from core.models.store import card, model_names

    cards = [card(name) for name in model_names()]
    if as_json:
        print_json([card.model_dump() for card in cards])
        return
    print_table(
        "Trained models",
        ("name", "labels", "parameters", "trained on", ""),
        (
            (c.name, str(len(c.labels)), f"{c.parameters:,}", f"{c.training.clips:,} clips of {c.training.recipe}",
             "default" if c.default else "")
            for c in cards
        ),
    )  # fmt: skip
