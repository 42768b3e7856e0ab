"""`index`: the facts of many files in a table, and `Index.windows`."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import sys
import tarfile
from pathlib import Path

import corpus
import mapwave.numpy as mapwave
import numpy as np
import pytest
import soundfile
from mapwave import _core, _index

BAD = corpus.FIXTURES / "malformed" / "wav-no-data.wav"


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A directory of five clips, one of them in a directory of its own, and a text."""
    folder = tmp_path / "clips"
    (folder / "inner").mkdir(parents=True)
    for number, name in enumerate(["a.wav", "b.flac", "c.mp3", "d.ogg", "inner/e.wav"]):
        noise = np.random.default_rng(number).integers(-9000, 9000, (8000 + 100 * number, 1 + number % 2), np.int16)
        soundfile.write(folder / name, noise, 16_000)
    (folder / "notes.txt").write_text("no audio")
    (folder / "inner" / "empty").mkdir()
    return folder


@pytest.fixture
def shard(clips: Path) -> Path:
    """An archive as WebDataset writes it."""
    path = clips.parent / "shard-000.tar"
    with tarfile.open(path, "w") as tar:
        for number, name in enumerate(["a.wav", "b.flac", "inner/e.wav"]):
            tar.add(clips / name, f"{number:06}{Path(name).suffix}")
            text = tarfile.TarInfo(f"{number:06}.json")
            text.size = 2
            tar.addfile(text, io.BytesIO(b"{}"))
    return path


def names(index: mapwave.Index, folder: Path) -> list[str]:
    return [os.path.relpath(row.path, folder) for row in index]


def test_rows_are_what_info_says(clips: Path) -> None:
    index = mapwave.index(clips)
    assert names(index, clips) == ["a.wav", "b.flac", "c.mp3", "d.ogg", "inner/e.wav"]
    for row in index:
        info, known = mapwave.info(row.path), soundfile.info(row.path)
        status = os.stat(row.path)
        assert (row.frames, row.sample_rate, row.channels) == (info.frames, info.sample_rate, info.channels)
        assert (row.sample_rate, row.channels) == (known.samplerate, known.channels)
        assert (row.codec, row.container, row.duration) == (info.codec, info.container, info.duration)
        assert (row.bytes, row.file_bytes, row.mtime_ns) == (status.st_size, status.st_size, status.st_mtime_ns)
        assert (row.hash, row.error, row.start) == (None, None, None)
    assert index.columns()["frames"] == [row.frames for row in index]
    assert index[1:3][0] == index[1]
    assert len(index.errors) == 0
    assert "5 files" in repr(index)


def test_paths_patterns_and_directories(clips: Path) -> None:
    assert names(mapwave.index(str(clips / "*.wav")), clips) == ["a.wav"]
    assert names(mapwave.index(str(clips / "**" / "*.wav")), clips) == ["a.wav", "inner/e.wav"]
    both = mapwave.index([clips / "c.mp3", str(clips / "*.[fw]*"), clips / "inner", clips / "c.mp3"])
    assert names(both, clips) == ["c.mp3", "a.wav", "b.flac", "inner/e.wav"]
    assert names(mapwave.index(iter([clips / "notes.txt"])), clips) == ["notes.txt"], "a path may have any ending"
    assert len(mapwave.index([])) == 0
    with pytest.raises(ValueError, match=r"the pattern '.*\*.aiff', which no file matches"):
        mapwave.index(str(clips / "*.aiff"))
    odd = (clips / "a.wav").rename(clips / "a[1].wav")
    assert names(mapwave.index(odd), clips) == ["a[1].wav"], "what exists is no pattern"


