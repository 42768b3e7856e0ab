"""Tags, pictures, markers, loops and the broadcast extension: read, saved and changed, beside mutagen and ffprobe."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(not FFMPEG or not shutil.which("ffprobe"), reason="ffmpeg is not installed")


def png() -> bytes:
    """A picture of one grey pixel."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"\0\x80")) + part(b"IEND", b"")


PNG = png()

MARKERS = [mapwave.Marker("intro", 0), mapwave.Marker("Grün", 12_345), mapwave.Marker("end", 20_001)]
RANGES = [mapwave.Marker("a", 100, 200), mapwave.Marker("", 12_345), mapwave.Marker("b", 12_345, 44_100)]

BEXT = mapwave.Bext(
    description="A take", originator="mapwave", originator_reference="ref 1", origination_date="2026-11-30",
    origination_time="12:34:56", time_reference=2**40 + 7, version=2, loudness_value=-23.1, max_true_peak_level=-1.25,
    coding_history="A=PCM,F=48000\r\n",
)  # fmt: skip

SAVED = ["wav", "rf64", "aiff", "caf", "flac", "opus", "mp3"]


def sound(frames: int = 44_100) -> np.ndarray:
    return np.random.default_rng(1).integers(-3000, 3000, (frames, 2), np.int16)


def ffprobe(path: Path, *arguments: str) -> dict:
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def chapters(path: Path) -> list[tuple[str, float]]:
    found = ffprobe(path, "-show_chapters")["chapters"]
    return [(chapter["tags"].get("title", ""), float(chapter["start_time"])) for chapter in found]


def make(path: Path, **options: object) -> Path:
    rate = 48_000 if path.suffix == ".opus" else 44_100
    encoding = "pcm16" if path.suffix in (".wav", ".rf64", ".w64", ".aiff", ".caf", ".flac") else "float32"
    mapwave.numpy.save(path, sound(), rate, encoding=encoding, **options)
    return path


def samples(path: Path) -> np.ndarray:
    return mapwave.numpy.load(path, dtype="int32" if path.suffix != ".opus" else "float32")[0]


# Reading what others have written


@needs_ffmpeg
@pytest.mark.parametrize("extension", ["wav", "aiff", "caf", "flac", "ogg", "mp3", "m4a", "mka"])
def test_what_ffmpeg_writes_is_read(tmp_path: Path, extension: str) -> None:
    source = make(tmp_path / "source.wav")
    facts = tmp_path / "facts.txt"
    chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART={}\nEND={}\ntitle={}\n"
    facts.write_text(
        ";FFMETADATA1\ntitle=Grün\nartist=Me\n" + chapter.format(100, 500, "one") + chapter.format(500, 900, "two")
    )
    path = tmp_path / f"a.{extension}"
    inputs = ["-i", source, "-i", facts, "-map_metadata", "1", "-map_chapters", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, "-write_id3v2", "1", path], check=True)
    info = mapwave.info(path)
    assert info.tags["title"] == "Grün"
    if extension not in ("caf", "aiff"):
        assert info.tags["artist"] == "Me"
    found = [(marker.label, marker.start) for marker in info.markers]
    if extension in ("mp3", "m4a", "mka"):
        assert found == [("one", 4410), ("two", 22_050)]
    elif extension != "wav":
        assert found == [(label, round(start * 44_100)) for label, start in chapters(path)]


@needs_ffmpeg
@pytest.mark.parametrize("extension", ["wav", "aiff", "flac", "mp3", "m4a", "ogg"])
def test_the_bitrate_is_that_of_the_bytes(tmp_path: Path, extension: str) -> None:
    source = make(tmp_path / "source.wav", pictures=[PNG])
    path = tmp_path / f"a.{extension}"
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, "-map", "0:a", "-b:a", "192k", path], check=True)
    packets = ffprobe(path, "-show_entries", "packet=size")["packets"]
    expected = sum(int(packet["size"]) for packet in packets) * 8 / mapwave.info(path).duration
    # Pages of Ogg have headers of their own.
    assert mapwave.info(path).bitrate == pytest.approx(expected, rel=0.02 if extension in ("ogg", "flac") else 0.005)


