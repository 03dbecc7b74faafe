"""Which models are compared with each other, read from a TOML file beside the records of the studies."""

import tomllib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.errors import InputError
from core.models.card import Training
from core.models.store import card, model_names
from core.paths import STUDIES, TRAINED_MODELS
from core.records import Part

CONTRASTS = "contrasts.toml"


class Contrast(Part):
    """Two kinds of models that differ in one thing.

    Attributes:
        title: The question that comparing them answers.
        kinds: The kind of the first and of the second model of each pair.
        pairs: The names of two models that differ in this one thing, by what they have in common.
    """

    title: str
    kinds: tuple[str, str]
    pairs: dict[str, tuple[str, str]]


def contrasts(root: Path = TRAINED_MODELS) -> dict[str, Contrast]:
    """The contrasts of ``root`` with the pairs whose models are both on disk; contrasts without any are left out.

    Raises:
        InputError: the file is damaged, or the two models of a pair were trained for different times.
    """
    path, there = root / STUDIES / CONTRASTS, set(model_names(root))
    present = {}
    for key, contrast in _read(path).items():
        pairs = {common: pair for common, pair in contrast.pairs.items() if there.issuperset(pair)}
        for pair in pairs.values():
            _check_training(pair, root, path)
        present[key] = contrast.model_copy(update={"pairs": pairs})
    return {key: contrast for key, contrast in present.items() if contrast.pairs}


def _read(path: Path) -> dict[str, Contrast]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(dict[str, Contrast]).validate_python(content)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path} does not describe contrasts ({place}: {first['msg']}); correct it.") from error
    except ValueError as error:
        raise InputError(f"{path} is not a TOML file ({error}); correct it.") from error


def _check_training(pair: tuple[str, str], root: Path, path: Path) -> None:
    """Refuses a pair with trainings of different length, which would be a second difference."""
    a, b = (_amount(card(str(root / name)).training) for name in pair)
    if a != b:
        raise InputError(
            f"{path} compares {pair[0]} with {pair[1]}, which were not trained for as many epochs over as many clips; "
            "choose another pair."
        )


def _amount(training: Training) -> list[tuple[int, int]]:
    """Epochs and clips of a training and of the trainings before it."""
    own = (training.epochs, training.clips)
    return [own, *(_amount(training.previous) if training.previous else [])]