def test_members_of_archives(clips: Path, shard: Path) -> None:
    index = mapwave.index([shard, clips / "a.wav"], hash="sha256")
    assert [row.path.removeprefix(f"{shard}::") for row in index[:3]] == ["000000.wav", "000001.flac", "000002.wav"]
    with tarfile.open(shard) as tar:
        for row, original in zip(index, ["a.wav", "b.flac", "inner/e.wav"], strict=False):
            member = tar.getmember(row.path.rpartition("::")[2])
            content = (clips / original).read_bytes()
            assert (row.start, row.bytes, row.file_bytes) == (member.offset_data, len(content), shard.stat().st_size)
            assert row.hash == f"sha256:{hashlib.sha256(content).hexdigest()}"
            audio, rate = mapwave.load(row.path)
            assert rate == row.sample_rate
            np.testing.assert_array_equal(
                audio, soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)[0]
            )
            assert len(audio) == row.frames
    with mapwave.open(f"{shard}::000001.flac") as reader:
        np.testing.assert_array_equal(reader[100:200], mapwave.load(clips / "b.flac", start=100, stop=200)[0])
    with pytest.raises(FileNotFoundError, match="no member of this name"):
        mapwave.load(f"{shard}::gone.wav")


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_may_have_longer_names_than_files(clips: Path, tmp_path: Path, format: int) -> None:
    shard = tmp_path / "long.tar"
    with tarfile.open(shard, "w", format=format) as tar:
        tar.add(clips / "a.wav", f"{'n' * 300}.wav")
    [row] = mapwave.index(shard)
    audio, rate = mapwave.load(row.path)
    expected, expected_rate = mapwave.load(clips / "a.wav")
    assert rate == expected_rate
    np.testing.assert_array_equal(audio, expected)


@pytest.mark.parametrize("end", ["jsonl", "parquet"])
def test_a_table_is_read_as_it_was_written(clips: Path, shard: Path, tmp_path: Path, end: str) -> None:
    if end == "parquet":
        pytest.importorskip("pyarrow")
    table = tmp_path / f"table.{end}"
    index = mapwave.index([clips, shard, BAD, clips / "gone.wav"], table, hash="blake2b")
    assert mapwave.Index.read(table) == index
    assert [row.path for row in index.errors] == [str(BAD), str(clips / "gone.wav")]
    assert str(BAD) in index.errors[0].error
    index[:3].write(tmp_path / f"other.{end}")
    assert list(mapwave.Index.read(tmp_path / f"other.{end}")) == list(index)[:3]
    mapwave.Index().write(table)
    assert len(mapwave.Index.read(table)) == 0


