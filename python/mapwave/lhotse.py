"""mapwave for Lhotse: an audio backend for its recordings and cuts.

::

    import lhotse.audio
    import mapwave.lhotse

    lhotse.audio.set_current_audio_backend("MapwaveBackend")
    cut = lhotse.Recording.from_file("speech.mp3").to_cut()
    samples = cut.truncate(offset=1.5, duration=2.0).load_audio()       # these two seconds alone are decoded
"""

from __future__ import annotations

import os
from typing import Any

from lhotse.audio.backend import AudioBackend, LibsndfileCompatibleAudioInfo
from lhotse.utils import compute_num_samples

import mapwave.numpy

__all__ = ["MapwaveBackend"]

#: Formats whose integers lhotse users expect; the others have defaults of their own.
_PCM16 = (None, "wav", "flac")


class MapwaveBackend(AudioBackend):  # type: ignore[misc, unused-ignore]
    """Reads, describes and saves audio with mapwave wherever Lhotse does: importing this module makes its name known.

    Windows begin and end at the frames that Lhotse rounds their times to. Opus is read at the rate of the recording,
    and at 48 kHz where there is none, which is the rate of every Opus stream.
    """

    def read_audio(
        self,
        path_or_fd: Any,
        offset: float = 0.0,
        duration: float | None = None,
        force_opus_sampling_rate: int | None = None,
    ) -> tuple[Any, int]:
        """The samples as float32 of shape (channels, frames), and their rate."""
        with _opened(path_or_fd, force_opus_sampling_rate) as reader:
            rate = reader.sample_rate
            start = compute_num_samples(offset, rate) if offset else 0
            stop = None if duration is None else start + compute_num_samples(duration, rate)
            return reader[start:stop], rate

    def info(self, path_or_fd: Any, force_opus_sampling_rate: int | None = None) -> LibsndfileCompatibleAudioInfo:
        """What Lhotse makes a recording of."""
        with _opened(path_or_fd, force_opus_sampling_rate) as reader:
            frames, rate = len(reader), reader.sample_rate
            return LibsndfileCompatibleAudioInfo(reader.info().channels, frames, rate, frames / rate)

    def save_audio(
        self, dest: Any, src: Any, sampling_rate: int, format: str | None = None, encoding: str | None = None
    ) -> None:
        """Saves samples of shape (channels, frames), in 16 bits for WAV and FLAC unless the encoding says otherwise."""
        named = format or (os.path.splitext(dest)[1].lstrip(".") if isinstance(dest, str | os.PathLike) else None)
        encoding = encoding or ("pcm16" if named in _PCM16 else "float32")
        mapwave.numpy.save(dest, src, sampling_rate, "channels_first", encoding, format=named)

    def supports_save(self) -> bool:
        """Whether this backend saves: it does."""
        return True

    def supports_info(self) -> bool:
        """Whether this backend describes files: it does."""
        return True


def _opened(path_or_fd: Any, forced_rate: int | None) -> Any:
    """A reader of a file: Lhotse also has paths of members of tar files, and objects that are at their end.

    Lhotse names a rate for every file, and means those of Opus alone.
    """
    if isinstance(path_or_fd, str | os.PathLike) and ".tar/" in os.fspath(path_or_fd):
        from lhotse.serialization import TarAsDirBackend

        path_or_fd = TarAsDirBackend().open(path_or_fd)
    source = path_or_fd.read() if hasattr(path_or_fd, "read") else path_or_fd
    reader = mapwave.numpy.open(source, layout="channels_first", threads=1)
    if forced_rate in (None, reader.sample_rate) or reader.info().codec != "opus":
        return reader
    reader.close()
    return mapwave.numpy.open(source, sr=forced_rate, layout="channels_first", threads=1)
