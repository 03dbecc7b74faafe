"""The command that measures how fast the others can be."""

import sys
from contextlib import redirect_stdout
from typing import Any

from core.cli.console import AsJson, Model, print_json, print_table, progress
from core.errors import InputError


def bench(model: Model = None, as_json: AsJson = False) -> None:
    """Measure how fast the costly work is, as ratios to what it can be compared with.

    Both sides are measured in turn in one run of a minute or two, so that the ratios mean the same on any machine.

    Examples:

        timbrescope bench

        timbrescope bench --json
    """
    try:
        from core.bench import bench as run
    except ModuleNotFoundError as error:
        raise InputError(f"Measuring needs {error.name}; install it with `uv pip install -e '.[train]'`.") from error
    from core.models.store import default_model, load_model

    trained = load_model(model or default_model())
    with progress("Measuring") as move, redirect_stdout(sys.stderr):  # where Lightning's remarks belong
        result = run(trained, on_progress=lambda what: move(description=what))
    if as_json:
        print_json(result)
    else:
        _print_ratios(result)


def _print_ratios(result: dict[str, Any]) -> None:
    from core.bench import AIMS

    about = result["about"]
    print_table(
        f"{about['model']}, {about['layer']}, {about['clip']}, {about['threads']} thread of {about['machine']}",
        ("", "measured", "aim"),
        ((key.replace("_", " "), f"{result[key]:.2f}", aim) for key, aim in AIMS.items()),
    )
