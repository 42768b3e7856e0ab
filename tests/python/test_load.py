"""`load`: values, types, layouts, channels, windows, and what it refuses."""

from __future__ import annotations

import hashlib
import inspect
import io
import math
import os
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import ml_dtypes
import mlx.core as mx
import numpy as np
import pytest
import soundfile
import wavefile

DTYPES = ("float32", "float16", "bfloat16", "int16", "int32")
QUALITIES = (
    "default", "fastest", "low", "medium", "high", "best",
    "soxr_vhq", "soxr_hq", "soxr_mq", "soxr_lq", "soxr_qq", "soxr_style", "soxr_compat", "torchaudio_compat",
)  # fmt: skip

# As mlx-audio-io has them: its callers change nothing but the import.
SIGNATURES = {
    "load": 'path, sr=None, offset=0.0, duration=None, mono=False, mono_mode="mean", layout="channels_last", '
    'dtype="float32", resample_quality="default", low_memory=False, squeeze_mono=False',
    "stream": 'path, chunk_frames=None, chunk_duration=None, sr=None, mono=False, mono_mode="mean", '
    'dtype="float32", offset=0.0, duration=None, squeeze_mono=False',
    "batch_load": 'paths, sr=None, mono=False, mono_mode="mean", layout="channels_last", dtype="float32", '
    'resample_quality="default", squeeze_mono=False, num_workers=4',
}


def frames_of(path: Path, **options: object) -> np.ndarray:
    return mapwave.numpy.load(path, **options)[0]


def bfloat16_of(exact: np.ndarray) -> np.ndarray:
    """Rounds float64 to bfloat16, half to even, in one step; for normal numbers and zero."""
    bits = exact.view(np.uint64)
    kept = (bits + np.uint64(2**44 - 1) + (bits >> np.uint64(45) & np.uint64(1))) >> np.uint64(45) << np.uint64(45)
    return kept.view(np.float64).astype(ml_dtypes.bfloat16)


def integers_of(exact: np.ndarray, dtype: str) -> np.ndarray:
    """Multiplies by 2^(bits-1), rounds half to even, saturates."""
    limits = np.iinfo(dtype)
    return np.clip(np.rint(exact * -float(limits.min)), limits.min, limits.max).astype(dtype)


def in_numpy(array: mx.array) -> np.ndarray:
    if array.dtype == mx.bfloat16:
        return np.array(array.view(mx.uint16)).view(ml_dtypes.bfloat16)
    return np.array(array)


# Values


@pytest.mark.parametrize("expected", corpus.valid(), ids=lambda row: row.path.name)
def test_every_valid_file_has_the_samples_of_its_table(expected: corpus.Expected) -> None:
    audio, rate = mapwave.load(expected.path)
    assert (audio.shape, rate) == ((expected.frames, expected.channels), expected.sample_rate)
    assert audio.dtype == mx.float32
    assert hashlib.sha256(np.array(audio).astype("<f4").tobytes()).hexdigest() == expected.sha256_f32le


@pytest.mark.parametrize("path", corpus.readable_by_libsndfile(), ids=lambda path: path.name)
def test_float32_is_what_libsndfile_reads(path: Path) -> None:
    audio, rate = mapwave.load(path)
    expected, expected_rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == expected_rate
    np.testing.assert_array_equal(np.array(audio), expected)


@pytest.mark.parametrize("path", corpus.readable_by_libsndfile(), ids=lambda path: path.name)
def test_float64_for_numpy_is_exact(path: Path) -> None:
    audio = frames_of(path, dtype="float64")
    assert audio.dtype == np.float64
    np.testing.assert_array_equal(audio, corpus.exact(path))


@pytest.mark.parametrize("path", corpus.readable_by_libsndfile(), ids=lambda path: path.name)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_rounded_once(path: Path, dtype: str) -> None:
    exact = corpus.exact(path)
    expected = bfloat16_of(exact) if dtype == "bfloat16" else exact.astype(np.float16)
    audio = in_numpy(mapwave.load(path, dtype=dtype)[0])
    assert audio.dtype == expected.dtype
    np.testing.assert_array_equal(audio, expected)


@pytest.mark.parametrize("path", corpus.readable_by_libsndfile(), ids=lambda path: path.name)
@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_integers_are_scaled_rounded_and_saturated(path: Path, dtype: str) -> None:
    audio = np.array(mapwave.load(path, dtype=dtype)[0])
    np.testing.assert_array_equal(audio, integers_of(corpus.exact(path), dtype), strict=True)


