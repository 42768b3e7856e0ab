"""Limits of what a call returns: for the process, as arguments, and by the memory of the machine."""

from __future__ import annotations

import io
import math
import pickle
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hostile"))
from files import flac  # type: ignore[import-not-found]


@pytest.fixture(autouse=True)
def as_at_first() -> Iterator[None]:
    yield
    mapwave.limits(max_frames="default", max_bytes="default", max_seconds="default")


@pytest.fixture
def second(tmp_path: Path) -> str:
    """A second of stereo at 8,000 Hz: 64,000 bytes as float32."""
    path = tmp_path / "second.wav"
    mapwave.save(path, np.zeros((8000, 2), np.float32), 8000, encoding="pcm16")
    return str(path)


@pytest.fixture
def bomb(tmp_path: Path) -> str:
    """200 kilobytes that stand for 15.5 gigabytes."""
    path = tmp_path / "bomb.flac"
    path.write_bytes(flac.bomb(7400))
    return str(path)


@pytest.mark.parametrize(
    ("name", "least", "shown"),
    [("max_frames", 8000, "8000"), ("max_bytes", 64_000, "64000"), ("max_seconds", 1.0, "1000")],
)
def test_every_function_honours_every_limit(second: str, name: str, least: float, shown: str) -> None:
    less = {name: least - 1 if name != "max_seconds" else 0.999}
    with mw.open(second, **less) as reader, pytest.raises(mapwave.LimitExceeded):
        reader.read()
    with mw.open(second, **less) as reader:
        assert reader.read(7000).shape == (7000, 2)
    for read in (
        lambda limits: mw.load(second, **limits),
        lambda limits: mw.batch_load([second], **limits),
        lambda limits: mw.batch_load([second], stack=True, **limits),
        lambda limits: list(mw.iter_load([second], **limits)),
    ):
        read({name: least})
        with pytest.raises(mapwave.LimitExceeded, match=name) as caught:
            read(less)
        assert caught.value.path == second and shown in str(caught.value)
        # The same for the process, where an argument of a call holds instead.
        with mapwave.limits(**less):
            with pytest.raises(mapwave.LimitExceeded, match=name):
                read({})
            read({name: least})
            read({name: math.inf})
        read({})


def test_a_window_counts_and_not_the_file(second: str) -> None:
    assert mw.load(second, stop=100, max_frames=100)[0].shape == (100, 2)
    assert mw.load(second, mono=True, squeeze_mono=True, dtype="int16", max_bytes=16_000)[0].nbytes == 16_000
    with pytest.raises(mapwave.LimitExceeded, match="is 16000, more than the limit of 15999"):
        mw.load(second, sr=16_000, max_frames=15_999)
    with pytest.raises(mapwave.LimitExceeded, match="is 101"):
        mw.load(Path(second).read_bytes(), stop=101, max_frames=100)


def test_a_stack_counts_as_one_array(second: str) -> None:
    assert mw.batch_load([second] * 4, stack=True, max_bytes=256_000)[0].nbytes == 256_000
    with pytest.raises(mapwave.LimitExceeded, match="is 256000"):
        mw.batch_load([second] * 4, stack=True, max_bytes=255_999)
    assert len(mw.batch_load([second] * 4, max_bytes=64_000)) == 4


def test_what_holds_for_the_process_is_read_and_restored() -> None:
    first = mapwave.limits()
    assert (first.max_frames, first.max_bytes, first.max_seconds) == (None, None, None)
    with mapwave.limits(max_seconds=60, max_bytes=math.inf) as limits:
        assert (limits.max_frames, limits.max_bytes, limits.max_seconds) == (None, math.inf, 60.0)
        with mapwave.limits(max_frames=5):
            assert repr(mapwave.limits()) == "Limits(max_frames=5, max_bytes=inf, max_seconds=60.0)"
        assert mapwave.limits().max_frames is None
        assert mapwave.limits(max_seconds="default").max_seconds is None
    assert repr(mapwave.limits()) == "Limits(max_frames=None, max_bytes=None, max_seconds=None)"


@pytest.mark.parametrize("name", ["max_frames", "max_bytes", "max_seconds"])
def test_what_is_not_a_limit_is_refused(second: str, name: str) -> None:
    for set_limit in (lambda limit: mapwave.limits(**{name: limit}), lambda limit: mw.load(second, **{name: limit})):
        for wrong in (0, -1):
            with pytest.raises(mapwave.InvalidArgument, match=f"{name} must be > 0"):
                set_limit(wrong)
        for wrong in ("many", True, [1]):
            with pytest.raises(TypeError, match=f"{name} must be"):
                set_limit(wrong)
    assert getattr(mapwave.limits(), name) is None
    for refused in (
        lambda: mw.stream(second, **{name: 5}),
        lambda: mw.info(second, **{name: 5}),
        lambda: mw.resample(np.zeros(5, np.float32), 8000, 16_000, **{name: 5}),
    ):
        with pytest.raises(TypeError, match=name):
            refused()
    with pytest.raises(mapwave.InvalidArgument, match=name):
        mw.open(io.BytesIO(), "w", sr=8000, channels=1, **{name: 5})


def test_a_bomb_is_refused_before_it_takes_memory(bomb: str) -> None:
    info = mw.info(bomb)
    num_bytes = info.frames * info.channels * 4
    assert num_bytes > 15_000_000_000
    with pytest.raises(mapwave.LimitExceeded, match=f"is {num_bytes}, more than the limit of 1000000") as caught:
        mw.load(bomb, max_bytes=1_000_000)
    error = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(error, mapwave.LimitExceeded) and error.path == bomb
    assert mw.load(bomb, start=-100, max_bytes=10_000)[0].shape == (100, 8)


def test_more_than_the_machine_has_is_refused(bomb: str) -> None:
    # Half a terabyte.
    with pytest.raises(mapwave.LimitExceeded, match=r"\(max_bytes, by default the memory of this machine\)"):
        mw.load(bomb, sr=768_000, dtype="float64")
    # A lie about the length of PCM is none to begin with.
    lie = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQQI", 28, 1 << 50, 1 << 50, 1 << 48, 0)
    lie += b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44_100, 176_400, 4, 16) + b"data\xff\xff\xff\xff" + bytes(64)
    assert mw.info(lie).is_truncated and mw.load(lie)[0].shape == (16, 2)
