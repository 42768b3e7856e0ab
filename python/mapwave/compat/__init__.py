"""The interfaces of other audio packages over mapwave, so that a program switches by one import.

Each module has the functions of one package, with its arguments, defaults, types and shapes::

    from mapwave.compat import soundfile as sf          # instead of: import soundfile as sf
    from mapwave.compat.whisper import load_audio       # instead of: from whisper import load_audio

:func:`install` puts one in the place of the other package, for code that cannot be changed. Importing this package
imports none of its modules and changes nothing.
"""

from __future__ import annotations

from ._installing import install, installed, uninstall

__all__ = ["install", "installed", "uninstall"]