LOSSLESS = {
    "int16": {"PCM_16", "PCM_S8", "PCM_U8", "ALAW", "ULAW"},
    "int32": {"PCM_16", "PCM_S8", "PCM_U8", "ALAW", "ULAW", "PCM_24", "PCM_32"},
}


@pytest.mark.parametrize(
    ("path", "dtype"),
    [
        pytest.param(path, dtype, id=f"{path.name}-{dtype}")
        for dtype, subtypes in LOSSLESS.items()
        for path in corpus.readable_by_libsndfile()
        if soundfile.info(path).subtype in subtypes
    ],
)
def test_lossless_integers_are_what_libsndfile_reads(path: Path, dtype: str) -> None:
    expected = soundfile.read(path, dtype=dtype, always_2d=True)[0]
    np.testing.assert_array_equal(frames_of(path, dtype=dtype), expected, strict=True)


def test_float_to_integer_saturates_and_takes_nan_for_zero(tmp_path: Path) -> None:
    values = np.array([[1.0], [-1.0], [2.0], [-2.0], [np.nan], [np.inf], [-np.inf], [0.5 / 32768], [1.5 / 32768]])
    path = wavefile.write(tmp_path / "loud.wav", values.astype(np.float32))
    expected = [32767, -32768, 32767, -32768, 0, 32767, -32768, 0, 2]
    assert frames_of(path, dtype="int16")[:, 0].tolist() == expected


def test_float_values_past_one_are_kept(tmp_path: Path) -> None:
    values = np.array([[1.5], [-3.25], [1e30], [np.inf], [-0.0]], np.float32)
    path = wavefile.write(tmp_path / "loud.wav", values)
    np.testing.assert_array_equal(frames_of(path).view(np.uint32), values.view(np.uint32))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_large_file_is_read_as_exactly_as_a_small_one(large: Path, large_samples: np.ndarray, dtype: str) -> None:
    exact = large_samples / 32768
    expected = {
        "float32": exact.astype(np.float32),
        "float16": exact.astype(np.float16),
        "bfloat16": bfloat16_of(exact),
        "int16": large_samples,
        "int32": large_samples.astype(np.int32) << 16,
    }[dtype]
    np.testing.assert_array_equal(in_numpy(mapwave.load(large, dtype=dtype)[0]), expected, strict=True)


# Types


@pytest.mark.parametrize("dtype", DTYPES)
def test_mlx_arrays_have_the_dtype_asked_for(dtype: str) -> None:
    assert mapwave.load(corpus.PCM16, dtype=dtype)[0].dtype == getattr(mx, dtype)


def test_float64_is_not_for_mlx() -> None:
    with pytest.raises(ValueError, match="float32.*float16.*bfloat16.*int16.*int32"):
        mapwave.load(corpus.PCM16, dtype="float64")


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int16", "int32"])
def test_numpy_arrays_have_the_dtype_asked_for(dtype: str) -> None:
    assert frames_of(corpus.PCM16, dtype=dtype).dtype == np.dtype(dtype)


def test_the_rate_is_an_int() -> None:
    assert type(mapwave.load(corpus.PCM16)[1]) is int


# Layout and channels


@pytest.mark.parametrize("name", ["wav-pcm16.wav", "recording.wav", "wav-u8-mono.wav"])
def test_channels_first_is_the_transpose(library, name: str) -> None:
    path = corpus.FIXTURES / "valid" / name
    last, first = (np.array(library.load(path, layout=f"channels_{end}")[0]) for end in ("last", "first"))
    assert first.flags.c_contiguous
    np.testing.assert_array_equal(first, last.T)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_mono_is_the_mean(library, layout: str) -> None:
    audio = np.array(library.load(corpus.RECORDING, mono=True, layout=layout)[0])
    mean = corpus.exact(corpus.RECORDING).mean(axis=1).astype(np.float32)
    assert audio.shape == ((mean.size, 1) if layout == "channels_last" else (1, mean.size))
    np.testing.assert_array_equal(audio.ravel(), mean)


