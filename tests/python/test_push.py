"""`Decoder` and `Encoder`, and `stream` of what cannot seek: audio that comes and goes bit by bit."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import peers
import pytest
import remote
import signals
import soundfile

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "compressed"
RATE = 44_100


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A few seconds of sound in every format that can be decoded as it comes, written by another program."""
    directory = tmp_path_factory.mktemp("push")
    path = directory / "a.wav"
    soundfile.write(path, signals.plucked(4 * RATE, 2, RATE) * 0.5, RATE, "PCM_16")
    found = {"wav": path.read_bytes()}
    kinds: dict[str, list[object]] = {
        "flac": [],
        "mp3": ["-b:a", "128k"],
        "aiff": [],
        "caf": [],
        "aac": ["-b:a", "128k"],
        "ogg": ["-c:a", "libvorbis"],
        "opus": ["-c:a", "libopus"],
        "webm": ["-c:a", "libopus"],
        "mkv": ["-c:a", "flac"],
    }
    for kind, options in kinds.items():
        # As to a pipe or from a browser: sizes that are known at the end only are not there.
        command = [peers.program("ffmpeg"), "-nostdin", "-v", "error", "-i", path, *options, "-f"]
        names = {"aac": "adts", "mkv": "matroska", "aiff": "aiff"}
        command += [names.get(kind, kind), "-" if kind in ("webm", "mkv", "flac", "mp3") else directory / f"a.{kind}"]
        done = subprocess.run(list(map(str, command)), capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        found[kind] = done.stdout or (directory / f"a.{kind}").read_bytes()
    return found


KINDS = ["wav", "flac", "mp3", "aiff", "caf", "aac", "ogg", "opus", "webm", "mkv"]


def pieces(data: bytes, seed: int) -> list[bytes]:
    generator = np.random.default_rng(seed)
    sizes = generator.choice([1, 7, 100, 1000, 5000, 40_000], 10_000)
    parts, start = [], 0
    for size in sizes:
        parts.append(data[start : start + size])
        start += size
        if start >= len(data):
            return parts
    return [*parts, data[start:]]


def decoded(decoder: object, parts: list[bytes]) -> np.ndarray:
    frames = [decoder.write(part) for part in parts] + [decoder.finish()]
    return np.concatenate([part for part in frames if part is not None])


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_any_size_are_the_bits_of_the_whole(files: dict[str, bytes], kind: str) -> None:
    data = files[kind]
    expected, rate = mw.load(data)
    for seed in range(3):
        decoder = mw.Decoder()
        np.testing.assert_array_equal(decoded(decoder, pieces(data, seed)), expected, strict=True)
        assert (decoder.sample_rate, decoder.channels, decoder.frames_read) == (rate, 2, len(expected))
    options = {"mono": True, "dtype": "int16"}
    np.testing.assert_array_equal(decoded(mw.Decoder(**options), pieces(data, 9)), mw.load(data, **options)[0])


@pytest.mark.parametrize("kind", ["wav", "mp3", "opus"])
def test_a_decoder_resamples(files: dict[str, bytes], kind: str) -> None:
    expected = mw.load(files[kind], sr=16_000, mono=True)[0]
    decoder = mw.Decoder(16_000, mono=True)
    np.testing.assert_array_equal(decoded(decoder, pieces(files[kind], 4)), expected)


@pytest.mark.parametrize(("kind", "packet"), [("wav", 1), ("flac", 4608), ("mp3", 2 * 1152), ("aac", 3 * 1024)])
def test_a_packet_comes_out_when_the_next_one_begins(files: dict[str, bytes], kind: str, packet: int) -> None:
    data = files[kind]
    whole = len(mw.load(data)[0])
    decoder, read, had_any = mw.Decoder(), 0, 0
    for start in range(0, min(len(data), 100_000), 200):
        frames = decoder.write(data[start : start + 200])
        read += 0 if frames is None else len(frames)
        had_any += frames is not None
        try:
            there = len(mw.load(data[: start + 200])[0])
        except mapwave.errors.AudioError:
            there = 0
        assert read >= there - packet, "what a file that is cut off here has"
    assert had_any > 5 and read <= whole


def test_what_is_wrong_is_said() -> None:
    decoder = mw.Decoder()
    assert decoder.write(b"this is not audio, whatever follows" * 100) is None
    assert decoder.sample_rate is None and decoder.channels is None
    with pytest.raises(mapwave.errors.UnsupportedFormat):
        decoder.finish()
    with pytest.raises(ValueError, match="0 bytes"):
        mw.Decoder().finish()
    data = (FIXTURES / "flac16.flac").read_bytes()
    with pytest.raises(ValueError, match="'ogg'"):
        decoded(mw.Decoder(format="ogg"), [data])
    assert len(decoded(mw.Decoder(format="flac"), [data]))
    decoder = mw.Decoder()
    decoder.write(data)
    decoder.finish()
    with pytest.raises(ValueError, match="after finish"):
        decoder.write(b"more")
    with pytest.raises(TypeError):
        mw.Decoder().write("text")


# Streams of what cannot seek


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipe_is_streamed(files: dict[str, bytes], kind: str) -> None:
    expected = mw.load(files[kind])[0]
    stream = mw.stream(remote.Pipe(files[kind]), chunk_frames=10_000)
    chunks = [chunk for chunk, _ in stream]
    assert [len(chunk) for chunk in chunks[:-1]] == [10_000] * (len(chunks) - 1)
    np.testing.assert_array_equal(np.concatenate(chunks), expected)
    assert (stream.channels, stream.frames_read, stream.at_eof()) == (2, len(expected), True)
    part = [chunk for chunk, _ in mw.stream(remote.Pipe(files[kind]), chunk_frames=999, offset=0.5, duration=1)]
    start = int(0.5 * stream.sample_rate)
    np.testing.assert_array_equal(np.concatenate(part), expected[start : start + stream.sample_rate])


def test_a_pipe_is_decoded_as_it_comes(files: dict[str, bytes]) -> None:
    data = files["flac"]
    file = remote.Pipe(data, most=2000)
    stream = mw.stream(file, chunk_frames=4096)
    next(stream)
    assert file.num_bytes < len(data) / 4


def test_a_pipe_of_the_system(files: dict[str, bytes]) -> None:
    ours, theirs = os.pipe()

    def feed() -> None:
        with open(theirs, "wb") as file:
            file.write(files["mp3"])

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(ours, "rb") as file:
        chunks = [chunk for chunk, _ in mw.stream(file, chunk_duration=0.25)]
    feeder.join()
    np.testing.assert_array_equal(np.concatenate(chunks), mw.load(files["mp3"])[0])


def test_an_hour_through_a_pipe_takes_little_memory(tmp_path: Path) -> None:
    """Of a child, whose peak is its own."""
    path = tmp_path / "a.flac"
    second = signals.plucked(RATE, 2, RATE)
    minute = np.round(np.tile(second, (60, 1)) * 12_000).astype(np.int16)
    with mw.open(path, "w", sr=RATE, channels=2, encoding="pcm16", dtype="int16") as writer:
        for _ in range(20):
            writer.write(minute)
    script = (
        "import sys, resource, mapwave.numpy as mw\n"
        "n = 0\n"
        "mw.load(sys.argv[1], stop=10)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for chunk, _ in mw.stream(sys.stdin.buffer, chunk_duration=1, dtype='int16'):\n"
        "    n += len(chunk)\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        command = [sys.executable, "-P", "-c", script, path]
        done = subprocess.run(command, stdin=cat.stdout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    num_frames, kilobytes = map(int, done.stdout.split())
    assert num_frames == 20 * len(minute)
    assert kilobytes < 30_000


# Encoding


@pytest.mark.parametrize(
    ("format", "options"),
    [("wav", {}), ("wav", {"encoding": "pcm16"}), ("caf", {"encoding": "pcm24"}), ("flac", {"encoding": "pcm16"})],
)
def test_what_is_encoded_as_it_comes_decodes_to_what_came(format: str, options: dict[str, object]) -> None:
    audio = signals.noise("int16", 50_000, 2)
    parts = np.split(audio, [0, 10, 1000, 1001, 30_000])
    encoder, decoder = mapwave.Encoder(format, 48_000, 2, dtype="int16", **options), mw.Decoder(dtype="int16")
    frames = []
    for part in parts:
        frames.append(decoder.write(encoder.write(part)))
        frames.append(decoder.write(encoder.flush()))
    frames += [decoder.write(encoder.finish()), decoder.finish()]
    assert encoder.closed and encoder.frames_written == 50_000
    np.testing.assert_array_equal(np.concatenate([part for part in frames if part is not None]), audio)


def test_wav_comes_at_once_and_other_programs_read_it(tmp_path: Path) -> None:
    audio = signals.noise("int16", 5000, 2)
    encoder = mapwave.Encoder("wav", 48_000, 2, encoding="pcm16")
    data = [encoder.write(audio[:10]), encoder.write(audio[10:11])]
    assert (len(data[0]) > 40, len(data[1])) == (True, 4)
    path = tmp_path / "a.wav"
    path.write_bytes(b"".join([*data, encoder.write(audio[11:]), encoder.finish()]))
    np.testing.assert_array_equal(np.round(peers.ffmpeg(path, 2) * 32768).astype(np.int16), audio)


def test_opus_and_mp3_are_encoded_as_they_come() -> None:
    audio = signals.plucked(48_000, 2, 48_000).astype(np.float32) * 0.5
    for format in ["opus", "mp3"]:
        encoder = mapwave.Encoder(format, 48_000, 2)
        data = b"".join([encoder.write(part) for part in np.split(audio, 20)] + [encoder.finish()])
        whole = io.BytesIO()
        mapwave.save(whole, audio, 48_000, format=format)
        exact = mw.load(whole.getvalue())[0]
        loaded = mw.load(data)[0]
        # The length of what an MP3 encoder has added is in the first frame, which has gone when that is known.
        lead = 0 if format == "opus" else 1105 + 1152
        assert len(exact) == 48_000 <= len(loaded) - lead
        np.testing.assert_allclose(loaded[lead : lead + 48_000], exact, atol=1e-6)


@pytest.mark.parametrize(
    ("format", "most"),
    [
        ("wav", 0),
        ("rf64", 0),
        ("caf", 0),
        ("flac", 1023),
        ("opus", 2232),
        ("webm", 2232),
        ("mka", 2232),
        ("mp3", 4 * 1152),
    ],
)
def test_no_more_frames_wait_than_the_docs_say(format: str, most: int) -> None:
    audio = signals.plucked(48_000, 2, 48_000).astype(np.float32) * 0.5
    options = {"encoding": "pcm16"} if format in ("wav", "flac") else {}
    options |= {"encoding": "opus"} if format in ("webm", "mka") else {}
    encoder, data = mapwave.Encoder(format, 48_000, 2, **options), b""
    for end in range(480, 48_000, 480):
        data += encoder.write(audio[end - 480 : end])
        assert encoder.flush() == b""
        if end in (4800, 9600, 24_000, 47_520):
            decoder = mw.Decoder()
            decoder.write(data)
            assert end - decoder.frames_read <= most
    assert len(mw.load(data + encoder.finish())[0]) >= 47_520


def test_formats_that_need_their_end_are_refused() -> None:
    for format in ["aiff", "w64"]:
        with pytest.raises(ValueError, match="header need not be completed"):
            mapwave.Encoder(format, 48_000, 2)
    with pytest.raises(ValueError):
        mapwave.Encoder("nosuch", 48_000, 2)
