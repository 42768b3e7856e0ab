"""Plugins that lie, hang or write too far while they decode: an error that names them, and nothing worse."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import corpus
import numpy as np
import pluginfile
import pytest
from conftest import Lab

FRAMES = 1000

# Reads a file in every way; each must fail with the same kind of error, and a WAV file must load afterwards.
READ_AND_FAIL = """
    import pickle
    import mapwave, mapwave.numpy as mw
    path, wav = sys.argv[1:]
    for read in (
        lambda: mw.load(path), lambda: mw.load(path, threads=1, start=3, dtype="int16"), lambda: mw.open(path)[:],
        lambda: list(mw.stream(path, chunk_frames=100)), lambda: mw.batch_load([path, wav], num_workers=2),
    ):
        try:
            read()
        except mapwave.AudioError as error:
            again = pickle.loads(pickle.dumps(error))
            assert type(again) is type(error) and str(again) == str(error) and again.plugin == error.plugin
            assert again.path == path and str(error).startswith(path + ": "), error
            print(type(error).__name__, error.plugin, str(error).removeprefix(path + ": "))
        else:
            print("no error")
        assert len(mw.load(wav)[0]) == 301
"""


def toy(path: Path, num_frames: int = FRAMES, num_channels: int = 2) -> Path:
    """A file of the misbehaving plugin's format."""
    samples = np.arange(num_frames * num_channels, dtype="<i2")
    path.write_bytes(pluginfile.TOY_MAGIC + struct.pack("<IIQ", 48_000, num_channels, num_frames) + samples.tobytes())
    return path


def fail(lab: Lab, path: Path, *broken: str, **variables: str) -> list[str]:
    """What each way of reading says of a file whose plugin breaks rules."""
    pluginfile.misbehaving(lab.library("toy"), *broken)
    variables = {"MAPWAVE_PLUGIN_TIME_LIMIT": "1"} | variables
    return lab.run(READ_AND_FAIL, path, corpus.PCM16, **variables).splitlines()


def test_without_a_fault_all_is_well(lab: Lab) -> None:
    assert fail(lab, toy(lab.directory / "x.toy")) == ["no error"] * 5


@pytest.mark.parametrize(
    ("broken", "doing", "words"),
    [
        # Only the first call is made.
        (
            "HANG_DECODE",
            "(decoding|opening)",
            "(it is set aside until this process exits: )?it has not come back from decoding within 1 seconds",
        ),
        ("OVERRUN", "decoding", r"it wrote past the \d+ frames it was asked for"),
        ("OVERCOUNT", "decoding", r"it says that it decoded \d+ frames of \d+ asked for"),
        ("NUM_FRAMES", "decoding", "the sound ended at frame 1000 of the 1001 that the plugin promised"),
        ("GRID", "opening", "its seeks are anchored on a grid of 0 frames"),
        ("FORMAT_SUM", "opening", "the stream's native format is not among its output formats"),
    ],
)
def test_a_lie_is_an_error_that_names_the_plugin(lab: Lab, broken: str, doing: str, words: str) -> None:
    lines = fail(lab, toy(lab.directory / "x.toy"), broken)
    assert len(lines) == 5
    expected = rf"PluginError toypcm the plugin failed \(plugin 'toypcm', {doing}\): {words}"
    assert [line for line in lines if not re.match(expected, line)] == []


def test_a_status_that_means_nothing(lab: Lab) -> None:
    path = lab.directory / "x.toy"
    path.write_bytes(pluginfile.TOY_MAGIC + bytes(4))
    lines = fail(lab, path, "STATUS")
    assert [line for line in lines if "it returned status 77, which this interface does not define" not in line] == []
    assert {line.split()[0] for line in lines} == {"PluginError"}


def test_a_message_that_is_no_text(lab: Lab) -> None:
    path = lab.directory / "x.toy"
    path.write_bytes(pluginfile.TOY_MAGIC + bytes(100))
    lines = fail(lab, path, "MESSAGE")
    assert [line for line in lines if not line.startswith("MalformedFile toypcm malformed file")] == []


def test_who_claims_everything_leaves_the_rest_to_others(lab: Lab) -> None:
    pluginfile.misbehaving(lab.library("toy"), "PROBE_ALL")
    code = """
        import mapwave, mapwave.numpy as mw
        mp3, noise = sys.argv[1:]
        assert mw.info(mp3).plugin == "builtin"
        assert len(mw.load(mp3)[0]) == mw.info(mp3).frames
        try:
            mw.load(noise)
        except mapwave.UnsupportedFormat as error:
            print(error)
    """
    noise = lab.directory / "noise"
    noise.write_bytes(b"no sound at all, but long enough to tell")
    said = lab.run(code, corpus.FIXTURES / "compressed" / "mp3-cbr.mp3", noise)
    # Where the plugin over FFmpeg is missing, the message goes on about that.
    assert said.startswith(f"{noise}: unsupported format (plugin 'toypcm', opening): no magic number")


def test_a_probe_out_of_range_is_no_claim(lab: Lab) -> None:
    pluginfile.misbehaving(lab.library("toy"), "PROBE_RANGE")
    code = """
        import mapwave
        try:
            mapwave.info(b"x")
        except mapwave.AudioError as error:
            print(type(error).__name__, error)
    """
    assert "its probe answered 101, and a score is from 0 to 100" in lab.run(code)


def test_an_interrupt_ends_the_wait_for_a_plugin(lab: Lab) -> None:
    """A signal that comes before the wait has begun is as good."""
    pluginfile.misbehaving(lab.library("toy"), "HANG_DECODE")
    code = """
        import os, threading
        import mapwave.numpy as mw
        for read in (lambda: mw.load(sys.argv[1]), lambda: mw.open(sys.argv[1])[5:],
                     lambda: mw.batch_load([sys.argv[1]] * 3, num_workers=2)):
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                read()
            except KeyboardInterrupt:
                print("interrupted")
    """
    path = toy(lab.directory / "x.toy")
    assert lab.run(code, path, MAPWAVE_PLUGIN_TIME_LIMIT="1000") == "interrupted\n" * 3


def test_a_plugin_that_hangs_does_not_keep_the_process(lab: Lab) -> None:
    pluginfile.misbehaving(lab.library("toy"), "HANG_DECODE")
    code = """
        import mapwave.numpy as mw
        for path in sys.argv[1:]:
            try:
                mw.load(path)
            except RuntimeError:
                print("given up")
    """
    paths = [toy(lab.directory / f"{number}.toy") for number in range(2)]
    assert lab.run(code, *paths, MAPWAVE_PLUGIN_TIME_LIMIT="1") == "given up\n" * 2