@pytest.mark.parametrize("num_channels", [1, 2, 3, 5])
@pytest.mark.parametrize(("mode", "power"), [("mean", 1.0), ("equal_power", 0.5)])
def test_mono_modes_of_any_number_of_channels(tmp_path: Path, num_channels: int, mode: str, power: float) -> None:
    samples = np.random.default_rng(num_channels).uniform(-1, 1, (999, num_channels)).astype(np.float32)
    path = wavefile.write(tmp_path / "noise.wav", samples)
    audio = frames_of(path, mono=True, mono_mode=mode)
    expected = samples.astype(np.float64).sum(axis=1, keepdims=True) / num_channels**power
    # Half a step of float32 for its rounding, and as much for a sum in float32 of so many channels.
    np.testing.assert_allclose(audio, expected, rtol=2**-23, atol=num_channels * 2**-24)


def test_squeeze_mono_drops_the_axis_of_a_single_channel_only(library) -> None:
    def shape(path: Path, **options: object) -> tuple[int, ...]:
        return tuple(library.load(path, squeeze_mono=True, **options)[0].shape)

    mono = corpus.FIXTURES / "valid" / "wav-u8-mono.wav"
    assert shape(mono) == (301,)
    assert shape(mono, layout="channels_first") == (301,)
    assert shape(corpus.PCM16) == (301, 2)
    assert shape(corpus.PCM16, mono=True) == (301,)
    assert shape(corpus.PCM16, channels=1) == (301,)


@pytest.mark.parametrize("channels", [0, 1, [0], [1], [1, 0], [0, 0, 1], (1,)])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_channels_are_chosen_by_number(library, channels: object, layout: str) -> None:
    audio = np.array(library.load(corpus.RECORDING, channels=channels, layout=layout)[0])
    numbers = [channels] if isinstance(channels, int) else list(channels)
    expected = corpus.exact(corpus.RECORDING).astype(np.float32)[:, numbers]
    np.testing.assert_array_equal(audio, expected if layout == "channels_last" else expected.T)


@pytest.mark.parametrize("channels", [2, [0, 2], [], -1, 70_000])
def test_channels_the_file_does_not_have_are_refused(channels: object) -> None:
    with pytest.raises(ValueError, match="channels"):
        mapwave.load(corpus.PCM16, channels=channels)


def test_channels_and_mono_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="only one of channels, num_channels and mono=True"):
        mapwave.load(corpus.PCM16, channels=0, mono=True)


# Windows


@pytest.mark.parametrize(
    ("offset", "duration"),
    [
        (0.0, None), (0.001, None), (0.0, 0.001), (0.001, 0.002), (0.00101, 0.00201), (0.0, 1e9),
        (0.1, 10.0), (1 / 7, 1 / 29), (10_006 / 48_000, 1.0), (1e-9, 1e-9), (0.0, 1e300),
    ],
)  # fmt: skip
def test_seconds_are_floored_to_frames(ramp: Path, ramp_samples: np.ndarray, offset: float, duration: float) -> None:
    audio = frames_of(ramp, offset=offset, duration=duration, dtype="int32")
    start = math.floor(offset * wavefile.RATE)
    stop = len(ramp_samples) if duration is None else start + math.floor(min(duration * wavefile.RATE, 1e9))
    np.testing.assert_array_equal(audio, ramp_samples[start:stop])


def test_an_offset_at_the_end_gives_no_frames(library, ramp: Path) -> None:
    end = mapwave.info(ramp).duration
    assert tuple(library.load(ramp, offset=end)[0].shape) == (0, 2)
    assert tuple(library.load(ramp, offset=end, layout="channels_first")[0].shape) == (2, 0)


@pytest.mark.parametrize("offset", [10_008 / 48_000, 1.0, 1e300, -1e-9, -1.0, math.nan, math.inf, -math.inf])
def test_an_offset_outside_the_file_is_refused(ramp: Path, offset: float) -> None:
    with pytest.raises(ValueError, match="offset"):
        mapwave.load(ramp, offset=offset)


