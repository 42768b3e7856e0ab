"""Plugins that do not come back, give way, lose what they wrote or change under a running process."""

from __future__ import annotations

import shutil
from pathlib import Path

import corpus
import pluginfile
import pytest
from conftest import Lab
from test_plugin_faults import toy

SECOND = {"MAPWAVE_PLUGIN_TIME_LIMIT": "1"}
NO_LIMIT = {"MAPWAVE_PLUGIN_TIME_LIMIT": "1000"}
MP3 = corpus.FIXTURES / "compressed" / "mp3-cbr.mp3"


def misbehaving(lab: Lab, name: str, *macros: str) -> Path:
    """The plugin of the tests with these macros, in the directory of plugins."""
    return pluginfile.plain(lab.library(name), "misbehaving", *macros)


@pytest.mark.parametrize("place", ["BREAK_HANG_DECODE", "TOY_HANGS_IN_OPEN", "TOY_HANGS_IN_PROBE"])
def test_a_plugin_that_hangs_is_called_once(lab: Lab, place: str) -> None:
    """Forty files cost the time limit once and leave one thread behind, not forty."""
    misbehaving(lab, "toy", place)
    paths = [toy(lab.directory / f"{number}.toy") for number in range(40)]
    code = """
        import logging, os, time
        import mapwave, mapwave.numpy as mw
        logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout)
        errors = []
        for path in sys.argv[1:]:
            try:
                mw.load(path, plugin="toypcm")
            except mapwave.AudioError as error:
                errors.append(str(error))
        print(len(errors), sum("it has not come back from" in error for error in errors))
        print(sum("it is set aside until this process exits" in error for error in errors))
        def name(task):
            try:
                return open(f"/proc/self/task/{task}/comm").read()
            except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                return ""
        def num_threads():
            return sum(name(task).startswith("mapwave plugin") for task in os.listdir("/proc/self/task"))
        # A thread whose handle was closed ends soon.
        end = time.monotonic() + 10
        while sys.platform == "linux" and num_threads() > 1 and time.monotonic() < end:
            time.sleep(0.01)
        assert sys.platform != "linux" or num_threads() == 1
        plugin, = (plugin for plugin in mapwave.plugins() if plugin.id == "toypcm")
        print(plugin.refused.split(":")[0])
    """
    lines = lab.run(code, *paths, **SECOND).splitlines()
    warnings = [line for line in lines if line.startswith("WARNING")]
    assert len(warnings) == 1, warnings
    assert "plugin 'toypcm' is set aside until this process exits: it has not come back from" in warnings[0]
    rest = [line for line in lines if not line.startswith("WARNING")]
    assert rest == ["40 40", "39", "it is set aside until this process exits"]


def test_a_plugin_that_asks_whether_it_is_cancelled_is_not_hung(lab: Lab) -> None:
    """A call that loads a model may take longer than the limit, if it asks meanwhile."""
    misbehaving(lab, "toy", "TOY_ASKS_FOR=25")
    code = """
        import mapwave.numpy as mw
        print(mw.load(sys.argv[1])[0].shape, mw.load(sys.argv[1])[0].shape)
    """
    path = toy(lab.directory / "x.toy")
    assert lab.run(code, path, **SECOND) == lab.run(code, path, **NO_LIMIT)


def test_others_read_what_a_hanging_plugin_claims(lab: Lab) -> None:
    """A plugin that hangs while it is asked costs the others nothing but the first wait."""
    misbehaving(lab, "toy", "TOY_HANGS_IN_PROBE", 'TOY_ID="hangs"')
    misbehaving(lab, "other")
    code = """
        import mapwave, mapwave.numpy as mw
        toy, mp3 = sys.argv[1:]
        print(mw.info(toy).plugin, mw.info(mp3).plugin, mw.info(toy).plugin)
    """
    assert lab.run(code, toy(lab.directory / "x.toy"), MP3, **SECOND) == "toypcm builtin toypcm\n"


