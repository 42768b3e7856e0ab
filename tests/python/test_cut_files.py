"""Files that end before their audio does say so, and files of which nothing decodes are errors, not silence."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator

import corpus
import mapwave
import mapwave.numpy
import mp4file
import numpy as np
import pytest

COMPRESSED = corpus.FIXTURES / "compressed"

MONO = 0x40
AT_44100 = 0x50


def fixture(name: str) -> bytes:
    """A small compressed file."""
    return (COMPRESSED / name).read_bytes()


def pages(ogg: bytes) -> list[int]:
    """Where the pages of an Ogg file begin."""
    return [at for at in range(len(ogg)) if ogg[at : at + 4] == b"OggS"]


def adts_frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the frames of an ADTS file begin and end."""
    at = 0
    while at < len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        yield at, at + size
        at += size


def clusters(matroska: bytes) -> list[int]:
    """Where the clusters of a Matroska file begin."""
    return [at for at in range(len(matroska)) if matroska[at : at + 4] == bytes.fromhex("1f43b675")]


def aiff(num_frames: int, sound: bytes) -> bytes:
    """An AIFF file of 16 bits whose Common chunk says how many frames there are."""
    comm = b"COMM" + struct.pack(">IHIH", 18, 1, num_frames, 16) + bytes.fromhex("400eac44000000000000")
    ssnd = b"SSND" + struct.pack(">III", len(sound) + 8, 0, 0) + sound
    return b"FORM" + struct.pack(">I", 4 + len(comm) + len(ssnd)) + b"AIFF" + comm + ssnd


