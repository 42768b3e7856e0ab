"""Files with several sound tracks: `info` lists them and `track=` picks one. FFmpeg makes them and is the reference."""

from __future__ import annotations

import functools
import io
import json
import pickle
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest

SECONDS = 1.5

#: The most by which lossy samples may differ from FFmpeg's; tones of other tracks differ by 0.1 and more.
TOLERANCE = 2e-3

LOSSLESS = ("flac", "alac", "pcm_s16le")


@dataclass(frozen=True)
class Sound:
    """A sound track to write: a tone of its own."""

    encoder: str
    hertz: int
    channels: int
    sr: int
    language: str | None = None
    is_default: bool = False


@dataclass(frozen=True)
class Film:
    """A file to write."""

    name: str
    sounds: tuple[Sound, ...]
    has_video: bool = False
    options: tuple[str, ...] = ()
    #: Whether it is written to a pipe, where nothing can be corrected later.
    is_live: bool = False
    #: The tracks that the built-in plugin does not decode.
    foreign: tuple[int, ...] = field(default=())


FILMS = [
    Film("first.mka", (Sound("flac", 440, 2, 44100, "eng"), Sound("pcm_s16le", 660, 1, 8000))),
    Film(
        "second.mkv",
        (
            Sound("flac", 440, 1, 48000, "eng"),
            Sound("libmp3lame", 550, 2, 32000, "ger", True),
            Sound("alac", 770, 6, 48000, "fre"),
        ),
        has_video=True,
    ),
    Film(
        "none.mka",
        (Sound("flac", 440, 1, 16000), Sound("flac", 880, 2, 44100, "jpn")),
        options=("-default_mode", "infer_no_subs", "-disposition:a", "0"),
    ),
    Film(
        "ac3.mkv",
        (Sound("flac", 440, 2, 48000, "eng"), Sound("ac3", 880, 6, 48000, "spa")),
        has_video=True,
        foreign=(1,),
    ),
    Film(
        "ac3-default.mp4",
        (Sound("aac", 440, 2, 48000, "eng"), Sound("ac3", 880, 6, 48000, "spa", True)),
        has_video=True,
        foreign=(1,),
    ),
    Film("live.webm", (Sound("libvorbis", 440, 2, 48000, "eng"), Sound("libvorbis", 880, 1, 48000)), is_live=True),
    Film("two.ogg", (Sound("libvorbis", 440, 2, 44100), Sound("flac", 880, 1, 16000)), has_video=False),
    Film(
        "first.mp4",
        (Sound("alac", 440, 2, 44100, "eng"), Sound("aac", 880, 1, 48000, "deu")),
        has_video=True,
    ),
    Film(
        "second.m4a",
        (Sound("aac", 440, 1, 44100, "eng"), Sound("alac", 660, 1, 16000, None, True), Sound("flac", 880, 2, 48000)),
        options=("-strict", "-2", "-f", "mp4"),
    ),
    Film(
        "phone.mp4",
        (Sound("aac", 440, 2, 48000), Sound("alac", 660, 1, 48000, "fra", True)),
        has_video=True,
        options=("-movflags", "frag_keyframe+empty_moov"),
    ),
    Film(
        "piped.mp4",
        (Sound("aac", 440, 1, 48000, "eng"), Sound("aac", 880, 2, 44100, "eng")),
        has_video=True,
        options=("-movflags", "frag_keyframe+empty_moov", "-f", "mp4"),
        is_live=True,
    ),
    Film("film.mov", (Sound("alac", 440, 2, 44100, "eng"), Sound("aac", 880, 6, 48000, "ita")), foreign=(1,)),
    Film("film.avi", (Sound("libmp3lame", 440, 2, 44100), Sound("ac3", 880, 1, 48000)), True, foreign=(0, 1)),
    Film("film.ts", (Sound("mp2", 440, 2, 48000, "eng"), Sound("ac3", 880, 2, 48000, "deu")), foreign=(0, 1)),
]

