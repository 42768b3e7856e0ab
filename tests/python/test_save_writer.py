"""`open(path, "w")`: files written in parts."""

from __future__ import annotations

import io
import threading
import warnings
from pathlib import Path

import child
import mapwave
import mapwave.numpy as mw
import mlx.core as mx
import numpy as np
import pytest
import signals
import soundfile

RATE = 48_000


def create(path: object, channels: int = 2, **options: object) -> mapwave.Writer:
    return mapwave.open(path, "w", **{"sr": RATE, "channels": channels, "durable": False} | options)


def parts_of(audio: np.ndarray, seed: int = 3) -> list[np.ndarray]:
    """The audio in parts of any length, also none."""
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(audio), 12))
    return np.split(audio, [0, *cuts, *cuts[-1:]])


# The file


@pytest.mark.parametrize("encoding", ["float32", "pcm16", "pcm24", "u8", "mulaw"])
@pytest.mark.parametrize("container", ["wav", "rf64", "w64", "aiff", "aifc", "caf"])
def test_parts_are_the_samples_of_the_whole(tmp_path: Path, container: str, encoding: str) -> None:
    audio = signals.noise("float32", 5001, 2)
    whole, parts = tmp_path / f"whole.{container}", tmp_path / f"parts.{container}"
    mapwave.save(whole, audio, RATE, encoding=encoding, durable=False)
    with create(parts, encoding=encoding) as writer:
        for part in parts_of(audio):
            writer.write(part)
    read, rate = soundfile.read(parts, dtype="float64", always_2d=True)
    np.testing.assert_array_equal(read, soundfile.read(whole, dtype="float64", always_2d=True)[0])
    assert rate == RATE
    assert mapwave.info(parts) == mapwave.info(whole)
    assert not mapwave.info(parts).is_truncated


def test_dither_goes_by_the_sample_and_not_by_the_part(tmp_path: Path) -> None:
    audio = signals.noise("float32", 20_000, 2)
    options = {"encoding": "pcm16", "dither": "tpdf", "seed": 9}
    mapwave.save(tmp_path / "whole.caf", audio, RATE, durable=False, **options)
    with create(tmp_path / "parts.caf", **options) as writer:
        for part in parts_of(audio):
            writer.write(part)
    assert (tmp_path / "parts.caf").read_bytes() == (tmp_path / "whole.caf").read_bytes()


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int16", "int32"])
def test_chunks_are_of_the_type_that_was_said(tmp_path: Path, dtype: str) -> None:
    audio = (signals.noise("float64", 3000, 2) * 0.5).astype(dtype) if dtype.startswith("f") else None
    audio = signals.noise(dtype, 3000, 2) if audio is None else audio
    with create(tmp_path / "a.wav", dtype=dtype, encoding="float64") as writer:
        writer.write(audio[:1000])
        writer.write(audio[1000:])
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav")[0], signals.numbers(audio))


def test_mlx_chunks_of_any_strides(tmp_path: Path) -> None:
    audio = signals.noise("int16", 900, 2)
    with create(tmp_path / "a.wav", layout="channels_first", dtype="int16", encoding="pcm16") as writer:
        for part in (audio[:300], audio[300:]):
            writer.write(mx.array(part).T)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav", dtype="int16")[0], audio)


def test_one_channel_needs_no_axis_of_its_own(tmp_path: Path) -> None:
    audio = signals.noise("int16", 10, 1)
    with create(tmp_path / "a.wav", 1, dtype="int16", encoding="pcm16") as writer:
        writer.write(audio[:4, 0])
        writer.write(audio[4:])
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav", dtype="int16")[0], audio[:, 0])


@pytest.mark.parametrize("container", ["wav", "rf64", "w64", "aiff", "aifc", "caf"])
def test_a_file_without_frames(tmp_path: Path, container: str) -> None:
    with create(tmp_path / f"a.{container}"):
        pass
    assert soundfile.info(tmp_path / f"a.{container}").frames == 0
    assert mapwave.info(tmp_path / f"a.{container}").frames == 0


def test_a_file_object_is_the_target(tmp_path: Path) -> None:
    audio = signals.noise("int16", 1000, 2)
    target = io.BytesIO(b"before")
    target.seek(6)
    with create(target, format="wav", dtype="int16", encoding="pcm16") as writer:
        writer.write(audio[:10])
        writer.write(audio[10:])
    assert target.tell() == len(target.getvalue())
    assert target.getvalue()[:10] == b"beforeRIFF"
    target.seek(6)
    np.testing.assert_array_equal(soundfile.read(target, dtype="int16")[0], audio)


# What a writer says and refuses


def test_a_writer_says_what_it_writes(tmp_path: Path) -> None:
    writer = create(tmp_path / "a.wav")
    assert isinstance(writer, mapwave.Writer)
    assert (writer.sample_rate, writer.channels, writer.frames_written, writer.closed) == (RATE, 2, 0, False)
    writer.write(np.zeros((7, 2), np.float32))
    assert writer.frames_written == 7
    assert repr(writer) == "<mapwave.Writer open, sample_rate=48000, channels=2>"
    writer.close()
    assert (writer.closed, writer.frames_written) == (True, 7)
    assert "closed" in repr(writer)


