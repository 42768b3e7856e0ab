"""Sessions in a shell, as documents show them: after each "$ " a command, and below it what it prints, to the letter.

``python session.py DOCUMENT`` runs the commands of a document and writes what they print into it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import child
import commandline
import corpus
import markdown

FIXTURES = corpus.FIXTURES

#: What a session finds in its directory, by its name there.
FILES = {
    "talk.wav": FIXTURES / "valid" / "recording.wav",
    "music.mp3": FIXTURES / "compressed" / "mp3-lame.mp3",
    "clips/one.flac": FIXTURES / "compressed" / "flac16.flac",
    "clips/two.flac": FIXTURES / "compressed" / "flac24.flac",
    "clips/more/three.ogg": FIXTURES / "compressed" / "vorbis.ogg",
}


@dataclass(frozen=True)
class Step:
    """A command, what it prints by the document, and the line of the document."""

    line: int
    command: str
    output: str


def steps(document: Path) -> Iterator[Step]:
    """The commands of all blocks of the language "console", in their order."""
    for block in markdown.blocks(document):
        if block.language == "console":
            yield from _steps(block)


def _steps(block: markdown.Block) -> Iterator[Step]:
    line, command, output = block.line, "", ""
    for number, text in enumerate(block.code.splitlines(), block.line):
        if text.startswith("$ "):
            if command:
                yield Step(line, command, output)
            line, command, output = number, text[2:], ""
        else:
            assert command, f"line {number}: a session begins with a command"
            output += text + "\n"
    yield Step(line, command, output)


def set_up(directory: Path) -> None:
    """Puts the files of a session into its directory."""
    for name, source in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, directory / name)
        (directory / name).chmod(0o644)


def printed(step: Step, directory: Path) -> str:
    """What the command prints on both streams, and its exit status if that is not 0."""
    programs = directory / ".bin"
    if not programs.exists():
        programs.mkdir()
        words = " ".join(f"'{word}'" for word in commandline.COMMAND)
        (programs / "mapwave").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (programs / "mapwave").chmod(0o755)
    environment = child.environment(COLUMNS="100", LC_ALL="C.UTF-8")
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", step.command], cwd=directory, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=child.TIMEOUT,
    )  # fmt: skip
    return done.stdout


def write(document: Path) -> None:
    """Writes what the commands print into the document."""
    text = document.read_text()
    with tempfile.TemporaryDirectory() as name:
        set_up(Path(name))
        outputs = iter([printed(step, Path(name)) for step in steps(document)])

    def block(match: re.Match[str]) -> str:
        commands = [line for line in match["code"].splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{command}\n{next(outputs)}" for command in commands) + "```"

    document.write_text(re.sub(r"```console\n(?P<code>.*?)```", block, text, flags=re.DOTALL))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