@pytest.mark.parametrize("place", ["TOY_HANGS_IN_PROBE", "TOY_HANGS_IN_OPEN", "TOY_HANGS_IN_TAG", "BREAK_HANG_ENTRY"])
def test_an_interrupt_ends_the_wait_in_every_call(lab: Lab, place: str) -> None:
    misbehaving(lab, "toy", place)
    code = """
        import os, threading, time
        import mapwave, mapwave.numpy as mw
        calls = [lambda: mw.info(sys.argv[1])]
        if "ENTRY" not in sys.argv[2] and "TAG" not in sys.argv[2]:
            calls += [lambda: mw.load(sys.argv[1]), lambda: mw.open(sys.argv[1]), lambda: next(mw.stream(sys.argv[1],
                      chunk_frames=9)), lambda: mw.batch_load([sys.argv[1]] * 3, num_workers=2)]
        for call in calls:
            sent = []
            def press():
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)
            threading.Timer(0.3, press).start()
            try:
                call()
            except KeyboardInterrupt:
                print("interrupted")
            else:
                print("not interrupted")
    """
    lines = lab.run(code, toy(lab.directory / "x.toy"), place, MAPWAVE_PLUGIN_TRIAL="0", **NO_LIMIT).splitlines()
    assert lines and set(lines) == {"interrupted"}


def test_an_interrupted_search_goes_on_at_the_next_call(lab: Lab) -> None:
    misbehaving(lab, "a-toy", "BREAK_HANG_ENTRY", 'TOY_ID="hangs"')
    misbehaving(lab, "other")
    code = """
        import os, threading
        import mapwave, mapwave.numpy as mw
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            mw.info(sys.argv[1])
        except KeyboardInterrupt:
            print("interrupted")
        print(mw.info(sys.argv[2]).plugin)
    """
    path = toy(lab.directory / "x.toy")
    said = lab.run(code, path, path, MAPWAVE_PLUGIN_TRIAL="0", MAPWAVE_PLUGIN_TIME_LIMIT="2")
    assert said == "interrupted\ntoypcm\n"


@pytest.mark.parametrize("megabytes", [4, 7])
def test_a_plugin_may_use_the_stack_that_it_is_promised(lab: Lab, megabytes: int) -> None:
    misbehaving(lab, "toy", f"TOY_STACK_BYTES=({megabytes}<<20)")
    code = """
        import mapwave.numpy as mw
        print(len(mw.load(sys.argv[1])[0]), len(mw.batch_load([sys.argv[1]] * 3, num_workers=2)))
    """
    assert lab.run(code, toy(lab.directory / "x.toy")) == "1000 3\n"


FALLING = """
    import logging
    import mapwave, mapwave.numpy as mw
    logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout)
    for times in range(2):
        try:
            info = mw.info(sys.argv[1])
        except mapwave.AudioError as error:
            print(type(error).__name__, error.plugin)
        else:
            print(info.plugin, len(info.plugin_errors), *info.plugin_errors, sep=" | ")
            assert info.asdict()["plugin_errors"] == list(info.plugin_errors)
"""


def surer(lab: Lab, score: int, status: str) -> list[str]:
    """What is said of a file, twice, that a plugin with a higher score fails to open."""
    misbehaving(lab, "a-surer", 'TOY_ID="surer"', f"TOY_SCORE={score}", f"TOY_FAILS={status}")
    misbehaving(lab, "b-other", "TOY_SCORE=60")
    return lab.run(FALLING, toy(lab.directory / "x.toy")).splitlines()


def test_a_decoder_that_does_not_support_a_file_gives_way_without_a_word(lab: Lab) -> None:
    assert surer(lab, 95, "MW_UNSUPPORTED") == ["toypcm | 0"] * 2