NAMES = [film.name for film in FILMS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracks")


@functools.cache
def written(film: Film, folder: Path) -> Path | None:
    """The file, or None where this FFmpeg does not write it."""
    path = folder / film.name
    command = [program("ffmpeg"), "-nostdin", "-v", "error", "-y"]
    if film.has_video:
        command += ["-f", "lavfi", "-i", f"testsrc=d={SECONDS}:s=64x48:r=10"]
    for sound in film.sounds:
        tone = "|".join(f"0.2*sin({sound.hertz + 7 * channel}*2*PI*t)" for channel in range(sound.channels))
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[sound.channels]
        command += ["-f", "lavfi", "-i", f"aevalsrc={tone}:s={sound.sr}:d={SECONDS}:c={layout}"]
    command += [each for index in range(len(film.sounds) + film.has_video) for each in ("-map", str(index))]
    command += ["-c:v", "libvpx" if film.name.endswith("webm") else "mpeg4", "-aac_pns", "0"]
    flags = [sound.is_default for sound in film.sounds]
    for index, sound in enumerate(film.sounds):
        command += [f"-c:a:{index}", sound.encoder]
        if any(flags):
            command += [f"-disposition:a:{index}", "default" if sound.is_default else "0"]
        if sound.language:
            command += [f"-metadata:s:a:{index}", f"language={sound.language}"]
    command += film.options
    if film.is_live:
        kind = ["-f", "webm", "-live", "1"] if film.name.endswith("webm") else []
        done = subprocess.run([*command, *kind, "-"], capture_output=True)
        path.write_bytes(done.stdout)
    else:
        done = subprocess.run([*command, path], capture_output=True)
    return path if done.returncode == 0 else None


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def film(request: pytest.FixtureRequest, folder: Path) -> tuple[Film, Path]:
    [film] = [film for film in FILMS if film.name == request.param]
    path = written(film, folder)
    if path is None:
        pytest.skip(f"this ffmpeg does not write {film.name}")
    return film, path


def the(name: str, folder: Path) -> Path:
    """The file of a name."""
    [film] = [film for film in FILMS if film.name == name]
    path = written(film, folder)
    if path is None:
        pytest.skip(f"this ffmpeg does not write {name}")
    return path


@functools.cache
def streams(path: Path) -> list[dict[str, Any]]:
    """The sound tracks as ffprobe shows them."""
    command = [program("ffprobe"), "-v", "error", "-select_streams", "a", "-show_streams", "-of", "json", path]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]


def default_of(path: Path) -> int:
    """The track that FFmpeg says is flagged, or the first."""
    flagged = [index for index, stream in enumerate(streams(path)) if stream["disposition"]["default"]]
    return [*flagged, 0][0]


@functools.cache
def decoded(path: Path, track: int) -> np.ndarray:
    """A track as FFmpeg decodes it."""
    command = [program("ffmpeg"), "-nostdin", "-v", "error", "-i", path, "-map", f"0:a:{track}", "-f", "f32le", "-"]
    samples = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    return samples.reshape(-1, int(streams(path)[track]["channels"]))


def has_libav() -> bool:
    return any(plugin.id == "libav" and plugin.loaded for plugin in mapwave.plugins())


def readable(film: Film) -> list[tuple[int, str]]:
    """The tracks and the plugins to read them with."""
    own = [(index, "builtin") for index in range(len(film.sounds)) if index not in film.foreign]
    return own + [(index, "libav") for index in range(len(film.sounds)) if has_libav()]


def assert_same(ours: np.ndarray, theirs: np.ndarray, codec: str) -> None:
    """As many frames of the same sound. The tests of each container say where a lossy codec ends."""
    assert ours.shape[1] == theirs.shape[1]
    if codec in LOSSLESS:
        np.testing.assert_array_equal(ours, theirs)
        return
    assert abs(len(ours) - len(theirs)) <= 2048
    count = min(len(ours), len(theirs))
    assert count > 0.9 * SECONDS * 8000
    assert np.abs(ours[:count] - theirs[:count]).max() < TOLERANCE


@pytest.mark.parametrize("film", NAMES, indirect=True)
def test_the_tracks_are_those_that_ffprobe_shows(film: tuple[Film, Path]) -> None:
    facts, path = film
    expected = [
        mapwave.Track(
            index=index,
            codec=stream["codec_name"],
            language=None if (name := stream.get("tags", {}).get("language")) in (None, "und") else name,
            channels=stream["channels"],
            sample_rate=int(stream["sample_rate"]),
            is_default=index == default_of(path),
        )
        for index, stream in enumerate(streams(path))
    ]
    assert len(expected) == len(facts.sounds)
    plugins = {plugin for _, plugin in readable(facts)}
    for plugin in plugins:
        for track, _ in (each for each in readable(facts) if each[1] == plugin):
            assert mapwave.info(path, plugin=plugin, track=track).tracks == tuple(expected), (plugin, track)
    if default_of(path) not in facts.foreign or has_libav():
        info = mapwave.info(path)
        assert info.tracks == tuple(expected)
        chosen = info.tracks[default_of(path)]
        assert (info.codec, info.channels, info.sample_rate) == (chosen.codec, chosen.channels, chosen.sample_rate)


@pytest.mark.parametrize("film", NAMES, indirect=True)
def test_a_track_is_what_ffmpeg_decodes_of_it(film: tuple[Film, Path]) -> None:
    facts, path = film
    for track, plugin in readable(facts):
        audio, sr = mapwave.numpy.load(path, track=track, plugin=plugin)
        assert sr == facts.sounds[track].sr
        assert_same(audio, decoded(path, track), streams(path)[track]["codec_name"])
        info = mapwave.info(path, track=track, plugin=plugin)
        assert (info.frames, info.channels, info.sample_rate) == (*audio.shape, sr)


