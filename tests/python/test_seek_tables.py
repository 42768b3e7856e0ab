"""Seek tables: what a decoder has found out about a file, kept in the process or given back by the caller."""

import random
import re
from pathlib import Path

import mapwave.numpy as mapwave
import numpy as np
import pytest
from corpus import FIXTURES

#: Files below this size have no table.
SMALLEST = 256 << 10


def repeated(name: str) -> bytes:
    """A file of the format that is long enough, of copies of a fixture, one behind the other."""
    data = (FIXTURES / "compressed" / name).read_bytes()
    return data * (SMALLEST // len(data) + 2)


def flac(path: Path) -> bytes:
    noise = np.random.default_rng(3).integers(-9000, 9000, (400_000, 2)).astype(np.int16)
    mapwave.save(path, noise, 44_100, flac_compression="fast")
    return path.read_bytes()


@pytest.fixture(params=["mp3", "aac", "ogg", "flac"])
def long_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"long.{request.param}"
    match request.param:
        case "mp3":
            path.write_bytes(repeated("mp3-lame.mp3"))
        case "aac":
            path.write_bytes(repeated("aac.aac"))
        case "ogg":
            path.write_bytes(repeated("vorbis.ogg"))
        case _:
            flac(path)
    return path


def test_a_window_is_the_same_with_a_table_and_without(long_file: Path) -> None:
    data = long_file.read_bytes()
    whole, sample_rate = mapwave.load(data)
    with mapwave.open(data) as reader:
        table = reader.seek_table()
        assert isinstance(table, bytes)
        assert len(table) < len(data) / 4
    with mapwave.open(data, seek_table=table) as reader:
        assert reader.seek_table() == table
        assert reader.info() == mapwave.info(data)
    choose = random.Random(5)
    for _ in range(20):
        start = choose.randrange(len(whole))
        stop = choose.randrange(start, min(start + 5000, len(whole)) + 1)
        # By path, the process keeps a table of its own from the second time on.
        for source, given in [(data, table), (long_file, None), (long_file, table)]:
            window, rate = mapwave.load(source, start=start, stop=stop, seek_table=given)
            assert rate == sample_rate
            np.testing.assert_array_equal(window, whole[start:stop])
    chunks = [chunk for chunk, _ in mapwave.stream(data, chunk_frames=30_000, seek_table=table)]
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


def test_a_damaged_table_has_no_effect(long_file: Path) -> None:
    data = long_file.read_bytes()
    with mapwave.open(data) as reader:
        table, whole = reader.seek_table(), reader[:]
    assert table is not None
    choose = random.Random(7)
    middle = len(whole) // 2
    damaged = [table[: choose.randrange(len(table))] for _ in range(10)] + [
        table + b"\0",
        b"",
        b"mwseek01",
        bytes(5000),
    ]
    for _ in range(60):
        place, bit = choose.randrange(len(table)), choose.randrange(8)
        damaged.append(table[:place] + bytes([table[place] ^ 1 << bit]) + table[place + 1 :])
    for given in damaged:
        window, _ = mapwave.load(data, start=middle, stop=middle + 1000, seek_table=given)
        np.testing.assert_array_equal(window, whole[middle : middle + 1000])


def test_a_table_of_another_file_has_no_effect(long_file: Path) -> None:
    data = long_file.read_bytes()
    with mapwave.open(data) as reader:
        table = reader.seek_table()
    # One byte in the first of the places that identify a file, and one more at its end.
    other = bytearray(data)
    other[-1] ^= 1
    for changed in [bytes(other), data + b"\0", data[: len(data) // 2]]:
        try:
            expected = mapwave.info(changed)
        except mapwave.MalformedFile as error:
            # A damaged frame of FLAC.
            with pytest.raises(mapwave.MalformedFile, match=re.escape(str(error))):
                mapwave.open(changed, seek_table=table)
            continue
        with mapwave.open(changed, seek_table=table) as reader:
            assert reader.info() == expected
            np.testing.assert_array_equal(reader[1000:2000], mapwave.load(changed, start=1000, stop=2000)[0])


def test_a_table_spares_the_scan() -> None:
    data = repeated("mp3-lame.mp3")
    with mapwave.open(data) as reader:
        table, expected = reader.seek_table(), reader.frames
    # None of this is where the digests look, and a scan would miss its frames.
    hole = len(data) // 14
    cut = data[:hole] + bytes(3000) + data[hole + 3000 :]
    assert mapwave.info(cut).frames < expected
    assert mapwave.open(cut, seek_table=table).frames == expected


def test_a_file_that_is_replaced_is_scanned_again(long_file: Path) -> None:
    data = long_file.read_bytes()
    for _ in range(4):
        mapwave.load(long_file, start=5000, stop=5100)
    whole, _ = mapwave.load(data)
    half = data[: len(data) // 2]
    long_file.write_bytes(half)
    expected, _ = mapwave.load(half, start=5000, stop=9000)
    np.testing.assert_array_equal(mapwave.load(long_file, start=5000, stop=9000)[0], expected)
    assert mapwave.info(long_file).frames == mapwave.info(half).frames < len(whole)


def test_files_that_open_fast_have_no_table(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    mapwave.save(path, np.zeros((500_000, 1), np.float32), 16_000)
    with mapwave.open(path) as reader:
        assert reader.seek_table() is None
    with mapwave.open(FIXTURES / "compressed" / "mp3-lame.mp3") as reader:
        assert reader.seek_table() is None
    # A file without a table ignores that of another.
    assert mapwave.load(path, start=0, stop=10, seek_table=b"anything")[1] == 16_000


def test_a_table_is_bytes_and_for_reading(tmp_path: Path) -> None:
    path = FIXTURES / "compressed" / "mp3-lame.mp3"
    with pytest.raises(TypeError, match="seek_table must be bytes or None, got 'abc'"):
        mapwave.load(path, seek_table="abc")
    with pytest.raises(ValueError, match="seek_table must be left out in mode 'w'"):
        mapwave.open(tmp_path / "x.wav", "w", sr=8000, channels=1, seek_table=b"1")


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_an_index_keeps_the_tables_of_files(long_file: Path, tmp_path: Path, kind: str) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    short = tmp_path / "short.mp3"
    short.write_bytes((FIXTURES / "compressed" / "mp3-lame.mp3").read_bytes())
    path = tmp_path / f"clips.{kind}"
    files = [long_file, short]
    assert [row.seek_table for row in mapwave.index(files, path, progress=False)] == [None, None]
    index = mapwave.index(files, path, progress=False, seek_tables=True)
    with mapwave.open(long_file) as reader:
        assert [row.seek_table for row in index] == [reader.seek_table(), b""]
    assert mapwave.Index.read(path) == index == mapwave.index(files, path, progress=False, seek_tables=True)


def test_a_loader_uses_the_tables_of_an_index(tmp_path: Path) -> None:
    data = repeated("mp3-lame.mp3")
    path = tmp_path / "long.mp3"
    path.write_bytes(data)
    index = mapwave.index(path, progress=False, seek_tables=True)
    # A scan would miss these frames and count fewer; the file's time is put back for the test alone.
    hole = len(data) // 14
    path.write_bytes(data[:hole] + bytes(3000) + data[hole + 3000 :])
    start = index[0].frames - 20_000
    windows = index.windows(duration=0.1, sort="path")
    loader = mapwave.Loader(windows, batch_size=8)
    last = [(audio, rows) for audio, _, rows in loader][-1]
    whole, _ = mapwave.load(data)
    assert last[1][-1].start > start
    for row, window in zip(last[0], last[1], strict=True):
        np.testing.assert_array_equal(row[: window.frames], whole[window.start : window.start + window.frames])
    # The process remembers what it knows of a file.
    other = tmp_path / "other.mp3"
    other.write_bytes(path.read_bytes())
    plain = mapwave.Index([index[0]._replace(path=str(other), seek_table=None)])
    with pytest.raises(OSError, match="the file has changed since it was indexed"):
        list(mapwave.Loader(plain.windows(duration=0.1), batch_size=8))