def test_the_file_is_there_once_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    writer = create(path)
    writer.write(np.zeros((7, 2), np.float32))
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    writer.close()
    assert soundfile.info(path).frames == 7
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), create(path) as writer:
        writer.write(np.zeros((7, 2), np.float32))
        1 / 0  # noqa: B018
    assert writer.closed
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_abort_leaves_the_old_file_or_none(tmp_path: Path) -> None:
    writer = create(tmp_path / "a.wav")
    writer.write(np.zeros((7, 2), np.float32))
    writer.abort()
    writer.abort()
    writer.close()
    assert writer.closed
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_is_forgotten_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    writer = create(tmp_path / "a.wav")
    writer.write(np.zeros((7, 2), np.float32))
    with pytest.warns(ResourceWarning, match=r"the writer of '.*a\.wav' was dropped open: its 7 frames are lost"):
        del writer
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_goes_with_an_exception_lets_it_pass(tmp_path: Path) -> None:
    # The writer is on the interpreter's stack, and dropped while the exception is on its way.
    with pytest.warns(ResourceWarning, match="was dropped open"), pytest.raises(ZeroDivisionError):
        print(create(tmp_path / "a.wav"), 1 // 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_writer_that_was_ended_is_dropped_without_a_word(tmp_path: Path, end: str) -> None:
    writer = create(tmp_path / "a.wav")
    getattr(writer, end)()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del writer


@pytest.mark.parametrize(("format", "encoding"), [("wav", "pcm16"), ("wav", "float64"), ("flac", "pcm24")])
def test_chunks_of_any_type_are_written_as_save_writes_them(tmp_path: Path, format: str, encoding: str) -> None:
    chunks = [
        (signals.noise("float64", 500, 2) * 0.5).astype(dtype)
        if dtype.startswith("f")
        else signals.noise(dtype, 500, 2)
        for dtype in ["float32", "float64", "int16", "float16", "int32", "float32"]
    ]
    with create(tmp_path / f"a.{format}", encoding=encoding) as writer:
        for chunk in chunks:
            writer.write(chunk)
    read = soundfile.read(tmp_path / f"a.{format}", dtype="float64")[0]
    for number, chunk in enumerate(chunks):
        mapwave.save(tmp_path / f"one.{format}", chunk, 48_000, encoding=encoding)
        expected = soundfile.read(tmp_path / f"one.{format}", dtype="float64")[0]
        np.testing.assert_array_equal(read[500 * number : 500 * number + 500], expected)


def test_closing_twice_writes_once(tmp_path: Path) -> None:
    writer = create(tmp_path / "a.wav")
    writer.close()
    (tmp_path / "a.wav").write_bytes(b"another writer's")
    writer.close()
    assert (tmp_path / "a.wav").read_bytes() == b"another writer's"


@pytest.mark.parametrize("end", ["close", "abort"])
def test_nothing_is_written_after_the_end(tmp_path: Path, end: str) -> None:
    writer = create(tmp_path / "a.wav")
    getattr(writer, end)()
    with pytest.raises(ValueError, match="the writer is closed"):
        writer.write(np.zeros((7, 2), np.float32))


@pytest.mark.parametrize(
    ("chunk", "kind", "message"),
    [
        (np.zeros((5, 3), np.float32), ValueError, "audio must be an array with 2 channels, like the file, got 3"),
        (np.zeros(5, np.float32), ValueError, "audio must be an array with 2 channels, like the file, got 1"),
        (np.zeros((2, 5, 1), np.float32), ValueError, "got 3 axes"),
        (np.zeros((5, 2), np.int64), ValueError, "audio must be an array of float32, .* got int64"),
        ([[0.0, 0.0]], TypeError, "audio must be an array .*got list"),
        (None, TypeError, "audio must be an array .*got NoneType"),
    ],
)
def test_a_chunk_that_is_refused_is_as_if_it_had_not_been(
    tmp_path: Path, chunk: object, kind: type, message: str
) -> None:
    audio = signals.noise("float32", 20, 2).clip(-1, 1)
    with create(tmp_path / "a.wav") as writer:
        writer.write(audio[:10])
        with pytest.raises(kind, match=message):
            writer.write(chunk)
        writer.write(audio[10:])
    np.testing.assert_array_equal(mw.load(tmp_path / "a.wav")[0], audio)


def test_samples_that_do_not_fit_are_named_by_their_place_in_the_file(tmp_path: Path) -> None:
    audio = np.zeros((20_000, 2), np.float32)
    with create(tmp_path / "a.wav", encoding="pcm16", clip=False) as writer:
        writer.write(audio)
        audio[3, 1] = 1.5
        with pytest.raises(ValueError, match=r"got 1.5 in frame 20003, channel 1"):
            writer.write(audio)
        writer.write(np.zeros((1, 2), np.float32))
    assert mapwave.info(tmp_path / "a.wav").frames == 20_001


def test_the_peak_of_parts_is_not_known(tmp_path: Path) -> None:
    message = "clip must be True or False for audio that comes in parts, whose peak is not known"
    with pytest.raises(ValueError, match=message):
        create(tmp_path / "a.wav", clip="rescale")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"mono": True}, ValueError, "mono must be left out in mode 'w'"),
        ({"mono_mode": "equal_power"}, ValueError, "it is for mode 'r'"),
        ({"squeeze_mono": True}, ValueError, "it is for mode 'r'"),
        ({"channels": None}, ValueError, "channels must be their number in mode 'w', 1 to 1024, got None"),
        ({"channels": [0, 1]}, ValueError, "channels must be their number"),
        ({"channels": 0}, ValueError, "channels must be their number"),
        ({"channels": True}, ValueError, "channels must be their number"),
        ({"channels": 1025}, ValueError, "channels must be their number"),
        ({"sr": None}, TypeError, "sr must be given"),
        ({"dtype": "int8"}, ValueError, "dtype"),
        ({"layout": "auto"}, ValueError, "layout"),
        ({"resample_quality": "best"}, ValueError, "resample_quality must be left out in mode 'w'"),
        ({"frobnicate": 1}, TypeError, r"open\(\) has no argument 'frobnicate'; its arguments are 'path'"),
        ({"encoding": "pcm17"}, ValueError, "encoding must be one of"),
    ],
)
def test_arguments_are_honoured_or_refused(tmp_path: Path, options: dict, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        create(tmp_path / "a.wav", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["encoding", "tags", "durable", "nonsense"])
def test_arguments_of_writing_are_refused_for_reading(tmp_path: Path, name: str) -> None:
    mapwave.save(tmp_path / "a.wav", np.zeros(9, np.float32), RATE, durable=False)
    with pytest.raises(TypeError, match=f"open\\(\\) (takes|has no argument) '{name}'"):
        mapwave.open(tmp_path / "a.wav", **{name: 1})


# Threads


@pytest.mark.parametrize("target", ["path", "object"])
def test_threads_take_turns(tmp_path: Path, target: str) -> None:
    # In a process of its own: what is wrong here hangs.
    printed = child.run(
        tmp_path,
        """
        import io, sys, threading
        import numpy as np, mapwave, soundfile

        target = io.BytesIO() if sys.argv[1] == "object" else sys.argv[2]
        writer = mapwave.open(target, "w", sr=48000, channels=2, dtype="int16", encoding="pcm16", format="wav")

        def work(number):
            chunk = np.full((5_000, 2), number, np.int16)
            for _ in range(60):
                writer.write(chunk)
                writer.frames_written, writer.closed, repr(writer)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.close()
        if sys.argv[1] == "object":
            target.seek(0)
        read = soundfile.read(target, dtype="int16")[0].reshape(-1, 5_000, 2)
        assert read.shape[0] == writer.frames_written // 5_000 == 360
        assert (read == read[:, :1, :1]).all(), "a chunk is in one piece"
        print(np.bincount(read[:, 0, 0]).tolist())
        """,
        target,
        tmp_path / "a.wav",
    )
    assert printed.strip() == "[60, 60, 60, 60, 60, 60]"


def test_a_writer_that_is_closed_meanwhile_is_closed(tmp_path: Path) -> None:
    writer = create(tmp_path / "a.wav", dtype="int16", encoding="pcm16")
    chunk, written, began = np.ones((100, 2), np.int16), [0], threading.Event()

    def work() -> None:
        with pytest.raises(ValueError, match="the writer is closed"):
            while True:
                writer.write(chunk)
                written[0] += 100
                began.set()

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    writer.close()
    thread.join()
    assert soundfile.info(tmp_path / "a.wav").frames == written[0] == writer.frames_written


@pytest.mark.parametrize("method", ["write", "close", "abort"])
def test_a_file_object_that_uses_its_own_writer_is_told_so(tmp_path: Path, method: str) -> None:
    printed = child.run(
        tmp_path,
        """
        import io, sys
        import numpy as np, mapwave

        class Target(io.BytesIO):
            writer = None

            def write(self, data):
                if self.writer is not None:
                    assert self.writer.closed is False
                    self.writer.frames_written, repr(self.writer)
                    getattr(self.writer, sys.argv[1])(*[np.zeros(3, np.float32)][: sys.argv[1] == "write"])
                return super().write(data)

        target = Target()
        target.writer = writer = mapwave.open(target, "w", sr=48000, channels=1, format="wav")
        try:
            writer.write(np.zeros(10, np.float32))
        except Exception as error:
            print(type(error).__name__, error)
        """,
        method,
    )
    assert printed.startswith("RuntimeError")
