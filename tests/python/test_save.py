"""`save` into uncompressed files: every container, encoding and number of channels, read by others."""

from __future__ import annotations

import inspect
import io
import struct
import wave
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import mlx.core as mx
import numpy as np
import peers
import pytest
import signals
import soundfile

CONTAINERS = ("wav", "rf64", "w64", "aiff", "aifc", "caf")
ENCODINGS = ("float32", "pcm16", "pcm24", "pcm32", "float64", "u8", "alaw", "mulaw")
RATES = {"float32": 44_100, "float64": 8_000, "int16": 96_000, "int32": 192_000}

# As mlx-audio-io has it: its callers change nothing but the import.
SIGNATURE = 'path, audio, sr, layout="auto", encoding="float32", bitrate="auto", clip=True, flac_compression="default"'


def save(path: Path, audio: object, sr: float = 48_000, **options: object) -> Path:
    """Saves, without the wait for the disk, which no test sees."""
    mapwave.save(path, audio, sr, **{"durable": False} | options)
    return path


def levels(encoding: str) -> np.ndarray:
    """Every number that a companded sample can be, in ascending order, as libsndfile has them."""
    codes, subtype = bytes(range(256)), {"alaw": "ALAW", "mulaw": "ULAW"}[encoding]
    decoded = soundfile.read(io.BytesIO(codes), format="RAW", subtype=subtype, samplerate=8000, channels=1)[0]
    return np.unique(decoded)


def check_companded(exact: np.ndarray, decoded: np.ndarray, encoding: str) -> None:
    """Every sample is one of the two levels on either side of the number."""
    known = levels(encoding)
    assert np.isin(decoded, known).all()
    held = np.clip(exact, known[0], known[-1])
    above = np.searchsorted(known, held).clip(1, known.size - 1)
    assert ((decoded == known[above]) | (decoded == known[above - 1])).all()


def check(audio: np.ndarray, samples: np.ndarray, encoding: str) -> None:
    """Compares what was read, as float64, with what the rules make of the samples."""
    exact = signals.numbers(audio)
    if encoding in signals.INTEGER_BITS:
        bits = signals.INTEGER_BITS[encoding]
        np.testing.assert_array_equal(samples * 2.0 ** (bits - 1), signals.quantised(exact, bits))
    elif encoding.startswith("float"):
        np.testing.assert_array_equal(samples, np.clip(exact, -1, 1).astype(encoding))
    else:
        check_companded(exact, samples, encoding)


def read(path: Path, encoding: str, channels: int) -> tuple[np.ndarray, int]:
    """The samples as float64, and the rate, as libsndfile reads them."""
    if path.suffix == ".w64" and channels > 2 and encoding not in signals.INTEGER_BITS:
        # libsndfile takes every Wave64 file with an extensible header for one of integers.
        return peers.ffmpeg(path, channels), int(peers.ffprobe(path)["stream"]["sample_rate"])
    return soundfile.read(path, dtype="float64", always_2d=True)


