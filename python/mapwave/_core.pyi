"""The Rust side of mapwave."""

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

__all__ = [
    "Api",
    "AudioInfo",
    "Batches",
    "Bext",
    "Blocks",
    "Cancellation",
    "Decoding",
    "Frames",
    "Limits",
    "Loading",
    "Loop",
    "Loudness",
    "Marker",
    "Picture",
    "Plot",
    "Plugin",
    "PluginDirectory",
    "PreparedAudio",
    "Reader",
    "Stream",
    "Track",
    "Writer",
    "api_of",
    "build_info",
    "check_interpreter",
    "defaults",
    "limits",
    "loudness",
    "members",
    "plot",
    "plugin_directories",
    "plugins",
    "prepare_save",
    "register_plugin",
    "reopen",
    "retag",
    "run_command",
    "save",
    "save_prepared",
    "scan",
    "set_up_plugins",
    "silences",
    "supports_soxr",
    "try_plugin",
    "zeros",
]

@final
class AudioInfo:
    """What a file says about its audio, found without reading the samples. None stands for what is not known."""

    def __new__(
        cls,
        frames: int,
        sample_rate: int,
        channels: int,
        duration: float,
        container: str,
        container_variant: str | None,
        codec: str,
        subtype: str,
        bit_depth: int | None,
        bits: int | None,
        channel_layout: str | None,
        is_lossless: bool,
        is_truncated: bool,
        plugin: str | None,
        priming_frames: int,
        padding_frames: int,
        tags: dict[str, str],
        pictures: tuple[Picture, ...],
        markers: tuple[Marker, ...],
        loops: tuple[Loop, ...],
        bext: Bext | None,
        bitrate: int | None,
        tracks: tuple[Track, ...],
        plugin_errors: tuple[str, ...],
    ) -> Self: ...
    @property
    def frames(self) -> int:
        """The number of frames that `load` returns."""
    @property
    def sample_rate(self) -> int:
        """Frames per second, in Hz."""
    @property
    def channels(self) -> int:
        """The number of channels."""
    @property
    def duration(self) -> float:
        """The length in seconds: frames / sample_rate."""
    @property
    def container(self) -> str:
        """The file format, by the usual extension: "wav", "aiff", "flac", "mp3", "m4a" for MPEG-4 with audio alone, "mp4" with
        video, "ogg", ...
        """
    @property
    def container_variant(self) -> str | None:
        """The exact variant of the format, such as "rf64", "aifc" or "M4A ", or None when it has only one."""
    @property
    def codec(self) -> str:
        """The codec's short name, as FFmpeg has it: "pcm_s16le", "mp3", "aac", "flac", ..."""
    @property
    def subtype(self) -> str:
        """The encoding of the samples as `save` takes it, such as "pcm16" or "float32"; the codec's name for compressed audio."""
    @property
    def bit_depth(self) -> int | None:
        """The significant bits of a sample, or None for a codec without a bit depth, such as MP3."""
    @property
    def bits(self) -> int | None:
        """The bits that a sample takes in the file, at least bit_depth, or None for compressed audio."""
    @property
    def channel_layout(self) -> str | None:
        """The speaker arrangement, such as "stereo" or "5.1", or None when the file does not say."""
    @property
    def is_lossless(self) -> bool:
        """Whether the codec keeps every sample as it was."""
    @property
    def is_truncated(self) -> bool:
        """Whether the file ends before the audio that it promises; frames counts the frames that are present."""
    @property
    def plugin(self) -> str | None:
        """The plugin that decodes the file, or None when mapwave itself reads it."""
    @property
    def priming_frames(self) -> int:
        """The frames of encoder delay that load leaves out at the start; 0 also when the file does not state its delay."""
    @property
    def padding_frames(self) -> int:
        """The frames that load leaves out at the end, since they only fill the last packet; 0 also when the file does not say."""
    @property
    def tags(self) -> dict[str, str]:
        """Metadata: lower-case Vorbis comment names and their values, several joined by "; "."""
    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Pictures such as a cover, whose data are read on request."""
    @property
    def markers(self) -> tuple[Marker, ...]:
        """Markers, cue points and chapters, in frames, by their start."""
    @property
    def loops(self) -> tuple[Loop, ...]:
        """Loops of a sampled instrument, in frames."""
    @property
    def bext(self) -> Bext | None:
        """The broadcast extension of a WAV file."""
    @property
    def bitrate(self) -> int | None:
        """The bits of audio per second: its bytes in the file over the duration, without headers and tags."""
    @property
    def tracks(self) -> tuple[Track, ...]:
        """The sound tracks of the file, of which these facts are those of one."""
    @property
    def plugin_errors(self) -> tuple[str, ...]:
        """What codec plugins said that failed to open the file before the one in plugin did, which is logged as a warning too;
        empty unless a plugin has a fault.
        """
    def asdict(self) -> dict[str, Any]:
        """The facts as a new dict, by their names, ready for JSON."""
    def _repr_html_(self) -> str:
        """What a notebook shows: the facts as a table."""
    __hash__: None  # type: ignore[assignment]

@final
class Track:
    """A sound track of a file, as the container describes it. None stands for what it does not say."""

    def __new__(
        cls,
        index: int,
        codec: str,
        language: str | None,
        channels: int | None,
        sample_rate: int | None,
        is_default: bool,
    ) -> Self: ...
    @property
    def index(self) -> int:
        """The number to pass as track, counted from 0 among the sound tracks of the file."""
    @property
    def codec(self) -> str:
        """The codec's short name, as FFmpeg has it: "aac", "ac3", "opus", ..., whether or not it can be decoded."""
    @property
    def language(self) -> str | None:
        """The language as the file states it: "eng", "fra", ..."""
    @property
    def channels(self) -> int | None:
        """The number of channels."""
    @property
    def sample_rate(self) -> int | None:
        """Frames per second, in Hz."""
    @property
    def is_default(self) -> bool:
        """Whether it is the track that is read when none is chosen."""
    def asdict(self) -> dict[str, Any]:
        """The facts as a new dict, by their names, ready for JSON."""

