"""`mapwave tags`, `loudness`, `plot`, `split --silence` and `--markers`, beside ffprobe and ffmpeg."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import mapwave
import numpy as np
import pytest
import soundfile
from commandline import by, decoded, ffprobe, ok, program, refused, run, sound, tones
from test_metadata import PNG

RATE = 44_100


def tags(path: Path) -> dict[str, str]:
    """The tags of a file by ffprobe, with names in lower case."""
    found = ffprobe(path)
    pairs = {**found["format"].get("tags", {}), **found.get("tags", {})}
    # AIFF's AUTH is "author" there.
    pairs = {"artist" if name == "author" else name: value for name, value in pairs.items()}
    return {name.lower(): value for name, value in pairs.items() if name.lower() not in {"encoder", "major_brand"}}


@pytest.mark.parametrize("extension", ["flac", "mp3", "m4a", "ogg", "wav", "aiff"])
def test_tags_are_set_removed_and_shown(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    by("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=r=44100:d=0.3", "-metadata", "title=old",
       "-metadata", "comment=stays", path)  # fmt: skip
    before = decoded(path)
    ok("tags", "set", path, "--tags", "title=Grün", "--tags", "artist=A. Person")
    assert {"title": "Grün", "artist": "A. Person"}.items() <= tags(path).items()
    shown = json.loads(ok("tags", "show", path, "--json"))["files"][0]
    assert (shown["tags"]["title"], shown["tags"]["artist"]) == (["Grün"], ["A. Person"])
    assert "  title         Grün\n" in ok("tags", "show", path)

    ok("tags", "set", path, "--tags", "title=")
    found = tags(path)
    assert ("title" not in found, found["artist"]) == (True, "A. Person")
    ok("tags", "set", path, "--clear", "--tags", "title=only this")
    assert {name: value for name, value in tags(path).items() if name in {"title", "artist", "comment"}} == {
        "title": "only this"
    }
    assert np.array_equal(decoded(path), before)


def test_a_cover_is_set_written_out_and_removed(tmp_path: Path) -> None:
    path, image, other = tmp_path / "a.flac", tmp_path / "cover.png", tmp_path / "out.png"
    image.write_bytes(PNG)
    sound(path, RATE, 2, 0.2)
    ok("tags", "cover", path, image)
    by("ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "image2", tmp_path / "ffmpeg.png")
    assert (tmp_path / "ffmpeg.png").read_bytes() == PNG
    assert f"front cover, image/png, 1 x 1, {len(PNG)} bytes" in ok("tags", "show", path)
    ok("tags", "cover", path, "--extract", other)
    assert other.read_bytes() == PNG
    assert "exists already" in refused("tags", "cover", path, "--extract", other)
    ok("tags", "cover", path, "--remove")
    assert "has no picture" in refused("tags", "cover", path, "--extract", other, "--overwrite")
    image.write_bytes(b"no image")
    assert "JPEG, PNG, GIF or WebP" in refused("tags", "cover", path, image)
    refused("tags", "cover", path, status=2)


def test_metadata_is_copied(tmp_path: Path) -> None:
    source, first, second = (tmp_path / name for name in ("a.flac", "b.flac", "c.aiff"))
    for path in (source, first, second):
        sound(path, RATE, 1, 0.2)
    (tmp_path / "cover.png").write_bytes(PNG)
    ok("tags", "set", source, "--tags", "title=One", "--tags", "mood=calm")
    ok("tags", "cover", source, tmp_path / "cover.png")
    ok("tags", "copy", source, first)
    assert tags(first)["mood"] == "calm"
    # AIFF has four names.
    assert "an aiff file" in refused("tags", "copy", source, second)
    ok("tags", "copy", source, second, "--on-unknown-tags", "drop")
    for path in (first, second):
        assert tags(path)["title"] == "One"
        assert json.loads(ok("tags", "show", path, "--json"))["files"][0]["pictures"][0]["bytes"] == len(PNG)


def test_a_file_that_cannot_be_changed_does_not_keep_the_others(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.flac", tmp_path / "b.flac"
    sound(good, RATE, 1, 0.2)
    bad.write_bytes(b"no audio")
    done = run("tags", "set", bad, good, "--tags", "title=One")
    assert (done.returncode, tags(good)["title"]) == (1, "One")
    assert str(bad) in done.stderr.decode() and bad.read_bytes() == b"no audio"
    refused("tags", "set", good, status=2)


def ebur128(path: Path) -> tuple[float, float, float]:
    """Integrated loudness, loudness range and true peak by ffmpeg."""
    words = [program("ffmpeg"), "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
    text = subprocess.run(words, capture_output=True, check=True).stderr.decode()
    summary = text[text.rindex("Summary:") :]
    integrated, low, peak = (re.search(rf"{name}:\s+(-?[\d.]+)", summary) for name in ("I", "LRA", "Peak"))
    assert integrated and low and peak
    return float(integrated[1]), float(low[1]), float(peak[1])


def test_loudness_is_that_of_ffmpeg(tmp_path: Path) -> None:
    loud, quiet = tmp_path / "loud.wav", tmp_path / "quiet.flac"
    samples = tones(48_000, 2, 12.0)
    soundfile.write(loud, samples, 48_000, subtype="FLOAT")
    soundfile.write(quiet, samples * np.linspace(0.02, 0.5, len(samples))[:, None], 48_000, subtype="PCM_24")
    files = json.loads(ok("loudness", loud, quiet, "--json"))["files"]
    for path, found in zip((loud, quiet), files, strict=True):
        integrated, span, peak = ebur128(path)
        assert found["integrated"] == pytest.approx(integrated, abs=0.1)
        assert found["range"] == pytest.approx(span, abs=0.3)
        assert found["true_peak"] == pytest.approx(peak, abs=0.2)
        whole = np.abs(soundfile.read(path)[0]).max()
        assert found["sample_peak"] == pytest.approx(20 * np.log10(whole), abs=0.01)
    lines = ok("loudness", loud, quiet).splitlines()
    assert lines[0].split() == ["LUFS", "RANGE", "LU", "TRUE", "PEAK", "dB", "PEAK", "dB", "FILE"]
    assert lines[1].split() == [f"{files[0][name]:.1f}" for name in
                                ("integrated", "range", "true_peak", "sample_peak")] + [str(loud)]  # fmt: skip


def test_a_file_gets_a_loudness(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.wav"
    sound(source, RATE, 2, 8.0)
    ok("convert", source, output, "--loudness", "-23", "-r", "48000")
    integrated, _, _ = ebur128(output)
    assert integrated == pytest.approx(-23, abs=0.1)
    # The true peak is the limit.
    ok("convert", source, output, "--loudness", "-3", "--true-peak", "-6", "--overwrite", "-b", "24")
    assert ebur128(output)[2] == pytest.approx(-6, abs=0.2)
    assert "--loudness" in refused("convert", source, output, "--true-peak", "-6", status=2)
    assert "from -120 to 0" in refused("convert", source, output, "--loudness", "3", status=2)


def test_silent_files_have_no_loudness(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((RATE, 1)), RATE)
    assert json.loads(ok("loudness", path, "--json"))["files"][0]["integrated"] is None
    assert ok("loudness", path).splitlines()[1].split() == ["-inf", "0.0", "-inf", "-inf", str(path)]


def test_a_file_is_split_at_silences_and_at_markers(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    loud, silent = tones(RATE, 1, 0.5), np.zeros((RATE // 2, 1))
    soundfile.write(path, np.concatenate([silent, loud, silent, loud]), RATE)
    parts = ok("split", path, "--silence", "--to-dir", tmp_path / "parts").splitlines()
    found = [soundfile.read(part)[0] for part in parts]
    assert [len(part) for part in found] == pytest.approx([RATE // 2] * 2, abs=300)
    whole = soundfile.read(path)[0]
    for part in found:
        place = next(at for at in range(len(whole)) if np.array_equal(whole[at : at + 400], part[:400]))
        assert np.array_equal(whole[place : place + len(part)], part)
    assert len(ok("split", path, "--silence", "--min-silence", "0.6", "--to-dir", tmp_path / "one").splitlines()) == 1
    soundfile.write(path, np.zeros((RATE, 1)), RATE)
    assert "is silent from the first frame" in refused("split", path, "--silence", "--to-dir", tmp_path / "none")
    assert "has no markers" in refused("split", path, "--markers", "--to-dir", tmp_path / "none")

    markers = [mapwave.Marker("b", 1000), mapwave.Marker("c", 30_000)]
    samples = tones(RATE, 2, 1.0).astype(np.float32)
    mapwave.save(path, samples, RATE, encoding="pcm16", markers=markers)
    parts = ok("split", path, "--markers", "--to-dir", tmp_path / "marked").splitlines()
    assert [soundfile.info(part).frames for part in parts] == [1000, 29_000, RATE - 30_000]
    refused("split", path, "--markers", "--silence", status=2)


def test_joined_files_keep_their_markers(tmp_path: Path) -> None:
    one, two, joined = tmp_path / "1.wav", tmp_path / "2.wav", tmp_path / "joined.wav"
    samples = tones(RATE, 1, 1.0).astype(np.float32)
    mapwave.save(one, samples, RATE, encoding="pcm16", markers=[mapwave.Marker("a", 1000)])
    half = np.ascontiguousarray(samples[::2])
    mapwave.save(two, half, RATE // 2, encoding="pcm16", markers=[mapwave.Marker("b", 500), mapwave.Marker("c", 9000)])
    ok("concat", one, two, one, joined, "-r", str(RATE))
    data = joined.read_bytes()
    cue = data[data.index(b"cue ") + 8 :]
    # 24 bytes a point: its number, its place in the play list, "data", two offsets of blocks, the frame.
    frames = [int.from_bytes(cue[4 + 24 * n + 20 : 4 + 24 * n + 24], "little") for n in range(cue[0])]
    assert sorted(frames) == [1000, RATE + 1000, RATE + 18_000, 2 * RATE + 1000]
    assert [marker.label for marker in mapwave.info(joined).markers] == ["a", "b", "c", "a"]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    path, svg, png = tmp_path / "a.wav", tmp_path / "a.svg", tmp_path / "a.png"
    sound(path, RATE, 2, 1.0)
    ok("plot", path, "-o", svg, "--kind", "both", "--title", "A <title>", "--width", "640")
    assert svg.read_text().startswith("<svg") and "A &lt;title&gt;" in svg.read_text()
    ok("plot", path, "-o", png, "--theme", "dark", "--width", "640", "--height", "320")
    assert png.read_bytes()[:8] == PNG[:8]
    assert [int.from_bytes(png.read_bytes()[at : at + 4]) for at in (16, 20)] == [640, 320]
    assert "exists already" in refused("plot", path, "-o", png)
    assert ".svg or .png" in refused("plot", path, "-o", tmp_path / "a.gif")
    refused("plot", path, "-o", svg, "--kind", "pie", status=2)
