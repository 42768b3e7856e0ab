"""Hostile files, smaller than those of ``python tests/hostile``: each is read or refused, within its memory."""

from __future__ import annotations

import sys
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import pytest

HOSTILE = Path(__file__).resolve().parents[1] / "hostile"


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is known for a while only on Linux")
def test_each_is_read_or_refused_within_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HOSTILE))
    from files import hostile_files  # type: ignore[import-not-found]
    from measuring import Worker, allowed_memory, beside  # type: ignore[import-not-found]

    worker = Worker("--small", limit=120)
    excessive, outcomes = {}, {}
    for name, data in hostile_files(20_000):
        path = tmp_path / name
        path.write_bytes(data)
        cost = worker.measure(path)
        path.unlink()
        assert not isinstance(cost, str), f"{name}: {cost}"
        if beside(cost) > allowed_memory(len(data)):
            excessive[name] = beside(cost)
        outcomes[name] = {task: cost[task]["outcome"] for task in ("info", "load")}
    worker.close()
    assert not excessive
    errors = ("MalformedFile", "UnsupportedFormat", "LimitExceeded", "OutOfMemory", "PluginError", "InvalidArgument")
    strange = {
        name: outcome
        for name, by_task in outcomes.items()
        for outcome in by_task.values()
        if not outcome.startswith(errors) and not outcome.endswith((" frames", ")"))
    }
    assert not strange
    assert len(outcomes) > 200


def test_a_file_that_asks_for_too_much_is_not_given_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HOSTILE))
    from files import fixture, mp4  # type: ignore[import-not-found]

    # FFmpeg follows every edit for minutes.
    files = mp4.files(1_000_000, fixture)
    data = next(data for name, data in files if name == "elst-long.m4a")
    with pytest.raises(mapwave.OutOfMemory, match="the edit list plays more than 65536 pieces") as caught:
        mw.info(data)
    assert caught.value.plugin == "builtin" and "libav" not in str(caught.value)
