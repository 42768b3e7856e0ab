"""Code blocks and links of Markdown files."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\s,]*)\S*\s*$")
_LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\[\]]*\])*\]\((?P<target>[^()\s]+)\)")
_IMAGE = re.compile(r"!\[[^\[\]]*\]\((?P<target>[^()\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced code block."""

    language: str
    line: int
    """The line of the file on which its code begins."""
    code: str

    def commands(self) -> Iterator[tuple[int, str]]:
        """The commands of a shell block, each with its line, without comments and with its continuation lines."""
        command, first = "", self.line
        for number, line in enumerate(self.code.splitlines(), self.line):
            line = re.sub(r"(^|\s)#.*$", "", line).rstrip()
            if not command:
                first = number
            command += line.removesuffix("\\").strip() + " "
            if not line.endswith("\\"):
                if command.strip():
                    yield first, command.strip()
                command = ""


def blocks(path: Path) -> Iterator[Block]:
    """The fenced code blocks of a file."""
    fence, lines, first = None, [], 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = _FENCE.match(line)
        if fence is None and match:
            fence, lines, first = match, [], number + 1
        elif fence is not None and line.strip() == "```":
            yield Block(fence["language"], first, textwrap.dedent("\n".join(lines)) + "\n")
            fence = None
        elif fence is not None:
            lines.append(line)
    assert fence is None, f"{path}: the code block at line {first - 1} has no end"


def links(path: Path) -> Iterator[tuple[int, str]]:
    """The targets of links outside of code, each with its line."""
    yield from _targets(path, _LINK)


def images(path: Path) -> Iterator[tuple[int, str]]:
    """The addresses of pictures, each with its line."""
    yield from _targets(path, _IMAGE)


def _targets(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    in_code = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            for match in pattern.finditer(re.sub(r"`[^`]*`", "CODE", line)):
                yield number, match["target"]


def anchors(path: Path) -> set[str]:
    """The names by which links reach the headings of a file, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
