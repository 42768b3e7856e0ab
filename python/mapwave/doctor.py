"""Reports what this installation of mapwave has and lacks: ``python -m mapwave.doctor``.

Exits with 0 when everything that mapwave itself needs works, 1 otherwise.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args


def main() -> int:
    """Prints the report and returns the exit status."""
    try:
        import mapwave
    except ImportError as error:
        print(f"mapwave cannot be imported: {error}\n  reinstall it: pip install --force-reinstall mapwave")
        return 1
    facts = mapwave.show_build_info()
    print(f"mapwave        {facts['version']} for {facts['target']}, in {Path(mapwave.__file__).parent}")
    print(f"python         {platform.python_implementation()} {platform.python_version()}, {platform.platform()}")
    print(
        f"processors     {facts['num_processors']}, with {', '.join(facts['cpu_features']) or 'no vector instructions'}"
    )
    print(f"huge pages     {_huge_pages()}")
    print(f"containers     {', '.join(facts['containers'])}")
    for line in _array_libraries():
        print(line)
    for line in _plugins():
        print(line)
    print(f"{'ffmpeg':<14} {_ffmpeg()}")
    print(f"{'saves':<14} {', '.join(_saved_formats())}")
    print(f"{'resampling':<14} {_resampling()}")
    return _self_test()


def _resampling() -> str:
    import mapwave
    from mapwave.types import OwnResampleQuality

    own = ", ".join(reversed(get_args(OwnResampleQuality)))
    theirs = [f"{quality} (plugin {plugin.id})" for plugin in mapwave.plugins() for quality in plugin.resamples]
    return ", ".join([own, *theirs]) if theirs else f"{own}; no libsoxr, so 'default' is 'best'"


def _huge_pages() -> str:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not setting.exists():
        return "not available on this system"
    chosen = setting.read_text().partition("[")[2].partition("]")[0]
    if chosen == "never":
        return (
            "never; large loads take two to three times as long. To enable them, as root:\n"
            f"               echo madvise > {setting}"
        )
    return chosen


def _array_libraries() -> Iterator[str]:
    from mapwave._libraries import LIBRARIES, how_to_install

    for name in LIBRARIES:
        if importlib.util.find_spec(name) is None:
            yield f"{name:<14} not installed ({how_to_install(name)})"
            continue
        try:
            importlib.import_module(f"mapwave.{name}")
            version = importlib.metadata.version(name)
        except (ImportError, importlib.metadata.PackageNotFoundError) as error:
            yield f"{name:<14} BROKEN: {error}"
            continue
        yield f"{name:<14} {version}"
        if name == "mlx":
            from mapwave import mlx

            for size, (letter, why) in (("1 MiB", mlx.route(1 << 20)), ("1 GiB", mlx.route(1 << 30))):
                yield f"               {size} by route {letter}: {why}"


def _plugins() -> Iterator[str]:
    import mapwave

    label = "codec plugins"
    for plugin in mapwave.plugins():
        place = plugin.path or "part of mapwave"
        if plugin.refused is None:
            codecs = ", ".join([*plugin.decodes, *(f"{codec} (encoder)" for codec in plugin.encodes)])
            yield f"{label:<14} {plugin.id} {plugin.version} ({place}): {codecs}"
        else:
            yield f"{label:<14} {plugin.id} REFUSED ({place}): {plugin.refused}"
        label = ""
    for directory in mapwave.plugin_directories():
        if directory.refused is not None:
            yield f"               {directory.path} REFUSED: {directory.refused}"


def _ffmpeg() -> str:
    """The versions of the FFmpeg libraries in use, or why there are none."""
    import mapwave

    plugins = mapwave.plugins()
    # There can be one plugin for each version of FFmpeg; those for versions that are not installed are rejected.
    found = [plugin.dependencies for plugin in plugins if plugin.id == "libav" and plugin.refused is None]
    refused = [plugin.refused for plugin in plugins if "mapwave_libav" in plugin.id and plugin.refused is not None]
    return next(
        iter(found + refused),
        "not used: this installation was built without FFmpeg's headers, so it cannot read WMA, AC-3\n"
        "               and others, or write M4A, Vorbis and WavPack (docs/ffmpeg.md)",
    )


def _saved_formats() -> list[str]:
    """The formats that can be written: uncompressed files, and the codecs of the plugins."""
    import mapwave

    encoders = (codec for plugin in mapwave.plugins() if plugin.refused is None for codec in plugin.encodes)
    return ["wav", "rf64", "w64", "aiff", "aifc", "caf", *dict.fromkeys(encoders)]


def _self_test() -> int:
    """Reads a WAV file of four samples from memory and writes it back."""
    import io

    import mapwave

    samples = struct.pack("<4h", 0, 16384, -32768, 32767)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 8, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", 8
    )
    with mapwave.open(header + samples) as reader:
        is_read = bytes(memoryview(reader.view())) == samples
    written = io.BytesIO()
    mapwave.save(written, memoryview(samples).cast("h"), 8000, format="wav", encoding="pcm16")
    is_written = written.getvalue() == header + samples
    if is_read and is_written:
        print("self-test      passed")
        return 0
    wrong = "was not written correctly" if is_read else "was not read correctly"
    print(f"self-test      FAILED: a small WAV file {wrong}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