@pytest.mark.parametrize("film", NAMES, indirect=True)
def test_the_default_is_the_flagged_track_or_the_first(film: tuple[Film, Path]) -> None:
    facts, path = film
    default = default_of(path)
    flagged = [index for index, sound in enumerate(facts.sounds) if sound.is_default]
    assert default == [*flagged, 0][0], "FFmpeg has written the flag"
    for plugin in [plugin for track, plugin in readable(facts) if track == default]:
        np.testing.assert_array_equal(
            mapwave.numpy.load(path, plugin=plugin)[0], mapwave.numpy.load(path, track=default, plugin=plugin)[0]
        )


@pytest.mark.parametrize("film", NAMES, indirect=True)
def test_windows_of_a_track_are_slices_of_it(film: tuple[Film, Path]) -> None:
    facts, path = film
    rng = np.random.default_rng(5)
    for track, plugin in readable(facts):
        whole, _ = mapwave.numpy.load(path, track=track, plugin=plugin)
        with mapwave.numpy.open(path, track=track, plugin=plugin) as reader:
            for _ in range(8):
                start, stop = sorted(rng.integers(0, len(whole) + 1, 2))
                np.testing.assert_array_equal(reader[start:stop], whole[start:stop])
            assert reader.info() == mapwave.info(path, track=track, plugin=plugin)
        part, _ = mapwave.numpy.load(path, track=track, plugin=plugin, start=101, stop=5000)
        np.testing.assert_array_equal(part, whole[101:5000])
        chunks = [chunk for chunk, _ in mapwave.numpy.stream(path, 777, track=track, plugin=plugin)]
        np.testing.assert_array_equal(np.concatenate(chunks), whole)
        [(batched, _)] = mapwave.numpy.batch_load([path], track=track, plugin=plugin)
        np.testing.assert_array_equal(batched, whole)


@pytest.mark.parametrize("name", ["mapwave", "mapwave.torch", "mapwave.jax"])
def test_every_array_library_takes_it(name: str, folder: Path) -> None:
    library = pytest.importorskip(name, exc_type=ImportError)
    path = the("first.mka", folder)
    try:
        audio, sr = library.load(path, track=1)
    except ImportError as error:
        pytest.skip(str(error))
    assert sr == 8000
    np.testing.assert_array_equal(np.array(audio), decoded(path, 1))
    np.testing.assert_array_equal(np.array(library.load(path)[0]), decoded(path, 0))
    assert library.info(path, track=1).channels == 1
    [(batched, _)] = library.batch_load([path], track=1)
    np.testing.assert_array_equal(np.array(batched), decoded(path, 1))


def test_bytes_and_file_objects_have_the_same_tracks(folder: Path) -> None:
    path = the("second.mkv", folder)
    data = path.read_bytes()
    expected, _ = mapwave.numpy.load(path, track=2)
    for source in (data, io.BytesIO(data)):
        np.testing.assert_array_equal(mapwave.numpy.load(source, track=2)[0], expected)
    assert mapwave.info(data).tracks == mapwave.info(path).tracks


def test_resampling_and_channels_are_those_of_the_track(folder: Path) -> None:
    path = the("first.mka", folder)
    audio, sr = mapwave.numpy.load(path, track=1, sr=16000, mono=True)
    assert (sr, len(audio)) == (16000, 2 * len(decoded(path, 1)))
    with pytest.raises(mapwave.InvalidArgument, match="channels must be 0, the only channel of the file, got 1"):
        mapwave.numpy.load(path, track=1, channels=[1])
    np.testing.assert_array_equal(mapwave.numpy.load(path, track=0, channels=[1])[0], decoded(path, 0)[:, 1:])


@pytest.mark.parametrize("name", ["ac3.mkv", "ac3-default.mp4"])
def test_a_codec_that_is_not_built_in_is_named(name: str, folder: Path) -> None:
    path = the(name, folder)
    listed = mapwave.info(path, track=0, plugin="builtin").tracks
    assert (listed[1].codec, listed[1].channels, listed[1].language) == ("ac3", 6, "spa")
    with pytest.raises(mapwave.UnsupportedFormat, match=r"track 1 of the file's: \w+, ac3"):
        mapwave.numpy.load(path, track=1, plugin="builtin")
    if has_libav():
        assert mapwave.info(path, track=1).plugin == "libav"
        assert mapwave.info(path, track=0).plugin == "builtin"