@final
class Picture:
    """A picture in a file, such as a cover, or one to be saved.

    Args:
        data: The bytes of an image file: PNG, JPEG, GIF, WebP or BMP.
        type: What it shows: "front cover", "back cover", "artist", ... "other", as ID3 names them.
        mime: Its type, such as "image/png"; None finds it in the data.
        description: A description.
        width, height, size: Pixels and bytes; None finds them in the data.
    """

    def __new__(
        cls,
        data: bytes | None = None,
        type: str = "front cover",
        mime: str | None = None,
        description: str = "",
        width: int | None = None,
        height: int | None = None,
        size: int | None = None,
    ) -> Self: ...
    @property
    def type(self) -> str:
        """What it shows, such as "front cover"."""
    @property
    def mime(self) -> str:
        """The type of its data, such as "image/jpeg"."""
    @property
    def description(self) -> str:
        """A description; often empty."""
    @property
    def width(self) -> int | None:
        """The width in pixels, or None when neither the file nor the image says it."""
    @property
    def height(self) -> int | None:
        """The height in pixels, or None when neither the file nor the image says it."""
    @property
    def size(self) -> int:
        """The size of its data in bytes."""
    @property
    def data(self) -> bytes:
        """The bytes of the image, read from the file now."""
    def asdict(self) -> dict[str, Any]:
        """The facts as a new dict, by their names, ready for JSON."""

@final
class Marker:
    """A position in a file that has a name, or a range of it."""

    def __new__(
        cls,
        label: str,
        start: int,
        end: int | None = None,
    ) -> Self: ...
    @property
    def label(self) -> str:
        """The name; may be empty."""
    @property
    def start(self) -> int:
        """The first frame."""
    @property
    def end(self) -> int | None:
        """The frame behind the last one, or None for a position."""
    def asdict(self) -> dict[str, Any]:
        """The facts as a new dict, by their names, ready for JSON."""

@final
class Loop:
    """A range of frames that an instrument repeats."""

    def __new__(
        cls,
        start: int,
        end: int,
        kind: str,
        count: int | None,
    ) -> Self: ...
    @property
    def start(self) -> int:
        """The first frame."""
    @property
    def end(self) -> int:
        """The frame behind the last one."""
    @property
    def kind(self) -> str:
        """How it is played: "forward", "pingpong" or "backward"."""
    @property
    def count(self) -> int | None:
        """How many times, or None for as long as the note sounds."""
    def asdict(self) -> dict[str, Any]:
        """The facts as a new dict, by their names, ready for JSON."""

@final
class Bext:
    """The broadcast extension of WAV (EBU Tech 3285)."""

    def __new__(
        cls,
        description: str = "",
        originator: str = "",
        originator_reference: str = "",
        origination_date: str = "",
        origination_time: str = "",
        time_reference: int = 0,
        version: int = 0,
        umid: str = "",
        loudness_value: float | None = None,
        loudness_range: float | None = None,
        max_true_peak_level: float | None = None,
        max_momentary_loudness: float | None = None,
        max_short_term_loudness: float | None = None,
        coding_history: str = "",
    ) -> Self: ...
    @property
    def description(self) -> str:
        """What the sound is, at most 256 bytes."""
    @property
    def originator(self) -> str:
        """Who made it, at most 32 bytes."""
    @property
    def originator_reference(self) -> str:
        """The originator's reference, at most 32 bytes."""
    @property
    def origination_date(self) -> str:
        """The date, "yyyy-mm-dd"."""
    @property
    def origination_time(self) -> str:
        """The time, "hh:mm:ss"."""
    @property
    def time_reference(self) -> int:
        """The first frame, counted from midnight."""
    @property
    def version(self) -> int:
        """The version: 1 with a UMID, 2 with loudness."""
    @property
    def umid(self) -> str:
        """The unique material identifier in hexadecimal digits, or ""."""
    @property
    def loudness_value(self) -> float | None:
        """The integrated loudness in LUFS."""
    @property
    def loudness_range(self) -> float | None:
        """The loudness range in LU."""
    @property
    def max_true_peak_level(self) -> float | None:
        """The maximum true peak level in dBTP."""
    @property
    def max_momentary_loudness(self) -> float | None:
        """The highest momentary loudness in LUFS."""
    @property
    def max_short_term_loudness(self) -> float | None:
        """The highest short-term loudness in LUFS."""
    @property
    def coding_history(self) -> str:
        """A line for each step of coding."""
    def asdict(self) -> dict[str, Any]:
        """The facts as a new dict, by their names, ready for JSON."""
    __hash__: None  # type: ignore[assignment]

