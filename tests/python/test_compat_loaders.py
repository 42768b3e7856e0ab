"""mapwave.compat's loaders against the packages whose interfaces they have, where those are installed."""

from __future__ import annotations

import importlib
import inspect
import io
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import child
import corpus
import mapwave
import mapwave.numpy as mw
import mlx.core as mx
import numpy as np
import peers
import pytest
import soundfile
from mapwave.compat import audiofile, librosa_load, mlx_audio, parakeet, whisper

MP3 = corpus.FIXTURES / "compressed" / "mp3-lame.mp3"


def real(module: str) -> types.ModuleType:
    """The package of the others."""
    return pytest.importorskip(module, reason=f"{module} is not installed")


def parameters(function: Any) -> list[tuple[str, object]]:
    return [(name, parameter.default) for name, parameter in inspect.signature(function).parameters.items()]


def decibels(expected: Any, got: Any) -> float:
    expected, got = np.asarray(expected, float), np.asarray(got, float)
    assert expected.shape == got.shape
    return float(10 * np.log10(np.sum(expected**2) / max(np.sum((expected - got) ** 2), 1e-30)))


def test_importing_mapwave_imports_nothing_of_this(tmp_path: Path) -> None:
    code = """
        import mapwave, mapwave.numpy
        print([name for name in sys.modules if name.startswith("mapwave.compat")])
        import mapwave.compat
        print([name for name in sys.modules if name.startswith("mapwave.compat.")])
    """
    assert child.run(tmp_path, code) == "[]\n['mapwave.compat._installing']\n"


# whisper and parakeet-mlx


def test_whisper_loads_one_channel_of_float32() -> None:
    audio = whisper.load_audio(str(corpus.RECORDING))
    expected, _ = mw.load(corpus.RECORDING, sr=16_000, mono=True, squeeze_mono=True)
    assert (audio.dtype, audio.ndim, whisper.SAMPLE_RATE) == (np.float32, 1, 16_000)
    assert np.array_equal(audio, expected)
    assert len(whisper.load_audio(MP3, 8000)) == round(mw.info(MP3).frames * 8000 / mw.info(MP3).sample_rate)


@pytest.mark.parametrize(("rate", "least"), [(16_000, 80), (44_100, 60)])
def test_whisper_hears_what_it_heard_from_ffmpeg(tmp_path: Path, rate: int, least: float) -> None:
    times = np.arange(2 * rate) / rate
    tones = np.stack([np.sin(2 * np.pi * pitch * times) * np.hanning(len(times)) for pitch in (330, 1760)], 1)
    soundfile.write(tmp_path / "a.wav", tones / 2, rate, "PCM_16")
    command = [peers.program("ffmpeg"), "-nostdin", "-v", "error", "-i", tmp_path / "a.wav"]
    command += ["-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar", "16000", "-"]
    heard = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.int16) / 32768
    assert decibels(heard, whisper.load_audio(str(tmp_path / "a.wav"))[: len(heard)]) > least


def test_whisper_raises_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Failed to load audio: .*absent.wav"):
        whisper.load_audio(str(tmp_path / "absent.wav"))


def test_whisper_has_the_signature() -> None:
    assert parameters(whisper.load_audio) == parameters(real("whisper").load_audio)


def test_parakeet_loads_an_mlx_array_of_float32() -> None:
    audio = parakeet.load_audio(corpus.RECORDING, 16_000)
    assert (audio.dtype, audio.ndim) == (mx.float32, 1)
    assert np.array_equal(np.array(audio), whisper.load_audio(corpus.RECORDING))
    with pytest.raises(RuntimeError, match="Failed to load audio"):
        parakeet.load_audio(Path("absent.wav"), 16_000)


# librosa

LIBROSA = [
    {},
    {"sr": None},
    {"sr": 8000, "mono": False},
    {"offset": 0.002, "duration": 0.2},
    {"sr": 48_000, "dtype": np.float64},
    {"sr": 16_001, "res_type": "soxr_vhq"},
    {"sr": 44_100.0, "duration": 0.0},
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("arguments", LIBROSA, ids=str)
@pytest.mark.parametrize("path", [corpus.RECORDING, corpus.PCM16, MP3], ids=lambda path: path.name)
def test_librosa_loads_the_same(path: Path, arguments: dict[str, Any]) -> None:
    (theirs, their_rate), (ours, our_rate) = (
        real("librosa").load(path, **arguments),
        librosa_load.load(path, **arguments),
    )
    assert (ours.dtype, our_rate) == (theirs.dtype, their_rate)
    assert ours.shape == theirs.shape
    assert theirs.size == 0 or decibels(theirs, ours) > 80


@pytest.mark.parametrize("sr", [22_050, 16_000, 48_000, 44_099])
def test_librosas_count_of_frames_is_rounded_up(sr: int) -> None:
    info = mw.info(corpus.RECORDING)
    audio, _ = librosa_load.load(corpus.RECORDING, sr=sr)
    assert len(audio) == -(-info.frames * sr // info.sample_rate)
    assert parameters(librosa_load.load)[0] == ("path", inspect.Parameter.empty)


def test_librosa_takes_an_open_file() -> None:
    from mapwave.compat import soundfile as sf

    with sf.SoundFile(corpus.PCM16) as file:
        audio, sr = librosa_load.load(file, sr=None, mono=False, offset=0.001)
    expected, rate = soundfile.read(corpus.PCM16, dtype="float32", start=int(0.001 * sr))
    assert (sr, audio.tolist()) == (rate, expected.T.tolist())


# audiofile


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audiofile") / "noise.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.9, 0.9, (5000, 2)), 8000, "PCM_16")
    return path


