"""A tour of mapwave on a real recording: `make demo`, or `python demo/demo.py [FILE]`.

Needs mapwave, MLX, NumPy and matplotlib. Writes demo-out/waveform.png in the working directory.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import matplotlib

matplotlib.use("Agg")

import mapwave
import matplotlib.pyplot as plt
import mlx.core as mx
import numpy as np

RECORDING = Path(__file__).resolve().parent.parent / "fixtures" / "valid" / "recording.wav"
PICTURE = Path("demo-out") / "waveform.png"
INK, QUIET, COLORS = "#1d2b3a", "#8896a5", ("#0b7285", "#e8590c")


def timed(call: Callable[[], mx.array]) -> tuple[mx.array, str]:
    """Returns the evaluated array of a call, and the median time of nine runs as text."""
    took = []
    for _ in range(9):
        began = perf_counter()
        array = call()
        mx.eval(array)
        took.append(perf_counter() - began)
    return array, f"{median(took) * 1e3:.3f} ms"


def show(what: str, array: mx.array, took: str = "") -> None:
    """Prints one line: the call, the shape and type of its result, and its time."""
    dtype = str(array.dtype).removeprefix("mlx.core.")
    print(f"  {what:<46} {array.shape!s:>13}  {dtype:<8} {took:>9}")


def load_whole_and_part(path: Path, rate: int) -> mx.array:
    """Loads the file and parts of it, and returns the whole file."""
    print("\nLoading into mlx.core.array")
    whole, took = timed(lambda: mapwave.load(path)[0])
    show("load(path)", whole, took)
    part, took = timed(lambda: mapwave.load(path, offset=1.0, duration=0.5)[0])
    show("load(path, offset=1.0, duration=0.5)", part, took)
    assert mx.array_equal(part, whole[rate : rate + rate // 2]).item(), "the part differs from the whole"
    for call, options in (
        ('load(path, mono=True, dtype="float16")', {"mono": True, "dtype": "float16"}),
        ('load(path, layout="channels_first")', {"layout": "channels_first"}),
        ("load(path, start=-100, channels=1)", {"start": -100, "channels": 1}),
    ):
        array, took = timed(lambda options=options: mapwave.load(path, **options)[0])
        show(call, array, took)
    return whole


def read_in_pieces(path: Path, rate: int) -> None:
    """Streams the file, and reads windows of an open reader."""
    print("\nReading part by part")
    chunks = [chunk for chunk, _ in mapwave.stream(path, chunk_frames=rate)]
    show(f"stream(path, chunk_frames={rate}): {len(chunks)} chunks", mx.concatenate(chunks))
    with mapwave.open(path) as reader:
        cut, took = timed(lambda: reader[rate : rate + rate // 10])
        show(f"open(path)[{rate}:{rate + rate // 10}]", cut, took)
        reader.seek(2 * rate)
        show(f"reader.seek({2 * rate}); reader.read(1024)", reader.read(1024))
        print(f"  {'reader.tell() of reader.frames':<46} {reader.tell():>6} of {reader.frames}")


def draw(samples: np.ndarray, rate: int, title: str) -> None:
    """Draws the waveform of each channel and the spectrogram of their mean."""
    seconds, channels = samples.shape[0] / rate, samples.shape[1]
    plt.rcParams.update({"font.size": 10, "axes.edgecolor": QUIET, "axes.labelcolor": INK, "text.color": INK})
    figure, axes = plt.subplots(
        channels + 1,
        1,
        figsize=(11, 2.2 * channels + 3.4),
        sharex=True,
        dpi=130,
        layout="constrained",
        height_ratios=[1] * channels + [2],
    )
    figure.suptitle(title, fontsize=12, fontweight="bold")
    times, peak = np.arange(samples.shape[0]) / rate, max(float(np.abs(samples).max()), 1e-3) * 1.1
    for channel, axis in enumerate(axes[:-1]):
        axis.plot(times, samples[:, channel], color=COLORS[channel % len(COLORS)], linewidth=0.4)
        axis.set(ylim=(-peak, peak), ylabel=f"channel {channel + 1}")
        axis.axhline(0, color=QUIET, linewidth=0.5)
        axis.grid(axis="x", color=QUIET, alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axis, quietest = axes[-1], np.finfo(np.float32).tiny
    *_, image = axis.specgram(
        samples.mean(axis=1) + quietest, NFFT=1024, noverlap=768, Fs=rate, cmap="magma", vmin=-140, vmax=-40
    )
    axis.set(xlim=(0, seconds), ylim=(0, rate / 2), xlabel="time (s)", ylabel="frequency (Hz)")
    figure.colorbar(image, ax=axis, label="dB/Hz", pad=0.01, aspect=18)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE)
    plt.close(figure)


def main() -> int:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDING
    facts = mapwave.info(path)
    rate, duration = facts.sample_rate, facts.frames / facts.sample_rate
    words = f"{duration:.2f} s, {rate} Hz, {facts.channels} channels, {facts.subtype} in {facts.container}"
    print(f"{path.name}: {words}, {facts.frames} frames")
    if duration < 3:
        print("The tour needs at least three seconds of audio; this file is shorter.", file=sys.stderr)
        return 1
    whole = load_whole_and_part(path, rate)
    read_in_pieces(path, rate)
    draw(np.array(whole), rate, f"{path.name}   {words}")
    python = os.path.relpath(sys.executable) if sys.prefix != sys.base_prefix else "python3"
    print(f"""
Done. mapwave loaded {path.name} whole and in part, streamed it, read windows of it through a reader, and
drew {PICTURE}. The half second that was read alone equals the same frames of the whole file.

Try next:
  {python} demo/demo.py your-own.wav
  {python} -c "import mapwave; print(mapwave.info('{_shown(path)}'))"
  {python} -c "import mapwave; print(mapwave.load('{_shown(path)}', start=-3, mono=True))"
  {python} -m mapwave doctor""")
    return 0


def _shown(path: Path) -> str:
    """The path relative to the working directory if it is below it, otherwise absolute."""
    absolute = path.resolve()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute)


if __name__ == "__main__":
    sys.exit(main())
