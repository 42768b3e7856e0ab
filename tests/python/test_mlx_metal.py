"""MLX on a Mac, of which there is none here: what mapwave hands to a stand-in for it, and who frees that."""

from __future__ import annotations

from pathlib import Path

import child
import pytest

PRELUDE = """
    import threading
    import fake_metal
    fake_metal.install()
    import mapwave, mapwave.mlx, mapwave.numpy
    import numpy as np

    path, imports = sys.argv[1], fake_metal.imports

    def loaded(**options):
        imports.clear()
        fake_metal.evaluations.clear()
        audio = np.array(mapwave.load(path, **options)[0])
        assert np.array_equal(audio, mapwave.numpy.load(path, **options)[0]), options
        return audio.nbytes
"""


def run(tmp_path: Path, code: str, *arguments: object, **variables: str) -> list[str]:
    return child.run(tmp_path, PRELUDE + code, *arguments, **variables).splitlines()


def test_memory_is_taken_over_from_a_megabyte_on(tmp_path: Path, large: Path) -> None:
    code = """
    for options in ({}, {"dtype": "int16"}, {"dtype": "float16", "mono": True}, {"layout": "channels_first"},
                    {"stop": 131_072}, {"stop": 131_073}):
        num_bytes = loaded(**options)
        assert imports == [(num_bytes, False, "adopted")], (options, imports)
        assert not fake_metal.evaluations
    for options in ({"stop": 131_071}, {"stop": 1000}, {"stop": 1}, {"start": 1_000_000}):
        num_bytes = loaded(**options)
        assert imports == [(num_bytes, True, "copied")], (options, imports)
    with mapwave.open(path) as reader:
        assert np.array_equal(np.array(reader[:]), mapwave.numpy.load(path)[0])
    assert imports[-1][2] == "adopted"
    expected = mapwave.numpy.load(path)[0]
    assert all(np.array_equal(np.array(audio), expected) for audio, _ in mapwave.batch_load([path] * 4))
    assert [kind for _, _, kind in imports[-4:]] == ["adopted"] * 4
    print(*mapwave.mlx.route())
    """
    assert run(tmp_path, code, large) == ["a Metal, which takes memory over without a copy from 1048576 bytes on"]


@pytest.mark.parametrize("version", ["0.32.0", "0.32.3", "0.32.3.dev1", "0.31.9", "unknown"])
def test_an_mlx_that_may_give_the_memory_away_gets_copies(tmp_path: Path, large: Path, version: str) -> None:
    code = """
    for options in ({}, {"dtype": "int16"}, {"stop": 1000}):
        num_bytes = loaded(**options)
        assert imports == [(num_bytes, True, "copied")], (options, imports)
    print(*mapwave.mlx.route())
    """
    printed = run(tmp_path, code, large, FAKE_MLX_VERSION=version)
    assert printed == ["a Metal; samples are copied, since MLX is older than 0.32.4"]


@pytest.mark.parametrize("version", ["0.32.4", "0.33.0.dev20270101+abc", "1.0.0"])
def test_a_later_mlx_takes_memory_over(tmp_path: Path, large: Path, version: str) -> None:
    code = """
    loaded()
    print(*imports[0][1:])
    """
    assert run(tmp_path, code, large, FAKE_MLX_VERSION=version) == ["False adopted"]


def test_where_whole_pages_are_needed_the_array_is_a_view_of_them(tmp_path: Path, large: Path) -> None:
    code = """
    mono = {"mono": True, "squeeze_mono": True}
    for options in ({"stop": 999_999}, {"stop": 300_001, "dtype": "int16"}, {"stop": 999_999} | mono):
        num_bytes = loaded(**options)
        (first, second) = imports
        assert first == (num_bytes, False, "refused")
        assert second[1:] == (False, "adopted") and num_bytes < second[0] < num_bytes + 65536
        assert fake_metal.evaluations == ["MainThread"]
    """
    assert run(tmp_path, code, large, FAKE_METAL_WHOLE_PAGES="1") == []


def test_a_daemon_thread_gets_a_copy_and_evaluates_nothing(tmp_path: Path, large: Path) -> None:
    code = """
    told = []
    thread = threading.Thread(target=lambda: told.append(loaded()), daemon=True)
    thread.start()
    thread.join()
    assert imports == [(told[0], True, "copied")] and not fake_metal.evaluations
    """
    assert run(tmp_path, code, large, FAKE_METAL_WHOLE_PAGES="1") == []


def test_memory_is_freed_on_metals_thread(tmp_path: Path, large: Path) -> None:
    code = """
    def resident():
        fields = open("/proc/self/statm").read().split()
        return int(fields[1]) * 4096

    loaded()
    fake_metal.settle()
    before = resident()
    for _ in range(40):
        audio = mapwave.load(path)[0]
        assert imports[-1][2] == "adopted"
        del audio
        fake_metal.settle()
    assert resident() - before < 32 << 20, (before, resident())
    kept = [mapwave.load(path)[0] for _ in range(3)]
    assert resident() - before > 20 << 20
    del kept
    fake_metal.settle()
    """
    assert run(tmp_path, code, large) == []


def test_the_size_is_a_setting(tmp_path: Path, large: Path) -> None:
    code = """
    num_bytes = loaded()
    print(num_bytes, *[kind for _, _, kind in imports])
    num_bytes = loaded(stop=1000)
    print(num_bytes, *[kind for _, _, kind in imports])
    """
    assert run(tmp_path, code, large, MAPWAVE_MLX_MIN_ADOPTED="8388608") == ["8000000 copied", "8000 copied"]
    assert run(tmp_path, code, large, MAPWAVE_MLX_MIN_ADOPTED="4096") == ["8000000 adopted", "8000 adopted"]


def test_a_size_that_is_no_number_is_refused(tmp_path: Path) -> None:
    code = """
        try:
            import mapwave.mlx
        except ValueError as error:
            print(error)
    """
    printed = child.run(tmp_path, code, MAPWAVE_MLX_MIN_ADOPTED="1 MiB")
    assert printed == "MAPWAVE_MLX_MIN_ADOPTED must be a number of bytes, got '1 MiB'\n"
