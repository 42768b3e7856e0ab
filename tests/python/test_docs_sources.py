"""The Rust, C and TOML of the documents is that of sources which are compiled and tested, or compiles."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import markdown
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "writing-a-plugin.md"

CARGO = """
[package]
name = "documented"
version = "0.0.0"
edition = "2024"

[lib]
path = "lib.rs"

[dependencies]
mapwave-plugin = {{ path = "{sdk}" }}

[workspace]
"""


def _blocks(language: str) -> list[pytest.param]:
    return [
        pytest.param(block.code, id=f"line {block.line}")
        for block in markdown.blocks(PAGE)
        if block.language == language
    ]


def _sources() -> list[str]:
    return [source.read_text() for source in sorted((REPOSITORY / "plugins/qoa").glob("**/*.rs"))]


def _kind(code: str) -> str:
    """How a Rust block is checked: it stands in the example, outlines it, or must compile."""
    if any(code in source for source in _sources()):
        return "quoted"
    return "outline" if "{ .. }" in code or "export_plugin!" in code else "whole"


@pytest.mark.parametrize("code", _blocks("c"))
def test_c_stands_in_the_example(code: str) -> None:
    assert code in (REPOSITORY / "plugins/example-c/au.c").read_text()


@pytest.mark.parametrize("code", [block for block in _blocks("rust") if _kind(block.values[0]) == "outline"])
def test_rust_outlines_the_example(code: str) -> None:
    lines = {line.strip() for source in _sources() for line in source.splitlines()}
    for line in code.splitlines():
        line = re.sub(r"\s*//.*$", "", line).strip().replace("{ .. }", "{")
        assert not line or line in lines, f"{line!r} is not a line of plugins/qoa"


@pytest.mark.parametrize("code", [block for block in _blocks("rust") if _kind(block.values[0]) == "whole"])
def test_other_rust_compiles(code: str, tmp_path: Path) -> None:
    if shutil.which("cargo") is None:
        pytest.skip("there is no cargo")
    used = sorted(set(re.findall(r"\b(CodecOption|OptionKind|Restart|ResamplerOptions|Result)\b", code)))
    (tmp_path / "lib.rs").write_text(f"use mapwave_plugin::{{{', '.join(used)}}};\n\npub {code}")
    (tmp_path / "Cargo.toml").write_text(CARGO.format(sdk=REPOSITORY / "plugins/sdk"))
    command = ["cargo", "check", "--quiet", "--offline", "--target-dir", REPOSITORY / "target" / "documented"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", _blocks("toml"))
def test_toml_is_that_of_the_example(code: str) -> None:
    said = tomllib.loads(code)
    example = tomllib.loads((REPOSITORY / "plugins/qoa/Cargo.toml").read_text())
    assert said["lib"] == example["lib"]
    assert set(said["dependencies"]) == set(example["dependencies"])
    (path,) = (Path(dependency["path"]) for dependency in said["dependencies"].values())
    assert (REPOSITORY / path.relative_to("../mapwave") / "Cargo.toml").exists()


def test_every_language_is_there_to_be_checked() -> None:
    assert _blocks("c")
    assert _blocks("toml")
    assert {_kind(block.values[0]) for block in _blocks("rust")} == {"quoted", "outline", "whole"}


def test_the_rust_of_the_page_is_that_of_the_crate() -> None:
    said = [block.code for block in markdown.blocks(REPOSITORY / "docs/rust.md") if block.language == "rust"]
    crate = [block.code for block in markdown.blocks(REPOSITORY / "rust/README.md") if block.language == "rust"]
    assert said
    assert set(said) <= set(crate)
