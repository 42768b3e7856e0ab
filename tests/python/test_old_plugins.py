"""Plugins that were built with an earlier version of the interface keep working, without a rebuild."""

from __future__ import annotations

from pathlib import Path

import pluginfile
import pytest
from conftest import Lab

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"


def old(lab: Lab, version: str) -> None:
    """The plugin of the tests, built with the header of that version."""
    header = PLUGINS / f"abi-{version}"
    assert f"#define MW_ABI_MINOR {version[-1]}" in (header / "mapwave_plugin.h").read_text()
    pluginfile.with_header(lab.library("old"), header, PLUGINS / "old.c")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_all_that_it_offers_works(lab: Lab, version: str) -> None:
    old(lab, version)
    code = """
        import numpy as np
        import mapwave, mapwave.numpy as mw
        path, audio = sys.argv[1], np.arange(-5000, 5000, dtype=np.int16)
        plugin, = (plugin for plugin in mapwave.plugins() if plugin.id == "old")
        assert plugin.loaded and (plugin.decodes, plugin.encodes, plugin.resamples) == (["old"], ["old"], ["quarter"])
        mw.save(path, audio, 8000)
        info = mw.info(path)
        assert (info.frames, info.sample_rate, info.plugin, info.bit_depth) == (10_000, 8000, "old", 16)
        read = lambda **options: mw.load(path, dtype="int16", squeeze_mono=True, **options)[0]
        np.testing.assert_array_equal(read(), audio)
        np.testing.assert_array_equal(read(start=17, stop=4711, threads=3), audio[17:4711])
        with mapwave.open(path, "w", sr=16_000, channels=1, dtype="int16") as writer:
            writer.write(audio[:100])
        np.testing.assert_array_equal(read(), audio[:100])
        assert (mw.load(path, sr=8000, resample_quality="quarter")[0] == 0.25).all()
        for options in ({"track": 1}, {"plugin": "old", "plugin_options": {"x": 1}}):
            try:
                read(**options)
            except (ValueError, mapwave.AudioError) as error:
                print(type(error).__name__)
    """
    lines = lab.run(code, lab.directory / "x.old").splitlines()
    assert len(lines) == 2, lines
