"""The session of docs/cli.md, command by command, word by word, and what docs/start.md says is printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import child
import commandline
import markdown
import session

START = Path(__file__).resolve().parents[2] / "docs" / "start.md"
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


def test_the_page_for_beginners_says_what_is_printed(tmp_path: Path) -> None:
    code = "".join(block.code for block in markdown.blocks(START) if block.language == "python")
    code = code.replace("import mapwave\n", "import mapwave.numpy as mapwave\n")
    promised = re.findall(r"^ *print\(.*\) +# (.*)$", code, re.MULTILINE)
    assert len(promised) == code.count("print(") > 3
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=child.environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == promised