@final
class Loudness:
    """The loudness of audio and its peaks. A level that there is none of is negative infinity."""

    def __new__(
        cls,
        integrated: float,
        range: float,
        range_low: float,
        range_high: float,
        threshold: float,
        max_momentary: float,
        max_short_term: float,
        true_peak: float,
        sample_peak: float,
    ) -> Self: ...
    @property
    def integrated(self) -> float:
        """The integrated loudness in LUFS: -inf where nothing is above -70 LUFS, or where there are less than 400 ms."""
    @property
    def range(self) -> float:
        """The loudness range in LU: range_high - range_low; 0.0 for less than 3 s."""
    @property
    def range_low(self) -> float:
        """The lower end of the range in LUFS: the 10th percentile."""
    @property
    def range_high(self) -> float:
        """The upper end of the range in LUFS: the 95th percentile."""
    @property
    def threshold(self) -> float:
        """The relative gate of the integrated loudness in LUFS."""
    @property
    def max_momentary(self) -> float:
        """The loudest 400 ms in LUFS."""
    @property
    def max_short_term(self) -> float:
        """The loudest 3 s in LUFS."""
    @property
    def true_peak(self) -> float:
        """The true peak of the loudest channel in dBTP."""
    @property
    def sample_peak(self) -> float:
        """The largest sample in dBFS."""
    def asdict(self) -> dict[str, Any]:
        """The facts as a new dict, by their names, ready for JSON."""
    def gain_to(self, loudness: float = -23.0, true_peak: float = -1.0) -> float:
        """Returns the gain in dB that brings the integrated loudness to `loudness` LUFS, or less if the true peak would exceed
        `true_peak` dBTP; 0.0 for silence. The samples are to be multiplied by 10 ** (gain / 20).
        """

@final
class Plot:
    """A picture of audio, which a notebook shows."""

    @property
    def width(self) -> int:
        """The width in pixels."""
    @property
    def height(self) -> int:
        """The height in pixels."""
    def svg(self) -> str:
        """Returns the picture as an SVG, complete in itself."""
    def png(self) -> bytes:
        """Returns the picture as a PNG."""
    def save(self, path: str | PathLike[str]) -> None:
        """Writes the picture to a file whose name ends in .svg or .png: a complete new file replaces the old one."""
    def _repr_svg_(self) -> str:
        """"""

@final
class Frames:
    """Samples as a C-contiguous array, exported without a copy by the buffer protocol and by DLPack.

    A view of a file is read-only and keeps it mapped. If the file shrinks, the missing samples read as zeros, unless another
    library has replaced the SIGBUS handler since.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
    @property
    def dtype(self) -> Dtype:
        """The type of the samples, such as "float32"."""
    @property
    def nbytes(self) -> int:
        """The size in bytes."""
    @property
    def readonly(self) -> bool:
        """Whether the samples belong to a file and cannot be changed."""
    def pages(self) -> Frames | None:
        """Returns the whole pages that hold the samples, with the zeros behind them, along one axis: what a GPU can use without a
        copy. None when the samples do not start at a page or share their last one.
        """
    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Exports the samples as a DLPack capsule."""
    def __dlpack_device__(self) -> tuple[int, int]:
        """The device of the samples in DLPack's terms: the CPU."""
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...  # the buffer protocol, from Python 3.12 on

@final
class Stream(Generic[Array]):
    """An iterator of (chunk, sample_rate)."""

    @property
    def chunk_frames(self) -> int:
        """The frames in every chunk except the last, which may be shorter."""
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
        """Reads the next chunk, which has no frames at the end."""
    def at_eof(self) -> bool:
        """Whether everything has been read. Of a file that cannot seek it reads on until that is known."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[Array, int]: ...

@final
class Blocks(Generic[Array]):
    """An iterator of overlapping blocks."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Array: ...