@pytest.mark.parametrize("duration", [None, 0.05, -0.05, "400", "20 ms", "-0.1s", np.timedelta64(30, "ms"), 10, -10, 0])
@pytest.mark.parametrize("offset", [None, 0, 0.1, -0.1, "123", "-10 ms", 10, -10, float("inf"), "inf"])
def test_audiofile_reads_the_same_part(recording: Path, duration: Any, offset: Any) -> None:
    theirs, their_rate = real("audiofile").read(recording, duration, offset)
    ours, our_rate = audiofile.read(recording, duration, offset)
    assert (our_rate, ours.shape) == (their_rate, theirs.shape)
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("offset", "duration", "start", "stop"),
    [
        (None, None, 0, 5000),
        (0.1, 0.2, 800, 2400),
        (-0.1, None, 4200, 5000),
        (None, -0.1, 4200, 5000),
        (0.2, -0.1, 800, 1600),
        (-1.0, 0.5, 0, 1000),
        ("100", "200", 100, 300),
        ("50ms", "1 s", 400, 5000),
        (float("inf"), 1, 5000, 5000),
    ],
)
def test_audiofiles_parts_are_as_documented(recording: Path, offset: Any, duration: Any, start: int, stop: int) -> None:
    expected, _ = soundfile.read(recording, dtype="float32")
    signal, rate = audiofile.read(recording, offset=offset, duration=duration)
    assert rate == 8000
    assert np.array_equal(signal, expected[start:stop].T)


@pytest.mark.parametrize("text", ["20 parsecs", "a b", "1.2.3 s"])
def test_audiofile_rejects_durations_that_it_does_not_know(recording: Path, text: str) -> None:
    with pytest.raises(ValueError):
        audiofile.read(recording, duration=text)


@pytest.mark.parametrize("depth", [8, 16, 24, 32])
def test_audiofile_writes_a_bit_depth(tmp_path: Path, depth: int) -> None:
    signal = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 100))
    audiofile.write(tmp_path / "a.wav", signal, 8000, bit_depth=depth, normalize=True)
    assert audiofile.bit_depth(tmp_path / "a.wav") == depth
    read, _ = soundfile.read(tmp_path / "a.wav")
    assert np.abs(read.T - signal / np.abs(signal).max()).max() <= 2.0 ** (1 - depth)


def test_audiofile_converts_and_describes(tmp_path: Path) -> None:
    source = tmp_path / "a.mp3"
    source.write_bytes(MP3.read_bytes())
    assert audiofile.convert_to_wav(source) == str(tmp_path / "a.wav")
    for name in ["channels", "samples", "sampling_rate", "duration"]:
        assert getattr(audiofile, name)(source) == getattr(audiofile, name)(tmp_path / "a.wav")
    assert (audiofile.bit_depth(source), audiofile.bit_depth(tmp_path / "a.wav")) == (None, 16)
    assert not audiofile.has_video(source)
    with pytest.raises(RuntimeError, match="overwritten"):
        audiofile.convert_to_wav(tmp_path / "a.wav")
    with pytest.raises(RuntimeError, match="bit_depth"):
        audiofile.write(tmp_path / "b.flac", np.zeros(5), 8000, bit_depth=32)
    with pytest.raises(RuntimeError, match="maximum number of allowed channels"):
        audiofile.write(tmp_path / "b.mp3", np.zeros((3, 5)), 8000)


def test_audiofile_sees_video(tmp_path: Path) -> None:
    assert not audiofile.has_video(corpus.FIXTURES / "compressed" / "aac.m4a")
    with pytest.raises(RuntimeError, match="does not exist"):
        audiofile.has_video(tmp_path / "absent.mp4")
    command = [peers.program("ffmpeg"), "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=0.2"]
    subprocess.run([*command, tmp_path / "silent.mp4"], check=True)
    assert audiofile.has_video(tmp_path / "silent.mp4")


