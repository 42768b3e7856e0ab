"""mapwave.webdataset with the real WebDataset, from local shards."""

from __future__ import annotations

import pickle
from pathlib import Path

import clipfile
import mapwave.numpy
import mapwave.webdataset
import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("default")
webdataset = pytest.importorskip("webdataset", reason="WebDataset is not installed: make test-ecosystem")


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return clipfile.make(tmp_path / "clips", 6, ("flac", "wav", "ogg"))


@pytest.fixture
def shard(tmp_path: Path, paths: list[Path]) -> str:
    shard = str(tmp_path / "clips.tar")
    with webdataset.TarWriter(shard) as writer:
        for path in paths:
            writer.write({"__key__": path.stem, path.suffix[1:]: path.read_bytes(), "json": {"name": path.name}})
    return shard


def test_members_are_decoded(shard: str, paths: list[Path]) -> None:
    decoder = pickle.loads(pickle.dumps(mapwave.webdataset.decoder()))
    samples = list(webdataset.WebDataset(shard, shardshuffle=False).decode(decoder))
    assert [sample["json"]["name"] for sample in samples] == [path.name for path in paths]
    for sample, path in zip(samples, paths, strict=True):
        audio, sr = sample[path.suffix[1:]]
        assert sr == clipfile.RATE
        expected = clipfile.samples(path)
        # Vorbis decoders differ in the last bits.
        assert np.abs(audio - expected).max() <= (1e-4 if path.suffix == ".ogg" else 0)


def test_arguments_are_those_of_load(shard: str) -> None:
    decoder = mapwave.webdataset.decoder(sr=4_000, mono=True, duration=0.25, dtype="int16", extensions=["flac"])
    samples = list(webdataset.WebDataset(shard, shardshuffle=False).decode(decoder))
    assert {(sample["flac"][0].shape, sample["flac"][0].dtype.name) for sample in samples if "flac" in sample} == {
        ((1, 1_000), "int16")
    }
    assert all(isinstance(sample["wav"], bytes) for sample in samples if "wav" in sample)
    with pytest.raises(TypeError, match="no argument 'rate'"):
        mapwave.webdataset.decoder(rate=3)


def test_an_error_goes_to_the_handler(tmp_path: Path) -> None:
    shard = str(tmp_path / "broken.tar")
    with webdataset.TarWriter(shard) as writer:
        writer.write({"__key__": "a", "wav": b"RIFF\0\0\0\0WAVE"})
    raised: list[Exception] = []

    def handler(error: Exception) -> bool:
        raised.append(error)
        return True

    samples = webdataset.WebDataset(shard, shardshuffle=False).decode(mapwave.webdataset.decoder(), handler=handler)
    assert list(samples) == []
    cause = raised[0].__cause__ or raised[0].__context__
    assert isinstance(cause, mapwave.MalformedFile)
    assert "<wav of a sample>: malformed wav file at byte 12" in str(cause)
