"""`mapwave info`, `compare`, `verify`, `completions` and `man`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import child
import commandline
import corpus
import mapwave
import numpy as np
import pytest
import soundfile
from commandline import by, ffprobe, ok, refused, run, sound

COMPRESSED = corpus.FIXTURES / "compressed"


@pytest.mark.parametrize("name", ["mp3-lame.mp3", "flac24.flac", "vorbis.ogg", "aac.m4a", "opus.opus", "ima4.aifc"])
def test_facts_are_those_of_ffprobe(name: str) -> None:
    path = COMPRESSED / name
    (facts,) = json.loads(ok("info", path, "--json"))["files"]
    stream = ffprobe(path)
    codec = {"adpcm_ima_qt": "adpcm_ima_qt"}.get(stream["codec_name"], stream["codec_name"])
    assert (facts["codec"], facts["sample_rate"], facts["channels"]) == (
        codec, int(stream["sample_rate"]), stream["channels"]
    )  # fmt: skip
    # FFmpeg rounds lengths of MP3 and Opus to packets.
    assert facts["duration"] == pytest.approx(float(stream["format"]["duration"]), abs=0.06)
    assert facts["bytes"] == path.stat().st_size
    # Without headers and tags.
    assert 0.5 < facts["bitrate"] / (facts["bytes"] * 8 / facts["duration"]) <= 1
    text = ok("info", path)
    assert text.startswith(f"{path}\n")
    assert f"codec       {facts['codec']} (" in text
    assert f"{facts['frames']} frames)" in text


def test_many_files_are_a_table(tmp_path: Path) -> None:
    one, two = tmp_path / "one.wav", tmp_path / "two.flac"
    sound(one, 44_100, 2, 1.5)
    sound(two, 16_000, 1, 61.0)
    done = run("info", one, two, tmp_path / "missing.wav")
    assert done.returncode == 1
    assert (
        done.stderr.decode() == f"error: {tmp_path / 'missing.wav'}: opening: No such file or directory (os error 2)\n"
    )
    heading, *rows = done.stdout.decode().splitlines()
    assert heading.split() == ["DURATION", "RATE", "CHANNELS", "CODEC", "BITS", "KBIT/S", "FILE"]
    assert [row.split() for row in rows] == [
        ["0:01.5", "44100", "2", "pcm_s16le", "16", "1411", str(one)],
        ["1:01.0", "16000", "1", "flac", "16", f"{mapwave.info(two).bitrate / 1000:.0f}", str(two)],
    ]
    report = json.loads(run("info", one, tmp_path / "missing.wav", "--json").stdout)
    assert [file.get("frames") for file in report["files"]] == [66_150, None]
    assert "No such file" in report["files"][1]["error"]


def test_the_same_sound_is_bit_exact(tmp_path: Path) -> None:
    one, two = tmp_path / "one.wav", tmp_path / "two.flac"
    sound(one, 8000, 2, 0.5)
    by("flac", "-s", "-o", two, one)
    assert ok("compare", one, two).splitlines()[2:] == ["bit-exact   yes"]
    report = json.loads(ok("compare", one, two, "--json"))
    assert (report["is_bit_exact"], report["offset"], report["snr_db"]) == (True, 0, None)


@pytest.mark.parametrize("late", [-1000, 0, 7, 3000])
def test_offset_and_snr_are_found(tmp_path: Path, late: int) -> None:
    one, two = tmp_path / "one.wav", tmp_path / "two.wav"
    clean = commandline.tones(16_000, 1, 3.0)[:, 0]
    noise = np.random.default_rng(5).normal(0, 0.001, len(clean))
    soundfile.write(one, clean, 16_000, subtype="DOUBLE")
    moved = np.concatenate([np.zeros(max(late, 0)), (clean + noise)[max(-late, 0) :]])
    soundfile.write(two, moved, 16_000, subtype="DOUBLE")
    done = run("compare", one, two, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["is_bit_exact"], report["offset"]) == (1, False, late)
    start = max(-late, 0)
    signal, difference = clean[start:], noise[start:]
    expected = 10 * np.log10(np.sum(signal**2) / np.sum(difference**2))
    assert report["snr_db"] == pytest.approx(expected, abs=0.01)
    assert report["peak_difference_db"] == pytest.approx(20 * np.log10(np.abs(difference).max()), abs=0.01)


def test_one_sample_is_a_difference(tmp_path: Path) -> None:
    one, two = tmp_path / "one.wav", tmp_path / "two.wav"
    samples = (sound(one, 8000, 1, 2.0) >> 16).astype(np.int16)
    samples[12_345] += 1
    soundfile.write(two, samples, 8000, subtype="PCM_16")
    done = run("compare", one, two, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["first_difference"], report["offset"]) == (1, 12_345, 0)
    assert report["peak_difference_db"] == pytest.approx(-90.31, abs=0.01)
    missing = refused("compare", one, tmp_path / "missing.wav", status=2)
    assert "missing.wav: opening" in missing


def test_sound_files_are_said_to_be(tmp_path: Path) -> None:
    files = [COMPRESSED / name for name in ("flac16.flac", "flac24.flac", "flac8-mono.flac", "mp3-lame.mp3")]
    report = json.loads(ok("verify", *files, "--json"))
    assert [file["is_sound"] for file in report["files"]] == [True] * 4
    # The files by the reference encoder state their MD5.
    stated = [path.read_bytes()[26:42] != b"\0" * 16 for path in files[:3]]
    assert [file["md5_matches"] for file in report["files"]] == [*(True if states else None for states in stated), None]
    assert True in stated


def test_damage_is_located(tmp_path: Path) -> None:
    source, path, other = tmp_path / "in.wav", tmp_path / "damaged.flac", tmp_path / "damaged.ogg"
    sound(source, 44_100, 2, 10.0)
    by("flac", "-s", "-o", path, source)
    by("ffmpeg", "-v", "error", "-i", source, "-c:a", "libvorbis", "-q:a", "5", other)
    places = {}
    for damaged in (path, other):
        whole = damaged.read_bytes()
        place = places[damaged] = len(whole) // 2
        flipped = bytes(byte ^ 0x55 for byte in whole[place : place + 4])
        damaged.write_bytes(whole[:place] + flipped + whole[place + 4 :])
    # The reference decoder finds it, too.
    tested = subprocess.run([commandline.program("flac"), "-t", "-s", path], capture_output=True, timeout=child.TIMEOUT)
    assert tested.returncode != 0
    done = run("verify", path, other, "--json")
    files = json.loads(done.stdout)["files"]
    assert (done.returncode, [file["is_sound"] for file in files]) == (1, [False, False])
    # The FLAC frame, and the Ogg page, in which the damaged bytes are.
    first, second = (file["damage"][0] for file in files)
    assert places[path] - 20_000 < first["offset"] <= places[path]
    assert 0 < second["start"] < 220_500 * 1.2
    assert 220_500 * 0.8 < second["end"] < 300_000
    assert "became silence" in second["what"]
    lines = run("verify", path, other).stdout.decode().splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        f"DAMAGED     {path}", f"DAMAGED     {other}: {files[1]['frames']} frames"
    ]  # fmt: skip


def test_a_false_md5_and_a_truncated_file(tmp_path: Path) -> None:
    source, path, short = tmp_path / "in.wav", tmp_path / "false.flac", tmp_path / "short.wav"
    sound(source, 8000, 1, 1.0)
    by("flac", "-s", "-o", path, source)
    whole = bytearray(path.read_bytes())
    whole[30] ^= 1
    path.write_bytes(whole)
    short.write_bytes(source.read_bytes()[:-1000])
    done = run("verify", path, short, source)
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        f"DAMAGED     {path}: 8000 frames, MD5 DIFFERS",
        f"DAMAGED     {short}: 7500 frames",
        "            the file ends before the audio that it promises",
        f"sound       {source}: 8000 frames",
    ]
    assert "UNREADABLE" in run("verify", tmp_path / "missing.wav").stdout.decode()


def test_completions_and_manual(tmp_path: Path) -> None:
    script = ok("completions", "bash")
    (tmp_path / "mapwave.bash").write_text(script)
    words = "COMP_WORDS=(mapwave conv); COMP_CWORD=1; COMP_LINE='mapwave conv'; _mapwave mapwave conv mapwave"
    shell = f"source {tmp_path / 'mapwave.bash'}; {words}; echo ${{COMPREPLY[@]}}"
    assert by("bash", "-c", shell).decode().split() == ["convert"]
    for name in ("zsh", "fish"):
        assert "convert" in ok("completions", name)
    ok("man", "--to-dir", tmp_path / "man")
    pages = {path.name for path in (tmp_path / "man").iterdir()}
    assert {"mapwave.1", "mapwave-convert.1", "mapwave-plugins-check.1", "mapwave-bench.1"} <= pages
    assert "Exit codes" in ok("man")


def test_nothing_is_coloured_in_a_pipe(tmp_path: Path) -> None:
    assert "\x1b" not in refused("info", tmp_path / "missing.wav")
    assert "\x1b" not in refused("lost", status=2)
    forced = run("info", tmp_path / "missing.wav", CLICOLOR_FORCE="1").stderr
    assert forced.startswith(b"\x1b[") and b"error:" in forced
    assert b"\x1b" not in run("info", tmp_path / "missing.wav", CLICOLOR_FORCE="1", NO_COLOR="1").stderr
