"""Fuzz the Python package with arguments of any kind and files of any kind.

    python fuzz/python.py [options of libFuzzer]

It needs atheris (`pip install atheris`) and says so where that is not installed. The Python code that is reached guides
it; the compiled part is fuzzed by the targets in Rust.

What must hold: an argument is honoured or refused by an error of the package or by the exception that a user expects.
What is loaded has the frames and the channels that `info` says. A batch has what its files have one by one.
"""

import io
import sys
import tempfile
from pathlib import Path

try:
    import atheris
except ImportError:
    print("skipped: fuzzing the Python package, since atheris is not installed (pip install atheris)")
    sys.exit(0)

with atheris.instrument_imports(include=["mapwave"]):
    import mapwave
    import mapwave.numpy as mwn

import numpy as np

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
FILES = [
    FIXTURES / place
    for place in (
        "valid/wav-pcm16.wav",
        "valid/aiff-pcm24.aiff",
        "valid/caf-le-float32.caf",
        "compressed/flac8-mono.flac",
        "compressed/opus-voice.ogg",
        "compressed/mp3-vbr-mono.mp3",
        "malformed/wav-fmt-size-0.wav",
        "malformed/aiff-frames-max.aiff",
    )
]
#: What a user expects where an argument or a file is wrong.
EXPECTED = (mapwave.AudioError, TypeError, ValueError, OverflowError, OSError, KeyError, IndexError, MemoryError)
WORK = Path(tempfile.mkdtemp(prefix="mapwave-fuzz-"))


class Arguments:
    """Values of any kind from bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = atheris.FuzzedDataProvider(data)

    @atheris.instrument_func
    def any(self) -> object:
        """A value that somebody might pass."""
        take = self.data
        made = [
            lambda: None,
            lambda: take.ConsumeInt(8),
            lambda: take.ConsumeIntInRange(0, 50_000),
            lambda: take.ConsumeFloat(),
            lambda: take.ConsumeIntInRange(0, 3000) / 1000,
            lambda: take.ConsumeUnicode(12),
            lambda: take.ConsumeBool(),
            lambda: [take.ConsumeIntInRange(-2, 4) for _ in range(take.ConsumeIntInRange(0, 3))],
            lambda: take.PickValueInList(
                ["mean", "float32", "int16", "float16", "channels_first", "best", "builtin", "fast"]
            ),
            lambda: np.float32(take.ConsumeFloat()),
            lambda: take.ConsumeBytes(8),
            lambda: {"a": 1},
        ]
        return take.PickValueInList(made)()

    def some(self, names: list[str]) -> dict[str, object]:
        """A few keyword arguments."""
        return {self.data.PickValueInList(names): self.any() for _ in range(self.data.ConsumeIntInRange(0, 4))}


READING = [
    "offset", "duration", "start", "stop", "sr", "mono", "channels", "num_channels", "dtype", "layout", "plugin",
    "track", "resample_quality", "mono_mode", "max_frames", "max_bytes", "max_seconds", "squeeze_mono", "threads",
    "nothing",
]  # fmt: skip
WRITING = [
    "format",
    "encoding",
    "bitrate",
    "quality",
    "effort",
    "dither",
    "overflow",
    "tags",
    "layout",
    "gain",
    "plugin",
]


def whole(source: object) -> None:
    """A file by all ways without arguments."""
    info = mapwave.info(source)
    audio, rate = mwn.load(source)
    frames, channels = (audio.shape[0], audio.shape[1] if audio.ndim == 2 else 1)
    assert (frames, channels, rate) == (info.frames, info.channels, info.sample_rate), (audio.shape, rate, info)


@atheris.instrument_func
def one(data: bytes) -> None:
    """One input of the fuzzer."""
    arguments = Arguments(data)
    take = arguments.data
    kind = take.ConsumeIntInRange(0, 5)
    path = take.PickValueInList(FILES)
    try:
        if kind == 0:
            mwn.load(path, **arguments.some(READING))
        elif kind == 1:
            mapwave.info(arguments.any())
        elif kind == 2:
            shape = (take.ConsumeIntInRange(0, 40), take.ConsumeIntInRange(1, 3))
            audio = np.full(
                shape, take.ConsumeFloat(), take.PickValueInList(["float32", "float64", "int16", "int32", "uint8"])
            )
            target = WORK / f"x.{take.PickValueInList(['wav', 'aiff', 'caf', 'flac', 'opus', 'm4a', 'x'])}"
            mapwave.save(
                target, audio, take.PickValueInList([8000, 48_000, arguments.any()]), **arguments.some(WRITING)
            )
            info = mapwave.info(target)
            assert info.codec == "opus" or info.frames * info.channels == audio.size, (audio.shape, info)
            assert info.sample_rate > 0
        elif kind == 3:
            chosen = [take.PickValueInList(FILES[:6]) for _ in range(take.ConsumeIntInRange(0, 3))]
            options = arguments.some(READING)
            alone = [mwn.load(path, **options) for path in chosen]
            batch = mwn.batch_load(chosen, **options)
            assert len(batch) == len(alone)
            for (one, rate), (other, other_rate) in zip(alone, batch, strict=True):
                assert rate == other_rate and np.array_equal(one, other, equal_nan=True)
        else:
            body = bytearray(path.read_bytes())
            for _ in range(take.ConsumeIntInRange(0, 6)):
                body[take.ConsumeIntInRange(0, len(body) - 1)] = take.ConsumeIntInRange(0, 255)
            source = bytes(body)
            whole(source if kind == 4 else io.BytesIO(source))
    except EXPECTED:
        pass


def main() -> None:
    """Run libFuzzer."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
