"""What a notebook shows of readers and facts."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest


class Page(HTMLParser):
    """The texts and the attributes of a page whose elements all end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.sounds: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag == "audio":
            self.sounds += [value for name, value in attrs if name == "src" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    def player(self) -> tuple[str, bytes]:
        """The media type and the bytes of the one sound."""
        (source,) = self.sounds
        media_type, text = re.fullmatch(r"data:(audio/\w+);base64,(.*)", source).groups()  # type: ignore[union-attr]
        return media_type, base64.b64decode(text)


def tone(seconds: float, sr: int, channels: int = 2) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 330 * np.arange(int(seconds * sr)) / sr)
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


@pytest.mark.parametrize(("seconds", "sr", "channels"), [(3.0, 44_100, 2), (100.0, 16_000, 1), (1.0, 48_000, 6)])
def test_a_reader_shows_its_waveform_its_facts_and_a_player(
    tmp_path: Path, seconds: float, sr: int, channels: int
) -> None:
    path = tmp_path / "<a> & b.flac"
    mapwave.save(path, tone(seconds, sr, channels), sr, tags={"title": "R&B <1>"})
    with mw.open(path) as reader:
        reader.seek(100)
        html = reader._repr_html_()
        assert reader.tell() == 100
    assert len(html) < 600_000
    page = Page(html)
    for text in ["<a> & b.flac", "R&B <1>", "flac", f"{sr:,} Hz", f"{int(seconds * sr):,}"]:
        assert text in page.texts, text
    media_type, sound = page.player()
    assert len(sound) <= 300_000
    played, rate = mw.load(sound, mono=True, squeeze_mono=True)
    expected = min(seconds, 40.0 if media_type == "audio/mpeg" else 9.0)
    assert len(played) / rate == pytest.approx(expected, abs=0.01)
    # The tone is there, and no other.
    spectrum = np.abs(np.fft.rfft(played * np.hanning(len(played))))
    assert np.argmax(spectrum) * rate / len(played) == pytest.approx(330, abs=2)
    assert (f"the first {expected:.0f} s" in page.texts) == (expected < seconds)


def test_bytes_and_readers_at_another_rate_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    mapwave.save(path, tone(2.0, 48_000), 48_000)
    with mw.open(path.read_bytes(), sr=8000, mono=True, dtype="int16") as reader:
        page = Page(reader._repr_html_())
    assert "2.000 s" in page.texts
    played, rate = mw.load(page.player()[1])
    assert len(played) / rate == pytest.approx(2.0, abs=0.01)


def test_facts_are_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    mapwave.save(path, tone(75.5, 8000), 8000, tags={"artist": "<script>"})
    page = Page(mapwave.info(path)._repr_html_())
    found = dict(zip(page.texts[::2], page.texts[1::2], strict=True))
    assert found == {
        "format": "flac",
        "codec": "flac",
        "duration": "1:15.5",
        "frames": "604,000",
        "sample rate": "8,000 Hz",
        "channels": "2",
        "layout": "stereo",
        "bit depth": "24 bits",
        "decoded by": "builtin",
        "artist": "<script>",
    }


def test_a_closed_reader_says_so(tmp_path: Path) -> None:
    mapwave.save(tmp_path / "a.wav", tone(1.0, 8000), 8000)
    reader = mw.open(tmp_path / "a.wav")
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader._repr_html_()


def test_pictures_are_shown_as_svg() -> None:
    picture = mapwave.plot(tone(1.0, 8000), 8000)
    assert picture._repr_svg_() == picture.svg()
    assert repr(picture) == f"<mapwave.Plot, {picture.width} x {picture.height} pixels>"
