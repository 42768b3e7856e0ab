"""What the stubs say that the built module cannot: the types, the overloads, and Python's own protocols.

A name of an argument has one type in all functions; ``Class.method.argument`` is for one that has another.
"""

from __future__ import annotations

HEAD = """
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar, final, overload

from .errors import AudioError
from .types import (
    Bitrate,
    Dither,
    Dtype,
    DtypeLike,
    Encoding,
    FlacCompression,
    Layout,
    MonoMode,
    ResampleQuality,
    SampleRate,
    SaveLayout,
    Source,
    Target,
)

Array = TypeVar("Array")
"""

#: The classes, in the order of the stubs, each with the lines for the methods that have no text signature of use.
CLASSES: dict[str, str] = {
    "AudioInfo": """
        __hash__: None  # type: ignore[assignment]
    """,
    "Track": "",
    "Picture": "",
    "Marker": "",
    "Loop": "",
    "Bext": """
        __hash__: None  # type: ignore[assignment]
    """,
    "Loudness": "",
    "Plot": "",
    "Frames": """
        def __len__(self) -> int: ...
        def __buffer__(self, flags: int, /) -> memoryview: ...  # the buffer protocol, from Python 3.12 on
    """,
    "Stream": """
        def __iter__(self) -> Self: ...
        def __next__(self) -> tuple[Array, int]: ...
    """,
    "Blocks": """
        def __iter__(self) -> Self: ...
        def __next__(self) -> Array: ...
    """,
    "Loading": """
        def __iter__(self) -> Self: ...
        def __next__(self) -> tuple[int, Array, int]: ...
    """,
    "Batches": "",
    "Decoding": "",
    "Reader": """
        def __getitem__(self, key: slice, /) -> Array: ...
        def __len__(self) -> int: ...
        def __enter__(self) -> Self: ...
        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
            /,
        ) -> None: ...
    """,
    "Api": """
        def __new__(cls, import_: Callable[[], Any], /, module: str) -> Self: ...
    """,
    "Cancellation": """
        def __new__(cls) -> Self: ...
        def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...
    """,
    "PreparedAudio": "",
    "Writer": """
        def __enter__(self) -> Self: ...
        def __exit__(
            self,
            kind: type[BaseException] | None,
            value: BaseException | None,
            traceback: TracebackType | None,
            /,
        ) -> None: ...
    """,
    "Plugin": "",
    "PluginDirectory": "",
    "Limits": """
        def __enter__(self) -> Self: ...
        def __exit__(
            self,
            kind: type[BaseException] | None,
            value: BaseException | None,
            traceback: TracebackType | None,
            /,
        ) -> None: ...
    """,
}

#: What the package has that is written in Python, with the modules; a Loader is one for each array library.
IN_PYTHON = {
    "Encoder": "_push",
    "Index": "_index",
    "Row": "_index",
    "Window": "_index",
    "Windows": "_index",
    "Loader": "_loader",
}

GENERIC = {"Api", "Batches", "Blocks", "Decoding", "Loading", "Reader", "Stream"}

