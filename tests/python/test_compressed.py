"""What the embedded codecs make of the compressed fixtures, on any number of threads and of damage."""

from __future__ import annotations

import csv
import hashlib
import logging
import pickle
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest

FOLDER = corpus.FIXTURES / "compressed"


def rows() -> list[dict[str, str]]:
    """The table of the compressed fixtures."""
    lines = (FOLDER / "expected.tsv").read_text().splitlines()
    return list(csv.DictReader([line for line in lines if not line.startswith("#")], delimiter="\t"))


each_row = pytest.mark.parametrize("row", rows(), ids=lambda row: row["name"])

# Formats whose files can be put one behind the other, to be long enough for several threads.
STREAMS = ["mp2.mp2", "mp3-no-xing.mp3", "aac.aac"]


@each_row
def test_the_facts(row: dict[str, str]) -> None:
    facts = mapwave.info(FOLDER / row["name"])
    assert (facts.container, facts.codec) == (row["container"], row["codec"])
    assert facts.container_variant == (row["variant"] or None)
    assert facts.sample_rate == int(row["sample_rate"])
    assert (facts.frames, facts.channels) == (int(row["frames"]), int(row["channels"]))
    assert facts.plugin == "builtin"
    assert facts.is_lossless == bool(row["sha256_s32le"])
    assert not facts.is_truncated


@each_row
def test_the_samples(row: dict[str, str]) -> None:
    path, frames, channels = FOLDER / row["name"], int(row["frames"]), int(row["channels"])
    if row["sha256_s32le"]:
        samples = mw.load(path, dtype="int32")[0]
        assert samples.shape == (frames, channels)
        assert hashlib.sha256(samples.astype("<i4").tobytes()).hexdigest() == row["sha256_s32le"]
        return
    samples = mw.load(path)[0]
    assert samples.shape == (frames, channels)
    probes = [samples[number * (frames - 1) // 63, number % channels] for number in range(64)]
    np.testing.assert_allclose(probes, [float(probe) for probe in row["probes"].split(",")], atol=0.001)


@each_row
def test_threads_and_windows_change_nothing(row: dict[str, str]) -> None:
    path = FOLDER / row["name"]
    whole = mw.load(path, threads=1)[0]
    for threads in (2, 3, 8, None):
        np.testing.assert_array_equal(mw.load(path, threads=threads)[0], whole)
    for start in range(0, len(whole), len(whole) // 7):
        window = mw.load(path, start=start, stop=start + 1500)[0]
        np.testing.assert_array_equal(window, whole[start : start + 1500])
    chunks = [chunk for chunk, _ in mw.stream(path, chunk_frames=4000)]
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_threads_change_nothing_of_a_long_file(name: str, dtype: str) -> None:
    contents = (FOLDER / name).read_bytes() * 20
    whole = mw.load(contents, threads=1, dtype=dtype)[0]
    assert len(whole) > 20 * 40_000
    for threads in (2, 3, 8):
        np.testing.assert_array_equal(mw.load(contents, threads=threads, dtype=dtype)[0], whole)
    np.testing.assert_array_equal(mw.load(contents, start=500_001, threads=3, dtype=dtype)[0], whole[500_001:])


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_at_all_are_refused(threads: int) -> None:
    path = FOLDER / "mp3-cbr.mp3"
    for read in (
        mw.load,
        mw.open,
        lambda path, threads: mw.stream(path, 9, threads=threads),
        lambda path, threads: mw.batch_load([path], threads=threads),
    ):
        with pytest.raises(ValueError, match=f"threads must be > 0 or None, got {threads}"):
            read(path, threads=threads)


def damaged(name: str) -> bytes:
    """An MP3 file with the side information of a frame in its middle turned over."""
    contents = bytearray((FOLDER / name).read_bytes())
    header = contents.index(b"\xff\xfb", len(contents) // 2)
    for at in range(header + 4, header + 36):
        contents[at] ^= 0xA5
    return bytes(contents)


@pytest.mark.parametrize("read", ["load", "stream", "open", "batch_load"])
def test_damaged_packets_are_logged(read: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "damaged.mp3"
    path.write_bytes(damaged("mp3-cbr.mp3"))
    good = mw.load(FOLDER / "mp3-cbr.mp3")[0]
    with caplog.at_level(logging.DEBUG, logger="mapwave"):
        audio = {
            "load": lambda: mw.load(path)[0],
            "stream": lambda: np.concatenate([chunk for chunk, _ in mw.stream(path, 1000)]),
            "open": lambda: mw.open(path)[:],
            "batch_load": lambda: mw.batch_load([path])[0][0],
        }[read]()
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings
    assert {record.name for record in warnings} == {"mapwave"}
    assert audio.shape == good.shape
    differs = (audio != good).any(axis=1)
    assert differs.any()
    assert not differs[: len(good) // 4].any()
    assert not differs[-len(good) // 4 :].any()


def test_a_sound_file_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="mapwave"):
        for row in rows():
            mw.load(FOLDER / row["name"])
    assert caplog.records == []


def test_errors_of_plugins_pickle_with_their_name() -> None:
    with pytest.raises(mapwave.MalformedFile) as caught:
        mw.load(b"fLaC" + bytes(100))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.plugin, again.container, again.offset) == ("builtin", "flac", 4)
    assert str(again) == str(caught.value)
