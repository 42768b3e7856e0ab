"""mapwave for PyTorch: the functions of :mod:`mapwave`, returning CPU tensors without a copy."""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Any, Literal, overload

import torch

from . import errors as errors
from ._core import Decoding, Api
from ._core import AudioInfo as AudioInfo
from ._core import Bext as Bext
from ._core import Blocks as Blocks
from ._core import Frames as Frames
from ._core import Limits as Limits
from ._core import Loading as Loading
from ._core import Loop as Loop
from ._core import Loudness as Loudness
from ._core import Marker as Marker
from ._core import Picture as Picture
from ._core import Plot as Plot
from ._core import Plugin as Plugin
from ._core import PluginDirectory as PluginDirectory
from ._core import PreparedAudio as PreparedAudio
from ._core import Reader as Reader
from ._core import Stream as Stream
from ._core import Track as Track
from ._core import Writer as Writer
from ._core import defaults as defaults
from ._core import limits as limits
from ._core import loudness as loudness
from ._core import plot as plot
from ._core import plugin_directories as plugin_directories
from ._core import plugins as plugins
from ._core import prepare_save as prepare_save
from ._core import register_plugin as register_plugin
from ._core import retag as retag
from ._core import save as save
from ._core import save_prepared as save_prepared
from ._core import silences as silences
from ._core import supports_soxr as supports_soxr
from ._index import Paths
from ._push import Encoder as Encoder
from ._index import Index as Index
from ._index import Row as Row
from ._index import Window as Window
from ._index import Windows as Windows
from ._loader import Loader as _Loader
from .aio import Library as _AsyncLibrary
from .errors import AudioError as AudioError
from .errors import AudioFileNotFound as AudioFileNotFound
from .errors import AudioIOError as AudioIOError
from .errors import AudioIsADirectory as AudioIsADirectory
from .errors import AudioPermissionDenied as AudioPermissionDenied
from .errors import InvalidArgument as InvalidArgument
from .errors import LimitExceeded as LimitExceeded
from .errors import MalformedFile as MalformedFile
from .errors import OutOfMemory as OutOfMemory
from .errors import PluginError as PluginError
from .errors import SavedNotDurable as SavedNotDurable
from .errors import UnsupportedFormat as UnsupportedFormat
from .types import Bitrate, Dither, DtypeLike, Encoding, FlacCompression, Layout, MonoMode, ResampleQuality, SampleRate, SaveLayout, Source, Target

__all__ = [
    "AudioError",
    "AudioFileNotFound",
    "AudioIOError",
    "AudioInfo",
    "AudioIsADirectory",
    "AudioPermissionDenied",
    "Bext",
    "Blocks",
    "Decoder",
    "Encoder",
    "Frames",
    "Index",
    "InvalidArgument",
    "LimitExceeded",
    "Limits",
    "Loader",
    "Loading",
    "Loop",
    "Loudness",
    "MalformedFile",
    "Marker",
    "OutOfMemory",
    "Picture",
    "Plot",
    "Plugin",
    "PluginDirectory",
    "PluginError",
    "PreparedAudio",
    "Reader",
    "Row",
    "SavedNotDurable",
    "Stream",
    "Track",
    "UnsupportedFormat",
    "Window",
    "Windows",
    "Writer",
    "aio",
    "batch_load",
    "defaults",
    "errors",
    "index",
    "info",
    "iter_load",
    "limits",
    "load",
    "loudness",
    "open",
    "plot",
    "plugin_directories",
    "plugins",
    "prepare_save",
    "register_plugin",
    "resample",
    "retag",
    "save",
    "save_prepared",
    "show_build_info",
    "silences",
    "stream",
    "supports_soxr",
]

_api: Api[torch.Tensor]

