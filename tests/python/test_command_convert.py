"""`mapwave convert`, `cut`, `split` and `concat`: what the new files hold, by other programs' account."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import child
import commandline
import corpus
import numpy as np
import pytest
import soundfile
from commandline import by, decoded, ffprobe, ok, refused, run, snr, sound


@pytest.mark.parametrize(
    ("subtype", "name", "codec", "bits"),
    [
        ("PCM_16", "out.flac", "flac", 16),
        ("PCM_24", "out.flac", "flac", 24),
        ("PCM_24", "out.wav", "pcm_s24le", 24),
        ("PCM_32", "out.caf", "pcm_s32le", 32),
        ("PCM_16", "out.aiff", "pcm_s16be", 16),
        ("PCM_16", "out.w64", "pcm_s16le", 16),
    ],
)
def test_a_lossless_file_keeps_every_sample(tmp_path: Path, subtype: str, name: str, codec: str, bits: int) -> None:
    source, output = tmp_path / "in.wav", tmp_path / name
    samples = sound(source, 44_100, 2, 1.5, subtype)
    assert ok("convert", source, output) == ""
    stream = ffprobe(output)
    assert (stream["codec_name"], int(stream["sample_rate"]), stream["channels"]) == (codec, 44_100, 2)
    assert int(stream.get("bits_per_raw_sample") or stream["bits_per_sample"]) == bits
    assert np.array_equal(decoded(output), samples)


def test_floats_stay_floats(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.caf"
    sound(source, 48_000, 1, 0.5, "FLOAT")
    ok("convert", source, output)
    assert soundfile.info(output).subtype == "FLOAT"
    assert np.array_equal(soundfile.read(output, dtype="float32")[0], soundfile.read(source, dtype="float32")[0])


def test_a_file_by_the_reference_decoder(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.flac"
    sound(source, 32_000, 2, 1.0)
    ok("convert", source, output, "--effort", "100")
    # The raw samples, the signed bytes of the reference decoder.
    raw = by("flac", "-d", "-s", "-c", "--force-raw-format", "--endian=little", "--sign=signed", output)
    assert raw == soundfile.read(source, dtype="int16")[0].tobytes()


def test_rate_and_channels_are_those_of_sox(tmp_path: Path) -> None:
    source, output, theirs = tmp_path / "in.wav", tmp_path / "out.wav", tmp_path / "theirs.wav"
    sound(source, 44_100, 2, 2.0)
    ok("convert", source, output, "-r", "16k", "-c", "1")
    # The depth of the source stays, although samples were computed.
    info = soundfile.info(output)
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (16_000, 1, "PCM_16", 32_000)
    by("sox", source, theirs, "remix", "-", "rate", "-v", "16000")
    ours, other = (soundfile.read(path)[0][200:-200] for path in (output, theirs))
    assert snr(other, ours) > 75


def test_a_single_channel_is_copied(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.wav"
    samples = sound(source, 8000, 1, 0.5)
    ok("convert", source, output, "-c", "2")
    assert np.array_equal(decoded(output), np.repeat(samples, 2, axis=1))


def test_a_surround_file_is_mixed_for_two_speakers(tmp_path: Path) -> None:
    source, output = tmp_path / "six.wav", tmp_path / "out.wav"
    sound(source, 8000, 6, 0.1)
    left, right, centre, _, back_left, back_right = soundfile.read(source)[0].T
    ok("convert", source, output, "-c", "2", "--encoding", "float32")
    # Rec. ITU-R BS.775-3, annex 4, table 2, without clipping.
    half = np.sqrt(0.5)
    expected = np.stack([left + half * centre + half * back_left, right + half * centre + half * back_right], axis=1)
    mixed = soundfile.read(output)[0]
    np.testing.assert_allclose(mixed, expected / (1 + 2 * half), atol=1e-6)
    assert "-c must be 1 to 8" in refused("convert", source, output, "-c", "9", "--overwrite")


@pytest.mark.parametrize(("arguments", "subtype"), [
    (("-b", "24"), "PCM_24"), (("-b", "8"), "PCM_U8"), (("--encoding", "float32"), "FLOAT"),
    (("--encoding", "alaw"), "ALAW"),
])  # fmt: skip
def test_encodings(tmp_path: Path, arguments: tuple[str, ...], subtype: str) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.wav"
    sound(source, 8000, 1, 0.5)
    ok("convert", source, output, *arguments)
    assert soundfile.info(output).subtype == subtype


def test_a_lossy_codec_gets_its_bitrate(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.opus"
    sound(source, 48_000, 2, 4.0)
    ok("convert", source, output, "--bitrate", "64k")
    stream = ffprobe(output)
    assert stream["codec_name"] == "opus"
    assert 40_000 < float(stream["format"]["bit_rate"]) < 90_000
    expected = "does not apply to flac in flac, which is lossless"
    assert expected in refused("convert", source, tmp_path / "x.flac", "--bitrate", "64k")


def test_a_part_is_exact(tmp_path: Path) -> None:
    source = tmp_path / "in.flac"
    soundfile.write(source, commandline.tones(44_100, 2, 3.0), 44_100, subtype="PCM_16")
    samples = soundfile.read(source, dtype="int32")[0]
    for verb, begin, end, frames in [
        ("convert", "0:01", "2.5", slice(44_100, 110_250)),
        ("cut", "1001f", "2002f", slice(1001, 2002)),
        ("cut", None, "0:01", slice(0, 44_100)),
        ("cut", "2", "100", slice(88_200, None)),
    ]:
        times = [*(["--from", begin] if begin else []), *(["--to", end] if end else [])]
        output = tmp_path / f"{verb}-{begin}.wav"
        ok(verb, source, output, *times)
        assert np.array_equal(decoded(output), samples[frames]), (begin, end)
    assert "--from must be inside the file" in refused("cut", source, tmp_path / "x.wav", "--from", "5")
    assert "required" in refused("cut", source, tmp_path / "x.wav", status=2)


def test_tags_are_kept_given_and_left_out(tmp_path: Path) -> None:
    source, output, second = tmp_path / "in.wav", tmp_path / "one.flac", tmp_path / "two.flac"
    sound(source, 8000, 1, 0.2)
    ok("convert", source, output, "--tags", "title=Rain", "--tags", "ARTIST=A = B", "--tags", "mood=wet")
    ok("convert", output, second, "--tags", "title=", "--tags", "artist=C")
    assert ffprobe(output)["format"]["tags"] == {"TITLE": "Rain", "ARTIST": "A = B", "MOOD": "wet"}
    assert ffprobe(second)["format"]["tags"] == {"ARTIST": "C", "MOOD": "wet"}
    # What the format of the new file lacks is left out, unless it is given.
    ok("convert", second, tmp_path / "three.wav")
    assert ffprobe(tmp_path / "three.wav")["format"]["tags"] == {"artist": "C"}
    assert "--tags must be" in refused("convert", second, tmp_path / "four.wav", "--tags", "mood=dry")


def test_an_old_file_is_not_replaced_unless_asked(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.flac"
    samples = sound(source, 8000, 1, 0.2)
    output.write_bytes(b"old")
    for verb in (["convert"], ["concat"], ["cut", "--from", "0"]):
        error = refused(*verb, source, output)
        assert error == f"error: {output}: the output exists already; --overwrite replaces it\n"
    assert output.read_bytes() == b"old"
    ok("convert", source, output, "--overwrite")
    assert np.array_equal(decoded(output), samples)
    # In place, too.
    ok("convert", source, source, "-b", "24", "--overwrite")
    assert np.array_equal(decoded(source), samples)


def test_errors_name_the_file_and_leave_nothing(tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    broken = corpus.FIXTURES / "malformed" / "wav-fmt-size-0.wav"
    assert f"error: {broken}: " in refused("convert", broken, output)
    assert "missing.wav: opening: No such file" in refused("convert", tmp_path / "missing.wav", output)
    source = tmp_path / "in.wav"
    sound(source, 8000, 1, 0.2)
    assert "--encoding must be one of" in refused("convert", source, output, "--encoding", "pcm99")
    assert "out.xyz" in refused("convert", source, tmp_path / "out.xyz")
    assert "--format" in refused("convert", source, tmp_path / "out")
    assert "expected seconds such as 12.5" in refused("convert", source, output, "--from", "1:99", status=2)
    assert "one file and one new file are expected" in refused("convert", source, status=2)
    assert "--report is for many files" in refused("convert", source, output, "--report", "r.jsonl", status=2)
    assert sorted(tmp_path.iterdir()) == [source]


def test_pipes_in_and_out(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    samples = sound(source, 22_050, 2, 1.0)
    flac = by("flac", "-s", "-c", source)
    wav = run("convert", "-", "-", "--format", "wav", stdin=flac)
    assert (wav.returncode, wav.stderr) == (0, b"")
    (tmp_path / "out.wav").write_bytes(wav.stdout)
    assert np.array_equal(decoded(tmp_path / "out.wav"), samples)
    # A FLAC file through a pipe, which FFmpeg reads from one.
    flac = run("convert", source, "-", "--format", "flac").stdout
    raw = by("ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-", stdin=flac)
    assert raw == (samples >> 16).astype("<i2").tobytes()
    assert "--format must be given for standard output" in refused("convert", source, "-")
    assert "standard input" in refused("convert", "-", tmp_path / "x.wav", stdin=b"no audio")
    assert "standard input: " in refused("convert", "-", tmp_path / "x.wav", stdin=b"")


def test_standard_input_may_be_a_file(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.flac"
    samples = sound(source, 8000, 1, 0.2)
    with source.open("rb") as file:
        words = [*commandline.COMMAND, "convert", "-", str(output)]
        subprocess.run(words, stdin=file, check=True, timeout=child.TIMEOUT, env=child.environment())
    assert np.array_equal(decoded(output), samples)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with two files that can be read, in directories of their own, and one that cannot."""
    top = tmp_path / "clips"
    (top / "b").mkdir(parents=True)
    sound(top / "1.wav", 16_000, 2, 0.5)
    sound(top / "b" / "2.wav", 8000, 1, 0.7)
    (top / "b" / "broken.wav").write_bytes(b"RIFF....WAVE")
    (top / "notes.txt").write_text("no audio")
    return top


