"""Counts phrases that mapwave's prose avoids, because English has a plainer word for each.

``python tests/python/english.py [ROOT]`` prints a table of each phrase by the kind of prose, and
``python tests/python/english.py [ROOT] --list KIND [PHRASE]`` the places.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import prose

#: Each phrase: what to write instead, and a pattern that leaves other uses of the words alone.
PHRASES: dict[str, tuple[str, str]] = {
    "coded": ("compressed, encoded", r"(?<!hard-)\bcoded\b"),
    "cut off": ("truncated, trimmed", r"\bcut(?:s|ting)? off\b"),
    "gone back in": ("seekable", r"\bg(?:o|oes|one|oing) back (?:in|inside|within)\b(?! time)"),
    "refused with": ("rejected", r"\brefus(?:e|es|ed|ing) with\b"),
    "let go of": ("released, dropped", r"\blet(?:s|ting)? (?:\w+ )?go(?: of)?\b"),
    "wall": ("plugin boundary", r"(?<!-)\bwalls?\b(?![ -](?:clock|time))"),
    "who is asked": ("the plugin that is tried", r"\bwho (?:is|are|was|were) asked\b"),
    "what is there": (
        "what the file holds",
        r"\bwhat (?:(?:is|are|was|were) (?:not )?there|there (?:is|are|was|were))\b",
    ),
    "of no effect": ("has no effect, is ignored", r"\bof no effect\b"),
    "anew": ("again, from the start", r"\banew\b"),
    "is no X": (
        "is not a, is not an",
        r"(?P<existential>\bthere(?:'s)? (?:(?:must|can|could|may|might|will|would|should|has|have|had) )?)?"
        r"\b(?:is|are|was|were|be|been|being) "
        r"no (?!longer\b|more\b|less\b|fewer\b|better\b|worse\b|different\b|other\b|one\b)[a-z]",
    ),
    "as its bytes deserve": ("depending on what is wrong with the file", r"\bbytes deserve\b"),
    "written so": ("the settings were rejected", r"\b(?:be|is|are|was|were|been) written so\b(?! (?:that|far|as)\b)"),
    "is told to be": ("is reported as", r"\b(?:is|are|was|were|be|been) told to be\b"),
    "surer of": ("reports a higher score", r"\bsur(?:er|est)\b"),
    "in vain": ("timed out, without a result", r"\bin vain\b"),
    "come by": ("allocated, obtained", r"\b(?:come|comes|came|coming) by\b"),
    "not as much": ("not enough", r"\bnot (?:as|that|so) much memory\b"),
}

_PATTERNS = {phrase: re.compile(pattern, re.IGNORECASE) for phrase, (_, pattern) in PHRASES.items()}

# These two hold the phrases themselves.
_SELF = {"tests/python/english.py", "tests/python/test_english.py"}


def phrases_in(text: str) -> Iterator[str]:
    """The phrases in a text, each as often as it stands there."""
    for phrase, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            # "There is no such file" is plain English; "this is no file" is not.
            if not match.groupdict().get("existential"):
                yield phrase


def places(root: Path) -> Iterator[tuple[str, prose.Prose]]:
    """Each phrase found below a directory, and where."""
    for found in prose.prose(root):
        if found.path not in _SELF:
            for phrase in phrases_in(found.text):
                yield phrase, found


def table(root: Path) -> str:
    """The counts as a Markdown table."""
    counts = Counter((phrase, found.kind) for phrase, found in places(root))
    rows = [["phrase", *prose.KINDS], ["---", *("---:" for _ in prose.KINDS)]]
    rows += [[phrase, *(str(counts[phrase, kind]) for kind in prose.KINDS)] for phrase in PHRASES]
    totals = [str(sum(counts[phrase, kind] for phrase in PHRASES)) for kind in prose.KINDS]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*rows, ["all", *totals]])


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parents[2]
    if arguments and not arguments[0].startswith("--"):
        root = Path(arguments.pop(0))
    if not arguments:
        print(table(root))
        return 0
    _, kind, *wanted = arguments
    for phrase, found in places(root):
        if found.kind == kind and (not wanted or phrase in wanted):
            print(f"{found.path}:{found.line}: [{phrase}] {found.text[:300]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