#: The types of the properties, in the order of the stubs; those of AudioInfo are its own annotations.
PROPERTIES: dict[str, str] = {
    "Frames.shape": "tuple[int, ...]",
    "Frames.dtype": "Dtype",
    "Frames.nbytes": "int",
    "Frames.readonly": "bool",
    "Stream.chunk_frames": "int",
    "Stream.sample_rate": "int",
    "Stream.channels": "int",
    "Stream.frames_read": "int",
    "Plot.width": "int",
    "Plot.height": "int",
    "Decoding.sample_rate": "int | None",
    "Decoding.channels": "int | None",
    "Decoding.frames_read": "int",
    "Reader.frames": "int",
    "Reader.sample_rate": "int",
    "Reader.channels": "int",
    "Reader.duration": "float",
    "Reader.closed": "bool",
    "PreparedAudio.shape": "tuple[int, ...]",
    "PreparedAudio.dtype": "Dtype",
    "PreparedAudio.layout": "Layout",
    "PreparedAudio.strides": "tuple[int, ...]",
    "PreparedAudio.n_bytes": "int",
    "PreparedAudio.frames": "int",
    "PreparedAudio.channels": "int",
    "Writer.sample_rate": "int",
    "Writer.channels": "int",
    "Writer.frames_written": "int",
    "Writer.closed": "bool",
    "Plugin.id": "str",
    "Plugin.loaded": "bool",
    "Plugin.refused": "str | None",
    "Plugin.origin": 'Literal["registered", "environment", "user", "embedded", "bundled", "system"]',
    "Plugin.path": "Path | None",
    "Plugin.version": "str",
    "Plugin.vendor": "str",
    "Plugin.license": "str",
    "Plugin.dependencies": "str",
    "Plugin.decodes": "list[str]",
    "Plugin.encodes": "list[str]",
    "Plugin.extensions": "list[str]",
    "Plugin.resamples": "list[str]",
    "Limits.max_frames": "int | float | None",
    "Limits.max_bytes": "int | float | None",
    "Limits.max_seconds": "float | None",
    "PluginDirectory.path": "Path",
    "PluginDirectory.origin": 'Literal["environment", "user", "bundled", "system"]',
    "PluginDirectory.exists": "bool",
    "PluginDirectory.refused": "str | None",
}

#: What the functions return; the methods of a class stand in its stub in this order.
RETURNS: dict[str, str] = {
    "AudioInfo.asdict": "dict[str, Any]",
    "AudioInfo._repr_html_": "str",
    "Track.asdict": "dict[str, Any]",
    "Picture.asdict": "dict[str, Any]",
    "Marker.asdict": "dict[str, Any]",
    "Loop.asdict": "dict[str, Any]",
    "Bext.asdict": "dict[str, Any]",
    "Loudness.asdict": "dict[str, Any]",
    "Loudness.gain_to": "float",
    "Plot.svg": "str",
    "Plot.png": "bytes",
    "Plot.save": "None",
    "Plot._repr_svg_": "str",
    "Frames.pages": "Frames | None",
    "Frames.__dlpack__": "Any",
    "Frames.__dlpack_device__": "tuple[int, int]",
    "Stream.read_chunk": "tuple[Array, int]",
    "Stream.at_eof": "bool",
    "Decoding.write": "Array | None",
    "Decoding.finish": "Array | None",
    "Loading.close": "None",
    "Batches.submit": "None",
    "Batches.take": "tuple[Array, Array, list[tuple[int, AudioError]]]",
    "Batches.close": "None",
    "Reader.read": "Array",
    "Reader.seek": "int",
    "Reader.tell": "int",
    "Reader.seek_table": "bytes | None",
    "Reader.blocks": "Blocks[Array]",
    "Reader.view": "Frames",
    "Reader.info": "AudioInfo",
    "Reader.close": "None",
    "Reader._repr_html_": "str",
    "Api.load": "tuple[Array, int]",
    "Api.info": "AudioInfo",
    "Api.stream": "Stream[Array]",
    "Api.batch_load": "list[tuple[Array, int]] | list[tuple[Array, int] | None] | tuple[Array, Array, int]",
    "Api.iter_load": "Loading[Array]",
    "Api.batches": "Batches[Array]",
    "Api.resample": "Array",
    "Api.open": "Reader[Array] | Writer",
    "Api.Decoder": "Decoding[Array]",
    "Writer.write": "None",
    "Writer.close": "None",
    "Writer.abort": "None",
    "defaults": "dict[str, str]",
    "limits": "Limits",
    "supports_soxr": "bool",
    "loudness": "Loudness",
    "plot": "Plot",
    "silences": "list[tuple[int, int]]",
    "plugins": "list[Plugin]",
    "plugin_directories": "list[PluginDirectory]",
    "register_plugin": "Plugin",
    "prepare_save": "PreparedAudio",
    "retag": "bool",
    "save": "None",
    "save_prepared": "None",
    "set_up_plugins": "None",
    "try_plugin": "int",
    "run_command": "int | tuple[str, str]",
    "api_of": "Api[Any]",
    "members": "list[tuple[str, int, int]]",
    "reopen": "Reader[Any]",
    "scan": "list[tuple[Any, ...] | None]",
    "Cancellation.cancel": "None",
    "build_info": "dict[str, Any]",
    "check_interpreter": "None",
    "zeros": "Frames",
}

