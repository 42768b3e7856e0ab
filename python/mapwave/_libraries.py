"""The array libraries, and what to do when one is missing or cannot be imported."""

from __future__ import annotations

from typing import NamedTuple


class Library(NamedTuple):
    """An array library whose module beside this one has mapwave's functions for it."""

    name: str
    #: The statement that imports it, and the type of its arrays: for the stubs.
    imported: str
    array: str


#: By the names of their modules. MLX's functions are those of mapwave itself.
LIBRARIES = {
    "mlx": Library("MLX", "import mlx.core as mx", "mx.array"),
    "numpy": Library("NumPy", "import numpy as np", "np.ndarray[Any, np.dtype[Any]]"),
    "torch": Library("PyTorch", "import torch", "torch.Tensor"),
    "jax": Library("JAX", "import jax", "jax.Array"),
}

#: The modules that work without MLX.
WITHOUT_MLX = [module for module in LIBRARIES if module != "mlx"]


def how_to_install(library: str) -> str:
    """The command that installs a library in a version that works, such as ``pip install 'mapwave[mlx]'``."""
    return f"pip install 'mapwave[{library}]'"


def unusable(library: str, error: ImportError) -> ImportError:
    """The error for a library whose import has failed: one that says how to install it.

    Args:
        library: The name of its module here, such as "numpy".
        error: What the import raised.

    Returns:
        An error of the same kind, whose message says whether the library is missing or broken.
    """
    name = LIBRARIES[library].name
    others = [f"mapwave.{other}" for other in WITHOUT_MLX if other != library]
    instead = f"; {', '.join(others[:-1])} and {others[-1]} work without it"
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == library:
        return ModuleNotFoundError(f"{name} is not installed: {how_to_install(library)}{instead}", name=error.name)
    message = f"{name} is installed but cannot be imported ({error}): {how_to_install(library)}{instead}"
    if isinstance(error, ModuleNotFoundError):
        return ModuleNotFoundError(message, name=error.name)
    return ImportError(message, name=error.name, path=error.path)
