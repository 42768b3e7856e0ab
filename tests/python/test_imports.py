"""No two files of the Python sources import each other, straight or through others, but for natural pairs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"mapwave": ROOT / "python" / "mapwave", "forge": ROOT / "fixtures" / "forge"}

PAIRS = {
    ("mapwave", "mapwave.mlx"): "the package asks its module for MLX to make arrays, which has the package's functions",
}


@cache
def parse(source: str) -> ast.Module:
    return ast.parse(source)


def modules(packages: dict[str, Path]) -> dict[str, str]:
    """The source of each module by its name."""
    found = {}
    for package, directory in packages.items():
        for path in directory.rglob("*.py"):
            parts = path.relative_to(directory).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            found[name] = path.read_text()
    return found


def imports(name: str, sources: dict[str, str]) -> Iterator[str]:
    """The modules whose definitions a module imports, at its top or inside functions.

    A name that a package only hands on counts for the module that it hands it on from.
    """
    is_package = any(other.startswith(f"{name}.") for other in sources)
    for node in ast.walk(parse(sources[name])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in sources)
        elif isinstance(node, ast.ImportFrom):
            base = name.split(".")[: None if is_package else -1]
            base = base[: len(base) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield from definer(source, alias.name, sources)


def definer(module: str, name: str, sources: dict[str, str]) -> Iterator[str]:
    if f"{module}.{name}" in sources:
        yield f"{module}.{name}"
    elif module in sources:
        for node in parse(sources[module]).body:
            if isinstance(node, ast.ImportFrom) and node.level == 1 and name in [alias.name for alias in node.names]:
                # A module without a source file here, such as the extension module, imports nothing.
                if node.module and f"{module}.{node.module}" in sources:
                    yield from definer(f"{module}.{node.module}", name, sources)
                return
        yield module


def circles(sources: dict[str, str]) -> list[tuple[str, ...]]:
    """The modules that reach each other, in order of their names."""
    edges = {name: set(imports(name, sources)) - {name} for name in sources}

    def reachable(start: str) -> set[str]:
        reached: set[str] = set()
        waiting = [start]
        while waiting:
            new = edges[waiting.pop()] - reached
            reached |= new
            waiting += new
        return reached

    reached = {name: reachable(name) for name in sources}
    tied = ({other for other in reached[name] if name in reached[other]} for name in sources)
    return sorted({tuple(sorted(circle)) for circle in tied if len(circle) > 1})


def test_no_modules_import_each_other_but_natural_pairs():
    sources = modules(PACKAGES)
    assert "mapwave.bench.tasks.saving" in sources
    assert "mapwave.bench.kinds" in set(imports("mapwave.bench.peers.pyav", sources)), "imports are seen"
    assert circles(sources) == sorted(PAIRS)


@pytest.mark.parametrize(
    "other",
    ["from . import a", "from .a import x", "import p.a", "def f():\n    from p.a import x", "from . import x"],
)
def test_a_circle_is_found(other):
    sources = {"p": "from .a import x", "p.a": "from .b import y\nx = 1", "p.b": f"{other}\ny = 1"}
    assert circles(sources) == [("p.a", "p.b")]


def test_what_a_package_hands_on_ties_nobody_to_it():
    sources = {"p": "from .a import x\nfrom .b import y", "p.a": "x = 1", "p.b": "from . import x\ny = 1"}
    assert circles(sources) == []
    sources["p"] += "\nz = 1"
    sources["p.b"] = "from . import z\ny = 1"
    assert circles(sources) == [("p", "p.b")]
