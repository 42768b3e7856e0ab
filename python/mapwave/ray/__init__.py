"""mapwave on many machines: Ray datasets of audio, and the conversion of whole directories.

Ray decides where and when the work runs; mapwave decodes and encodes::

    import mapwave.ray

    clips = mapwave.ray.read_audio("s3://bucket/clips", sr=16000, mono=True)    # as ray.data.read_audio, faster
    mapwave.ray.transcode("clips", "flac", format="flac", engine="ray")         # may be killed and run again

Ray itself is imported at the first call that needs it: ``pip install 'mapwave[ray]'``.
"""

from __future__ import annotations

from .batches import DecodeAudio, EncodeAudio
from .engines import run_parts
from .reading import read_audio
from .transcoding import Transcoded, transcode

__all__ = ["DecodeAudio", "EncodeAudio", "Transcoded", "read_audio", "run_parts", "transcode"]
