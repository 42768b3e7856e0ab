"""`python -m mapwave.doctor`: what it says of FFmpeg and of saving, and that its self-test can fail."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import mapwave
import numpy as np
import pytest
from mapwave import doctor

VERSIONS = "libavcodec 59.37.100, libavformat 59.27.100 (LGPL version 2.1 or later)"
REFUSAL = "FFmpeg not found: looked for libavformat.so.60 (apt install ffmpeg / brew install ffmpeg)"


def plugin(name: str, refused: str | None = None, dependencies: str = "", **codecs: list[str]) -> SimpleNamespace:
    """A plugin as `mapwave.plugins()` has them."""
    facts = {"id": name, "version": "0.1.0", "path": None, "refused": refused, "dependencies": dependencies}
    return SimpleNamespace(**facts, decodes=codecs.get("decodes", []), encodes=codecs.get("encodes", []), resamples=[])


LOADED = plugin("libav", dependencies=VERSIONS, encodes=["flac", "aac"])
REFUSED = plugin("libmapwave_libav60.so", refused=REFUSAL)
BUILTIN = plugin("builtin", encodes=["flac"])


def report(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """The exit status, and the report's lines by their names; what is indented belongs to the line before."""
    status = doctor.main()
    lines: dict[str, str] = {}
    name = ""
    for line in capsys.readouterr().out.splitlines():
        name = line[:14].rstrip() or name
        lines[name] = f"{lines[name]}\n{line[15:]}" if name in lines else line[15:]
    return status, lines


@pytest.mark.parametrize(
    ("plugins", "expected"),
    [
        ([BUILTIN, LOADED], VERSIONS),
        ([BUILTIN, REFUSED], REFUSAL),
        ([BUILTIN, REFUSED, LOADED], VERSIONS),
        ([BUILTIN, LOADED, REFUSED], VERSIONS),
        ([BUILTIN], "built without FFmpeg's headers"),
    ],
    ids=["found", "refused", "one of two", "one of two, the other way round", "not there"],
)
def test_what_is_said_of_ffmpeg(
    plugins: list[SimpleNamespace],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(mapwave, "plugins", lambda: plugins)
    status, lines = report(capsys)
    assert expected in lines["ffmpeg"]
    assert status == 0


def test_what_can_be_saved(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    broken = plugin("broken", refused="it crashed", encodes=["opus"])
    monkeypatch.setattr(mapwave, "plugins", lambda: [BUILTIN, LOADED, broken])
    _, lines = report(capsys)
    assert lines["saves"] == "wav, rf64, w64, aiff, aifc, caf, flac, aac"


def test_what_this_installation_saves_is_what_it_says(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, lines = report(capsys)
    formats = lines["saves"].split(", ")
    assert formats[:7] == ["wav", "rf64", "w64", "aiff", "aifc", "caf", "flac"]
    for name in formats[:7]:
        mapwave.save(tmp_path / f"silence.{name}", np.zeros(5, np.int16), 8000, durable=False)
        assert mapwave.info(tmp_path / f"silence.{name}").frames == 5


def test_saving_that_writes_something_else_fails_the_self_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mapwave, "save", lambda file, *_, **__: file.write(b"RIFF"))
    status, lines = report(capsys)
    assert status == 1
    assert lines["self-test"] == "FAILED: a small WAV file was not written correctly"