def Decoder(
    sr: SampleRate | None = None,
    mono: bool = False,
    dtype: DtypeLike = "float32",
    *,
    format: str | None = None,
    mono_mode: MonoMode = "mean",
    layout: Layout = "channels_last",
    resample_quality: ResampleQuality = "default",
    squeeze_mono: bool = False,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
) -> Decoding[torch.Tensor]:
    """Decodes bytes as they come, from a socket or a microphone: returns an object with write(bytes) and finish().

    Every write returns the frames that are complete with it, or None; together they are bit for bit what load returns of all
    bytes. Formats that keep what is needed to decode at their end, such as most M4A files, return everything at finish.

    Args:
        sr: As in load. With it, frames come a second late, since those at the end depend on what follows.
        mono, dtype: As in load.
        format: The container that is expected, such as "ogg"; another one is an error. None takes any.
        mono_mode, layout, resample_quality, squeeze_mono, channels, num_channels, track, plugin, plugin_options, threads: As
            in load.

    Returns:
        Decoding, with write, finish, sample_rate, channels and frames_read.

    Raises:
        As load; what is wrong with the bytes, at finish.
    """
class Loader(_Loader[torch.Tensor]): ...
aio: _AsyncLibrary
@overload
def batch_load(
    paths: Iterable[Source],
    sr: SampleRate | None = None,
    mono: bool = False,
    mono_mode: MonoMode = "mean",
    layout: Layout = "channels_last",
    dtype: DtypeLike = "float32",
    resample_quality: ResampleQuality = "default",
    squeeze_mono: bool = False,
    num_workers: int = 4,
    *,
    offset: float | Sequence[float] = 0.0,
    duration: float | Sequence[float | None] | None = None,
    start: int | Sequence[int | None] | None = None,
    stop: int | Sequence[int | None] | None = None,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = 1,
    stack: Literal[False] = False,
    on_error: Literal["raise"] = "raise",
    max_frames: float | None = None,
    max_bytes: float | None = None,
    max_seconds: float | None = None,
    storage_options: dict[str, Any] | None = None,
) -> list[tuple[torch.Tensor, int]]:
    """Reads many files at once.

    Args:
        paths: An iterable of what load takes.
        sr, mono, mono_mode, layout, dtype, resample_quality, squeeze_mono, channels, num_channels, track: As in load, the same
            for every file.
        offset, duration, start, stop: As in load, or a sequence with one for each file.
        num_workers: How many files to read at once.
        plugin, plugin_options, storage_options: As in load.
        threads: The most threads that may decode one file; None allows one per processor.
        progress: True for a line on stderr where that is a terminal, or a function to call with (done, total) after each
            file.
        stack: True reads all files into one array with an axis of files before those of load, as long as the longest. Files
            must have one rate and one number of channels, or sr, mono or channels must be given.
        pad: What fills the rows of shorter files with stack=True, as a sample whose full scale is 1.
        on_error: What becomes of a file that cannot be read: "raise" raises the error; "skip" returns None in the place of
            the file, or with stack=True a row of padding; a function is called with the error, and the file is skipped
            unless it raises. The errors have index, the place in paths, and path.
        max_frames: As in load, for each file.
        max_bytes: As in load, for each file; with stack=True also for the whole array.
        max_seconds: As in load, for each file.

    Returns:
        A list of (audio, sample_rate), in the order of paths; with stack=True (audio, lengths, sample_rate), where lengths
        is an int32 array of the frames in each row.

    Raises:
        As load, for the first file that fails; a note says which of the paths it was. The error's results has what was read
        before: the list, with None for each file that was not read.
    """
