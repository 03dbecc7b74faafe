"""The command that checks the installation."""

import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from core.cli.console import BAD_INPUT, AsJson, complain, print_json, progress

if TYPE_CHECKING:
    from core.doctor import Finding


def doctor(as_json: AsJson = False) -> None:
    """Check the installation, and say how to fix what is missing or broken.

    Examines the computer, Python and its libraries, FluidSynth, ffmpeg, the soundfonts and the models. Please paste the
    output into bug reports. The exit status is 2 if something that Timbrescope needs is missing or broken, else 0.

    Examples:
        timbrescope doctor

        timbrescope doctor --json
    """
    from core.doctor import examine, worst

    with progress("Examining") as move, redirect_stdout(sys.stderr):  # so that only the report is on standard output
        findings = examine(lambda what: move(description=what))
    if as_json:
        print_json({"status": worst(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    broken = [finding.name or finding.topic for finding in findings if finding.status == "broken"]
    if broken:
        complain(f"Missing or broken: {', '.join(broken)}; the report says what to do.")
        raise typer.Exit(BAD_INPUT)


def _print(findings: "list[Finding]") -> None:
    """A line for each finding, with its remedy below; all libraries without a problem share a line.

    Long lines are not wrapped, so that nothing is cut when they are pasted into a bug report.
    """
    good = [finding for finding in findings if (finding.topic, finding.status) == ("library", "good")]
    for finding in findings:
        if finding not in good:
            _print_line(finding.status, f"{finding.topic} {finding.name}", finding.found)
            if finding.remedy:
                _print_line("", "", finding.remedy)
    _print_line("good", "libraries", ", ".join(f"{finding.name} {finding.found}" for finding in good))


def _print_line(status: str, subject: str, text: str) -> None:
    typer.echo(f"{status:8} {subject:29} {text}")
