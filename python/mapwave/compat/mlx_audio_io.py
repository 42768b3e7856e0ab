"""The interface of mlx-audio-io over mapwave: ``from mapwave.compat import mlx_audio_io as aio``.

mapwave has the same functions and arguments. This module also has that package's words where mapwave's differ: its
checks and messages, an empty array for an offset past the end, ``MLX_AUDIO_IO_RESAMPLE_QUALITY``,
``PreparedAudio(audio, layout)``, and the keys of ``show_build_info``. docs/migrate/from-mlx-audio-io.md lists what
remains different.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import mlx.core as mx

import mapwave

from .._core import Stream as AudioStreamReader

__all__ = [
    "AudioInfo",
    "AudioStreamReader",
    "PreparedAudio",
    "__version__",
    "batch_load",
    "info",
    "load",
    "prepare_save",
    "resample",
    "save",
    "save_prepared",
    "show_build_info",
    "stream",
    "supports_soxr",
]

#: The version of mlx-audio-io whose behaviour this module has.
__version__ = "1.3.24"

_QUALITIES = ("default", "fastest", "low", "medium", "high", "best", "soxr_hq", "soxr_vhq")
_ALIASES = {"soxr_style": "soxr_hq", "soxr_compat": "soxr_hq"}
_LAYOUTS = ("auto", "channels_first", "channels_last")
_MONO_MODES = ("equal_power", "mean")

#: What each kind of file can hold.
_ENCODINGS = {
    ".wav": ("float32", "pcm16", "pcm24"),
    ".flac": ("float32", "pcm16", "pcm24"),
    ".aiff": ("float32", "pcm16", "pcm24"),
    ".aif": ("float32", "pcm16", "pcm24"),
    ".caf": ("float32", "pcm16", "pcm24"),
    ".mp3": ("float32", "pcm16"),
    ".m4a": ("float32", "pcm16", "alac"),
}
_BITRATES = ("auto", "128k", "192k", "256k", "320k")


@dataclass(frozen=True)
class AudioInfo:
    """What a file says about its audio."""

    frames: int
    sample_rate: int
    channels: int
    duration: float
    subtype: str
    container: str


def load(
    path: Any,
    sr: int | None = None,
    offset: float = 0.0,
    duration: float | None = None,
    mono: bool = False,
    mono_mode: str = "mean",
    layout: str = "channels_last",
    dtype: str = "float32",
    resample_quality: str = "default",
    low_memory: bool = False,
    squeeze_mono: bool = False,
) -> tuple[mx.array, int]:
    """Loads a file, or a part of it, as an array of shape (frames, channels); an empty one past its end."""
    quality = _chosen_quality(resample_quality, sr)
    if low_memory and sr is not None and quality not in ("default", "soxr_hq", "soxr_vhq"):
        raise ValueError(f"low_memory=True only supports soxr quality modes, got resample_quality={resample_quality!r}")
    _check_reading(sr, dtype)
    options: dict[str, Any] = {
        "sr": sr,
        "mono": mono,
        "mono_mode": _word("mono_mode", mono_mode, _MONO_MODES),
        "layout": layout,
        "dtype": dtype,
        "resample_quality": quality,
        "squeeze_mono": squeeze_mono,
    }
    path = os.fspath(path)
    if past_the_end(path, offset):
        return mapwave.load(path, start=_num_frames(path, sr, quality), **options)
    return mapwave.load(path, offset=offset, duration=duration, **options)


def info(path: Any) -> AudioInfo:
    """Describes a file."""
    facts = mapwave.info(os.fspath(path))
    subtype = {"pcm_u8": "pcm8", "pcm_s8": "pcm8"}.get(facts.subtype, facts.subtype)
    container = "m4a" if facts.container == "mp4" else facts.container
    return AudioInfo(facts.frames, facts.sample_rate, facts.channels, facts.duration, subtype, container)


def stream(
    path: Any,
    chunk_frames: int | None = None,
    chunk_duration: float | None = None,
    sr: int | None = None,
    mono: bool = False,
    mono_mode: str = "mean",
    dtype: str = "float32",
    offset: float = 0.0,
    duration: float | None = None,
    squeeze_mono: bool = False,
) -> AudioStreamReader[mx.array]:
    """Reads a file in chunks of shape (frames, channels)."""
    if (chunk_frames is None) == (chunk_duration is None):
        raise ValueError("Exactly one of chunk_frames or chunk_duration must be specified.")
    _check_reading(sr, dtype)
    path = os.fspath(path)
    window: dict[str, Any] = {"offset": offset, "duration": duration}
    if past_the_end(path, offset):
        window = {"start": _num_frames(path, sr, "default")}
    options: dict[str, Any] = {
        "sr": sr,
        "mono": mono,
        "mono_mode": _word("mono_mode", mono_mode, _MONO_MODES),
        "dtype": dtype,
        "squeeze_mono": squeeze_mono,
    }
    return mapwave.stream(path, chunk_frames=chunk_frames, chunk_duration=chunk_duration, **window, **options)


def batch_load(
    paths: Iterable[Any],
    sr: int | None = None,
    mono: bool = False,
    mono_mode: str = "mean",
    layout: str = "channels_last",
    dtype: str = "float32",
    resample_quality: str = "default",
    squeeze_mono: bool = False,
    num_workers: int = 4,
) -> list[tuple[mx.array, int]]:
    """Loads many files at once, in their order."""
    _check_reading(sr, dtype)
    options: dict[str, Any] = {
        "mono_mode": _word("mono_mode", mono_mode, _MONO_MODES),
        "layout": layout,
        "dtype": dtype,
        "resample_quality": _chosen_quality(resample_quality, sr),
    }
    loaded: list[tuple[mx.array, int]] = mapwave.batch_load(
        [os.fspath(path) for path in paths],
        sr=sr,
        mono=mono,
        squeeze_mono=squeeze_mono,
        num_workers=num_workers,
        **options,
    )
    return loaded


def resample(audio: Any, in_sr: int, out_sr: int, quality: str = "default", layout: str = "channels_last") -> mx.array:
    """Resamples an array of float32 or float16; the result is float32."""
    options: dict[str, Any] = {"quality": _known_quality(quality), "layout": _word("layout", layout, _LAYOUTS)}
    array = _checked(audio, "resample()")
    return mapwave.resample(array, in_sr, out_sr, dtype="float32", **options)


class PreparedAudio:
    """Evaluated samples that any thread can save, made by :func:`prepare_save` on the array library's thread."""

    __slots__ = ("_buffer", "_layout", "_prepared")

    def __init__(self, audio: Any, layout: str = "auto") -> None:
        audio = _checked(audio, "prepare_save()")
        if audio.ndim not in (1, 2):
            raise ValueError("prepare_save() requires 1D or 2D audio")
        self._layout: Any = _word("layout", layout, _LAYOUTS)
        if self._layout == "auto":
            is_planar = audio.ndim == 2 and audio.shape[0] <= 8 < audio.shape[1]
            self._layout = "channels_first" if is_planar else "channels_last"
        if audio.dtype == mx.float16:
            audio = audio.astype(mx.float32)
        mx.eval(audio)
        # The view keeps the array alive; what is saved is its memory, which no thread has to ask MLX for.
        self._buffer = memoryview(audio).toreadonly()
        self._prepared = mapwave.prepare_save(self._buffer, layout=self._layout)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(self._buffer.shape or ())

    @property
    def layout(self) -> str:
        """The order of its axes."""
        return str(self._layout)


