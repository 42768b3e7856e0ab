"""The code of README.md and docs/ runs as it stands, in order, and what it saves has the right speed."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import child
import mapwave.numpy
import markdown
import numpy as np
import pluginfile
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
BLOB = "https://github.com/mapwave/mapwave/blob/main/"
TREE = "https://github.com/mapwave/mapwave/tree/main/"
RAW = "https://raw.githubusercontent.com/mapwave/mapwave/main/"
SITE = "https://mapwave.github.io/mapwave/"
# Parts of the site that are made when it is built; `make site` follows the links to them.
MADE = ("reference/", "rustdoc/")

# The sounds that documents name. No two have the same rate and length, so that a mix-up shows.
SOUNDS = {
    "speech.wav": (48_000, 1, 4.0),
    "music.wav": (44_100, 2, 4.5),
    "music.mp3": (44_100, 2, 5.0),
    "speech.mp3": (32_000, 1, 3.0),
    "talk.mp3": (22_050, 1, 3.5),
    "song.mp3": (44_100, 2, 2.0),
    "long.wav": (48_000, 2, 8.0),
    "tone.wav": (48_000, 1, 2.0),
    "samples.caf": (24_000, 2, 1.0),
}

# Each file that a document saves: the sound that it holds, its rate where that is another, and its length where that is
# less.
SAVED = {
    "README.md": {"speech.flac": ("talk.mp3", 16_000, 2.0)},
    "docs/index.md": {"speech.flac": ("talk.mp3", 16_000, 2.0)},
    "docs/start.md": {
        "tone.wav": ("tone.wav", None),
        "tone.flac": ("tone.wav", None),
    },
    "docs/tasks.md": {
        "copy.wav": ("music.mp3", None),
        "copy.flac": ("music.mp3", None),
        "long.flac": ("long.wav", 16_000),
        "speech.flac": ("speech.wav", None),
    },
    "docs/faq.md": {
        "samples.caf": ("samples.caf", None),
        "music.wav": ("music.mp3", None),
    },
    "docs/migrate/from-soundfile.md": {"half.wav": ("music.wav", None)},
    "docs/migrate/from-torchaudio.md": {"part.flac": ("music.mp3", None, 2000 / 44_100)},
    "docs/migrate/from-ffmpeg.md": {"from-raw.wav": ("music.wav", None)},
    "docs/guide.md": {
        "out.flac": ("music.mp3", None),
        "out.wav": ("music.mp3", None),
        "out.caf": ("music.mp3", None),
    },
    "docs/compat.md": {
        "copy.flac": ("speech.wav", None),
    },
    "docs/saving.md": {
        "out.wav": ("speech.wav", None),
        "out.flac": ("speech.wav", None),
        "out.mp3": ("speech.wav", None),
        "out.m4a": ("speech.wav", None),
        "music.flac": ("music.mp3", None),
        "music.wav": ("music.mp3", None),
        "master.wav": ("speech.wav", None),
        "long.flac": ("long.wav", None),
    },
    "docs/measuring.md": {
        "broadcast.wav": ("speech.wav", None),
        "podcast.flac": ("speech.wav", None),
    },
    "docs/writing-a-plugin.md": {"take.qoa": ("speech.wav", None)},
}

# Documents whose Python holds for every array library: they run once more with each that is installed.
ANY_LIBRARY = {
    "README.md",
    "docs/index.md",
    "docs/start.md",
    "docs/tasks.md",
    "docs/faq.md",
    "docs/datasets.md",
    "docs/guide.md",
    "docs/measuring.md",
    "docs/saving.md",
    "docs/resampling.md",
    "docs/errors.md",
}
LIBRARIES = ("mapwave", "mapwave.numpy", "mapwave.jax", "mapwave.torch")

# Code that needs what an installation may lack: the document, a part of the code, and the need.
NEEDS = [
    ("docs/ffmpeg.md", 'plugin="libav"', "libav"),
    ("docs/saving.md", "out.m4a", "libav"),
    ("docs/saving.md", "out.mp3", "lame"),
    ("docs/mlx.md", "mapwave.mlx", "mlx"),
    ("docs/migrate/from-torchaudio.md", "mapwave", "torch"),
    ("docs/integrations.md", "mapwave.ray", "ray"),
    ("docs/integrations.md", "ray.data", "ray"),
    ("docs/integrations.md", "mapwave.hf", "datasets"),
    ("docs/integrations.md", "mapwave.webdataset", "webdataset"),
    ("docs/integrations.md", "mapwave.lhotse", "lhotse"),
    ("docs/integrations.md", "mapwave.lhotse", "torch"),
    ("docs/integrations.md", "mapwave.mlx_data", "mlx.data"),
]

# Commands that are not run, and why.
NOT_RUN = {
    r"(python -m )?pip install|apt install|brew install": "changes the machine",
    r"python3 -m venv ": "installs nothing that the next command does not need",
    r"make \w+": "takes minutes; only its target is checked",
    r"cargo ": "takes minutes; only its packages are checked",
    r"(\w+=\S+ )?(plugins|tools)/\S+\.sh|cp /tmp/plugins": "takes minutes; only the script is checked",
    r"mapwave bench (compare|--against)": "needs the figures of an earlier run",
    r"mapwave plugins check target/debug/libmapwave_audiotoolbox": "needs a library that takes minutes to build",
}


@dataclass(frozen=True)
class Step:
    """A Python block or a shell command."""

    document: str
    line: int
    language: str
    code: str

    def skipped(self) -> str | None:
        """Why it is not run here, or None."""
        if self.language == "sh":
            return next((why for what, why in NOT_RUN.items() if re.match(what, self.code)), None)
        needs = [need for name, part, need in NEEDS if name == self.document and part in self.code]
        return next((reason for need in needs if (reason := _lacks(need))), None)


@functools.cache
def _lacks(need: str) -> str | None:
    """Why a need is not met, or None."""
    if need in ("mlx", "jax", "torch", "ray", "datasets", "webdataset", "lhotse", "mlx.data"):
        parts = need.split(".")
        names = [".".join(parts[: number + 1]) for number in range(len(parts))]
        return None if all(map(importlib.util.find_spec, names)) else f"{need} is not installed"
    in_use = {plugin.id for plugin in mapwave._core.plugins() if plugin.refused is None}
    return None if need in in_use else f"the plugin {need} is not in this package, or lacks its library"


def _lacks_library(library: str) -> str | None:
    return None if library == "mapwave.numpy" else _lacks({"mapwave": "mlx"}.get(library, library.rpartition(".")[2]))


def _steps(document: str, library: str) -> list[Step]:
    steps = []
    for block in markdown.blocks(REPOSITORY / document):
        if block.language == "python":
            code = block.code
            if library != "mapwave":
                code = re.sub(r"^import mapwave$", f"import {library} as mapwave", code, flags=re.MULTILINE)
            steps.append(Step(document, block.line, "python", code))
        elif block.language == "sh" and library == "mapwave":
            steps += [Step(document, line, "sh", _runnable(command)) for line, command in block.commands()]
    return steps


def _runnable(command: str) -> str:
    """The command, or the part of it that a test can run."""
    if command.startswith("mapwave bench"):
        return f"{command} --list"
    return command.replace("gdb --args ", "")


def _sound(path: Path, rate: int, channels: int, seconds: float) -> None:
    """A sound that differs at every second and in every channel."""
    soundfile = pytest.importorskip("soundfile")
    time = np.arange(int(rate * seconds)) / rate
    tones = [0.4 * np.sin(2 * np.pi * (300 + 100 * channel + 40 * time) * time) for channel in range(channels)]
    subtype = {"subtype": "PCM_16"} if path.suffix == ".wav" else {}
    soundfile.write(path, np.stack(tones, axis=1), rate, **subtype)


def _set_up(directory: Path, document: str) -> None:
    """Puts what a document names into the directory that its code runs in."""
    text = (REPOSITORY / document).read_text()
    for name, facts in SOUNDS.items():
        if name in text and name not in SAVED.get(document, {}):
            _sound(directory / name, *facts)
    if "broken.wav" in text:
        shutil.copy(REPOSITORY / "fixtures/malformed/wav-fmt-size-0.wav", directory / "broken.wav")
    if '"clips' in text:
        (directory / "clips").mkdir()
        _sound(directory / "clips" / "a.flac", 22_050, 1, 1.0)
        _sound(directory / "clips" / "b.wav", 16_000, 2, 1.5)
    if "my-au-files" in text:
        (directory / "my-au-files").mkdir()
        _sound(directory / "my-au-files" / "a.au", 22_050, 2, 1.0)
        _sound(directory / "a.au", 22_050, 2, 1.0)
    if "plugins/example-c" in text:
        (directory / "plugins").symlink_to(REPOSITORY / "plugins")
        (directory / "target" / "release").mkdir(parents=True)
        shutil.copy(pluginfile.qoa(), directory / "target/release/libmapwave_qoa.so")


@dataclass
class Run:
    """What came of a document."""

    outcomes: dict[Step, str | None]
    saved: dict[str, tuple[int, float]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Run]:
    """Runs a document once with each array library."""

    @functools.cache
    def run(document: str, library: str) -> Run:
        directory = tmp_path_factory.mktemp(re.sub(r"\W", "-", f"{document}-{library}"))
        home = tmp_path_factory.mktemp("home")
        _set_up(directory, document)
        active = [step for step in _steps(document, library) if step.skipped() is None]
        steps, results = home / "steps.json", home / "results.json"
        steps.write_text(json.dumps([{**vars(step), "document": str(REPOSITORY / document)} for step in active]))
        environment = child.environment(HOME=str(home), PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
            environment.pop(variable, None)
        # Ray stays on loopback, and takes little of the memory.
        environment |= {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(300 * 2**20),
        }
        command = [sys.executable, HERE / "docrun.py", steps, results]
        ended = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
        found = json.loads(results.read_text()) if results.exists() else {"outcomes": [], "saved": {}}
        lost = f"the program that runs the document ended with {ended.returncode}\n{ended.stderr}"
        outcomes = [*found["outcomes"], *[lost] * (len(active) - len(found["outcomes"]))]
        return Run(dict(zip(active, outcomes, strict=True)), found["saved"])

    return run


def _name(document: Path) -> str:
    return str(document.relative_to(REPOSITORY))


NAMES = [_name(document) for document in DOCUMENTS]

CASES = [
    pytest.param(step, library, id=f"{step.document}:{step.line}:{library}")
    for name in NAMES
    for library in (LIBRARIES if name in ANY_LIBRARY else LIBRARIES[:1])
    for step in _steps(name, library)
]


@pytest.mark.parametrize(("step", "library"), CASES)
def test_code_runs_as_it_stands(step: Step, library: str, runs: Callable[[str, str], Run]) -> None:
    if reason := step.skipped() or _lacks_library(library):
        if step.language == "sh":
            _check_command(step.code)
        pytest.skip(reason)
    outcome = runs(step.document, library).outcomes[step]
    if outcome is not None:
        pytest.fail(f"{step.document}:{step.line} with {library}\n{step.code}\n{outcome}", pytrace=False)


@pytest.mark.parametrize(
    ("document", "library"),
    [(name, library) for name in NAMES for library in (LIBRARIES if name in ANY_LIBRARY else LIBRARIES[:1])],
)
def test_what_is_saved_has_the_rate_and_the_length_of_what_was_loaded(
    document: str, library: str, runs: Callable[[str, str], Run]
) -> None:
    if reason := _lacks_library(library):
        pytest.skip(reason)
    saved = runs(document, library).saved
    skipped = "".join(step.code for step in _steps(document, library) if step.skipped())
    blocks = list(markdown.blocks(REPOSITORY / document))
    python, shell = ("".join(block.code for block in blocks if block.language == kind) for kind in ("python", "sh"))
    # Commands run once, not with every library.
    by_commands = {name for name in SAVED.get(document, {}) if name in shell and f'"{name}"' not in python}
    expected = {name for name in SAVED.get(document, {}) if name not in skipped}
    assert set(saved) == (expected if library == "mapwave" else expected - by_commands)
    for name, (rate, duration) in saved.items():
        source, expected_rate, *part = SAVED[document][name]
        source_rate, _, seconds = SOUNDS[source]
        seconds = part[0] if part else seconds
        assert rate == (expected_rate or source_rate), f"{name} plays at the wrong speed"
        assert duration == pytest.approx(seconds, abs=2 / rate), f"{name} is not {source}"


def _check_command(command: str) -> None:
    """That a command which is not run names what exists."""
    words = command.split()
    if words[0] == "make":
        done = subprocess.run(["make", "-n", words[1]], cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    if words[0] == "cargo":
        named = {words[number + 1] for number, word in enumerate(words) if word in ("-p", "--package")}
        if words[1] in ("install", "add"):
            named |= {word for word in words[2:] if word in _packages()}
        assert named, f"{command} names no package"
        assert named <= _packages(), f"there are no packages {named - _packages()}"
    for word in words:
        if word.startswith(("plugins/", "tools/")) and word.endswith(".sh"):
            assert os.access(REPOSITORY / word, os.X_OK), f"there is no program {word}"


@functools.cache
def _packages() -> set[str]:
    members = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["members"]
    return {tomllib.loads((REPOSITORY / member / "Cargo.toml").read_text())["package"]["name"] for member in members}


@pytest.mark.parametrize("document", NAMES)
def test_every_block_says_its_language(document: str) -> None:
    known = {"python", "sh", "text", "toml", "rust", "c", "console"}
    for block in markdown.blocks(REPOSITORY / document):
        assert block.language in known, f"{document}:{block.line}: {block.language!r} is not one of {sorted(known)}"


LINKED = [*NAMES, "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "fixtures/PROVENANCE.md"]


@pytest.mark.parametrize("document", LINKED)
def test_links_lead_to_what_exists(document: str) -> None:
    path = REPOSITORY / document
    for line, target in [*markdown.links(path), *markdown.images(path)]:
        place, _, anchor = target.partition("#")
        if place.startswith((BLOB, TREE, RAW)):
            file = REPOSITORY / re.sub(f"^(?:{BLOB}|{TREE}|{RAW})", "", place)
        elif place.startswith(SITE):
            page = place.removeprefix(SITE)
            if page.startswith(MADE):
                continue
            assert page.endswith("/") or not page, f"{document}:{line}: an address of the site ends with a slash"
            file = REPOSITORY / "docs" / f"{page.rstrip('/') or 'index'}.md"
        elif place.startswith("https://"):
            continue
        else:
            # A package index shows the README without the repository around it.
            assert document != "README.md" or not place, f"{document}:{line}: {target} is relative"
            file = path.parent / place if place else path
        assert file.exists(), f"{document}:{line}: {target} does not exist"
        assert not anchor or anchor in markdown.anchors(file), f"{document}:{line}: {target} has no such heading"


def test_the_map_of_the_sources_names_what_exists() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    roots = {path.name for path in REPOSITORY.iterdir() if path.is_dir()}
    named = [word for word in re.findall(r"`([^`\s]+/[^`\s]*)`", text) if word.partition("/")[0] in roots]
    assert len(named) > 40
    assert [word for word in named if "NEW" not in word and not any(REPOSITORY.glob(word))] == []
