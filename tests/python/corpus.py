"""The fixtures of the repository, and what they hold by other readers' account."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
RECORDING = FIXTURES / "valid" / "recording.wav"
PCM16 = FIXTURES / "valid" / "wav-pcm16.wav"
FLOAT32 = FIXTURES / "valid" / "wav-extensible-float32.wav"

# PROVENANCE.md: libsndfile refuses a CAF file whose data size is left open.
_REFUSED_BY_LIBSNDFILE = {"caf-be-float64-open.caf"}


@dataclass(frozen=True)
class Expected:
    """A row of valid/expected.tsv."""

    path: Path
    container: str
    codec: str
    sample_rate: int
    channels: int
    frames: int
    sha256_f32le: str
    variant: str | None


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def valid() -> list[Expected]:
    folder = FIXTURES / "valid"
    return [
        Expected(
            path=folder / row["file"],
            container=row["container"],
            codec=row["codec"],
            sample_rate=int(row["sample_rate"]),
            channels=int(row["channels"]),
            frames=int(row["frames"]),
            sha256_f32le=row["sha256_f32le"],
            variant=row["variant"] or None,
        )
        for row in _rows(folder / "expected.tsv")
    ]


def readable_by_libsndfile() -> list[Path]:
    return [row.path for row in valid() if row.path.name not in _REFUSED_BY_LIBSNDFILE] + [RECORDING]


def malformed() -> dict[str, str]:
    """The verdict by file name: "refuse" or "either"."""
    return {row["file"]: row["verdict"] for row in _rows(FIXTURES / "malformed" / "expected.tsv")}


def exact(path: Path) -> np.ndarray:
    """The samples as `(frames, channels)` float64, which holds every format's exactly; by libsndfile."""
    return soundfile.read(path, dtype="float64", always_2d=True)[0]
