"""MP4 and QuickTime: what the edit list says is played, and where the durations say that the sound ends."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import mp4file
import numpy as np
import pytest

COMPRESSED = corpus.FIXTURES / "compressed"

# The movie counts in milliseconds, of 48 frames each.
NAMES = ["aac.m4a"]


def load(data: bytes, **arguments: object) -> np.ndarray:
    """The frames that the built-in plugin returns."""
    frames, _ = mapwave.numpy.load(data, plugin="builtin", dtype="float32", **arguments)
    return frames


class Whole:
    """A file of one edit, its frames, and those of its whole media."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sr = mapwave.info(data).sample_rate
        place = mp4file.find(data, (*mp4file.EDITS, b"elst"))
        self.start = 0
        if place is not None:
            self.start = max(0, int.from_bytes(data[place[0] + 20 : place[0] + 24], "big", signed=True))
        self.frames = load(data)

    def played(self, edits: list[mp4file.Edit], **how: object) -> np.ndarray:
        """The frames of the file with other edits."""
        return load(mp4file.with_edits(self.data, edits, **how))

    def frames_of(self, ms: int) -> int:
        """Milliseconds in frames, where that is a whole number."""
        assert ms * self.sr % 1000 == 0
        return ms * self.sr // 1000

    def tick(self, ms: int) -> int:
        """A time of the sound in ticks of the track, which are frames."""
        return self.start + self.frames_of(ms)

    def part(self, start_ms: int, end_ms: int) -> np.ndarray:
        """A part of the sound."""
        return self.frames[self.frames_of(start_ms) : self.frames_of(end_ms)]

    def silence(self, ms: int) -> np.ndarray:
        """So much silence."""
        return np.zeros((self.frames_of(ms), self.frames.shape[1]), np.float32)