def chunk(identifier: bytes, payload: bytes) -> bytes:
    return identifier + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def test_loops_and_cue_points_of_a_sampler(tmp_path: Path) -> None:
    path = make(tmp_path / "a.wav")
    whole = path.read_bytes()
    loop = struct.pack("<9I", 0, 0, 22_675, 60, 0, 0, 0, 1, 0) + struct.pack("<6I", 1, 1, 100, 199, 0, 3)
    cue = struct.pack("<I", 1) + struct.pack("<II4sIII", 9, 0, b"data", 0, 0, 777)
    labels = (
        b"adtl"
        + chunk(b"labl", struct.pack("<I", 9) + b"here\0")
        + chunk(b"ltxt", struct.pack("<II4sHHHH", 9, 23, b"rgn ", 0, 0, 0, 0))
    )
    more = chunk(b"smpl", loop) + chunk(b"LIST", labels) + chunk(b"cue ", cue)
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) + len(more) - 8) + whole[8:] + more)
    info = mapwave.info(path)
    assert info.loops == (mapwave.Loop(100, 200, "pingpong", 3),)
    assert info.markers == (mapwave.Marker("here", 777, 800),)


def test_loops_of_an_instrument_in_aiff(tmp_path: Path) -> None:
    path = make(tmp_path / "a.aiff", markers=[("begin", 50), ("end", 90)])
    whole = path.read_bytes()
    instrument = struct.pack(">6bh3H3H", 60, 0, 0, 127, 1, 127, 0, 1, 1, 2, 0, 0, 0)
    more = b"INST" + struct.pack(">I", len(instrument)) + instrument
    path.write_bytes(whole[:4] + struct.pack(">I", len(whole) + len(more) - 8) + whole[8:] + more)
    assert mapwave.info(path).loops == (mapwave.Loop(50, 90, "forward", None),)
    # Markers that a loop needs stay.
    mapwave.retag(path, markers=[("new", 7), ("end", 90)])
    info = mapwave.info(path)
    assert info.loops == (mapwave.Loop(50, 90, "forward", None),)
    assert {(marker.label, marker.start) for marker in info.markers} == {("new", 7), ("end", 90), ("begin", 50)}


# Saving


@pytest.mark.parametrize("extension", SAVED)
def test_what_is_saved_is_read(tmp_path: Path, extension: str) -> None:
    options: dict = {"tags": {"title": "Grün", "artist": "Me"}, "markers": MARKERS}
    if extension != "caf":
        options["pictures"] = [PNG]
    if extension in ("wav", "rf64"):
        options["bext"] = BEXT
    path, plain = make(tmp_path / f"a.{extension}", **options), make(tmp_path / f"plain.{extension}")
    info = mapwave.info(path)
    assert (info.tags["title"], info.tags["artist"]) == ("Grün", "Me")
    assert info.markers == tuple(MARKERS)
    assert [picture.data for picture in info.pictures] == [PNG] * (extension != "caf")
    assert info.bext == (BEXT if extension in ("wav", "rf64") else None)
    assert info.frames == mapwave.info(plain).frames
    np.testing.assert_array_equal(samples(path), samples(plain))


@pytest.mark.parametrize("extension", SAVED)
def test_a_file_object_and_a_writer_get_the_same(tmp_path: Path, extension: str) -> None:

    options: dict = {"markers": MARKERS, "tags": {"title": "x"}}
    rate, encoding = (48_000, "float32") if extension == "opus" else (44_100, "float32")
    audio = sound().astype(np.float32) / 32_768
    target = io.BytesIO()
    mapwave.numpy.save(target, audio, rate, encoding=encoding, format=extension, **options)
    assert mapwave.info(target.getvalue()).markers == tuple(MARKERS)
    path = tmp_path / f"a.{extension}"
    with mapwave.numpy.open(path, "w", sr=rate, channels=2, encoding=encoding, **options) as writer:
        writer.write(audio[:1000])
        writer.write(audio[1000:])
    info = mapwave.info(path)
    assert (info.markers, info.tags["title"]) == (tuple(MARKERS), "x")
    assert list(tmp_path.iterdir()) == [path]


