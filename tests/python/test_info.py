"""`info`: its fields, and that it agrees with `load`."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest
import soundfile
import wavefile

FIELDS = (
    "frames", "sample_rate", "channels", "duration", "container", "container_variant", "codec", "subtype", "bit_depth",
    "bits", "channel_layout", "is_lossless", "is_truncated", "plugin", "priming_frames", "padding_frames", "tags",
    "pictures", "markers", "loops", "bext", "bitrate", "tracks",
    "plugin_errors",
)  # fmt: skip

# libsndfile's name of a sample's coding, and the bits that a sample has.
SUBTYPES = {
    "PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64,
    "ALAW": 8, "ULAW": 8,
}  # fmt: skip


@pytest.mark.parametrize("expected", corpus.valid(), ids=lambda row: row.path.name)
def test_the_facts_of_every_valid_file(expected: corpus.Expected) -> None:
    facts = mapwave.info(expected.path)
    assert facts.frames == expected.frames
    assert facts.channels == expected.channels
    assert facts.sample_rate == expected.sample_rate
    assert facts.container == expected.container
    assert facts.container_variant == expected.variant
    assert facts.codec == expected.codec
    assert facts.duration == expected.frames / expected.sample_rate
    assert facts.channel_layout == {1: "mono", 2: "stereo"}[expected.channels]
    assert facts.is_truncated is False


@pytest.mark.parametrize("path", corpus.readable_by_libsndfile(), ids=lambda path: path.name)
def test_libsndfile_says_the_same(path: Path) -> None:
    facts, theirs = mapwave.info(path), soundfile.info(path)
    assert (facts.frames, facts.sample_rate, facts.channels) == (
        theirs.frames,
        theirs.samplerate,
        theirs.channels,
    )
    assert facts.bits == SUBTYPES[theirs.subtype]
    assert 0 < facts.bit_depth <= 64


@pytest.mark.parametrize("path", sorted((corpus.FIXTURES / "valid").glob("*.[wac]*")), ids=lambda path: path.name)
def test_info_and_load_agree_on_the_number_of_frames(path: Path) -> None:
    facts, (audio, rate) = mapwave.info(path), mapwave.load(path)
    assert (facts.frames, facts.channels, facts.sample_rate) == (*audio.shape, rate)


@pytest.mark.parametrize("bytes_left", [0, 1, 3, 4, 100, 399])
def test_a_file_that_was_cut_off_says_so(tmp_path: Path, bytes_left: int) -> None:
    whole = wavefile.encode(np.arange(200, dtype=np.int16).reshape(-1, 2))
    path = tmp_path / "cut.wav"
    path.write_bytes(whole[: 44 + bytes_left])
    facts = mapwave.info(path)
    assert facts.is_truncated is True
    assert facts.frames == bytes_left // 4
    audio = mapwave.numpy.load(path, dtype="int16")[0]
    np.testing.assert_array_equal(audio.ravel(), np.arange(2 * (bytes_left // 4), dtype=np.int16))


def test_info_of_bytes_and_of_an_open_reader_is_the_same() -> None:
    facts = mapwave.info(corpus.RECORDING)
    assert mapwave.info(corpus.RECORDING.read_bytes()) == facts
    with mapwave.open(corpus.RECORDING) as reader:
        assert reader.info() == facts


def test_equal_facts_are_equal_and_others_are_not() -> None:
    assert mapwave.info(corpus.PCM16) == mapwave.info(str(corpus.PCM16))
    assert mapwave.info(corpus.PCM16) != mapwave.info(corpus.FLOAT32)
    assert mapwave.info(corpus.PCM16) != "wav"


def test_info_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        mapwave.info(corpus.PCM16).frames = 1


def test_repr_names_every_field_and_its_value_in_short_lines() -> None:
    assert repr(mapwave.info(corpus.RECORDING)) == (
        "AudioInfo(\n"
        "    frames=232608, sample_rate=48000, channels=2, duration=4.846, container='wav',\n"
        "    container_variant='wav', codec='pcm_s16le', subtype='pcm16', bit_depth=16, bits=16,\n"
        "    channel_layout='stereo', is_lossless=True, is_truncated=False, plugin=None,\n"
        "    priming_frames=0, padding_frames=0, tags={}, pictures=(), markers=(), loops=(), bext=None,\n"
        "    bitrate=1536000,\n"
        "    tracks=(Track(index=0, codec='pcm_s16le', language=None, channels=2, sample_rate=48000, "
        "is_default=True),),\n"
        "    plugin_errors=(),\n"
        ")"
    )


def test_repr_shows_the_tags_and_makes_the_same_facts(tmp_path: Path) -> None:
    path = tmp_path / "tagged.flac"
    tags = {"artist": "Ä", "title": 'It\'s "loud"'}
    mapwave.save(path, np.zeros(5000, np.float32), 8000, tags=tags)
    facts = mapwave.info(path)
    assert tags.items() <= facts.tags.items()
    assert str(facts.tags) in repr(facts)
    assert eval(repr(facts), {"AudioInfo": mapwave.AudioInfo, "Track": mapwave.Track}) == facts


def test_asdict_has_every_field_in_order_and_is_the_callers_own() -> None:
    facts = mapwave.info(corpus.RECORDING)
    as_dict = facts.asdict()
    assert tuple(as_dict) == FIELDS == tuple(mapwave.AudioInfo.__annotations__)
    tracks = [track.asdict() for track in facts.tracks]
    assert as_dict == {field: getattr(facts, field) for field in FIELDS} | {"tracks": tracks} | {
        name: [] for name in ("pictures", "markers", "loops", "plugin_errors")
    }
    assert json.loads(json.dumps(as_dict)) == as_dict
    as_dict["tags"]["title"] = as_dict["frames"] = 1
    assert facts == mapwave.info(corpus.RECORDING)
    assert mapwave.AudioInfo(**facts.asdict()) == facts


def test_the_types_of_the_fields_are_those_of_their_values() -> None:
    kinds = {"int": int, "float": float, "bool": bool, "str": str, "dict[str, str]": dict, "None": type(None)}
    kinds |= {f"tuple[{kind}, ...]": tuple for kind in ("Track", "str", "Picture", "Marker", "Loop")}
    kinds |= {"Bext": mapwave.Bext}
    for path in (corpus.RECORDING, *sorted((corpus.FIXTURES / "compressed").glob("*.mp3"))[:1]):
        info = mapwave.info(path)
        for field, value in ((field, getattr(info, field)) for field in FIELDS):
            allowed = [kinds[kind] for kind in mapwave.AudioInfo.__annotations__[field].split(" | ")]
            assert type(value) in allowed, (path, field, value)


def test_what_is_not_known_is_none(tmp_path: Path) -> None:
    flac = tmp_path / "a.flac"
    mapwave.save(flac, np.zeros(5000, np.int16), 44_100)
    facts = mapwave.info(flac)
    assert (facts.bit_depth, facts.bits, facts.container_variant) == (16, None, None)
    mp3 = tmp_path / "a.mp3"
    mapwave.save(mp3, np.zeros(5000, np.float32), 44_100)
    facts = mapwave.info(mp3)
    assert (facts.bit_depth, facts.bits) == (None, None)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_info_pickles(protocol: int) -> None:
    facts = mapwave.info(corpus.FIXTURES / "valid" / "aiff-pcm24.aiff")
    again = pickle.loads(pickle.dumps(facts, protocol))
    assert again == facts
    assert [getattr(again, field) for field in FIELDS] == [getattr(facts, field) for field in FIELDS]


def test_info_can_be_copied() -> None:
    facts = mapwave.info(corpus.PCM16)
    assert copy.deepcopy(facts) == copy.copy(facts) == facts


def test_an_unknown_speaker_arrangement_is_none(tmp_path: Path) -> None:
    path = wavefile.write(tmp_path / "seven.wav", np.zeros((10, 7), np.int16))
    assert mapwave.info(path).channel_layout is None
