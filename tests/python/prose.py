"""The prose of a source tree: documents, error messages, documentation and comments, each with its place.

Nothing here needs the package; any checkout will do.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: What prose is for. `messages` are the string literals of production code, `docstrings` what a documentation tool or
#: an editor shows (`///` and `//!` in Rust, docstrings in Python), `comments` all other comments.
KINDS = ("docs", "messages", "docstrings", "comments")

SKIPPED = {".git", "target", "dist", "node_modules", "__pycache__", "demo-out", "mapwave-bench", "site"}

# String literals under these directories are test data or the names of test cases, not messages.
TEST_DIRECTORIES = {"tests", "benches", "fuzz", "fixtures"}


@dataclass(frozen=True)
class Prose:
    """A paragraph, comment or string: its words, with single spaces between them."""

    kind: str
    path: str
    line: int
    text: str


def prose(root: Path) -> Iterator[Prose]:
    """All prose below a directory."""
    for path in _files(root):
        relative = path.relative_to(root)
        reader = _READERS.get(path.suffix) or _READERS.get(path.name)
        if reader is None:
            continue
        is_test = path.name == "tests.rs" or bool(TEST_DIRECTORIES.intersection(relative.parts[:-1]))
        for kind, line, text in reader(path.read_text(encoding="utf-8", errors="replace")):
            if not (kind == "messages" and is_test):
                yield Prose(kind, str(relative), line, " ".join(text.split()))


def _files(directory: Path) -> Iterator[Path]:
    """The files of a tree, without what is built or fetched."""
    for path in sorted(directory.iterdir()):
        if path.is_dir() and not path.is_symlink():
            if path.name not in SKIPPED and not path.name.startswith(".venv"):
                yield from _files(path)
        elif path.is_file():
            yield path


def _markdown(text: str) -> Iterator[tuple[str, int, str]]:
    """Paragraphs and table rows; code spans count as one word, because a name in code is not prose."""
    first, lines = 1, []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if lines and (not line.strip() or line.lstrip().startswith(("|", "- ", "```", "#"))):
            yield "docs", first, _without_code(" ".join(lines))
            lines = []
        if not lines:
            first = number
        if line.strip():
            lines.append(line)


def _rust(text: str) -> Iterator[tuple[str, int, str]]:
    """Comments line by line joined into paragraphs, and the strings outside of `#[cfg(test)]` modules."""
    yield from _c_like(text, is_rust=True)


def _c(text: str) -> Iterator[tuple[str, int, str]]:
    yield from _c_like(text, is_rust=False)


_TOKEN = re.compile(
    r"""
      (?P<line>//[^\n]*)
    | (?P<block>/\*.*?\*/)
    | (?P<raw>\bb?c?r(?P<hashes>\#*)"(?P<raw_body>.*?)"(?P=hashes))
    | (?P<string>"(?P<body>(?:\\.|[^"\\])*)")
    | (?P<char>'(?:\\(?:x[0-9a-fA-F]{2}|u\{[0-9a-fA-F]+\}|.)|[^'\\\n])')
    | (?P<open>\{) | (?P<close>\})
    | (?P<test>\#\[cfg\((?:all\()?test\b[^\]]*\)\]\s*(?:\#\[[^\]]*\]\s*)*(?:pub(?:\([a-z]+\))?\s+)?mod\s+\w+\s*\{)
    """,
    re.VERBOSE | re.DOTALL,
)


def _c_like(text: str, *, is_rust: bool) -> Iterator[tuple[str, int, str]]:
    depth, test_depth = 0, None
    comment: list[str] = []
    kind, first, last = "comments", 0, -1
    line, counted = 1, 0

    for match in _TOKEN.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if match["line"]:
            is_doc = is_rust and re.match(r"//[/!](?!/)", match["line"]) is not None
            this = "docstrings" if is_doc else "comments"
            body = re.sub(r"^//+!?", "", match["line"]).strip()
            if comment and (this != kind or line != last + 1 or not body):
                yield kind, first, _without_code(" ".join(comment))
                comment = []
            if body:
                if not comment:
                    kind, first = this, line
                comment.append(body)
                last = line
        elif match["block"]:
            this = "docstrings" if is_rust and re.match(r"/\*[*!]", match["block"]) else "comments"
            for offset, paragraph in _block_paragraphs(match["block"]):
                yield this, line + offset, _without_code(paragraph)
        elif match["raw_body"] is not None or match["body"] is not None:
            body = match["raw_body"] if match["raw_body"] is not None else match["body"]
            if test_depth is None:
                yield "messages", line, re.sub(r"\\\n\s*", "", body) if match["body"] is not None else body
        elif match["test"]:
            if test_depth is None:
                test_depth = depth
            depth += 1
        elif match["open"]:
            depth += 1
        elif match["close"]:
            depth -= 1
            if test_depth == depth:
                test_depth = None
    if comment:
        yield kind, first, _without_code(" ".join(comment))


def _block_paragraphs(block: str) -> Iterator[tuple[int, str]]:
    first, lines = 0, []
    for offset, line in enumerate([*block[2:-2].splitlines(), ""]):
        body = line.strip().lstrip("*").strip()
        if body:
            if not lines:
                first = offset
            lines.append(body)
        elif lines:
            yield first, " ".join(lines)
            lines = []


def _python(text: str) -> Iterator[tuple[str, int, str]]:
    tree = ast.parse(text)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            head = node.body[0]
            if (
                isinstance(head, ast.Expr)
                and isinstance(head.value, ast.Constant)
                and isinstance(head.value.value, str)
            ):
                docstrings.add(id(head.value))
                for offset, paragraph in _paragraphs(head.value.value):
                    yield "docstrings", head.value.lineno + offset, _without_code(paragraph)
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            words = [piece.value if isinstance(piece, ast.Constant) else "{}" for piece in node.values]
            yield "messages", node.lineno, "".join(map(str, words))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | pieces:
            yield "messages", node.lineno, node.value
    yield from _hash_comments(
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    )


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    first, lines = 0, []
    for offset, line in enumerate([*text.splitlines(), ""]):
        if line.strip():
            if not lines:
                first = offset
            lines.append(line.strip())
        elif lines:
            yield first, " ".join(lines)
            lines = []


def _settings(text: str) -> Iterator[tuple[str, int, str]]:
    """The comments of TOML, YAML, Make and shell, at the beginning of a line or after a space."""
    found = ((number, re.search(r"(?:^|\s)(#.*)$", line)) for number, line in enumerate(text.splitlines(), 1))
    yield from _hash_comments((number, match[1]) for number, match in found if match)


def _hash_comments(comments: Iterator[tuple[int, str]]) -> Iterator[tuple[str, int, str]]:
    first, last, lines = 0, -1, []
    for number, comment in comments:
        if lines and number != last + 1:
            yield "comments", first, _without_code(" ".join(lines))
            lines = []
        if not lines:
            first = number
        lines.append(comment.lstrip("#:").strip())
        last = number
    if lines:
        yield "comments", first, _without_code(" ".join(lines))


def _without_code(text: str) -> str:
    """The text with each code span as one word."""
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "CODE", text)


_READERS = {
    ".md": _markdown,
    ".rs": _rust,
    ".c": _c,
    ".h": _c,
    ".py": _python,
    ".pyi": _python,
    ".toml": _settings,
    ".yml": _settings,
    ".yaml": _settings,
    ".sh": _settings,
    "Makefile": _settings,
}