@overload
def batch_load(
    paths: Iterable[Source],
    sr: SampleRate | None = None,
    mono: bool = False,
    mono_mode: MonoMode = "mean",
    layout: Layout = "channels_last",
    dtype: DtypeLike = "float32",
    resample_quality: ResampleQuality = "default",
    squeeze_mono: bool = False,
    num_workers: int = 4,
    *,
    offset: float | Sequence[float] = 0.0,
    duration: float | Sequence[float | None] | None = None,
    start: int | Sequence[int | None] | None = None,
    stop: int | Sequence[int | None] | None = None,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = 1,
    stack: Literal[False] = False,
    on_error: Literal["skip"] | Callable[[AudioError], object],
    max_frames: float | None = None,
    max_bytes: float | None = None,
    max_seconds: float | None = None,
    storage_options: dict[str, Any] | None = None,
) -> list[tuple[torch.Tensor, int] | None]:
    """Reads many files at once.

    Args:
        paths: An iterable of what load takes.
        sr, mono, mono_mode, layout, dtype, resample_quality, squeeze_mono, channels, num_channels, track: As in load, the same
            for every file.
        offset, duration, start, stop: As in load, or a sequence with one for each file.
        num_workers: How many files to read at once.
        plugin, plugin_options, storage_options: As in load.
        threads: The most threads that may decode one file; None allows one per processor.
        progress: True for a line on stderr where that is a terminal, or a function to call with (done, total) after each
            file.
        stack: True reads all files into one array with an axis of files before those of load, as long as the longest. Files
            must have one rate and one number of channels, or sr, mono or channels must be given.
        pad: What fills the rows of shorter files with stack=True, as a sample whose full scale is 1.
        on_error: What becomes of a file that cannot be read: "raise" raises the error; "skip" returns None in the place of
            the file, or with stack=True a row of padding; a function is called with the error, and the file is skipped
            unless it raises. The errors have index, the place in paths, and path.
        max_frames: As in load, for each file.
        max_bytes: As in load, for each file; with stack=True also for the whole array.
        max_seconds: As in load, for each file.

    Returns:
        A list of (audio, sample_rate), in the order of paths; with stack=True (audio, lengths, sample_rate), where lengths
        is an int32 array of the frames in each row.

    Raises:
        As load, for the first file that fails; a note says which of the paths it was. The error's results has what was read
        before: the list, with None for each file that was not read.
    """