@pytest.mark.parametrize(
    "name",
    [
        *("aac.aac", "aac.m4a", "aac-fragmented.mp4", "alac16.m4a", "alac16.caf", "adpcm-ms.wav", "ima4.aifc"),
        *("flac.mka", "flac.oga", "flac16.flac", "mp2.mp2", "mp3-cbr.mp3", "mp3-lame.mp3", "mp3-no-xing.mp3"),
        *("vorbis.ogg", "vorbis.webm", "vorbis-mono.ogg", "opus.opus", "opus.webm"),
    ],
)
def test_a_cut_file_says_so(name: str) -> None:
    data = fixture(name)
    whole = mapwave.info(data)
    assert not whole.is_truncated
    for length in (len(data) * 3 // 5, len(data) * 4 // 5, len(data) - 1):
        try:
            cut = mapwave.info(data[:length])
        except mapwave.AudioError as error:
            # The tables of the first stand at the end; the others have a single page of sound.
            assert name.endswith((".m4a", ".caf")) or "holds none of it" in str(error), error
            continue
        assert cut.is_truncated, f"{length} of {len(data)} bytes"
        assert cut.frames <= whole.frames
        assert len(mapwave.numpy.load(data[:length])[0]) == cut.frames


@pytest.mark.parametrize(("stated", "held"), [(1000, 400), (1000, 0), (401, 400)])
def test_aiff_promises_more_than_it_holds(stated: int, held: int) -> None:
    sound = np.arange(held, dtype=">i2").tobytes()
    assert not mapwave.info(aiff(held, sound)).is_truncated
    info = mapwave.info(aiff(stated, sound))
    assert (info.frames, info.is_truncated) == (held, True)


@pytest.mark.parametrize("name", ["vorbis.ogg", "vorbis-mono.ogg", "opus.opus"])
def test_ogg_without_its_last_page_is_cut(name: str) -> None:
    data = fixture(name)
    assert mapwave.info(data[: pages(data)[-1]]).is_truncated
    # So is a link before the last.
    chain = data[: pages(data)[-1]] + data
    assert mapwave.info(data + data).is_truncated is False
    assert mapwave.info(chain).is_truncated


@pytest.mark.parametrize("name", ["vorbis.webm", "flac.mka", "opus.webm"])
def test_a_cluster_that_ends_beyond_the_file_is_cut(name: str) -> None:
    data = bytearray(fixture(name))
    segment = data.find(bytes.fromhex("18538067")) + 4
    assert data[segment] == 1, "a size of eight bytes"
    data[segment : segment + 8] = b"\x01" + b"\xff" * 7
    live = bytes(data)
    size_at = clusters(live)[-1] + 4
    size_bytes = 9 - live[size_at].bit_length()
    size = int.from_bytes(live[size_at : size_at + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
    end = size_at + size_bytes + size
    assert not mapwave.info(live).is_truncated
    assert not mapwave.info(live[:end]).is_truncated
    assert mapwave.info(live[: end - 10]).is_truncated


@pytest.mark.parametrize("promised", [57_600, 600_000])
def test_itunes_promises_more_than_there_is(promised: int) -> None:
    sound = fixture("mp3-no-xing.mp3")
    numbers = f" 00000000 00000240 00000000 {promised:016X} 00000000"
    body = b"\0eng" + b"iTunSMPB\0" + numbers.encode() + b"\0"
    frame = b"COMM" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    info = mapwave.info(b"ID3\x03\0\0" + size + frame + sound)
    assert info.is_truncated is (promised > 57_600)
    assert info.frames == min(promised, mapwave.info(sound).frames - 576 - 529)


@pytest.mark.parametrize(
    ("first", "other", "says"),
    [
        ("aac.aac", "mono", "one of AAC of object type 2 at 48000 Hz in channel configuration 1 begins"),
        ("aac.aac", "44100", "one of AAC of object type 2 at 44100 Hz in channel configuration 2 begins"),
        ("mp3-no-xing.mp3", "mp3-vbr-mono.mp3", "one of MPEG audio layer 3 at 22050 Hz begins"),
        ("mp3-no-xing.mp3", "mp2.mp2", "one of MPEG audio layer 2 at 48000 Hz begins"),
        ("vorbis.ogg", "vorbis-mono.ogg", "another begins: a chained stream continues as Vorbis with 1 channels"),
        ("vorbis.ogg", "flac.oga", "another begins: a chained stream continues as FLAC with 2 channels"),
    ],
)
def test_a_stream_that_changes_ends(first: str, other: str, says: str, caplog: pytest.LogCaptureFixture) -> None:
    data = fixture(first)
    if other in ("mono", "44100"):
        changed = bytearray(data)
        for start, _ in adts_frames(data):
            changed[start + 2 : start + 4] = {
                "mono": bytes([data[start + 2], data[start + 3] & 0x3F | MONO]),
                "44100": bytes([AT_44100, data[start + 3]]),
            }[other]
        behind = bytes(changed)
    else:
        behind = fixture(other)
    alone, _ = mapwave.numpy.load(data, plugin="builtin")
    with caplog.at_level(logging.WARNING, logger="mapwave"):
        info = mapwave.info(data + behind)
        found, _ = mapwave.numpy.load(data + behind, plugin="builtin")
    np.testing.assert_array_equal(found, alone)
    assert (info.frames, info.is_truncated) == (len(alone), True)
    assert says in caplog.text


def test_mp3_that_changes_its_channels_is_converted_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    data = fixture("mp3-no-xing.mp3")
    mono = bytearray(data)
    at = 0
    while at + 4 <= len(data):
        mono[at + 3] |= 0xC0
        kilobits = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320][data[at + 2] >> 4]
        at += 144 * kilobits * 1000 // 48_000 + (data[at + 2] >> 1 & 1)
    with caplog.at_level(logging.WARNING, logger="mapwave"):
        info = mapwave.info(data + bytes(mono))
    assert (info.frames, info.is_truncated) == (2 * mapwave.info(data).frames, False)
    assert f"frames of 1 channels from byte {len(data)} on are converted to 2" in caplog.text


@pytest.mark.parametrize("fill", [0, 0x74, 0xFF, 0x07, 0x70])
def test_aac_of_which_nothing_decodes_is_an_error(fill: int) -> None:
    adts = bytearray(fixture("aac.aac"))
    for start, end in adts_frames(bytes(adts)):
        adts[start + 7 : end] = bytes([fill]) * (end - start - 7)
    for data in (bytes(adts), mp4file.with_media(fixture("aac.m4a"), fill)):
        for read in (mapwave.info, mapwave.numpy.load):
            with pytest.raises(mapwave.MalformedFile, match="not one packet of AAC can be decoded"):
                read(data, **({"plugin": "builtin"} if read is mapwave.numpy.load else {}))


def test_random_packets_of_aac_are_no_silence() -> None:
    random = np.random.default_rng(5)
    data = bytearray(fixture("aac.aac"))
    for start, end in adts_frames(bytes(data)):
        # An end element of its own for all, as in audio, and one channel, which this stereo stream does not have.
        data[start + 7 : end] = bytes([0x10]) + random.bytes(end - start - 9) + b"\x07"
    with pytest.raises(mapwave.MalformedFile, match="not one packet of AAC can be decoded"):
        mapwave.numpy.load(bytes(data), plugin="builtin")


def test_one_packet_that_decodes_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    adts = bytearray(fixture("aac.aac"))
    frames = list(adts_frames(bytes(adts)))
    for start, end in frames[:30] + frames[31:]:
        adts[start + 7 : end] = bytes(end - start - 7)
    with caplog.at_level(logging.WARNING, logger="mapwave"):
        found, _ = mapwave.numpy.load(bytes(adts), plugin="builtin")
    assert len(found) == len(frames) * 1024
    assert not found[: 30 * 1024].any()
    assert found[30 * 1024 : 31 * 1024].any()
    assert "became silence" in caplog.text


def test_ogg_of_which_no_page_is_intact_is_an_error() -> None:
    data = bytearray(fixture("vorbis.ogg"))
    starts = pages(bytes(data))
    damaged = bytearray(data)
    for at in starts[2:]:
        damaged[at + 22] ^= 1
    with pytest.raises(mapwave.MalformedFile, match="not one packet of Vorbis can be decoded"):
        mapwave.info(bytes(damaged))
    damaged[starts[-1] + 22] ^= 1
    assert mapwave.info(bytes(damaged)).frames == mapwave.info(bytes(data)).frames


def test_a_file_with_nothing_left_of_its_promise_is_an_error() -> None:
    data = mp4file.with_edits(fixture("aac.m4a"), [(1200, 1024)])
    media = mp4file.find(data, (b"mdat",))
    movie = mp4file.find(data, (b"moov",))
    assert media is not None
    assert movie is not None
    # The media last, and then only its header.
    size = movie[1] - movie[0]
    first = bytearray(data[: media[0]] + data[movie[0] : movie[1]] + data[media[0] : media[1]])
    offsets = mp4file.find(bytes(first), mp4file.OFFSETS)
    assert offsets is not None
    for at in range(offsets[0] + 16, offsets[1], 4):
        first[at : at + 4] = (int.from_bytes(first[at : at + 4], "big") + size).to_bytes(4, "big")
    assert mapwave.info(bytes(first)).frames == 57_600
    with pytest.raises(mapwave.MalformedFile, match="promises audio and holds none of it"):
        mapwave.info(bytes(first[: media[0] + size + 8]))