ARGUMENTS: dict[str, str] = {
    "again": "Sequence[str]",
    "args": "Sequence[str]",
    "audio": "object",
    "bext": "Bext | dict[str, Any] | None",
    "bit_depth": "int | None",
    "bitrate": "Bitrate",
    "bundled": "str | PathLike[str]",
    "channel_mask": "int | None",
    "channels": "int | Sequence[int] | None",
    "checker": "Sequence[str]",
    "chunk": "object",
    "chunk_duration": "float | None",
    "chunk_frames": "int | None",
    "clip": 'bool | Literal["rescale"]',
    "copy": "bool | None",
    "data": "bytes | bytearray | memoryview",
    "dither": "Dither",
    "dl_device": "tuple[int, int] | None",
    "dtype": "DtypeLike",
    "durable": "bool",
    "duration": "float | None",
    "effort": "int | None",
    "encoding": "Encoding",
    "flac_compression": "FlacCompression",
    "files": "Sequence[tuple[str, tuple[int, int, str] | None, tuple[int, int] | None]]",
    "format": "str | None",
    "frame": "int",
    "height": "int | None",
    "in_sr": "SampleRate",
    "kind": 'Literal["waveform", "spectrogram", "both"]',
    "layout": "Layout",
    "leaves_out": "bool",
    "loudness": "float | None",
    "low_memory": "bool",
    "max_bytes": "float | None",
    "max_frames": "float | None",
    "max_seconds": "float | None",
    "max_version": "tuple[int, int] | None",
    "module": "str",
    "min_duration": "float",
    "mono": "bool",
    "mono_mode": "MonoMode",
    "num_channels": "int | None",
    "num_frames": "int",
    "num_workers": "int",
    "on_error": 'Literal["raise", "skip"] | Callable[[AudioError], object]',
    "on_unknown_tags": 'Literal["error", "drop"]',
    "options": "dict[str, Any]",
    "ordered": "bool",
    "pad": "float",
    "position": "int",
    "prefetch": "int | None",
    "markers": "Sequence[Marker | tuple[str, int] | tuple[str, int, int | None]] | None",
    "offset": "float",
    "out": "str | PathLike[str] | None",
    "out_sr": "SampleRate",
    "overlap": "int",
    "path": "Source",
    "pictures": "Sequence[Picture | bytes | str | PathLike[str]] | None",
    "paths": "Iterable[Source]",
    "plugin": "str | None",
    "plugin_options": "dict[str, str | int | float] | None",
    "prepared": "PreparedAudio",
    "progress": "bool | Callable[[int, int], object] | None",
    "quality": "int | None",
    "reads_ahead": "bool",
    "resample_quality": "ResampleQuality",
    "seed": "int",
    "seek_table": "bytes | None",
    "shape": "Sequence[int]",
    "size": "int",
    "source": "Source | Reader[Any] | object",
    "squeeze_mono": "bool",
    "stack": "bool",
    "sr": "SampleRate | None",
    "start": "int | None",
    "storage_options": "dict[str, Any] | None",
    "stop": "int | None",
    "stream": "Any",
    "tags": "dict[str, str | int] | None",
    "theme": 'Literal["auto", "light", "dark", "page"]',
    "threshold_db": "float",
    "threads": "int | None",
    "title": "str | None",
    "track": "int | None",
    "true_peak": "float",
    "whence": "int",
    "width": "int",
    "with_tables": "bool",
    "windows": "Sequence[tuple[Any, ...]]",
    # Where they are others.
    "Api.batch_load.duration": "float | Sequence[float | None] | None",
    "Api.batch_load.offset": "float | Sequence[float]",
    "Api.batch_load.start": "int | Sequence[int | None] | None",
    "Api.batch_load.stop": "int | Sequence[int | None] | None",
    "Api.iter_load.duration": "float | Sequence[float | None] | None",
    "Api.iter_load.offset": "float | Sequence[float]",
    "Api.iter_load.start": "int | Sequence[int | None] | None",
    "Api.iter_load.stop": "int | Sequence[int | None] | None",
    "Api.resample.dtype": "DtypeLike | None",
    "Api.resample.layout": "SaveLayout",
    "Api.resample.quality": "ResampleQuality",
    "Loudness.gain_to.loudness": "float",
    "limits.max_bytes": 'float | Literal["default"] | None',
    "limits.max_frames": 'float | Literal["default"] | None',
    "limits.max_seconds": 'float | Literal["default"] | None',
    "defaults.resample_quality": "ResampleQuality | None",
    "loudness.layout": "SaveLayout",
    "loudness.sr": "SampleRate | None",
    "plot.layout": "SaveLayout",
    "plot.sr": "SampleRate | None",
    "prepare_save.layout": "SaveLayout",
    "Plot.save.path": "str | PathLike[str]",
    "register_plugin.path": "str | PathLike[str]",
    "retag.bext": "Bext | dict[str, Any] | Literal[False] | None",
    "retag.path": "str | PathLike[str]",
    "save.layout": "SaveLayout",
    "save.path": "Target",
    "save.sr": "SampleRate",
    "save_prepared.path": "Target",
    "save_prepared.sr": "SampleRate",
    "silences.layout": "SaveLayout",
    "silences.sr": "SampleRate | None",
    "try_plugin.path": "str | PathLike[str]",
    "zeros.dtype": "str",
}

