"""Training configurations: what their files may say, and that the shipped ones say how the shipped models were made."""

import hashlib
from pathlib import Path

import pytest

from core.corpora.build import SEEDS_PER_DATASET, DatasetPlan
from core.corpora.corpus import split_hash
from core.errors import InputError
from core.models.card import read_card
from core.models.store import WEIGHTS, model_names
from core.paths import TRAINED_MODELS
from core.training.config import CONFIGS, MODEL_KEYS, TrainingPlan, read_plan

MODEL = 'name="a"\ntitle="b"\ndescription="c"\nlabel_set="general"\n'
SHA = "0" * 64
OWN_KEYS = {"recipe", "data_seed", "clips", "epochs", "weight_seed", "start_sha256"}  # in a stage and in its record


def test_every_shipped_model_has_a_configuration_and_no_other() -> None:
    assert sorted(path.stem for path in CONFIGS.glob("*.toml")) == sorted(model_names())


@pytest.mark.parametrize("name", model_names())
def test_a_shipped_configuration_says_what_the_card_says(name: str) -> None:
    plan, card = read_plan(name), read_card(TRAINED_MODELS / name)
    assert plan == read_plan(str(CONFIGS / f"{name}.toml"))
    last = plan.stages[-1]
    assert last.model_dump(include={*MODEL_KEYS, "config"}) == card.model_dump(include={*MODEL_KEYS, "config"})
    records = list(card.training.history)[::-1]
    assert len(records) == len(plan.stages)
    for stage, record in zip(plan.stages, records, strict=True):
        assert stage.model_dump(include=OWN_KEYS) == record.model_dump(include=OWN_KEYS)
        assert (stage.validation, stage.data_seed) == (record.validation_clips, record.validation_seed)
        settings = {key: value for key, value in record.settings.items() if key != "start_from"}
        assert stage.model_dump(include=set(settings)) == settings
        assert (stage.starts_from is None) == (record.previous is None)


@pytest.mark.parametrize("name", model_names())
def test_a_shipped_card_holds_the_checksums_of_all_its_stages(name: str) -> None:
    plan, card = read_plan(name), read_card(TRAINED_MODELS / name)
    records = list(card.training.history)[::-1]
    assert [record.stage for record in records] == list(range(1, len(plan.stages) + 1))
    ends = [*(stage.start_sha256 for stage in plan.stages[1:]), plan.weights_sha256]
    assert [record.weights_sha256 for record in records] == ends
    for record in records:
        plan_of_clips = DatasetPlan(record.recipe, record.clips, record.data_seed, card.frontend)
        first = plan_of_clips.clip_name(0).rpartition("@")[0]
        seeds = range(record.data_seed * SEEDS_PER_DATASET, record.data_seed * SEEDS_PER_DATASET + record.clips)
        assert record.split_hash == split_hash(f"{first}@{seed}" for seed in seeds)


@pytest.mark.parametrize("name", model_names())
def test_a_shipped_configuration_pins_the_shipped_weights(name: str) -> None:
    content = (TRAINED_MODELS / name / WEIGHTS).read_bytes()
    assert read_plan(name).weights_sha256 == hashlib.sha256(content).hexdigest()


def test_the_first_stage_of_the_default_model_is_a_model_of_its_own() -> None:
    assert read_plan("general-deep-rich").stage(2).start_sha256 == read_plan("general-deep-rich-8").weights_sha256
    first, alone = read_plan("general-deep-rich").stage(1), read_plan("general-deep-rich-8").stage(1)
    assert first.model_dump(exclude=MODEL_KEYS) == alone.model_dump(exclude=MODEL_KEYS)


def plan_of(text: str, folder: Path) -> TrainingPlan:
    path = folder / "mine.toml"
    path.write_text(text)
    return read_plan(str(path))


def test_a_file_without_stages_is_one_stage(tmp_path: Path) -> None:
    plan = plan_of(f"{MODEL}epochs=3\nmix_share=0.5", tmp_path)
    assert [(stage.epochs, stage.mix_share, stage.recipe) for stage in plan.stages] == [(3, 0.5, None)]
    assert plan == plan_of(f"{MODEL}[[stage]]\nepochs=3\nmix_share=0.5", tmp_path)


def test_stages_change_what_the_top_says(tmp_path: Path) -> None:
    plan = plan_of(
        f"""{MODEL}
        epochs = 3
        config = {{ widths = [8, 8], patch = 2 }}
        [[stage]]
        config = {{ widths = [4, 4] }}
        [[stage]]
        starts_from = "previous"
        epochs = 5
        """,
        tmp_path,
    )
    assert [(stage.epochs, stage.starts_from) for stage in plan.stages] == [(3, None), (5, "previous")]
    assert [stage.config["widths"] for stage in plan.stages] == [[4, 4], [8, 8]]
    assert [stage.config["patch"] for stage in plan.stages] == [2, 2]
    longer = plan.changed(1, epochs=9, devices=None)
    assert [stage.epochs for stage in longer.stages] == [9, 5]
    assert [stage.devices for stage in longer.stages] == ["auto", "auto"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no training configuration.*wimu12-shallow"),
        ("name = ", "not a TOML file"),
        ('name = "a"', "configuration: title: Field required"),
        (f"{MODEL}epochs=0", "configuration: epochs: Input should be greater"),
        (f"{MODEL}epoch=3", "epoch: Extra inputs"),
        (f"{MODEL}start_share=0.5", "start_share needs starts_from"),
        (f'{MODEL}start_sha256="{SHA}"', "start_sha256 needs starts_from"),
        (f'{MODEL}starts_from="general-deep-rich"', "starts_from a model needs start_sha256"),
        (f'{MODEL}starts_from="x"\nstart_sha256="abc"', "start_sha256: String should match"),
        (f'{MODEL}starts_from="previous"', "no stage comes before the first"),
        (f"{MODEL}weights_sha256=3", "weights_sha256: Input should be a valid string"),
        (f"{MODEL}stage=3", "stage: Input should be a valid list"),
        (f"{MODEL}stage=[]", "stage: List should have at least 1 item"),
        (f"{MODEL}[stage]\nepochs=3", "stage: Input should be a valid list"),
        (f"{MODEL}[[stage]]\n[[stage]]\nepochs=0", "stage 2: epochs: Input should be greater"),
        (f'{MODEL}[[stage]]\n[[stage]]\ntitle="d"', "stage 2: title belongs at the top"),
    ],
)
def test_bad_configurations(text: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_plan(str(path))
    assert "\n" not in str(error.value)
