"""The programs of examples/python run, and what they write is what they read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mapwave.numpy
import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "python"
RATES = {"one.wav": 44_100, "two.wav": 22_050, "deeper/three.flac": 48_000}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of noise of 1.5, 2 and 2.5 s, and one that is broken."""
    folder = tmp_path / "folder"
    random = np.random.default_rng(5)
    for number, (name, rate) in enumerate(RATES.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = random.uniform(-0.5, 0.5, (int(rate * (1.5 + number / 2)), 2)).astype(np.float32)
        tags = {"title": f"Take {number}"} if path.suffix == ".flac" else {}
        mapwave.numpy.save(path, noise, rate, encoding="pcm16", tags=tags)
    (folder / "broken.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    return folder


def run(name: str, *arguments: object) -> str:
    """What the example prints, errors included."""
    command = [sys.executable, "-W", "error", EXAMPLES / name, *arguments]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_example_has_a_test() -> None:
    source = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f'"{path.name}"' not in source] == []


def test_windows_of_a_dataset(folder: Path) -> None:
    pytest.importorskip("mlx.core", exc_type=ImportError)
    os.unlink(folder / "broken.wav")
    lines = run("dataset_windows.py", folder).splitlines()
    assert len(lines) == 3
    assert all("(8, 16000), mlx.core.float32" in line for line in lines)


def test_a_folder_is_converted(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    printed = run("convert_folder.py", folder, target)
    assert printed.count("SKIPPED") == 1
    assert "broken.wav" in printed
    for name, rate in RATES.items():
        converted = (target / name).with_suffix(".flac")
        source, _ = mapwave.numpy.load(folder / name, dtype="int16")
        audio, sr = mapwave.numpy.load(converted, dtype="int16")
        assert sr == rate
        assert np.array_equal(audio, source)
        assert mapwave.numpy.info(converted).bit_depth == 16
    assert mapwave.numpy.info(target / "deeper/three.flac").tags["title"] == "Take 2"
    assert run("convert_folder.py", folder, target).count(" exists") == len(RATES)


def test_a_stream_is_resampled(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    assert "1.5 s" in run("stream_and_resample.py", folder / "one.wav", target)
    audio, sr = mapwave.numpy.load(target)
    expected, _ = mapwave.numpy.load(folder / "one.wav", sr=16_000, mono=True)
    assert sr == 16_000
    assert audio.shape == expected.shape
    # Rounding to 16 bits and dither move a sample by less than two steps.
    assert np.abs(audio - expected).max() < 2 / 32_768


def test_batches_are_padded(folder: Path) -> None:
    printed = run("padded_batches.py", *(folder / name for name in [*RATES, "broken.wav"]))
    assert "SKIPPED" in printed
    assert "broken.wav" in printed
    assert "(3, 40000), 1.50 to 2.50 s" in printed
