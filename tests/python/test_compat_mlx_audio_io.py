"""mapwave.compat.mlx_audio_io: that package's words where mapwave's differ, and the package itself where installed."""

from __future__ import annotations

import inspect
import threading
from pathlib import Path
from typing import Any

import corpus
import mapwave
import mlx.core as mx
import numpy as np
import pytest
import soundfile
from mapwave.compat import mlx_audio_io as aio

MP3 = corpus.FIXTURES / "compressed" / "mp3-lame.mp3"

#: The keys of what mlx-audio-io 1.3.24 returns, by its documentation.
BUILD_INFO = {
    "package_version", "native_path", "native_path_error", "build_os_name", "build_os_version",
    "build_deployment_target", "build_arch", "build_python_tag", "build_mlx_version", "build_wheel_version",
    "runtime_os_name", "runtime_os_version", "runtime_arch", "runtime_python_tag", "runtime_mlx_version",
    "native_extension_python_tag", "arch_matches", "python_tag_matches", "mlx_version_matches",
}  # fmt: skip


@pytest.fixture
def their() -> Any:
    return pytest.importorskip("mlx_audio_io", reason="mlx-audio-io is not installed")


@pytest.mark.parametrize(
    "name",
    ["load", "info", "stream", "batch_load", "resample", "save", "prepare_save", "save_prepared", "show_build_info"],
)
def test_signatures_are_the_same(their: Any, name: str) -> None:
    ours, theirs = inspect.signature(getattr(aio, name)), inspect.signature(getattr(their, name))
    assert [(one.name, one.default) for one in ours.parameters.values()] == [
        (one.name, one.default) for one in theirs.parameters.values()
    ]


def test_the_names_are_the_same(their: Any) -> None:
    assert set(aio.__all__) == set(their.__all__)
    assert set(their.show_build_info()) == BUILD_INFO


@pytest.mark.parametrize(
    "name", ["wav-pcm16.wav", "wav-float32.wav", "wav-pcm24.wav", "aiff-pcm16.aiff", "caf-be16.caf"]
)
@pytest.mark.parametrize(
    "arguments", [{}, {"offset": 0.002}, {"mono": True, "layout": "channels_first"}, {"offset": 9.0}], ids=str
)
def test_arrays_are_the_same(their: Any, name: str, arguments: dict[str, Any]) -> None:
    path = corpus.FIXTURES / "valid" / name
    (ours, our_rate), (theirs, their_rate) = aio.load(path, **arguments), their.load(path, **arguments)
    assert (our_rate, ours.shape, ours.dtype) == (their_rate, theirs.shape, theirs.dtype)
    assert np.array_equal(np.array(ours), np.array(theirs))
    for fact in ["frames", "sample_rate", "channels", "subtype", "container"]:
        assert getattr(aio.info(path), fact) == getattr(their.info(path), fact)


@pytest.mark.parametrize("sr", [None, 8000, 48_000])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_an_offset_past_the_end_gives_nothing(sr: int | None, layout: str, dtype: str) -> None:
    audio, rate = aio.load(corpus.PCM16, sr=sr, offset=99.0, duration=1.0, layout=layout, dtype=dtype)
    assert (audio.shape, str(audio.dtype)) == ((0, 2) if layout == "channels_last" else (2, 0), f"mlx.core.{dtype}")
    assert rate == (sr or mapwave.info(corpus.PCM16).sample_rate)
    stream = aio.stream(corpus.PCM16, chunk_frames=9, sr=sr, offset=99.0)
    assert (stream.at_eof(), list(stream), stream.frames_read) == (True, [], 0)


def test_an_offset_inside_is_that_of_mapwave() -> None:
    whole = mapwave.info(corpus.PCM16)
    for offset in [0.0, whole.duration / 2, whole.duration]:
        expected, _ = mapwave.load(corpus.PCM16, offset=offset)
        assert np.array_equal(np.array(aio.load(corpus.PCM16, offset=offset)[0]), np.array(expected))
    with pytest.raises(ValueError):
        aio.load(corpus.PCM16, offset=-1.0)


