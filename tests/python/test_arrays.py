"""What array libraries are given: no copies, the right types, and memory that is freed."""

from __future__ import annotations

import ctypes
import gc
import weakref
from pathlib import Path

import child
import corpus
import mapwave
import mapwave.numpy
import ml_dtypes
import mlx.core as mx
import numpy as np
import pytest

DTYPES = ("float32", "float16", "bfloat16", "int16", "int32")
CPU = (1, 0)


def capsule_name(capsule: object) -> str:
    get_name = ctypes.pythonapi.PyCapsule_GetName
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return get_name(capsule).decode()


def reference(dtype: str) -> np.ndarray:
    exact = corpus.exact(corpus.PCM16)
    if dtype.startswith("int"):
        return np.rint(exact * 2.0 ** (int(dtype[3:]) - 1)).astype(dtype)
    return exact.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


# Frames


@pytest.mark.parametrize("dtype", [*DTYPES, "float64"])
def test_frames_say_what_they_are(raw, dtype: str) -> None:
    frames = raw.load(corpus.PCM16, dtype=dtype)[0]
    itemsize = int(dtype.lstrip("bfloatin")) // 8
    assert (frames.shape, frames.dtype, frames.readonly, len(frames)) == ((301, 2), dtype, False, 301)
    assert frames.nbytes == 602 * itemsize
    assert repr(frames) == f"Frames(shape=(301, 2), dtype='{dtype}', readonly=False)"
    assert frames.__dlpack_device__() == CPU


@pytest.mark.parametrize(
    ("dtype", "code"), [("float32", "f"), ("float16", "e"), ("float64", "d"), ("int16", "h"), ("int32", "i")]
)
def test_the_buffer_protocol(raw, dtype: str, code: str) -> None:
    with memoryview(raw.load(corpus.PCM16, dtype=dtype, layout="channels_first")[0]) as buffer:
        itemsize = np.dtype(dtype).itemsize
        assert (buffer.format, buffer.itemsize, buffer.shape) == (code, itemsize, (2, 301))
        assert buffer.strides == (301 * itemsize, itemsize)
        assert buffer.c_contiguous
        assert not buffer.readonly
        assert buffer.tobytes() == reference(dtype).T.tobytes()


def test_bytes_of_frames(raw) -> None:
    assert bytes(raw.load(corpus.PCM16, dtype="int16")[0]) == corpus.PCM16.read_bytes()[44:]


def test_bfloat16_has_no_buffer(raw) -> None:
    with pytest.raises((BufferError, TypeError), match="bfloat16"):
        memoryview(raw.load(corpus.PCM16, dtype="bfloat16")[0])


def test_frames_start_at_a_cache_line(raw) -> None:
    kept = [raw.load(corpus.PCM16, start=start)[0] for start in range(20)]
    assert {np.asarray(frames).ctypes.data % 64 for frames in kept} == {0}


# DLPack


def test_dlpack_is_versioned_for_those_who_ask(raw) -> None:
    frames = raw.load(corpus.PCM16)[0]
    assert capsule_name(frames.__dlpack__()) == "dltensor"
    assert capsule_name(frames.__dlpack__(max_version=(0, 8))) == "dltensor"
    assert capsule_name(frames.__dlpack__(max_version=(1, 0))) == "dltensor_versioned"
    assert capsule_name(frames.__dlpack__(max_version=(9, 9), dl_device=CPU, copy=False)) == "dltensor_versioned"


@pytest.mark.parametrize("options", [{"stream": 1}, {"dl_device": (2, 0)}, {"copy": True}], ids=str)
def test_dlpack_refuses_what_it_cannot_do(raw, options: dict) -> None:
    with pytest.raises(BufferError):
        raw.load(corpus.PCM16)[0].__dlpack__(**options)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int16", "int32"])
def test_numpy_takes_frames_by_dlpack_without_a_copy(raw, dtype: str) -> None:
    frames = raw.load(corpus.PCM16, dtype=dtype)[0]
    array = np.from_dlpack(frames)
    assert np.shares_memory(array, np.asarray(frames))
    np.testing.assert_array_equal(array, reference(dtype), strict=True)
    assert array.flags.writeable


def test_a_view_is_read_only_by_dlpack_too() -> None:
    with mapwave.open(corpus.PCM16) as reader:
        view = reader.view()
    array = np.from_dlpack(view)
    assert array.flags.writeable is False
    assert np.shares_memory(array, np.asarray(view))
    with pytest.raises(BufferError, match="read-only"):
        view.__dlpack__()


def test_an_array_keeps_its_memory(raw) -> None:
    frames = raw.load(corpus.RECORDING, dtype="int16")[0]
    arrays = [np.asarray(frames), np.from_dlpack(frames)]
    del frames
    gc.collect()
    expected = corpus.RECORDING.read_bytes()[44:]
    assert [array.tobytes() == expected for array in arrays] == [True, True]


# NumPy


@pytest.mark.parametrize("path", [corpus.PCM16, corpus.RECORDING], ids=lambda path: path.name)
def test_numpy_arrays_are_writable_views(path: Path) -> None:
    array = mapwave.numpy.load(path)[0]
    assert array.flags.writeable
    assert array.flags.aligned
    assert array.flags.c_contiguous
    assert not array.flags.owndata
    array += 1
    np.testing.assert_array_equal(array, corpus.exact(path).astype(np.float32) + 1)


def test_two_loads_share_nothing() -> None:
    first, second = mapwave.numpy.load(corpus.PCM16)[0], mapwave.numpy.load(corpus.PCM16)[0]
    assert not np.shares_memory(first, second)
    first[:] = 9
    np.testing.assert_array_equal(second, reference("float32"))


