"""The Rust side of mapwave."""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar, final, overload

from .types import Bitrate, Dither, Dtype, FlacCompression, Layout, MonoMode, ResampleQuality, SaveLayout, Source, Target

__all__ = [
    "Api",
    "AudioInfo",
    "Blocks",
    "Frames",
    "Plugin",
    "PluginDirectory",
    "PreparedAudio",
    "Reader",
    "Stream",
    "Writer",
    "api_of",
    "build_info",
    "plugin_directories",
    "plugins",
    "prepare_save",
    "register_plugin",
    "run_command",
    "set_up_plugins",
    "supports_soxr",
    "try_plugin",
    "write_prepared",
    "zeros",
]

Array = TypeVar("Array")

@final
class AudioInfo:
    """What is known of an audio file without reading its samples."""

    def __new__(
        cls,
        frames: int,
        sample_rate: int,
        channels: int,
        duration: float,
        subtype: str,
        container: str,
        codec: str,
        bit_depth: int,
        bits: int,
        channel_layout: str | None,
        is_truncated: bool,
        is_lossless: bool,
        plugin: str | None,
        priming_frames: int,
        padding_frames: int,
        tags: dict[str, str],
    ) -> Self: ...
    @property
    def frames(self) -> int:
        """The number of frames that load returns."""
    @property
    def sample_rate(self) -> int:
        """Frames a second, in Hz."""
    @property
    def channels(self) -> int:
        """Samples in a frame."""
    @property
    def duration(self) -> float:
        """The length in seconds: frames / sample_rate."""
    @property
    def subtype(self) -> str:
        """The encoding, such as "pcm16" or "float32"."""
    @property
    def container(self) -> str:
        """The file format, such as "wav"."""
    @property
    def codec(self) -> str:
        """The codec in FFmpeg's terms, such as "pcm_s16le"."""
    @property
    def bit_depth(self) -> int:
        """The coded depth: the bits of a sample that carry sound."""
    @property
    def bits(self) -> int:
        """The bits that a sample takes in the file, at least bit_depth."""
    @property
    def channel_layout(self) -> str | None:
        """The speaker arrangement, such as "stereo" or "5.1", or None when the file does not say."""
    @property
    def is_truncated(self) -> bool:
        """Whether the file ends before the sound does that it promises; frames counts what is there."""
    @property
    def is_lossless(self) -> bool:
        """Whether the samples are those that were recorded or given to the encoder."""
    @property
    def plugin(self) -> str | None:
        """The codec plugin that decodes it, or None when mapwave reads it itself."""
    @property
    def priming_frames(self) -> int:
        """The encoder's delay in frames, which is left out."""
    @property
    def padding_frames(self) -> int:
        """Frames at the end that only fill the last packet, which are left out."""
    @property
    def tags(self) -> dict[str, str]:
        """Metadata: lower-case Vorbis comment names and their values, several joined by "; "."""

    __hash__: None  # type: ignore[assignment]

@final
class Frames:
    """Samples as a C-contiguous array, exported without a copy by the buffer protocol and by DLPack.

    A view of a file is read-only and keeps its map alive. Should the file shrink, what is gone reads as zeros, unless
    another library has replaced the SIGBUS handler since.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
    @property
    def dtype(self) -> Dtype:
        """The type of the samples."""
    @property
    def nbytes(self) -> int:
        """The size in bytes."""
    @property
    def readonly(self) -> bool:
        """Whether the samples are a file's own and may not be changed."""
    def pages(self) -> Frames | None:
        """The samples and the zeros behind them as the whole pages that they are in, along one axis.

        None when the samples do not begin a page or do not have their last one to themselves.
        """
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...  # the buffer protocol, from Python 3.12 on
    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """The samples as a DLPack capsule."""
    def __dlpack_device__(self) -> tuple[int, int]:
        """The device of the samples in DLPack's terms: the CPU."""

@final
class Stream(Generic[Array]):
    """An iterator of (chunk, sample_rate)."""

    @property
    def chunk_frames(self) -> int:
        """Frames in every chunk but the last, which may be shorter."""
    @property
    def sample_rate(self) -> int:
        """The chunks' sample rate in Hz."""
    @property
    def channels(self) -> int:
        """The number of channels in a chunk."""
    @property
    def frames_read(self) -> int:
        """The number of frames read so far."""
    def read_chunk(self) -> tuple[Array, int]:
        """Reads the next chunk; at the end it has no frames."""
    def at_eof(self) -> bool:
        """Whether everything has been read."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[Array, int]: ...

@final
class Blocks(Generic[Array]):
    """An iterator of overlapping blocks."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Array: ...

