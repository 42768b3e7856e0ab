"""What mapwave wants to reach: a column of the table, and never an assertion in a test."""

from __future__ import annotations

RATIOS: dict[tuple[str, str], float] = {
    ("whole PCM16 to mx.array", "mlx-audio-io"): 7.0,
    ("whole PCM24 to mx.array", "mlx-audio-io"): 10.0,
    ("whole f32 to mx.array", "mlx-audio-io"): 6.0,
    ("whole PCM16 to mx.array", "soundfile (NumPy)"): 4.0,
    ("whole PCM16 to float16 mx.array", "mlx-audio-io"): 10.0,
    ("whole PCM16 to NumPy", "soundfile (NumPy)"): 4.0,
    ("whole f32 to NumPy", "soundfile (NumPy)"): 1.7,
    ("1 s by path", "mlx-audio-io"): 1.3,
    ("10 s by path", "mlx-audio-io"): 2.3,
    ("0.1 s by Reader", "mlx-audio-io"): 3.5,
    ("1 s by Reader", "mlx-audio-io"): 2.5,
    ("info", "mlx-audio-io"): 1.0,
    ("whole MP3 to mx.array", "mlx-audio-io"): 2.2,
    ("whole AAC to mx.array", "mlx-audio-io"): 1.7,
    ("whole FLAC to mx.array", "mlx-audio-io"): 2.2,
    ("whole ALAC to mx.array", "mlx-audio-io"): 1.6,
    ("whole Vorbis to mx.array", "soundfile (NumPy)"): 3.0,
    ("whole FLAC to mx.array", "soundfile (NumPy)"): 1.5,
    ("load + resample to 16 kHz, stereo", "mlx-audio-io"): 3.0,
    ("load + resample to 16 kHz, stereo", "mlx-audio-io low_memory"): 1.5,
    ("load + resample to 16 kHz, mono", "librosa + mx.array"): 3.0,
    ("epoch over 2000 files: 1 s windows, 2 workers", "mlx-audio-io"): 2.0,
    ("save f32", "mlx-audio-io"): 2.0,
    ("save PCM16", "mlx-audio-io"): 2.5,
    ("save FLAC", "soundfile (from mx.array)"): 2.0,
    ("save M4A", "mlx-audio-io"): 1.0,
    ("save MP3", "mlx-audio-io"): 1.0,
}
"""How many times faster than a rival, by task."""

PEAK_MEMORY_MB = 8.0
"""At most so much beyond the output, for every whole-file load."""