def test_a_table_in_parquet_is_that_of_any_reader(clips: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    index = mapwave.index(clips, tmp_path / "table.parquet")
    table = parquet.read_table(tmp_path / "table.parquet")
    assert table.column_names == list(mapwave.Row._fields)
    assert table.to_pydict() == index.columns()


def test_without_pyarrow_parquet_says_what_to_install(clips: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'mapwave\[data\]'"):
        mapwave.index(clips, tmp_path / "table.parquet")
    assert list(tmp_path.glob("*.parquet")) == []


def _mark(table: Path) -> None:
    """Puts another codec into each row, which shows which rows are taken as they are."""
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    table.write_text("".join(json.dumps({**row, "codec": row["codec"] and "marked"}) + "\n" for row in rows))


def test_only_what_has_changed_is_opened_again(clips: Path, shard: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    paths = [clips, shard, BAD]
    first = mapwave.index(paths, table)
    stamp = table.stat().st_mtime_ns, table.stat().st_ino
    assert mapwave.index(paths, table) == first
    assert (table.stat().st_mtime_ns, table.stat().st_ino) == stamp, "a table that stays the same is not written"
    _mark(table)
    codecs = [row.codec for row in mapwave.index(paths, table)]
    assert codecs == ["marked"] * 8 + [None]
    soundfile.write(clips / "b.flac", np.zeros(77, np.int16), 8000)
    os.utime(clips / "d.ogg", ns=(1, 1))
    (clips / "c.mp3").unlink()
    soundfile.write(clips / "new.wav", np.zeros(55, np.int16), 8000)
    index = mapwave.index(paths, table)
    found = {Path(row.path).name: row.codec for row in index[:5]}
    assert found == {"a.wav": "marked", "b.flac": "flac", "d.ogg": "vorbis", "new.wav": "pcm_s16le", "e.wav": "marked"}
    assert index[1].frames == 77
    os.utime(shard, ns=(5, 5))
    assert [row.codec for row in mapwave.index([shard], table)] == ["pcm_s16le", "flac", "pcm_s16le"]


def test_a_hash_that_was_not_asked_for_before_is_made(clips: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    mapwave.index(clips, table)
    _mark(table)
    index = mapwave.index(clips, table, hash="md5")
    assert [row.codec for row in index] == ["marked"] * 5
    for row in index:
        assert row.hash == "md5:" + hashlib.md5(Path(row.path).read_bytes()).hexdigest()
    assert [row.hash for row in mapwave.index(clips, table)] == [row.hash for row in index], "it is kept"


@pytest.mark.parametrize("num_workers", [1, 5])
def test_files_that_fail(clips: Path, num_workers: int) -> None:
    paths = [clips / "a.wav", BAD, clips / "gone.wav", clips / "inner", clips / "gone.tar"]
    options = {"num_workers": num_workers}
    index = mapwave.index(paths, **options)
    assert [row.error is not None for row in index] == [False, True, True, False, True]
    assert [Path(row.path).name for row in mapwave.index(paths, on_error="skip", **options)] == ["a.wav", "e.wav"]
    with pytest.raises(mapwave.MalformedFile) as caught:
        mapwave.index(paths, on_error="raise", **options)
    assert caught.value.path == str(BAD)


def test_a_damaged_archive_is_an_error_of_its_row(clips: Path, shard: Path) -> None:
    content = bytearray(shard.read_bytes())
    content[3] ^= 1
    shard.write_bytes(content)
    (row,) = mapwave.index(shard)
    assert row.path == str(shard)
    assert "the tar archive is damaged at byte 0" in row.error


def test_an_interrupted_run_is_gone_on_with(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_index, "_CHUNK", 2)
    table, scan, asked = tmp_path / "table.jsonl", _core.scan, []

    def interrupted(files, num_workers, with_tables):
        asked.append(len(files))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return scan(files, num_workers, with_tables)

    monkeypatch.setattr(_core, "scan", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mapwave.index(clips, table)
    assert not table.exists()
    journal = tmp_path / ".table.jsonl.partial"
    assert len(journal.read_text().splitlines()) == 4
    # The machine stopped in the middle of a line.
    journal.write_text(journal.read_text() + '{"path": "half')
    monkeypatch.undo()
    index = mapwave.index(clips, table)
    assert len(index) == 5 and mapwave.Index.read(table) == index
    assert not journal.exists()


def test_what_an_interrupted_run_found_is_not_opened_again(clips: Path, tmp_path: Path) -> None:
    table, journal = tmp_path / "table.jsonl", tmp_path / ".table.jsonl.partial"
    mapwave.index(clips, table)
    table.rename(journal)
    _mark(journal)
    assert [row.codec for row in mapwave.index(clips, table)] == ["marked"] * 5


def test_a_table_is_written_whole_or_not_at_all(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "table.jsonl"
    mapwave.index(clips / "a.wav", table)
    before = table.read_bytes()

    def fail(*paths: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        mapwave.index(clips, table)
    assert table.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_progress_is_told(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_index, "_CHUNK", 2)
    told = []
    mapwave.index(clips, progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "table.csv"}, "must end in .parquet or .jsonl, got 'table.csv'"),
        ({"num_workers": 0}, "num_workers must be > 0 or None, got 0"),
        ({"on_error": "ignore"}, "on_error must be 'record', 'skip' or 'raise', got 'ignore'"),
        ({"hash": "sha257"}, "sha257"),
    ],
)
def test_wrong_arguments(clips: Path, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mapwave.index(clips, **arguments)


def test_what_is_no_table_is_refused(clips: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text('{"path": "a", "bytes": 1}\n{"text": "b"}\n')
    with pytest.raises(ValueError, match=r"table.jsonl is not an index: line 2"):
        mapwave.index(clips, table)
    with pytest.raises(TypeError, match="paths must be"):
        mapwave.index([b"bytes"])


def synthetic(lengths: list[int], rate: int = 1000) -> mapwave.Index:
    rows = [
        mapwave.Row(f"{number:03}.wav", 1, length, rate, 1, duration=length / rate)
        for number, length in enumerate(lengths)
    ]
    return mapwave.Index(rows)


LENGTHS = [0, 1, 999, 1000, 1001, 2500, 10_000]


def test_windows_of_whole_files() -> None:
    windows = synthetic(LENGTHS).windows(sort="path")
    assert [(window.row, window.start, window.frames) for window in windows] == [
        (row, 0, length) for row, length in enumerate(LENGTHS) if length
    ]
    assert windows[0] == mapwave.Window(1, "001.wav", 0, 1, 1000)
    assert [window.frames for window in windows[1:3]] == [999, 1000]
    short = mapwave.Index([mapwave.Row("bad.wav", 1, error="bad"), *synthetic([5])]).windows()
    assert [window.row for window in short] == [1]


@pytest.mark.parametrize(("duration", "hop"), [(1.0, None), (1.0, 0.5), (0.3, 0.7), (20.0, None)])
def test_windows_cover_each_file(duration: float, hop: float | None) -> None:
    windows = synthetic(LENGTHS).windows(duration, hop, sort="path")
    length, step = int(duration * 1000), int((hop or duration) * 1000)
    expected = []
    for row, total in enumerate(LENGTHS):
        start = 0
        while start < total:
            expected.append((row, start, min(length, total - start)))
            if start + length >= total:
                break
            start += step
    assert [(window.row, window.start, window.frames) for window in windows] == expected
    full = synthetic(LENGTHS).windows(duration, hop, min_duration=duration, sort="path")
    assert [(window.row, window.start, window.frames) for window in full] == [
        window for window in expected if window[2] == length
    ]


def test_orders() -> None:
    index = synthetic([random.Random(1).randrange(1, 5000) for _ in range(300)])
    by_length = [window.frames for window in index.windows(sort="length")]
    assert by_length == sorted(by_length)
    by_path = index.windows(0.7, sort="path")
    assert [(window.path, window.start) for window in by_path] == sorted((w.path, w.start) for w in by_path)
    one = list(index.windows(0.7, seed=1))
    assert sorted(one) == sorted(by_path) and one != list(by_path)
    assert list(index.windows(0.7, seed=1)) == one
    assert list(index.windows(0.7, seed=1, epoch=1)) != one
    assert list(index.windows(0.7, seed=2)) != one
    assert list(index.windows(0.7, seed=1).at(1)) == list(index.windows(0.7, seed=1, epoch=1))
    assert index.windows(0.7, seed=1).at(1).epoch == 1


def test_a_random_order_is_the_same_for_ever() -> None:
    windows = synthetic([1] * 12).windows(seed=7)
    keys = random.Random("windows 7 0")
    numbers = [keys.random() for _ in range(12)]
    assert [window.row for window in windows] == sorted(range(12), key=numbers.__getitem__)
    assert [window.row for window in windows] == PINNED


PINNED = [0, 7, 5, 8, 4, 6, 11, 3, 10, 9, 2, 1]


@pytest.mark.parametrize("sort", ["random", "length", "path"])
def test_ranks_share_the_windows(sort: str) -> None:
    index = synthetic([10 + number for number in range(47)])
    whole = list(index.windows(sort=sort, seed=3))
    parts = [list(index.windows(sort=sort, seed=3, rank=rank, world=4)) for rank in range(4)]
    assert [len(part) for part in parts] == [11] * 4
    assert [part[place] for place in range(11) for part in parts] == whole[:44]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"duration": 0}, "duration must be > 0 seconds or None, got 0"),
        ({"duration": 1, "hop": -1}, "hop must be > 0 seconds or None, got -1"),
        ({"hop": 1}, "hop needs a duration"),
        ({"min_duration": -1}, "min_duration must be >= 0 seconds, got -1"),
        ({"world": 0}, "world must be > 0, got 0"),
        ({"rank": 2, "world": 2}, "rank must be from 0 to 1, got 2"),
        ({"sort": "size"}, "sort must be 'random', 'length' or 'path', got 'size'"),
    ],
)
def test_wrong_windows(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthetic([5]).windows(**arguments)
