"""Calls and commands in the prose of documents, as in tables: each names what exists, with arguments that it takes."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import commandline
import mapwave.numpy
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def _spans() -> Iterator[tuple[str, int, str]]:
    """The code spans outside of code blocks, each with its document and line."""
    for document in DOCUMENTS:
        in_code = False
        for number, line in enumerate(document.read_text().splitlines(), 1):
            if line.lstrip().startswith("```"):
                in_code = not in_code
            elif not in_code:
                for span in re.findall(r"`([^`]+)`", line):
                    yield str(document.relative_to(REPOSITORY)), number, span.replace("\\|", "|")


def _calls() -> Iterator[Any]:
    """The calls of mapwave's functions, from the outermost one on: `mapwave.open(path).blocks(n)` has one of `open`."""
    for document, line, span in _spans():
        if not span.startswith("mapwave."):
            continue
        try:
            tree = ast.parse(span, mode="eval")
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and re.match(r"mapwave\.[\w.]+$", ast.unparse(node.func)):
                yield pytest.param(node, id=f"{document}:{line}:{span}")


def _found(name: str) -> Any:
    """What a dotted name stands for; without a library of its own, NumPy's."""
    place: Any = SimpleNamespace(mapwave=mapwave.numpy)
    path = ""
    for part in name.split("."):
        path = f"{path}.{part}" if path else part
        place = getattr(place, part) if hasattr(place, part) else importlib.import_module(path)
    return place


@pytest.mark.parametrize("call", list(_calls()))
def test_a_call_in_the_prose_can_be_made(call: ast.Call) -> None:
    name = ast.unparse(call.func)
    if name.startswith(("mapwave.mlx", "mapwave.torch", "mapwave.ray", "mapwave.hf", "mapwave.lhotse", "mapwave.aio")):
        pytest.skip("of a library that may be absent")
    arguments = [each for each in call.args if ast.unparse(each) != "..."]
    keywords = {each.arg: None for each in call.keywords if each.arg}
    if not call.args and not call.keywords:
        assert callable(_found(name))  # such as `mapwave.load()`, for the function
        return
    signature = inspect.signature(_found(name))
    bind = signature.bind_partial if len(arguments) < len(call.args) else signature.bind
    bind(*arguments, **keywords)


def _commands() -> Iterator[Any]:
    for document, line, span in _spans():
        words = span.split()
        if words[0] == "mapwave" and len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]):
            yield pytest.param(words[1:], id=f"{document}:{line}:{span}")


@functools.cache
def _help(*verbs: str) -> str:
    return commandline.ok(*verbs, "--help")


@pytest.mark.parametrize("words", list(_commands()))
def test_a_command_in_the_prose_has_its_options(words: list[str]) -> None:
    if words[0] == "play":
        pytest.skip("of a binary with the feature of this name")
    verbs = [words[0]]
    if words[0] == "plugins" and len(words) > 1:
        verbs.append(words[1])
    text = _help(*verbs)
    for word in words[1:]:
        option = re.match(r"(--[a-z-]+|-[a-zA-Z])\b", word)
        if option and option[1] != "--help":
            assert re.search(rf"(?<![\w-]){option[1]}(?![\w-])", text), f"mapwave {' '.join(verbs)} has no {option[1]}"


def test_there_are_calls_and_commands_to_be_checked() -> None:
    assert len(list(_calls())) > 60
    assert len(list(_commands())) > 30
