"""The timed tasks. To add one: a module with a ``build``, or a function in one of them (docs/benchmarking.md)."""

from __future__ import annotations

from collections.abc import Iterator

from ..task import Planned
from . import compressed, resampling, saving, starting, streaming, training, whole, windows
from .context import Context

__all__ = ["Context", "build"]


def build(context: Context) -> Iterator[Planned]:
    """Every task, in the order of the table."""
    yield from whole.build(context)
    yield from compressed.build(context)
    yield from windows.build(context)
    yield from resampling.build(context)
    yield from streaming.build(context)
    yield from training.build(context)
    yield from saving.build(context)
    yield from starting.build(context)