def prepare_save(audio: Any, layout: str = "auto") -> PreparedAudio:
    """Evaluates samples and holds them for :func:`save_prepared`."""
    return PreparedAudio(audio, layout)


def save_prepared(
    path: Any,
    audio: PreparedAudio,
    sr: int,
    encoding: str = "float32",
    bitrate: str = "auto",
    clip: bool = True,
    flac_compression: str = "default",
) -> None:
    """Saves what :func:`prepare_save` returned."""
    if not isinstance(audio, PreparedAudio):
        raise TypeError("save_prepared() requires prepare_save() output")
    path = os.fspath(path)
    options = _options_of(path, sr, encoding, bitrate, clip, flac_compression)
    mapwave.save_prepared(path, audio._prepared, sr, **options)


def save(
    path: Any,
    audio: Any,
    sr: int,
    layout: str = "auto",
    encoding: str = "float32",
    bitrate: str = "auto",
    clip: bool = True,
    flac_compression: str = "default",
) -> None:
    """Saves an array of float32 or float16 to a WAV, MP3, FLAC, M4A, AIFF or CAF file."""
    save_prepared(path, prepare_save(audio, layout), sr, encoding, bitrate, clip, flac_compression)


def supports_soxr() -> bool:
    """Whether libsoxr can resample."""
    return mapwave.supports_soxr()


def show_build_info() -> dict[str, Any]:
    """The facts of this build and machine, by the keys of mlx-audio-io; None where mapwave's build has no such fact."""
    core = mapwave._core
    arch = str(core.build_info()["target"]).partition("-")[0]
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    is_mac = platform.system() == "Darwin"
    return {
        "package_version": mapwave.__version__,
        "native_path": core.__file__,
        "native_path_error": None,
        "build_os_name": platform.system(),
        "build_os_version": None,
        "build_deployment_target": None,
        "build_arch": arch,
        "build_python_tag": None,
        "build_mlx_version": None,
        "build_wheel_version": mapwave.__version__,
        "runtime_os_name": platform.system(),
        "runtime_os_version": platform.mac_ver()[0] if is_mac else platform.release(),
        "runtime_arch": platform.machine(),
        "runtime_python_tag": python,
        "runtime_mlx_version": metadata.version("mlx"),
        "native_extension_python_tag": "abi3",
        "arch_matches": {"arm64": "aarch64"}.get(platform.machine(), platform.machine()) == arch,
        "python_tag_matches": None,
        "mlx_version_matches": None,
    }