@overload
def batch_load(
    paths: Iterable[Source],
    sr: SampleRate | None = None,
    mono: bool = False,
    mono_mode: MonoMode = "mean",
    layout: Layout = "channels_last",
    dtype: DtypeLike = "float32",
    resample_quality: ResampleQuality = "default",
    squeeze_mono: bool = False,
    num_workers: int = 4,
    *,
    offset: float | Sequence[float] = 0.0,
    duration: float | Sequence[float | None] | None = None,
    start: int | Sequence[int | None] | None = None,
    stop: int | Sequence[int | None] | None = None,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = 1,
    stack: Literal[True],
    pad: float = 0.0,
    on_error: Literal["raise", "skip"] | Callable[[AudioError], object] = "raise",
    max_frames: float | None = None,
    max_bytes: float | None = None,
    max_seconds: float | None = None,
    storage_options: dict[str, Any] | None = None,
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Reads many files at once.

    Args:
        paths: An iterable of what load takes.
        sr, mono, mono_mode, layout, dtype, resample_quality, squeeze_mono, channels, num_channels, track: As in load, the same
            for every file.
        offset, duration, start, stop: As in load, or a sequence with one for each file.
        num_workers: How many files to read at once.
        plugin, plugin_options, storage_options: As in load.
        threads: The most threads that may decode one file; None allows one per processor.
        progress: True for a line on stderr where that is a terminal, or a function to call with (done, total) after each
            file.
        stack: True reads all files into one array with an axis of files before those of load, as long as the longest. Files
            must have one rate and one number of channels, or sr, mono or channels must be given.
        pad: What fills the rows of shorter files with stack=True, as a sample whose full scale is 1.
        on_error: What becomes of a file that cannot be read: "raise" raises the error; "skip" returns None in the place of
            the file, or with stack=True a row of padding; a function is called with the error, and the file is skipped
            unless it raises. The errors have index, the place in paths, and path.
        max_frames: As in load, for each file.
        max_bytes: As in load, for each file; with stack=True also for the whole array.
        max_seconds: As in load, for each file.

    Returns:
        A list of (audio, sample_rate), in the order of paths; with stack=True (audio, lengths, sample_rate), where lengths
        is an int32 array of the frames in each row.

    Raises:
        As load, for the first file that fails; a note says which of the paths it was. The error's results has what was read
        before: the list, with None for each file that was not read.
    """
def index(paths: Paths, path: str | PathLike[str] | None=None, *, num_workers: int | None=None, progress: bool | Callable[[int, int], object]=True, on_error: Literal['record', 'skip', 'raise']='record', hash: str | None=None, seek_tables: bool=False) -> Index:
    """Finds the facts of many files and keeps them in a table.

    Args:
        paths: A file, a directory, a pattern such as ``"clips/**/*.flac"``, or several of them. Of directories the
            files count whose names end as those of audio do. A tar archive (``.tar``, not compressed) stands for its
            members whose names do: ``shard.tar::member.flac``, which every function that takes a path reads without
            extraction.
        path: Where the table is kept: a name that ends in ``.parquet``, which needs pyarrow (the extra ``data``), or in
            ``.jsonl``. Files whose size and time of change are those in the table are not opened again. After an
            interruption the next call goes on where this one was. None keeps the table in memory.
        num_workers: How many files to open at once; None is one for each processor.
        progress: True for a line on stderr where that is a terminal, or a function to call with (done, total).
        on_error: What becomes of a file that cannot be read: "record" keeps the error in its row, "skip" leaves it out,
            and "raise" raises the error.
        hash: The name of a hash of the bytes of each file, such as "sha256" or "blake2b"; None makes none.
        seek_tables: Keeps the seek table of each file that has one, so that windows of long files are read without a
            scan: a ``Loader`` uses it, and ``load`` takes it as ``seek_table``.

    Returns:
        Index: the rows in the order of paths, those of a directory, a pattern or an archive by their names.

    Raises:
        mapwave.InvalidArgument: A pattern matches nothing, or path is not a table of this kind.
        OSError: The table cannot be read or written.
    """
def info(
    path: Source,
    *,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    storage_options: dict[str, Any] | None = None,
) -> AudioInfo:
    """Returns the facts of a file without reading its samples.

    Args:
        path: As in load.
        track, plugin, plugin_options, storage_options: As in load.

    Returns:
        AudioInfo; its frames are the number that load returns, and its tracks are the sound tracks of the file.

    Raises:
        As load.
    """
def iter_load(
    paths: Iterable[Source],
    sr: SampleRate | None = None,
    mono: bool = False,
    mono_mode: MonoMode = "mean",
    layout: Layout = "channels_last",
    dtype: DtypeLike = "float32",
    resample_quality: ResampleQuality = "default",
    squeeze_mono: bool = False,
    num_workers: int = 4,
    *,
    offset: float | Sequence[float] = 0.0,
    duration: float | Sequence[float | None] | None = None,
    start: int | Sequence[int | None] | None = None,
    stop: int | Sequence[int | None] | None = None,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = 1,
    ordered: bool = True,
    prefetch: int | None = None,
    on_error: Literal["raise", "skip"] | Callable[[AudioError], object] = "raise",
    max_frames: float | None = None,
    max_bytes: float | None = None,
    max_seconds: float | None = None,
    storage_options: dict[str, Any] | None = None,
) -> Loading[torch.Tensor]:
    """Reads many files one after the other, on threads that read ahead, in bounded memory.

    Args:
        paths: An iterable of what load takes. It is consumed as files are read, and need not end.
        sr, mono, mono_mode, layout, dtype, resample_quality, squeeze_mono, channels, num_channels, track, plugin, plugin_options,
        threads, offset, duration, start, stop, num_workers, storage_options: As in batch_load.
        ordered: True returns the files in the order of paths, False as they are read.
        prefetch: How many files are read or being read beyond those that were returned; None is two for each worker. That
            many are in memory at most.
        on_error: "raise" raises the error and ends the iterator; "skip" leaves the file out; a function is called with the
            error, and the file is left out unless it raises. The errors have index and path.
        max_frames: As in load, for each file.
        max_bytes: As in load, for each file.
        max_seconds: As in load, for each file.

    Returns:
        Loading: an iterator of (index, audio, sample_rate), where index is the place in paths. Its close ends the threads
        before its end.

    Raises:
        As load; the errors of a file when it is its turn.
    """
def load(
    path: Source,
    sr: SampleRate | None = None,
    offset: float = 0.0,
    duration: float | None = None,
    mono: bool = False,
    mono_mode: MonoMode = "mean",
    layout: Layout = "channels_last",
    dtype: DtypeLike = "float32",
    resample_quality: ResampleQuality = "default",
    low_memory: bool = False,
    squeeze_mono: bool = False,
    *,
    start: int | None = None,
    stop: int | None = None,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
    seek_table: bytes | None = None,
    max_frames: float | None = None,
    max_bytes: float | None = None,
    max_seconds: float | None = None,
    storage_options: dict[str, Any] | None = None,
) -> tuple[torch.Tensor, int]:
    """Reads audio into an array.

    Args:
        path: A str or path, a URL such as "https://.." or "s3://..", the bytes of a file (bytes, bytearray, memoryview), or
            a binary file object, which is read from its position to its end. Of a URL and of a file object that can seek
            only the ranges that are needed are read. The format is found by content, never by extension.
        sr: The sample rate to resample to, a whole number of Hz from 1 to 768000; None keeps the file's. n frames become
            round(n * sr / file's rate), and every count of frames here is of those. A window is bit-identical to the same
            part of a full load.
        offset: Where to start, in seconds: frame floor(offset * sample_rate).
        duration: How much to read, in seconds: floor(duration * sample_rate) frames, or fewer at the end; None reads to
            the end.
        mono: Mix all channels into one.
        mono_mode: "mean" divides the sum of the channels by their number, "equal_power" by its square root.
        layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames).
        dtype: "float32", "float16", "bfloat16", "float64", "int16" or "int32", where the array library has it, or the
            library's own object, such as mx.float16, np.int16 or torch.bfloat16. Integers become floats by division by
            2**(bits-1); floats become integers by multiplication by it, rounded half to even and saturated.
        resample_quality: "default" (what mapwave.defaults has set, else "soxr_vhq" where libsoxr's plugin is loaded, else
            "best"), "best", "high", "medium", "low", "fastest", "soxr_vhq", "soxr_hq" (also as "soxr_style",
            "soxr_compat"), or "torchaudio_compat", which is torchaudio.functional.resample of the frames from offset on.
            It has no effect unless the rate changes.
        low_memory: Has no effect: the scratch memory of resampling is always bounded to a few MB, except with
            "torchaudio_compat". Accepted for callers of mlx-audio-io.
        squeeze_mono: Return a single channel as an array of shape (frames,).
        start: The first frame, instead of offset; a negative number counts from the end.
        stop: The frame after the last one, instead of duration; a negative number counts from the end.
        channels: One channel number or several, counted from 0, in the order to return; None returns all.
        num_channels: Mix to this number of channels, 1 to 8, by the matrices of Rec. ITU-R BS.775, scaled so that nothing
            clips; docs/guide.md has them.
        track: The number of the sound track, counted from 0 among the sound tracks of the file, which info(path).tracks
            lists; None is the track that the file flags as default, or the first if it flags none.
        plugin: The name of the plugin to decode with; None is the one that reports the highest probe score for the file.
        plugin_options: Options of that plugin's own, which `mapwave plugins list` shows: a dict of their names to values.
        threads: The most threads that may decode; None allows one per processor. The result does not depend on it.
        seek_table: What Reader.seek_table returned for the same track of the same file, so that a file without a table of its
            own, such as an hour of MP3, is not scanned again. One that does not fit the file has no effect.
        max_frames: The most frames that may be returned; more raises LimitExceeded before memory is allocated. None is what
            mapwave.limits has set, and math.inf allows any number.
        max_bytes: The same for bytes of samples. At first mapwave.limits allows as many as the machine has memory.
        max_seconds: The same for seconds.
        storage_options: What fsspec makes the file system of a URL with, such as {"anon": True} for S3. URLs need the
            extra mapwave[remote].

    Returns:
        (audio, sample_rate): the array, and its sample rate in Hz.

    Raises:
        FileNotFoundError, PermissionError, IsADirectoryError, OSError: The file cannot be opened or read.
        mapwave.UnsupportedFormat, mapwave.MalformedFile: The file cannot be read as audio; both are ValueErrors.
        mapwave.PluginError: A codec plugin failed, not the file; a RuntimeError.
        mapwave.LimitExceeded: More would be returned than a limit allows; a ValueError.
        ValueError: An argument is out of range, the offset lies past the end, or there is no such track.
        TypeError: An argument is of the wrong type, or there is no such argument.
        RuntimeError: The quality is one of libsoxr or torchaudio, which is not installed.

    All of them except TypeError are also mapwave.AudioErrors, and name the file.
    """
@overload
def open(
    path: Source,
    mode: Literal["r"] = "r",
    *,
    sr: SampleRate | None = None,
    resample_quality: ResampleQuality = "default",
    mono: bool = False,
    mono_mode: MonoMode = "mean",
    layout: Layout = "channels_last",
    dtype: DtypeLike = "float32",
    squeeze_mono: bool = False,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
    seek_table: bytes | None = None,
    max_frames: float | None = None,
    max_bytes: float | None = None,
    max_seconds: float | None = None,
    storage_options: dict[str, Any] | None = None,
) -> Reader[torch.Tensor]:
    """Opens a file for any number of reads at any place, or to write it in parts.

    Args:
        path: As in load; to write, as in save.
        mode: "r", or "w" to write.
        mono, mono_mode, num_channels, squeeze_mono, resample_quality, track, seek_table, storage_options: As in load, for
            every read.
        max_frames: As in load, for what each read returns.
        max_bytes: As in load, for what each read returns.
        max_seconds: As in load, for what each read returns.
        sr: As in load; the reader counts frames at that rate. To write, the file's sample rate.
        layout: As in load; to write, that of the arrays that are passed to write.
        dtype: As in load; to write, the type that chooses the encoding where encoding and bit_depth leave it open. write takes
            arrays of any type.
        channels: As in load; to write, the number of channels.
        plugin, plugin_options, threads: As in load; to write, as in save.
        encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth, channel_mask,
        durable, pictures, markers, bext, on_unknown_tags: To write, as in save; sr and channels must be given, and clip cannot be "rescale".

    Returns:
        Reader: a context manager with read, seek, tell, reader[a:b], blocks, view, info, seek_table and close.
        Writer: a context manager with write, close and abort. The file is at its path once it is closed.

    Raises:
        As load, and as save.
    """
@overload
def open(
    path: Target,
    mode: Literal["w"],
    *,
    sr: SampleRate,
    layout: Layout = "channels_last",
    dtype: DtypeLike = "float32",
    channels: int,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
    encoding: Encoding = "float32",
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
    durable: bool = False,
    seek_table: bytes | None = None,
    pictures: Sequence[Picture | bytes | str | PathLike[str]] | None = None,
    markers: Sequence[Marker | tuple[str, int] | tuple[str, int, int | None]] | None = None,
    bext: Bext | dict[str, Any] | None = None,
    on_unknown_tags: Literal["error", "drop"] = "error",
    storage_options: dict[str, Any] | None = None,
) -> Writer:
    """Opens a file for any number of reads at any place, or to write it in parts.

    Args:
        path: As in load; to write, as in save.
        mode: "r", or "w" to write.
        mono, mono_mode, num_channels, squeeze_mono, resample_quality, track, seek_table, storage_options: As in load, for
            every read.
        max_frames: As in load, for what each read returns.
        max_bytes: As in load, for what each read returns.
        max_seconds: As in load, for what each read returns.
        sr: As in load; the reader counts frames at that rate. To write, the file's sample rate.
        layout: As in load; to write, that of the arrays that are passed to write.
        dtype: As in load; to write, the type that chooses the encoding where encoding and bit_depth leave it open. write takes
            arrays of any type.
        channels: As in load; to write, the number of channels.
        plugin, plugin_options, threads: As in load; to write, as in save.
        encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth, channel_mask,
        durable, pictures, markers, bext, on_unknown_tags: To write, as in save; sr and channels must be given, and clip cannot be "rescale".

    Returns:
        Reader: a context manager with read, seek, tell, reader[a:b], blocks, view, info, seek_table and close.
        Writer: a context manager with write, close and abort. The file is at its path once it is closed.

    Raises:
        As load, and as save.
    """
def resample(
    audio: object,
    in_sr: SampleRate,
    out_sr: SampleRate,
    quality: ResampleQuality = "default",
    layout: SaveLayout = "auto",
    *,
    dtype: DtypeLike | None = None,
    threads: int | None = None,
) -> torch.Tensor:
    """Resamples audio.

    Args:
        audio: An array of any library, of shape (frames,) or with the two axes of layout, of float32, float16, bfloat16,
            float64, int16 or int32, with any strides.
        in_sr: Its sample rate, a whole number of Hz from 1 to 768000.
        out_sr: The sample rate to return.
        quality: As resample_quality in load.
        layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames), or "auto", which finds the
            channel axis as save does and refuses a shape that could be either.
        dtype: The type of the result, as in load; None keeps a float type and turns integers into float32.
        threads: The most threads that may work; None allows one per processor. The result does not depend on it.

    Returns:
        An array of round(frames * out_sr / in_sr) frames, with the axes of audio.

    Raises:
        ValueError: An argument is out of range, or the ratio of the rates is beyond about 13000.
        RuntimeError: The quality is one of libsoxr or torchaudio, which is not installed.
        TypeError: audio is not an array.
    """
def show_build_info() -> dict[str, Any]:
    """Returns the facts of this build and machine, as the doctor prints them.

    Returns:
        A dict with ``version``, ``target``, ``debug_assertions``, ``cpu_features``, ``num_processors``, ``containers``
        and ``dtypes``.
    """
def stream(
    path: Source,
    chunk_frames: int | None = None,
    chunk_duration: float | None = None,
    sr: SampleRate | None = None,
    mono: bool = False,
    mono_mode: MonoMode = "mean",
    dtype: DtypeLike = "float32",
    offset: float = 0.0,
    duration: float | None = None,
    squeeze_mono: bool = False,
    *,
    layout: Layout = "channels_last",
    resample_quality: ResampleQuality = "default",
    start: int | None = None,
    stop: int | None = None,
    channels: int | Sequence[int] | None = None,
    num_channels: int | None = None,
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
    seek_table: bytes | None = None,
    storage_options: dict[str, Any] | None = None,
) -> Stream[torch.Tensor]:
    """Opens a file to read it in chunks, one after the other, in bounded memory.

    Args:
        path: As in load.
        chunk_frames: The frames in a chunk; the last may have fewer.
        chunk_duration: The length of a chunk in seconds, instead: floor(chunk_duration * sample_rate) frames.
        sr, mono, mono_mode, dtype, offset, duration, squeeze_mono, layout, resample_quality, start, stop, channels, num_channels,
        track, plugin, plugin_options, threads, seek_table, storage_options: As in load.

    Returns:
        Stream: an iterator of (chunk, sample_rate) with read_chunk, at_eof, frames_read, chunk_frames, sample_rate and
        channels. Several threads can share it: each chunk is returned once.

    Raises:
        As load; ValueError unless exactly one of chunk_frames and chunk_duration is given.
    """
