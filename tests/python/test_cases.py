"""Small files that were once read wrongly, each with the right length by the account of other decoders or the standard.

The files are not in the repository, since the licences of some are not clear; without them, these tests are skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import pytest

CASES = Path(os.environ.get("MAPWAVE_CASES", corpus.FIXTURES.parents[1] / "shared" / "cases"))

# Frames, sample rate, channels, whether it is truncated, and whether it needs the plugin over FFmpeg.
EXPECTED = {
    "ac3_three_frames.ac3": (4608, 48_000, 2, False, True),
    "adts_midframe.aac": (35_840, 44_100, 2, False, False),
    "adts_midframe_loses.aac": (61_440, 44_100, 2, False, False),
    "adts_then_48k.aac": (36_864, 44_100, 2, True, False),
    "adts_then_mono.aac": (36_864, 44_100, 2, True, False),
    "cut.opus": (95_688, 48_000, 1, True, False),
    "cut.tta": (25_077, 8000, 1, True, True),
    "cut.webm": (111_048, 48_000, 1, True, False),
    "flac_then_longer.flac": (8000, 16_000, 1, False, False),
    "flac_twice.flac": (8000, 16_000, 1, False, False),
    "m4a_middle_cut_out.m4a": (35_280, 44_100, 2, False, False),
    "m4a_two_edits_in_a_row.m4a": (44_100, 44_100, 2, False, False),
    "mp3_behind_text.mp3": (36_864, 44_100, 1, False, False),
    "mp3_behind_zeros.mp3": (36_864, 44_100, 1, False, False),
    "ts_dts.ts": (38_400, 48_000, 2, False, True),
    "ts_latm.ts": (39_936, 48_000, 2, False, True),
    "vorbis_3ch.ogg": (24_000, 48_000, 3, False, False),
    "vorbis_quad.ogg": (24_000, 48_000, 4, False, False),
    "vorbis_stereo_uncoupled.ogg": (38_400, 48_000, 2, False, False),
    "wmapro_seam.wma": (249_856, 44_100, 2, True, True),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_case_has_its_length(name: str) -> None:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    frames, sr, channels, is_truncated, needs_libav = EXPECTED[name]
    if needs_libav and not any(plugin.id == "libav" and plugin.loaded for plugin in mapwave.plugins()):
        pytest.skip("the plugin over FFmpeg is not installed")
    for source in (path, path.read_bytes()):
        info = mapwave.info(source)
        assert (info.frames, info.sample_rate, info.channels, info.is_truncated) == (frames, sr, channels, is_truncated)
        samples, rate = mapwave.numpy.load(source)
        assert (samples.shape, rate) == ((frames, channels), sr)
