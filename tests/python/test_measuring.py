"""`loudness`, `silences` and `save(loudness=)`: against FFmpeg, and against the definitions."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest

RATE = 48_000

with_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def speech(seconds: float, channels: int = 2, rate: int = RATE, seed: int = 1) -> np.ndarray:
    """Noise with the rhythm of speech: syllables, pauses, louder and softer sentences."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time), 0, 1) ** 2
    sentences = np.clip(np.sin(2 * np.pi * time / 7.3) + 0.6, 0, 1) * (0.3 + 0.7 * (np.sin(time / 5.0) > 0))
    tone = np.cumsum(random.standard_normal((len(time), channels)), axis=0)
    tone -= np.stack([np.convolve(channel, np.ones(100) / 100, "same") for channel in tone.T], axis=1)
    return (0.5 * (syllables * sentences)[:, None] * tone / np.abs(tone).max()).astype(np.float32)


def measured_by_ffmpeg(path: Path) -> dict[str, float]:
    command = [
        "ffmpeg",
        "-hide_banner",
        "-nostats",
        "-i",
        path,
        "-filter_complex",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    found = {name: float(value) for name, value in re.findall(r"(I|LRA|Peak):\s+(-?[\d.]+|-inf)", text)}
    return {"integrated": found["I"], "range": found["LRA"], "true_peak": found["Peak"]}


@with_ffmpeg
@pytest.mark.parametrize(
    ("name", "rate", "channels", "options"),
    [
        ("a.wav", 48_000, 2, {}),
        ("b.wav", 44_100, 1, {"encoding": "pcm16"}),
        ("c.flac", 16_000, 1, {"encoding": "pcm16"}),
        ("d.flac", 96_000, 2, {}),
        ("e.aiff", 22_050, 2, {"encoding": "pcm24"}),
        ("f.wav", 48_000, 6, {"channel_mask": 0x60F}),
    ],
)
def test_files_are_as_loud_as_ffmpeg_finds_them(
    tmp_path: Path, name: str, rate: int, channels: int, options: dict[str, object]
) -> None:
    path = tmp_path / name
    mapwave.save(path, speech(40, channels, rate), rate, **options)
    found, expected = mapwave.loudness(path), measured_by_ffmpeg(path)
    # FFmpeg prints tenths.
    assert found.integrated == pytest.approx(expected["integrated"], abs=0.1)
    # FFmpeg counts windows of 3 s from the first 100 ms on, as if silence had been before: 29 of the 400 here.
    assert found.range == pytest.approx(expected["range"], abs=0.6)
    assert found.true_peak == pytest.approx(expected["true_peak"], abs=0.3)


def test_the_source_is_a_path_bytes_a_reader_or_an_array(tmp_path: Path) -> None:
    audio, path = speech(10), tmp_path / "speech.flac"
    mapwave.save(path, audio, RATE)
    read, _ = mw.load(path, dtype="int32")
    expected = mapwave.loudness(path)
    with mw.open(path) as reader:
        assert mapwave.loudness(reader) == expected
    assert mapwave.loudness(path.read_bytes(), threads=1) == expected
    assert mapwave.loudness(read, RATE) == expected
    assert mapwave.loudness(read.T, RATE, layout="channels_first", threads=1) == expected
    assert mw.loudness is mapwave.loudness


def test_loudness_is_a_record(tmp_path: Path) -> None:
    found = mapwave.loudness(speech(5), RATE)
    assert list(found.asdict()) == list(type(found).__annotations__)
    assert json.loads(json.dumps(found.asdict()))["integrated"] == found.integrated
    assert repr(found).startswith("Loudness(\n    integrated=")
    assert found.range == found.range_high - found.range_low
    assert found.sample_peak <= found.true_peak
    assert found.max_momentary >= found.max_short_term >= found.integrated
    assert found.gain_to(-23.0, 99.0) == -23.0 - found.integrated
    assert found.gain_to(0.0, -1.0) == -1.0 - found.true_peak


def test_silence_has_no_loudness() -> None:
    found = mapwave.loudness(np.zeros((RATE, 2), np.float32), RATE)
    assert found.integrated == found.true_peak == -math.inf
    assert found.range == 0.0
    assert mapwave.loudness(np.zeros((0, 2), np.float32), RATE, layout="channels_last").integrated == -math.inf


def test_wrong_arguments_are_refused_by_name(tmp_path: Path) -> None:
    audio, path = np.zeros((8000, 1), np.float32), tmp_path / "a.wav"
    mapwave.save(path, audio, 8000)
    with pytest.raises(mapwave.InvalidArgument, match="sr must be given for an array"):
        mapwave.loudness(audio)
    with pytest.raises(mapwave.InvalidArgument, match="sr is for an array"):
        mapwave.loudness(path, 8000)
    with pytest.raises(mapwave.InvalidArgument, match="plugin is for a file"):
        mapwave.silences(audio, 8000, plugin="builtin")
    with mapwave.open(path) as reader, pytest.raises(mapwave.InvalidArgument, match="when the reader was opened"):
        mapwave.silences(reader, track=0)
    with pytest.raises(mapwave.InvalidArgument, match="at least 4000 Hz"):
        mapwave.loudness(audio, 2000)
    with pytest.raises(mapwave.InvalidArgument, match=r"a\.wav: threshold_db must be at most 0 dBFS, got 1"):
        mapwave.silences(path, threshold_db=1)
    with pytest.raises(TypeError, match="did you mean 'threshold_db'"):
        mapwave.silences(path, treshold_db=-60)
    with pytest.raises(mapwave.AudioFileNotFound):
        mapwave.loudness(tmp_path / "none.wav")


def runs(audio: np.ndarray, threshold_db: float, least: int) -> list[tuple[int, int]]:
    """The silences by their definition."""
    silent = (np.abs(audio) <= np.float32(10 ** (threshold_db / 20))).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]]).astype(int)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2) if stop - start >= least]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("threshold_db", "seconds"), [(-50.0, 0.3), (-30.0, 0.1), (-70.0, 0.02)])
