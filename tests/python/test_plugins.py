"""Codec plugins that keep the rules: found, asked and read, against decoders of their own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import child
import commandline
import corpus
import mapwave
import numpy as np
import pluginfile
import pytest
import qoafile
import soundfile
from conftest import Lab

FRAMES = 12_345

# What every way of reading makes of a file whose samples are known, for both array libraries.
READ_ALL_WAYS = """
    import random
    import mapwave, mapwave.numpy as mw
    import numpy as np

    path, expected, plugin = sys.argv[1], np.load(sys.argv[2]), sys.argv[3]
    native = expected.dtype.name
    frames, channels = expected.shape
    equal = np.testing.assert_array_equal
    whole = expected if native == "float32" else expected / np.float32(1 << 15)

    info = mw.info(path)
    assert (info.frames, info.channels, info.plugin) == (frames, channels, plugin)
    assert info == mapwave.info(path, plugin=plugin)
    equal(mw.load(path)[0], whole)
    equal(mw.load(path, dtype=native)[0], expected)
    equal(mw.load(path, dtype="float64")[0], whole.astype(np.float64))
    equal(mw.load(path, dtype="float16")[0], whole.astype(np.float16))
    equal(mw.load(path, layout="channels_first")[0], whole.T)
    equal(mw.load(path, channels=[1, 0], dtype=native)[0], expected[:, ::-1])
    equal(mw.load(path, channels=1, dtype=native, squeeze_mono=True)[0], expected[:, 1])
    mono = whole.astype(np.float64).mean(axis=1, keepdims=True).astype(np.float32)
    equal(mw.load(path, mono=True)[0], mono)
    equal(mw.load(open(path, "rb").read(), plugin=plugin)[0], whole)
    if native == "int16":
        equal(mw.load(path, dtype="int32")[0], expected.astype(np.int32) << 16)

    chance = random.Random(3)
    reader = mw.open(path, dtype=native)
    for _ in range(60):
        start, stop = sorted(chance.randrange(frames + 1) for _ in range(2))
        equal(mw.load(path, start=start, stop=stop, dtype=native, threads=1 + start % 3)[0], expected[start:stop])
        equal(reader[start:stop], expected[start:stop])
    seconds = mw.load(path, offset=0.1, duration=0.05, dtype=native)[0]
    first, count = int(0.1 * info.sample_rate), int(0.05 * info.sample_rate)
    equal(seconds, expected[first : first + count])
    assert reader.seek(1000) == 1000 and len(reader) == frames
    equal(np.concatenate([reader.read(777), reader.read()]), expected[1000:])
    equal(np.concatenate(list(reader.blocks(4096))), expected)
    for size in (1000, 5120, frames + 1):
        chunks = [chunk for chunk, _ in mw.stream(path, chunk_frames=size, dtype=native)]
        equal(np.concatenate(chunks), expected)
    for audio, rate in mw.batch_load([path] * 5, num_workers=3, dtype=native):
        equal(audio, expected)
        assert rate == info.sample_rate
    if "mlx" in sys.argv:
        equal(np.array(mapwave.load(path)[0]), whole)
        equal(np.array(mapwave.load(path, mono=True, layout="channels_first")[0]), mono.T)
    print("ok")
"""

LIST = """
    import json
    import mapwave, mapwave.numpy
    fields = ("id", "loaded", "refused", "origin", "version", "vendor", "license", "decodes", "encodes", "extensions")
    for name in sys.argv[1:]:
        mapwave.numpy.load(name)
    found = mapwave.plugins()
    assert all(repr(plugin) for plugin in found)
    rows = [{field: getattr(p, field) for field in fields} | {"path": p.path and str(p.path)} for p in found]
    print(json.dumps(rows))
"""


def listed(lab: Lab, *paths: object, **variables: str) -> list[dict]:
    """The plugins of a process that has loaded some files, but for those that this machine's wheel brings along."""
    rows = json.loads(lab.run(LIST, *paths, **variables))
    return [row for row in rows if row["origin"] != "bundled"]


def with_mlx() -> list[str]:
    """Whether MLX can be tried as well."""
    try:
        import mlx.core  # noqa: F401
    except ImportError:
        return []
    return ["mlx"]


# Reading