def chunks(file: bytes) -> dict[bytes, bytes]:
    """The chunks of a RIFF file, which must fill it to its end."""
    assert struct.unpack("<I", file[4:8])[0] == len(file) - 8
    found, at = {}, 12
    while at < len(file):
        kind, size = struct.unpack_from("<4sI", file, at)
        assert at + 8 + size <= len(file)
        found[kind] = file[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    assert at == len(file)
    return found


# Values


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_file_is_read_by_libsndfile(tmp_path: Path, container: str, encoding: str, channels: int) -> None:
    for dtype, rate in RATES.items():
        # An odd number, so that there is something to pad.
        audio = signals.noise(dtype, 1001, channels)
        path = save(tmp_path / f"{dtype}.{container}", audio, rate, encoding=encoding)
        samples, read_rate = read(path, encoding, channels)
        assert (read_rate, samples.shape) == (rate, audio.shape)
        check(audio, samples, encoding)
        facts = mapwave.info(path)
        assert (facts.frames, facts.channels, facts.sample_rate) == (1001, channels, rate)
        assert not facts.is_truncated
        np.testing.assert_array_equal(mw.load(path, dtype="float64")[0], samples)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_ffmpeg_reads_the_same(tmp_path: Path, container: str, encoding: str) -> None:
    audio = signals.noise("float32", 777, 2)
    path = save(tmp_path / f"a.{container}", audio, encoding=encoding)
    samples = peers.ffmpeg(path, 2)
    check(audio, samples, encoding)
    np.testing.assert_array_equal(samples, soundfile.read(path, dtype="float64")[0])


@pytest.mark.parametrize("encoding", signals.INTEGER_BITS)
@pytest.mark.parametrize("container", ["wav", "aiff", "aifc"])
def test_sox_reads_the_same(tmp_path: Path, container: str, encoding: str) -> None:
    audio = signals.noise("float32", 777, 2)
    path = save(tmp_path / f"a.{container}", audio, encoding=encoding)
    bits = signals.INTEGER_BITS[encoding]
    np.testing.assert_array_equal(peers.sox(path, 2), signals.quantised(audio, bits) << (32 - bits))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_what_info_says_saves_the_same_again(tmp_path: Path, container: str, encoding: str) -> None:
    first = save(tmp_path / f"first.{container}", signals.noise("float32", 500, 2), encoding=encoding)
    audio, rate = mw.load(first, dtype="float64")
    second = save(tmp_path / f"second.{container}", audio, rate, encoding=mapwave.info(first).subtype)
    assert second.read_bytes() == first.read_bytes()


def test_large_audio_is_the_same_in_every_block(tmp_path: Path) -> None:
    audio = signals.noise("float32", 700_001, 2)
    for encoding in ("pcm16", "float32", "float64"):
        path = save(tmp_path / f"{encoding}.wav", audio, encoding=encoding)
        check(audio, soundfile.read(path, dtype="float64")[0], encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("num_frames", [0, 1])
def test_none_or_one_frame(tmp_path: Path, container: str, encoding: str, num_frames: int) -> None:
    audio = np.full((num_frames, 2), 0.5, np.float32)
    path = save(tmp_path / f"a.{container}", audio, encoding=encoding, layout="channels_last")
    assert mapwave.info(path).frames == soundfile.info(path).frames == num_frames
    assert mw.load(path)[0].shape == (num_frames, 2)


# Headers


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_header_of_a_wav_file(tmp_path: Path, encoding: str, channels: int) -> None:
    path = save(tmp_path / "a.wav", signals.noise("float32", 333, channels), 11_025, encoding=encoding)
    found = chunks(path.read_bytes())
    size = {"float32": 4, "float64": 8, "alaw": 1, "mulaw": 1}.get(encoding) or signals.INTEGER_BITS[encoding] // 8
    tag, *facts = struct.unpack_from("<HHIIHH", found[b"fmt "])
    assert facts == [channels, 11_025, 11_025 * channels * size, channels * size, 8 * size]
    expected = {"float32": 3, "float64": 3, "alaw": 6, "mulaw": 7}.get(encoding, 1)
    if channels > 2:
        assert tag == 0xFFFE
        extra, valid_bits, mask, tag = struct.unpack_from("<HHIH", found[b"fmt "], 16)
        assert (extra, valid_bits, mask.bit_count() in (0, channels)) == (22, 8 * size, True)
    assert tag == expected
    assert len(found[b"data"]) == 333 * channels * size
    assert struct.unpack("<I", found.get(b"fact", struct.pack("<I", 333)))[0] == 333
    assert (b"fact" in found) == (expected != 1)


def test_the_standard_library_reads_integers(tmp_path: Path) -> None:
    audio = signals.noise("int16", 100, 2)
    with wave.open(str(save(tmp_path / "a.wav", audio, 22_050, encoding="pcm16")), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 22_050)
        assert file.readframes(1000) == audio.tobytes()


@pytest.mark.parametrize("mask", [0x3F, 0x60F])
def test_speakers_are_those_that_are_asked_for(tmp_path: Path, mask: int) -> None:
    path = save(tmp_path / "a.wav", signals.noise("int16", 10, 6), encoding="pcm16", channel_mask=mask)
    assert struct.unpack_from("<I", chunks(path.read_bytes())[b"fmt "], 20)[0] == mask
    layout = {0x3F: "5.1", 0x60F: "5.1(side)"}[mask]
    assert peers.ffprobe(path)["stream"]["channel_layout"] == layout
    assert mapwave.info(path).channel_layout == layout


def test_a_mask_of_other_speakers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"channel_mask must be a mask of 2 speakers.*got 1 speakers"):
        save(tmp_path / "a.wav", np.zeros((9, 2), np.float32), channel_mask=4)
    assert list(tmp_path.iterdir()) == []


def test_the_extension_is_the_format_in_any_case(tmp_path: Path) -> None:
    audio = np.zeros(10, np.int16)
    for name, container, variant in [
        ("a.WAV", "wav", "wav"),
        ("a.wave", "wav", "wav"),
        ("a.rf64", "wav", "rf64"),
        ("a.w64", "wav", "w64"),
        ("a.aif", "aiff", "aiff"),
        ("a.AIFC", "aiff", "aifc"),
    ]:
        facts = mapwave.info(save(tmp_path / name, audio, encoding="pcm16"))
        assert (facts.container, facts.container_variant) == (container, variant)
    for name, container in [("a.bin", "caf"), ("a.wav", "aiff")]:
        path = save(tmp_path / name, audio, encoding="pcm16", format=container)
        assert mapwave.info(path).container == container


# Tags

TAGS = {
    "wav": {"title": "Grün", "artist": "Ännchen", "album": "A", "date": "2024", "genre": "Folk", "comment": "no=1; x"},
    "rf64": {"title": "Grün", "artist": "Somebody"},
    "aiff": {"title": "Grün", "artist": "Ännchen", "copyright": "©", "comment": "odd"},
    "aifc": {"title": "even", "artist": "odd"},
    "caf": {"title": "Grün", "artist": "Ännchen", "album": "A", "genre": "Folk", "mood": "any key"},
}


@pytest.mark.parametrize("container", TAGS)
def test_tags_are_read_by_ffmpeg(tmp_path: Path, container: str) -> None:
    path = save(tmp_path / f"a.{container}", signals.noise("int16", 50, 1), encoding="pcm16", tags=TAGS[container])
    assert soundfile.info(path).frames == 50
    found = peers.ffprobe_tags(path)
    # FFmpeg calls AIFF's AUTH the author.
    renamed = {"artist": "author"} if container.startswith("aif") else {}
    for name, value in TAGS[container].items():
        assert found[renamed.get(name, name)] == value, name


def test_numbers_are_tags_and_names_are_of_any_case(tmp_path: Path) -> None:
    path = save(tmp_path / "a.wav", np.zeros(9, np.float32), tags={"TRACKNUMBER": 7, "Title": ""})
    assert peers.ffprobe_tags(path)["track"] == "7"


@pytest.mark.parametrize(
    ("name", "tags", "message"),
    [
        ("a.w64", {"title": "x"}, "cannot store tags"),
        ("a.wav", {"mood": "x"}, "title, artist, album.*got .*mood"),
        ("a.aiff", {"album": "x"}, "title, artist, copyright, comment"),
        ("a.caf", {"a=b": "x"}, "printable ASCII"),
        ("a.wav", {"title": "a\0b"}, "without zero bytes"),
    ],
)
def test_tags_that_a_file_cannot_have_are_refused(tmp_path: Path, name: str, tags: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save(tmp_path / name, np.zeros(9, np.float32), tags=tags)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tags", [["title"], {"title": 1.5}, {1: "x"}, {"title": None}, {"title": True}])
def test_tags_of_other_types_are_refused(tmp_path: Path, tags: object) -> None:
    with pytest.raises(TypeError, match="tags must be a dict of str to str or int"):
        save(tmp_path / "a.wav", np.zeros(9, np.float32), tags=tags)


# Full scale


def test_floats_are_held_at_full_scale_or_kept(tmp_path: Path) -> None:
    audio = np.array([0.5, 1.5, -7, np.inf, -np.inf, np.nan, -0.0], np.float32)
    for encoding in ("float32", "float64"):
        held = save(tmp_path / "held.wav", audio, encoding=encoding)
        np.testing.assert_array_equal(soundfile.read(held)[0], [0.5, 1, -1, 1, -1, np.nan, -0.0])
        kept = save(tmp_path / "kept.wav", audio, encoding=encoding, clip=False)
        np.testing.assert_array_equal(soundfile.read(kept)[0], audio)
        assert np.signbit(soundfile.read(kept)[0][-1])


def test_integers_saturate_and_nan_is_silence(tmp_path: Path) -> None:
    audio = np.array([1.0, 2.0, -1.0, -2.0, np.inf, -np.inf, np.nan, 32767.5 / 32768], np.float64)
    for dtype in ("float64", "float32", "float16"):
        path = save(tmp_path / "a.wav", audio.astype(dtype), encoding="pcm16")
        read = soundfile.read(path, dtype="int16")[0]
        np.testing.assert_array_equal(read, [32767, 32767, -32768, -32768, 32767, -32768, 0, 32767])


@pytest.mark.parametrize("encoding", ["pcm16", "pcm24", "pcm32", "u8", "alaw", "mulaw"])
@pytest.mark.parametrize("sample", [1.001, -1.5, np.inf, np.nan])
def test_clip_false_refuses_what_does_not_fit(tmp_path: Path, encoding: str, sample: float) -> None:
    audio = np.zeros((40_000, 2), np.float32)
    audio[:2] = [[1, -1], [-1, 1]]
    path = save(tmp_path / "a.wav", audio, encoding=encoding, clip=False)
    old = path.read_bytes()
    audio[30_007, 1] = sample
    with pytest.raises(ValueError, match="in frame 30007, channel 1") as caught:
        save(path, audio, encoding=encoding, clip=False)
    assert caught.value.path == str(path)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (old, [path])


@pytest.mark.parametrize("encoding", ["float64", "pcm24", "float32"])
def test_rescale_divides_by_the_peak(tmp_path: Path, encoding: str) -> None:
    audio = signals.noise("float32", 30_000, 2)
    audio[20_000, 1] = -3.75
    path = save(tmp_path / "a.wav", audio, encoding=encoding, clip="rescale")
    expected = audio.astype(np.float64) / 3.75
    read = soundfile.read(path, dtype="float64")[0]
    # Half a step, or half a unit in the last place of what is beside 1.
    step = {"float64": 2.0**-52, "pcm24": 2.0**-23, "float32": 2.0**-24}[encoding]
    assert np.abs(np.clip(expected, -1, 1 - step) - read).max() <= step * 0.501
    assert np.abs(read).max() <= 1


def test_rescale_leaves_alone_what_fits(tmp_path: Path) -> None:
    audio = np.array([0.25, -1.0, 1.0, 0.0], np.float32)
    path = save(tmp_path / "a.wav", audio, clip="rescale")
    np.testing.assert_array_equal(soundfile.read(path)[0], audio)


@pytest.mark.parametrize("sample", [np.nan, np.inf])
def test_rescale_refuses_what_has_no_peak(tmp_path: Path, sample: float) -> None:
    with pytest.raises(ValueError, match="audio must be finite to be rescaled"):
        save(tmp_path / "a.wav", np.array([0, sample], np.float32), clip="rescale")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("clip", ["clip", 1, None, 0.5])
def test_clip_is_a_bool_or_rescale(tmp_path: Path, clip: object) -> None:
    if clip is None:
        # As everywhere, None stands for the default.
        path = save(tmp_path / "a.wav", np.array([2], np.float32), clip=clip)
        assert soundfile.read(path)[0].tolist() == [1]
        return
    with pytest.raises(ValueError, match=r"clip must be True, False or 'rescale'"):
        save(tmp_path / "a.wav", np.zeros(9, np.float32), clip=clip)


# Dither


@pytest.mark.parametrize(("encoding", "bits"), [("pcm16", 16), ("u8", 8), ("pcm24", 24)])
def test_dither_has_the_moments_of_a_triangle(tmp_path: Path, encoding: str, bits: int) -> None:
    num, offset = 400_000, 1 / 3
    audio = np.full(num, offset / 2.0 ** (bits - 1))
    path = save(tmp_path / "a.wav", audio, encoding=encoding, dither="tpdf")
    error = soundfile.read(path, dtype="float64")[0] * 2.0 ** (bits - 1) - offset
    # The total error has the mean 0 and the variance 1/4 whatever the signal; seven standard errors.
    assert abs(error.mean()) < 7 * 0.5 / num**0.5
    assert abs(error.var() - 0.25) < 7 * 0.4 / num**0.5
    assert np.abs(error).max() <= 1.5
    assert abs(np.mean(error[1:] * error[:-1])) < 7 * 0.25 / num**0.5


def test_dither_goes_by_its_seed_alone(tmp_path: Path) -> None:
    audio = signals.noise("float32", 300_000, 2) * np.float32(0.5)
    options = {"encoding": "pcm16", "dither": "tpdf"}
    first = save(tmp_path / "1.wav", audio, seed=5, **options).read_bytes()
    assert save(tmp_path / "2.wav", audio, seed=5, threads=1, **options).read_bytes() == first
    assert save(tmp_path / "3.wav", audio, seed=6, **options).read_bytes() != first
    assert save(tmp_path / "4.wav", audio, encoding="pcm16").read_bytes() != first


def test_dither_is_for_what_is_rounded(tmp_path: Path) -> None:
    audio = signals.noise("int16", 1000, 1)
    path = save(tmp_path / "a.wav", audio, encoding="pcm24", dither="tpdf")
    np.testing.assert_array_equal(soundfile.read(path, dtype="int32")[0], audio[:, 0].astype(np.int32) << 16)
    for encoding in ("float32", "float64", "alaw"):
        with pytest.raises(ValueError, match="dither does not apply"):
            save(tmp_path / "b.wav", audio, encoding=encoding, dither="tpdf")
    with pytest.raises(ValueError, match=r"dither must be 'none' or 'tpdf', got 'rpdf'"):
        save(tmp_path / "b.wav", audio, encoding="pcm16", dither="rpdf")


# Arguments


def test_the_arguments_are_those_of_mlx_audio_io() -> None:
    parameters = [
        part for part in inspect.signature(mapwave.save).parameters.values() if part.kind != part.KEYWORD_ONLY
    ]
    shown = [part.name if part.default is part.empty else f"{part.name}={part.default!r}" for part in parameters]
    assert ", ".join(shown).replace("'", '"') == SIGNATURE


@pytest.mark.parametrize("sr", [0, -1, 44_100.5, float("nan"), 2**32])
def test_rates_that_are_none_are_refused(tmp_path: Path, sr: float) -> None:
    with pytest.raises(ValueError, match="sr must be > 0 Hz, a whole number"):
        save(tmp_path / "a.wav", np.zeros(9, np.float32), sr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sr", ["44100", None, True, [48_000]])
def test_rates_of_other_types_are_refused(tmp_path: Path, sr: object) -> None:
    with pytest.raises(TypeError, match="sr must be"):
        save(tmp_path / "a.wav", np.zeros(9, np.float32), sr)


def test_whole_numbers_of_any_type_are_rates(tmp_path: Path) -> None:
    for sr in (16_000, 16_000.0, np.int64(16_000), np.float32(16_000)):
        assert soundfile.info(save(tmp_path / "a.wav", np.zeros(9, np.float32), sr)).samplerate == 16_000


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"encoding": "pcm20"}, ValueError, "encoding must be one of 'float32', 'pcm16'.*got 'pcm20'"),
        ({"encoding": 16}, TypeError, "encoding must be a str, got 16"),
        ({"bitrate": 128_000}, ValueError, "bitrate does not apply to .*lossless"),
        ({"bitrate": "loud"}, ValueError, "bitrate must be 'auto' or bits a second.*got 'loud'"),
        ({"bitrate": 0}, ValueError, "bitrate must be 'auto' or bits a second.*got 0"),
        ({"quality": 50}, ValueError, "quality does not apply"),
        ({"quality": 0}, ValueError, "quality must be from 1 to 100 or None, got 0"),
        ({"effort": 50}, ValueError, "effort does not apply to .*not compressed"),
        ({"effort": "5"}, TypeError, "effort must be a whole number or None, got '5'"),
        ({"flac_compression": 5}, ValueError, "flac_compression must be 'default' for a file that is not FLAC, got 5"),
        ({"bit_depth": 16}, ValueError, "bit_depth does not apply"),
        ({"bit_depth": 7}, ValueError, "bit_depth must be from 8 to 32 or None, got 7"),
        ({"plugin": "libav"}, ValueError, "plugin does not apply to .*without a plugin"),
        ({"format": "xyz"}, ValueError, "no loaded plugin writes 'xyz'; the format must be one of 'wav', 'rf64'"),
        ({"format": ""}, ValueError, "format must be one of 'wav'"),
        ({"layout": "planar"}, ValueError, "layout must be 'auto', 'channels_last' or 'channels_first', got 'planar'"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"threads": 0}, ValueError, "threads"),
        ({"channel_mask": -1}, ValueError, "channel_mask must be a WAVE channel mask"),
    ],
)
def test_arguments_are_honoured_or_refused(tmp_path: Path, options: dict, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        save(tmp_path / "a.wav", np.zeros((9, 2), np.float32), **options)
    assert list(tmp_path.iterdir()) == []


def test_a_path_without_an_extension_needs_a_format(tmp_path: Path) -> None:
    for name in ("a", ".wav"):
        with pytest.raises(ValueError, match="format must be given for a path without an extension") as caught:
            save(tmp_path / name, np.zeros(9, np.float32))
        assert caught.value.path == str(tmp_path / name)
    assert mapwave.info(save(tmp_path / "a", np.zeros(9, np.float32), format="wav")).frames == 9


def test_mlx_comes_back_as_it_went(tmp_path: Path) -> None:
    audio = mx.random.normal((1000, 2)) * 0.2
    mapwave.save(tmp_path / "a.wav", audio, 44_100)
    loaded, rate = mapwave.load(tmp_path / "a.wav")
    assert rate == 44_100
    assert mx.array_equal(loaded, audio)