def test_silences_are_those_of_the_definition(
    tmp_path: Path, threshold_db: float, seconds: float, threads: int
) -> None:
    audio = speech(30, rate=16_000)
    audio[100_000:120_000] = 0
    audio[-5000:] = 0
    expected = runs(audio, threshold_db, math.ceil(seconds * 16_000))
    assert expected
    arguments = {"threshold_db": threshold_db, "min_duration": seconds, "threads": threads}
    assert mapwave.silences(audio, 16_000, **arguments) == expected
    mapwave.save(tmp_path / "a.wav", audio, 16_000)
    assert mapwave.silences(tmp_path / "a.wav", **arguments) == expected
    mapwave.save(tmp_path / "a.flac", audio, 16_000)
    read, _ = mw.load(tmp_path / "a.flac")
    found = mapwave.silences(tmp_path / "a.flac", **arguments)
    assert found == runs(read, threshold_db, math.ceil(seconds * 16_000))


def test_a_file_is_measured_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with mapwave.open(path, "w", sr=48_000, channels=2, encoding="pcm16") as writer:
        for _ in range(40):
            writer.write(speech(10))
    script = f"""
import resource, mapwave
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
mapwave.loudness({str(path)!r}, threads=2); mapwave.silences({str(path)!r}, threads=2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    import sys

    kilobytes = int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
    assert path.stat().st_size > 70 << 20
    assert kilobytes < 40 << 10


# Saving


@pytest.mark.parametrize(("name", "options"), [("a.wav", {}), ("a.flac", {}), ("a.wav", {"encoding": "pcm16"})])
def test_a_file_is_saved_at_a_loudness(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    audio = speech(20)
    mapwave.save(tmp_path / name, audio, RATE, loudness=-23.0, **options)
    assert mapwave.loudness(tmp_path / name).integrated == pytest.approx(-23.0, abs=0.01)
    gain = 10 ** (mapwave.loudness(audio, RATE).gain_to(-23.0) / 20)
    read, _ = mw.load(tmp_path / name)
    np.testing.assert_allclose(read, audio * gain, atol=2 / 32768)


@pytest.mark.parametrize("clip", [True, False, "rescale"])
def test_the_gain_is_reduced_rather_than_that_anything_clips(tmp_path: Path, clip: object) -> None:
    audio = speech(20)
    mapwave.save(tmp_path / "a.wav", audio, RATE, loudness=-3.0, clip=clip, encoding="pcm24")
    found = mapwave.loudness(tmp_path / "a.wav")
    assert found.true_peak == pytest.approx(-1.0, abs=0.01)
    assert found.integrated < -3.0
    read, _ = mw.load(tmp_path / "a.wav")
    factor = float((read * audio).sum() / (audio * audio).sum())
    np.testing.assert_allclose(read, audio * factor, atol=1e-5)
    prepared = mapwave.prepare_save(audio)
    mapwave.save_prepared(tmp_path / "b.wav", prepared, RATE, loudness=-3.0, true_peak=-6.0, encoding="pcm24")
    assert mapwave.loudness(tmp_path / "b.wav").true_peak == pytest.approx(-6.0, abs=0.01)


def test_integers_are_saved_at_a_loudness_and_silence_stays_as_it_is(tmp_path: Path) -> None:
    audio = (speech(10) * 32767).astype(np.int16)
    mapwave.save(tmp_path / "a.wav", audio, RATE, loudness=-30.0, encoding="pcm16")
    assert mapwave.loudness(tmp_path / "a.wav").integrated == pytest.approx(-30.0, abs=0.05)
    mapwave.save(tmp_path / "b.wav", np.zeros((RATE, 1), np.float32), RATE, loudness=-23.0)
    assert not mw.load(tmp_path / "b.wav")[0].any()


def test_a_loudness_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    path, audio = tmp_path / "a.wav", speech(1)
    with pytest.raises(mapwave.InvalidArgument, match="true_peak is for loudness="):
        mapwave.save(path, audio, RATE, true_peak=-2.0)
    with pytest.raises(mapwave.InvalidArgument, match="loudness must be finite, got inf"):
        mapwave.save(path, audio, RATE, loudness=math.inf)
    audio[100] = np.nan
    with pytest.raises(mapwave.InvalidArgument, match="finite samples to be measured"):
        mapwave.save(path, audio, RATE, loudness=-23.0)
    assert not path.exists()
