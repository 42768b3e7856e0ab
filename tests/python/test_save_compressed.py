"""`save` into compressed files, as far as plugins write them here: lossless ones exact, lossy ones by their noise."""

from __future__ import annotations

import io
import itertools
import logging
from pathlib import Path

import child
import mapwave
import mapwave.numpy as mw
import numpy as np
import peers
import pytest
import signals
import soundfile

# Why a file cannot be written here that can be elsewhere.
MISSING = ("no loaded plugin writes", "this FFmpeg was built without")

# Extension, encoding and codec of every kind of file.
LOSSLESS = [("flac", "float32"), ("m4a", "alac"), ("caf", "alac"), ("wv", "float32"), ("ogg", "flac"), ("mka", "flac")]
LOSSY = [
    ("mp3", "float32", "mp3"),
    ("m4a", "float32", "aac"),
    ("mp4", "aac", "aac"),
    ("ogg", "float32", "vorbis"),
    ("opus", "float32", "opus"),
    ("ogg", "opus", "opus"),
    ("webm", "float32", "vorbis"),
    ("webm", "opus", "opus"),
    ("mka", "opus", "opus"),
]


def rate_of(encoding: str) -> int:
    return 48_000 if encoding == "opus" else 44_100


# The default codecs of containers where a plugin writes them; elsewhere it is Opus, or ALAC.
DEFAULTS = {"ogg": "vorbis", "webm": "vorbis", "m4a": "aac", "mp4": "aac"}


def writes(codec: str) -> bool:
    return any(codec in plugin.encodes for plugin in mapwave.plugins())


def save(path: Path, audio: np.ndarray, rate: int, encoding: str = "float32", **options: object) -> Path:
    """Saves, or skips the test where nothing here writes such a file."""
    options = {"durable": False, "layout": "channels_last"} | options
    container = options.get("format") or getattr(path, "suffix", "").removeprefix(".")
    default = DEFAULTS.get(str(container)) if encoding == "float32" else None
    if default is not None and not writes(default):
        pytest.skip(f"no loaded plugin writes {default}")
    try:
        mapwave.save(path, audio, rate, encoding=encoding, **options)
    except mapwave.UnsupportedFormat as error:
        if any(missing in str(error) for missing in MISSING):
            pytest.skip(str(error))
        raise
    except ValueError as error:
        # A container of the core's own whose plugin is not there.
        if f"got '{encoding}'" in str(error) and f"'{encoding}'," not in str(error):
            pytest.skip(str(error))
        raise
    return path


def music(num_frames: int, num_channels: int, rate: int) -> np.ndarray:
    """The signal, of full range in every channel."""
    return signals.plucked(num_frames, num_channels, rate)


# Lossless


@pytest.mark.parametrize("dtype", ["float32", "int16", "int32"])
@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("extension", "encoding"), LOSSLESS)
def test_lossless_files_are_exact(
    tmp_path: Path, extension: str, encoding: str, channels: int, rate: int, dtype: str
) -> None:
    audio = signals.noise(dtype, 10_007, channels)
    path = save(tmp_path / f"a.{extension}", audio, rate, encoding)
    bits = 16 if dtype == "int16" else 24
    expected = signals.quantised(signals.numbers(audio), bits)
    facts = mapwave.info(path)
    assert (facts.frames, facts.channels, facts.sample_rate) == (10_007, channels, rate)
    np.testing.assert_array_equal(mw.load(path, dtype="int32")[0], expected << (32 - bits))
    np.testing.assert_array_equal(peers.ffmpeg(path, channels) * 2.0 ** (bits - 1), expected)
    if extension == "flac":
        np.testing.assert_array_equal(soundfile.read(path, dtype="int32", always_2d=True)[0], expected << (32 - bits))


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize(("extension", "encoding"), LOSSLESS)
def test_lossless_files_say_how_deep_they_are(tmp_path: Path, extension: str, encoding: str, bits: int) -> None:
    path = save(tmp_path / f"a.{extension}", music(5000, 2, 44_100), 44_100, encoding, bit_depth=bits)
    facts = mapwave.info(path)
    assert (facts.bit_depth, facts.is_lossless) == (bits, True)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