@final
class Reader(Generic[Array]):
    """An open file. It stays mapped until it is closed; one reader serves any number of threads."""

    @property
    def frames(self) -> int:
        """The number of frames in the file."""
    @property
    def sample_rate(self) -> int:
        """Frames a second, in Hz."""
    @property
    def channels(self) -> int:
        """Samples in a frame of the file."""
    @property
    def closed(self) -> bool:
        """Whether the reader was closed."""
    def read(self, num_frames: int = -1) -> Array:
        """Reads the next num_frames frames, or all that are left when it is negative; fewer at the end."""
    def seek(self, frame: int, whence: int = 0) -> int:
        """Moves to a frame, from the start (whence 0), the position (1) or the end (2); returns the new position."""
    def tell(self) -> int:
        """The next frame that read returns."""
    def blocks(self, size: int, overlap: int = 0) -> Blocks[Array]:
        """Blocks of size frames from the start, each size - overlap after the one before; the last may be shorter."""
    def view(self) -> Frames:
        """The samples of the whole file in place: read-only, in the file's own type, without a copy."""
    def info(self) -> AudioInfo:
        """What the file says about itself."""
    def close(self) -> None:
        """Closes the file; views of it stay valid and keep its map."""
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

@final
class Api(Generic[Array]):
    """The functions that make arrays, for one array library."""

    def __new__(cls, import_: Callable[[], Any], /, module: str) -> Self: ...
    def load(
        self,
        path: Source,
        sr: int | None = None,
        offset: float = 0.0,
        duration: float | None = None,
        mono: bool = False,
        mono_mode: MonoMode = "mean",
        layout: Layout = "channels_last",
        dtype: Dtype = "float32",
        resample_quality: ResampleQuality = "default",
        low_memory: bool = False,
        squeeze_mono: bool = False,
        *,
        start: int | None = None,
        stop: int | None = None,
        channels: int | Sequence[int] | None = None,
        codec: str | None = None,
        threads: int | None = None,
    ) -> tuple[Array, int]:
        """Reads audio into an array and returns it with its sample rate in Hz."""
    def info(self, path: Source, *, codec: str | None = None) -> AudioInfo:
        """Says what is in a file without reading its samples."""
    def stream(
        self,
        path: Source,
        chunk_frames: int | None = None,
        chunk_duration: float | None = None,
        sr: int | None = None,
        mono: bool = False,
        mono_mode: MonoMode = "mean",
        dtype: Dtype = "float32",
        offset: float = 0.0,
        duration: float | None = None,
        squeeze_mono: bool = False,
        *,
        layout: Layout = "channels_last",
        resample_quality: ResampleQuality = "default",
        start: int | None = None,
        stop: int | None = None,
        channels: int | Sequence[int] | None = None,
        codec: str | None = None,
        threads: int | None = None,
    ) -> Stream[Array]:
        """Opens a file to be read in chunks, one after the other, in bounded memory."""
    def batch_load(
        self,
        paths: Iterable[Source],
        sr: int | None = None,
        mono: bool = False,
        mono_mode: MonoMode = "mean",
        layout: Layout = "channels_last",
        dtype: Dtype = "float32",
        resample_quality: ResampleQuality = "default",
        squeeze_mono: bool = False,
        num_workers: int = 4,
        *,
        offset: float = 0.0,
        duration: float | None = None,
        start: int | None = None,
        stop: int | None = None,
        channels: int | Sequence[int] | None = None,
        progress: bool | Callable[[int, int], object] | None = None,
        codec: str | None = None,
        threads: int | None = 1,
    ) -> list[tuple[Array, int]]:
        """Reads many files at once; the results are in the order of paths."""
    def resample(
        self,
        audio: object,
        in_sr: int,
        out_sr: int,
        quality: ResampleQuality = "default",
        layout: Layout = "channels_last",
        *,
        dtype: Dtype | None = None,
        threads: int | None = None,
    ) -> Array:
        """Brings an array to another sample rate: round(frames * out_sr / in_sr) frames, with the axes of audio."""
    @overload
    def open(
        self,
        path: Source,
        mode: Literal["r"] = "r",
        *,
        sr: int | None = None,
        resample_quality: ResampleQuality = "default",
        mono: bool = False,
        mono_mode: MonoMode = "mean",
        layout: Layout = "channels_last",
        dtype: Dtype = "float32",
        squeeze_mono: bool = False,
        channels: int | Sequence[int] | None = None,
        codec: str | None = None,
        threads: int | None = None,
    ) -> Reader[Array]:
        """Opens a file for many reads from anywhere in it."""
    @overload
    def open(
        self,
        path: Target,
        mode: Literal["w"],
        *,
        sr: float,
        channels: int,
        layout: Layout = "channels_last",
        dtype: Dtype = "float32",
        encoding: str = "float32",
        bitrate: Bitrate = "auto",
        clip: bool = True,
        flac_compression: FlacCompression = "default",
        format: str | None = None,
        dither: Dither = "none",
        seed: int = 0,
        tags: dict[str, str | int] | None = None,
        quality: int | None = None,
        effort: int | None = None,
        bit_depth: int | None = None,
        channel_mask: int | None = None,
        codec: str | None = None,
        threads: int | None = None,
        durable: bool = True,
    ) -> Writer:
        """Opens a file to be written in parts."""

