#!/usr/bin/env python3
"""What the libraries in wheels need of a machine: ``inspect_wheel.py [--glibc 2.17] [--largest BYTES] WHEEL..``.

Prints a table per wheel, and fails where a library is for another processor than the wheel's name says, needs a newer C
library, a library that not every machine has, or a path of the machine that built it, or where the wheel is too large.
FFmpeg's libraries may be missing: a plugin over FFmpeg that cannot be loaded is left out. Needs pyelftools, which comes
with auditwheel.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import zipfile
from collections.abc import Iterator

from elftools.elf.elffile import ELFFile

#: The libraries of the C library and of the compiler that every Linux with glibc has.
SYSTEM = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"}
LOADER = re.compile(r"ld-linux[-.\w]*\.so\.\d")
FFMPEG = re.compile(r"lib(avcodec|avformat|avutil|swresample)\.so\.\d+")
#: Paths of a machine that builds; what is remapped begins with /mapwave, /crates, /rust or /build.
PATHS = re.compile(rb"/(?:home|root|Users|work|tmp|var/tmp)/[\w./+-]{3,120}")


def inspect(name: str, data: bytes, processor: str, limit: tuple[int, ...]) -> tuple[list[str], list[str]]:
    """A row of the table for a library, and what is wrong with it."""
    elf = ELFFile(io.BytesIO(data))
    wrong = []
    machine = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}.get(elf["e_machine"], str(elf["e_machine"]))
    if machine != processor:
        wrong.append(f"is for {machine}")
    needed = [tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags() if tag.entry.d_tag == "DT_NEEDED"]
    others = [one for one in needed if one not in SYSTEM and not LOADER.fullmatch(one)]
    if any(not FFMPEG.fullmatch(one) for one in others):
        wrong.append(f"needs {', '.join(others)}")
    newest = max(_glibc_versions(elf), default=(0,))
    if newest > limit:
        wrong.append(f"needs glibc {_dotted(newest)}")
    if paths := sorted(set(PATHS.findall(data))):
        wrong.append(f"holds {len(paths)} paths, such as {paths[0].decode()}")
    row = [name, machine, _dotted(newest), ", ".join(others) or "-", f"{len(data) / 1e6:.1f} MB"]
    return row, wrong


def _glibc_versions(elf: ELFFile) -> Iterator[tuple[int, ...]]:
    section = elf.get_section_by_name(".gnu.version_r")
    for _, versions in section.iter_versions() if section else ():
        for version in versions:
            if version.name.startswith("GLIBC_"):
                yield tuple(int(part) for part in version.name.removeprefix("GLIBC_").split("."))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glibc", default="2.17", help="the newest version of the C library that may be needed")
    parser.add_argument("--largest", type=int, default=8 << 20, help="the most bytes of a wheel")
    parser.add_argument("wheels", nargs="+")
    arguments = parser.parse_args()
    limit = tuple(int(part) for part in arguments.glibc.split("."))
    failed = False
    for path in arguments.wheels:
        processor = re.search(r"(x86_64|aarch64)\.whl$", path)
        if processor is None:
            parser.error(f"{path}: not a wheel for Linux on x86_64 or aarch64")
        with zipfile.ZipFile(path) as wheel:
            libraries = {info.filename: wheel.read(info) for info in wheel.infolist() if ".so" in info.filename}
        with open(path, "rb") as file:
            size = file.seek(0, io.SEEK_END)
        print(f"{path}: {size / 1e6:.2f} MB")
        if size > arguments.largest:
            print(f"  WRONG: larger than {arguments.largest / 1e6:.2f} MB")
            failed = True
        if not libraries:
            print("  WRONG: there is no library in it")
            failed = True
        for name, data in sorted(libraries.items()):
            row, wrong = inspect(name, data, processor[1], limit)
            print("  {:<50} {:<8} glibc {:<6} {:>8}  {}".format(*row[:3], row[4], row[3]))
            for sentence in wrong:
                print(f"  WRONG: {name} {sentence}")
            failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