def test_without_ffmpeg_the_error_names_the_codec(folder: Path, tmp_path: Path) -> None:
    """A package without the plugins beside it, in a process of its own."""
    import child

    path = the("ac3.mkv", folder)
    code = """
        import sys
        sys.path.insert(0, sys.argv[2])
        import mapwave, mapwave.numpy
        assert mapwave.__file__.startswith(sys.argv[2])
        print([(track.codec, track.is_default) for track in mapwave.info(sys.argv[1]).tracks])
        print(mapwave.numpy.load(sys.argv[1])[0].shape[1])
        try:
            mapwave.numpy.load(sys.argv[1], track=1)
        except mapwave.UnsupportedFormat as error:
            print(error)
    """
    told = child.run(tmp_path, code, path, child.alone(tmp_path)).splitlines()
    assert told[:2] == ["[('flac', True), ('ac3', False)]", "2"]
    assert "ac3" in told[2] and "track 1" in told[2]


@pytest.mark.parametrize("name", ["first.mka", "second.m4a", "phone.mp4", "film.avi"])
def test_a_track_beyond_the_last_is_refused_by_its_number(name: str, folder: Path) -> None:
    path = the(name, folder)
    if name == "film.avi" and not has_libav():
        pytest.skip("needs the plugin libav")
    count = len(streams(path))
    expected = f"track 7 does not exist; the file has {count} sound tracks"
    calls = [
        mapwave.numpy.load,
        mapwave.info,
        mapwave.numpy.open,
        functools.partial(mapwave.numpy.stream, chunk_frames=9),
    ]
    for call in calls:
        with pytest.raises(mapwave.InvalidArgument) as caught:
            call(path, track=7)
        assert str(caught.value) == f"{path}: {expected}"
        assert caught.value.path == str(path)
    with pytest.raises(mapwave.InvalidArgument, match=expected):
        mapwave.numpy.batch_load([path], track=7)


def one_of_each_format() -> list[Path]:
    """A file of every format that has one track."""
    files = [*sorted((corpus.FIXTURES / "compressed").iterdir()), corpus.RECORDING, corpus.FLOAT32]
    kinds: dict[str, Path] = {}
    for path in files:
        kinds.setdefault(path.suffix, path)
    return [path for suffix, path in kinds.items() if suffix not in (".md", ".txt", ".json", ".tsv", ".py")]


@pytest.mark.parametrize("path", one_of_each_format(), ids=lambda path: path.name)
def test_a_file_of_one_track_has_track_0_alone(path: Path) -> None:
    try:
        info = mapwave.info(path)
    except mapwave.AudioError as error:
        pytest.skip(str(error))
    [track] = info.tracks
    assert (track.index, track.codec, track.is_default) == (0, info.codec, True)
    assert (track.channels, track.sample_rate) == (info.channels, info.sample_rate)
    assert mapwave.info(path, track=0) == info
    np.testing.assert_array_equal(mapwave.numpy.load(path, track=0)[0], mapwave.numpy.load(path)[0])
    for number in (1, 2**32 - 2):
        with pytest.raises(
            mapwave.InvalidArgument, match=f"track {number} does not exist; the file has 1 sound track$"
        ):
            mapwave.numpy.load(path, track=number)


@pytest.mark.parametrize("number", [-1, 2**32, 2**70])
def test_a_number_that_cannot_be_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="track must be >= 0 or None"):
        mapwave.numpy.load(corpus.PCM16, track=number)


@pytest.mark.parametrize("number", ["eng", 0.5, True])
def test_what_is_no_number_is_refused(number: object) -> None:
    with pytest.raises(TypeError, match="track must be a whole number or None"):
        mapwave.numpy.load(corpus.PCM16, track=number)


def test_any_whole_number_will_do() -> None:
    for number in (np.int64(0), 0.0, None):
        assert len(mapwave.numpy.load(corpus.PCM16, track=number)[0]) > 0


def test_a_writer_takes_no_track(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="track must be left out in mode 'w'"):
        mapwave.numpy.open(tmp_path / "a.wav", "w", sr=8000, channels=1, track=0)


def test_a_track_is_a_small_frozen_value() -> None:
    track = mapwave.Track(1, "ac3", "eng", 6, 48000, is_default=False)
    text = "Track(index=1, codec='ac3', language='eng', channels=6, sample_rate=48000, is_default=False)"
    assert repr(track) == text
    assert eval(text, {"Track": mapwave.Track}) == track == pickle.loads(pickle.dumps(track))
    assert track != mapwave.Track(0, "ac3", "eng", 6, 48000, is_default=False) and track != "ac3"
    assert len({track, pickle.loads(pickle.dumps(track))}) == 1
    assert list(track.asdict().values()) == [1, "ac3", "eng", 6, 48000, False]
    with pytest.raises(AttributeError):
        track.index = 0  # type: ignore[misc]
