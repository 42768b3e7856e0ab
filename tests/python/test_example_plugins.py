"""The example plugin in C, dropped into a directory, against soundfile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COMPILER = os.environ.get("CC", "cc")
SUBTYPES = ["PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]

# A process of its own, because plugins are looked for once and stay.
READER = """
import sys
from pathlib import Path

import mapwave.numpy as mw
import soundfile

for path in sys.argv[1:]:
    samples, rate = mw.load(path)
    expected, expected_rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == expected_rate and samples.shape == expected.shape, path
    assert samples.tobytes() == expected.tobytes(), path
    window, _ = mw.load(path, start=1000, stop=1999, layout="channels_first")
    assert window.tobytes() == expected[1000:1999].T.tobytes(), path
    info = mw.info(path)
    assert (info.plugin, info.container, info.frames) == ("example-au", "au", len(expected)), path
    assert not info.is_truncated
    assert info.is_lossless == Path(path).name.startswith(("PCM", "FLOAT")), path
"""

WRITER = """
import sys

import mapwave.numpy as mw
import numpy as np
import soundfile

saved, streamed = sys.argv[1:]
samples = np.random.default_rng(5).integers(-32768, 32768, (5000, 2), dtype=np.int16)
mw.save(saved, samples, 22050, tags={"comment": "two words"})
# The number of frames is not known in advance.
with mw.open(streamed, "w", sr=22050, channels=2, dtype="int16") as writer:
    for part in np.split(samples, 5):
        writer.write(part)
for path in (saved, streamed):
    found, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert (rate, found.tobytes()) == (22050, samples.tobytes()), path
    assert soundfile.info(path).format == "AU", path
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of plugins with the example in it."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"there is no compiler {COMPILER}")
    directory = tmp_path_factory.mktemp("plugins")
    library = directory / ("au.dylib" if sys.platform == "darwin" else "au.so")
    flags = ["-std=c99", "-O2", "-shared", "-fPIC", "-fvisibility=hidden"]
    source = REPOSITORY / "plugins/example-c/au.c"
    subprocess.run([COMPILER, *flags, "-I", REPOSITORY / "plugins/abi/include", "-o", library, source], check=True)
    return directory


def test_what_soundfile_writes_is_read_as_soundfile_reads_it(directory: Path, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    random = np.random.default_rng(3)
    paths = []
    for subtype in SUBTYPES:
        for channels in (1, 2, 3):
            samples = random.uniform(-1, 1, (5000, channels))
            path = tmp_path / f"{subtype}-{channels}.au"
            soundfile.write(path, samples, 22_050, subtype=subtype)
            paths.append(path)
    environment = os.environ | {"MAPWAVE_PLUGIN_PATH": str(directory)}
    subprocess.run([sys.executable, "-c", READER, *paths], check=True, env=environment)


def test_what_is_saved_is_what_soundfile_reads(directory: Path, tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    environment = os.environ | {"MAPWAVE_PLUGIN_PATH": str(directory)}
    paths = [tmp_path / "saved.au", tmp_path / "streamed.snd"]
    subprocess.run([sys.executable, "-c", WRITER, *paths], check=True, env=environment)
