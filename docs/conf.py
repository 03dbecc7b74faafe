"""How Sphinx builds the documentation; `make docs` runs it."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = "Timbrescope"
copyright = "the Timbrescope authors"
version = release = installed_version("timbrescope")

extensions = [
    "myst_parser",
    "sphinx.ext.apidoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["pictures"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # links between the files of the repository, which are included here

# The reference of the library is generated from its docstrings at every build.
apidoc_modules = [
    {
        "path": str(ROOT / "core"),
        "destination": "api",
        "exclude_patterns": [str(ROOT / "core" / "cli")],
        "separate_modules": True,
        "module_first": True,
        "automodule_options": {"members", "show-inheritance"},
    }
]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # docstrings of Lightning are written for its own documentation
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# An attribute is documented in its class's docstring; autodoc would list it a second time.
napoleon_use_ivar = True

html_theme = "furo"
html_title = "Timbrescope"
html_favicon = "../app/icon.svg"
html_static_path: list[str] = []


def write_commands() -> None:
    """The reference of the command line, from its own help texts."""
    from typer.cli import get_docs_for_click
    from typer.main import get_command

    from core.cli import app

    command = get_command(app)
    context = command.make_context("timbrescope", [], resilient_parsing=True)
    text = get_docs_for_click(obj=command, ctx=context, name="timbrescope", title="Commands")
    (ROOT / "docs/commands.md").write_text(text, encoding="utf-8")


write_commands()
