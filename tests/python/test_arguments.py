"""Arguments: what is taken for each, and that what is not names the argument."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import corpus
import jax.numpy as jnp
import mapwave
import mapwave.numpy as mw
import ml_dtypes
import mlx.core as mx
import numpy as np
import pytest
import soundfile

AUDIO = np.zeros((1000, 2), np.float32)


def write(**options: Any) -> None:
    mapwave.save(io.BytesIO(), AUDIO, **{"sr": 48_000, "format": "wav"} | options)


def writer(**options: Any) -> None:
    with mapwave.open(io.BytesIO(), "w", **{"sr": 48_000, "channels": 2, "format": "wav"} | options) as file:
        file.write(AUDIO)


FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "load": (mw.load, {"path": corpus.PCM16}),
    "info": (mw.info, {"path": corpus.PCM16}),
    "stream": (mw.stream, {"path": corpus.PCM16, "chunk_frames": 9}),
    "batch_load": (mw.batch_load, {"paths": [corpus.PCM16]}),
    "open": (mw.open, {"path": corpus.PCM16}),
    "resample": (mw.resample, {"audio": AUDIO, "in_sr": 48_000, "out_sr": 44_100}),
    "prepare_save": (mapwave.prepare_save, {"audio": AUDIO}),
    "register_plugin": (mapwave.register_plugin, {"path": "nothing"}),
}
WRITERS: dict[str, Callable[..., None]] = {"save": write, "open": writer}


class Wrong:
    """An object that no argument takes."""

    def __repr__(self) -> str:
        return "<something wrong>"


def every_argument() -> list[tuple[str, str]]:
    pairs = [(name, part) for name, (call, _) in FUNCTIONS.items() for part in inspect.signature(call).parameters]
    # What writing takes is refused by open for reading, whatever it is.
    only_writing = {*inspect.signature(mapwave.save).parameters} - {*inspect.signature(mw.load).parameters}
    return [pair for pair in pairs if pair[0] != "open" or pair[1] not in only_writing]


@pytest.mark.parametrize(("function", "argument"), every_argument())
def test_a_wrong_type_names_the_argument_and_shows_the_value(function: str, argument: str) -> None:
    call, arguments = FUNCTIONS[function]
    if argument == "progress":
        pytest.skip("any object is true or false")
    if argument == "chunk_duration":
        arguments = {"path": corpus.PCM16}
    with pytest.raises(TypeError, match=argument) as caught:
        call(**arguments | {argument: Wrong()})
    if argument not in ("path", "audio", "paths"):
        assert str(caught.value).startswith(f"{argument} must be ")
        assert str(caught.value).endswith(", got <something wrong>, of type Wrong")


@pytest.mark.parametrize("function", WRITERS)
def test_a_wrong_type_for_writing_names_the_argument(function: str) -> None:
    parameters = set(inspect.signature(mapwave.save).parameters) - {"path", "audio"}
    if function == "open":
        # A writer does not have all of the audio that is measured.
        parameters -= {"loudness", "true_peak"}
    for argument in parameters:
        message = f"^{argument} must be .*, got <something wrong>, of type Wrong$"
        with pytest.raises((TypeError, ValueError), match=message):
            WRITERS[function](**{argument: Wrong()})


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("sr", "x", "sr must be a whole number or None, got 'x'"),
        ("sr", 16_000.5, "sr must be a whole number or None, got 16000.5"),
        ("sr", True, "sr must be a whole number or None, got True"),
        ("offset", "1", "offset must be a number, got '1'"),
        ("duration", [1], r"duration must be a number or None, got \[1\], of type list"),
        ("mono", "yes", "mono must be True or False, got 'yes'"),
        ("layout", 3, "layout must be 'channels_last' or 'channels_first', got 3"),
        ("dtype", 3, "dtype must be one of 'float32', .* or a library's own dtype, got 3"),
        ("plugin", 3, "plugin must be a str or None, got 3"),
        ("channels", "left", "channels must be a channel number or a sequence of them or None, got 'left'"),
        ("start", "a" * 1000, "start must be a whole number or None, got an object of type str"),
    ],
)
def test_what_is_said_of_a_wrong_type(argument: str, value: object, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        mw.load(corpus.PCM16, **{argument: value})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mw.load(corpus.PCM16, samplerate=16_000), "load() has no argument 'samplerate'; did you mean 'sr'?"),
        (lambda: mw.load(corpus.PCM16, codec="builtin"), "load() has no argument 'codec'; did you mean 'plugin'?"),
        (lambda: mw.load(corpus.PCM16, durration=1), "load() has no argument 'durration'; did you mean 'duration'?"),
        (lambda: mw.load(corpus.PCM16, frames=9), "load() has no argument 'frames'; did you mean 'stop'?"),
        (lambda: mw.load(corpus.PCM16, Layout="x"), "load() has no argument 'Layout'; did you mean 'layout'?"),
        (lambda: mw.info(corpus.PCM16, codec="x"), "info() has no argument 'codec'; did you mean 'plugin'?"),
        (
            lambda: mw.info(corpus.PCM16, zebra=1),
            "info() has no argument 'zebra'; its arguments are 'path', 'track', 'plugin', 'plugin_options'",
        ),
        (lambda: write(codec="mp3"), "save() has no argument 'codec'; did you mean 'plugin' or 'encoding'?"),
        (lambda: write(bits_per_sample=8), "save() has no argument 'bits_per_sample'; did you mean 'bit_depth' or "),
        (lambda: write(subtype="PCM_16"), "save() has no argument 'subtype'; did you mean 'encoding'?"),
        (lambda: mw.resample(AUDIO, orig_sr=1), "resample() has no argument 'orig_sr'; did you mean 'in_sr'?"),
        (lambda: mw.load(corpus.PCM16, format="wav"), "load() has no argument 'format'; its arguments are 'path', "),
        (lambda: mw.load(), "load() is missing the required argument 'path'"),
        (lambda: mw.load(corpus.PCM16, path=corpus.PCM16), "load() got multiple values for argument 'path'"),
        (lambda: mw.info(corpus.PCM16, "builtin"), "info() takes at most 1 positional argument, got 2; pass the"),
        (lambda: mw.open(corpus.PCM16, encoding="pcm16"), "open() takes 'encoding' only in mode 'w'"),
    ],
)  # fmt: skip
def test_a_call_that_does_not_fit_says_what_would(call: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_defaults_are_what_the_signature_shows(function: str) -> None:
    call, arguments = FUNCTIONS[function]
    if function == "register_plugin":
        pytest.skip("it has no defaults")
    shown = {
        name: part.default for name, part in inspect.signature(call).parameters.items()
        if part.default is not part.empty and name not in arguments
    }  # fmt: skip

    def result(**options: Any) -> object:
        made = call(**arguments, **options)
        if function == "stream":
            return [(chunk.tolist(), rate) for chunk, rate in made]
        if function == "open":
            return made[:].tolist()
        return repr(made)

    assert result(**shown) == result()


@pytest.mark.parametrize("sr", [22_050, 22_050.0, np.int64(22_050), np.float32(22_050), np.uint16(22_050)])
def test_any_whole_number_is_a_rate(sr: Any, tmp_path: Path) -> None:
    expected, rate = mw.load(corpus.PCM16, sr=22_050)
    for array, got in (mw.load(corpus.PCM16, sr=sr), *mw.batch_load([corpus.PCM16], sr=sr)):
        assert (got, type(got)) == (rate, int)
        np.testing.assert_array_equal(array, expected)
    assert next(mw.stream(corpus.PCM16, 9, sr=sr))[1] == rate
    with mw.open(corpus.PCM16, sr=sr) as reader:
        assert reader.sample_rate == rate
    np.testing.assert_array_equal(mw.resample(AUDIO, 44_100.0, sr), mw.resample(AUDIO, 44_100, 22_050))
    path = tmp_path / "a.wav"
    mapwave.save(path, AUDIO, sr)
    assert soundfile.info(path).samplerate == rate
    with mapwave.open(path, "w", sr=sr, channels=2) as file:
        file.write(AUDIO)
    assert soundfile.info(path).samplerate == rate


DTYPES = [
    (np.float32, "float32"), (np.dtype("int16"), "int16"), (np.float16, "float16"), (np.dtype(np.float64), "float64"),
    (jnp.float32, "float32"), (jnp.int16, "int16"), (mx.float16, "float16"), (mx.int32, "int32"),
    ("FLOAT32", "float32"), (np.str_("int32"), "int32"),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "name"), DTYPES, ids=str)
def test_a_librarys_own_dtype_is_taken(dtype: object, name: str) -> None:
    expected = mw.load(corpus.PCM16, dtype=name)[0]
    for array in (
        mw.load(corpus.PCM16, dtype=dtype)[0],
        mw.batch_load([corpus.PCM16], dtype=dtype)[0][0],
        next(mw.stream(corpus.PCM16, 10_000, dtype=dtype))[0],
        mw.open(corpus.PCM16, dtype=dtype)[:],
    ):
        assert array.dtype == name
        np.testing.assert_array_equal(array, expected)
    assert mw.resample(AUDIO, 48_000, 44_100, dtype=dtype).dtype == name


@pytest.mark.parametrize("dtype", [mx.bfloat16, jnp.bfloat16, ml_dtypes.bfloat16, "BFloat16"])
def test_bfloat16_of_any_library_is_taken(dtype: object) -> None:
    assert mapwave.load(corpus.PCM16, dtype=dtype)[0].dtype == mx.bfloat16


def test_a_dtype_of_torch_is_taken() -> None:
    torch = pytest.importorskip("torch")
    assert mapwave.load(corpus.PCM16, dtype=torch.bfloat16)[0].dtype == mx.bfloat16
    assert mw.load(corpus.PCM16, dtype=torch.int16)[0].dtype == np.int16


@pytest.mark.parametrize("dtype", [np.complex64, mx.uint8, np.dtype("int64"), float, "float"])
def test_a_dtype_that_there_is_not_is_refused(dtype: object) -> None:
    with pytest.raises(ValueError, match="dtype must be one of 'float32', .*, got "):
        mw.load(corpus.PCM16, dtype=dtype)


def test_a_dtype_of_another_byte_order_is_refused() -> None:
    with pytest.raises(TypeError, match="dtype must be one of"):
        mw.load(corpus.PCM16, dtype=np.dtype(np.float32).newbyteorder("S"))


@pytest.mark.parametrize(
    "options",
    [
        {"mono": True, "mono_mode": "Equal_Power"}, {"layout": "CHANNELS_FIRST"}, {"dtype": "INT16"},
        {"sr": 16_000, "resample_quality": "Best"}, {"sr": 16_000, "resample_quality": " best"},
    ],
)  # fmt: skip
def test_words_are_taken_in_any_case(options: dict[str, Any]) -> None:
    lower = {name: value.strip().lower() if isinstance(value, str) else value for name, value in options.items()}
    np.testing.assert_array_equal(mw.load(corpus.PCM16, **options)[0], mw.load(corpus.PCM16, **lower)[0])


@pytest.mark.parametrize(
    ("encoding", "subtype"),
    [
        ("PCM_16", "PCM_16"), ("pcm_s16le", "PCM_16"), ("int16", "PCM_16"), ("s16", "PCM_16"), (np.int16, "PCM_16"),
        (np.dtype("int32"), "PCM_32"), ("PCM_24", "PCM_24"), ("pcm_s24le", "PCM_24"), ("s32", "PCM_32"),
        ("FLOAT", "FLOAT"), ("f32", "FLOAT"), ("pcm_f32le", "FLOAT"), (np.float64, "DOUBLE"), ("DOUBLE", "DOUBLE"),
        ("PCM_U8", "PCM_U8"), ("uint8", "PCM_U8"), ("ULAW", "ULAW"), ("pcm_mulaw", "ULAW"), ("ALAW", "ALAW"),
        ("PCM24", "PCM_24"),
    ],
)  # fmt: skip
def test_encodings_are_spelled_as_people_do(tmp_path: Path, encoding: Any, subtype: str) -> None:
    path = tmp_path / "a.wav"
    mapwave.save(path, AUDIO, 48_000, encoding=encoding)
    assert soundfile.info(path).subtype == subtype
    facts = mapwave.info(path)
    for again in (facts.subtype, facts.codec):
        mapwave.save(path, AUDIO, 48_000, encoding=again)
        assert soundfile.info(path).subtype == subtype


@pytest.mark.parametrize("encoding", ["libmp3lame", "MP3", "MPEG_LAYER_III"])
def test_codecs_are_spelled_as_people_do(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.mp3"
    mapwave.save(path, AUDIO, 48_000, encoding=encoding)
    assert mapwave.info(path).codec == "mp3"


EXTENSIONS = ("mka", "mkv", "webm", "ogg", "m4a", "wv", "flac", "mp3", "wav", "aiff", "caf", "w64")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_container_can_be_saved_at_44100_hz_without_a_choice(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"x.{extension}"
    try:
        mapwave.save(path, AUDIO, 44_100)
    except mapwave.UnsupportedFormat as error:
        if "libav" in {plugin.id for plugin in mapwave.plugins()}:
            raise
        pytest.skip(f"FFmpeg is not there: {error}")
    assert mapwave.info(path).sample_rate == 44_100


@pytest.mark.parametrize("durable", [None, True, False])
def test_a_file_is_complete_whether_it_is_durable_or_not(tmp_path: Path, durable: bool | None) -> None:
    assert inspect.signature(mapwave.save).parameters["durable"].default is False
    assert inspect.signature(mapwave.open).parameters["durable"].default is False
    options = {} if durable is None else {"durable": durable}
    path = tmp_path / "a.wav"
    mapwave.save(path, AUDIO, 48_000, **options)
    with mapwave.open(tmp_path / "b.wav", "w", sr=48_000, channels=2, **options) as file:
        file.write(AUDIO)
    for written in (path, tmp_path / "b.wav"):
        np.testing.assert_array_equal(soundfile.read(written, dtype="float32")[0], AUDIO)
