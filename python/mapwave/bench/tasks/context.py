"""What every task is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..clips import Clips
from ..peers import Peer

COMMON = ("PCM16", "PCM24", "f32")
"""Kinds of files that a quick run has in full length too."""


@dataclass(frozen=True)
class Context:
    """The sound and who takes part."""

    directory: Path
    clips: Clips
    """The sound of uncompressed files."""
    slow_clips: Clips
    """The same sound, or a shorter one in a quick run, for all but the commonest loads and windows."""
    peers: list[Peer]
    is_quick: bool = False
    is_long: bool = False
    """Whether files of an hour and more are made."""

    def sound(self, kind: str) -> Clips:
        """The clips that a file of this kind is taken from."""
        return self.clips if kind in COMMON else self.slow_clips

    def peer(self, name: str) -> Peer | None:
        """The peer of this name, if it is there."""
        return next((peer for peer in self.peers if peer.name == name), None)
