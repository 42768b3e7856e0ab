"""mapwave.compat.soundfile against soundfile itself: the same arrays, facts and errors."""

from __future__ import annotations

import inspect
import io
import os
import pickle
from pathlib import Path
from typing import Any

import corpus
import mapwave
import numpy as np
import peers
import pytest
import soundfile
from mapwave.compat import soundfile as sf

DTYPES = ["float64", "float32", "int16", "int32"]

# Where the samples are equal to the last bit: ADPCM and lossy codecs are decoded by other arithmetic.
LOSSLESS = [
    *corpus.readable_by_libsndfile(),
    *(corpus.FIXTURES / "compressed" / name for name in ["flac16.flac", "flac24.flac", "flac8-mono.flac"]),
]
LOSSY = [corpus.FIXTURES / "compressed" / name for name in ["vorbis.ogg", "vorbis-mono.ogg", "mp3-lame.mp3"]]

FACTS = ["samplerate", "channels", "frames", "format", "subtype", "endian", "format_info", "subtype_info", "sections"]

each_file = pytest.mark.parametrize("path", LOSSLESS, ids=lambda path: path.name)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return (
        ours.dtype == theirs.dtype and ours.shape == theirs.shape and bool(np.array_equal(ours, theirs, equal_nan=True))
    )


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.9, 0.9, (1000, 2))


@pytest.mark.parametrize(
    "name", ["read", "write", "info", "check_format", "available_subtypes", "default_subtype", "blocks"]
)
def test_signatures_are_the_same(name: str) -> None:
    assert parameters(getattr(sf, name)) == parameters(getattr(soundfile, name))


@pytest.mark.parametrize(
    "name",
    ["__init__", "read", "write", "blocks", "seek", "buffer_read", "buffer_read_into", "buffer_write", "truncate"],
)
def test_the_signatures_of_methods_are_the_same(name: str) -> None:
    assert parameters(getattr(sf.SoundFile, name)) == parameters(getattr(soundfile.SoundFile, name))


def parameters(function: Any) -> list[tuple[str, object]]:
    return [(name, parameter.default) for name, parameter in inspect.signature(function).parameters.items()]


@each_file
def test_facts_are_the_same(path: Path) -> None:
    ours, theirs = sf.info(str(path)), soundfile.info(str(path))
    assert [getattr(ours, name) for name in FACTS] == [getattr(theirs, name) for name in FACTS]
    assert ours.duration == theirs.duration


@each_file
@each_dtype
def test_samples_are_the_same(path: Path, dtype: str) -> None:
    assert same(sf.read(path, dtype=dtype)[0], soundfile.read(path, dtype=dtype)[0])


@pytest.mark.parametrize("path", LOSSY, ids=lambda path: path.name)
def test_lossy_samples_are_nearly_the_same(path: Path) -> None:
    (ours, our_rate), (theirs, their_rate) = sf.read(path), soundfile.read(path)
    assert (our_rate, ours.shape) == (their_rate, theirs.shape)
    assert np.abs(ours - theirs).max() < 2e-5


@pytest.mark.parametrize("rate", [8000, 12_000, 16_000, 24_000, 48_000])
def test_opus_has_the_rate_of_its_header(tmp_path: Path, rate: int) -> None:
    tone = np.sin(2 * np.pi * 2000 * np.arange(rate) / rate) / 3
    # At the highest bitrate, where CELT alone codes: libopus decodes at this rate, and mapwave at 48 kHz.
    soundfile.write(tmp_path / "a.opus", tone, rate, format="OGG", subtype="OPUS", compression_level=0.0)
    (ours, our_rate), (theirs, their_rate) = sf.read(tmp_path / "a.opus"), soundfile.read(tmp_path / "a.opus")
    assert our_rate == their_rate == rate
    assert ours.shape == theirs.shape
    # A shift by one frame would leave 12 dB at most.
    noise = np.sum(np.square(ours - theirs)[500:-500])
    assert 10 * np.log10(np.sum(np.square(theirs[500:-500])) / noise) > 70
    assert sf.info(tmp_path / "a.opus").frames == len(theirs)


