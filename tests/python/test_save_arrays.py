"""Which arrays `save` takes: every library, type, stride and shape, each read where it is."""

from __future__ import annotations

import array
import gc
import sys
import weakref
from pathlib import Path

import child
import mapwave
import ml_dtypes
import mlx.core as mx
import numpy as np
import pytest
import signals
import soundfile

DTYPES = ("float32", "float16", "bfloat16", "float64", "int16", "int32")


def saved(tmp_path: Path, audio: object, **options: object) -> np.ndarray:
    """The samples, as float64, of the file that the array becomes."""
    path = tmp_path / "saved.wav"
    mapwave.save(path, audio, 48_000, **{"encoding": "float64", "durable": False} | options)
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def audio_of(dtype: str, num_frames: int = 1000, num_channels: int = 2) -> np.ndarray:
    """Audio within full scale."""
    if dtype.startswith("int"):
        return signals.noise(dtype, num_frames, num_channels)
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    return signals.noise("float32", num_frames, num_channels).clip(-1, 1).astype(kind)


def numbers(samples: np.ndarray) -> np.ndarray:
    return signals.numbers(samples.astype(np.float32) if samples.dtype == ml_dtypes.bfloat16 else samples)


# MLX


def mlx_of(samples: np.ndarray) -> mx.array:
    if samples.dtype == ml_dtypes.bfloat16:
        return mx.array(samples.view(np.uint16)).view(mx.bfloat16)
    return mx.array(samples)


MLX_VIEWS = {
    "as it is": lambda audio: audio,
    "reversed": lambda audio: audio[::-1],
    "every third": lambda audio: audio[1::3],
    "channels reversed": lambda audio: audio[:, ::-1],
    "one channel": lambda audio: audio[:, 1],
    "a column": lambda audio: audio[:, 1:],
}


