"""Resampling: against exact tones, against itself in windows, chunks and threads, and against libsoxr's own."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import sys
import types
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy as mw
import mlx.core as mx
import numpy as np
import pytest
import wavefile

# The decibels that a quality promises between sound and noise, with a little to spare.
QUALITIES = {"fastest": 74, "low": 94, "medium": 114, "high": 138, "best": 160}
SOXR = {"soxr_hq": 110, "soxr_vhq": 140}
# libsoxr's faster recipes, and the number of each.
FASTER_SOXR = {"soxr_mq": 2, "soxr_lq": 1, "soxr_qq": 0}
RATES = [
    (44_100, 16_000), (48_000, 16_000), (44_100, 48_000), (48_000, 44_100), (22_050, 16_000), (24_000, 16_000),
    (8000, 16_000), (16_000, 8000), (96_000, 44_100), (44_100, 192_000), (44_100, 44_099), (11_025, 12_000), (1000, 7),
]  # fmt: skip
ENGINES = ["best", "fastest", "soxr_vhq"]

each_engine = pytest.mark.parametrize("quality", ENGINES)


def need(quality: str) -> None:
    if quality.startswith("soxr") and not mapwave.supports_soxr():
        pytest.skip("the plugin over libsoxr is not here")


def tones(num_frames: int, rate: int, pitches: list[float]) -> np.ndarray:
    """Tones of the same loudness that begin and end softly, in double precision, at (0, 1, ..) / rate seconds."""
    times = np.arange(num_frames) / rate
    return sum(np.sin(2 * np.pi * pitch * times + number) for number, pitch in enumerate(pitches)) / len(pitches) / 1.1


def inner(audio: np.ndarray, rate: int, lower: int) -> np.ndarray:
    """What lies far enough from both ends that no filter reaches beyond them: 400 frames of the lower rate."""
    margin = 400 * rate // lower + 1
    return audio[margin:-margin]


def decibels(power: float, over: float) -> float:
    return 10 * math.log10(power / max(over, 1e-300))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s of stereo noise, 16 bits at 44.1 kHz."""
    noise = np.random.default_rng(3).integers(-20_000, 20_000, (882_000, 2), np.int16)
    return wavefile.write(tmp_path_factory.mktemp("resample") / "noise.wav", noise, 44_100)


# What comes out