#: The defaults of the fields of classes that are declared by their annotations; the others have none.
DEFAULTS: dict[str, dict[str, str]] = {
    "Picture": {
        "data": "bytes | None = None",
        "type": 'str = "front cover"',
        "mime": "str | None = None",
        "description": 'str = ""',
        "width": "int | None = None",
        "height": "int | None = None",
        "size": "int | None = None",
    },
    "Marker": {"label": "str", "start": "int", "end": "int | None = None"},
    "Bext": {
        "description": 'str = ""',
        "originator": 'str = ""',
        "originator_reference": 'str = ""',
        "origination_date": 'str = ""',
        "origination_time": 'str = ""',
        "time_reference": "int = 0",
        "version": "int = 0",
        "umid": 'str = ""',
        "loudness_value": "float | None = None",
        "loudness_range": "float | None = None",
        "max_true_peak_level": "float | None = None",
        "max_momentary_loudness": "float | None = None",
        "max_short_term_loudness": "float | None = None",
        "coding_history": 'str = ""',
    },
}

#: For each overload: what it returns, the arguments that it does not have, and those that differ, with their defaults.
OVERLOADS: dict[str, list[tuple[str, set[str], dict[str, str]]]] = {
    "Api.batch_load": [
        (
            "list[tuple[Array, int]]",
            {"pad"},
            {"stack": "stack: Literal[False] = False", "on_error": 'on_error: Literal["raise"] = "raise"'},
        ),
        (
            "list[tuple[Array, int] | None]",
            {"pad"},
            {
                "stack": "stack: Literal[False] = False",
                "on_error": 'on_error: Literal["skip"] | Callable[[AudioError], object]',
            },
        ),
        ("tuple[Array, Array, int]", set(), {"stack": "stack: Literal[True]"}),
    ],
    "Api.open": [
        (
            "Reader[Array]",
            {
                "bit_depth", "bitrate", "channel_mask", "clip", "dither", "durable", "effort", "encoding",
                "flac_compression", "format", "quality", "seed", "tags", "pictures", "markers", "bext",
                "on_unknown_tags",
            },
            {"mode": 'mode: Literal["r"] = "r"'},
        ),
        (
            "Writer",
            {
                "mono", "mono_mode", "num_channels", "resample_quality", "squeeze_mono",
                "max_frames", "max_bytes", "max_seconds",
            },
            {
                "path": "path: Target",
                "mode": 'mode: Literal["w"]',
                "sr": "sr: SampleRate",
                "channels": "channels: int",
                "clip": "clip: bool = True",
            },
        ),
    ],
}  # fmt: skip