@needs_ffmpeg
@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_ffprobe_reads_what_is_saved(tmp_path: Path, extension: str) -> None:
    path = make(tmp_path / f"a.{extension}", markers=MARKERS, pictures=[PNG], tags={"title": "Grün"})
    expected = [(marker.label, marker.start / 44_100) for marker in MARKERS]
    assert [(label, pytest.approx(start, abs=6e-4)) for label, start in chapters(path)] == expected
    streams = ffprobe(path, "-show_streams")["streams"]
    assert [stream["codec_name"] for stream in streams if stream["codec_type"] == "video"] == ["png"]


@needs_ffmpeg
def test_ffprobe_reads_the_broadcast_extension(tmp_path: Path) -> None:
    tags = ffprobe(make(tmp_path / "a.wav", bext=BEXT), "-show_format")["format"]["tags"]
    assert tags["time_reference"] == str(BEXT.time_reference)
    assert (tags["comment"], tags["encoded_by"], tags["date"]) == ("A take", "mapwave", "2026-11-30")
    assert tags["coding_history"].strip() == "A=PCM,F=48000"


def test_markers_survive_wav_to_flac_to_wav(tmp_path: Path) -> None:
    markers = RANGES
    first = make(tmp_path / "a.wav", markers=markers)
    for name in ("b.flac", "c.wav"):
        audio, rate = mapwave.numpy.load(first, dtype="int16")
        mapwave.numpy.save(tmp_path / name, audio, rate, encoding="pcm16", markers=mapwave.info(first).markers)
        first = tmp_path / name
        assert mapwave.info(first).markers == tuple(markers)


def test_what_a_format_lacks_is_refused_or_left_out(tmp_path: Path) -> None:
    for name, options in {
        "a.w64": {"markers": MARKERS},
        "b.caf": {"pictures": [PNG]},
        "c.flac": {"bext": BEXT},
        "d.aiff": {"markers": RANGES},
        "e.wav": {"tags": {"mood": "x"}},
    }.items():
        with pytest.raises(ValueError, match=next(iter(options))):
            make(tmp_path / name, **options)
        assert list(tmp_path.iterdir()) == []
        make(tmp_path / name, **options, on_unknown_tags="drop")
        found = mapwave.info(tmp_path / name)
        assert not found.pictures
        assert found.bext is None
        assert "mood" not in found.tags
        (tmp_path / name).unlink()


# Changing


RETAGGED = [*SAVED, "m4a", "ogg", "oga", "aac"]


def any_file(directory: Path, extension: str) -> Path:
    """A file of the format, also of those that mapwave does not write by itself."""
    fixture = {"m4a": "aac.m4a", "ogg": "vorbis.ogg", "oga": "flac.oga", "aac": "aac.aac"}.get(extension)
    path = directory / f"a.{extension}"
    if fixture is None:
        return make(path)
    shutil.copy(corpus.FIXTURES / "compressed" / fixture, path)
    return path


@pytest.mark.parametrize("extension", RETAGGED)
def test_retag_changes_the_metadata_and_no_sample(tmp_path: Path, extension: str) -> None:
    path = any_file(tmp_path, extension)
    before, old = samples(path), mapwave.info(path)
    tags, pictures = {"title": "Ä" * 3000, "artist": "Me"}, [] if extension == "caf" else [PNG]
    mapwave.retag(path, tags=tags, pictures=pictures, markers=MARKERS)
    info = mapwave.info(path)
    assert (info.tags, info.markers, len(info.pictures)) == (tags, tuple(MARKERS), len(pictures))
    # What is not given stays.
    mapwave.retag(path, tags={"title": "short"})
    info = mapwave.info(path)
    assert (info.tags, info.markers, len(info.pictures)) == ({"title": "short"}, tuple(MARKERS), len(pictures))
    mapwave.retag(path, tags={}, pictures=(), markers=())
    info = mapwave.info(path)
    assert (info.tags, info.markers, info.pictures) == ({}, (), ())
    assert (info.frames, info.sample_rate, info.codec) == (old.frames, old.sample_rate, old.codec)
    np.testing.assert_array_equal(samples(path), before)
    assert list(tmp_path.iterdir()) == [path]