@pytest.mark.parametrize("duration", [0.0, -0.5, math.nan, math.inf, -math.inf])
def test_a_duration_that_is_none_is_refused(ramp: Path, duration: float) -> None:
    with pytest.raises(ValueError, match="duration"):
        mapwave.load(ramp, duration=duration)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, None), (None, 10), (5, 10), (5, 5), (-10, None), (None, -10), (-10, -5), (0, 10**12),
        (10_007, None),
        (-10_007, None), (10_000, -7),
    ],
)  # fmt: skip
def test_start_and_stop_are_those_of_a_slice(
    ramp: Path, ramp_samples: np.ndarray, start: int | None, stop: int | None
) -> None:
    audio = frames_of(ramp, start=start, stop=stop, dtype="int32")
    np.testing.assert_array_equal(audio, ramp_samples[start:stop])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"start": 10_008}, "start"), ({"start": -10_008}, "start"), ({"start": 7, "stop": 3}, "stop"),
        ({"stop": -10_008}, "stop"),
    ],
)  # fmt: skip
def test_start_and_stop_outside_the_file_are_refused(ramp: Path, options: dict, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        mapwave.load(ramp, **options)


@pytest.mark.parametrize("seconds", [{"offset": 0.1}, {"duration": 0.1}])
@pytest.mark.parametrize("frames", [{"start": 1}, {"stop": 100}])
def test_seconds_and_frames_exclude_each_other(ramp: Path, seconds: dict, frames: dict) -> None:
    with pytest.raises(ValueError, match="not both"):
        mapwave.load(ramp, **seconds, **frames)


@pytest.mark.parametrize("num_channels", [1, 2])
def test_a_file_without_frames_gives_an_empty_array(library, tmp_path: Path, num_channels: int) -> None:
    path = wavefile.write(tmp_path / "empty.wav", np.zeros((0, num_channels), np.int16))
    for dtype in ("float32", "int16"):
        assert tuple(library.load(path, dtype=dtype)[0].shape) == (0, num_channels)
    assert tuple(library.load(path, layout="channels_first")[0].shape) == (num_channels, 0)
    assert tuple(library.load(path, mono=True, squeeze_mono=True)[0].shape) == (0,)


# What is refused


def test_the_native_rate_may_be_asked_for() -> None:
    assert mapwave.load(corpus.PCM16, sr=48_000)[1] == 48_000


@pytest.mark.parametrize("rate", [0, -1, -(2**63), 768_001])
def test_an_impossible_rate_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match=f"sr must be .*got {rate}"):
        mapwave.load(corpus.PCM16, sr=rate)


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("layout", ("channels_last", "channels_first")),
        ("dtype", DTYPES),
        ("mono_mode", ("mean", "equal_power")),
        ("resample_quality", QUALITIES),
    ],
)
@pytest.mark.parametrize("wrong", ["", "rows", "Float33"])
def test_a_wrong_choice_names_the_argument_and_the_choices(name: str, choices: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be") as caught:
        mapwave.load(corpus.PCM16, **{name: wrong})
    assert isinstance(caught.value, mapwave.AudioError)
    assert f"got '{wrong}'" in str(caught.value)
    assert all(f"'{choice}'" in str(caught.value) for choice in choices)


@pytest.mark.parametrize("quality", QUALITIES)
def test_every_resample_quality_is_known(quality: str) -> None:
    assert mapwave.load(corpus.PCM16, resample_quality=quality)[0].shape == (301, 2)


@pytest.mark.parametrize(
    "options",
    [
        {"sr": "fast"}, {"sr": 44_100.5}, {"offset": "1"}, {"duration": "1"}, {"mono": "yes"},
        {"mono_mode": 1},
        {"layout": None}, {"dtype": 32}, {"resample_quality": 3}, {"squeeze_mono": 2}, {"start": 0.5},
        {"stop": "9"}, {"channels": "left"}, {"channels": 0.5}, {"channels": [0.5]}, {"low_memory": "no"},
        {"no_such_argument": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_type_is_a_type_error(options: dict) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        mapwave.load(corpus.PCM16, **options)


def test_arguments_are_checked_before_the_file_is_opened() -> None:
    with pytest.raises(ValueError, match="layout"):
        mapwave.load("no-such-file.wav", layout="rows")


# Inputs

CONTENTS = corpus.PCM16.read_bytes()


class Pathlike:
    def __fspath__(self) -> str:
        return str(corpus.PCM16)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: str(corpus.PCM16), id="str"),
        pytest.param(lambda: corpus.PCM16, id="Path"),
        pytest.param(Pathlike, id="PathLike"),
        pytest.param(lambda: CONTENTS, id="bytes"),
        pytest.param(lambda: bytearray(CONTENTS), id="bytearray"),
        pytest.param(lambda: memoryview(CONTENTS), id="memoryview"),
        pytest.param(lambda: memoryview(np.frombuffer(CONTENTS, np.uint16)), id="memoryview of uint16"),
        pytest.param(lambda: memoryview(np.frombuffer(CONTENTS, np.uint32).reshape(2, -1)), id="2-d memoryview"),
        pytest.param(lambda: memoryview(b"x" + CONTENTS + b"yz")[1:-2], id="slice of a memoryview"),
        pytest.param(lambda: memoryview(np.repeat(np.frombuffer(CONTENTS, np.uint8), 2))[::2], id="stepped memoryview"),
        pytest.param(lambda: memoryview(CONTENTS[::-1])[::-1], id="reversed memoryview"),
        pytest.param(lambda: io.BytesIO(CONTENTS), id="BytesIO"),
    ],
)
def test_audio_comes_from_paths_bytes_and_file_objects(make) -> None:
    audio, rate = mapwave.load(make())
    assert rate == 48_000
    np.testing.assert_array_equal(np.array(audio), soundfile.read(corpus.PCM16, dtype="float32")[0])
    assert mapwave.info(make()) == mapwave.info(corpus.PCM16)


def test_an_open_file_is_read_from_its_position() -> None:
    expected = soundfile.read(corpus.PCM16, dtype="float32")[0]
    with corpus.PCM16.open("rb") as file:
        np.testing.assert_array_equal(np.array(mapwave.load(file)[0]), expected)
        assert file.tell() == len(CONTENTS)
    prefixed = io.BytesIO(b"prefix" + CONTENTS)
    prefixed.seek(6)
    np.testing.assert_array_equal(np.array(mapwave.load(prefixed)[0]), expected)


def test_bytes_changed_afterwards_do_not_matter() -> None:
    mutable = bytearray(CONTENTS)
    reader = mapwave.numpy.open(mutable)
    mutable[44:] = bytes(len(mutable) - 44)
    mutable.clear()  # Nothing holds on to the buffer either.
    np.testing.assert_array_equal(reader[:], soundfile.read(corpus.PCM16, dtype="float32")[0])


def test_a_text_mode_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_text("RIFF")
    with path.open() as file, pytest.raises(TypeError, match="'rb'"):
        mapwave.load(file)
    with pytest.raises(TypeError, match="'rb'"):
        mapwave.load(io.StringIO("RIFF"))


class ReadsNothing:
    def read(self) -> None:
        return None


@pytest.mark.parametrize("wrong", [None, 3, 1.5, object(), ["a.wav"]], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("function", [mapwave.load, mapwave.info, mapwave.open])
def test_what_is_no_audio_source_is_a_type_error(function, wrong: object) -> None:
    with pytest.raises(TypeError, match=type(wrong).__name__):
        function(wrong)


@pytest.mark.parametrize("function", [mapwave.load, mapwave.info, mapwave.open])
def test_a_file_object_that_does_not_block_is_refused(function) -> None:
    with pytest.raises(BlockingIOError, match=r"read\(\) returned None: it does not block"):
        function(ReadsNothing())


def test_an_error_in_read_is_the_callers() -> None:
    class Failing:
        def read(self) -> bytes:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        mapwave.load(Failing())


@pytest.mark.parametrize("name", [b"caf\xe9\xff.wav", "müsik 音楽.wav".encode(), b"new\nline.wav"])
def test_any_name_the_system_takes_can_be_opened(tmp_path: Path, name: bytes) -> None:
    raw_path = os.path.join(os.fsencode(tmp_path), name)
    with open(raw_path, "wb") as file:
        file.write(CONTENTS)
    path = Path(os.fsdecode(raw_path))
    assert mapwave.load(path)[0].shape == (301, 2)
    assert mapwave.load(str(path))[0].shape == (301, 2)
    os.truncate(raw_path, 30)
    with pytest.raises(mapwave.AudioError) as caught:
        mapwave.load(path)
    assert ".wav" in caught.value.path


def test_a_path_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(mapwave.AudioError):
        mapwave.load("a\0b.wav")


# Signature


@pytest.mark.parametrize("name", SIGNATURES)
def test_positional_arguments_are_those_of_mlx_audio_io(name: str) -> None:
    parameters = list(inspect.signature(getattr(mapwave, name)).parameters.values())
    scope: dict = {}
    exec(f"def reference({SIGNATURES[name]}): ...", scope)
    reference = list(inspect.signature(scope["reference"]).parameters.values())
    positional = [parameter for parameter in parameters if parameter.kind != parameter.KEYWORD_ONLY]
    assert [(p.name, p.default) for p in positional] == [(p.name, p.default) for p in reference]
    assert all(parameter.default is not parameter.empty for parameter in parameters[len(reference) :])
