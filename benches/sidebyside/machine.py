"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from . import rivals

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage")


def facts() -> dict[str, str]:
    """CPU, system, huge pages, load and versions."""
    found = {
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores",
        "memory": _memory(),
        "system": platform.platform(),
        "huge pages": ", ".join(f"{name} {_read(HUGE_PAGES / name)}" for name in ("enabled", "defrag")),
        "load average": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    return found | rivals.versions()


def _cpu_model() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB"
    except (ValueError, OSError):
        return "unknown"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"