@needs_ffmpeg
@pytest.mark.parametrize("extension", RETAGGED)
def test_ffmpeg_decodes_the_same_after_a_change(tmp_path: Path, extension: str) -> None:
    path = any_file(tmp_path, extension)

    def digest() -> bytes:
        command = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-f", "md5", "-"]
        done = subprocess.run(command, capture_output=True, check=True)
        assert done.stderr == b""
        return done.stdout

    before = digest()
    mapwave.retag(path, tags={"title": "Grün", "artist": "Me"}, markers=MARKERS)
    assert digest() == before
    found = ffprobe(path, "-show_format", "-show_streams")
    tags = found["format"].get("tags", {}) | found["streams"][0].get("tags", {})
    assert {name.lower(): value for name, value in tags.items()}["title"] == "Grün"


def test_mutagen_reads_what_is_written(tmp_path: Path) -> None:
    mutagen = pytest.importorskip("mutagen")
    names = {"wav": "TIT2", "aiff": "TIT2", "mp3": "TIT2", "flac": "title", "ogg": "title", "opus": "title",
             "oga": "title", "m4a": "\xa9nam"}  # fmt: skip
    for extension, name in names.items():
        path = any_file(tmp_path, extension)
        mapwave.retag(path, tags={"title": "Grün"}, pictures=[mapwave.Picture(PNG, description="ä")])
        found = mutagen.File(path).tags[name]
        assert str(found[0] if isinstance(found, list) else found.text[0]) == "Grün", extension


def test_what_mutagen_writes_is_read(tmp_path: Path) -> None:
    pytest.importorskip("mutagen")
    from mutagen import id3, mp3

    path = make(tmp_path / "a.mp3")
    file = mp3.MP3(path)
    file.tags = id3.ID3()
    file.tags.add(id3.TIT2(encoding=1, text=["Grün", "two"]))
    file.tags.add(id3.TXXX(encoding=3, desc="Mood", text="dull"))
    file.tags.add(id3.APIC(encoding=1, mime="image/png", type=4, desc="ä", data=PNG))
    sub = [id3.TIT2(encoding=0, text="c")]
    file.tags.add(id3.CHAP(element_id="x", start_time=500, end_time=900, sub_frames=sub))
    file.tags.add(id3.PRIV(owner="me", data=b"kept"))
    for version in (3, 4):
        file.save(v2_version=version, v23_sep=None)
        info = mapwave.info(path)
        assert info.tags == {"title": "Grün; two", "mood": "dull"}
        (picture,) = info.pictures
        assert (picture.type, picture.mime, picture.description, picture.data) == ("back cover", "image/png", "ä", PNG)
        assert info.markers == (mapwave.Marker("c", 22_050, 39_690),)
    mapwave.retag(path, tags={"title": "new"})
    assert mapwave.info(path).markers == (mapwave.Marker("c", 22_050, 39_690),)
    assert mp3.MP3(path).tags.getall("PRIV")[0].data == b"kept"


def test_a_large_file_is_changed_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "large.wav"
    mapwave.numpy.save(path, sound(1_000_000), 44_100, encoding="pcm16")
    before, node = samples(path), path.stat().st_ino
    assert mapwave.retag(path, tags={"title": "x"}, pictures=[PNG], markers=MARKERS, bext=BEXT) is True
    assert path.stat().st_ino == node
    info = mapwave.info(path)
    assert (info.tags, info.markers, info.bext) == ({"title": "x"}, tuple(MARKERS), BEXT)
    np.testing.assert_array_equal(samples(path), before)
    assert mapwave.retag(path, bext=False, pictures=(), markers=(), tags={}) is True
    assert (mapwave.info(path).bext, path.stat().st_ino) == (None, node)
    np.testing.assert_array_equal(samples(path), before)


def test_a_refused_change_leaves_the_file(tmp_path: Path) -> None:
    path = make(tmp_path / "a.flac", tags={"title": "old"})
    before = path.read_bytes()
    with pytest.raises(ValueError, match="bext cannot be stored in a flac file"):
        mapwave.retag(path, tags={"title": "new"}, bext=BEXT)
    with pytest.raises(FileNotFoundError):
        mapwave.retag(tmp_path / "none.flac", tags={})
    with pytest.raises(TypeError, match="markers must be"):
        mapwave.retag(path, markers=[1])
    assert path.read_bytes() == before


