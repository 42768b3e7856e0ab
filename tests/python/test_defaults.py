"""mapwave.defaults and MAPWAVE_RESAMPLE_QUALITY: what "default" means in every function that resamples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import corpus
import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest

VARIABLE = "MAPWAVE_RESAMPLE_QUALITY"
RATE = 16_000

# Each returns the recording at another rate, with what else it is given.
WAYS: dict[str, Callable[..., np.ndarray]] = {
    "load": lambda **quality: mw.load(corpus.RECORDING, sr=RATE, **renamed(quality))[0],
    "batch_load": lambda **quality: mw.batch_load([corpus.RECORDING], sr=RATE, **renamed(quality))[0][0],
    "open": lambda **quality: mw.open(corpus.RECORDING, sr=RATE, **renamed(quality))[:],
    "stream": lambda **quality: np.concatenate(
        [chunk for chunk, _ in mw.stream(corpus.RECORDING, chunk_frames=5000, sr=RATE, **renamed(quality))]
    ),
    "resample": lambda **quality: mw.resample(*mw.load(corpus.RECORDING), RATE, **quality),
}

each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def renamed(quality: dict[str, Any]) -> dict[str, Any]:
    return {f"resample_{name}": value for name, value in quality.items()}


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(VARIABLE, raising=False)
    yield
    monkeypatch.delenv(VARIABLE, raising=False)
    mapwave.defaults(resample_quality="default")


@each_way
@pytest.mark.parametrize("quality", ["fastest", "HIGH "])
def test_the_environment_is_honoured(
    way: Callable[..., np.ndarray], quality: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = way()
    monkeypatch.setenv(VARIABLE, quality)
    assert np.array_equal(way(), way(quality=quality)) and not np.array_equal(way(), before)
    assert np.array_equal(way(quality="default"), way(quality=quality))
    assert np.array_equal(way(quality="low"), way(quality="low")) and not np.array_equal(way(quality="low"), way())


@each_way
def test_defaults_is_honoured_before_the_environment(
    way: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "fastest")
    assert mapwave.defaults(resample_quality="medium") == {"resample_quality": "medium"}
    assert np.array_equal(way(), way(quality="medium"))
    assert mw.defaults() == {"resample_quality": "medium"}
    assert mapwave.defaults(resample_quality="default") == {"resample_quality": "fastest"}
    assert np.array_equal(way(), way(quality="fastest"))


def test_without_either_it_is_mapwaves_own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mapwave.defaults() == {"resample_quality": "default"}
    monkeypatch.setenv(VARIABLE, "")
    assert mapwave.defaults() == {"resample_quality": "default"}


def test_an_unknown_name_is_rejected_where_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="resample_quality must be one of 'default'.*got 'bset'"):
        mapwave.defaults(resample_quality="bset")
    with pytest.raises(TypeError, match="resample_quality"):
        mapwave.defaults(resample_quality=3)  # type: ignore[arg-type]
    assert mapwave.defaults() == {"resample_quality": "default"}
    monkeypatch.setenv(VARIABLE, "bset")
    with pytest.raises(ValueError, match=f"{VARIABLE} must be one of 'default'.*got 'bset'"):
        mw.load(corpus.RECORDING, sr=RATE)
    with pytest.raises(ValueError, match=VARIABLE):
        mapwave.defaults()
    assert mw.load(corpus.RECORDING)[1] == mw.info(corpus.RECORDING).sample_rate, "nothing is resampled"
    assert mw.load(corpus.RECORDING, sr=RATE, resample_quality="low")[1] == RATE


def test_torchaudios_quality_is_rejected_only_where_a_file_is_resampled_in_parts() -> None:
    mapwave.defaults(resample_quality="torchaudio_compat")
    assert len(mw.open(corpus.RECORDING)) == mw.info(corpus.RECORDING).frames
    with pytest.raises(ValueError, match="torchaudio_compat"):
        mw.open(corpus.RECORDING, sr=RATE)
    assert mw.open(corpus.RECORDING, sr=RATE, resample_quality="low").sample_rate == RATE
