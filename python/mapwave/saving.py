"""Saving: the same functions whatever array library the audio is from."""

from __future__ import annotations

from ._core import PreparedAudio, prepare_save, write_prepared
from .types import Bitrate, Clip, Dither, FlacCompression, SaveLayout, Target

__all__ = ["PreparedAudio", "prepare_save", "save", "save_prepared"]


def save(
    path: Target,
    audio: object,
    sr: float,
    layout: SaveLayout = "auto",
    encoding: str = "float32",
    bitrate: Bitrate = "auto",
    clip: Clip = True,
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
    codec: str | None = None,
    threads: int | None = None,
    durable: bool = True,
) -> None:
    """Saves an array to an audio file.

    The file takes the place of an old one when it is whole: the path holds either the old file or the new one, whatever
    happens.

    Args:
        path: A str or path, or a writable binary file object, to which bytes go from its position on.
        audio: An array of one axis (frames,) or two, of float32, float16, bfloat16, float64, int16 or int32, with any
            strides: MLX, NumPy, PyTorch, JAX, or anything with the buffer protocol or DLPack. It is read where it is;
            do not change it meanwhile.
        sr: The sample rate in Hz, a whole number.
        layout: "channels_last" for (frames, channels), "channels_first" for (channels, frames), or "auto": an axis of
            length 1, or the only one of at most 8, is that of the channels.
        encoding: "float32", "pcm16", "pcm24", "pcm32", "float64", "u8", "alaw" or "mulaw" in uncompressed files; in
            others a codec's name such as "alac", "aac", "mp3", "flac", "opus" or "vorbis", the depth of a lossless
            one ("pcm16", "pcm24"), or "float32" for the usual one.
        bitrate: Bits a second of a lossy codec, such as 192000 or "192k"; "auto" leaves it to the codec.
        clip: True holds samples at -1.0 and 1.0, in floats too, and makes a NaN 0 in integers. False keeps floats as
            they are and refuses samples beyond full scale where they would not fit. "rescale" divides all by the peak
            when it is beyond 1.0.
        flac_compression: A level from 0, fast, to 8, small, or "default", which is 5, or "fast".
        format: The format instead of the path's extension: "wav", "rf64", "w64", "aiff", "aifc", "caf", "flac", ...
        dither: "none", or "tpdf" for triangular noise of one step before samples are rounded to integers.
        seed: Which noise.
        tags: Metadata, by lower-case Vorbis comment names such as "title", as far as the format has room for them.
        quality: The quality of a variable bitrate, from 1 to 100, instead of bitrate.
        effort: How hard a codec tries, from 1 to 100.
        bit_depth: The depth of a lossless codec in bits; None is 16 for int16 audio and 24 for all other.
        channel_mask: Speaker positions as a WAVE channel mask.
        codec: The name of the codec plugin to use; None is the first that can.
        threads: How many threads may work; None is one for each processor. The bytes are the same for any number.
        durable: Whether the file is on the disk when this returns. False leaves that to the system and is faster; the
            file is whole either way, unless the machine itself crashes within seconds.

    Raises:
        ValueError: Something cannot be written so; nothing was written. The message lists what is possible.
        FileNotFoundError, PermissionError, IsADirectoryError, OSError: The file cannot be written; errno says why.
        mapwave.UnsupportedFormat: No plugin that is loaded writes the format.
        mapwave.PluginError: A codec plugin is at fault; a RuntimeError.
        TypeError: An argument is of the wrong type.
    """
    prepared = prepare_save(audio, layout)
    save_prepared(
        path,
        prepared,
        sr,
        encoding,
        bitrate,
        clip,
        flac_compression,
        format=format,
        dither=dither,
        seed=seed,
        tags=tags,
        quality=quality,
        effort=effort,
        bit_depth=bit_depth,
        channel_mask=channel_mask,
        codec=codec,
        threads=threads,
        durable=durable,
    )


def save_prepared(
    path: Target,
    prepared: PreparedAudio,
    sr: float,
    encoding: str = "float32",
    bitrate: Bitrate = "auto",
    clip: Clip = True,
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
    codec: str | None = None,
    threads: int | None = None,
    durable: bool = True,
) -> None:
    """Saves what prepare_save has prepared, on any thread: no array library is touched, and the interpreter is free.

    Args:
        path: As in save.
        prepared: What prepare_save returned; it can be saved any number of times.
        sr, encoding, bitrate, clip, flac_compression, format, dither, seed, tags, quality, effort, bit_depth,
        channel_mask, codec, threads, durable: As in save.

    Raises:
        As save.
    """
    arguments = {
        "sr": sr,
        "encoding": encoding,
        "bitrate": bitrate,
        "clip": clip,
        "flac_compression": flac_compression,
        "format": format,
        "dither": dither,
        "seed": seed,
        "tags": tags,
        "quality": quality,
        "effort": effort,
        "bit_depth": bit_depth,
        "channel_mask": channel_mask,
        "codec": codec,
        "threads": threads,
        "durable": durable,
    }
    write_prepared(path, prepared, arguments)