@pytest.mark.parametrize("level", [0, 5, 8, "8"])
def test_flac_of_every_level_and_number_of_channels(tmp_path: Path, channels: int, level: int | str) -> None:
    audio = (music(20_000, channels, 44_100) * 32_767).astype(np.int16)
    path = save(tmp_path / "a.flac", audio, 44_100, flac_compression=level)
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16", always_2d=True)[0], audio)
    np.testing.assert_array_equal(mw.load(path, dtype="int16")[0], audio)


@pytest.mark.parametrize(("extension", "encoding"), LOSSLESS)
def test_a_depth_can_be_chosen(tmp_path: Path, extension: str, encoding: str) -> None:
    audio = signals.noise("float32", 5000, 2)
    path = save(tmp_path / f"a.{extension}", audio, 44_100, encoding, bit_depth=16)
    np.testing.assert_array_equal(mw.load(path, dtype="int16")[0], signals.quantised(audio, 16))
    with pytest.raises(ValueError, match=r"bit_depth must be|bits per sample"):
        save(path, audio, 44_100, encoding, bit_depth=20)
    np.testing.assert_array_equal(mw.load(path, dtype="int16")[0], signals.quantised(audio, 16))


def test_pcm_encodings_are_depths_of_flac(tmp_path: Path) -> None:
    audio = signals.noise("int32", 5000, 2)
    for encoding, bits in (("pcm16", 16), ("pcm24", 24)):
        path = save(tmp_path / "a.flac", audio, 44_100, encoding)
        assert mapwave.info(path).bit_depth == bits
        expected = signals.quantised(signals.numbers(audio), bits) << (32 - bits)
        np.testing.assert_array_equal(soundfile.read(path, dtype="int32")[0], expected)


def test_dither_and_full_scale_are_those_of_uncompressed_files(tmp_path: Path) -> None:
    audio = signals.noise("float32", 30_000, 2)
    for options in ({"dither": "tpdf", "seed": 4}, {"clip": "rescale"}, {"clip": "rescale", "dither": "tpdf"}):
        mapwave.save(tmp_path / "a.wav", audio, 44_100, encoding="pcm16", durable=False, **options)
        path = save(tmp_path / "a.flac", audio, 44_100, "pcm16", **options)
        read, expected = (soundfile.read(file, dtype="int16")[0] for file in (path, tmp_path / "a.wav"))
        np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(("extension", "encoding"), [*LOSSLESS, *((kind[0], kind[1]) for kind in LOSSY)])
def test_threads_and_parts_change_nothing(tmp_path: Path, extension: str, encoding: str) -> None:
    rate = 48_000
    audio = music(50_000, 2, rate)
    one = save(tmp_path / f"one.{extension}", audio, rate, encoding, threads=1)
    many = save(tmp_path / f"many.{extension}", audio, rate, encoding, threads=4)
    assert one.read_bytes() == many.read_bytes()
    parts = tmp_path / f"parts.{extension}"
    with mapwave.open(parts, "w", sr=rate, channels=2, encoding=encoding, durable=False) as writer:
        for part in np.split(audio, [1, 1000, 1000, 30_000]):
            writer.write(part)
    np.testing.assert_array_equal(mw.load(parts)[0], mw.load(one)[0])
    assert mapwave.info(parts).frames == 50_000


# Lossy


