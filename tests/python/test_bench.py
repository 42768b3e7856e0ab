"""The benchmark: nothing is timed before it is right, its own files are right, and the whole command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import child
import numpy as np
import peers as programs
import pytest

pytest.importorskip("mlx.core", exc_type=ImportError)

from mapwave.bench import clips, results, timing
from mapwave.bench.clips import Clips
from mapwave.bench.peers.base import Peer
from mapwave.bench.task import Task, wrong_unless
from mapwave.bench.tasks import delivery, resampling, streaming
from mapwave.bench.timing import Effort

ONE_SECOND = 44_100


@pytest.fixture(scope="module")
def short_clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Two seconds of the sound."""
    return Clips(tmp_path_factory.mktemp("clips"), 2 * ONE_SECOND)


def run(rivals: dict[str, Any], **options: Any) -> dict[str, timing.Times]:
    """Times rivals whose result must be the number of the round."""
    task = Task("task", "us", rivals, lambda got, turn: wrong_unless(got == turn), 5, **options)
    return timing.run(task, Effort())


def test_a_wrong_rival_is_reported_and_not_timed() -> None:
    calls = {"right": 0, "wrong": 0}

    def right(turn: int) -> int:
        calls["right"] += 1
        return turn

    def wrong(turn: int) -> int:
        calls["wrong"] += 1
        return -1

    times = run({"wrong": wrong, "right": right})
    assert list(times) == ["wrong", "right"]
    assert (times["wrong"].problem, times["wrong"].iterations, calls["wrong"]) == ("wrong result", 0, 1)
    # Once checked, twice to warm up, and five times.
    assert (times["right"].problem, times["right"].iterations, calls["right"]) == ("", 5, 8)


def test_a_rival_that_goes_wrong_later_is_found_by_as_many_rounds_as_are_checked() -> None:
    times = run({"late": lambda turn: turn if turn < 2 else -1}, rounds_checked=3)
    assert times["late"].problem == "wrong result"


def test_a_rival_that_raises_is_a_row_that_says_so() -> None:
    def fail(_: int) -> int:
        raise OSError("no such\nfile")

    times = run({"right": lambda turn: turn, "failing": fail}, floor=lambda _: None)
    assert times["failing"].problem == "OSError: no such"
    assert (times["right"].iterations, times["floor"].iterations) == (5, 5)


def test_the_rivals_take_turns_at_being_first() -> None:
    order: list[tuple[int, str]] = []
    rivals = {name: lambda turn, name=name: order.append((turn, name)) or turn for name in "abc"}
    run(rivals)
    timed = [(turn, name) for turn, name in order[3:] if turn >= 0]
    rounds = [[name for turn, name in timed if turn == number] for number in range(5)]
    assert all(sorted(names) == ["a", "b", "c"] for names in rounds)
    assert [names[0] for names in rounds] == ["a", "b", "c", "a", "b"]


def test_a_task_ends_when_its_time_is_over() -> None:
    task = Task("task", "us", {"right": lambda turn: turn}, lambda got, turn: "", 1_000_000)
    assert timing.run(task, Effort(seconds=0.0))["right"].iterations == Effort.least_rounds


@pytest.mark.parametrize("kind", clips.PCM)
def test_the_files_hold_the_sound(short_clips: Clips, kind: str) -> None:
    decoded = programs.ffmpeg(Path(short_clips.path(kind)), clips.NUM_CHANNELS)
    assert np.array_equal(decoded, short_clips.expected(kind))


def test_a_result_of_any_layout_is_compared() -> None:
    expected = np.arange(40, dtype=np.float32).reshape(20, 2)
    assert delivery.compare_exactly(expected, expected) == ""
    assert delivery.compare_exactly(expected.T, expected) == ""
    assert delivery.compare_exactly(expected[:, 0], expected[:, :1]) == ""
    assert "(19, 2) instead of (20, 2)" in delivery.compare_exactly(expected[1:], expected)
    assert "float64" in delivery.compare_exactly(expected.astype(np.float64), expected)
    off = expected.copy()
    off[7, 1] += 1e-5
    assert delivery.compare_exactly(off, expected) == "wrong result"


def test_two_decoders_may_differ_by_noise_and_padding_and_no_more() -> None:
    expected = np.random.default_rng(1).normal(size=(20_000, 2)).astype(np.float32)
    noise = np.random.default_rng(2).normal(size=expected.shape).astype(np.float32)
    padded = np.concatenate([expected + noise * np.float32(1e-4), np.zeros((2_000, 2), np.float32)])
    assert delivery.compare_nearly(padded, expected) == ""
    assert "40 dB" in delivery.compare_nearly(expected + noise * np.float32(1e-2), expected)
    assert "dB" in delivery.compare_nearly(np.roll(expected, 1, axis=0), expected)
    assert "frames" in delivery.compare_nearly(expected[:-1], expected)
    assert "frames" in delivery.compare_nearly(np.tile(expected, (2, 1)), expected)


