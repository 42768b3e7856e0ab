"""The page of formats, from what the installed package answers and from the files in ``fixtures/``."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: The containers and encodings that the core writes itself, by the names that ``save`` takes.
CONTAINERS = {
    "wav": "WAV",
    "rf64": "RF64",
    "w64": "Wave64",
    "aiff": "AIFF",
    "aifc": "AIFF-C",
    "caf": "CAF",
}
ENCODINGS = ["u8", "pcm16", "pcm24", "pcm32", "float32", "float64", "alaw", "mulaw"]

#: A paragraph lists the extensions of a decoder that has more than these.
MANY = 20

#: Directories of ``fixtures/`` with files that must be read.
FIXTURES = ["valid", "compressed"]

HEAD = """\
# Tables of formats

These tables are made when this site is built. The first shows what `save` did with each encoding, the next two what the
plugins of the package say of themselves, and the last what `info` says of the files in the repository's
[fixtures](https://github.com/mapwave/mapwave/tree/main/fixtures). [Formats](../formats.md) has the rules by which files
are read, and [saving](../saving.md) the options of a save.
"""


def page(root: Path) -> str:
    """The page, with the package of the interpreter that runs this."""
    plugins = _plugins()
    names = ", ".join(f"`{each['id']}`" for each in plugins)
    lines = [HEAD, "## Uncompressed files that are written", ""]
    lines += _table(["format", *(f"`{encoding}`" for encoding in ENCODINGS)], _saved())
    lines += ["", "## Compressed files that are written", "", f"The plugins in use here: {names}.", ""]
    lines += _table(["file", "codecs", "plugin"], _encoders(plugins))
    lines += ["", "## Compressed files that are read", ""]
    lines += _table(["plugin", "decoder", "extensions", "codecs"], _decoders(plugins))
    lines += _long(plugins)
    lines += ["", "## The files of the tests", ""]
    lines += _table(["container", "variant", "codec", "decoded by", "files"], _fixtures(root))
    return "\n".join(lines) + "\n"


def _plugins() -> list[dict[str, Any]]:
    command = [sys.executable, "-P", "-m", "mapwave", "plugins", "list", "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [each for each in json.loads(done.stdout)["plugins"] if each["state"] == "used"]


def _table(head: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _saved() -> Iterator[list[str]]:
    import mapwave.numpy as mapwave
    import numpy

    audio = numpy.zeros((8, 1), numpy.float32)
    for format_, name in CONTAINERS.items():
        row = [f"{name} (`{format_}`)"]
        for encoding in ENCODINGS:
            target = io.BytesIO()
            try:
                mapwave.save(target, audio, 48000, format=format_, encoding=encoding)
                again = mapwave.info(target.getvalue())
                row.append(f"`{again.codec}`")
            except mapwave.InvalidArgument:
                row.append("no")
        yield row


def _encoders(plugins: list[dict[str, Any]]) -> Iterator[list[str]]:
    found: dict[str, dict[str, list[str]]] = {}
    for plugin in plugins:
        for encoder in plugin["encoders"]:
            for container in encoder["containers"]:
                for codec in encoder["codecs"]:
                    found.setdefault(container, {}).setdefault(codec, []).append(f"`{plugin['id']}`")
    for container, codecs in sorted(found.items()):
        for codec, ids in codecs.items():
            yield [f"`.{container}`", f"`{codec}`", ", ".join(dict.fromkeys(ids))]


def _decoders(plugins: list[dict[str, Any]]) -> Iterator[list[str]]:
    for plugin in plugins:
        for decoder in plugin["decoders"]:
            if len(decoder["extensions"]) <= MANY:
                extensions = _names(decoder["extensions"]) or "by content"
                yield [f"`{plugin['id']}`", decoder["name"], extensions, _names(decoder["codecs"])]


def _long(plugins: list[dict[str, Any]]) -> Iterator[str]:
    """The decoders with more extensions than a table has room for."""
    for plugin in plugins:
        for decoder in plugin["decoders"]:
            if len(decoder["extensions"]) > MANY:
                yield from ["", f"The plugin `{plugin['id']}` decodes {_names(decoder['codecs'])}."]
                yield from ["", f"Extensions of its files: {_names(decoder['extensions'])}."]


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fixtures(root: Path) -> Iterator[list[str]]:
    import mapwave.numpy as mapwave

    counts: Counter[tuple[str, ...]] = Counter()
    for directory in FIXTURES:
        for path in sorted((root / "fixtures" / directory).iterdir()):
            try:
                info = mapwave.info(path)
            except mapwave.AudioError:
                continue
            counts[info.container, info.container_variant or "", info.codec, info.plugin or "the core"] += 1
    for (container, variant, codec, plugin), number in sorted(counts.items()):
        yield [f"`{container}`", f"`{variant.strip()}`" if variant else "", f"`{codec}`", plugin, str(number)]
