"""The documents as the site's generator reads them.

The documents are written for GitHub too. Two things differ in the generator: a link cannot lead out of ``docs/``, and
what belongs to an item of a list is indented by four spaces.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

BLOB = "https://github.com/mapwave/mapwave/blob/main/"
TREE = "https://github.com/mapwave/mapwave/tree/main/"

_FENCE = re.compile(r"^\s*```")
_LINK = re.compile(r"(?P<text>(?<!!)\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?P<target>[^()\s]+)\)")
_ITEM = re.compile(r"^(?P<indent> *)(?:[-*]|\d+\.) +")


def stage(root: Path, target: Path) -> list[str]:
    """Writes the pages below ``docs/`` to ``target`` and returns their names."""
    names = []
    for source in sorted((root / "docs").rglob("*")):
        name = source.relative_to(root / "docs").as_posix()
        if source.is_dir():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            (target / name).write_text(page(root, f"docs/{name}"))
            names.append(name)
        else:
            (target / name).write_bytes(source.read_bytes())
    return names


def page(root: Path, name: str) -> str:
    """A document by its path in the repository, for the generator."""
    lines = []
    in_code = False
    for line in _indented((root / name).read_text().splitlines()):
        if _FENCE.match(line):
            in_code = not in_code
        lines.append(line if in_code else _LINK.sub(lambda match: _link(root, name, match), line))
    return "\n".join(lines) + "\n"


def _link(root: Path, name: str, match: re.Match[str]) -> str:
    target = match["target"]
    place, hash_, anchor = target.partition("#")
    if not place or re.match(r"[a-z]+:", place):
        return match[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), place))
    if path.startswith("docs/"):
        return match[0]
    start = TREE if (root / path).is_dir() else BLOB
    return f"{match['text']}({start}{path}{hash_}{anchor})"


def _indented(lines: list[str]) -> list[str]:
    """The lines with what belongs to an item of a list four spaces to the right of the item."""
    shown: list[str] = []
    width = 0
    for line in lines:
        item = _ITEM.match(line)
        indent = len(line) - len(line.lstrip())
        if item and not item["indent"]:
            width = item.end()
        elif line.strip() and not indent and shown and not shown[-1].strip():
            width = 0
        if width and indent >= width and line.strip():
            line = " " * 4 + line[width:]
        shown.append(line)
    return shown