def past_the_end(path: Any, offset: float) -> bool:
    """Whether an offset lies past the end of a file, where mapwave raises an error and mlx-audio-io returns nothing."""
    return offset > 0 and offset > mapwave.info(path).duration


def _num_frames(path: Any, sr: int | None, quality: Any) -> int:
    with mapwave.open(path, sr=sr, resample_quality=quality) as reader:
        return len(reader)


def _as_mlx_array(audio: Any) -> mx.array:
    return audio if isinstance(audio, mx.array) else mx.asarray(audio)


def _checked(audio: Any, function: str) -> mx.array:
    array = _as_mlx_array(audio)
    if array.dtype not in (mx.float32, mx.float16):
        raise ValueError(f"{function} requires float32 or float16 audio, got {array.dtype}")
    return array


def _word(argument: str, value: Any, words: tuple[str, ...]) -> str:
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError(f"{argument} must be one of {list(words)}, got {value!r}")
    return word


def _check_reading(sr: int | None, dtype: str) -> None:
    if sr is not None and sr <= 0:
        raise ValueError(f"sr must be > 0, got {sr}")
    if dtype not in ("float32", "float16"):
        raise ValueError(f"Unsupported dtype {dtype!r}. Must be 'float32' or 'float16'.")


def _known_quality(quality: str) -> str:
    word = str(quality).strip().lower()
    word = _ALIASES.get(word, word)
    if word == "torchaudio_compat":
        raise ValueError("resample quality 'torchaudio_compat' has been removed; use 'soxr_hq' or 'default'.")
    if word not in _QUALITIES:
        raise ValueError(f"Invalid resample quality {quality!r}. Must be one of {sorted((*_QUALITIES, *_ALIASES))}.")
    if word.startswith("soxr") and not supports_soxr():
        raise RuntimeError(f"quality={word!r} requested but mapwave is running without libsoxr support")
    return word


def _chosen_quality(quality: str, sr: int | None) -> str:
    """The quality that the environment names, or the one that was passed."""
    word = _known_quality(quality)
    if wanted := os.environ.get("MLX_AUDIO_IO_RESAMPLE_QUALITY"):
        return _known_quality(wanted)
    wants_soxr = os.environ.get("MLX_AUDIO_IO_SOXR_DEFAULT", "").strip().lower() in ("1", "true", "yes")
    return "soxr_vhq" if word == "default" and sr is not None and wants_soxr and supports_soxr() else word


def _options_of(path: str, sr: int, encoding: str, bitrate: str, clip: bool, flac_compression: str) -> dict[str, Any]:
    """The arguments of a save, checked as mlx-audio-io does, in mapwave's words."""
    kind = os.path.splitext(path)[1].lower()
    if sr <= 0:
        raise ValueError(f"sr must be > 0, got {sr}")
    if kind not in _ENCODINGS:
        raise ValueError(f"Unsupported output format {kind!r}. Supported formats: {', '.join(_ENCODINGS)}")
    if flac_compression not in ("default", "fast"):
        raise ValueError(f"flac_compression must be 'default' or 'fast', got {flac_compression!r}")
    encoding = "float32" if encoding == "auto" else encoding
    if encoding not in _ENCODINGS[kind]:
        raise ValueError(f"Unsupported encoding {encoding!r} for {kind}. Use one of {list(_ENCODINGS[kind])}.")
    is_lossy = kind in (".mp3", ".m4a")
    if bitrate != "auto":
        if kind == ".wav":
            raise ValueError("bitrate is only supported for encoded formats, not WAV")
        if not is_lossy:
            raise ValueError(f"bitrate is not supported for {kind}")
        if encoding == "alac":
            raise ValueError("bitrate is not supported when encoding='alac' for .m4a")
    if bitrate not in _BITRATES:
        raise ValueError(f"Invalid bitrate/subtype {bitrate!r} for {kind}. Use one of {list(_BITRATES)}.")
    options: dict[str, Any] = {"encoding": encoding, "bitrate": bitrate}
    if is_lossy and encoding != "alac":
        options["encoding"] = {".mp3": "mp3", ".m4a": "aac"}[kind]
    if encoding == "alac":
        options["bit_depth"] = 16
    if kind == ".flac":
        options |= {"encoding": "flac", "bit_depth": 16 if encoding == "pcm16" else 24}
        options["flac_compression"] = flac_compression
    # Its integers saturate in any case; mapwave would reject the samples.
    holds_floats = kind not in (".flac", ".mp3", ".m4a") and encoding == "float32"
    return {**options, "clip": clip or not holds_floats}