@pytest.fixture(scope="module", params=[*NAMES, "mp3", "flac", "alac"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    if request.param in NAMES:
        return Whole((COMPRESSED / request.param).read_bytes())
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    path = tmp_path_factory.mktemp("mp4") / "in.mp4"
    codecs = {"mp3": ["libmp3lame", "-b:a", "96k"], "flac": ["flac", "-strict", "-2"], "alac": ["alac"]}
    codec = codecs[request.param]
    command = [ffmpeg, "-v", "error", "-i", corpus.RECORDING, "-t", "1.2", "-ar", "48000", "-c:a", *codec, path]
    if subprocess.run(command, check=False).returncode != 0:
        pytest.skip(f"this ffmpeg does not write {request.param} in MP4")
    return Whole(path.read_bytes())


def test_the_files_are_as_the_tests_need(whole: Whole) -> None:
    assert len(whole.frames) >= whole.frames_of(1000)
    assert abs(whole.frames).max() > 0.01


@pytest.mark.parametrize("is_64_bit", [False, True])
def test_edits_in_a_row_are_one(whole: Whole, is_64_bit: bool) -> None:
    once = whole.played([(1000, whole.start)], is_64_bit=is_64_bit)
    np.testing.assert_array_equal(once, whole.part(0, 1000))
    for joint in (1, 400, 999):
        edits = [(joint, whole.start), (1000 - joint, whole.tick(joint))]
        np.testing.assert_array_equal(whole.played(edits, is_64_bit=is_64_bit), once)


def test_a_part_that_is_cut_out_is_left_out(whole: Whole) -> None:
    edits = [(400, whole.start), (400, whole.tick(600))]
    np.testing.assert_array_equal(whole.played(edits), np.concatenate([whole.part(0, 400), whole.part(600, 1000)]))


def test_an_empty_edit_is_silence(whole: Whole) -> None:
    edits = [(250, -1), (300, whole.start), (100, -1), (50, -1), (200, whole.tick(300)), (30, -1)]
    expected = [whole.silence(250), whole.part(0, 300), whole.silence(150), whole.part(300, 500), whole.silence(30)]
    np.testing.assert_array_equal(whole.played(edits), np.concatenate(expected))


def test_parts_are_played_in_the_order_of_the_list(whole: Whole) -> None:
    edits = [(300, whole.tick(600)), (200, whole.start), (300, whole.tick(600)), (1, whole.tick(7))]
    expected = [whole.part(600, 900), whole.part(0, 200), whole.part(600, 900), whole.part(7, 8)]
    np.testing.assert_array_equal(whole.played(edits), np.concatenate(expected))


def test_a_window_is_a_slice_of_the_whole(whole: Whole) -> None:
    edits = [(100, -1), (300, whole.tick(500)), (50, -1), (450, whole.start), (3, whole.tick(900)), (90, -1)]
    data = mp4file.with_edits(whole.data, edits)
    expected = load(data, threads=1)
    assert len(expected) == whole.frames_of(993) == mapwave.info(data).frames
    for threads in (2, 8):
        np.testing.assert_array_equal(load(data, threads=threads), expected)
    random = np.random.default_rng(4)
    with mapwave.numpy.open(io.BytesIO(data), plugin="builtin", dtype="float32") as reader:
        for start, stop in np.sort(random.integers(0, len(expected) + 1, (100, 2)), axis=1).tolist():
            np.testing.assert_array_equal(load(data, start=start, stop=stop), expected[start:stop])
            reader.seek(start)
            np.testing.assert_array_equal(reader.read(stop - start), expected[start:stop])
    blocks = [block for block, _ in mapwave.numpy.stream(data, chunk_frames=1000, dtype="float32")]
    np.testing.assert_array_equal(np.concatenate(blocks), expected)


def test_what_lies_beyond_the_media_is_cut(whole: Whole) -> None:
    whole_ms = len(whole.frames) * 1000 // whole.sr
    edits = [(100, whole.start), (500, whole.start + 100 * whole.sr), (60_000, whole.tick(whole_ms - 100))]
    expected = np.concatenate([whole.part(0, 100), whole.frames[whole.frames_of(whole_ms - 100) :]])
    found = whole.played(edits)
    # The media goes on behind the sound: its last packet is padded.
    np.testing.assert_array_equal(found[: len(expected)], expected)
    assert len(found) - len(expected) < 4096


def test_another_rate_is_refused(whole: Whole) -> None:
    with pytest.raises(mapwave.UnsupportedFormat, match="edit 0 is played at rate 2, and only rate 1 is supported"):
        whole.played([(500, whole.start)], rate=2)


def test_a_list_that_plays_too_much_is_refused(whole: Whole) -> None:
    with pytest.raises(mapwave.AudioError, match="the edit list plays more than"):
        whole.played([(2**31, -1), (100, whole.start)])


def test_info_tells_priming_and_padding() -> None:
    data = (COMPRESSED / "aac.m4a").read_bytes()
    whole = Whole(data)
    info = mapwave.info(data)
    cut = mapwave.info(mp4file.with_edits(data, [(100, -1), (400, whole.start), (200, whole.tick(600))]))
    assert (cut.frames, cut.priming_frames) == (whole.frames_of(700), whole.start)
    assert cut.padding_frames == info.padding_frames + info.frames - whole.frames_of(800)


@pytest.mark.parametrize("last", [1, 473, 1023])
def test_without_a_list_the_durations_say_where_sound_ends(last: int) -> None:
    data = (COMPRESSED / "aac.m4a").read_bytes()
    num_packets = sum(count for count, _ in mp4file.durations(data))
    all_frames = load(mp4file.with_durations(mp4file.without_edits(data), [(num_packets, 1024)]))
    assert len(all_frames) == num_packets * 1024
    shorter = mp4file.with_durations(mp4file.without_edits(data), [(num_packets - 1, 1024), (1, last)])
    np.testing.assert_array_equal(load(shorter), all_frames[: (num_packets - 1) * 1024 + last])
    assert mapwave.info(shorter).frames == (num_packets - 1) * 1024 + last


@pytest.mark.parametrize(("channels", "is_fragmented"), [(1, False), (1, True), (6, False)])
def test_the_durations_count_whoever_decodes(tmp_path: Path, channels: int, is_fragmented: bool) -> None:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None or (channels > 2 and not any(plugin.id == "libav" for plugin in mapwave.plugins())):
        pytest.skip("needs ffmpeg and, for six channels, the plugin libav")
    path = tmp_path / "in.mp4"
    source = f"sine=441:sample_rate=44100:duration=1.007,aformat=channel_layouts={'mono' if channels == 1 else '5.1'}"
    movflags = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"] if is_fragmented else []
    command = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", source, "-c:a", "aac", "-use_editlist", "0", *movflags, path]
    subprocess.run(command, check=True)
    frames, _ = mapwave.numpy.load(path, dtype="float32")
    # The encoder's priming is part of it: nothing says that it is not sound.
    assert frames.shape == (round(1.007 * 44100) + 1024, channels)
    assert mapwave.info(path).frames == len(frames)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_edits_of_he_aac_count_frames_at_the_rate_of_the_output(tmp_path: Path) -> None:
    source = corpus.FIXTURES.parent / "plugins/codecs/aac/tests/he_aac/stereo_44100.aac"
    whole, cut = tmp_path / "whole.m4a", tmp_path / "cut.m4a"
    copied = ["ffmpeg", "-nostdin", "-v", "error", "-i"]
    subprocess.run([*copied, source, "-c", "copy", whole], check=True)
    subprocess.run([*copied[:-1], "-ss", "0.3", "-i", whole, "-c", "copy", cut], check=True)
    frames, expected = load(cut.read_bytes()), load(whole.read_bytes())
    assert mp4file.find(cut.read_bytes(), (*mp4file.EDITS, b"elst")) is not None
    assert len(frames) == len(expected) - 13_230
    # The noise of high frequencies depends on the packets that are missing; the rest lies where it lay before.
    end = len(expected) - 2000
    errors = {
        shift: np.abs(frames[end - 23_230 : end - 13_230] - expected[end - 10_000 + shift : end + shift]).sum()
        for shift in range(-1200, 1201)
    }
    assert min(errors, key=errors.__getitem__) == 0
