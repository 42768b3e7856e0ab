//! Tags and speakers as FFmpeg's programs see them.

use crate::oracle::{has_ffmpeg, probe, probe_named};
use crate::sound::music_16;
use crate::wish::{Wish, pairs};

const TAGS: [(&str, &str); 7] = [
    ("title", "A Títle"),
    ("artist", "Somebody; & others"),
    ("album", "An Album"),
    ("date", "2024"),
    ("genre", "Jazz"),
    ("tracknumber", "7"),
    ("albumartist", "Everybody"),
];

#[test]
fn tags_are_written_into_every_container_that_has_them() {
    if !has_ffmpeg() {
        return;
    }
    for pair in pairs() {
        let (container, _) = pair;
        let wish = Wish { tags: TAGS.to_vec(), ..Wish::new(pair, 48_000, 2) };
        let file = wish.encode(&music_16(48_000, 2, 10_000)).unwrap();
        let all = probe_named(&file, container, "format_tags:stream_tags").unwrap();
        let tags = |name: &str| -> Vec<&str> {
            let named = all.lines().filter_map(|line| line.strip_prefix("TAG:")?.split_once('='));
            named.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
        };
        for (key, value) in TAGS {
            let name = match key {
                "tracknumber" => "track",
                "albumartist" => "album_artist",
                _ => key,
            };
            if container == "caf" {
                continue; // the muxer of some versions leaves them out
            }
            assert_eq!(tags(name), [value], "{pair:?}: {key}");
        }
        let encoder = tags("encoder").concat();
        assert!(!encoder.contains("Lavf5") && !encoder.contains("Lavf6"), "{pair:?}: {encoder}");
    }
}

#[test]
fn several_tags_of_a_name_are_kept() {
    if !has_ffmpeg() {
        return;
    }
    let tags = vec![("artist", "one"), ("artist", "two")];
    for pair in pairs() {
        let wish = Wish { tags: tags.clone(), ..Wish::new(pair, 48_000, 1) };
        let file = wish.encode(&music_16(48_000, 1, 5000)).unwrap();
        let is_there = |text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(pair.0 == "caf" || (is_there("one") && is_there("two")), "{pair:?}");
    }
}

#[test]
fn speakers_are_named() {
    if !has_ffmpeg() {
        return;
    }
    for (pair, num_channels, mask, expected) in [
        (("flac", "flac"), 2, 0, "stereo"),
        (("flac", "flac"), 6, 0x3f, "5.1"),
        (("flac", "flac"), 6, 0x60f, "5.1(side)"),
        (("flac", "flac"), 4, 0x603, "quad(side)"),
        (("flac", "flac"), 8, 0, "7.1"),
        (("wv", "wavpack"), 6, 0x60f, "5.1(side)"),
        (("wv", "wavpack"), 8, 0x63f, "7.1"),
        (("m4a", "aac"), 1, 0x4, "mono"),
        (("m4a", "aac"), 6, 0x3f, "5.1"),
        (("m4a", "aac"), 6, 0x60f, "5.1"),
        // FFmpeg 9 takes six channels without places for a hexagon.
        (("m4a", "aac"), 6, 0, "unknown|hexagonal"),
        (("ogg", "opus"), 6, 0x3f, "5.1"),
        (("ogg", "opus"), 6, 0, "unknown"),
        (("ogg", "vorbis"), 8, 0x63f, "7.1"),
        (("mka", "flac"), 6, 0x3f, "5.1"),
    ] {
        let wish = Wish { channel_mask: mask, ..Wish::new(pair, 48_000, num_channels) };
        let file = wish.encode(&music_16(48_000, num_channels, 5000)).unwrap();
        let found = probe(&file, pair.0, "stream=channel_layout").unwrap();
        assert!(expected.split('|').any(|expected| expected == found), "{pair:?}, {mask:#x}: {found}");
    }
}