@pytest.mark.parametrize("name", audiofile.__all__)
def test_audiofile_has_the_signatures(name: str) -> None:
    assert parameters(getattr(audiofile, name)) == parameters(getattr(real("audiofile"), name))


# mlx-audio


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "ogg", "opus", "webm"])
@pytest.mark.parametrize("buffer", [False, True])
def test_mlx_audio_reads_what_it_writes(tmp_path: Path, format: str, buffer: bool) -> None:
    audio = (0.4 * np.sin(np.arange(16_000) * 0.05)).astype(np.float32)
    file: Any = io.BytesIO() if buffer else tmp_path / f"a.{format}"
    try:
        mlx_audio.write(file, np.stack([audio, audio / 2], 1), 16_000, format if buffer else None)
    except RuntimeError as error:
        # The codec that is asked for, where the container can be written with another.
        is_absent = "libav" not in {plugin.id for plugin in mapwave.plugins() if plugin.loaded}
        missing = ("FFmpeg", "no loaded plugin", *([f"for an {format} file, got"] if is_absent else []))
        assert any(words in str(error) for words in missing), error
        pytest.skip(f"no plugin writes {format}")
    read, rate = mlx_audio.read(file)
    assert (read.dtype, read.ndim, read.shape[1]) == (np.float64, 2, 2)
    assert abs(len(read) / rate - 1) < 0.01
    if format in ("wav", "flac"):
        assert np.array_equal(read[:, 0] * 32768, np.trunc(audio * np.float32(32767)))


def test_mlx_audio_converts_while_it_reads(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([np.full(8000, 0.25), np.full(8000, -0.75)], 1), 8000, "FLOAT")
    read = mlx_audio.read(str(tmp_path / "a.wav"), dtype="int16", nchannels=1, duration=0.5)[0]
    assert (read.dtype, read.shape, set(read.tolist())) == (np.int16, (4000,), {-8192})
    assert mlx_audio.read(tmp_path / "a.wav", always_2d=True, nchannels=1)[0].shape == (8000, 1)
    assert mlx_audio.read(tmp_path / "a.wav", sample_rate=16_000)[0].shape == (16_000, 2)
    assert mlx_audio.read(tmp_path / "a.wav", dtype="int32")[0].max() == 8192
    assert mlx_audio.read(tmp_path / "a.wav", nchannels=1, duration=9)[0].shape == (8000,)
    with pytest.raises(ValueError, match="nchannels"):
        mlx_audio.read(tmp_path / "a.wav", nchannels=3)
    for wrong in [{"sample_rate": 0}, {"nchannels": 0}, {"duration": 0}, {"duration": float("nan")}]:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            mlx_audio.read(tmp_path / "a.wav", **wrong)
    with pytest.raises(TypeError):
        mlx_audio.read(3)  # type: ignore[arg-type]


def test_mlx_audios_load_audio(tmp_path: Path) -> None:
    audio = mlx_audio.load_audio(str(corpus.RECORDING), 16_000, length=100)
    assert (audio.dtype, audio.shape) == (mx.float32, (100,))
    assert mlx_audio.load_audio(audio) is audio
    assert mlx_audio.load_audio(str(corpus.PCM16), length=999_999).shape == (999_999,)
    with pytest.raises(FileNotFoundError):
        mlx_audio.load_audio(str(tmp_path / "absent.wav"))
    with pytest.raises(TypeError):
        mlx_audio.load_audio(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["read", "write", "sf_read", "sf_write"])
def test_mlx_audio_has_the_signatures(name: str) -> None:
    assert parameters(getattr(mlx_audio, name)) == parameters(getattr(real("mlx_audio.audio_io"), name))


# torchaudio

FAKE_TORCH = """
    import types
    import numpy as np
    torch = types.ModuleType("torch")
    torch.from_dlpack = np.from_dlpack
    torch.Tensor = np.ndarray
    for name in ("float32", "float16", "float64", "int16", "int32"):
        setattr(torch, name, np.dtype(name))
    sys.modules["torch"] = torch
"""