@final
class PreparedAudio:
    """Audio that is ready to be saved, by any thread, without touching the array library it came from."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the array's axes."""
    @property
    def dtype(self) -> str:
        """The type of the samples, such as "float32"."""
    @property
    def layout(self) -> Literal["channels_last", "channels_first"]:
        """The layout, as it was given or as it was found."""
    @property
    def strides(self) -> tuple[int, ...]:
        """The distance of neighbours along each axis, in bytes."""
    @property
    def n_bytes(self) -> int:
        """The size of the samples in bytes."""
    @property
    def frames(self) -> int:
        """The number of frames."""
    @property
    def channels(self) -> int:
        """The number of channels."""

@final
class Writer:
    """A file that is written in parts, for audio that need not fit the memory. It is at its path once it is closed."""

    @property
    def sample_rate(self) -> int:
        """The sample rate in Hz."""
    @property
    def channels(self) -> int:
        """The number of channels."""
    @property
    def frames_written(self) -> int:
        """The number of frames that were written."""
    @property
    def closed(self) -> bool:
        """Whether the writer is closed."""
    def write(self, chunk: object) -> None:
        """Adds frames: an array of the writer's dtype, layout and number of channels, or of one axis for one channel."""
    def close(self) -> None:
        """Completes the file and puts it in its place; more than once is of no effect."""
    def abort(self) -> None:
        """Gives the file up: the old one stays as it was, and nothing else is left behind."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Plugin:
    """A codec plugin: a library that was found, or a part of mapwave itself."""

    @property
    def id(self) -> str:
        """The name, by which codec= picks it; the file's name when it could not be loaded."""
    @property
    def loaded(self) -> bool:
        """Whether it is used."""
    @property
    def refused(self) -> str | None:
        """Why it is not used, or None."""
    @property
    def origin(self) -> Literal["registered", "environment", "user", "embedded", "bundled", "system"]:
        """Why it is known."""
    @property
    def path(self) -> Path | None:
        """The library, or None for a part of mapwave itself."""
    @property
    def version(self) -> str:
        """Its version."""
    @property
    def vendor(self) -> str:
        """Who made it."""
    @property
    def license(self) -> str:
        """Its licence as an SPDX expression."""
    @property
    def dependencies(self) -> str:
        """The libraries that it needs and found, with their versions."""
    @property
    def decodes(self) -> list[str]:
        """The codecs it decodes, in FFmpeg's terms."""
    @property
    def encodes(self) -> list[str]:
        """The codecs it encodes, in FFmpeg's terms."""
    @property
    def extensions(self) -> list[str]:
        """The usual extensions of the files it decodes."""
    @property
    def resamples(self) -> list[str]:
        """The qualities of its resamplers."""

@final
class PluginDirectory:
    """A directory that is searched for plugins."""

    @property
    def path(self) -> Path:
        """Its path."""
    @property
    def origin(self) -> Literal["environment", "user", "bundled", "system"]:
        """Why it is searched."""
    @property
    def exists(self) -> bool:
        """Whether it is there."""
    @property
    def refused(self) -> str | None:
        """Why nothing in it is loaded, or None."""

def supports_soxr() -> bool:
    """Whether resampling by libsoxr is available: its plugin is loaded."""

def plugins() -> list[Plugin]:
    """The codec plugins: those in use, in order of precedence, and those that were refused, with the reason."""

def plugin_directories() -> list[PluginDirectory]:
    """The directories that are searched for plugins, in order of precedence."""

def register_plugin(path: str | PathLike[str]) -> Plugin:
    """Loads a codec plugin by its path; it is asked before all others."""

def prepare_save(audio: object, layout: SaveLayout = "auto") -> PreparedAudio:
    """Evaluates audio and holds its memory, to be saved later and by any thread."""

def write_prepared(path: Target, prepared: PreparedAudio, arguments: dict[str, Any]) -> None:
    """Saves prepared audio; the arguments are those of save_prepared by their names."""

def set_up_plugins(bundled: str | PathLike[str], checker: Sequence[str]) -> None:
    """Makes the embedded codecs known; called once, at import."""

def try_plugin(path: str | PathLike[str]) -> int:
    """Loads a library in this process, which is thrown away afterwards, and returns its exit status."""

def run_command(args: Sequence[str], again: Sequence[str]) -> int:
    """Runs the mapwave command and returns its exit status."""

def api_of(module: str) -> Api[Any]:
    """The `_api` of a module: how an Api, and so a function of it, is unpickled."""

def build_info() -> dict[str, Any]:
    """The facts of the build and the machine."""

def zeros(shape: Sequence[int], dtype: str) -> Frames:
    """Zeros that take up no memory, for a library that copies what it is given: they cannot be written to."""
