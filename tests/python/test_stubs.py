"""The stubs: they are what the built module says, a change of it is noticed, and a user's code has its types."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import mapwave
import pytest
from mapwave import _core

SOURCES = Path(__file__).parents[2] / "python"
FOR_ARRAYS = ("load", "info", "stream", "batch_load", "open", "resample")


@pytest.fixture
def generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program that writes the stubs, over a copy of the package."""
    monkeypatch.syspath_prepend(SOURCES / "stubs")
    spec = importlib.util.spec_from_file_location("stubs", SOURCES / "stubs/__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    package = tmp_path / "python/mapwave"
    shutil.copytree(SOURCES / "mapwave", package, ignore=shutil.ignore_patterns("plugins", "bench", "__pycache__"))
    monkeypatch.setattr(module, "PACKAGE", package)
    return module


def check(generator: ModuleType, core: ModuleType = _core) -> tuple[int, list[str]]:
    said: list[str] = []
    return generator.main(core, ["--check"], said.append), said


def changed(**members: object) -> ModuleType:
    """The built module as it would be after a change."""
    module = ModuleType(_core.__name__, _core.__doc__)
    module.__dict__.update(vars(_core), **members)
    return module


def test_the_stubs_are_up_to_date(generator: ModuleType) -> None:
    assert check(generator) == (0, [])


def test_writing_them_again_changes_nothing(generator: ModuleType) -> None:
    before = {path: path.read_bytes() for path in generator.PACKAGE.glob("*.pyi")}
    for path in before:
        path.unlink() if path.name != "mlx.pyi" else None
    assert generator.main(_core, []) == 0
    assert {path: path.read_bytes() for path in generator.PACKAGE.glob("*.pyi")} == before


def test_a_changed_docstring_is_noticed_until_the_stubs_are_written(generator: ModuleType) -> None:
    def supports_soxr() -> bool:
        """Another sentence."""

    core = changed(supports_soxr=supports_soxr)
    status, said = check(generator, core)
    assert status == 1
    assert said == ["python/mapwave/_core.pyi is out of date: run .venv/bin/python python/stubs"]
    assert generator.main(core, []) == 0
    assert check(generator, core) == (0, [])
    assert '"""Another sentence."""' in (generator.PACKAGE / "_core.pyi").read_text()


def test_a_stub_that_was_edited_is_noticed(generator: ModuleType) -> None:
    stub = generator.PACKAGE / "numpy.pyi"
    stub.write_text(stub.read_text().replace("Reads audio", "Reads sound"))
    assert check(generator)[0] == 1


def test_a_function_without_its_types_is_named(generator: ModuleType) -> None:
    def supports_soxr(zebra=None) -> bool:
        """Whether."""

    with pytest.raises(SystemExit, match="supports_soxr: give 'zebra' its type"):
        check(generator, changed(supports_soxr=supports_soxr))


@pytest.mark.parametrize("module", ["__init__", "numpy", "torch", "jax"])
def test_an_editor_shows_the_whole_docstring(module: str) -> None:
    tree = ast.parse((SOURCES / f"mapwave/{module}.pyi").read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in FOR_ARRAYS:
        assert ast.get_docstring(functions[name]) == getattr(mapwave, name).__doc__.strip(), name
    arguments = functions["load"].args
    text = ast.get_docstring(functions["load"]) or ""
    for argument in (*arguments.args, *arguments.kwonlyargs):
        assert f"    {argument.arg}: " in text, argument.arg


def test_a_users_code_has_its_types(tmp_path: Path) -> None:
    code = tmp_path / "user.py"
    code.write_text(
        "import mlx.core as mx\n"
        "import numpy as np\n"
        "import mapwave\n"
        "import mapwave.numpy as mw\n"
        "reveal_type(mapwave.load('a.wav', sr=16000.0, dtype=mx.float16))\n"
        "reveal_type(mw.load('a.wav', sr=np.int64(3), dtype=np.float32))\n"
        "reveal_type(mw.load('a.wav', dtype=np.dtype('int16'))[1])\n"
        "reveal_type(mapwave.open('a.wav'))\n"
        "reveal_type(mapwave.open('a.wav', 'w', sr=8000, channels=2))\n"
        "reveal_type(next(mapwave.stream('a.wav', 9)))\n"
        "reveal_type(mapwave.info('a.wav').bit_depth)\n"
        "reveal_type(mapwave.save('a.wav', [1.0], 8000, encoding=np.int16))\n"
        "mapwave.load('a.wav', dtype='flaot32')  # no such type\n"
        "mapwave.load('a.wav', layout='rows')  # no such layout\n"
        "mapwave.load('a.wav', codec='x')  # no such argument\n"
        "mapwave.open('a.wav', encoding='pcm16')  # of writing\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file", "", code.name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    revealed = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed type" in line]
    numpy = "numpy.ndarray[Any, numpy.dtype[Any]]"
    assert revealed == [
        "tuple[mlx.core.array, int]",
        f"tuple[{numpy}, int]",
        "int",
        "mapwave._core.Reader[mlx.core.array]",
        "mapwave._core.Writer",
        "tuple[mlx.core.array, int]",
        "int | None",
        "None",
    ], done.stdout
    wrong = [int(line.split(":")[1]) for line in done.stdout.splitlines() if " error: " in line]
    assert sorted({*wrong}) == [13, 14, 15, 16], done.stdout
