"""What mapwave's modules for other programs' data sets share, without those programs."""

from __future__ import annotations

from pathlib import Path

import clipfile
import mapwave
import mapwave.numpy
import numpy as np
import pytest
from mapwave import _adapters
from mapwave.webdataset import decoder


def test_a_path_bytes_and_a_dict_of_both_are_loaded(tmp_path: Path) -> None:
    [path] = clipfile.make(tmp_path, 1)
    expected = clipfile.samples(path)
    data = path.read_bytes()
    cells = [str(path), data, {"path": str(path), "bytes": None}, {"path": "elsewhere/a.flac", "bytes": data}]
    for cell in cells:
        audio, sr = _adapters.load_cell(mapwave.numpy.load, cell, {"layout": "channels_first"})
        assert sr == clipfile.RATE
        assert np.array_equal(audio, expected)


def test_errors_name_the_file_and_stay_what_they_are() -> None:
    with pytest.raises(mapwave.MalformedFile, match=r"^a/b\.wav: malformed wav file at byte 12") as raised:
        _adapters.load_cell(mapwave.numpy.load, {"bytes": b"RIFF\0\0\0\0WAVE", "path": "a/b.wav"}, {})
    assert (raised.value.path, raised.value.offset, raised.value.container) == ("a/b.wav", 12, "wav")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        _adapters.load_cell(mapwave.numpy.load, "nowhere.wav", {})
    other = KeyError("x")
    assert _adapters.named(other, "a") is other


def test_wrong_arguments_are_told_before_a_file_is_read() -> None:
    with pytest.raises(TypeError, match=r"mapwave\.load has no argument 'rate' to give here; it has channels, dtype"):
        decoder(rate=16_000)
    with pytest.raises(ValueError, match="no array library 'tensorflow'; there are jax, mlx, numpy, torch"):
        decoder(library="tensorflow")
    assert _adapters.checked({"sr": None, "mono": True}, mapwave.numpy.load, {"path"}) == {"mono": True}


def test_a_handler_leaves_other_files_alone(tmp_path: Path) -> None:
    [path] = clipfile.make(tmp_path, 1)
    handler = decoder(dtype="int16")
    assert handler(".json", b"{}") is None
    assert handler(".txt", path.read_bytes()) is None
    audio, sr = handler(".left.FLAC", path.read_bytes())
    assert (audio.shape, audio.dtype, sr) == ((1, 4_000), np.int16, clipfile.RATE)