@final
class Loading(Generic[Array]):
    """An iterator of (index, audio, sample_rate) for many files, which threads read ahead."""

    def close(self) -> None:
        """Ends the threads; the iterator then has nothing more."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[int, Array, int]: ...

@final
class Batches(Generic[Array]):
    """Batches of windows, read ahead by threads of their own into one padded array each."""

    def submit(self, windows: Sequence[tuple[Any, ...]]) -> None:
        """Gives the threads the windows of the next batch."""
    def take(self) -> tuple[Array, Array, list[tuple[int, AudioError]]]:
        """Waits for the oldest batch: the array, the frames in each row, and the errors with the numbers of their rows."""
    def close(self) -> None:
        """Ends the threads."""

@final
class Decoding(Generic[Array]):
    """Decodes what is written to it. Bytes that were decoded stay on the disk, in a file without a name, not in memory."""

    @property
    def sample_rate(self) -> int | None:
        """The rate of the frames in Hz; None until it is known."""
    @property
    def channels(self) -> int | None:
        """The number of channels that are returned; None until it is known."""
    @property
    def frames_read(self) -> int:
        """The number of frames that were returned."""
    def write(self, data: bytes | bytearray | memoryview) -> Array | None:
        """Takes the next bytes, any number of them, and returns the frames that are complete with them, or None if there are none."""
    def finish(self) -> Array | None:
        """Returns the last frames, or None if there are none; no more bytes come. That the bytes are not a file of sound, or too few, is
        an error now.
        """

@final
class Reader(Generic[Array]):
    """An open file. It stays mapped until it is closed; any number of threads can share one reader."""

    @property
    def frames(self) -> int:
        """The number of frames that can be read, at `sample_rate`."""
    @property
    def sample_rate(self) -> int:
        """The sample rate of what is read, in Hz."""
    @property
    def channels(self) -> int:
        """The number of channels of what is read: 1 with `mono=True`."""
    @property
    def duration(self) -> float:
        """The length of what is read in seconds: frames / sample_rate."""
    @property
    def closed(self) -> bool:
        """Whether the reader is closed."""
    def read(self, num_frames: int = -1) -> Array:
        """Reads the next num_frames frames, or all remaining ones when it is negative; fewer at the end."""
    def seek(self, frame: int, whence: int = 0) -> int:
        """Moves to a frame, relative to the start (whence=0), the position (1) or the end (2), and returns the new position."""
    def tell(self) -> int:
        """The position: the next frame that read returns."""
    def seek_table(self) -> bytes | None:
        """Returns bytes that spare another opening of the file, by this process or another, the scan for its packets: load, stream and
        open take them as seek_table. None if the file opens as fast without, as files of PCM and files under 256 KiB do.

        They belong to this track of a file of these bytes, and to this version of the decoder.
        """
    def blocks(self, size: int, overlap: int = 0) -> Blocks[Array]:
        """Returns an iterator of blocks of size frames from the start of the file, each starting size - overlap frames after the
        one before; the last may be shorter.
        """
    def view(self) -> Frames:
        """Returns the samples of the whole file in place: read-only, in the file's own type, without a copy."""
    def info(self) -> AudioInfo:
        """What the file says about itself: its own frames, rate and channels, whatever the reader delivers."""
    def close(self) -> None:
        """Closes the file; views of it stay valid and keep it mapped."""
    def _repr_html_(self) -> str:
        """What a notebook shows: the waveform, the facts, and a player of the first seconds."""
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

    def load(
        self,
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
    ) -> tuple[Array, int]:
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
    def info(
        self,
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
    def stream(
        self,
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
    ) -> Stream[Array]:
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
    @overload
    def batch_load(
        self,
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
    ) -> list[tuple[Array, int]]:
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
        self,
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
    ) -> list[tuple[Array, int] | None]:
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
        self,
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
    ) -> tuple[Array, Array, int]:
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
    def iter_load(
        self,
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
    ) -> Loading[Array]:
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
    def batches(
        self,
        num_workers: int,
        sr: SampleRate | None = None,
        mono: bool = False,
        mono_mode: MonoMode = "mean",
        layout: Layout = "channels_last",
        dtype: DtypeLike = "float32",
        resample_quality: ResampleQuality = "default",
        squeeze_mono: bool = False,
        channels: int | Sequence[int] | None = None,
        num_channels: int | None = None,
        track: int | None = None,
        plugin: str | None = None,
        plugin_options: dict[str, str | int | float] | None = None,
        threads: int | None = 1,
        pad: float = 0.0,
        leaves_out: bool = False,
        reads_ahead: bool = True,
    ) -> Batches[Array]:
        """The batches of a Loader, which has the arguments: see mapwave.Loader."""
    def resample(
        self,
        audio: object,
        in_sr: SampleRate,
        out_sr: SampleRate,
        quality: ResampleQuality = "default",
        layout: SaveLayout = "auto",
        *,
        dtype: DtypeLike | None = None,
        threads: int | None = None,
    ) -> Array:
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
    @overload
    def open(
        self,
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
    ) -> Reader[Array]:
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
        self,
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
    def Decoder(
        self,
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
    ) -> Decoding[Array]:
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
    def __new__(cls, import_: Callable[[], Any], /, module: str) -> Self: ...

