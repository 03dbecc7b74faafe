"""The command that measures speed."""

import sys
from contextlib import redirect_stdout
from typing import Any

from core.cli.console import AsJson, Model, print_json, print_table, progress
from core.errors import InputError


def bench(model: Model = None, as_json: AsJson = False) -> None:
    """Measure how fast composing, explaining, recognising and training are.

    Each figure is a ratio to a simpler piece of work that is measured in the same run, such as FluidSynth alone, so
    that it means the same on any computer. The run takes one or two minutes.

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
    with progress("Measuring") as move, redirect_stdout(sys.stderr):  # so that only the result is on standard output
        result = run(trained, on_progress=lambda what: move(description=what))
    if as_json:
        print_json(result)
    else:
        _print_ratios(result)


def _print_ratios(result: dict[str, Any]) -> None:
    from core.bench import AIMS

    about = result["about"]
    print_table(
        f"{about['model']}, {about['layer']}, {about['clip']}, {about['threads']} thread on {about['machine']}",
        ("", "measured", "aim"),
        ((key.replace("_", " "), f"{result[key]:.2f}", aim) for key, aim in AIMS.items()),
    )
