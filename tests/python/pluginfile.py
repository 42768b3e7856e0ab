"""Plugin libraries, built for the tests: the two examples, and the one that misbehaves."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SUFFIX = "dylib" if sys.platform == "darwin" else "so"
COMPILER = os.environ.get("CC", "cc")
FLAGS = ["-D_DEFAULT_SOURCE", "-O1", "-shared", "-fPIC", "-pthread", "-w"]

# What the misbehaving plugin calls its format, and the beginning of a file of it.
TOY = "toypcm"
TOY_MAGIC = b"TOYPCM\0\1"

# A library that adds a letter to a file whenever it is loaded, and then goes on as its source says.
TALLY = """
#include <stdio.h>
#include <stdlib.h>
__attribute__((constructor(101))) static void tally(void)
{
    FILE *file = fopen(getenv("TALLY"), "a");
    fputc('x', file);
    fclose(file);
}
"""

# Entries that do not come back; what they are declared as does not matter to the loader.
ABORTING = "#include <stdlib.h>\nvoid *mapwave_plugin_entry_v1(void *host, void *error) { abort(); }\n"
EXITING = "#include <unistd.h>\nvoid *mapwave_plugin_entry_v1(void *host, void *error) { _exit(0); }\n"
REFUSING = "void *mapwave_plugin_entry_v1(void *host, void *error) { return 0; }\n"
OLD = "void *mapwave_plugin_entry_v0(void *host, void *error) { return 0; }\n"


def _program(name: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name}")
    return name


@functools.cache
def qoa() -> Path:
    """The example in Rust, in the target directory of the workspace."""
    command = [_program("cargo"), "build", "--quiet", "--locked", "-p", "mapwave-qoa", "--message-format=json"]
    built = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    for message in map(json.loads, built.stdout.splitlines()):
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "mapwave_qoa":
            return next(Path(name) for name in message["filenames"] if name.endswith(SUFFIX))
    raise AssertionError("cargo built no mapwave_qoa")


def example_au(library: Path) -> Path:
    """The example in C."""
    flags = ["-std=c99", "-O2", "-shared", "-fPIC", "-fvisibility=hidden"]
    return _compile(library, [*flags, REPOSITORY / "plugins/example-c/au.c"])


def misbehaving(library: Path, *broken: str, tally: bool = False) -> Path:
    """The plugin that keeps all rules but those named."""
    source = REPOSITORY / "tests/plugins/misbehaving.c"
    prelude = ["-include", _write(library.with_suffix(".tally.h"), TALLY)] if tally else []
    return _compile(library, [*FLAGS, *(f"-DBREAK_{rule}" for rule in broken), *prelude, source, "-lm"])


def plain(library: Path, name: str, *macros: str) -> Path:
    """Another plugin of the tests, with these macros."""
    source = REPOSITORY / f"tests/plugins/{name}.c"
    return _compile(library, [*FLAGS, *(f"-D{macro}" for macro in macros), source, "-lm"])


def with_header(library: Path, directory: Path, source: Path) -> Path:
    """A library from a C file and the header in a directory."""
    return _compile(library, ["-I", directory, *FLAGS, source])


def from_source(library: Path, code: str) -> Path:
    """A library from C code."""
    return _compile(library, [*FLAGS, _write(library.with_suffix(".c"), code)])


def without_dependency(library: Path) -> Path:
    """A plugin that needs a library which is not there any more."""
    needed = from_source(library.parent / f"libneeded.{SUFFIX}", "int needed(void) { return 0; }\n")
    code = "int needed(void);\nvoid *mapwave_plugin_entry_v1(void *host, void *error) { return (void *)needed; }\n"
    source = _write(library.with_suffix(".c"), code)
    _compile(library, [*FLAGS, source, f"-L{needed.parent}", "-lneeded"])
    needed.unlink()
    return library


def _compile(library: Path, arguments: list[object]) -> Path:
    library.parent.mkdir(parents=True, exist_ok=True)
    header = REPOSITORY / "plugins/abi/include"
    command = [_program(COMPILER), *arguments, "-I", header, "-o", library]
    subprocess.run([str(word) for word in command], check=True)
    return library


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