def test_a_directory_is_converted(tmp_path: Path, folder: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    arguments = ("convert", folder, "--to-dir", out, "--format", "flac", "-r", "8000", "-c", "1", "--report", report)
    done = run(*arguments, "--on-error", "skip")
    assert done.returncode == 1
    errors = done.stderr.decode().splitlines()
    assert len(errors) == 2
    assert errors[0].startswith(f"error: {folder / 'b' / 'broken.wav'}: ")
    assert errors[1] == "2 files converted, 1 failed"
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert found == ["1.flac", "b/2.flac"]
    assert np.array_equal(decoded(out / "b" / "2.flac"), soundfile.read(folder / "b" / "2.wav", dtype="int32",
                                                                        always_2d=True)[0])  # fmt: skip
    rows = {row["source"]: row for row in map(json.loads, report.read_text().splitlines())}
    assert set(rows) == {str(folder / name) for name in ("1.wav", "b/2.wav", "b/broken.wav")}
    row, status = rows[str(folder / "1.wav")], (folder / "1.wav").stat()
    assert row == {
        "source": str(folder / "1.wav"), "source_bytes": status.st_size, "source_mtime_ns": status.st_mtime_ns,
        "output": str(out / "1.flac"), "output_bytes": (out / "1.flac").stat().st_size, "frames": 4000,
        "sample_rate": 8000, "channels": 1, "error": None,
    }  # fmt: skip
    assert rows[str(folder / "b" / "broken.wav")]["error"] in errors[0]
    # What is done stays, by the report; a source that has changed is done again.
    before = (out / "1.flac").stat().st_mtime_ns
    sound(folder / "b" / "2.wav", 8000, 1, 0.9)
    done = run(*arguments, "--on-error", "skip", "--resume")
    assert done.stderr.decode().splitlines()[-1] == "1 file converted, 1 kept, 1 failed"
    assert (out / "1.flac").stat().st_mtime_ns == before
    assert soundfile.info(out / "b" / "2.flac").frames == 7200
    assert "exists already" in refused(*arguments)


def test_conversion_stops_at_the_first_error(tmp_path: Path, folder: Path) -> None:
    arguments = ("convert", folder / "b" / "broken.wav", folder / "1.wav", "--to-dir", tmp_path / "out")
    done = run(*arguments, "--format", "wav", "--jobs", "1")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == "0 files converted, 1 failed, 1 not converted"
    assert list((tmp_path / "out").iterdir()) == []


def test_patterns_and_clashes(tmp_path: Path, folder: Path) -> None:
    ok("convert", f"{folder}/**/[0-9].wav", "--to-dir", tmp_path / "out", "--format", "wav", "--progress", "none")
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.wav")) == ["1.wav", "2.wav"]
    sound(folder / "1.flac", 8000, 1, 0.1)
    error = refused("convert", folder, "--to-dir", tmp_path / "new", "--format", "wav")
    assert f"would be made of both {folder / '1.flac'} and {folder / '1.wav'}" in error
    assert not (tmp_path / "new").exists()
    assert "--to-dir needs --format" in refused("convert", folder, "--to-dir", tmp_path / "new", status=2)
    error = refused("convert", folder / "*.opus", "--to-dir", tmp_path / "new", "--format", "wav")
    assert "no file matches the pattern" in error


def test_resuming_without_a_report_goes_by_time(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "out"
    arguments = ("convert", folder / "1.wav", folder / "b" / "2.wav", "--to-dir", out, "--format", "flac", "--resume")
    ok(*arguments)
    os.utime(folder / "1.wav", (time.time() + 60, time.time() + 60))
    done = run(*arguments)
    assert done.stderr.decode() == "1 file converted, 1 kept\n"


def test_lines_of_progress(tmp_path: Path, folder: Path) -> None:
    arguments = ("convert", folder / "1.wav", folder / "b" / "2.wav", "--to-dir", tmp_path / "out", "--format", "flac")
    lines = run(*arguments, "--progress", "plain").stderr.decode().splitlines()
    assert lines[-2].startswith("2 of 2, ")
    assert lines[-2].endswith(" files/s, 0 s left")
    assert lines[-1] == "2 files converted"


def _long(path: Path) -> None:
    """A file whose conversion takes seconds: ten minutes of noise at the highest effort."""
    noise = np.random.default_rng(3).integers(-3000, 3000, (10 * 60 * 44_100, 2), dtype=np.int16)
    soundfile.write(path, noise, 44_100, subtype="PCM_16")


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    source, output = tmp_path / "in.wav", tmp_path / "out.flac"
    _long(source)
    output.write_bytes(b"old")
    words = [*commandline.COMMAND, "convert", str(source), str(output), "--effort", "100", "-r", "96k", "--overwrite"]
    # A shell starts what it puts in the background with Ctrl-C ignored, and children inherit that.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(words, env=child.environment(), stderr=subprocess.PIPE, start_new_session=True)
    signal.signal(signal.SIGINT, heard)
    try:
        # The new file has begun.
        while not (begun := [path for path in tmp_path.iterdir() if path.name.endswith(".mapwave-tmp")]):
            assert process.poll() is None, "it ended too early to be interrupted"
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=child.TIMEOUT)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert (process.returncode, errors) == (-signal.SIGINT, b"")
    assert not begun[0].exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.flac"]
    assert output.read_bytes() == b"old"


def test_files_become_one(tmp_path: Path) -> None:
    one, two, output = tmp_path / "1.wav", tmp_path / "2.flac", tmp_path / "out.wav"
    first = sound(one, 16_000, 2, 0.5)
    soundfile.write(two, commandline.tones(16_000, 2, 0.3), 16_000, subtype="PCM_24")
    second = soundfile.read(two, dtype="int32")[0]
    ok("concat", one, two, one, output)
    # As precise as the most precise of them.
    assert soundfile.info(output).subtype == "PCM_24"
    assert np.array_equal(decoded(output), np.concatenate([first, second, first]))
    sound(tmp_path / "3.wav", 8000, 1, 0.5)
    error = refused("concat", one, tmp_path / "3.wav", tmp_path / "x.wav")
    assert f"3.wav: -r is 8000, and that of {one} is 16000: -r 16000 converts all files to it" in error
    error = refused("concat", one, tmp_path / "3.wav", tmp_path / "x.wav", "-r", "16000")
    assert f"3.wav: -c is 1, and that of {one} is 2: -c 2 converts all files to it" in error
    ok("concat", one, tmp_path / "3.wav", tmp_path / "x.wav", "-r", "16000", "-c", "2")
    assert soundfile.info(tmp_path / "x.wav").frames == 16_000


def test_a_file_in_parts(tmp_path: Path) -> None:
    source = tmp_path / "talk.flac"
    soundfile.write(source, commandline.tones(8000, 1, 2.5), 8000, subtype="PCM_16")
    samples = soundfile.read(source, dtype="int32", always_2d=True)[0]
    names = ok("split", source, "--every", "1", "--to-dir", tmp_path / "parts").splitlines()
    assert names == [str(tmp_path / "parts" / f"talk-00{number}.flac") for number in (1, 2, 3)]
    parts = [decoded(Path(name)) for name in names]
    assert [len(part) for part in parts] == [8000, 8000, 4000]
    assert np.array_equal(np.concatenate(parts), samples)
    names = ok("split", source, "--every", "7001f", "--format", "wav", "-r", "8000").splitlines()
    assert [soundfile.info(name).frames for name in names] == [7001, 7001, 5998]
    assert "exists already" in refused("split", source, "--every", "7001f", "--format", "wav")
    assert ok("split", source, "--every", "100", "--format", "aiff").splitlines() == [str(tmp_path / "talk-001.aiff")]
    assert "at least one frame" in refused("split", source, "--every", "0")