# What docs/saving.md promises.
RATES = {
    "mp3": (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "aac": (7350, 8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000),
    "vorbis": (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000),
    "opus": (8000, 12_000, 16_000, 24_000, 48_000),
}
CHANNELS = {"mp3": (1, 2), "aac": (1, 2, 3, 4, 5, 6), "vorbis": (1, 2, 5, 6, 8), "opus": (1, 2, 5, 6, 16)}


def lossy() -> list:
    """Every kind, number of channels and rate."""
    cells = []
    for extension, encoding, codec in LOSSY:
        for channels, rate in itertools.product(CHANNELS[codec], RATES[codec]):
            if not is_five_one_alone(codec, channels, rate):
                cells.append((extension, encoding, codec, channels, rate))
    return cells


def is_five_one_alone(codec: str, channels: int, rate: int) -> bool:
    """Whether the codec has six channels as 5.1 only, whose fourth is for low frequencies alone."""
    return codec == "vorbis" and channels == 6 and 40_000 <= rate <= 70_000


def slowed(audio: np.ndarray, factor: int) -> np.ndarray:
    """Sound of `factor` times the rate at its own, by the spectrum of all of it."""
    spectrum = np.fft.rfft(audio.astype(np.float64), axis=0)[: len(audio) // factor // 2 + 1]
    return np.fft.irfft(spectrum, len(audio) // factor, axis=0) / factor


@pytest.mark.parametrize(("extension", "encoding", "codec", "channels", "rate"), lossy())
def test_lossy_files_have_every_frame_in_its_place(
    tmp_path: Path, extension: str, encoding: str, codec: str, channels: int, rate: int
) -> None:
    num_frames = max(20_000, rate // 2) + 1
    audio = music(num_frames, channels, rate)
    path = save(tmp_path / f"a.{extension}", audio, rate, encoding)
    up = 48_000 // rate if codec == "opus" else 1  # Opus is decoded at 48 kHz, whatever it was made from
    facts = mapwave.info(path)
    found = (facts.frames, facts.channels, facts.sample_rate, facts.codec)
    assert found == (num_frames * up, channels, rate * up, codec)
    read = mw.load(path)[0]
    assert read.shape == (num_frames * up, channels)
    read = slowed(read, up) if up > 1 else read
    # A single frame of delay would leave about 20 dB of it, and another channel's sound nothing.
    assert min(signals.snr(audio[:, channel], read[:, channel]) for channel in range(channels)) >= 30


@pytest.mark.parametrize(
    ("extension", "rate", "mask"),
    [("m4a", 44_100, 0x3F), ("m4a", 48_000, 0x60F), ("opus", 48_000, 0x3F), ("ogg", 44_100, 0x3F)],
)
def test_the_bass_of_five_one_is_kept_where_a_mask_says_so(
    tmp_path: Path, extension: str, rate: int, mask: int
) -> None:
    audio = music(50_001, 6, rate)
    audio[:, 3] = 0.3 * np.sin(2 * np.pi * 50 * np.arange(50_001) / rate)
    read = mw.load(save(tmp_path / f"a.{extension}", audio, rate, channel_mask=mask))[0]
    noises = [signals.snr(audio[:, channel], read[:, channel]) for channel in range(6)]
    # What the codecs' low-pass leaves: 14 dB in Vorbis, 24 in Opus, 35 in AAC.
    assert noises.pop(3) >= 10
    assert min(noises) >= 30


@pytest.mark.parametrize("rate", [44_100, 64_000])
def test_vorbis_that_would_lose_a_channel_is_refused(tmp_path: Path, rate: int) -> None:
    with pytest.raises(ValueError, match="6 channels of vorbis at this rate are 5.1.*mask 0x3f, or take opus or flac"):
        save(tmp_path / "a.ogg", music(1000, 6, rate), rate)


@pytest.mark.parametrize(("extension", "encoding", "codec"), LOSSY)
def test_ffmpeg_hears_the_same(tmp_path: Path, extension: str, encoding: str, codec: str) -> None:
    rate = rate_of(codec)
    audio = music(50_001, 2, rate)
    path = save(tmp_path / f"a.{extension}", audio, rate, encoding)
    read = peers.ffmpeg(path, 2)
    # FFmpeg 5 leaves the encoder's padding in some.
    assert 50_001 <= len(read) <= 50_001 + 2048
    assert signals.snr(audio, read[:50_001]) >= 30


@pytest.mark.parametrize(
    ("extension", "rate", "channels", "message"),
    [
        ("opus", 44_100, 2, "44100 Hz; opus supports 8000, 12000, 16000, 24000, 48000 Hz"),
        ("mp3", 96_000, 2, "96000"),
        ("mp3", 44_100, 6, "MP3 has 1 or 2 channels, not 6|6 channels; mp3 supports 1, 2"),
        ("m4a", 44_101, 2, "44101 Hz; aac supports 7350, 8000"),
        ("flac", 700_000, 2, "sample rates of 1 to 655350 Hz, not 700000"),
        ("flac", 44_100, 9, "FLAC has 1 to 8 channels, not 9"),
    ],
)
def test_what_a_codec_has_not_is_refused_with_what_it_has(
    tmp_path: Path, extension: str, rate: int, channels: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        save(tmp_path / f"a.{extension}", np.zeros((1000, channels), np.float32), rate)
    assert caught.value.path == str(tmp_path / f"a.{extension}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("extension", "codec"), [("ogg", "vorbis"), ("m4a", "aac"), ("caf", "aac")])
def test_a_codec_that_is_not_there_is_refused_with_what_has_it(tmp_path: Path, extension: str, codec: str) -> None:
    """A package without the plugins beside it, in a process of its own."""
    code = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import mapwave, numpy as np
        try:
            mapwave.save(sys.argv[2], np.zeros(1000, np.float32), 44_100, encoding=sys.argv[3])
        except ValueError as error:
            print(error)
    """
    path = tmp_path / f"a.{extension}"
    said = child.run(tmp_path, code, child.alone(tmp_path), path, codec)
    assert f"got '{codec}'; FFmpeg not found: looked for" in said
    assert not path.exists()


# Arguments


@pytest.mark.parametrize(
    ("extension", "low", "high"),
    [
        ("mp3", 64_000, "256k"),
        ("m4a", "64k", 192_000),
        ("ogg", 64_000, 256_000),
        ("opus", "48k", "256k"),
        ("webm", 48_000, 256_000),
    ],
)
def test_a_bitrate_is_kept(tmp_path: Path, extension: str, low: object, high: object) -> None:
    rate = 48_000
    audio = signals.noise("float32", 3 * rate, 2) * np.float32(0.3)
    sizes = [save(tmp_path / f"a.{extension}", audio, rate, bitrate=bitrate).stat().st_size for bitrate in (low, high)]
    asked = [int(str(bitrate).replace("k", "000")) for bitrate in (low, high)]
    for size, bitrate in zip(sizes, asked, strict=True):
        # On the average, and of most sounds; noise is not one.
        assert 0.6 * bitrate < size * 8 / 3 < 1.4 * bitrate


@pytest.mark.parametrize("extension", ["mp3", "ogg"])
def test_a_quality_orders_sizes_and_noise(tmp_path: Path, extension: str) -> None:
    audio = music(88_200, 2, 44_100)
    files = [save(tmp_path / f"{quality}.{extension}", audio, 44_100, quality=quality) for quality in (1, 50, 100)]
    sizes = [file.stat().st_size for file in files]
    noises = [signals.snr(audio, mw.load(file)[0]) for file in files]
    assert sizes == sorted(set(sizes))
    assert noises == sorted(set(noises))


def test_levels_of_flac_order_sizes(tmp_path: Path) -> None:
    audio = music(88_200, 2, 44_100)
    sizes = [save(tmp_path / "a.flac", audio, 44_100, flac_compression=n).stat().st_size for n in (0, 3, 8)]
    assert sizes == sorted(set(sizes), reverse=True)
    default = save(tmp_path / "a.flac", audio, 44_100).stat().st_size
    assert default == save(tmp_path / "a.flac", audio, 44_100, flac_compression=5).stat().st_size
    efforts = [save(tmp_path / "a.flac", audio, 44_100, effort=n).stat().st_size for n in (1, 100)]
    assert efforts[0] > default > efforts[1]


@pytest.mark.parametrize(
    ("extension", "options", "message"),
    [
        ("flac", {"bitrate": 128_000}, "bitrate does not apply to flac in flac, which is lossless"),
        ("flac", {"quality": 50}, "quality does not apply to flac in flac, which is lossless"),
        ("flac", {"flac_compression": 9}, "flac_compression must be 'default', 'fast' or a level from 0 to 8, got 9"),
        (
            "flac",
            {"flac_compression": "best"},
            "flac_compression must be 'default', 'fast' or a level from 0 to 8, got 'best'",
        ),
        ("flac", {"flac_compression": 5, "effort": 5}, "either flac_compression or effort, not both"),
        ("flac", {"encoding": "pcm32"}, "32 bits per sample|bits per sample, not 32"),
        ("flac", {"encoding": "aac"}, "encoding must be one of 'pcm16', 'pcm24', 'float32', 'flac'.*got 'aac'"),
        ("flac", {"encoding": "float64"}, "encoding must be one of .* got 'float64'"),
        ("mp3", {"bitrate": 100_000}, "choose one of|32000, 40000"),
        ("mp3", {"bitrate": 128_000, "quality": 50}, "choose one of the two|choose one of them"),
        ("mp3", {"bit_depth": 16}, "bit_depth does not apply to mp3 in mp3, which has no bit depth"),
        ("mp3", {"dither": "tpdf"}, "dither does not apply to mp3 in mp3, which does not round"),
        ("mp3", {"encoding": "pcm16"}, "encoding must be one of 'float32', 'mp3' for an mp3 file, got 'pcm16'"),
        ("mp3", {"flac_compression": 5}, "flac_compression must be 'default' for a file that is not FLAC"),
        ("m4a", {"quality": 50}, "the aac encoder takes only a bitrate"),
        ("m4a", {"bitrate": 10_000_000}, "10000000"),
        ("opus", {"bitrate": 1000}, "1000"),
        ("opus", {"encoding": "vorbis"}, "encoding must be one of 'float32', 'opus'"),
        ("flac", {"plugin": "nobody"}, "nobody"),
    ],
)
def test_arguments_are_honoured_or_refused(tmp_path: Path, extension: str, options: dict, message: str) -> None:
    path = save(tmp_path / f"a.{extension}", music(5000, 2, 48_000), 48_000)
    old = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        mapwave.save(path, np.zeros((1000, 2), np.float32), 48_000, **options)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (old, [path])


def test_a_plugin_can_be_named(tmp_path: Path) -> None:
    audio = (music(5000, 2, 44_100) * 32_767).astype(np.int16)
    for plugin in ("builtin", "libav"):
        if plugin not in {plugin.id for plugin in mapwave.plugins()}:
            pytest.skip(f"there is no plugin {plugin}")
        path = save(tmp_path / "a.flac", audio, 44_100, plugin=plugin)
        np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], audio)


def test_samples_that_do_not_fit_are_held_or_refused(tmp_path: Path) -> None:
    audio = music(20_000, 2, 44_100)
    audio[700, 1], audio[9000, 0] = 3, np.nan
    for extension in ("flac", "mp3"):
        read = mw.load(save(tmp_path / f"a.{extension}", audio, 44_100))[0]
        assert np.isfinite(read).all()
        assert np.abs(read).max() < 1.5
        with pytest.raises(ValueError, match="got 3 in frame 700, channel 1"):
            save(tmp_path / f"a.{extension}", audio, 44_100, clip=False)


# Tags

OGG_COMMENT = "FFmpeg's Ogg muxer calls a comment a description"
TAGS = {
    "title": "Grün ist die Heide",
    "artist": "Ännchen; Ω",
    "album": "A",
    "date": "2024",
    "genre": "Folk",
    "tracknumber": 7,
}


@pytest.mark.parametrize(
    ("extension", "encoding"),
    [
        ("flac", "float32"), ("mp3", "float32"), ("m4a", "float32"), ("m4a", "alac"), ("ogg", "vorbis"),
        ("opus", "float32"), ("webm", "opus"), ("mka", "opus"), ("wv", "float32"),
    ],
)  # fmt: skip
def test_tags_are_read_by_us_and_by_ffmpeg(tmp_path: Path, extension: str, encoding: str) -> None:
    path = save(tmp_path / f"a.{extension}", music(5000, 2, 48_000), 48_000, encoding, tags=TAGS)
    expected = {name: str(value) for name, value in TAGS.items()}
    found = mapwave.info(path).tags
    assert {name: found.get(name) for name in expected} == expected
    theirs = peers.ffprobe_tags(path)
    for name, value in expected.items():
        # FFmpeg has names of its own, and tells them apart by container.
        names = {"tracknumber": ("track", "tracknumber", "part_number"), "date": ("date", "date_released", "year")}
        assert value in [theirs.get(other) for other in names.get(name, (name,))], (name, theirs)


@pytest.mark.parametrize(
    "extension",
    ["flac", "mp3", "m4a", "opus", "wv", pytest.param("ogg", marks=pytest.mark.xfail(strict=True, reason=OGG_COMMENT))],
)
def test_a_comment_stays_one(tmp_path: Path, extension: str) -> None:
    path = save(tmp_path / f"a.{extension}", music(5000, 2, 48_000), 48_000, tags={"comment": "no=1"})
    assert mapwave.info(path).tags.get("comment") == "no=1"


# Edges


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("extension", "encoding"),
    [
        *LOSSLESS,
        *(kind[:2] for kind in LOSSY),
    ],
)
def test_one_frame(tmp_path: Path, extension: str, encoding: str, channels: int) -> None:
    audio = np.full((1, channels), 0.25, np.float32)
    path = save(tmp_path / f"a.{extension}", audio, 48_000, encoding)
    assert mapwave.info(path).frames == 1
    read = mw.load(path)[0]
    assert read.shape == (1, channels)
    if (extension, encoding) in LOSSLESS:
        np.testing.assert_array_equal(read, audio)


@pytest.mark.parametrize(("extension", "encoding"), [*LOSSLESS, *(kind[:2] for kind in LOSSY)])
def test_no_frame_makes_a_file_of_none_or_is_refused(tmp_path: Path, extension: str, encoding: str) -> None:
    path = tmp_path / f"a.{extension}"
    try:
        save(path, np.zeros((0, 2), np.float32), 48_000, encoding)
    except ValueError as error:
        assert "without a frame" in str(error)
        assert list(tmp_path.iterdir()) == []
        return
    assert mapwave.info(path).frames == 0
    assert mw.load(path)[0].shape == (0, 2)


SAID = [
    ("flac", "float32"), ("mp3", "float32"), ("ogg", "float32"), ("opus", "float32"), ("webm", "float32"),
    ("wv", "float32"), ("caf", "alac"), ("m4a", "float32"), ("m4a", "alac"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("extension", "encoding"),
    [pytest.param(*kind) for kind in SAID],
)
def test_saving_says_nothing(
    tmp_path: Path,
    extension: str,
    encoding: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    # What is logged as a warning goes to stderr where nobody has set up logging.
    with caplog.at_level(logging.WARNING):
        save(tmp_path / f"a.{extension}", music(20_000, 2, 48_000), 48_000, encoding, tags={"title": "x"})
    assert capfd.readouterr() == ("", "")
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize(
    ("extension", "encoding"), [("flac", "float32"), ("mp3", "float32"), ("ogg", "float32"), ("m4a", "alac")]
)
def test_file_objects_take_compressed_files(tmp_path: Path, extension: str, encoding: str) -> None:
    audio = music(20_000, 2, 44_100)
    path = save(tmp_path / f"a.{extension}", audio, 44_100, encoding)
    target = io.BytesIO(b"before")
    target.seek(6)
    save(target, audio, 44_100, encoding, format=extension)
    assert target.getvalue() == b"before" + path.read_bytes()
    assert target.tell() == len(target.getvalue())


def test_a_pipe_takes_what_is_written_from_front_to_end(tmp_path: Path) -> None:
    class Appending:
        def __init__(self) -> None:
            self.data = bytearray()

        def write(self, data: bytes) -> int:
            self.data += data
            return len(data)

    audio = music(20_000, 2, 48_000)
    for extension in ("flac", "ogg", "opus", "webm"):
        target = Appending()
        save(target, audio, 48_000, format=extension)
        assert mapwave.info(bytes(target.data)).frames == 20_000
    for extension in ("m4a", "wv"):
        target = Appending()
        with pytest.raises(ValueError, match="in an append-only sink: its header holds"):
            save(target, audio, 48_000, format=extension)
        assert not target.data
