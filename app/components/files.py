"""The HTML, CSS and JavaScript that lie beside a component's own module."""

from pathlib import Path


def source(module: str, *names: str) -> str:
    """The contents of files in the folder of ``module`` (its ``__file__``), one after the other."""
    return "\n".join(Path(module).with_name(name).read_text(encoding="utf-8") for name in names)