@pytest.mark.parametrize("status", ["MW_BAD_DATA", "MW_INTERNAL", "MW_NO_MEMORY", "MW_MISSING_DEPENDENCY", "MW_IO"])
def test_a_decoder_that_fails_gives_way_with_a_warning(lab: Lab, status: str) -> None:
    lines = surer(lab, 95, status)
    assert len(lines) == 4
    for warning, fact in (lines[:2], lines[2:]):
        assert warning.startswith("WARNING surer: ") or warning.startswith("WARNING")
        assert "plugin 'surer' (" in warning and "told to fail; another decoder reads it" in warning
        assert fact.startswith("toypcm | 1 | plugin 'surer' (") and fact.endswith("says: told to fail")


def test_a_decoder_that_is_certain_has_the_last_word_on_damage(lab: Lab) -> None:
    assert surer(lab, 100, "MW_BAD_DATA") == ["MalformedFile surer"] * 2


def test_an_encoder_that_loses_the_number_of_frames_is_found_out(lab: Lab) -> None:
    """The old file stays as it was."""
    misbehaving(lab, "toy", "BREAK_UNKNOWN_COUNT")
    code = """
        import numpy as np
        import mapwave, mapwave.numpy as mw
        path = sys.argv[1]
        mw.save(path, np.zeros((100, 2), np.float32), 8000)
        print(mw.info(path).frames)
        try:
            with mw.open(path, "w", sr=8000, channels=2) as writer:
                writer.write(np.zeros((50, 2), np.float32))
        except mapwave.PluginError as error:
            print(error.plugin, str(error).split("discarded: ")[1])
        print(mw.info(path).frames, os.listdir(os.path.dirname(path)))
    """
    directory = lab.directory / "saved"
    directory.mkdir()
    said = lab.run("        import os\n" + code, directory / "x.toypcm").splitlines()
    assert said[0] == "100" and said[1].startswith("toypcm it "), said
    assert said[2] == "100 ['x.toypcm']"


def test_a_library_that_is_rebuilt_is_not_taken_for_the_old_one(lab: Lab) -> None:
    library = misbehaving(lab, "toy")
    elsewhere = pluginfile.plain(lab.directory / f"new.{pluginfile.SUFFIX}", "misbehaving", 'TOY_ID="newer"')
    code = """
        import os
        import mapwave
        library, elsewhere = sys.argv[1:]
        print(mapwave.register_plugin(library).id, mapwave.register_plugin(library).id)
        os.replace(elsewhere, library)
        try:
            mapwave.register_plugin(library)
        except mapwave.PluginError as error:
            print(error.plugin, "start a new process" in str(error))
    """
    assert lab.run(code, library, elsewhere) == "toypcm toypcm\ntoypcm True\n"


def test_the_samples_of_a_plugin_cannot_be_viewed(lab: Lab) -> None:
    misbehaving(lab, "toy")
    code = """
        import mapwave, mapwave.numpy as mw
        try:
            mw.open(sys.argv[1]).view()
        except mapwave.UnsupportedFormat as error:
            print("a codec plugin decodes" in str(error), "compressed format" in str(error))
    """
    assert lab.run(code, toy(lab.directory / "x.toy")) == "True False\n"


def test_many_idle_plugins_are_asked_in_order(lab: Lab) -> None:
    """Twenty plugins that do not know a file leave it to the one that does."""
    first = misbehaving(lab, "p00", 'TOY_ID="p00"')
    for number in range(1, 20):
        pluginfile.plain(lab.library(f"p{number:02}"), "misbehaving", f'TOY_ID="p{number:02}"')
    code = """
        import mapwave, mapwave.numpy as mw
        mp3, toy = sys.argv[1:]
        print([mw.info(path).plugin for path in (mp3, toy, mp3, toy)])
    """
    assert first.exists()
    path = shutil.copy(toy(lab.directory / "x.toy"), lab.directory / "y.toy")
    assert lab.run(code, MP3, path) == "['builtin', 'p00', 'builtin', 'p00']\n"