@final
class Cancellation:
    """Ends the work of a thread from another one."""

    def cancel(self) -> None:
        """Has the work end, from any thread."""
    def __new__(cls) -> Self: ...
    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any: ...

@final
class PreparedAudio:
    """Audio that is ready to be saved: evaluated, with its memory held, so that any thread can save it without using the array
    library it came from.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the array's axes."""
    @property
    def dtype(self) -> Dtype:
        """The type of the samples, such as "float32"."""
    @property
    def layout(self) -> Layout:
        """"channels_last" or "channels_first": the caller's choice, or what "auto" found."""
    @property
    def strides(self) -> tuple[int, ...]:
        """The strides in bytes."""
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
    """A file that is written in parts, for audio larger than memory. It appears at its path when it is closed."""

    @property
    def sample_rate(self) -> int:
        """The sample rate in Hz."""
    @property
    def channels(self) -> int:
        """The number of channels."""
    @property
    def frames_written(self) -> int:
        """The number of frames written so far."""
    @property
    def closed(self) -> bool:
        """Whether the writer is closed."""
    def write(self, chunk: object) -> None:
        """Appends frames: an array of any type that save takes, of the writer's layout and number of channels, or of one axis for a
        single channel.
        """
    def close(self) -> None:
        """Completes the file and puts it at its path. Closing again has no effect."""
    def abort(self) -> None:
        """Discards the file: the old one at its path stays as it was, and nothing else is left behind."""
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
    """A codec plugin: a library in a plugin directory, or a part of mapwave itself."""

    @property
    def id(self) -> str:
        """The name that plugin= takes; the file's name when it could not be loaded."""
    @property
    def loaded(self) -> bool:
        """Whether it is loaded."""
    @property
    def refused(self) -> str | None:
        """Why it was rejected, or None."""
    @property
    def origin(self) -> Literal["registered", "environment", "user", "embedded", "bundled", "system"]:
        """Where it comes from: "registered", "environment", "user", "embedded", "bundled" or "system"."""
    @property
    def path(self) -> Path | None:
        """The path of the library, or None for a part of mapwave itself."""
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
        """The libraries that it uses, with their versions."""
    @property
    def decodes(self) -> list[str]:
        """The codecs that it decodes, by FFmpeg's names."""
    @property
    def encodes(self) -> list[str]:
        """The codecs that it encodes, by FFmpeg's names."""
    @property
    def extensions(self) -> list[str]:
        """The usual extensions of the files that it decodes."""
    @property
    def resamples(self) -> list[str]:
        """The qualities of its resamplers, which resample_quality= takes."""

@final
class PluginDirectory:
    """A directory that is searched for plugins."""

    @property
    def path(self) -> Path:
        """Its path."""
    @property
    def origin(self) -> Literal["environment", "user", "bundled", "system"]:
        """Why it is searched: "environment", "user", "bundled" or "system"."""
    @property
    def exists(self) -> bool:
        """Whether it exists."""
    @property
    def refused(self) -> str | None:
        """Why nothing in it is loaded, or None."""

@final
class Limits:
    """What mapwave.limits returns: the limits that hold for the process. As a context manager it restores those before it.

    Attributes:
        max_frames: The most frames of an array, or None.
        max_bytes: The most bytes of an array; None is as many as the machine has memory.
        max_seconds: The longest array in seconds, or None.

    math.inf stands for no limit.
    """

    @property
    def max_frames(self) -> int | float | None:
        """"""
    @property
    def max_bytes(self) -> int | float | None:
        """"""
    @property
    def max_seconds(self) -> float | None:
        """"""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

def defaults(*, resample_quality: ResampleQuality | None = None) -> dict[str, str]:
    """Sets what holds for all calls of this process where an argument is "default" or not given, and returns all of it.

    Args:
        resample_quality: The quality of resampling, as in load. "default" leaves it to the environment variable
            MAPWAVE_RESAMPLE_QUALITY, and without that to mapwave. None changes nothing.

    Returns:
        A dict with resample_quality.

    Raises:
        ValueError: There is no such quality, here or in the environment variable.
    """

def limits(
    *,
    max_frames: float | Literal["default"] | None = None,
    max_bytes: float | Literal["default"] | None = None,
    max_seconds: float | Literal["default"] | None = None,
) -> Limits:
    """Limits how much each call of this process may return, on all threads, and returns the limits that hold.

    What exceeds a limit raises mapwave.LimitExceeded before memory is allocated for it: 200 kilobytes of FLAC can stand for 15
    gigabytes of silence. The limits hold for each array that load, batch_load, iter_load, or a Reader returns; an argument of
    the same name holds instead in its call. In a with statement, they hold until its end.

    Args:
        max_frames: The most frames of an array.
        max_bytes: The most bytes of an array. By default, it is the memory of the machine or of the control group that the process
            is in.
        max_seconds: The longest array in seconds.

    None changes nothing, math.inf allows any number, and "default" is what holds at first.

    Returns:
        Limits, with max_frames, max_bytes and max_seconds.

    Raises:
        ValueError: A limit is not above 0.
    """