@pytest.mark.parametrize("quality", ["fastest", "best", "high"])
def test_the_environment_chooses_the_quality(monkeypatch: pytest.MonkeyPatch, quality: str) -> None:
    expected, _ = mapwave.load(corpus.RECORDING, sr=16_000, resample_quality=quality)
    monkeypatch.setenv("MLX_AUDIO_IO_RESAMPLE_QUALITY", quality)
    assert np.array_equal(np.array(aio.load(corpus.RECORDING, sr=16_000)[0]), np.array(expected))
    (batch, _), *_ = aio.batch_load([corpus.RECORDING], sr=16_000, resample_quality="low")
    assert np.array_equal(np.array(batch), np.array(expected))
    monkeypatch.setenv("MLX_AUDIO_IO_RESAMPLE_QUALITY", "wrong")
    with pytest.raises(ValueError, match="Invalid resample quality 'wrong'"):
        aio.load(corpus.RECORDING, sr=16_000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aio.load(corpus.PCM16, dtype="int16"), "Unsupported dtype"),
        (lambda: aio.load(corpus.PCM16, sr=0), "sr must be > 0"),
        (lambda: aio.load(corpus.PCM16, mono_mode="sum"), "mono_mode"),
        (lambda: aio.load(corpus.PCM16, sr=8000, resample_quality="torchaudio_compat"), "removed"),
        (lambda: aio.load(corpus.PCM16, sr=8000, low_memory=True, resample_quality="best"), "soxr"),
        (lambda: aio.stream(corpus.PCM16), "Exactly one"),
        (lambda: aio.resample(mx.zeros(9, mx.int16), 8000, 16_000), "float32 or float16"),
        (lambda: aio.prepare_save(mx.zeros((2, 2, 2))), "1D or 2D"),
        (lambda: aio.prepare_save(mx.zeros(4), layout="interleaved"), "layout"),
        (lambda: aio.save("a.ogg", mx.zeros(9), 8000), "Unsupported output format"),
        (lambda: aio.save("a.wav", mx.zeros(9), 0), "sr must be > 0"),
        (lambda: aio.save("a.wav", mx.zeros(9), 8000, encoding="alac"), "Unsupported encoding"),
        (lambda: aio.save("a.wav", mx.zeros(9), 8000, bitrate="128k"), "bitrate is only supported"),
        (lambda: aio.save("a.flac", mx.zeros(9), 8000, bitrate="128k"), "bitrate is not supported"),
        (lambda: aio.save("a.mp3", mx.zeros(9), 8000, bitrate="1k"), "Invalid bitrate"),
        (lambda: aio.save("a.flac", mx.zeros(9), 8000, flac_compression="slow"), "flac_compression"),
    ],
)
def test_what_is_rejected_and_how(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("name", "encoding", "subtype"), [
    ("a.wav", "float32", "FLOAT"), ("a.wav", "pcm16", "PCM_16"), ("a.aiff", "pcm24", "PCM_24"),
    ("a.flac", "pcm16", "PCM_16"), ("a.flac", "float32", "PCM_24"), ("a.mp3", "pcm16", "MPEG_LAYER_III"),
])  # fmt: skip
@pytest.mark.parametrize("clip", [True, False])
def test_saves_hold_what_was_given(tmp_path: Path, name: str, encoding: str, subtype: str, clip: bool) -> None:
    audio = mx.array(np.random.default_rng(1).uniform(-1.5, 1.5, (2, 4000)).astype(np.float32))
    aio.save(tmp_path / name, audio[:, ::-1], 44_100, encoding=encoding, clip=clip, flac_compression="fast")
    facts = soundfile.info(tmp_path / name)
    assert (facts.samplerate, facts.channels, facts.subtype) == (44_100, 2, subtype)
    if name != "a.mp3":
        written, _ = soundfile.read(tmp_path / name)
        expected = np.array(audio)[:, ::-1].T
        expected = expected if not clip and subtype == "FLOAT" else np.clip(expected, -1, 1)
        assert np.abs(written - expected).max() <= {"FLOAT": 0, "PCM_24": 2**-23}.get(subtype, 2**-15)


def test_prepared_audio_is_saved_by_any_thread_and_keeps_its_array(tmp_path: Path) -> None:
    prepared = aio.PreparedAudio(mx.array(np.eye(3, 20, dtype=np.float32)).astype(mx.float16), "auto")
    assert (prepared.shape, prepared.layout) == ((3, 20), "channels_first")
    thread = threading.Thread(target=aio.save_prepared, args=(tmp_path / "a.wav", prepared, 8000))
    thread.start()
    thread.join()
    assert np.array_equal(soundfile.read(tmp_path / "a.wav")[0], np.eye(20, 3))
    with pytest.raises(TypeError, match="prepare_save"):
        aio.save_prepared(tmp_path / "b.wav", mx.zeros(9), 8000)  # type: ignore[arg-type]


def test_resample_returns_float32_of_the_same_axes() -> None:
    audio = mx.random.uniform(shape=(2, 1000)).astype(mx.float16)
    planar = aio.resample(audio, 8000, 16_000, layout="channels_first")
    assert (planar.shape, planar.dtype) == ((2, 2000), mx.float32)
    assert aio.resample(audio[0], 8000, 4000).shape == (500,)
    frames = aio.resample(audio.T, 8000, 16_000)
    assert np.array_equal(np.array(frames.T), np.array(planar))


def test_info_and_build_info_have_the_keys_of_the_package() -> None:
    info = aio.info(MP3)
    assert repr(info).startswith("AudioInfo(frames=") and (info.container, info.subtype) == ("mp3", "mp3")
    assert aio.info(corpus.FIXTURES / "valid" / "wav-u8-mono.wav").subtype == "pcm8"
    assert set(aio.show_build_info()) == BUILD_INFO
    assert aio.show_build_info()["runtime_mlx_version"] == mx.__version__
    assert isinstance(aio.stream(MP3, chunk_frames=9), aio.AudioStreamReader)
