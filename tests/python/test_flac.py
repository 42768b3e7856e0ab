"""FLAC files that libFLAC reads in part or not at all: count, whole and every window agree, for every source."""

from __future__ import annotations

import io
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

RATE = 44_100


def encoded(num_frames: int, seed: int) -> bytes:
    """Noise as 16-bit FLAC by libFLAC."""
    noise = np.random.default_rng(seed).integers(-8000, 8000, (num_frames, 2), np.int16)
    target = io.BytesIO()
    soundfile.write(target, noise, RATE, format="FLAC", subtype="PCM_16")
    return target.getvalue()


def crc(data: bytes, bits: int, polynomial: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (bits - 1) else 0)
            value &= (1 << bits) - 1
    return value


def first_frame(data: bytes) -> int:
    """Where the metadata blocks end."""
    place = 4
    while True:
        is_last, size = data[place] >> 7, int.from_bytes(data[place + 1 : place + 4])
        place += 4 + size
        if is_last:
            return place


def split(data: bytes) -> tuple[bytes, list[bytes]]:
    """The metadata and the frames, of which there are at most 128."""
    starts = [first_frame(data)]
    while True:
        place = starts[-1] + 4
        while (place := data.find(b"\xff\xf8", place)) >= 0:
            if data[place + 4] == len(starts) and crc(data[starts[-1] : place], 16, 0x8005) == 0:
                break
            place += 1
        if place < 0:
            break
        starts.append(place)
    ends = [*starts[1:], len(data)]
    return data[: starts[0]], [data[start:end] for start, end in zip(starts, ends, strict=True)]


def renumbered(frame: bytes, number: int) -> bytes:
    """A frame with another number below 128, whose header states its size in 0 to 2 bytes."""
    extra = {6: 1, 7: 2}.get(frame[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(frame[2] & 15, 0)
    header = frame[:4] + bytes([number]) + frame[5 : 5 + extra]
    body = header + bytes([crc(header, 8, 0x07)]) + frame[6 + extra : -2]
    return body + crc(body, 16, 0x8005).to_bytes(2)


def check(data: bytes, path: Path, expected: np.ndarray) -> None:
    path.write_bytes(data)
    draw = np.random.default_rng(len(data))
    for source in (lambda: path, lambda: data, lambda: io.BytesIO(data)):
        facts = mapwave.info(source())
        assert (facts.frames, facts.is_truncated, facts.plugin) == (len(expected), False, "builtin")
        np.testing.assert_array_equal(mw.load(source(), dtype="int16")[0], expected)
        for start in draw.integers(0, len(expected), 100):
            stop = start + int(draw.integers(1, 9000))
            window = mw.load(source(), dtype="int16", start=int(start), stop=min(stop, len(expected)))[0]
            np.testing.assert_array_equal(window, expected[start:stop])


@pytest.mark.parametrize("num_frames", [81_920, 100_000, 600_000])
def test_two_files_in_a_row_are_the_first(num_frames: int, tmp_path: Path) -> None:
    first, same, longer = encoded(num_frames, 1), encoded(num_frames, 2), encoded(num_frames + 5000, 3)
    expected = soundfile.read(io.BytesIO(first), dtype="int16")[0]
    assert len(expected) == num_frames
    for second in (first, same, longer):
        check(first + second, tmp_path / "two.flac", expected)


def test_frames_that_are_all_number_0_are_all_read(tmp_path: Path) -> None:
    data = encoded(40_000, 4)
    head, frames = split(data)
    assert len(frames) > 5
    same = head + b"".join(renumbered(frame, 0) for frame in frames)
    check(same, tmp_path / "same.flac", soundfile.read(io.BytesIO(data), dtype="int16")[0])


@pytest.mark.parametrize("disorder", ["missing", "swapped", "twice", "foreign"])
def test_frames_in_disorder_are_refused_by_all(disorder: str, tmp_path: Path) -> None:
    head, frames = split(encoded(40_000, 5))
    frames = {
        "missing": frames[:3] + frames[4:],
        "swapped": [*frames[:3], frames[4], frames[3], *frames[5:]],
        "twice": frames[:4] + frames[3:],
        "foreign": [*frames[:3], renumbered(frames[0], 77), *frames[3:]],
    }[disorder]
    path = tmp_path / "disorder.flac"
    path.write_bytes(head + b"".join(frames))
    window = {"start": 30_000, "stop": 30_100}
    for source in (path, path.read_bytes()):
        for read in (mapwave.info, mw.load, lambda source: mw.load(source, **window)):
            with pytest.raises(mapwave.MalformedFile, match=r"frames are missing or out of order"):
                read(source)
