"""Who takes part: mapwave and the libraries that people use today, as far as they are installed.

To add a peer, write a module with a `Peer` (docs/benchmarking.md) and list it here.
"""

from __future__ import annotations

from .audioread import Audioread
from .base import Peer, Read
from .librosa import Librosa
from .mlx_audio_io import MlxAudioIo
from .pyav import Pyav
from .soundfile import Soundfile
from .subject import Mapwave
from .torchaudio import Torchaudio
from .torchcodec import Torchcodec

__all__ = ["ALL", "DISTRIBUTIONS", "Peer", "Read", "installed", "peer_of"]

ALL: tuple[type[Peer], ...] = (Mapwave, MlxAudioIo, Soundfile, Librosa, Torchaudio, Torchcodec, Pyav, Audioread)

DISTRIBUTIONS = (*(peer.distribution or peer.name for peer in ALL), "mlx", "numpy", "soxr", "torch")
"""What stands in the results with its version."""


def installed(only: str = "") -> list[Peer]:
    """The peers whose modules are there; `only` keeps those named in it, and always mapwave."""
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    if unknown := wanted - {peer.name for peer in ALL}:
        known = ", ".join(peer.name for peer in ALL)
        raise ValueError(f"there is no peer {', '.join(sorted(unknown))}; there are {known}")
    return [peer() for peer in ALL if peer.is_installed() and (not wanted or peer.name in {*wanted, Mapwave.name})]


def peer_of(label: str) -> str:
    """The peer that a rival's label begins with, or the label itself, such as the floor's."""
    names = (peer.name for peer in ALL)
    found = [name for name in names if label == name or label.startswith((f"{name} ", f"{name}, "))]
    return max(found, key=len, default=label)