def supports_soxr() -> bool:
    """Returns whether libsoxr can resample: whether its plugin is loaded."""

def loudness(
    source: Source | Reader[Any] | object,
    sr: SampleRate | None = None,
    *,
    layout: SaveLayout = "auto",
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
) -> Loudness:
    """Measures loudness by EBU R 128 (ITU-R BS.1770), with the range of EBU Tech 3342 and the true peak.

    A file is read in parts on all processors, in bounded memory. The result does not depend on the number of threads.

    Args:
        source: As path in load, a Reader, or an array as in save.
        sr: The sample rate of an array in Hz; a file has its own.
        layout: As in save, for an array.
        track, plugin, plugin_options, threads: As in load.

    Returns:
        Loudness, with integrated, range, true_peak, sample_peak and others.

    Raises:
        As load; ValueError for a rate below 4000 Hz, and for samples that are NaN or infinite.
    """

def plot(
    source: Source | Reader[Any] | object,
    sr: SampleRate | None = None,
    kind: Literal["waveform", "spectrogram", "both"] = "waveform",
    out: str | PathLike[str] | None = None,
    *,
    width: int = 1200,
    height: int | None = None,
    theme: Literal["auto", "light", "dark", "page"] = "auto",
    title: str | None = None,
    markers: Sequence[Marker | tuple[str, int] | tuple[str, int, int | None]] | None = None,
    layout: SaveLayout = "auto",
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
) -> Plot:
    """Draws the waveform or the spectrogram of audio as SVG or PNG.

    A waveform has the extremes of each column and, in a stronger colour, its root mean square; its axis has levels in dBFS. The
    frequencies of a spectrogram are on the mel scale. A notebook shows what this returns.

    Args:
        source: As path in load, a Reader, or an array as in save.
        sr: The sample rate of an array in Hz; a file has its own.
        kind: "waveform", "spectrogram" or "both".
        out: Where to write the picture: a name that ends in .svg or .png. None writes nothing.
        width: The width in pixels, 160 to 8192.
        height: The height in pixels, 160 to 8192; None is what the panels of all channels need.
        theme: "light", "dark", "auto", with which an SVG follows the system that shows it, or "page", with which an SVG that
            is part of a page has the page's ground and colour. A PNG is light but with "dark".
        title: What stands above the picture; None is the name of the file.
        markers: Frames to mark, as in save: a sequence of Marker, (label, start) or (label, start, end); None is those of the
            file, () is none.
        layout: As in save, for an array.
        track, plugin, plugin_options, threads: As in load.

    Returns:
        Plot, with svg(), png(), save(path), width and height.

    Raises:
        As load; ValueError for a size out of range, a marker past the end, and another extension.
    """

def silences(
    source: Source | Reader[Any] | object,
    sr: SampleRate | None = None,
    threshold_db: float = -50.0,
    min_duration: float = 0.3,
    *,
    layout: SaveLayout = "auto",
    track: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
) -> list[tuple[int, int]]:
    """Finds where audio is silent: where no sample of any channel exceeds a level.

    Args:
        source: As path in load, a Reader, or an array as in save.
        sr: The sample rate of an array in Hz; a file has its own.
        threshold_db: The level in dBFS, at most 0.
        min_duration: The least length of a silence in seconds; shorter ones are left out.
        layout: As in save, for an array.
        track, plugin, plugin_options, threads: As in load.

    Returns:
        A list of (start, stop) in frames, in their order: source[start:stop] is silent, and no frame beside it is.

    Raises:
        As load; ValueError for a threshold above 0 and a negative duration.
    """

def plugins() -> list[Plugin]:
    """Lists the codec plugins: those that are loaded, in order of precedence, and those that were rejected, with the reason.

    Returns:
        A list of Plugin.
    """

def plugin_directories() -> list[PluginDirectory]:
    """Lists the directories that are searched for plugins, in order of precedence.

    Returns:
        A list of PluginDirectory.
    """

def register_plugin(path: str | PathLike[str]) -> Plugin:
    """Loads a codec plugin from a path. It takes precedence over all others.

    Args:
        path: The library: a str or path.

    Returns:
        Plugin.

    Raises:
        FileNotFoundError: The file does not exist.
        mapwave.PluginError: It is not a plugin, or cannot be loaded; the message says why.
    """

def prepare_save(audio: object, layout: SaveLayout = "auto") -> PreparedAudio:
    """Evaluates audio and holds its memory, to be saved later and by any thread.

    Args:
        audio: An array of one axis or two, as in save; do not change it until it is saved.
        layout: As in save.

    Returns:
        PreparedAudio, with shape, dtype, layout, strides, n_bytes, frames and channels.

    Raises:
        ValueError: The array does not hold audio, or it is ambiguous which axis is that of the channels.
        TypeError: It is not an array.
    """

