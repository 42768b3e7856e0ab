"""What every task is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..clips import Clips
from ..peers import Peer


@dataclass(frozen=True)
class Context:
    """The sound and who takes part."""

    directory: Path
    clips: Clips
    """The sound of uncompressed files."""
    slow_clips: Clips
    """The sound of compressed files and of saving: the same, or a shorter one in a quick run."""
    peers: list[Peer]
    is_quick: bool = False
    is_long: bool = False
    """Whether files of an hour and more are made."""

    def peer(self, name: str) -> Peer | None:
        """The peer of this name, if it is there."""
        return next((peer for peer in self.peers if peer.name == name), None)