@pytest.mark.parametrize(("in_sr", "out_sr"), RATES, ids=str)
@pytest.mark.parametrize(("quality", "least"), QUALITIES.items())
def test_tones_keep_their_shape(quality: str, least: int, in_sr: int, out_sr: int) -> None:
    lower = min(in_sr, out_sr)
    edge = {"fastest": 0.79, "low": 0.84}.get(quality, 0.89)
    pitches = [lower / 2 * edge * share for share in (0.013, 0.11, 0.37, 0.71, 1)]
    num_frames = max(30_000, 3000 * in_sr // lower)
    exact = tones(num_frames * out_sr // in_sr + 1, out_sr, pitches)
    found = mw.resample(tones(num_frames, in_sr, pitches), in_sr, out_sr, quality)
    exact = exact[: len(found)]
    error = inner(found - exact, out_sr, lower)
    assert decibels(np.mean(exact**2), np.mean(error**2)) >= least


@pytest.mark.parametrize(("quality", "least"), [*QUALITIES.items(), *SOXR.items()])
@pytest.mark.parametrize(("in_sr", "out_sr"), [pair for pair in RATES if pair[1] < pair[0] - 1], ids=str)
def test_what_the_output_cannot_hold_does_not_come_back(quality: str, least: int, in_sr: int, out_sr: int) -> None:
    need(quality)
    num_frames = max(30_000, 3000 * in_sr // out_sr)
    for share in (1.0001, 1.05, 1.4, 1.93):
        pitch = out_sr / 2 * share
        if pitch >= in_sr / 2:
            continue
        tone = tones(num_frames, in_sr, [pitch])
        found = mw.resample(
            tone.astype("float32" if quality in SOXR else "float64"), in_sr, out_sr, quality, dtype="float64"
        )
        left = inner(found, out_sr, out_sr)
        assert decibels(0.5, np.mean(left**2)) >= least, share


@pytest.mark.parametrize("quality", [*QUALITIES, *SOXR, *FASTER_SOXR, "default"])
def test_the_length_is_rounded(quality: str) -> None:
    need(quality)
    for in_sr, out_sr in RATES:
        for num_frames in (0, 1, 2, 3, 1000, 4409, 4410, 4411):
            exact = (2 * num_frames * out_sr + in_sr) // (2 * in_sr)
            found = mw.resample(np.ones(num_frames, np.float32), in_sr, out_sr, quality)
            assert found.shape == (exact,), (in_sr, out_sr, num_frames)


def test_silence_stays_silent_beside_sound() -> None:
    audio = np.zeros((50_000, 2), np.float32)
    audio[:, 0] = np.random.default_rng(1).standard_normal(50_000)
    for quality in ("best", "fastest", "default"):
        assert not mw.resample(audio, 44_100, 16_000, quality)[:, 1].any()


@pytest.mark.parametrize("rate", [8, 768_000])
def test_the_ends_of_the_range_of_rates(rate: int) -> None:
    found = mw.resample(np.ones(96_000, np.float32), 48_000, rate)
    assert len(found) == round(96_000 * rate / 48_000)
    if rate > 8:
        np.testing.assert_allclose(inner(found, rate, 48_000), 1, atol=1e-6)


# libsoxr's own


class _Io(ctypes.Structure):
    _fields_ = [("itype", ctypes.c_int), ("otype", ctypes.c_int), ("scale", ctypes.c_double),
                ("e", ctypes.c_void_p), ("flags", ctypes.c_ulong)]  # fmt: skip


class _Quality(ctypes.Structure):
    _fields_ = [("precision", ctypes.c_double), ("phase_response", ctypes.c_double), ("passband_end", ctypes.c_double),
                ("stopband_begin", ctypes.c_double), ("e", ctypes.c_void_p), ("flags", ctypes.c_ulong)]  # fmt: skip


def soxr(audio: np.ndarray, in_sr: int, out_sr: int, recipe: int) -> np.ndarray:
    """libsoxr's `soxr_oneshot`, of (frames, channels) float32 or int16."""
    name = ctypes.util.find_library("soxr")
    if name is None:
        pytest.skip("libsoxr is not installed")
    library = ctypes.CDLL(name)
    library.soxr_quality_spec.restype = _Quality
    library.soxr_quality_spec.argtypes = [ctypes.c_ulong, ctypes.c_ulong]
    library.soxr_io_spec.restype = _Io
    library.soxr_io_spec.argtypes = [ctypes.c_int, ctypes.c_int]
    library.soxr_oneshot.restype = ctypes.c_char_p
    io = library.soxr_io_spec({"float32": 0, "int16": 3}[audio.dtype.name], 0)
    quality = library.soxr_quality_spec(recipe, 0)
    num_frames = (2 * len(audio) * out_sr + in_sr) // (2 * in_sr)
    audio = np.ascontiguousarray(audio)
    out = np.zeros((num_frames + 8, audio.shape[1]), np.float32)
    read, written = ctypes.c_size_t(), ctypes.c_size_t()
    error = library.soxr_oneshot(
        ctypes.c_double(in_sr), ctypes.c_double(out_sr), ctypes.c_uint(audio.shape[1]),
        audio.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(audio)), ctypes.byref(read),
        out.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(out)), ctypes.byref(written),
        ctypes.byref(io), ctypes.byref(quality), None,
    )  # fmt: skip
    assert error is None
    return out[: min(written.value, num_frames)]


@pytest.mark.parametrize(("in_sr", "out_sr"), RATES, ids=str)
@pytest.mark.parametrize(("quality", "recipe"), [("soxr_hq", 4), ("soxr_vhq", 6), ("default", 6)])
def test_libsoxr_gives_the_same_bits(quality: str, recipe: int, in_sr: int, out_sr: int) -> None:
    need("soxr")
    noise = np.random.default_rng(in_sr).integers(-20_000, 20_000, (70_001, 2), np.int16)
    for audio in (noise, noise.astype(np.float32) / 32_768):
        expected = soxr(audio, in_sr, out_sr, recipe)
        found = mw.resample(audio, in_sr, out_sr, quality)
        np.testing.assert_array_equal(found[: len(expected)], expected)
        assert len(found) - len(expected) <= 1


# Windows, chunks, threads


@each_engine
@pytest.mark.parametrize("rate", [16_000, 48_000, 44_099, 22_050, 8000])
def test_windows_chunks_and_threads_give_the_bits_of_the_whole(recording: Path, quality: str, rate: int) -> None:
    need(quality)
    random = np.random.default_rng(rate)
    options = {"sr": rate, "resample_quality": quality}
    whole, found = mw.load(recording, threads=1, **options)
    num_frames = len(whole)
    assert (found, num_frames) == (rate, round(882_000 * rate / 44_100))
    for threads in (2, 8):
        np.testing.assert_array_equal(mw.load(recording, threads=threads, **options)[0], whole)
    with mw.open(recording, **options) as reader:
        assert (reader.frames, reader.sample_rate) == (num_frames, rate)
        for _ in range(12):
            start, stop = np.sort(random.integers(0, num_frames + 1, 2))
            if random.random() < 0.6:
                stop = min(stop, start + int(random.integers(0, 5000)))
            np.testing.assert_array_equal(reader[start:stop], whole[start:stop])
            np.testing.assert_array_equal(mw.load(recording, start=start, stop=stop, **options)[0], whole[start:stop])
    parts = []
    stream = mw.stream(recording, chunk_frames=int(random.integers(1000, 50_000)), **options)
    for chunk, chunk_rate in stream:
        assert chunk_rate == rate
        parts.append(chunk)
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("seed", range(25))
def test_random_rates_lengths_and_chunks(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    quality = ENGINES[seed % len(ENGINES)] if mapwave.supports_soxr() else ENGINES[seed % 2]
    in_sr, out_sr = (int(rate) for rate in random.choice([8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000], 2))
    if seed % 5 == 0:
        out_sr = int(random.integers(2000, 100_000))
    num_frames, channels = int(random.integers(0, 200_000)), int(random.integers(1, 5))
    samples = random.integers(-(2**31), 2**31, (num_frames, channels), np.int32)
    path = wavefile.write(tmp_path / "a.wav", samples, in_sr)
    options = {"sr": out_sr, "resample_quality": quality, "mono": bool(seed % 3 == 0)}
    whole = mw.load(path, threads=int(random.integers(1, 9)), **options)[0]
    parts, reader = [], mw.open(path, **options)
    while sum(map(len, parts)) < len(whole):
        parts.append(reader.read(int(random.integers(1, 40_000))))
    np.testing.assert_array_equal(np.concatenate([*parts, whole[:0]]), whole)
    start = int(random.integers(0, len(whole) + 1))
    np.testing.assert_array_equal(reader[start : start + 999], whole[start : start + 999])


@each_engine
@pytest.mark.parametrize("name", ["flac", "mp3", "m4a", "ogg", "aiff", "caf"])
def test_every_kind_of_file(tmp_path: Path, name: str, quality: str) -> None:
    need(quality)
    audio = np.random.default_rng(5).standard_normal((200_000, 2)).astype(np.float32) * 0.1
    path = tmp_path / f"a.{name}"
    try:
        mapwave.save(path, audio, 44_100, durable=False)
    except mapwave.UnsupportedFormat as error:
        pytest.skip(str(error))
    native = mw.load(path)[0]
    whole = mw.load(path, sr=16_000, resample_quality=quality)[0]
    np.testing.assert_array_equal(whole, mw.resample(native, 44_100, 16_000, quality))
    window = mw.load(path, sr=16_000, resample_quality=quality, offset=1.5, duration=0.75)[0]
    np.testing.assert_array_equal(window, whole[24_000:36_000])


# Channels, types, layouts


@each_engine
def test_channels_are_mixed_or_chosen_before(recording: Path, quality: str) -> None:
    need(quality)
    options = {"sr": 16_000, "resample_quality": quality}
    native = mw.load(recording, mono=True)[0]
    np.testing.assert_allclose(
        mw.load(recording, mono=True, **options)[0], mw.resample(native, 44_100, 16_000, quality), atol=1e-7
    )
    whole = mw.load(recording, **options)[0]
    np.testing.assert_array_equal(mw.load(recording, channels=[1, 0], **options)[0], whole[:, ::-1])
    squeezed = mw.load(recording, mono=True, squeeze_mono=True, **options)[0]
    assert squeezed.shape == (len(whole),)


@each_engine
@pytest.mark.parametrize("dtype", ["float64", "float16", "int16", "int32"])
def test_types_and_layouts_are_those_of_float32(recording: Path, quality: str, dtype: str) -> None:
    need(quality)
    options = {"sr": 16_000, "resample_quality": quality}
    single, exact = mw.load(recording, **options)[0], mw.load(recording, dtype="float64", **options)[0]
    np.testing.assert_array_equal(exact.astype(np.float32), single)
    found = mw.load(recording, dtype=dtype, layout="channels_first", **options)[0]
    if dtype.startswith("int"):
        full = 2.0 ** (31 if dtype == "int32" else 15)
        expected = np.clip(np.rint(exact * full), -full, full - 1).astype(dtype)
    else:
        expected = exact.astype(dtype)
    np.testing.assert_array_equal(found, expected.T)


def test_mlx_arrays_have_half_precision(recording: Path) -> None:
    exact = mw.load(recording, sr=16_000, resample_quality="best", dtype="float64")[0]
    for dtype, bits in (("float16", 11), ("bfloat16", 8)):
        found = mapwave.load(recording, sr=16_000, resample_quality="best", dtype=dtype)[0]
        assert found.dtype == getattr(mx, dtype)
        # Rounded once: half a step of the last place away, no more.
        step = np.exp2(np.floor(np.log2(np.maximum(np.abs(exact), 2.0**-14))) - bits)
        assert (np.abs(np.array(found.astype(mx.float32)) - exact) <= step).all()


@each_engine
def test_arrays_of_any_strides(quality: str) -> None:
    need(quality)
    audio = np.random.default_rng(2).standard_normal((30_000, 3)).astype(np.float32)
    expected = mw.resample(audio, 22_050, 16_000, quality)
    for threads in (1, 2, 8):
        np.testing.assert_array_equal(mw.resample(audio, 22_050, 16_000, quality, threads=threads), expected)
    np.testing.assert_array_equal(mw.resample(audio.T, 22_050, 16_000, quality, "channels_first"), expected.T)
    np.testing.assert_array_equal(mw.resample(audio[:, ::-1], 22_050, 16_000, quality), expected[:, ::-1])
    np.testing.assert_array_equal(mw.resample(np.asfortranarray(audio), 22_050, 16_000, quality), expected)
    np.testing.assert_array_equal(mw.resample(audio[:, 1], 22_050, 16_000, quality), expected[:, 1])
    found = mapwave.resample(mx.array(audio), 22_050, 16_000, quality)
    assert isinstance(found, mx.array)
    np.testing.assert_array_equal(np.array(found), expected)


def test_a_result_has_the_type_of_its_audio() -> None:
    for dtype, expected in (("float64", "float64"), ("float16", "float16"), ("int16", "float32"), ("int32", "float32")):
        assert mw.resample(np.zeros((100, 2), dtype), 2, 1).dtype == expected
    assert mw.resample(np.zeros(100, np.float32), 2, 1, dtype="int16").dtype == np.int16
    assert mapwave.resample(mx.zeros(100, mx.bfloat16), 2, 1).dtype == mx.bfloat16


def test_the_same_rate_changes_nothing(recording: Path) -> None:
    audio = mw.load(recording)[0]
    np.testing.assert_array_equal(mw.load(recording, sr=44_100, resample_quality="fastest")[0], audio)
    for quality in QUALITIES:
        np.testing.assert_array_equal(mw.resample(audio, 44_100, 44_100, quality), audio)


# The other functions


def test_a_batch_is_resampled(recording: Path) -> None:
    expected = mw.load(recording, sr=16_000)[0]
    for (audio, rate), _ in zip(mw.batch_load([recording] * 3, sr=16_000, num_workers=2), range(3), strict=True):
        assert rate == 16_000
        np.testing.assert_array_equal(audio, expected)
    windows = mw.batch_load([recording] * 2, sr=16_000, offset=3, duration=0.5)
    np.testing.assert_array_equal(windows[1][0], expected[48_000:56_000])


def test_low_memory_changes_nothing(recording: Path) -> None:
    expected = mw.load(recording, sr=16_000)[0]
    np.testing.assert_array_equal(mw.load(recording, sr=16_000, low_memory=True)[0], expected)


def test_a_reader_counts_in_frames_of_the_new_rate(recording: Path) -> None:
    with mw.open(recording, sr=16_000) as reader:
        assert (len(reader), reader.sample_rate, reader.info().sample_rate) == (320_000, 16_000, 44_100)
        assert reader.seek(-5, 2) == 319_995
        assert reader.read().shape == (5, 2)
        assert sum(len(block) for block in reader.blocks(50_000)) == 320_000
        with pytest.raises(ValueError, match="the reader resamples them"):
            reader.view()


def test_a_stream_may_begin_anywhere(recording: Path) -> None:
    whole = mw.load(recording, sr=16_000)[0]
    stream = mw.stream(recording, chunk_duration=0.25, sr=16_000, offset=2, duration=5)
    assert (stream.chunk_frames, stream.sample_rate) == (4000, 16_000)
    np.testing.assert_array_equal(np.concatenate([chunk for chunk, _ in stream]), whole[32_000:112_000])


# What is refused


@pytest.mark.parametrize("rate", [0, -1, 768_001, 2**40])
def test_impossible_rates_are_refused(rate: int) -> None:
    for in_sr, out_sr, name in ((rate, 16_000, "in_sr"), (16_000, rate, "out_sr")):
        with pytest.raises(ValueError, match=f"{name} must be 1 to 768000 Hz, got {rate}"):
            mw.resample(np.zeros(10, np.float32), in_sr, out_sr)


def test_rates_too_far_apart_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be nearer to the input's 768000 Hz .*got 1 Hz"):
        mw.resample(np.zeros(10, np.float32), 768_000, 1, "best")


def test_rates_that_are_too_far_apart_for_libsoxr_are_refused() -> None:
    need("soxr")
    with pytest.raises(ValueError, match="48000 Hz to 8 Hz, expected less than 256 to 1"):
        mw.resample(np.zeros(10_000, np.float32), 48_000, 8, "soxr_vhq")


def test_unknown_qualities_are_refused_with_those_there_are() -> None:
    with pytest.raises(
        ValueError, match="quality must be one of 'default', 'fastest'.*'torchaudio_compat', got 'linear'"
    ):
        mw.resample(np.zeros(10, np.float32), 2, 1, "linear")


def test_soxr_that_is_not_there_is_told_how_to_be_had() -> None:
    if mapwave.supports_soxr():
        pytest.skip("it is there")
    with pytest.raises(RuntimeError, match="'soxr_vhq'.*libsoxr"):
        mw.resample(np.zeros(10, np.float32), 2, 1, "soxr_vhq")


def test_torchaudio_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchaudio", None)
    with pytest.raises(RuntimeError, match="torchaudio is not installed.*pip install torchaudio"):
        mw.resample(np.zeros(10, np.float32), 2, 1, "torchaudio_compat")
    with pytest.raises(ValueError, match="torchaudio_compat' is for load and resample"):
        mw.stream(corpus.PCM16, chunk_frames=9, sr=8000, resample_quality="torchaudio_compat")


def test_torchaudio_is_given_channels_and_rates(monkeypatch: pytest.MonkeyPatch, recording: Path) -> None:
    """With a stand-in for torch and torchaudio that takes every second frame."""

    class Tensor:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def contiguous(self) -> Tensor:
            return Tensor(np.ascontiguousarray(self.array))

        def numpy(self) -> np.ndarray:
            return self.array

    torch, torchaudio = types.ModuleType("torch"), types.ModuleType("torchaudio")
    torch.from_dlpack = lambda frames: Tensor(np.from_dlpack(frames))
    calls = []

    def halve(tensor: Tensor, in_sr: int, out_sr: int) -> Tensor:
        calls.append((tensor.array.shape, in_sr, out_sr))
        return Tensor(tensor.array[:, ::2])

    torchaudio.functional = types.SimpleNamespace(resample=halve)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torchaudio", torchaudio)
    native = mw.load(recording)[0]
    found, rate = mw.load(
        recording, sr=22_050, offset=1, duration=2, resample_quality="torchaudio_compat", dtype="int16"
    )
    assert rate == 22_050
    np.testing.assert_array_equal(found, np.rint(native[44_100:132_300:2] * 32_768).astype(np.int16))
    found = mw.resample(native.T, 44_100, 22_050, "torchaudio_compat", "channels_first")
    np.testing.assert_array_equal(found, native[::2].T)
    assert calls == [((2, 88_200), 44_100, 22_050), ((2, 882_000), 44_100, 22_050)]