def sines(sample_rate: int, frequencies: tuple[float, ...], seconds: int = 4) -> np.ndarray:
    """Tones at these frequencies, which end where they began."""
    time = np.arange(seconds * sample_rate)[:, np.newaxis] / sample_rate
    return sum(np.sin(2 * np.pi * frequency * time + frequency) for frequency in frequencies)


def test_the_transform_resamples_tones_and_drops_what_is_too_high() -> None:
    resampled = resampling.fourier(sines(44_100, (440, 6_000, 12_000)), 44_100, 16_000)
    assert np.abs(resampled - sines(16_000, (440, 6_000))).max() < 1e-9


def test_the_band_is_what_is_compared() -> None:
    wanted = sines(16_000, (440, 1_000))
    outside = wanted + 0.1 * sines(16_000, (7_900,))
    assert resampling.band_snr(outside, wanted, resampling.PEER_BAND) > 100
    assert resampling.band_snr(outside, wanted, 1.0) < 30
    assert resampling.band_snr(np.roll(wanted, 1, axis=0), wanted, resampling.PEER_BAND) < 20
    assert resampling.band_snr(wanted * 1.01, wanted, resampling.PEER_BAND) < 45


def test_a_stream_that_stops_early_or_repeats_is_wrong() -> None:
    expected = np.random.default_rng(3).normal(size=(1_000, 2)).astype(np.float32)
    check = streaming.checker(expected, is_lossless=True)
    assert check((1_000, [(0, expected[:400]), (800, expected[800:])]), 0) == ""
    assert "999 frames" in check((999, []), 0)
    assert check((1_000, [(0, expected[:400]), (800, expected[700:900])]), 0) == "wrong result"


def test_a_peer_can_what_it_has_a_method_for() -> None:
    class Half(Peer):
        name = "half"
        needs = ("not_a_module_of_anybody",)

        def load(self, path: str) -> str:
            return path

    assert (Half().can("load"), Half().can("window"), Half.is_installed()) == (True, False, False)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the benchmark as its users do."""
    words = [sys.executable, "-m", "mapwave", "bench", *map(str, arguments)]
    return subprocess.run(words, env=child.environment(), capture_output=True, text=True, timeout=300)


def test_the_whole_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = command("--quick", "--filter", "whole CAF,import", "--peers", "soundfile", "--out", out)
    assert done.returncode == 0, done.stderr
    path = results.newest(out)
    assert path is not None
    found = results.read(path)
    assert found.is_quick
    assert {row.task for row in found.rows} == {"whole CAF to mx.array", "import"}
    subjects = [row for row in found.rows if row.rival == "mapwave"]
    assert len(subjects) == 2
    assert all(row.times.median > 0 and not row.times.problem for row in subjects)
    assert "| whole CAF to mx.array | mapwave |" in done.stdout
    assert path.with_suffix(".md").read_text().count("| import |") == 1
    if "without matplotlib" not in done.stdout:
        assert path.with_suffix(".png").exists()
    # The same figures once more are not a regression.
    again = command("compare", path, path)
    assert (again.returncode, "no regression" in again.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--filter", "no such task"], "no task has 'no such task' in its name"),
        (["--peers", "nobody"], "there is no peer nobody; there are mapwave, mlx-audio-io"),
        (["--against", "missing.json"], "missing.json"),
        (["--against", "last"], "there is no earlier run in"),
    ],
)
def test_what_cannot_be_run(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = command(*arguments, "--out", tmp_path / "none")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert not (tmp_path / "none").exists()


def test_tasks_and_peers_are_listed(tmp_path: Path) -> None:
    done = command("--list", "--out", tmp_path / "none")
    assert done.returncode == 0
    assert {"whole PCM16 to mx.array", "load + resample to 16 kHz, mono", "info", "peer: mapwave"} <= {
        *done.stdout.splitlines()
    }


def test_importing_mapwave_imports_no_benchmark(tmp_path: Path) -> None:
    code = """
        import mapwave, mapwave.numpy
        print([name for name in sys.modules if name.startswith("mapwave.bench")])
    """
    assert child.run(tmp_path, code) == "[]\n"


def test_without_numpy_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = """
        import importlib.util
        find = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *rest: None if name == "numpy" else find(name, *rest)
        from mapwave.bench.command import main
        print(main([]), "numpy" in sys.modules)
    """
    assert child.run(tmp_path, code) == "2 False\n"
