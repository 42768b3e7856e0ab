"""The session of docs/cli.md, command by command, word by word."""

from __future__ import annotations

import os
from pathlib import Path

import commandline
import session

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_every_command_prints_what_the_document_says(tmp_path: Path) -> None:
    session.set_up(tmp_path)
    steps = list(session.steps(DOCUMENT))
    assert len(steps) > 20
    for step in steps:
        if "mapwave index" in step.command and "MAPWAVE_COMMAND" in os.environ:
            continue  # the Python package's
        assert session.printed(step, tmp_path) == step.output, f"docs/cli.md:{step.line}: {step.command}"


def test_every_verb_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    listed = commandline.ok("--help").partition("Commands:\n")[2].partition("\n\n")[0]
    verbs = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
    assert len(verbs) > 10
    assert [verb for verb in verbs if f"mapwave {verb}" not in text] == []
