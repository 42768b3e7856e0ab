"""Options of a plugin's own: described by it, checked before it gets them, given to it; calls that are cancelled."""

from __future__ import annotations

import json
from pathlib import Path

import corpus
import mapwave
import numpy as np
import pluginfile
import pytest
from conftest import Lab

SAMPLES = np.arange(-500, 500, dtype=np.int16)


def choosy(lab: Lab, *macros: str) -> Path:
    """The plugin with options, and a file of its format."""
    pluginfile.plain(lab.library("choosy"), "choosy", *macros)
    path = lab.directory / "x.choosy"
    path.write_bytes(b"CHOOSY\0\0" + b"mine".ljust(8, b"\0") + SAMPLES.tobytes())
    return path


def test_options_reach_the_decoder_in_every_way_of_reading(lab: Lab) -> None:
    code = """
        import numpy as np
        import mapwave.numpy as mw
        path = sys.argv[1]
        plain = mw.load(path, dtype="int16", squeeze_mono=True)[0]
        given = {"plugin": "choosy", "plugin_options": {"shift": 7, "sign": "negated"}, "dtype": "int16"}
        expected = 7 - plain
        with mw.open(path, squeeze_mono=True, **given) as reader:
            opened = reader[10:20]
        streamed = np.concatenate([chunk for chunk, _ in mw.stream(path, chunk_frames=100, squeeze_mono=True, **given)])
        for found, frames in (
            (mw.load(path, squeeze_mono=True, **given)[0], expected), (opened, expected[10:20]), (streamed, expected),
            (mw.batch_load([path, path], squeeze_mono=True, num_workers=2, **given)[1][0], expected),
        ):
            np.testing.assert_array_equal(found, frames)
        assert mw.info(path, plugin="choosy", plugin_options={"slow": True, "unused": 0.5}).frames == len(plain)
        print(plain[0], plain[-1])
    """
    assert lab.run(code, choosy(lab)) == "-500 499\n"


def test_options_reach_the_encoder(lab: Lab) -> None:
    choosy(lab)
    code = """
        import numpy as np
        import mapwave, mapwave.numpy as mw
        path, audio = sys.argv[1], np.arange(100, dtype=np.int16)
        mw.save(path, audio, 8000, plugin="choosy", plugin_options={"mark": "first"})
        print(mw.info(path).tags)
        with mapwave.open(path, "w", sr=8000, channels=1, dtype="int16", plugin="choosy",
                          plugin_options={"mark": "second"}) as writer:
            writer.write(audio)
        print(mw.info(path).tags, (mw.load(path, dtype="int16", squeeze_mono=True)[0] == audio).all())
        prepared = mapwave.prepare_save(audio)
        mapwave.save_prepared(path, prepared, 8000, plugin="choosy", plugin_options={"mark": "third"})
        print(mw.info(path).tags)
    """
    said = lab.run(code, lab.directory / "y.choosy").splitlines()
    assert said == ["{'mark': 'first'}", "{'mark': 'second'} True", "{'mark': 'third'}"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shift": 101}, "a whole number from -100 to 100 for 'shift', got '101'"),
        ({"shift": 1.5}, "a whole number from -100 to 100 for 'shift', got '1.5'"),
        ({"sign": "lost"}, "one of kept, negated for 'sign', got 'lost'"),
        ({"slow": 2}, "True or False for 'slow', got '2'"),
        ({"unused": "much"}, "a number for 'unused', got 'much'"),
        ({"other": 1}, "options of the decoder 'choosy': shift, sign, slow, unused, got 'other'"),
    ],
)
def test_what_is_not_legal_is_refused_by_name(lab: Lab, options: dict[str, object], words: str) -> None:
    code = """
        import json
        import mapwave, mapwave.numpy as mw
        try:
            mw.load(sys.argv[1], plugin="choosy", plugin_options=json.loads(sys.argv[2]))
        except ValueError as error:
            print(error)
    """
    said = lab.run(code, choosy(lab), json.dumps(options))
    assert "plugin_options must be " in said and words in said, said


def test_options_belong_to_a_plugin_that_is_named(tmp_path: Path) -> None:
    for read in (mapwave.load, mapwave.info, mapwave.open):
        with pytest.raises(ValueError, match="plugin_options must be given with the plugin that they are for"):
            read(corpus.PCM16, plugin_options={"shift": 1})
    with pytest.raises(ValueError, match="left out: the decoder '.*' has no options of its own, got 'shift'"):
        mapwave.load(corpus.FIXTURES / "compressed" / "mp3-cbr.mp3", plugin="builtin", plugin_options={"shift": 1})
    with pytest.raises(ValueError, match="plugin_options"):
        mapwave.save(tmp_path / "a.flac", SAMPLES, 8000, plugin_options={"shift": 1})
    with pytest.raises(ValueError, match="plugin_options does not apply to .* in wav"):
        mapwave.save(tmp_path / "a.wav", SAMPLES, 8000, plugin_options={"shift": 1})
    for wrong in ([("a", 1)], {"a": None}, {1: 2}, "a=1"):
        with pytest.raises(TypeError, match="plugin_options must be a dict of str to str, int, float or bool or None"):
            mapwave.load(corpus.PCM16, plugin_options=wrong)
    assert not list(tmp_path.iterdir())


def test_the_list_of_plugins_shows_options(lab: Lab) -> None:
    choosy(lab)
    code = """
        import subprocess
        for arguments in ([], ["--format", "json"]):
            print(subprocess.run([sys.executable, "-P", "-m", "mapwave", "plugins", "list", *arguments], check=True,
                                 capture_output=True, text=True).stdout)
    """
    said = lab.run(code)
    assert "option to read" in said and "shift (a whole number from -100 to 100, 0 by default): added to every" in said
    assert "option to write" in said and "mark (a text): eight characters for the header" in said
    assert '"kind": "integer"' in said and '"default": "kept"' in said


def test_an_option_without_a_legal_name_is_refused(lab: Lab) -> None:
    choosy(lab, "TOY_BAD_OPTION")
    code = """
        import mapwave
        print([plugin.refused for plugin in mapwave.plugins() if plugin.refused])
    """
    assert "its option number 1 has no name of lower-case letters, digits and '_' of its own" in lab.run(code)


def test_a_call_learns_that_nobody_waits_any_more(lab: Lab) -> None:
    code = """
        import os, threading, time
        import mapwave.numpy as mw
        path, mark = sys.argv[1:]
        with mw.open(path, plugin="choosy", plugin_options={"slow": True}) as reader:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                reader[:]
            except KeyboardInterrupt:
                print("interrupted")
        end = time.monotonic() + 10
        while not os.path.exists(mark) and time.monotonic() < end:
            time.sleep(0.01)
        print(os.path.exists(mark))
    """
    mark = lab.directory / "cancelled"
    assert lab.run(code, choosy(lab), mark, CHOOSY_CANCELLED=str(mark)) == "interrupted\nTrue\n"
