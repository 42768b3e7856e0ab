"""``mapwave.ray.transcode`` on this machine: whole files, each once, however often it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import child
import mapwave.numpy
import mapwave.ray
import numpy as np
import pytest
import soundfile

KILLS = 3
COUNT = 120


def _make(directory: Path, count: int, frames: int = 4_000) -> list[Path]:
    random = np.random.default_rng(count)
    paths = []
    for number in range(count):
        path = directory / f"{number % 4}" / f"{number:04}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, random.integers(-9_000, 9_000, (frames + number, 2), np.int16), 8_000, subtype="PCM_16")
        paths.append(path)
    return paths


def _files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def _check(source: Path, target: Path, paths: list[Path]) -> None:
    """Every file is there once, holds what it should, and nothing else is there."""
    outputs = {str(path.relative_to(source).with_suffix(".flac")) for path in paths}
    assert _files(target) == outputs | {"_SUCCESS", "_manifest.jsonl", "_mapwave/settings.json"}
    rows = [json.loads(line) for line in (target / "_manifest.jsonl").read_text().splitlines()]
    assert [row["source"] for row in rows] == sorted(str(path.relative_to(source)) for path in paths)
    assert {row["output"] for row in rows} == outputs
    for row in rows:
        converted, rate = soundfile.read(target / row["output"], dtype="int16", always_2d=True)
        assert np.array_equal(converted, soundfile.read(source / row["source"], dtype="int16", always_2d=True)[0])
        assert (row["frames"], row["sample_rate"], row["channels"]) == (len(converted), rate, 2)
        assert row["output_bytes"] == (target / row["output"]).stat().st_size
    assert json.loads((target / "_SUCCESS").read_text())["files"] == len(paths)


PROGRAM = """
    import mapwave.ray
    done = mapwave.ray.transcode(
        sys.argv[1], sys.argv[2], "flac", files_per_task=4, num_workers=2,
        progress=lambda done, total: print(done, flush=True),
    )
    print("end", done.converted, done.kept)
