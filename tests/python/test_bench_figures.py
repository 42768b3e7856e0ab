"""What the benchmark computes from what it measured: quantiles, ratios, JSON, regressions, charts."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mlx.core", exc_type=ImportError)

from mapwave.bench import chart, memory, regressions, report, results, targets
from mapwave.bench.peers import peer_of
from mapwave.bench.results import Results
from mapwave.bench.timing import Times, quantile


def make_results(
    subject: float, peer: float, *, task: str = "load", quick: bool = False, cpu: str = "one", problem: str = ""
) -> Results:
    """A run of one task by mapwave and one peer."""
    taken = {
        "mapwave": Times(problem=problem) if problem else Times(subject, subject, 5),
        "soundfile + mx.array": Times(peer, peer, 5),
    }
    rows = report.timed_rows(task, "ms", taken, "Whole files", 10.0)
    return Results("2026-01-01T00:00:00+00:00", {"cpu": cpu}, {"soundfile": "1"}, {"version": "0"}, quick, rows)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 21])
def test_quantiles_are_those_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count).tolist()
    ordered = sorted(values)
    assert quantile(ordered, 0.5) == pytest.approx(statistics.median(values))
    for share in (0.0, 0.1, 0.9, 1.0):
        assert quantile(ordered, share) == pytest.approx(np.quantile(values, share))


def test_the_median_of_unsorted_values() -> None:
    assert Times.of([3.0, 1.0, 2.0]) == Times(2.0, pytest.approx(2.8), 3)
    assert Times.of([3.0, 1.0], ordered=True).series == (3.0, 1.0)


def test_ratios_are_over_mapwave_and_over_the_floor() -> None:
    taken = {"mapwave": Times(2.0), "soundfile": Times(5.0), "librosa": Times(problem="no"), "floor": Times(1.0)}
    rows = {row.rival: row for row in report.timed_rows("task", "ms", taken)}
    assert (rows["mapwave"].ratio, rows["mapwave"].over_floor) == (None, 2.0)
    assert (rows["soundfile"].ratio, rows["soundfile"].over_floor) == (2.5, 5.0)
    assert (rows["librosa"].ratio, rows["librosa"].over_floor) == (None, None)
    assert (rows["floor"].ratio, rows["floor"].over_floor) == (None, None)


def test_a_quick_run_is_not_held_against_targets_that_were_set_for_more_sound() -> None:
    (task, rival), wanted = next(iter(targets.RATIOS.items()))
    taken = {"mapwave": Times(1.0), rival: Times(2 * wanted)}
    for is_judged, expected in [(True, [None, True]), (False, [None, None])]:
        rows = report.timed_rows(task, "ms", taken, is_judged=is_judged)
        assert [row.met for row in rows] == expected
        assert [bool(row.target) for row in rows] == [False, is_judged]


def test_there_is_no_ratio_without_mapwave() -> None:
    rows = report.timed_rows("task", "ms", {"mapwave": Times(problem="no"), "soundfile": Times(5.0)})
    assert [row.ratio for row in rows] == [None, None]


@pytest.mark.parametrize(
    ("label", "peer"),
    [
        ("mapwave", "mapwave"),
        ("mapwave, 1 thread", "mapwave"),
        ("mlx-audio-io soxr_hq", "mlx-audio-io"),
        ("soundfile, soxr HQ + mx.array", "soundfile"),
        ("PyAV (NumPy)", "PyAV"),
        ("floor", "floor"),
        ("fresh huge pages, one core", "fresh huge pages, one core"),
    ],
)
def test_the_peer_behind_a_label(label: str, peer: str) -> None:
    assert peer_of(label) == peer


def test_the_table_says_what_went_wrong_and_names_a_task_once() -> None:
    rows = report.timed_rows("load", "ms", {"mapwave": Times(1.234, 2.0, 5), "soundfile": Times(problem="a|b")})
    lines = report.markdown(rows).splitlines()
    assert lines[2] == "| load | mapwave | 1.23 ms | 2.00 ms |  |  |  |  |"
    assert lines[3] == "|  | soundfile | a/b |  |  |  |  |  |"


def test_growth_is_from_the_first_epoch_to_the_last() -> None:
    assert memory.growth([100.0, 140.0, 103.0]) == Times(3.0, 3.0, 3, series=(100.0, 140.0, 103.0))


def test_json_gives_back_what_was_written(tmp_path: Path) -> None:
    written = make_results(1.0, 3.0)
    written.rows.append(report.memory_rows("growth", {"mapwave": memory.growth([1.0, 2.5])})[0])
    written.notes.append("a note")
    path = tmp_path / "results.json"
    path.write_text(results.as_json(written))
    assert json.loads(path.read_text())["schema"] == results.SCHEMA
    assert results.read(path) == written


@pytest.mark.parametrize(
    "text", ["", "[]", '{"rows": []}', '{"schema": 999, "rows": []}', '{"schema": 1, "rows": [{"task": 1}]}']
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(results.UnknownResults, match=r"other\.json"):
        results.read(path)


def test_the_newest_run_is_found_by_its_name(tmp_path: Path) -> None:
    assert results.newest(tmp_path) is None
    for name in ("2026-01-02T00-00-00.json", "2026-01-10T00-00-00.json", "2026-01-09T23-59-59.json"):
        (tmp_path / name).touch()
    assert results.newest(tmp_path) == tmp_path / "2026-01-10T00-00-00.json"


def regressed(old: Results, new: Results, **options: bool) -> list[str]:
    """The rivals that became slower."""
    return [change.rival for change in regressions.changes(old, new, **options) if change.is_regression]


def test_a_regression_is_ten_percent_beside_the_peer() -> None:
    old = make_results(10.0, 30.0)
    assert regressed(old, make_results(11.5, 30.0)) == ["mapwave"]
    assert regressed(old, make_results(10.5, 30.0)) == []
    assert regressed(old, make_results(5.0, 30.0)) == []


def test_a_slower_machine_is_no_regression_and_a_faster_one_hides_none() -> None:
    old = make_results(10.0, 30.0)
    assert regressed(old, make_results(15.0, 45.0)) == []
    assert regressed(old, make_results(10.0, 20.0)) == ["mapwave"]


def test_without_a_peer_the_median_alone_counts() -> None:
    old, new = make_results(10.0, 30.0), make_results(11.5, 30.0)
    for run in (old, new):
        del run.rows[1]
    assert regressed(old, new) == ["mapwave"]


def test_what_fails_now_is_a_regression_and_what_failed_before_is_not() -> None:
    right, wrong = make_results(10.0, 30.0), make_results(0.0, 30.0, problem="wrong result")
    assert regressed(right, wrong) == ["mapwave"]
    assert regressed(wrong, right) == []
    assert "wrong result" in regressions.describe(regressions.changes(right, wrong))


def test_memory_may_grow_by_a_megabyte() -> None:
    def run(megabytes: float) -> Results:
        rows = report.memory_rows("peak", {"mapwave": Times(megabytes, megabytes, 1)})
        return replace(make_results(1.0, 1.0), rows=rows)

    assert regressed(run(0.1), run(0.9)) == []
    assert regressed(run(10.0), run(10.9)) == []
    assert regressed(run(10.0), run(12.5)) == ["mapwave"]
    assert regressed(run(-0.5), run(2.0)) == ["mapwave"]


def test_other_machines_and_quick_runs_are_not_compared_with() -> None:
    old = make_results(10.0, 30.0)
    with pytest.raises(regressions.Incomparable, match="cpu: one and another"):
        regressions.changes(old, make_results(99.0, 30.0, cpu="another"))
    assert regressed(old, make_results(99.0, 30.0, cpu="another"), any_machine=True) == ["mapwave"]
    with pytest.raises(regressions.Incomparable, match="quick"):
        regressions.changes(old, make_results(99.0, 30.0, quick=True), any_machine=True)


def test_the_command_tells_by_its_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = {}
    for name, run in {
        "old": make_results(10.0, 30.0),
        "worse": make_results(12.0, 30.0),
        "elsewhere": make_results(10.0, 30.0, cpu="another"),
    }.items():
        paths[name] = tmp_path / f"{name}.json"
        paths[name].write_text(results.as_json(run))
    old = paths["old"]
    assert regressions.main(old, old) == 0
    assert "no regression over 10% in 1 rows" in capsys.readouterr().out
    assert regressions.main(old, paths["worse"]) == 1
    assert "| load | mapwave | 10.0 ms | 12.0 ms | 1.20x | 1.20x |" in capsys.readouterr().out
    assert regressions.main(old, paths["elsewhere"]) == 2
    assert regressions.main(old, tmp_path / "missing.json") == 2
    assert "missing.json" in capsys.readouterr().err


def test_the_bars_are_of_what_is_delivered_to_mlx() -> None:
    taken = {
        "mapwave": Times(1.0),
        "soundfile (NumPy)": Times(2.0),
        "soundfile + mx.array": Times(3.0),
        "mlx-audio-io": Times(4.0),
        "mlx-audio-io soxr_hq": Times(5.0),
        "librosa": Times(problem="no"),
        "floor": Times(0.5),
    }
    drawn = chart.bars(report.timed_rows("load", "ms", taken, "Whole files"))
    assert [(bar.peer, bar.ratio) for bar in drawn["Whole files", "load"]] == [
        ("soundfile", 3.0),
        ("mlx-audio-io", 4.0),
    ]


def test_charts_are_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    written = chart.draw(make_results(10.0, 5.0), tmp_path / "ratios")
    panel = chart.Panel("load", "seconds of sound", {"mapwave": [(10.0, 0.1), (60.0, 0.6)]})
    written += chart.draw_panels([panel], make_results(1.0, 2.0), tmp_path / "curves")
    assert [path.name for path in written] == ["ratios.png", "ratios.svg", "curves.png", "curves.svg"]
    for path in written:
        start = b"\x89PNG" if path.suffix == ".png" else b"<?xml"
        assert path.read_bytes().startswith(start)
        assert path.stat().st_size > 10_000


def test_there_is_no_chart_of_nothing(tmp_path: Path) -> None:
    assert chart.draw(make_results(1.0, 1.0, problem="no"), tmp_path / "none") == []