@pytest.mark.parametrize("folder", ["", "abi1"])
def test_a_plugin_in_rust_reads_as_the_specification_says(lab: Lab, qoa_library: Path, folder: str) -> None:
    (lab.plugins / folder).mkdir(exist_ok=True)
    shutil.copy(qoa_library, lab.plugins / folder)
    path = qoafile.write(lab.directory / "sound.qoa", FRAMES, 2)
    expected = lab.directory / "expected.npy"
    np.save(expected, qoafile.decode(path.read_bytes()))
    assert lab.run(READ_ALL_WAYS, path, expected, "qoa", *with_mlx()) == "ok\n"


@pytest.mark.parametrize(("subtype", "dtype"), [("PCM_16", "int16"), ("FLOAT", "float32")])
def test_a_plugin_in_c_reads_as_soundfile_does(lab: Lab, au_library: Path, subtype: str, dtype: str) -> None:
    shutil.copy(au_library, lab.plugins)
    path = lab.directory / "sound.au"
    samples = np.random.default_rng(5).uniform(-1, 1, (FRAMES, 2))
    soundfile.write(path, samples, 22_050, subtype=subtype)
    expected = lab.directory / "expected.npy"
    np.save(expected, soundfile.read(path, dtype=dtype, always_2d=True)[0])
    assert lab.run(READ_ALL_WAYS, path, expected, "example-au", *with_mlx()) == "ok\n"


def test_the_name_of_the_file_does_not_matter(lab: Lab, qoa_library: Path) -> None:
    shutil.copy(qoa_library, lab.plugins)
    path = qoafile.write(lab.directory / "sound.wav", 100, 1)
    assert lab.run("import mapwave; print(mapwave.info(sys.argv[1]).container)", path) == "qoa\n"


# Choosing


def test_a_plugin_is_picked_by_its_name(lab: Lab, qoa_library: Path, au_library: Path) -> None:
    for library in (qoa_library, au_library):
        shutil.copy(library, lab.plugins)
    code = """
        import pickle
        import mapwave, mapwave.numpy as mw
        qoa, mp3, wav = sys.argv[1:]
        assert mw.info(qoa, plugin="qoa").plugin == "qoa"
        assert mw.info(mp3, plugin="builtin").plugin == "builtin"
        for read in (mw.load, mw.info, mw.open, lambda path, plugin: mw.stream(path, 9, plugin=plugin),
                     lambda path, plugin: mw.batch_load([path], plugin=plugin)):
            pairs = ((qoa, "nobody"), (wav, "nobody"), (qoa, "example-au"), (wav, "qoa"), (wav, "builtin"))
            for path, plugin in pairs:
                try:
                    read(path, plugin=plugin)
                except mapwave.AudioError as error:
                    again = pickle.loads(pickle.dumps(error))
                    assert (again.path, again.plugin, str(again)) == (path, error.plugin, str(error)), error
                    print(type(error).__name__, error.plugin, str(error).removeprefix(path + ": "))
    """
    path = qoafile.write(lab.directory / "sound.qoa", 100, 1)
    mp3 = corpus.FIXTURES / "compressed" / "mp3-cbr.mp3"
    lines = lab.run(code, path, mp3, corpus.PCM16).splitlines()
    assert len(lines) == 25
    assert lines[:5] == lines[5:10] == lines[10:15] == lines[15:20] == lines[20:]
    known = "InvalidArgument None plugin must be the name of a codec plugin ('example-au', 'qoa', 'builtin'"
    assert lines[0].startswith(known) and lines[0].endswith(", got 'nobody'")
    assert lines[1] == lines[0]
    assert lines[2].startswith("UnsupportedFormat example-au unsupported format (plugin 'example-au', opening)")
    assert lines[3].startswith("UnsupportedFormat qoa unsupported format (plugin 'qoa', opening)")
    assert lines[4].startswith("UnsupportedFormat builtin unsupported format (plugin 'builtin', opening)")


def test_what_nobody_reads_names_who_was_asked(lab: Lab, qoa_library: Path) -> None:
    shutil.copy(qoa_library, lab.plugins)
    lab.library("text").write_text("no library")
    code = """
        import mapwave
        try:
            mapwave.info(b"no sound at all, but long enough to tell")
        except mapwave.UnsupportedFormat as error:
            print(error)
    """
    said = lab.run(code)
    assert "none of the codec plugins 'qoa', 'builtin'" in said and "reads it" in said
    assert f"text.{pluginfile.SUFFIX} was not loaded: " in said