def test_torchaudio_loads_saves_and_describes(tmp_path: Path) -> None:
    code = (
        FAKE_TORCH
        + """
    import io
    import soundfile
    from mapwave.compat import torchaudio
    path, target = sys.argv[1:]
    expected, rate = soundfile.read(path, dtype="int16")
    audio, sr = torchaudio.load(path)
    assert (sr, audio.dtype, audio.shape) == (rate, "float32", expected.T.shape)
    assert np.array_equal(audio * 32768, expected.T)
    assert np.array_equal(torchaudio.load(path, 5, 7, normalize=False, channels_first=False)[0], expected[5:12])
    assert torchaudio.load(path, 300)[0].shape == (2, 1) and torchaudio.load(path, 999)[0].shape == (2, 0)
    with open(path, "rb") as file:
        assert np.array_equal(torchaudio.load(file, normalize=False)[0], expected.T)
    for options, subtype in [
        ({}, "FLOAT"),
        ({"encoding": "PCM_S", "bits_per_sample": 24}, "PCM_24"),
        ({"encoding": "PCM_U"}, "PCM_U8"),
        ({"bits_per_sample": 16}, "PCM_16"),
        ({"encoding": "ULAW"}, "ULAW"),
        ({"encoding": "PCM_F", "bits_per_sample": 64}, "DOUBLE"),
    ]:
        torchaudio.save(target, audio, sr, **options)
        facts = soundfile.info(target)
        assert (facts.subtype, facts.samplerate, facts.channels, facts.frames) == (subtype, sr, 2, len(expected))
    torchaudio.save(target, expected, sr, channels_first=False)
    assert torchaudio.info(target) == torchaudio.AudioMetaData(sr, len(expected), 2, 16, "PCM_S")
    buffer = io.BytesIO()
    torchaudio.save(buffer, audio, sr, format="flac", bits_per_sample=16, compression=8)
    assert torchaudio.info(buffer.getvalue()).encoding == "FLAC"
    for call in [lambda: torchaudio.load("absent.wav"), lambda: torchaudio.info("absent.wav")]:
        try:
            call()
        except RuntimeError as error:
            print(type(error).__name__)
    """
    )
    assert child.run(tmp_path, code, corpus.PCM16, tmp_path / "a.wav") == "RuntimeError\nRuntimeError\n"


@pytest.mark.parametrize("name", ["load", "save", "info"])
def test_torchaudio_has_the_signatures(name: str) -> None:
    theirs = getattr(real("torchaudio"), name, None)
    if theirs is None:
        pytest.skip(f"this torchaudio has no {name}")
    from mapwave.compat import torchaudio

    assert parameters(getattr(torchaudio, name)) == parameters(theirs)


# install


def test_install_replaces_a_module_and_uninstall_puts_it_back() -> None:
    import mapwave.compat
    from mapwave.compat import soundfile as shim

    before = sys.modules["soundfile"]
    try:
        assert mapwave.compat.install("soundfile") is shim is mapwave.compat.install("soundfile")
        assert importlib.import_module("soundfile") is shim
        assert mapwave.compat.installed() == ["soundfile"]
    finally:
        mapwave.compat.uninstall("soundfile")
    assert importlib.import_module("soundfile") is before
    assert mapwave.compat.installed() == []
    mapwave.compat.uninstall("soundfile")


def test_install_works_without_the_other_package(tmp_path: Path) -> None:
    code = """
        import mapwave.compat
        mapwave.compat.install("audiofile")
        mapwave.compat.install("mlx_audio")
        import audiofile
        print(audiofile.sampling_rate(sys.argv[1]), "mlx_audio" in sys.modules, "mlx_audio.audio_io" in sys.modules)
        mapwave.compat.uninstall("audiofile")
        print("audiofile" in sys.modules)
    """
    rate = soundfile.info(corpus.PCM16).samplerate
    assert child.run(tmp_path, code, corpus.PCM16) == f"{rate} False True\nFalse\n"


def test_install_replaces_functions_of_a_module_that_stays(tmp_path: Path) -> None:
    package = tmp_path / "whisper"
    package.mkdir()
    (package / "audio.py").write_text("def load_audio(file, sr=16000):\n    return 'their own'\n")
    (package / "__init__.py").write_text("from .audio import load_audio\nfrom . import audio\nname = 'whisper'\n")
    code = """
        sys.path.insert(0, sys.argv[1])
        import mapwave.compat
        mapwave.compat.install("whisper")
        import whisper
        print(whisper.name, whisper.load_audio(sys.argv[2]).ndim, whisper.audio.load_audio is whisper.load_audio)
        mapwave.compat.uninstall("whisper")
        print(whisper.load_audio(sys.argv[2]), whisper.audio.load_audio(sys.argv[2]))
    """
    assert child.run(tmp_path, code, tmp_path, corpus.PCM16) == "whisper 1 True\ntheir own their own\n"


def test_install_says_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    import mapwave.compat

    with pytest.raises(ValueError, match="no module for 'pydub'; it has: audiofile, librosa"):
        mapwave.compat.install("pydub")
    monkeypatch.setitem(sys.modules, "parakeet_mlx.audio", None)
    with pytest.raises(ImportError):
        mapwave.compat.install("parakeet_mlx")
    assert mapwave.compat.installed() == []
