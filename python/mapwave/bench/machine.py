"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import mapwave

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage")

IDENTITY = ("cpu", "cores", "memory", "architecture")
"""The facts by which two runs are known to be of one machine."""


def facts() -> dict[str, str]:
    """The processor and the system."""
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "architecture": platform.machine(),
        "system": platform.platform(),
        "huge pages": ", ".join(f"{name} {_read(HUGE_PAGES / name)}" for name in ("enabled", "defrag")),
        "load average": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """The version of each distribution; "absent" for one that is not there."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def subject(checkout: Path | None) -> dict[str, str]:
    """Which mapwave was measured. `checkout` is where its sources are, if that is known."""
    build = mapwave.show_build_info()
    found = {
        "version": mapwave.__version__,
        "target": str(build["target"]),
        "cpu features": " ".join(build["cpu_features"]),
        "profile": "debug" if build["debug_assertions"] else "release",
    }
    package = Path(mapwave.__file__).parent
    if checkout is None and package.parent.name == "python":
        checkout = package.parents[1]
    if checkout and (commit := _describe(checkout)):
        found["commit"] = commit
    return found


def _describe(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--tags"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu_model() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.stdout.strip():
            return done.stdout.strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    num_bytes = memory_bytes()
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes else "unknown"


def memory_bytes() -> int:
    """The size of the memory, or 0 where it is not told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"
