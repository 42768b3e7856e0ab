"""`plot`: what the pictures show, pixel by pixel where it matters, and as small references."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest

RATE = 16_000
REFERENCES = Path(__file__).parents[2] / "fixtures" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


def sound(channels: int = 2) -> np.ndarray:
    """Two seconds: a swelling tone of 440 Hz, and on the right one that climbs."""
    time = np.arange(2 * RATE) / RATE
    left = np.sin(2 * np.pi * 440 * time) * np.sin(np.pi * time / 2) ** 2
    right = 0.5 * np.sin(2 * np.pi * (200 * time + 900 * time**2)) * (time < 1.5)
    return np.stack([left, right, 0.1 * left, left][:channels], axis=1).astype(np.float32)


def pixels_of(png: bytes) -> np.ndarray:
    """The pixels of a PNG of 8-bit RGB, by the PNG specification."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, data, width, height = 8, b"", 0, 0
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        body = png[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", png[place + 8 + length : place + 12 + length])[0]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 2)
        data += body if kind == b"IDAT" else b""
        place += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 3 * width)
    out = np.zeros((height + 1, width + 1, 3), np.int64)
    for y, row in enumerate(rows):
        line = row[1:].reshape(width, 3)
        for x, pixel in enumerate(line):
            left, up, corner = out[y + 1, x], out[y, x + 1], out[y, x]
            guess = left + up - corner
            far = [abs(guess - left), abs(guess - up), abs(guess - corner)]
            nearest = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], up, corner))
            before = [0, left, up, (left + up) // 2, nearest][row[0]]
            out[y + 1, x + 1] = (pixel + before) % 256
    return out[1:, 1:].astype(np.uint8)


def texts_of(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


KINDS = ("waveform", "spectrogram", "both")
THEMES = ("light", "dark")


def tones(kind: str, theme: str) -> mapwave.Plot:
    markers = [("half", 8000), ("", 24_000)]
    return mapwave.plot(sound(), RATE, kind, width=320, height=240, theme=theme, title="tones", markers=markers)


@pytest.mark.skipif(not REFERENCES.is_dir(), reason="no references: python tests/python/test_plot.py writes them")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", THEMES)
def test_pictures_are_those_that_were_looked_at(kind: str, theme: str) -> None:
    found = pixels_of(tones(kind, theme).png()).astype(float)
    expected = pixels_of((REFERENCES / f"{kind}-{theme}.png").read_bytes()).astype(float)
    assert found.shape == expected.shape == (240, 320, 3)
    differ = np.abs(found - expected).max(axis=2) > 24
    assert differ.mean() < 0.002


def test_a_waveform_has_its_extremes_where_they_are() -> None:
    audio = np.zeros((100_000, 1), np.float32)
    audio[40_000:60_000, 0] = np.tile([0.5, -0.25], 10_000)
    pixels = pixels_of(mapwave.plot(audio, RATE, width=1000, height=300, theme="light").png())
    wave = np.all(pixels == [132, 178, 232], axis=2) | np.all(pixels == [38, 104, 190], axis=2)
    rows, columns = np.nonzero(wave & (wave.sum(axis=0) > 20))
    left, right = 62, 1000 - 24
    assert (columns.min(), columns.max()) == pytest.approx(
        (left + 0.4 * (right - left), left + 0.6 * (right - left)), abs=2
    )
    top, bottom = rows.min(), rows.max()
    # Under the line of the facts, and above the time axis.
    middle = 46 + (300 - 46 - 46) / 2
    # The limit of the axis is -6 dBFS.
    assert (middle - top) / (bottom - middle) == pytest.approx(2.0, rel=0.05)


def test_an_svg_is_complete_and_says_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / 'a <b> & "c".wav'
    mapwave.save(path, sound(), RATE)
    svg = mapwave.plot(path, kind="both", markers=[("<start>", 100)]).svg()
    texts = texts_of(svg)
    assert 'a <b> & "c".wav' in texts
    assert "pcm_f32le · stereo · 16 kHz · 2.000 s" in texts
    for label in ["left", "right", "dBFS", "Hz", "time (s)", "0", "−6", "−∞", "1k", "<start>", "0.2"]:
        assert label in texts, label
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert ElementTree.fromstring(svg).findtext(f"{SVG}title", "").startswith("a <b>")
    assert len(svg) < 600_000


def test_themes_are_colours() -> None:
    svg = {theme: mapwave.plot(sound(1), RATE, theme=theme).svg() for theme in ["light", "dark", "auto", "page"]}
    assert "#ffffff" in svg["light"] and "#12151a" in svg["dark"]
    assert "prefers-color-scheme:dark" in svg["auto"]
    assert "currentColor" in svg["page"] and "<style>" not in svg["page"]
    dark = pixels_of(mapwave.plot(sound(1), RATE, theme="dark", width=160, height=160).png())
    assert tuple(dark[0, 0]) == (18, 21, 26)


def test_what_is_written_is_what_is_returned(tmp_path: Path) -> None:
    picture = mapwave.plot(sound(), RATE, out=tmp_path / "a.svg", width=400)
    assert (tmp_path / "a.svg").read_text() == picture.svg() == picture._repr_svg_()
    picture.save(tmp_path / "A.PNG")
    assert (tmp_path / "A.PNG").read_bytes() == picture.png()
    assert (picture.width, picture.height) == struct.unpack(">II", picture.png()[16:24])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["A.PNG", "a.svg"]
    with pytest.raises(mapwave.InvalidArgument, match=r"\.svg or \.png"):
        picture.save(tmp_path / "a.pdf")
    with pytest.raises(FileNotFoundError):
        picture.save(tmp_path / "none" / "a.svg")


@pytest.mark.parametrize("source", ["wav", "flac", "bytes", "reader", "array"])
def test_pictures_do_not_depend_on_where_the_samples_are(tmp_path: Path, source: str) -> None:
    audio = (sound() * 32767).astype(np.int16)
    expected = mapwave.plot(audio, RATE, "both", title="a", threads=1).png()
    path = tmp_path / f"a.{source if source == 'flac' else 'wav'}"
    mapwave.save(path, audio, RATE, encoding="pcm16")
    facts = {"kind": "waveform", "title": "a", "width": 500}

    def wave(svg: str) -> list[str]:
        return re.findall('<path d="[^"]+"', svg)

    expected = wave(mapwave.plot(audio, RATE, **facts).svg())
    assert len(expected) == 4
    match source:
        case "bytes":
            found = mapwave.plot(path.read_bytes(), **facts)
        case "reader":
            with mw.open(path) as reader:
                found = mapwave.plot(reader, **facts)
        case "array":
            found = mapwave.plot(np.ascontiguousarray(audio.T), RATE, **facts, threads=1)
        case _:
            found = mapwave.plot(io.BytesIO(path.read_bytes()), **facts)
    assert wave(found.svg()) == expected


@pytest.mark.parametrize("frames", [0, 1, 2, 50, 3000])
@pytest.mark.parametrize("kind", ["waveform", "both"])
def test_short_audio_has_a_picture(frames: int, kind: str) -> None:
    audio = np.sin(np.arange(frames, dtype=np.float32))[:, None]
    picture = mapwave.plot(audio, RATE, kind, width=200, layout="channels_last")
    assert pixels_of(picture.png()).shape[1] == 200
    ElementTree.fromstring(picture.svg())


def test_many_channels_and_samples_that_are_no_numbers_have_a_picture() -> None:
    audio = np.zeros((40_000, 20), np.float32)
    audio[::7] = np.nan
    audio[::11] = np.inf
    picture = mapwave.plot(audio, RATE, "both", width=300)
    assert "16 of 20 channels · 16 kHz · 2.500 s" in texts_of(picture.svg())


def test_what_cannot_be_drawn_is_refused() -> None:
    audio = sound()
    for arguments, message in [
        ({"kind": "pie"}, "kind must be 'waveform', 'spectrogram' or 'both', got 'pie'"),
        ({"theme": "blue"}, "theme must be 'auto', 'light', 'dark' or 'page', got 'blue'"),
        ({"width": 10}, "width must be from 160 to 8192 pixels, got 10"),
        ({"height": 100_000}, "height must be from 160 to 8192 pixels, got 100000"),
        ({"markers": [("a", 99_999)]}, "markers must be inside the 32000 frames, got frame 99999"),
    ]:
        with pytest.raises(mapwave.InvalidArgument, match=re.escape(message)):
            mapwave.plot(audio, RATE, **arguments)
    with pytest.raises(TypeError, match="markers must be a sequence of markers"):
        mapwave.plot(audio, RATE, markers="abc")


if __name__ == "__main__":
    REFERENCES.mkdir(exist_ok=True)
    for each in KINDS:
        for colours in THEMES:
            tones(each, colours).save(REFERENCES / f"{each}-{colours}.png")
