"""mapwave.mlx_data with the real mlx-data."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import clipfile
import mapwave
import mapwave.mlx_data
import numpy as np
import pytest

if importlib.util.find_spec("mlx") is None or importlib.util.find_spec("mlx.data") is None:
    pytest.skip("mlx-data is not installed: make test-ecosystem", allow_module_level=True)

import mlx.data


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return clipfile.make(tmp_path / "clips", 6)


def _named(paths: list[Path]) -> list[dict[str, object]]:
    return [{"file": path.name.encode(), "number": number} for number, path in enumerate(paths)]


def test_a_buffer_has_what_load_audio_has(paths: list[Path]) -> None:
    prefix = paths[0].parent
    buffer = mlx.data.buffer_from_vector(_named(paths))
    ours = buffer.sample_transform(mapwave.mlx_data.LoadAudio("file", prefix, output_key="audio"))
    theirs = buffer.load_audio("file", prefix=str(prefix), output_key="audio")
    for number, path in enumerate(paths):
        sample = ours[number]
        assert sample["number"] == number
        assert bytes(sample["file"]) == path.name.encode()
        assert np.array_equal(sample["audio"], clipfile.samples(path).T)
        assert np.array_equal(sample["audio"], theirs[number]["audio"])


def test_a_stream_loads_on_several_threads(paths: list[Path]) -> None:
    load = mapwave.mlx_data.LoadAudio(
        "file", paths[0].parent, sr=4_000, mono=True, duration=0.25, output_key="audio", sample_rate_key="rate"
    )
    stream = mlx.data.buffer_from_vector(_named(paths)).to_stream().sample_transform(load).prefetch(4, 2)
    found = {int(sample["number"]): sample for sample in stream}
    assert sorted(found) == [*range(6)]
    assert {(sample["audio"].shape, int(sample["rate"])) for sample in found.values()} == {((1_000, 1), 4_000)}
    batch = next(mlx.data.buffer_from_vector(_named(paths)).to_stream().sample_transform(load).batch(6))
    assert batch["audio"].shape == (6, 1_000, 1)


def test_files_in_memory_are_decoded(paths: list[Path]) -> None:
    samples = [{"audio": path.read_bytes()} for path in paths]
    load = mapwave.mlx_data.LoadAudio("audio", from_memory=True)
    buffer = mlx.data.buffer_from_vector(samples).sample_transform(load)
    for number, path in enumerate(paths):
        assert np.array_equal(buffer[number]["audio"], clipfile.samples(path).T)


def test_arguments_are_checked_at_once() -> None:
    with pytest.raises(TypeError, match="no argument 'rate'"):
        mapwave.mlx_data.LoadAudio("file", rate=3)
    with pytest.raises(mapwave.AudioFileNotFound, match="nowhere"):
        mapwave.mlx_data.LoadAudio("file")({"file": b"nowhere.wav"})