@pytest.mark.parametrize(
    "arguments",
    [
        {"frames": 10},
        {"start": -10},
        {"start": 5, "stop": 9},
        {"stop": -295},
        {"start": 9, "stop": 5},
        {"start": 1000},
        {"frames": 400, "fill_value": 7},
        {"start": 290, "frames": 20},
        {"always_2d": True, "frames": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["wav-pcm16.wav", "wav-u8-mono.wav"])
def test_windows_are_the_same(name: str, arguments: dict[str, Any]) -> None:
    path = corpus.FIXTURES / "valid" / name
    assert same(sf.read(path, **arguments)[0], soundfile.read(path, **arguments)[0])


@pytest.mark.parametrize("size", [4, 301, 400])
@pytest.mark.parametrize("fill_value", [None, 2])
def test_out_is_filled_and_returned(size: int, fill_value: float | None) -> None:
    ours, theirs = np.full((size, 2), 9.0), np.full((size, 2), 9.0)
    our_view, _ = sf.read(corpus.PCM16, out=ours, fill_value=fill_value)
    their_view, _ = soundfile.read(corpus.PCM16, out=theirs, fill_value=fill_value)
    assert same(ours, theirs) and same(our_view, their_view)
    assert (our_view is ours) == (their_view is theirs)


@pytest.mark.parametrize(
    "arguments",
    [
        {"blocksize": 100},
        {"blocksize": 100, "overlap": 30},
        {"blocksize": 100, "overlap": 99, "frames": 120},
        {"blocksize": 100, "fill_value": 3},
        {"blocksize": 100, "overlap": 50, "fill_value": 3, "start": 7},
        {"blocksize": 500},
        {"blocksize": 500, "fill_value": 0, "overlap": 2},
        {"blocksize": 64, "frames": 100, "dtype": "int16", "always_2d": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["wav-pcm16.wav", "wav-u8-mono.wav"])
def test_blocks_are_the_same(name: str, arguments: dict[str, Any]) -> None:
    path = corpus.FIXTURES / "valid" / name
    ours, theirs = list(sf.blocks(path, **arguments)), list(soundfile.blocks(path, **arguments))
    assert len(ours) == len(theirs)
    assert all(same(our, their) for our, their in zip(ours, theirs, strict=True))


def test_blocks_that_would_never_end_are_rejected() -> None:
    with pytest.raises(ValueError, match="longer than the overlap"):
        list(sf.blocks(corpus.PCM16, blocksize=10, overlap=10))


@each_dtype
def test_the_position_moves_as_in_soundfile(dtype: str) -> None:
    with sf.SoundFile(corpus.PCM16) as ours, soundfile.SoundFile(corpus.PCM16) as theirs:
        for move in [(5, 0), (3, 1), (-7, 2), (0, 2)]:
            assert ours.seek(*move) == theirs.seek(*move)
            assert same(ours.read(4, dtype), theirs.read(4, dtype))
            assert ours.tell() == theirs.tell()
        ours.seek(0), theirs.seek(0)
        assert bytes(ours.buffer_read(9, dtype)) == bytes(theirs.buffer_read(9, dtype))
        our_buffer, their_buffer = np.ones((300, 2), dtype), np.ones((300, 2), dtype)
        assert ours.buffer_read_into(our_buffer, dtype) == theirs.buffer_read_into(their_buffer, dtype) == 292
        assert same(our_buffer, their_buffer)
        for wrong in [-1, 302]:
            with pytest.raises(sf.SoundFileRuntimeError):
                ours.seek(wrong)


@pytest.mark.parametrize("kind", ["path", "bytes", "object", "descriptor", "readinto"])
def test_every_kind_of_file_is_read(kind: str) -> None:
    expected, _ = soundfile.read(corpus.PCM16)
    with corpus.PCM16.open("rb") as file:
        source: Any = {
            "path": corpus.PCM16,
            "bytes": os.fsencode(corpus.PCM16),
            "object": file,
            "descriptor": file.fileno(),
            "readinto": OnlyReadinto(file),
        }[kind]
        assert same(sf.read(source, closefd=False)[0], expected)


class OnlyReadinto:
    def __init__(self, file: Any) -> None:
        self.seek, self.tell, self.readinto = file.seek, file.tell, file.readinto


INTEGERS = {"PCM_S8": 2**24, "PCM_U8": 2**24, "PCM_16": 2**16, "PCM_24": 2**8, "PCM_32": 1}


@pytest.mark.parametrize(
    ("format", "subtype"), [(f, s) for f in sf.available_formats() for s in sf.available_subtypes(f)]
)
def test_what_is_written_is_read_by_soundfile(tmp_path: Path, noise: np.ndarray, format: str, subtype: str) -> None:
    path = tmp_path / "a"
    rate = 48_000 if subtype == "OPUS" else 44_100
    try:
        sf.write(path, noise, rate, format=format, subtype=subtype)
    except sf.LibsndfileError as error:
        # The codec that is asked for, where the container can be written with another.
        is_absent = "libav" not in {plugin.id for plugin in mapwave.plugins() if plugin.loaded}
        missing = ("needs FFmpeg", "no loaded plugin", *([f"for an {format.lower()} file, got"] if is_absent else []))
        assert any(words in str(error) for words in missing), error
        pytest.skip(f"no plugin writes {subtype}")
    if subtype.startswith("ALAC"):  # which libsndfile reads only as it writes it
        assert np.abs(peers.ffmpeg(path, 2) - noise).max() <= 2.0 ** -int(subtype[-2:])
        return
    facts = soundfile.info(path)
    assert (facts.samplerate, facts.channels, facts.format, facts.subtype) == (rate, 2, format, subtype)
    if subtype in ("VORBIS", "OPUS", "MPEG_LAYER_III"):
        assert abs(facts.frames - 1000) < 1200
        return
    samples, _ = soundfile.read(path)
    step = {"FLOAT": 1e-7, "DOUBLE": 0, "ULAW": 0.04, "ALAW": 0.04}.get(subtype, 2.0**-15)
    if subtype in INTEGERS:
        step = INTEGERS[subtype] / 2**31 / 2
    assert samples.shape == noise.shape
    assert np.abs(samples - noise).max() <= step


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_integers_are_written_as_soundfile_writes_them(tmp_path: Path, subtype: str, dtype: str) -> None:
    limits = np.iinfo(dtype)
    samples = np.random.default_rng(1).integers(limits.min, limits.max, (500, 2), dtype)
    if subtype == "PCM_16" and dtype == "int32":
        samples &= -65536
    if subtype == "PCM_24" and dtype == "int32":
        samples &= -256
    sf.write(tmp_path / "ours.wav", samples, 8000, subtype)
    soundfile.write(tmp_path / "theirs.wav", samples, 8000, subtype)
    ours, theirs = (soundfile.read(tmp_path / name, dtype="float64")[0] for name in ["ours.wav", "theirs.wav"])
    assert same(ours, theirs)


def test_chunks_of_several_types_lose_nothing(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).integers(-(2**15), 2**15, (4, 100), np.int16)
    with sf.SoundFile(tmp_path / "a.wav", "w", 8000, 1, "PCM_24") as file:
        file.write(samples[0])
        file.write(samples[1] / np.float64(2**15))
        file.write((samples[2] / 2**15).astype("float32"))
        file.write(samples[3].astype("int32") << 16)
        assert (file.frames, file.tell()) == (400, 400)
    assert np.array_equal(soundfile.read(tmp_path / "a.wav", dtype="int16")[0], samples.reshape(-1))


def test_a_hole_is_silence_and_nothing_is_written_over(tmp_path: Path) -> None:
    with sf.SoundFile(tmp_path / "a.wav", "w", 8000, 1) as file:
        file.seek(3)
        file.write(np.array([1, 2], "int16"))
        file.seek(0)
        with pytest.raises(sf.SoundFileRuntimeError, match="cannot write over"):
            file.write(np.array([1, 2], "int16"))
    assert list(soundfile.read(tmp_path / "a.wav", dtype="int16")[0]) == [0, 0, 0, 1, 2]


@pytest.mark.parametrize("kind", ["object", "descriptor", "limited"])
def test_every_kind_of_file_is_written(tmp_path: Path, noise: np.ndarray, kind: str) -> None:
    with (tmp_path / "a.wav").open("wb", buffering=0) as file:
        target: Any = {"object": file, "descriptor": file.fileno(), "limited": OnlyWrite(file)}[kind]
        sf.write(target, noise, 8000, format="WAV", closefd=False)
    assert soundfile.info(tmp_path / "a.wav").frames == 1000


class OnlyWrite:
    def __init__(self, file: Any) -> None:
        self.seek, self.tell, self.write = file.seek, file.tell, file.write


def test_texts_are_written_and_read(tmp_path: Path, noise: np.ndarray) -> None:
    with sf.SoundFile(tmp_path / "a.wav", "w", 8000, 2) as file:
        file.title, file.artist = "Noise", "Ünicode"
        file.write(noise)
        with pytest.raises(sf.SoundFileRuntimeError, match="before the first write"):
            file.title = "Late"
    with soundfile.SoundFile(tmp_path / "a.wav") as theirs, sf.SoundFile(tmp_path / "a.wav") as ours:
        assert (theirs.title, theirs.artist) == (ours.title, ours.artist) == ("Noise", "Ünicode")
        assert ours.genre == "" and "title" in ours.copy_metadata()


def test_texts_of_soundfile_are_read(tmp_path: Path, noise: np.ndarray) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 8000, 2) as theirs:
        theirs.write(noise)
        theirs.title, theirs.comment, theirs.album = "After", "the samples", "x"
    with sf.SoundFile(tmp_path / "a.wav") as ours, soundfile.SoundFile(tmp_path / "a.wav") as theirs:
        assert ours.copy_metadata() == theirs.copy_metadata()


def test_an_exception_in_the_block_keeps_what_was_written(tmp_path: Path, noise: np.ndarray) -> None:
    with pytest.raises(KeyError), sf.SoundFile(tmp_path / "a.wav", "w", 8000, 2) as file:
        file.write(noise)
        raise KeyError
    assert soundfile.info(tmp_path / "a.wav").frames == 1000


@pytest.mark.parametrize(
    ("level", "options"),
    [
        (0.0, {"format": "FLAC"}),
        (1.0, {"format": "FLAC"}),
        (0.0, {"format": "MP3", "bitrate_mode": "CONSTANT"}),
        (1.0, {"format": "MP3", "bitrate_mode": "CONSTANT"}),
        (0.0, {"format": "OGG", "subtype": "OPUS"}),
    ],
    ids=str,
)
def test_a_compression_level_is_honoured(tmp_path: Path, level: float, options: dict[str, Any]) -> None:
    times = np.arange(48_000) / 48_000
    samples = np.sin(2 * np.pi * 440 * times) / 2 + np.random.default_rng(0).uniform(-0.1, 0.1, 48_000)
    sizes = []
    for other in [level, 0.5]:
        buffer = io.BytesIO()
        try:
            sf.write(buffer, samples, 48_000, compression_level=other, **options)
        except sf.LibsndfileError as error:
            # LAME alone does not write an MP3 of the lowest bitrate whose length is exact.
            if "FFmpeg not found" in str(error):
                pytest.skip(str(error))
            raise
        sizes.append(len(buffer.getvalue()))
    assert (sizes[0] > sizes[1]) if level == 0 else (sizes[0] < sizes[1])


@pytest.mark.parametrize("mode", ["r+", "w+", "x+"])
def test_reading_and_writing_at_once_is_refused_in_words(tmp_path: Path, mode: str) -> None:
    path = corpus.PCM16 if mode == "r+" else tmp_path / "a.wav"
    facts = () if mode == "r+" else (8000, 1)
    with pytest.raises(sf.SoundFileRuntimeError, match="does not read and write a file at once"):
        sf.SoundFile(path, mode, *facts)
    assert not (tmp_path / "a.wav").exists()


def test_a_file_without_a_header_is_refused_in_words() -> None:
    with pytest.raises(sf.SoundFileRuntimeError, match="without a header"):
        sf.SoundFile("a.raw", "r", 8000, 1, "PCM_16")


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, 2), (b"", 1), (b"no audio at all", 1), (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + bytes(16), 3)],
)
def test_errors_have_soundfiles_classes_and_mapwaves_reasons(tmp_path: Path, content: bytes | None, code: int) -> None:
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(sf.LibsndfileError, match="Error opening") as caught:
        sf.read(path)
    assert caught.value.code == code
    assert str(caught.value.__cause__) in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (sf.LibsndfileError, str(caught.value))


@pytest.mark.parametrize("format", [*sf.available_formats(), "AU", "RAW", "nonsense"])
@pytest.mark.parametrize("subtype", [*sf.available_subtypes(), "DPCM_8", None])
def test_what_soundfile_does_not_write_is_not_offered(format: str, subtype: str | None) -> None:
    if sf.check_format(format, subtype):
        assert soundfile.check_format(format, subtype)


def test_default_subtypes_are_those_of_soundfile() -> None:
    assert all(sf.default_subtype(name) == soundfile.default_subtype(name) for name in soundfile.available_formats())
    assert set(sf.available_formats().items()) <= set(soundfile.available_formats().items())
    assert set(sf.available_subtypes().items()) <= set(soundfile.available_subtypes().items())


def test_the_files_that_are_written_play_elsewhere(tmp_path: Path, noise: np.ndarray) -> None:
    sf.write(tmp_path / "a.wav", noise, 44_100, "PCM_24")
    assert np.abs(peers.ffmpeg(tmp_path / "a.wav", 2) - noise).max() <= 2.0**-24