def test_numpy_has_no_bfloat16_and_what_it_has_is_said() -> None:
    with pytest.raises(ValueError, match="float32.*float16.*float64.*int16.*int32.*got 'bfloat16'"):
        mapwave.numpy.load(corpus.PCM16, dtype="bfloat16")


def test_a_numpy_array_frees_its_memory() -> None:
    array = mapwave.numpy.load(corpus.PCM16)[0]
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    died = weakref.ref(base)
    del array, base
    gc.collect()
    assert died() is None


# MLX


@pytest.mark.parametrize("dtype", DTYPES)
def test_mlx_arrays_have_dtype_and_values(dtype: str) -> None:
    array = mapwave.load(corpus.PCM16, dtype=dtype)[0]
    assert isinstance(array, mx.array)
    assert array.dtype == getattr(mx, dtype)
    expected = reference(dtype)
    if dtype == "bfloat16":
        array, expected = array.view(mx.uint16), expected.view(np.uint16)
    np.testing.assert_array_equal(np.array(array), expected, strict=True)


def test_mlx_arrays_are_not_changed_by_later_loads() -> None:
    first = mapwave.load(corpus.PCM16)[0]
    for _ in range(20):
        mapwave.load(corpus.PCM16, channels=[1, 0])
    np.testing.assert_array_equal(np.array(first), reference("float32"))


def test_mlx_arrays_can_be_computed_with() -> None:
    array = mapwave.load(corpus.RECORDING, dtype="int16")[0]
    expected = np.abs(np.frombuffer(corpus.RECORDING.read_bytes()[44:], np.int16).astype(np.int64)).sum()
    assert mx.abs(array.astype(mx.int32)).astype(mx.int64).sum().item() == expected


# JAX

JAX_DTYPES = ("float32", "float16", "bfloat16", "int16", "int32")


@pytest.mark.parametrize("dtype", JAX_DTYPES)
def test_jax_arrays_have_dtype_and_values(dtype: str) -> None:
    jax = pytest.importorskip("jax")
    load = pytest.importorskip("mapwave.jax", exc_type=ImportError).load
    array, rate = load(corpus.PCM16, dtype=dtype)
    assert isinstance(array, jax.Array)
    assert rate == 48_000
    np.testing.assert_array_equal(np.asarray(array), reference(dtype), strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int16", "int32"])
def test_jax_does_not_copy(raw, dtype: str) -> None:
    jax = pytest.importorskip("jax")
    frames = raw.load(corpus.PCM16, dtype=dtype)[0]
    array = jax.dlpack.from_dlpack(frames)
    assert array.unsafe_buffer_pointer() == np.asarray(frames).ctypes.data


# PyTorch


@pytest.fixture
def torch_load():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    import mapwave.torch

    return mapwave.torch.load


@pytest.mark.parametrize("dtype", [*DTYPES, "float64"])
def test_torch_tensors_have_dtype_and_values(torch_load, dtype: str) -> None:
    import torch

    tensor, rate = torch_load(corpus.PCM16, dtype=dtype)
    assert isinstance(tensor, torch.Tensor)
    assert (tensor.dtype, rate) == (getattr(torch, dtype), 48_000)
    wide = torch.tensor(reference(dtype).astype(np.float64).tolist(), dtype=torch.float64)
    assert torch.equal(tensor.to(torch.float64), wide)


def test_torch_does_not_copy_and_tensors_are_writable(torch_load, raw) -> None:
    import torch

    frames = raw.load(corpus.PCM16)[0]
    tensor = torch.from_dlpack(frames)
    assert tensor.data_ptr() == np.asarray(frames).ctypes.data
    tensor += 1
    np.testing.assert_array_equal(np.asarray(frames), reference("float32") + 1)


# Memory

GROWTH = """
    import gc, os
    import mapwave, mapwave.numpy
    from mapwave._core import Api

    class Unwrapped:
        from_frames, copies, min_adopted, fills = staticmethod(lambda frames: frames), False, None, False
        allocate, finish, dtypes, max_axis = None, None, ("float32",), None

    raw, path = Api(lambda: Unwrapped, __name__), sys.argv[1]

    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def use():
        {use}

    for _ in range(20):
        use()
    gc.collect()
    before = resident()
    for _ in range(200):
        use()
    gc.collect()
    print(resident() - before)
"""

LOAD, TRANSPOSED = "mapwave.load(path)", "mapwave.load(path, layout='channels_first')"
USES = {
    "mlx, route a": (LOAD, "a"),
    "mlx, route b": (LOAD, "b"),
    "mlx transposed, route a": (TRANSPOSED, "a"),
    "mlx transposed, route b": (TRANSPOSED, "b"),
    "mlx batch": ("mapwave.batch_load([path, path])", "auto"),
    "numpy": ("mapwave.numpy.load(path)", "auto"),
    "unused capsule": ("raw.load(path)[0].__dlpack__()", "auto"),
    "unused versioned capsule": ("raw.load(path)[0].__dlpack__(max_version=(1, 0))", "auto"),
    "view": ("mapwave.open(path).view().__dlpack__(max_version=(1, 0))", "auto"),
    "capsule that was taken": ("import numpy; numpy.from_dlpack(raw.load(path)[0])", "auto"),
}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize(("use", "route"), USES.values(), ids=USES)
def test_memory_does_not_grow(tmp_path: Path, large: Path, use: str, route: str) -> None:
    grown = int(child.run(tmp_path, GROWTH.format(use=use), large, MAPWAVE_MLX_ROUTE=route))
    # Ten outputs; a leak of one a call would be two hundred. A batch has two arrays, and threads, of which an emulator
    # loses 0.3 MB each.
    num_arrays = 2 if "batch" in use else 1
    assert grown < 10 * num_arrays * 8_000_000
