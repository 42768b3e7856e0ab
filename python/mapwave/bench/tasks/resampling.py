"""Loading at another sample rate than the file's."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from ..clips import SAMPLE_RATE, Clips, Samples
from ..peers import Peer, peer_of
from ..task import SUBJECT, WRONG, Job, Planned, Task
from .context import Context
from .delivery import frames_of, label

TARGET_RATE = 16_000
ITERATIONS = 9

SPAN = 1 << 18
"""Frames of the output's middle that are compared, under a Hann window: 16 s, far from both ends."""

SUBJECT_BAND, SUBJECT_SNR = 0.85, 100.0
"""mapwave must agree with the reference to so many dB in this part of the band below half the target rate."""

PEER_BAND, PEER_SNR = 0.6, 60.0
"""A peer's filter may begin to fall earlier and reach less; an error of time, gain or channels stays far below this."""

ROUGH = {"fastest": 30.0, "low": 30.0, "medium": 60.0}
"""The qualities of mapwave that trade exactness for time, with what they must reach in a peer's band."""


def build(context: Context) -> Iterator[Planned]:
    """44.1 to 16 kHz, in stereo and mixed down to mono."""
    for mono in (False, True):
        name = f"load + resample to 16 kHz, {'mono' if mono else 'stereo'}"
        yield Planned(name, "Resampling", context.slow_clips.seconds, partial(resampling, context, name, mono))
    name = "stream at 16 kHz in chunks of 1 s"
    yield Planned(name, "Resampling", context.slow_clips.seconds, partial(streaming, context, name))


def resampling(context: Context, name: str, mono: bool) -> Task:
    """A PCM16 file at 16 kHz, by every way that a peer offers."""
    path = context.slow_clips.path("PCM16")
    jobs: dict[str, Job] = {}
    for peer in context.peers:
        if not peer.can("resamplers"):
            continue
        for words, way in peer.resamplers(mono).items():
            jobs[_label(peer, words)] = _job(peer, way, path)
    expected = reference(context.slow_clips, mono)
    checks = {who: check_of(who, expected) for who in jobs}
    # A check does not know whose result it is given, so every job says.
    named = {who: _named(who, job) for who, job in jobs.items()}
    return Task(name, "ms", named, lambda got, _: checks[got[0]](got[1]), ITERATIONS)


def streaming(context: Context, name: str) -> Task:
    """The same in stereo, as chunks of a second that are kept."""
    path = context.slow_clips.path("PCM16")
    expected = reference(context.slow_clips, mono=False)
    jobs: dict[str, Job] = {}
    for peer in context.peers:
        if peer.can("stream_at"):
            jobs[peer.name] = _named(peer.name, _streaming_job(peer, path))

    def check(got: tuple[str, list[Any]], _: int) -> str:
        who, chunks = got
        return check_of(who, expected)(np.concatenate([frames_of(chunk) for chunk in chunks]))

    return Task(name, "ms", jobs, check, ITERATIONS)


def reference(clips: Clips, mono: bool) -> Samples:
    """The sound at the target rate in float64: by soxr's best, or without soxr by a transform of it all."""
    samples = clips.expected("PCM16").astype(np.float64)
    if mono:
        samples = samples.mean(axis=1, keepdims=True)
    if importlib.util.find_spec("soxr") is not None:
        resampled: Samples = import_module("soxr").resample(samples, SAMPLE_RATE, TARGET_RATE, quality="VHQ")
        return resampled
    return fourier(samples, SAMPLE_RATE, TARGET_RATE)


def fourier(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Samples at a lower rate, by leaving out of their spectrum what that cannot hold; exact but for the ends."""
    num_frames = len(samples) * to_rate // from_rate
    spectrum = np.fft.rfft(samples, axis=0)[: num_frames // 2 + 1]
    resampled: Samples = np.fft.irfft(spectrum, num_frames, axis=0) * (num_frames / len(samples))
    return resampled


def band_snr(values: Samples, expected: Samples, band: float) -> float:
    """Signal to noise in dB, in the middle of the sound and the lower part of its band."""
    span = min(SPAN, len(expected) // 2)
    first = (len(expected) - span) // 2
    hann = np.hanning(span)[:, np.newaxis]

    def spectrum(samples: Samples) -> Samples:
        middle = samples[first : first + span].astype(np.float64) * hann
        return np.fft.rfft(middle, axis=0)[: int(band * span / 2)]

    wanted = spectrum(expected)
    noise = float(np.square(np.abs(spectrum(values) - wanted)).sum())
    return 200.0 if noise == 0 else 10 * float(np.log10(np.square(np.abs(wanted)).sum() / noise))


def check_of(who: str, expected: Samples) -> Callable[[Any], str]:
    """A check of what mapwave, by the quality that its label names, or a peer made of the sound at another rate."""
    quality = who.removeprefix(SUBJECT).strip()
    if peer_of(who) == SUBJECT and quality not in ROUGH:
        band, least = SUBJECT_BAND, SUBJECT_SNR
    else:
        band, least = PEER_BAND, ROUGH.get(quality, PEER_SNR)

    def check(got: Any) -> str:
        values = frames_of(got)
        if values.shape != expected.shape:
            return f"{WRONG}: {values.shape} instead of {expected.shape}"
        if not np.isfinite(values).all():
            return f"{WRONG}: not every sample is a number"
        found = band_snr(values, expected, band)
        return "" if found >= least else f"{WRONG}: {found:.0f} dB, and {least:.0f} are wanted"

    return check


def _label(peer: Peer, words: str) -> str:
    return " ".join(part for part in (peer.name, words) if part) if peer.into == "mlx" else _with(peer, words)


def _with(peer: Peer, words: str) -> str:
    return label(peer).replace(peer.name, f"{peer.name}, {words}" if words else peer.name, 1)


def _job(peer: Peer, way: Callable[[str, int], Any], path: str) -> Job:
    return lambda _: peer.to_mlx(way(path, TARGET_RATE))


def _streaming_job(peer: Peer, path: str) -> Job:
    return lambda _: [peer.to_mlx(chunk) for chunk in peer.stream_at(path, TARGET_RATE, TARGET_RATE)]


def _named(who: str, job: Job) -> Job:
    return lambda turn: (who, job(turn))