# The objects


def test_pictures_are_read_on_request(tmp_path: Path) -> None:
    path = make(tmp_path / "a.flac", pictures=[mapwave.Picture(PNG, type="artist", description="me")])
    (picture,) = mapwave.info(path).pictures
    assert (picture.type, picture.mime, picture.description) == ("artist", "image/png", "me")
    assert (picture.width, picture.height, picture.size) == (1, 1, len(PNG))
    assert pickle.loads(pickle.dumps(picture)).data == picture.data == PNG
    (of_bytes,) = mapwave.info(path.read_bytes()).pictures
    assert (of_bytes.data, of_bytes) == (PNG, picture)
    mapwave.retag(path, pictures=())
    with pytest.raises(OSError, match="no longer has this picture"):
        picture.data  # noqa: B018


# ASF specification, 10.1: the identifier of the Extended Content Description Object; 3.11: its descriptors.
EXTENDED_CONTENT = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")


def with_picture(asf: bytes, kind: int, mime: str, description: str, data: bytes) -> bytes:
    """An ASF file with a picture, as the descriptor WM/Picture holds it: kind, size, two strings, data."""

    def text(text: str) -> bytes:
        return (text + "\0").encode("utf-16-le")

    name = text("WM/Picture")
    value = struct.pack("<BI", kind, len(data)) + text(mime) + text(description) + data
    added = struct.pack("<H", len(name)) + name + struct.pack("<HH", 1, len(value)) + value
    place = asf.index(EXTENDED_CONTENT)
    size, count = struct.unpack_from("<QH", asf, place + 16)
    (header_size,) = struct.unpack_from("<Q", asf, 16)
    changed = bytearray(asf)
    struct.pack_into("<QH", changed, place + 16, size + len(added), count + 1)
    struct.pack_into("<Q", changed, 16, header_size + len(added))
    return bytes(changed[: place + 26]) + added + bytes(changed[place + 26 :])


@needs_ffmpeg
@pytest.mark.skipif("libav" not in {plugin.id for plugin in mapwave.plugins()}, reason="without FFmpeg's libraries")
def test_a_plugin_lists_pictures_and_chapters(tmp_path: Path) -> None:
    facts = tmp_path / "facts.txt"
    sections = [(0, 400, "intro"), (400, 1000, "the rest")]
    facts.write_text(";FFMETADATA1\ntitle=A tune\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n" for start, end, title in sections
    ))  # fmt: skip
    path = tmp_path / "a.wma"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=r=44100:d=1", "-i", facts, "-map_metadata", "1",
               "-c:a", "wmav2", path]  # fmt: skip
    subprocess.run(command, check=True)
    path.write_bytes(with_picture(path.read_bytes(), 3, "image/png", "a cover", PNG))
    (probed,) = (found for found in ffprobe(path, "-show_streams")["streams"] if found["codec_type"] == "video")
    assert (probed["codec_name"], probed["tags"]["comment"]) == ("png", "Cover (front)")

    info = mapwave.info(path)
    assert (info.codec, info.tags["title"]) == ("wmav2", "A tune")
    (picture,) = info.pictures
    assert (picture.type, picture.mime, picture.description) == ("front cover", "image/png", "a cover")
    assert (picture.size, picture.data) == (len(PNG), PNG)
    assert [(marker.label, marker.start / info.sample_rate) for marker in info.markers] == [
        (label, pytest.approx(start, abs=1e-3)) for label, start in chapters(path)
    ]
    assert [marker.label for marker in info.markers] == ["intro", "the rest"]


def test_info_with_metadata_is_a_dict_and_pickles(tmp_path: Path) -> None:
    info = mapwave.info(make(tmp_path / "a.wav", markers=RANGES, pictures=[PNG], bext=BEXT))
    assert pickle.loads(pickle.dumps(info)) == info
    assert mapwave.AudioInfo(**json.loads(json.dumps(info.asdict()))) == info
