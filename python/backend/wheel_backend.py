"""What pip calls to build mapwave: maturin, after the plugins that the wheel brings along.

maturin alone makes a wheel without the LAME, libsoxr and FFmpeg plugins and without the headers for authors of plugins.
`plugins/bundle.sh --wheel` builds and copies what this machine can build, for `make wheel` too: a wheel from the
source distribution has the same files as one from a checkout.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maturin
from maturin import (
    build_sdist,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_Settings = Mapping[str, Any] | None

_ROOT = Path(__file__).resolve().parents[2]


def get_requires_for_build_wheel(config_settings: _Settings = None) -> list[str]:
    """Nothing beyond maturin; without cargo, an error that says what to install."""
    _check_tools()
    return []


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory: str, config_settings: _Settings = None, metadata_directory: str | None = None) -> str:
    """Builds the wheel, and returns the name of its file."""
    _add_plugins()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: _Settings = None, metadata_directory: str | None = None
) -> str:
    """Builds the wheel of an installation that refers to this directory, and returns the name of its file."""
    _add_plugins()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def _check_tools() -> None:
    missing = [tool for tool in ("cargo", "bash") if shutil.which(tool) is None]
    if missing:
        sys.exit(
            f"mapwave is built from source here, and there is no {' and no '.join(missing)}: install Rust 1.95 or "
            "newer and a C compiler, or a wheel (pip install --only-binary mapwave mapwave)"
        )


def _add_plugins() -> None:
    _check_tools()
    sys.stdout.flush()
    subprocess.run(["bash", str(_ROOT / "plugins" / "bundle.sh"), "--wheel"], check=True)
