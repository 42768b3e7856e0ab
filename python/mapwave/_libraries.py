"""What to do when an array library is missing or cannot be imported."""

from __future__ import annotations

import sys

# The name of each library, the package to install, and what can be used without it.
_LIBRARIES = {
    "mlx": ("MLX", "mlx[cpu]" if sys.platform == "linux" else "mlx"),
    "numpy": ("NumPy", "numpy"),
    "torch": ("PyTorch", "torch"),
    "jax": ("JAX", "jax"),
}


def how_to_install(library: str) -> str:
    """The command that installs a library, such as ``pip install 'mlx[cpu]'``."""
    package = _LIBRARIES[library][1]
    return f"pip install '{package}'" if "[" in package else f"pip install {package}"


def unusable(library: str, error: ImportError) -> ImportError:
    """The error for a library whose import has failed: one that says how to install it.

    Args:
        library: "mlx", "numpy", "torch" or "jax".
        error: What the import raised.

    Returns:
        An error of the same kind, whose message says whether the library is missing or broken.
    """
    name = _LIBRARIES[library][0]
    others = [f"mapwave.{other}" for other in _LIBRARIES if other not in (library, "mlx")]
    instead = f"; {', '.join(others[:-1])} and {others[-1]} work without it"
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == library:
        return ModuleNotFoundError(f"{name} is not installed: {how_to_install(library)}{instead}", name=error.name)
    message = f"{name} is installed but cannot be imported ({error}): {how_to_install(library)}{instead}"
    if isinstance(error, ModuleNotFoundError):
        return ModuleNotFoundError(message, name=error.name)
    return ImportError(message, name=error.name, path=error.path)
