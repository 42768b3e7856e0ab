"""mapwave.hf with the real Hugging Face datasets, from local files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import clipfile
import mapwave
import numpy as np
import pytest

# Its own dependencies warn on some versions of Python.
pytestmark = pytest.mark.filterwarnings("default")
datasets = pytest.importorskip("datasets", reason="Hugging Face datasets is not installed: make test-ecosystem")
parquet = pytest.importorskip("pyarrow.parquet")
hf = pytest.importorskip("mapwave.hf")


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return clipfile.make(tmp_path / "clips", 6)


def _column(paths: list[Path], kind: str) -> list[Any]:
    if kind == "paths":
        return [str(path) for path in paths]
    return [{"bytes": path.read_bytes(), "path": path.name} for path in paths]


def _check(rows: list[dict[str, Any]], paths: list[Path]) -> None:
    assert len(rows) == len(paths)
    for row, path in zip(rows, paths, strict=True):
        array, expected = row["audio"]["array"], clipfile.samples(path)
        assert row["audio"]["sampling_rate"] == clipfile.RATE
        assert Path(row["audio"]["path"]).name == path.name
        assert isinstance(array, np.ndarray)
        assert array.dtype == np.float32
        assert np.array_equal(array, expected[0] if len(expected) == 1 else expected)


@pytest.mark.parametrize("kind", ["paths", "bytes"])
def test_rows_are_decoded_when_they_are_read(paths: list[Path], kind: str) -> None:
    dataset = datasets.Dataset.from_dict({"audio": _column(paths, kind), "number": [*range(6)]})
    decoded = hf.decode(dataset.cast_column("audio", datasets.Audio()))
    _check([decoded[number] for number in range(6)], paths)
    assert decoded[3]["number"] == 3
    assert [cell["array"].shape for cell in decoded[2:4]["audio"]] == [(4_200,), (2, 4_300)]


@pytest.mark.parametrize("kind", ["paths", "bytes"])
def test_streams_are_decoded(paths: list[Path], kind: str) -> None:
    dataset = datasets.Dataset.from_dict({"audio": _column(paths, kind)}).cast_column("audio", datasets.Audio())
    _check(list(hf.decode(dataset.to_iterable_dataset(num_shards=2))), paths)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_file_of_a_data_set_is_decoded(paths: list[Path], tmp_path: Path, streaming: bool) -> None:
    # As data sets lie on the hub: the files of audio in a column that says that it is one.
    stored = datasets.Dataset.from_dict({"audio": _column(paths, "bytes")}).cast_column("audio", datasets.Audio())
    parquet.write_table(stored.data.table.cast(stored.features.arrow_schema), tmp_path / "train.parquet")
    dataset = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "train.parquet"), split="train", streaming=streaming,
        cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    assert isinstance(dataset.features["audio"], datasets.Audio)
    _check(list(hf.decode(dataset)), paths)


def test_windows_are_resampled_and_mixed_in_another_library(paths: list[Path]) -> None:
    pytest.importorskip("mlx.core")
    import mlx.core as mx

    dataset = datasets.Dataset.from_dict({"audio": _column(paths, "bytes")})
    decoder = hf.Decoder("audio", library="mlx", sr=4_000, mono=True, offset=0.1, duration=0.25)
    for row in dataset.with_transform(decoder):
        assert isinstance(row["audio"]["array"], mx.array)
        assert (row["audio"]["array"].shape, row["audio"]["sampling_rate"]) == ((1_000,), 4_000)


def test_a_decoder_pickles_and_works_in_map(paths: list[Path]) -> None:
    dataset = datasets.Dataset.from_dict({"audio": _column(paths, "bytes")})
    decoder = pickle.loads(pickle.dumps(hf.Decoder(mono=True)))

    def frames(batch: dict[str, Any]) -> dict[str, Any]:
        return {"frames": [len(cell["array"]) for cell in decoder(batch)["audio"]]}

    lengths = dataset.map(frames, batched=True)
    assert lengths["frames"][:] == [4_000 + 100 * number for number in range(6)]


def test_errors_name_the_file_and_the_argument() -> None:
    dataset = datasets.Dataset.from_dict({"audio": [{"bytes": b"RIFF\0\0\0\0WAVE", "path": "a/b.wav"}]})
    with pytest.raises(mapwave.MalformedFile, match=r"^a/b\.wav: malformed") as raised:
        dataset.with_transform(hf.Decoder())[0]
    assert raised.value.path == "a/b.wav"
    with pytest.raises(TypeError, match="no argument 'sample_rate'"):
        hf.Decoder(sample_rate=3)
    with pytest.raises(ValueError, match="no array library 'tensorflow'"):
        hf.Decoder(library="tensorflow")
