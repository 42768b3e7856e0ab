"""What plugins state of themselves is what mapwave goes by: codecs and resamplers that it has never heard of."""

from __future__ import annotations

import pluginfile
import pytest
from conftest import Lab

SAVE = """
    import struct
    import mapwave, mapwave.numpy as mw
    import numpy as np

    FORMATS = {1: "float32", 2: "int16", 3: "int32"}

    def saved(name, audio, **options):
        path = Path(sys.argv[1]) / name
        mapwave.save(path, audio, 48_000, durable=False, **options)
        format, bits = struct.unpack_from("<2I", path.read_bytes(), 16)
        return path, FORMATS[format], bits

    from pathlib import Path
    audio = np.random.default_rng(1).integers(-1 << 23, 1 << 23, (5000, 2), np.int32) << 8
"""


def build(lab: Lab, name: str, *macros: str) -> None:
    """Compiles a plugin of the tests into the directory of plugins."""
    pluginfile.plain(lab.library(name), name, *macros)


def test_a_lossless_codec_gets_integers_of_the_depth_asked_for(lab: Lab) -> None:
    build(lab, "exact")
    code = f"""{SAVE}
    for options in ({{"bit_depth": 24}}, {{}}, {{"encoding": "pcm24"}}, {{"encoding": "exact24"}}):
        path, given, bits = saved("a.exa", audio, **options)
        assert (given, bits) == ("int32", 24), options
        np.testing.assert_array_equal(mw.load(path, dtype="int32")[0], audio)
        info = mw.info(path)
        assert (info.codec, info.plugin, info.bit_depth, info.is_lossless) == ("exact24", "exact", 24, True)
    floats = audio[:, 0] / np.float32(1 << 31)
    path, given, bits = saved("a.exa", floats, bit_depth=24)
    assert (given, bits) == ("int32", 24)
    np.testing.assert_array_equal(mw.load(path, squeeze_mono=True)[0], floats)
    with mapwave.open(path, "w", sr=48_000, channels=2, dtype="int32", bit_depth=24, durable=False) as writer:
        writer.write(audio)
    np.testing.assert_array_equal(mw.load(path, dtype="int32")[0], audio)
    assert "exact24" in next(plugin for plugin in mapwave.plugins() if plugin.id == "exact").encodes
    try:
        saved("b.exa", audio, bit_depth=16)
    except ValueError as error:
        assert "a depth other than 24 bits" in str(error)
    try:
        saved("b.exa", audio, encoding="mp3")
    except ValueError as error:
        print(error)
    """
    said = lab.run(code, lab.directory)
    assert "one of 'pcm24', 'float32', 'rough24', 'exact24' for an exa24 file, got 'mp3'" in said


def test_a_codec_of_which_nothing_is_stated_gets_floats(lab: Lab) -> None:
    build(lab, "exact")
    code = f"""{SAVE}
    assert saved("a.exa", audio, encoding="rough24")[1:] == ("float32", 0)
    assert saved("a.rough", audio)[1:] == ("float32", 0)
    """
    lab.run(code, lab.directory)


@pytest.mark.parametrize("macro", ["STATES_NOTHING", "OF_VERSION_1_1"])
def test_a_plugin_that_states_nothing_works_as_before(lab: Lab, macro: str) -> None:
    build(lab, "exact", macro)
    code = f"""{SAVE}
    assert saved("a.exa24", audio)[1:] == ("float32", 0), "the first of its codecs, and floats"
    path, given, bits = saved("a.exa24", audio, encoding="exact24")
    assert (given, bits) == ("float32", 0)
    assert mw.info(path).frames == 5000
    try:
        saved("a.exa", audio)
    except mapwave.UnsupportedFormat as error:
        print(error)
    """
    assert "no loaded plugin writes 'exa'" in lab.run(code, lab.directory)


def test_a_resampler_is_asked_for_by_the_name_of_its_quality(lab: Lab) -> None:
    build(lab, "mine")
    code = """
    import mapwave, mapwave.numpy as mw
    import numpy as np

    path = sys.argv[1] + "/ones.wav"
    ones = np.ones((4800, 2), np.float32)
    mapwave.save(path, ones, 48_000)
    for quality, value in (("mine", 0.25), ("steady", 0.5)):
        expected = np.full((1600, 2), value, np.float32)
        np.testing.assert_array_equal(mw.resample(ones, 48_000, 16_000, quality), expected)
        np.testing.assert_array_equal(mw.load(path, sr=16_000, resample_quality=quality)[0], expected)
    with mw.open(path, sr=16_000, resample_quality="mine") as reader:
        assert (reader[100:200] == 0.25).all()
    assert mw.resample(ones, 48_000, 16_000)[800, 0] > 0.9, "nobody asked for it"
    assert next(plugin for plugin in mapwave.plugins() if plugin.id == "constant").resamples == ["mine", "steady"]
    try:
        mw.resample(ones, 48_000, 16_000, "yours")
    except ValueError as error:
        print(error)
    """
    assert "'best', 'mine', 'steady'" in lab.run(code, lab.directory)


def test_a_resampler_may_offer_the_default(lab: Lab) -> None:
    build(lab, "mine", "OFFERS_DEFAULT")
    code = """
    import mapwave.numpy as mw
    import numpy as np

    ones = np.ones(48_000, np.float32)
    assert (mw.resample(ones, 48_000, 16_000) == 0.25).all()
    assert (mw.resample(ones, 48_000, 12_001) == 0.25).all()
    far = mw.resample(ones, 48_000, 12_000)
    np.testing.assert_array_equal(far, mw.resample(ones, 48_000, 12_000, "best"), "4 times apart")
    np.testing.assert_array_equal(mw.resample(ones, 48_000, 48_000), ones)
    """
    lab.run(code)
