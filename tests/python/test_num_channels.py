"""`num_channels`: mixes by matrices, as FFmpeg makes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import peers
import pytest
import signals
import soundfile

RATE = 48_000
#: FFmpeg's names of the usual layouts.
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}


@pytest.fixture
def files(tmp_path: Path) -> dict[int, Path]:
    paths = {}
    for count in LAYOUTS:
        paths[count] = tmp_path / f"{count}.wav"
        soundfile.write(paths[count], signals.noise("float32", 4000, count) * 0.9, RATE, "FLOAT")
    return paths


@pytest.mark.parametrize(("have", "want"), [(6, 2), (8, 2), (5, 2), (6, 1), (8, 6), (4, 2), (2, 1), (5, 4), (3, 2)])
def test_down_mixes_are_those_of_ffmpeg(files: dict[int, Path], have: int, want: int) -> None:
    mixed = mw.load(files[have], num_channels=want)[0]
    filters = f"aformat=sample_fmts=dblp,aresample=ochl={LAYOUTS[want]}:rematrix_maxval=1.0:osf=dbl"
    layout = f"channelmap=map={'|'.join(map(str, range(have)))}:channel_layout={LAYOUTS[have]}"
    command = [
        peers.program("ffmpeg"), "-nostdin", "-v", "error", "-i", files[have],
        "-af", f"{layout},{filters}", "-f", "f64le", "-",
    ]  # fmt: skip
    done = subprocess.run(list(map(str, command)), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    expected = np.frombuffer(done.stdout, "<f8").reshape(-1, want)
    np.testing.assert_allclose(mixed, expected, atol=2e-6)


def test_what_the_file_has_stays_as_it_is(files: dict[int, Path]) -> None:
    for count, path in files.items():
        np.testing.assert_array_equal(mw.load(path, num_channels=count)[0], mw.load(path)[0])


def test_one_channel_becomes_two_and_two_keep_their_places(files: dict[int, Path]) -> None:
    mono, stereo = mw.load(files[1])[0], mw.load(files[2])[0]
    np.testing.assert_array_equal(mw.load(files[1], num_channels=2)[0], np.repeat(mono, 2, axis=1))
    surround = mw.load(files[2], num_channels=6)[0]
    np.testing.assert_array_equal(surround[:, :2], stereo)
    assert not surround[:, 2:].any()
    np.testing.assert_array_equal(mw.load(files[1], num_channels=6)[0][:, 2:3], mono)
    np.testing.assert_allclose(mw.load(files[2], num_channels=1)[0], mw.load(files[2], mono=True)[0], rtol=0, atol=1e-7)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "int16", "float64"])
def test_every_way_of_reading_mixes_alike(files: dict[int, Path], layout: str, dtype: str) -> None:
    options = {"num_channels": 2, "layout": layout, "dtype": dtype}
    whole = mw.load(files[6], **options)[0]
    axis = 0 if layout == "channels_last" else 1
    assert whole.shape[1 - axis] == 2
    chunks = [chunk for chunk, _ in mw.stream(files[6], chunk_frames=999, **options)]
    np.testing.assert_array_equal(np.concatenate(chunks, axis=axis), whole, strict=True)
    with mw.open(files[6], **options) as reader:
        assert reader.channels == 2
        np.testing.assert_array_equal(reader.read(), whole, strict=True)
    np.testing.assert_array_equal(mw.batch_load([files[6]], **options)[0][0], whole, strict=True)
    if layout == "channels_last":
        stacked, lengths, _ = mw.batch_load([files[6], files[1], files[2]], stack=True, **options)
        assert (stacked.shape, lengths.tolist()) == ((3, 4000, 2), [4000] * 3)
        np.testing.assert_array_equal(stacked[0], whole)


def test_channels_are_mixed_before_they_are_resampled(files: dict[int, Path]) -> None:
    mixed = mw.load(files[6], num_channels=2)[0]
    both = mw.load(files[6], num_channels=2, sr=16_000, resample_quality="best")[0]
    alone = mw.resample(mixed, RATE, 16_000, "best", layout="channels_last")
    np.testing.assert_allclose(both, alone, atol=1e-6)


def test_what_cannot_be_is_refused(files: dict[int, Path], tmp_path: Path) -> None:
    for options in [{"mono": True}, {"channels": 0}]:
        with pytest.raises(ValueError, match="give only one of channels, num_channels and mono=True"):
            mw.load(files[2], num_channels=2, **options)
    for count in [0, 9, -1]:
        with pytest.raises(ValueError, match="num_channels must be 1 to 8"):
            mw.load(files[2], num_channels=count)
    many = tmp_path / "many.wav"
    soundfile.write(many, np.zeros((10, 16), np.float32), RATE)
    for read in [mw.load, mw.open, lambda path, **options: mw.stream(path, chunk_frames=9, **options)]:
        with pytest.raises(mapwave.errors.InvalidArgument, match="num_channels .*no known layout") as caught:
            read(many, num_channels=2)
        assert caught.value.path == str(many)
    with pytest.raises(ValueError, match="num_channels must be left out in mode 'w'"):
        mw.open(tmp_path / "a.wav", "w", sr=RATE, channels=2, num_channels=2)