"""


def test_killed_again_and_again_it_leaves_every_file_once_and_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    paths = _make(source, COUNT)
    command = [sys.executable, str(child.script(tmp_path, PROGRAM)), str(source), str(target)]
    for _ in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child.environment()) as process:
            assert process.stdout is not None
            for line in process.stdout:
                # At any moment, files that are at their paths are whole, and no other files are among them.
                if int(line) >= 8:
                    process.send_signal(signal.SIGKILL)
                    break
        assert not (target / "_SUCCESS").exists()
        for path in target.rglob("*.flac"):
            if "_mapwave" not in path.parts:
                assert mapwave.numpy.info(path).frames == len(mapwave.numpy.load(path)[0])
    done = mapwave.ray.transcode(source, target, "flac", files_per_task=4)
    assert done.converted + done.kept == COUNT
    assert done.kept >= KILLS
    _check(source, target, paths)


def test_a_second_call_converts_what_has_changed_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    paths = _make(source, 9)
    first = mapwave.ray.transcode(source, target, "flac", files_per_task=2)
    assert (first.converted, first.kept, first.errors) == (9, 0, {})
    again = mapwave.ray.transcode(source, target, "flac")
    assert (again.converted, again.kept) == (0, 9)
    (target / "1" / "0001.flac").unlink()
    (target / "2" / "0002.flac").write_bytes(b"cut")
    os.utime(paths[3], ns=(5, 5))
    paths += [path.rename(path.with_name("new.wav")) for path in [paths.pop()]]
    third = mapwave.ray.transcode(source, target, "flac")
    assert (third.converted, third.kept) == (4, 5)
    (target / "0" / "0008.flac").unlink()
    _check(source, target, paths)


def test_other_settings_are_refused_until_all_is_converted_again(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    _make(source, 2)
    mapwave.ray.transcode(source, target, "wav")
    with pytest.raises(ValueError, match="other settings: load was .* resume=False"):
        mapwave.ray.transcode(source, target, "wav", sr=4_000)
    assert mapwave.ray.transcode(source, target, "wav", sr=4_000, resume=False).converted == 2
    assert soundfile.info(target / "0" / "0000.wav").samplerate == 4_000


def test_errors_are_recorded_and_tried_again(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    paths = _make(source, 3)
    whole = paths[1].read_bytes()
    paths[1].write_bytes(whole[:12])
    done = mapwave.ray.transcode(source, target, "flac")
    assert [*done.errors] == ["1/0001.wav"]
    assert str(paths[1]) in done.errors["1/0001.wav"]
    assert json.loads((target / "_SUCCESS").read_text())["errors"] == 1
    with pytest.raises(mapwave.MalformedFile, match="1/0001.wav: malformed wav file at byte 12"):
        mapwave.ray.transcode(source, target, "flac", on_error="raise")
    assert not (target / "_SUCCESS").exists()
    paths[1].write_bytes(whole)
    last = mapwave.ray.transcode(source, target, "flac")
    assert (last.converted, last.kept, last.errors) == (1, 2, {})
    _check(source, target, paths)


@pytest.mark.parametrize(
    ("subtype", "format", "expected"),
    [
        ("PCM_16", "flac", "PCM_16"),
        ("PCM_24", "flac", "PCM_24"),
        ("PCM_32", "wav", "PCM_32"),
        ("FLOAT", "wav", "FLOAT"),
    ],
)
def test_lossless_sources_keep_their_depth(tmp_path: Path, subtype: str, format: str, expected: str) -> None:
    (tmp_path / "in").mkdir()
    samples = np.random.default_rng(1).uniform(-0.9, 0.9, (500, 1))
    soundfile.write(tmp_path / "in" / "a.wav", samples, 8_000, subtype=subtype)
    mapwave.ray.transcode(tmp_path / "in", tmp_path / "out", format)
    path = tmp_path / "out" / f"a.{format}"
    assert soundfile.info(path).subtype == expected
    kept = soundfile.read(tmp_path / "in" / "a.wav", dtype="int32")[0]
    assert np.array_equal(soundfile.read(path, dtype="int32")[0], kept)


def test_tags_and_the_mix_arrive(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    audio = np.random.default_rng(1).uniform(-0.9, 0.9, (8_000, 2)).astype(np.float32)
    tags = {"title": "Take 3", "artist": "Nobody", "mood": "dull"}
    mapwave.numpy.save(tmp_path / "in" / "a.flac", audio, 16_000, tags=tags)
    mapwave.ray.transcode(tmp_path / "in", tmp_path / "out", "flac", mono=True, save={"encoding": "pcm16"})
    facts = mapwave.numpy.info(tmp_path / "out" / "a.flac")
    assert (facts.channels, facts.bit_depth) == (1, 16)
    assert {name: facts.tags[name] for name in ("title", "artist")} == {"title": "Take 3", "artist": "Nobody"}
    expected = mapwave.numpy.load(tmp_path / "in" / "a.flac", mono=True)[0]
    assert np.abs(mapwave.numpy.load(tmp_path / "out" / "a.flac")[0] - expected).max() <= 2**-15


def test_arguments_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    [path] = _make(source, 1)
    with pytest.raises(TypeError, match="no argument 'bitrat'"):
        mapwave.ray.transcode(source, target, "flac", save={"bitrat": 3})
    with pytest.raises(TypeError, match="'layout'"):
        mapwave.ray.transcode(source, target, "flac", load={"layout": "channels_first"})
    with pytest.raises(ValueError, match="inside"):
        mapwave.ray.transcode(source, source / "out", "flac")
    with pytest.raises(ValueError, match='engine must be "local" or "ray"'):
        mapwave.ray.transcode(source, target, "flac", engine="spark")
    with pytest.raises(ValueError, match="address"):
        mapwave.ray.transcode(source, target, "flac", address="auto")
    path.with_suffix(".flac").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"0/0000\.flac and 0/0000\.wav would both become 0/0000\.flac"):
        mapwave.ray.transcode(source, target, "flac")
    with pytest.raises(FileNotFoundError, match="no audio files"):
        mapwave.ray.transcode(tmp_path / "nothing", target, "flac")
    assert _files(target) == set()


def test_without_ray_it_says_what_to_install(tmp_path: Path) -> None:
    code = """
        sys.modules["ray"] = None
        import mapwave.ray
        for call in (lambda: mapwave.ray.read_audio("a"), lambda: list(mapwave.ray.run_parts(abs, [1], engine="ray"))):
            try:
                call()
            except ModuleNotFoundError as error:
                print(error)
    """
    printed = child.run(tmp_path, code).splitlines()
    assert len(printed) == 2
    assert all("pip install 'mapwave[ray]'" in line for line in printed)


def test_importing_mapwave_does_not_import_this(tmp_path: Path) -> None:
    code = """
        import mapwave
        print([name for name in sys.modules if name.startswith("mapwave.ray") or name == "ray"])
    """
    assert child.run(tmp_path, code) == "[]\n"
