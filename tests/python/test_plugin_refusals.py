"""Libraries that are not loaded: why, and that nothing else suffers."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import corpus
import pluginfile
import pytest
import qoafile
from conftest import Lab

# Loads a file that a good plugin reads, then says what became of all libraries.
LOAD_AND_LIST = """
    import json
    import mapwave, mapwave.numpy
    for path in sys.argv[1:]:
        try:
            mapwave.numpy.load(path)
        except mapwave.AudioError as error:
            print(json.dumps([type(error).__name__, str(error)]))
        else:
            print(json.dumps(None))
    plugins = [plugin for plugin in mapwave.plugins() if plugin.origin != "bundled"]
    print(json.dumps({plugin.path.stem if plugin.path else plugin.id: plugin.refused for plugin in plugins}))
"""


def load_and_list(lab: Lab, *paths: object, **variables: str) -> tuple[list, dict[str, str | None]]:
    """What loading the files came to, and why each library is refused, by its name."""
    *loads, refusals = map(json.loads, lab.run(LOAD_AND_LIST, *paths, **variables).splitlines())
    return loads, refusals


def writable(library: Path) -> None:
    shutil.copy(pluginfile.qoa(), library)
    library.chmod(0o777)


# What to put where a library is expected, and what is said of it.
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda library: library.write_text("no library"), "file too short|invalid ELF header|dlopen"),
    "empty": (Path.touch, "file too short|dlopen"),
    "folder": (Path.mkdir, "it is not a regular file"),
    "dangling": (lambda library: library.symlink_to("nothing"), "it cannot be opened: No such file"),
    "writable": (writable, r"everybody may write to the file \(mode 777\); chmod o-w it"),
    "no-entry": (lambda library: pluginfile.misbehaving(library, "NO_ENTRY"), "it is not a mapwave plugin"),
    "old": (
        lambda library: pluginfile.from_source(library, pluginfile.OLD),
        "it exports mapwave_plugin_entry_v0, which is for another version of mapwave",
    ),
    "too-new": (
        lambda library: pluginfile.misbehaving(library, "ABI_MAJOR"),
        "it is too new: made for version 2 of the interface, not 1",
    ),
    "no-id": (lambda library: pluginfile.misbehaving(library, "EMPTY_ID"), "its id"),
    "reserved-id": (
        lambda library: pluginfile.misbehaving(library, "RESERVED_ID"),
        "the name 'builtin' is reserved for the plugin 'builtin' that comes with this program; give it another id",
    ),
    "no-function": (
        lambda library: pluginfile.misbehaving(library, "MISSING_FUNCTION"),
        "its decoder table has no function 'fork'",
    ),
    "short-table": (lambda library: pluginfile.misbehaving(library, "TABLE_SIZE"), "its encoder table"),
    "unbound": (
        lambda library: pluginfile.misbehaving(library, "UNBOUND"),
        "undefined symbol: no_such_function|dlopen",
    ),
    "same-name": (lambda library: shutil.copy(pluginfile.qoa(), library), "the name 'qoa' is taken by .*good"),
    "no-dependency": (pluginfile.without_dependency, "libneeded"),
    "refuses": (lambda library: pluginfile.from_source(library, pluginfile.REFUSING), "it has an internal fault"),
    "crashes-early": (
        lambda library: pluginfile.misbehaving(library, "CONSTRUCTOR"),
        r"it crashed while it was loaded \(signal 11\)",
    ),
    "aborts": (
        lambda library: pluginfile.from_source(library, pluginfile.ABORTING),
        r"it crashed while it was loaded \(signal 6\)",
    ),
    "exits": (
        lambda library: pluginfile.from_source(library, pluginfile.EXITING),
        r"it ended the process while it was loaded \(exit status 0\)",
    ),
    "hangs": (
        lambda library: pluginfile.misbehaving(library, "HANG_ENTRY"),
        "it did not load within 2 seconds",
    ),
}


@pytest.fixture(scope="module")
def all_bad(tmp_path_factory: pytest.TempPathFactory, qoa_library: Path) -> tuple[list, dict[str, str | None]]:
    """One process with every bad library and, first by name, a good one."""
    lab = Lab(tmp_path_factory.mktemp("bad") / "lab")
    shutil.copy(qoa_library, lab.library("a-good"))
    for name, (make, _) in BAD.items():
        make(lab.library(name))
    path = qoafile.write(lab.directory / "sound.qoa", 100, 1)
    mp3 = corpus.FIXTURES / "compressed" / "mp3-cbr.mp3"
    return load_and_list(lab, path, mp3, corpus.PCM16, MAPWAVE_PLUGIN_TIME_LIMIT="2")


def test_bad_libraries_cost_nothing_else(all_bad) -> None:
    loads, refusals = all_bad
    assert loads == [None, None, None]
    assert refusals.keys() == {"a-good", "builtin", *BAD}
    assert refusals["a-good"] is None
    assert refusals["builtin"] is None


@pytest.mark.parametrize("name", BAD)
def test_a_bad_library_is_refused_for_its_reason(all_bad, name: str) -> None:
    why = all_bad[1][name]
    assert why is not None
    assert re.search(BAD[name][1], why), why


def test_a_directory_that_everybody_may_write_to(lab: Lab, qoa_library: Path) -> None:
    shutil.copy(qoa_library, lab.library("qoa"))
    (lab.plugins / "abi1").mkdir()
    shutil.copy(qoa_library, lab.plugins / "abi1" / f"second.{pluginfile.SUFFIX}")
    lab.plugins.chmod(0o777)
    path = qoafile.write(lab.directory / "sound.qoa", 100, 1)
    loads, refusals = load_and_list(lab, path)
    assert loads[0][0] == "UnsupportedFormat"
    why = "everybody may write to the directory (mode 777); chmod o-w it"
    around = f"of the directories around it, {lab.plugins.resolve()}: {why}"
    assert refusals == {"qoa": why, "second": around, "builtin": None}
    # With the sticky bit, nobody can replace the directory that belongs to this user, but anybody can add a library.
    lab.plugins.chmod(0o1777)
    loads, refusals = load_and_list(lab, path)
    assert loads == [None]
    assert refusals == {"qoa": why.replace("777", "1777"), "second": None, "builtin": None}


def test_a_link_out_of_a_safe_directory_is_followed_to_where_it_leads(lab: Lab, qoa_library: Path) -> None:
    elsewhere = lab.directory / "elsewhere"
    elsewhere.mkdir()
    library = shutil.copy(qoa_library, elsewhere)
    elsewhere.chmod(0o777)
    lab.library("link").symlink_to(library)
    assert "everybody may write to the directory" in load_and_list(lab)[1]["libmapwave_qoa"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else(lab: Lab, qoa_library: Path) -> None:
    shutil.copy(qoa_library, lab.library("qoa"))
    os.chown(lab.library("qoa"), 12_345, -1)
    why = load_and_list(lab)[1]["qoa"]
    assert why == "the file belongs to user 12345, and only root's and your own are loaded (chown it)"


# The first loading is tried in a process of its own


def times_loaded(lab: Lab) -> int:
    """How often a library that tallies was loaded so far."""
    path = lab.directory / "tally"
    return path.stat().st_size if path.exists() else 0


def run_once(lab: Lab, **variables: str) -> str | None:
    """A process that looks for plugins; why the library `x` is refused."""
    return load_and_list(lab, corpus.PCM16, TALLY=str(lab.directory / "tally"), **variables)[1]["x"]


def test_a_crash_is_remembered_until_the_file_changes(lab: Lab) -> None:
    library = pluginfile.misbehaving(lab.library("x"), "CONSTRUCTOR", tally=True)
    assert run_once(lab) == "it crashed while it was loaded (signal 11)"
    assert times_loaded(lab) == 1
    words, *_, path = (lab.cache / "mapwave/plugins.tsv").read_text().rstrip("\n").split("\t")
    assert words == "crashed: it crashed while it was loaded (signal 11)"
    assert path == str(library.resolve())

    assert run_once(lab).startswith("it crashed while it was loaded (signal 11) (as seen before")
    assert times_loaded(lab) == 1

    os.utime(library, (1, 1))
    assert run_once(lab) == "it crashed while it was loaded (signal 11)"
    assert times_loaded(lab) == 2

    pluginfile.misbehaving(library, tally=True)
    assert run_once(lab) is None
    assert times_loaded(lab) == 4
    assert len((lab.cache / "mapwave/plugins.tsv").read_text().splitlines()) == 1


def test_a_good_library_is_tried_once(lab: Lab) -> None:
    pluginfile.misbehaving(lab.library("x"), tally=True)
    for expected in (2, 3, 4):
        assert run_once(lab) is None
        assert times_loaded(lab) == expected


def test_without_a_cache_it_is_tried_each_time(lab: Lab) -> None:
    pluginfile.misbehaving(lab.library("x"), tally=True)
    lab.cache.rmdir()
    lab.cache.write_text("no directory")
    for expected in (2, 4):
        assert run_once(lab) is None
        assert times_loaded(lab) == expected


@pytest.mark.parametrize("contents", [b"", b"ok\n\xff\xfe\tnonsense\n" * 9, b"crashed: \t\n", bytes(2 << 20)])
def test_a_cache_full_of_nonsense(lab: Lab, contents: bytes) -> None:
    pluginfile.misbehaving(lab.library("x"), tally=True)
    (lab.cache / "mapwave").mkdir()
    (lab.cache / "mapwave/plugins.tsv").write_bytes(contents)
    assert run_once(lab) is None
    assert times_loaded(lab) == 2


def test_the_trial_can_be_left_out(lab: Lab) -> None:
    pluginfile.misbehaving(lab.library("x"), tally=True)
    assert run_once(lab, MAPWAVE_PLUGIN_TRIAL="0") is None
    assert times_loaded(lab) == 1
    assert not (lab.cache / "mapwave").exists()


def test_a_refusal_is_not_remembered(lab: Lab) -> None:
    """What a library misses today may be there tomorrow."""
    pluginfile.misbehaving(lab.library("x"), "ABI_MAJOR", tally=True)
    for expected in (2, 4):
        assert "too new" in run_once(lab)
        assert times_loaded(lab) == expected


def test_a_slow_load_is_not_remembered(lab: Lab) -> None:
    """The machine may be less busy the next time."""
    pluginfile.misbehaving(lab.library("x"), "HANG_ENTRY", tally=True)
    for expected in (1, 2):
        assert run_once(lab, MAPWAVE_PLUGIN_TIME_LIMIT="1") == "it did not load within 1 seconds"
        assert times_loaded(lab) == expected


def test_many_processes_at_once(lab: Lab) -> None:
    """The cache is written whole or not at all."""
    pluginfile.misbehaving(lab.library("crashing"), "CONSTRUCTOR")
    pluginfile.misbehaving(lab.library("good"))
    code = """
        import subprocess
        code = "import mapwave; print(sum(p.loaded for p in mapwave.plugins() if p.origin != 'bundled'))"
        children = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(6)]
        print({child.communicate()[0] for child in children})
    """
    assert lab.run(code) == "{b'2\\n'}\n"
    lines = (lab.cache / "mapwave/plugins.tsv").read_text().splitlines()
    assert all(line.startswith(("ok\t", "crashed: it crashed")) and line.count("\t") == 6 for line in lines)


@pytest.mark.skipif(sys.platform != "linux", reason="what is loaded is read from /proc")
def test_a_library_that_crashed_is_not_in_this_process(lab: Lab) -> None:
    pluginfile.misbehaving(lab.library("crashing"), "CONSTRUCTOR")
    code = """
        from pathlib import Path
        import mapwave
        assert not mapwave.plugins()[0].loaded
        print("crashing" in Path("/proc/self/maps").read_text())
    """
    assert lab.run(code) == "False\n"