def test_register_plugin(lab: Lab, qoa_library: Path, au_library: Path) -> None:
    shutil.copy(qoa_library, lab.library("copy"))
    text = lab.directory / f"text.{pluginfile.SUFFIX}"
    text.write_text("no library")
    code = """
        import pickle
        import mapwave
        qoa, library, au, text = sys.argv[1:]
        assert mapwave.info(qoa).plugin == "qoa"
        for _ in range(2):
            plugin = mapwave.register_plugin(library)
            assert (plugin.id, plugin.origin, plugin.loaded) == ("qoa", "registered", True), plugin
        assert mapwave.register_plugin(au).decodes
        states = [(plugin.id, plugin.origin, plugin.refused) for plugin in mapwave.plugins()]
        assert [state[:2] for state in states if state[1] != "bundled"] == [
            ("example-au", "registered"), ("qoa", "registered"), ("qoa", "environment"), ("builtin", "embedded"),
        ], states
        assert "the name 'qoa' is taken by " + library in states[2][2], states
        for path in (text, text + ".missing"):
            try:
                mapwave.register_plugin(path)
            except (mapwave.PluginError, FileNotFoundError) as error:
                error = pickle.loads(pickle.dumps(error))
                print(type(error).__name__, error.path == path, error.plugin, error)
        assert mapwave.info(qoa).plugin == "qoa"
    """
    path = qoafile.write(lab.directory / "sound.qoa", 100, 1)
    said = lab.run(code, path, qoa_library.resolve(), au_library, text).splitlines()
    assert said[0].startswith(f"PluginError True text.{pluginfile.SUFFIX} {text}: the plugin failed")
    assert said[1].startswith("AudioFileNotFound True None ")


# Listing


def test_plugins_and_directories(lab: Lab, qoa_library: Path, au_library: Path) -> None:
    shutil.copy(qoa_library, lab.library("b"))
    user = lab.data / "mapwave/plugins/abi1"
    user.mkdir(parents=True)
    shutil.copy(au_library, user)
    qoa, au, embedded = listed(lab)
    assert (qoa["id"], qoa["origin"], qoa["path"]) == ("qoa", "environment", str(lab.library("b").resolve()))
    assert (qoa["decodes"], qoa["encodes"], qoa["extensions"]) == (["qoa"], ["qoa"], ["qoa"])
    assert (qoa["version"], qoa["vendor"], qoa["license"]) == ("0.1.0", "mapwave", "MIT OR Apache-2.0")
    assert (au["id"], au["origin"]) == ("example-au", "user")
    assert (embedded["id"], embedded["origin"], embedded["path"]) == ("builtin", "embedded", None)
    assert {"mp3", "aac", "alac", "flac", "vorbis", "opus"} <= {*embedded["decodes"]}
    assert embedded["encodes"] == ["flac", "opus", "alac"]
    assert all(plugin["loaded"] and plugin["refused"] is None for plugin in (qoa, au, embedded))

    code = """
        import mapwave
        for found in mapwave.plugin_directories():
            assert repr(found)
            print(found.origin, found.exists, found.refused, found.path)
    """
    package = Path(mapwave.__file__).parent
    assert lab.run(code).splitlines() == [
        f"environment True None {lab.plugins}",
        f"environment False None {lab.plugins / 'abi1'}",
        f"user True None {user}",
        f"bundled {(package / 'plugins/abi1').is_dir()} None {package / 'plugins/abi1'}",
        *(f"system {path.is_dir()} None {path}" for path in SYSTEM),
    ]


SYSTEM = [Path("/usr/local/lib/mapwave/plugins/abi1"), Path("/usr/lib/mapwave/plugins/abi1")]


def test_only_libraries_right_in_a_directory_are_looked_at(lab: Lab, qoa_library: Path) -> None:
    for name in ("deeper/qoa.so", "abi2/qoa.so", "qoa.txt", "qoa.so.1"):
        (lab.plugins / name).parent.mkdir(exist_ok=True)
        shutil.copy(qoa_library, lab.plugins / name)
    assert [plugin["id"] for plugin in listed(lab)] == ["builtin"]


def test_one_file_by_two_names_is_one_plugin(lab: Lab, qoa_library: Path) -> None:
    shutil.copy(qoa_library, lab.library("a"))
    lab.library("b").symlink_to(lab.library("a"))
    lab.library("c").hardlink_to(lab.library("a"))
    assert [plugin["id"] for plugin in listed(lab)] == ["qoa", "builtin"]


