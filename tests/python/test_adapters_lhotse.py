"""mapwave.lhotse with the real Lhotse."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clipfile
import mapwave.numpy
import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.filterwarnings("default")
lhotse = pytest.importorskip("lhotse", reason="Lhotse or PyTorch is not installed", exc_type=ImportError)


@pytest.fixture(autouse=True)
def backend() -> Iterator[Any]:
    """Lhotse reads by mapwave, and as before afterwards."""
    import mapwave.lhotse

    with lhotse.audio.audio_backend("MapwaveBackend") as backend:
        assert isinstance(backend, mapwave.lhotse.MapwaveBackend)
        yield backend


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return clipfile.make(tmp_path / "clips", 4)


def test_recordings_and_cuts_are_those_of_libsndfile(paths: list[Path]) -> None:
    for path in paths:
        recording = lhotse.Recording.from_file(path)
        expected = clipfile.samples(path)
        assert (recording.sampling_rate, recording.num_channels, recording.num_samples) == (8_000, *expected.shape)
        assert np.array_equal(recording.load_audio(), expected)
        # 0.1001875 s are 801.5 frames, which Lhotse rounds up.
        windows = [(0.1001875, 0.25, 802, 2_802), (0.0, 0.1, 0, 800), (0.3, 0.2, 2_400, 4_000)]
        for offset, duration, start, stop in windows:
            cut = recording.to_cut().truncate(offset=offset, duration=duration)
            assert np.array_equal(cut.load_audio(), expected[:, start:stop])
            with lhotse.audio.audio_backend("LibsndfileBackend"):
                assert np.array_equal(cut.load_audio(), expected[:, start:stop])


def test_recordings_in_memory(paths: list[Path]) -> None:
    recording = lhotse.Recording.from_bytes(paths[0].read_bytes(), "a")
    assert np.array_equal(recording.load_audio(), clipfile.samples(paths[0]))


def test_opus_has_the_rate_of_its_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.opus"
    tone = 0.5 * np.sin(np.arange(16_000) * 0.1).astype(np.float32)[None]
    mapwave.numpy.save(path, tone, 16_000, "channels_first")
    recording = lhotse.Recording.from_file(path)
    assert (recording.sampling_rate, recording.load_audio().shape) == (48_000, (1, 48_000))
    forced = lhotse.Recording.from_file(path, force_opus_sampling_rate=16_000)
    assert (forced.sampling_rate, forced.load_audio().shape) == (16_000, (1, 16_000))
    # Whatever Opus makes of the tone, its level and its place stay.
    assert np.abs(forced.load_audio() - tone)[0, 800:-800].max() < 0.1


@pytest.mark.parametrize(("format", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_16")])
def test_it_saves(tmp_path: Path, paths: list[Path], format: str, subtype: str) -> None:
    torch = pytest.importorskip("torch")
    expected = clipfile.samples(paths[1])
    memory = io.BytesIO()
    lhotse.audio.save_audio(tmp_path / f"a.{format}", torch.from_numpy(expected.copy()), 8_000)
    lhotse.audio.save_audio(memory, expected, 8_000, format=format)
    for target in (tmp_path / f"a.{format}", io.BytesIO(memory.getvalue())):
        samples, rate = soundfile.read(target, dtype="float32", always_2d=True)
        assert rate == 8_000
        assert np.array_equal(samples.T, expected)
    assert soundfile.info(tmp_path / f"a.{format}").subtype == subtype
