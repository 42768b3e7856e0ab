"""The extras of the package: what an error says to install is one that exists and brings along what is missing."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from mapwave._libraries import LIBRARIES, how_to_install

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "python" / "mapwave"
EXTRAS: dict[str, list[str]] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]
EXTRA_HINT = re.compile(r"pip install 'mapwave\[(\w+)\]'")
PACKAGE_HINT = re.compile(r"pip install (?:--[\w-]+ )*'?([\w-]+)(?!\[)\b")


def packages(extra: str) -> set[str]:
    """The names of the packages that an extra installs."""
    return {re.split(r"[\[<>=; ]", requirement)[0].lower() for requirement in EXTRAS[extra]}


def messages() -> Iterator[tuple[str, str]]:
    """The strings of the package that say what to install, with the file; a value in one is `{}`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            text = ""
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                text = node.value
            if "pip install" in text:
                yield str(path.relative_to(PACKAGE)), text


def test_the_extras_are_these() -> None:
    assert list(EXTRAS) == ["mlx", "numpy", "torch", "jax", "data", "remote", "ray", "plot", "bench"]
    assert all(packages(extra) for extra in EXTRAS)
    everywhere = {package for extra in EXTRAS for package in packages(extra)}
    assert {"mlx", "numpy", "torch", "jax", "pyarrow", "fsspec", "ray", "matplotlib", "soundfile"} <= everywhere


def test_messages_name_an_extra_that_has_what_is_missing() -> None:
    named = set()
    for path, text in messages():
        for extra in EXTRA_HINT.findall(text):
            assert extra in EXTRAS, f"{path}: {text}"
            before = text.partition("pip install")[0].lower()
            # `how_to_install` and docstrings name the library in other words.
            about = packages(extra) | {f"mapwave {extra}", "such as", "first call that needs it", extra}
            assert any(word in before for word in about), f"{path}: nothing of {extra} in: {text}"
            named.add(extra)
    assert {"mlx", "data", "remote", "ray", "bench", "plot"} <= named


def test_no_message_names_a_package_that_an_extra_installs() -> None:
    # A bare name gets a version that nobody has chosen.
    in_extras = {package for extra in EXTRAS for package in packages(extra)}
    bare = {(path, name) for path, text in messages() for name in PACKAGE_HINT.findall(text) if name != "mapwave"}
    assert {name for _, name in bare} & in_extras == set(), bare
    assert ("_torchaudio.py", "torchaudio") in bare, "no extra has it"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_an_extra_of_its_name(library: str) -> None:
    assert how_to_install(library) == f"pip install 'mapwave[{library}]'"
    assert packages(library) == {library}


def test_the_installed_package_has_these_extras() -> None:
    try:
        installed = metadata.metadata("mapwave")
    except metadata.PackageNotFoundError:
        pytest.skip("mapwave is not installed")
    assert set(installed.get_all("Provides-Extra") or ()) == set(EXTRAS)


@pytest.mark.parametrize("document", ["docs/start.md", "docs/platforms.md"])
def test_the_documents_list_the_extras(document: str) -> None:
    text = (REPOSITORY / document).read_text()
    table = re.search(r"^\| extra \|.*\n\|[-| :]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None
    assert [line.split("|")[1].strip(" `") for line in table[1].splitlines()] == list(EXTRAS)