def retag(
    path: str | PathLike[str],
    *,
    tags: dict[str, str | int] | None = None,
    pictures: Sequence[Picture | bytes | str | PathLike[str]] | None = None,
    markers: Sequence[Marker | tuple[str, int] | tuple[str, int, int | None]] | None = None,
    bext: Bext | dict[str, Any] | Literal[False] | None = None,
    on_unknown_tags: Literal["error", "drop"] = "error",
    durable: bool = False,
) -> bool:
    """Changes the metadata of a file without decoding it. No sample changes.

    What is not given stays. A large file is changed in its place where the space suffices; otherwise a complete new file replaces
    the old one, as in save. After an error the file is as it was.

    Args:
        path: A str or path of a WAV, AIFF, CAF, FLAC, Ogg (Vorbis, Opus, FLAC), MP3, AAC or M4A file.
        tags: All tags that the file is to have, by lower-case Vorbis comment names; {} removes them, None keeps them. To change
            one, pass info(path).tags | {"title": "new"}.
        pictures: All pictures, as in save; () removes them.
        markers: All markers, as in save; () removes them.
        bext: The broadcast extension of a WAV file, as in save; {} writes an empty one, False removes it.
        on_unknown_tags: As in save.
        durable: As in save.

    Returns:
        True if the file was changed in its place, False if a new one has replaced it.

    Raises:
        ValueError: The format cannot hold something of it; the message says what.
        mapwave.UnsupportedFormat: The metadata of such a file cannot be changed, or the file is damaged.
        OSError: The file cannot be read or written; errno says why.
        TypeError: An argument is of the wrong type.
    """

def save(
    path: Target,
    audio: object,
    sr: SampleRate,
    layout: SaveLayout = "auto",
    encoding: Encoding = "float32",
    bitrate: Bitrate = "auto",
    clip: bool | Literal["rescale"] = True,
    flac_compression: FlacCompression = "default",
    *,
    format: str | None = None,
    dither: Dither = "none",
    seed: int = 0,
    tags: dict[str, str | int] | None = None,
    quality: int | None = None,
    effort: int | None = None,
    bit_depth: int | None = None,
    channel_mask: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
    durable: bool = False,
    pictures: Sequence[Picture | bytes | str | PathLike[str]] | None = None,
    markers: Sequence[Marker | tuple[str, int] | tuple[str, int, int | None]] | None = None,
    bext: Bext | dict[str, Any] | None = None,
    on_unknown_tags: Literal["error", "drop"] = "error",
    loudness: float | None = None,
    true_peak: float = -1.0,
) -> None:
    """Saves an array to an audio file.

    Saving is atomic: the path holds either the old file or the complete new one, for every program, at any time.

    Args:
        path: A str or path, or a writable binary file object, which is written from its position on.
        audio: An array of one axis (frames,) or two, of float32, float16, bfloat16, float64, int16 or int32, with any
            strides: MLX, NumPy, PyTorch, JAX, or anything with the buffer protocol or DLPack. It is read where it is;
            do not change it until this returns.
        sr: The sample rate in Hz, a whole number.
        layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames), or "auto": the axis of
            length 1, or the only one of at most 8, is that of the channels.
        encoding: "float32", "pcm16", "pcm24", "pcm32", "float64", "u8", "alaw" or "mulaw" for uncompressed files; for
            others a codec such as "alac", "aac", "mp3", "flac", "opus" or "vorbis", the bit depth of a lossless one
            ("pcm16", "pcm24"), or "float32" for the format's default codec. The names of libsndfile ("PCM_16"), FFmpeg
            ("pcm_s16le") and NumPy ("int16") are accepted too.
        bitrate: The bits per second of a lossy codec, such as 192000 or "192k"; "auto" leaves it to the codec.
        clip: True limits samples to -1.0 and 1.0, in floats too, and turns a NaN into 0 in integers. False keeps floats
            as they are and rejects samples beyond full scale where the encoding cannot hold them. "rescale" divides all
            samples by the peak when it is beyond 1.0.
        flac_compression: A level from 0 (fastest) to 8 (smallest), "fast", or "default", which is 5.
        format: The format instead of the path's extension: "wav", "rf64", "w64", "aiff", "aifc", "caf", "flac", ...
        dither: "none", or "tpdf" for triangular noise of one step before samples are rounded to integers.
        seed: The seed of the noise.
        tags: Metadata, by lower-case Vorbis comment names such as "title".
        pictures: Pictures such as a cover: a sequence of Picture, bytes of an image, or paths of image files.
        markers: Positions or ranges with names, in frames: a sequence of Marker, (label, start) or (label, start, end).
        bext: The broadcast extension of a WAV file: Bext, or a dict of its fields.
        on_unknown_tags: What happens to tags, pictures, markers and bext that the format cannot hold: "error" raises
            ValueError before anything is written, "drop" leaves them out.
        quality: The quality of a variable bitrate, from 1 to 100, instead of bitrate.
        effort: How much work the codec spends on compression, from 1 to 100.
        bit_depth: The bit depth of a lossless codec; None is 16 for int16 audio and 24 for all other.
        channel_mask: Speaker positions as a WAVE channel mask.
        plugin: The name of the plugin to encode with; None is the first that can.
        plugin_options: Options of that plugin's own, which `mapwave plugins list` shows: a dict of their names to values.
        threads: The most threads that may work; None allows one per processor. The bytes do not depend on it.
        durable: True waits until the file is on the disk (fsync), so that it survives a power failure right after. False
            leaves that to the system; the file is complete for every program either way.
        loudness: The integrated loudness that the file is to have, in LUFS, such as -23.0 (EBU R 128); None changes nothing. One
            gain is applied to all samples, less than that where the true peak would exceed true_peak. Silence stays as it is.
        true_peak: The greatest true peak that loudness may lead to, in dBTP.

    Raises:
        ValueError: The format or the codec does not support these settings. The message lists those it supports; nothing
            was written.
        FileNotFoundError, PermissionError, IsADirectoryError, OSError: The file cannot be written; errno says why.
        mapwave.UnsupportedFormat: No loaded plugin writes the format.
        mapwave.PluginError: A codec plugin failed; a RuntimeError.
        TypeError: An argument is of the wrong type.
    """

