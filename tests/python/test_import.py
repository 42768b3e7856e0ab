"""Importing: what comes with it, what does not, and what the package says of itself."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import child
import corpus
import mapwave
import pytest


def test_importing_mapwave_imports_no_array_library(tmp_path: Path) -> None:
    code = """
        import mapwave
        mapwave.info(sys.argv[1])
        with mapwave.open(sys.argv[1]) as reader:
            len(reader), reader.view()
        print([name for name in ("mlx", "mlx.core", "numpy", "torch", "jax") if name in sys.modules])
        mapwave.load(sys.argv[1])
        print("mlx.core" in sys.modules, "numpy" in sys.modules)
    """
    assert child.run(tmp_path, code, corpus.PCM16) == "[]\nTrue False\n"


def test_importing_mapwave_imports_little_of_the_standard_library(tmp_path: Path) -> None:
    code = """
        before = set(sys.modules)
        import mapwave
        slow = {"pathlib", "re", "typing", "warnings", "logging", "json", "importlib.metadata"}
        print(sorted(slow & (set(sys.modules) - before)))
        print(type(mapwave.plugin_directories()[0].path).__name__)
    """
    assert child.run(tmp_path, code) == "[]\nPosixPath\n"


def test_mapwave_numpy_needs_no_mlx(tmp_path: Path) -> None:
    code = """
        sys.modules["mlx"] = sys.modules["mlx.core"] = None
        import mapwave, mapwave.numpy
        path = sys.argv[1]
        library = mapwave.numpy
        print(library.load(path)[0].shape, mapwave.info(path).frames, library.open(path)[:5].shape)
        print(len(library.batch_load([path] * 3)), len(list(library.stream(path, chunk_frames=100))))
    """
    assert child.run(tmp_path, code, corpus.PCM16) == "(301, 2) 301 (5, 2)\n3 4\n"


@pytest.mark.parametrize(
    "call", ["load(path)", "batch_load([path])", "open(path)[:]", "stream(path, chunk_frames=9).read_chunk()"]
)
@pytest.mark.parametrize("missing", ["mlx", "mlx.core"])
def test_missing_mlx_is_explained(tmp_path: Path, call: str, missing: str) -> None:
    code = f"""
        sys.modules["{missing}"] = None
        import mapwave
        path = sys.argv[1]
        for _ in range(2):
            try:
                mapwave.{call}
            except ModuleNotFoundError as error:
                print(error.name, error)
    """
    printed = child.run(tmp_path, code, corpus.PCM16).splitlines()
    assert len(printed) == 2
    for line in printed:
        assert line.startswith("mlx")
        assert "MLX is not installed: pip install 'mapwave[mlx]'" in line
        assert "mapwave.numpy" in line


def test_an_error_inside_mlx_is_not_taken_for_its_absence(tmp_path: Path) -> None:
    package = tmp_path / "mlx"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "core.py").write_text("import not_a_module_of_anybody")
    code = """
        import mapwave
        try:
            mapwave.load(sys.argv[1])
        except ModuleNotFoundError as error:
            print(error.name)
    """
    printed = child.run(tmp_path, code, corpus.PCM16, PYTHONPATH=str(tmp_path))
    assert printed == "not_a_module_of_anybody\n"


@pytest.mark.parametrize("library", ["mlx", "numpy", "torch", "jax"])
def test_a_broken_library_is_explained(tmp_path: Path, library: str) -> None:
    package = tmp_path / library
    package.mkdir()
    (package / "core.py").touch()
    # As where MLX for Linux was installed without its CPU library.
    (package / "__init__.py").write_text("raise ImportError('libx.so: cannot open shared object file')")
    code = """
        from mapwave import doctor
        try:
            __import__("mapwave." + sys.argv[1])
        except ImportError as error:
            print(error)
        for line in doctor._array_libraries():
            if line.startswith(sys.argv[1]):
                print(line)
    """
    printed = child.run(tmp_path, code, library, PYTHONPATH=str(tmp_path)).splitlines()
    install = f"pip install 'mapwave[{library}]'"
    assert len(printed) == 2
    for line in printed:
        assert f"is installed but cannot be imported (libx.so: cannot open shared object file): {install}" in line
    assert "BROKEN" in printed[1]


@pytest.mark.parametrize("module", ["mapwave", "mapwave.numpy", "mapwave.torch", "mapwave.jax"])
def test_a_module_shows_its_public_names_alone(module: str) -> None:
    library = module.removeprefix("mapwave").removeprefix(".")
    if library:
        pytest.importorskip(library, reason=f"{library} is not installed")
    front = importlib.import_module(module)
    more = [] if library else ["__version__", "jax", "numpy", "torch"]
    assert dir(front) == sorted([*mapwave.__all__, *more])
    assert sorted(front.__all__) == sorted(mapwave.__all__)
    for name in mapwave.errors.__all__:
        assert getattr(front, name) is getattr(mapwave.errors, name)


@pytest.mark.parametrize("module", ["jax", "torch", "numpy"])
def test_a_missing_library_is_named(tmp_path: Path, module: str) -> None:
    code = """
        sys.modules[sys.argv[1]] = None
        try:
            __import__("mapwave." + sys.argv[1])
        except ModuleNotFoundError as error:
            print(error.name.partition(".")[0])
    """
    assert child.run(tmp_path, code, module) == f"{module}\n"


def test_modules_like_other_packages_say_that_numpy_is_missing(tmp_path: Path) -> None:
    code = """
        sys.modules["numpy"] = None
        import importlib, pkgutil
        import mapwave.compat
        for module in pkgutil.iter_modules(mapwave.compat.__path__):
            try:
                importlib.import_module("mapwave.compat." + module.name)
            except ImportError as error:
                print(module.name, error)
    """
    lines = child.run(tmp_path, code).splitlines()
    assert {"soundfile", "librosa_load", "whisper"} < {line.split()[0] for line in lines}
    for line in lines:
        assert re.match(r"\w+ (NumPy|PyTorch|MLX) is not installed: pip install 'mapwave\[", line), line


def test_build_info() -> None:
    facts = mapwave.show_build_info()
    assert {
        "version",
        "target",
        "debug_assertions",
        "cpu_features",
        "num_processors",
        "containers",
        "dtypes",
    } <= {*facts}
    assert facts["version"] == mapwave.__version__
    assert facts["num_processors"] >= 1
    assert {row.container for row in corpus.valid()} <= {*facts["containers"]}
    assert {"float32", "float16", "bfloat16", "int16", "int32"} <= {*facts["dtypes"]}


def test_version_and_soxr() -> None:
    assert [part.isdigit() for part in mapwave.__version__.split(".")[:2]] == [True, True]
    has_soxr = any("soxr_vhq" in plugin.resamples for plugin in mapwave.plugins())
    assert mapwave.supports_soxr() is has_soxr


def test_every_public_name_exists_and_is_documented() -> None:
    for name in mapwave.__all__:
        assert getattr(mapwave, name).__doc__, f"mapwave.{name} has no docstring"


@pytest.mark.parametrize("library", ["mlx", "numpy", "jax", "torch"])
def test_the_same_functions_for_every_library(library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    module = importlib.import_module(f"mapwave.{library}")
    names = ["batch_load", "info", "load", "open", "stream"]
    assert all(callable(getattr(module, name)) for name in names)
    assert module.info(corpus.PCM16) == mapwave.info(corpus.PCM16)
    assert tuple(module.load(corpus.PCM16)[0].shape) == (301, 2)
