"""mapwave beside its peers: ``mapwave bench``, or ``python -m mapwave.bench``.

``clips`` (the sound) and ``peers`` (who takes part) make the ``tasks``; ``timing`` checks and times them, ``memory``
measures in processes of their own, ``floor`` is what the machine needs; ``targets`` says what is wanted. ``results``
are kept as JSON, printed by ``report``, drawn by ``chart`` and held against older ones by ``regressions``.
``scaling`` is a run of its own.

Nothing of mapwave imports this package. It needs NumPy and MLX.
"""