@pytest.mark.parametrize("view", MLX_VIEWS.values(), ids=MLX_VIEWS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int16", "int32"])
def test_mlx_arrays_of_any_strides(tmp_path: Path, dtype: str, view) -> None:
    samples = audio_of(dtype)
    read = saved(tmp_path, view(mlx_of(samples)))
    expected = numbers(view(samples))
    np.testing.assert_array_equal(read, expected.reshape(len(expected), -1))


def test_mlx_arrays_transposed_and_broadcast(tmp_path: Path) -> None:
    samples = audio_of("float32")
    np.testing.assert_array_equal(saved(tmp_path, mx.array(samples).T), samples)
    np.testing.assert_array_equal(saved(tmp_path, mx.array(samples.T.copy()).T), samples)
    mono = mx.broadcast_to(mx.array(samples[:, :1]), (1000, 6))
    np.testing.assert_array_equal(saved(tmp_path, mono), np.broadcast_to(samples[:, :1], (1000, 6)))
    constant = mx.broadcast_to(mx.array(0.25), (777,))
    np.testing.assert_array_equal(saved(tmp_path, constant), np.full((777, 1), 0.25))


def test_mlx_arrays_are_evaluated(tmp_path: Path) -> None:
    first, second = audio_of("float32"), np.ascontiguousarray(audio_of("float32")[::-1])
    lazy = mx.concatenate([mx.array(first) * 0.5, mx.array(second)])[:1500]
    np.testing.assert_array_equal(saved(tmp_path, lazy), np.concatenate([first / 2, second])[:1500])


def test_an_mlx_error_comes_out_as_it_is(tmp_path: Path) -> None:
    for wrong in (mx.int64, mx.uint8, mx.bool_, mx.complex64):
        with pytest.raises(ValueError, match=r"audio must be an array of float32, .* got mlx.core"):
            saved(tmp_path, mx.zeros((10, 2), wrong))


# NumPy

NUMPY_VIEWS = {
    "Fortran order": np.asfortranarray,
    "reversed": lambda audio: audio[::-1],
    "channels reversed": lambda audio: audio[:, ::-1],
    "both reversed": lambda audio: audio[::-1, ::-1],
    "every third": lambda audio: audio[2::3],
    "broadcast": lambda audio: np.broadcast_to(audio[:, :1], (1000, 5)),
    "repeated": lambda audio: np.broadcast_to(audio[0], (1000, 2)),
    "a channel": lambda audio: audio[:, 1],
    "read-only": lambda audio: np.frombuffer(audio.tobytes(), audio.dtype).reshape(audio.shape),
}


@pytest.mark.parametrize("view", NUMPY_VIEWS.values(), ids=NUMPY_VIEWS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int16", "int32"])
def test_numpy_arrays_of_any_strides(tmp_path: Path, dtype: str, view) -> None:
    audio = view(audio_of(dtype))
    expected = signals.numbers(np.ascontiguousarray(audio))
    np.testing.assert_array_equal(saved(tmp_path, audio), expected.reshape(len(expected), -1))


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int16", "int32"])
def test_numpy_arrays_that_are_not_aligned(tmp_path: Path, dtype: str) -> None:
    audio = audio_of(dtype)
    records = np.zeros(1000, np.dtype([("flag", "u1"), ("audio", dtype, 2), ("number", "u4")]))
    records["audio"] = audio
    assert not records["audio"].flags.aligned
    np.testing.assert_array_equal(saved(tmp_path, records["audio"]), signals.numbers(audio))
    shifted = np.frombuffer(b"\0" + audio.tobytes(), dtype, offset=1).reshape(audio.shape)
    np.testing.assert_array_equal(saved(tmp_path, shifted), signals.numbers(audio))


@pytest.mark.parametrize("dtype", [">f4", ">i2", ">f8", "i8", "u1", "i1", "u2", "?", "c8", "U1", "S4", "O", "g"])
def test_numpy_types_that_are_no_samples_are_refused(tmp_path: Path, dtype: str) -> None:
    audio = np.zeros((10, 2), dtype)
    with pytest.raises(
        ValueError, match="audio must be an array of float32, .* in this machine's byte order"
    ) as caught:
        saved(tmp_path, audio)
    assert str(caught.value).endswith(f"got {audio.dtype}")
    assert list(tmp_path.iterdir()) == []


def test_bfloat16_of_ml_dtypes(tmp_path: Path) -> None:
    audio = audio_of("bfloat16")
    np.testing.assert_array_equal(saved(tmp_path, audio), numbers(audio))
    np.testing.assert_array_equal(saved(tmp_path, audio[::-1]), numbers(audio[::-1]))


def test_an_mlx_array_is_saved_as_it_was_prepared(tmp_path: Path) -> None:
    audio = mx.zeros((1000, 2))
    prepared = mapwave.prepare_save(audio)
    audio[:] = 1.0
    mx.eval(audio)
    mapwave.save_prepared(tmp_path / "a.wav", prepared, 8000)
    assert not mapwave.numpy.load(tmp_path / "a.wav")[0].any()


# Others


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int16", "int32"])
def test_jax_arrays(tmp_path: Path, dtype: str) -> None:
    jnp = pytest.importorskip("jax.numpy")
    audio = audio_of(dtype)
    np.testing.assert_array_equal(saved(tmp_path, jnp.asarray(audio)), numbers(audio))
    np.testing.assert_array_equal(saved(tmp_path, jnp.asarray(audio).T), numbers(audio))
    with pytest.raises(ValueError, match="got uint8"):
        saved(tmp_path, jnp.zeros((10, 2), "uint8"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_tensors(tmp_path: Path, dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    audio = audio_of(dtype)
    tensor = torch.from_numpy(audio.astype(np.float32) if dtype == "bfloat16" else audio).to(getattr(torch, dtype))
    for view in (tensor, tensor.T, tensor.T.contiguous().T, tensor[::2], tensor[:1].expand(1000, 2)):
        expected = view.to(torch.float64) if tensor.is_floating_point() else view
        expected = signals.numbers(expected.numpy())
        np.testing.assert_array_equal(saved(tmp_path, view), expected if len(expected) > 2 else expected.T)
    if tensor.is_floating_point():
        np.testing.assert_array_equal(saved(tmp_path, tensor.clone().requires_grad_()), numbers(audio))


class Exporter:
    """An array of somebody's, with nothing but DLPack as it is now or was before version 1."""

    def __init__(self, samples: np.ndarray, device: tuple[int, int] = (1, 0), versioned: bool = True) -> None:
        self.samples, self.device, self.versioned = samples, device, versioned

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(self, **options: object) -> object:
        if options and not self.versioned:
            raise TypeError("unexpected keyword argument")
        return self.samples.__dlpack__(**options)


@pytest.mark.parametrize("versioned", [True, False])
def test_dlpack_of_any_version(tmp_path: Path, versioned: bool) -> None:
    audio = audio_of("int16")
    for view in (audio, audio[::-2], audio.T):
        read = saved(tmp_path, Exporter(view, versioned=versioned))
        np.testing.assert_array_equal(read, signals.numbers(view if view.shape[1] == 2 else view.T))


def test_dlpack_is_let_go_of(tmp_path: Path) -> None:
    class Samples(np.ndarray):
        pass

    for versioned in (True, False):
        samples = audio_of("int16").view(Samples)
        gone = weakref.ref(samples)
        saved(tmp_path, Exporter(samples, versioned=versioned))
        prepared = mapwave.prepare_save(Exporter(samples, versioned=versioned))
        del samples
        gc.collect()
        assert gone() is not None, "prepared audio holds its memory"
        del prepared
        gc.collect()
        assert gone() is None


def test_arrays_that_are_elsewhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"audio must be in the CPU's memory, got an array on DLPack device 2.*\.cpu"):
        saved(tmp_path, Exporter(audio_of("int16"), device=(2, 0)))


def test_what_an_exporter_raises_comes_out(tmp_path: Path) -> None:
    class Broken(Exporter):
        def __dlpack__(self, **options: object) -> object:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        saved(tmp_path, Broken(audio_of("int16")))
    with pytest.raises((TypeError, ValueError)):
        saved(tmp_path, type("NoCapsule", (Exporter,), {"__dlpack__": lambda self, **_: 5})(audio_of("int16")))


@pytest.mark.parametrize("code", ["f", "d", "h", "i"])
def test_the_standard_library_has_arrays(tmp_path: Path, code: str) -> None:
    samples = audio_of({"f": "float32", "d": "float64", "h": "int16", "i": "int32"}[code], 50, 1)[:, 0]
    own = array.array(code, samples.tolist())
    expected = signals.numbers(samples)[:, None]
    np.testing.assert_array_equal(saved(tmp_path, own), expected)
    np.testing.assert_array_equal(saved(tmp_path, memoryview(own)), expected)
    np.testing.assert_array_equal(saved(tmp_path, memoryview(own)[::-2]), expected[::-2])
    shaped = memoryview(own).cast("B").cast(code, (25, 2))
    np.testing.assert_array_equal(saved(tmp_path, shaped), expected.reshape(25, 2))


@pytest.mark.parametrize(
    "audio", [array.array("l", [1]), array.array("b", [1]), b"1234", bytearray(8), memoryview(b"12")]
)
def test_bytes_and_other_numbers_are_no_audio(tmp_path: Path, audio: object) -> None:
    with pytest.raises(ValueError, match="audio must be an array of float32, .* got format '[lbBc]'"):
        saved(tmp_path, audio)


@pytest.mark.parametrize(
    "audio", [[0.0, 0.5], [[0.0], [0.5]], (1, 2), 0.5, None, "audio", range(5), iter([]), object()]
)
def test_what_is_no_array_is_refused(tmp_path: Path, audio: object) -> None:
    with pytest.raises(TypeError, match=r"audio must be an array .*\(mlx, numpy, torch, jax\), got "):
        saved(tmp_path, audio)
    assert list(tmp_path.iterdir()) == []


# Shapes


@pytest.mark.parametrize(
    ("shape", "layout", "frames", "channels"),
    [
        ((100,), "channels_last", 100, 1),
        ((100, 2), "channels_last", 100, 2),
        ((2, 100), "channels_first", 100, 2),
        ((100, 1), "channels_last", 100, 1),
        ((1, 100), "channels_first", 100, 1),
        ((1, 1), "channels_last", 1, 1),
        ((3, 1), "channels_last", 3, 1),
        ((1, 3), "channels_first", 3, 1),
        ((9, 8), "channels_last", 9, 8),
        ((8, 9), "channels_first", 9, 8),
        ((12, 44_100), "channels_first", 44_100, 12),
        ((44_100, 12), "channels_last", 44_100, 12),
        ((0, 2), "channels_last", 0, 2),
        ((2, 0), "channels_first", 0, 2),
        ((0,), "channels_last", 0, 1),
    ],
)
def test_the_axis_of_the_channels_is_found(
    tmp_path: Path, shape: tuple, layout: str, frames: int, channels: int
) -> None:
    samples = np.arange(np.prod(shape), dtype=np.int32).reshape(shape) << 8
    prepared = mapwave.prepare_save(samples)
    assert (prepared.layout, prepared.frames, prepared.channels) == (layout, frames, channels)
    expected = samples.T if layout == "channels_first" else samples.reshape(frames, channels)
    np.testing.assert_array_equal(saved(tmp_path, samples), signals.numbers(expected))


@pytest.mark.parametrize("shape", [(2, 2), (8, 6), (100, 200), (12, 16), (0, 0)])
def test_it_is_asked_for_where_it_cannot_be_told(tmp_path: Path, shape: tuple[int, int]) -> None:
    samples = np.zeros(shape, np.float32)
    message = "layout must be 'channels_last' or 'channels_first', since either axis could be"
    with pytest.raises(ValueError, match=message) as caught:
        saved(tmp_path, samples)
    assert f"shape ({shape[0]}, {shape[1]})" in str(caught.value)
    if shape != (0, 0):
        assert saved(tmp_path, samples, layout="channels_last").shape == shape
        assert saved(tmp_path, samples, layout="channels_first").shape == shape[::-1]


@pytest.mark.parametrize("shape", [(), (1, 2, 3), (1, 1, 1, 1)])
def test_other_numbers_of_axes_are_refused(tmp_path: Path, shape: tuple) -> None:
    for samples in (np.zeros(shape, np.float32), mx.zeros(shape)):
        with pytest.raises(ValueError, match=f"audio must be an array of one axis .* got {len(shape)} axes"):
            saved(tmp_path, samples)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_too_many_channels_are_refused_with_a_hint(tmp_path: Path, layout: str) -> None:
    samples = np.zeros((2000, 3) if layout == "channels_first" else (3, 2000), np.float32)
    with pytest.raises(ValueError, match="2000 channels and 3 frames; if these are the wrong way round"):
        saved(tmp_path, samples, layout=layout)


# Memory


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's own memory is Linux's")
@pytest.mark.parametrize("target", ["path", "object"])
def test_arrays_are_read_where_they_are(tmp_path: Path, target: str) -> None:
    # Arrays of 200 MB that take no memory, saved by a process that gets no more than 60 MB: no copy is made.
    printed = child.run(
        tmp_path,
        """
        import os, resource, sys
        import mapwave, mlx.core as mx, numpy as np

        class Nowhere:
            name, num_bytes = "a.wav", 0

            def write(self, data):
                self.num_bytes += len(data)
                return len(data)

        def save(audio, dtype_bytes=4, **options):
            target = Nowhere() if sys.argv[1] == "object" else sys.argv[2] + "/a.wav"
            mapwave.save(target, audio, 48_000, durable=False, **options)
            size = target.num_bytes if sys.argv[1] == "object" else os.path.getsize(target)
            assert size - 2 * 25_000_000 * dtype_bytes in (44, 56), size

        def is_refused(num_bytes):
            try:
                np.ones(num_bytes, np.uint8)
            except MemoryError:
                return True

        mapwave.save(Nowhere(), mx.zeros((1000, 2)), 48_000)
        with open(sys.argv[2] + "/planar", "wb") as file:
            file.truncate(200_000_000)
        planar = np.memmap(sys.argv[2] + "/planar", np.float32, "r", shape=(2, 25_000_000)).T
        status = open("/proc/self/status").read()
        now = int(status.split("VmData:")[1].split()[0]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (now + 60_000_000, now + 60_000_000))
        assert is_refused(70_000_000)
        save(np.broadcast_to(np.float32(0.5), (25_000_000, 2)))
        save(np.broadcast_to(np.float32(1.5), (25_000_000, 2)), clip="rescale")
        save(mx.broadcast_to(mx.array(0.5), (25_000_000, 2)), 2, encoding="pcm16")
        save(planar, layout="channels_last")
        print("done")
        """,
        target,
        tmp_path,
    )
    assert printed.strip() == "done"