def save_prepared(
    path: Target,
    prepared: PreparedAudio,
    sr: SampleRate,
    encoding: Encoding = "float32",
    bitrate: Bitrate = "auto",
    clip: bool | Literal["rescale"] = True,
    flac_compression: FlacCompression = "default",
    *,
    format: str | None = None,
    dither: Dither = "none",
    seed: int = 0,
    tags: dict[str, str | int] | None = None,
    quality: int | None = None,
    effort: int | None = None,
    bit_depth: int | None = None,
    channel_mask: int | None = None,
    plugin: str | None = None,
    plugin_options: dict[str, str | int | float] | None = None,
    threads: int | None = None,
    durable: bool = False,
    pictures: Sequence[Picture | bytes | str | PathLike[str]] | None = None,
    markers: Sequence[Marker | tuple[str, int] | tuple[str, int, int | None]] | None = None,
    bext: Bext | dict[str, Any] | None = None,
    on_unknown_tags: Literal["error", "drop"] = "error",
    loudness: float | None = None,
    true_peak: float = -1.0,
) -> None:
    """Saves what prepare_save returned, on any thread: uses no array library, and leaves the interpreter free.

    Args:
        path: As in save.
        prepared: The PreparedAudio; it can be saved any number of times.
        sr, encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth,
        channel_mask, plugin, plugin_options, threads, durable, pictures, markers, bext, on_unknown_tags, loudness,
        true_peak: As in save.

    Raises:
        As save.
    """

def set_up_plugins(bundled: str | PathLike[str], checker: Sequence[str]) -> None:
    """Makes the embedded codecs known and says where the wheel's own plugins are and how others are tried; called once."""

def try_plugin(path: str | PathLike[str]) -> int:
    """Loads a library in this process, which exits afterwards, and returns the exit status."""

def run_command(args: Sequence[str], again: Sequence[str]) -> int | tuple[str, str]:
    """Runs the command and returns its exit status, or the name and the arguments of a command that Python runs.

    Args:
        args: The name of the program and its arguments.
        again: The program, with its first arguments, that is this command: for the processes that some commands start.

    Returns:
        int | tuple[str, str]: The exit status; or the name of the command, and its arguments as an object in JSON.
    """

def api_of(module: str) -> Api[Any]:
    """The `_api` of a module: how an [`Api`], and so a function of it, is unpickled."""

def members(path: Source) -> list[tuple[str, int, int]]:
    """Returns the regular files in a tar archive as (name, start, end)."""

def reopen(module: str, path: Source, options: dict[str, Any], position: int) -> Reader[Any]:
    """Opens a file as a reader was that is unpickled."""

def scan(
    files: Sequence[tuple[str, tuple[int, int, str] | None, tuple[int, int] | None]],
    num_workers: int,
    with_tables: bool,
) -> list[tuple[Any, ...] | None]:
    """Returns for each file a tuple of (bytes, mtime_ns, frames, sample_rate, channels, codec, container, error, seek_table), or None
    for one whose
    size and time of change are those that are known.
    """

def build_info() -> dict[str, Any]:
    """Returns the facts of the build and the machine, for show_build_info and the doctor."""

def check_interpreter() -> None:
    """Refuses any interpreter but the main one: types and functions are kept once per process, and threads of mapwave call Python in the
    main interpreter.
    """

def zeros(shape: Sequence[int], dtype: str) -> Frames:
    """Returns zeros that take up no memory, for a library that copies what it is given: they are read-only."""