@pytest.mark.skipif(sys.platform != "linux", reason="what is loaded is read from /proc")
def test_pcm_loads_no_plugin(lab: Lab, qoa_library: Path) -> None:
    shutil.copy(qoa_library, lab.plugins)
    code = """
        from pathlib import Path
        import mapwave, mapwave.numpy
        def is_loaded():
            return "libmapwave_qoa" in Path("/proc/self/maps").read_text()
        path = sys.argv[1]
        mapwave.info(path), mapwave.numpy.load(path), mapwave.numpy.open(path)[:5]
        mapwave.plugin_directories()
        print(is_loaded(), list(Path(sys.argv[2]).iterdir()))
        mapwave.plugins()
        print(is_loaded())
    """
    assert lab.run(code, corpus.PCM16, lab.cache) == "False []\nTrue\n"


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc what is loaded")
def test_bundled_libraries_are_loaded_for_what_nothing_built_in_reads(tmp_path: Path) -> None:
    bundled = [plugin for plugin in mapwave.plugins() if plugin.origin == "bundled" and plugin.path]
    if not bundled:
        pytest.skip("no library is bundled")
    files = [path for path in sorted((corpus.FIXTURES / "compressed").iterdir()) if path.suffix != ".tsv"]
    printed = child.run(
        tmp_path,
        """
        import hashlib, json, os
        import mapwave, mapwave.numpy as mw

        library, files = sys.argv[1], sys.argv[2:]
        is_loaded = lambda: os.path.basename(library) in open("/proc/self/maps").read()

        def read(path):
            audio, rate = mw.load(path)
            return [mw.info(path).asdict() | {"tags": None}, hashlib.sha256(audio.tobytes()).hexdigest(), rate]

        alone = [read(path) for path in files]
        print(is_loaded())
        mapwave.plugins()
        print(is_loaded())
        # Who else is there changes nothing.
        print([path for path, one in zip(files, alone) if str(read(path)) != str(one)])
        """,
        bundled[0].path,
        *files,
    ).split("\n")
    assert printed[:3] == ["False", "True", "[]"]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process what it has mapped")
def test_saving_and_resampling_load_no_more_bundled_libraries_than_they_need(tmp_path: Path) -> None:
    bundled = [plugin for plugin in mapwave.plugins() if plugin.origin == "bundled" and plugin.path]
    if {plugin.id for plugin in bundled} != {"lame", "libav", "soxr"}:
        pytest.skip("not all libraries are bundled")
    printed = child.run(
        tmp_path,
        """
        import os
        import mapwave, mapwave.numpy as mw, numpy as np

        folder, *libraries = sys.argv[1:]
        names = [os.path.basename(library) for library in libraries]
        sound = (np.sin(np.arange(48000) / 20) / 2).astype(np.float32)[:, None]

        def save(name, **settings):
            path = f"{folder}/{name}"
            mw.save(path, sound, 48000, **settings)
            maps = open("/proc/self/maps").read()
            return [name for name in names if name in maps], open(path, "rb").read()

        def resample():
            audio, _ = mw.load(f"{folder}/a.flac", sr=16000)
            maps = open("/proc/self/maps").read()
            return [name for name in names if name in maps], audio.tobytes()

        saves = [("a.flac", {}), ("a.caf", {"encoding": "alac"}), ("a.ogg", {"encoding": "opus"}), ("a.mp3", {})]
        steps = [*((lambda one=one: save(one[0], **one[1])) for one in saves), resample]
        alone = [step() for step in steps]
        for loaded, _ in alone:
            print(*loaded)
        mapwave.plugins()
        # Who else is there changes nothing.
        print([step()[1] == before for step, (_, before) in zip(steps, alone)])
        print(all(name in open("/proc/self/maps").read() for name in names))
        """,
        tmp_path,
        *(plugin.path for plugin in sorted(bundled, key=lambda plugin: plugin.id)),
    ).split("\n")
    lame, _, soxr = sorted(Path(plugin.path or "").name for plugin in bundled)
    assert printed[:5] == ["", "", "", lame, f"{lame} {soxr}"]
    assert printed[5:7] == ["[True, True, True, True, True]", "True"]


@pytest.mark.skipif(sys.platform != "linux", reason="the loader tells what it loads on Linux")
def test_the_command_converts_without_libraries_it_does_not_need(tmp_path: Path) -> None:
    mapwave.save(tmp_path / "a.flac", np.zeros((4800, 1), np.int16), 48000)
    has_lame = any(plugin.id == "lame" and plugin.loaded for plugin in mapwave.plugins())
    for name in ("b.flac", "b.mp3") if has_lame else ("b.flac",):
        done = commandline.run("convert", tmp_path / "a.flac", tmp_path / name, LD_DEBUG="files")
        assert done.returncode == 0, done.stderr.decode()
        assert b"libavcodec" not in done.stderr, name
