//! Metadata, read and changed.

use mapwave::OpenOptions;
use mapwave_metadata::{Bext, Edit, Marker, OnUnknown, Options, Picture, plan, read};

/// The most frames that are compared after a change.
const MAX_FRAMES: u64 = 20_000;

/// How much larger a file may become by what is written here.
const MAX_GROWTH: usize = 60_000;

/// With a letter that takes several bytes.
const TITLE: &str = "A ä";

fn title() -> Edit {
    Edit { tags: Some(vec![("title".into(), TITLE.into())]), ..Edit::default() }
}

fn everything() -> Edit {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x05\0\0\0\x07\x08\x02\0\0\0".to_vec();
    let picture = Picture::new([png, vec![7; 300]].concat()).expect("a picture");
    Edit {
        tags: Some(vec![("title".into(), TITLE.into()), ("artist".into(), "B".into())]),
        pictures: Some(vec![picture]),
        markers: Some(vec![Marker { label: "one".into(), start: 100, end: None }]),
        bext: Some(Some(Bext { description: "x".into(), ..Bext::default() })),
        on_unknown: OnUnknown::Drop,
    }
}

fn nothing() -> Edit {
    Edit {
        tags: Some(Vec::new()),
        pictures: Some(Vec::new()),
        markers: Some(Vec::new()),
        bext: Some(None),
        on_unknown: OnUnknown::Drop,
    }
}

/// Reads metadata, writes other metadata, takes it away, and compares the sound; returns whether it can be
/// changed.
///
/// # Panics
/// When what was written is not read, or the sound has changed.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let _ = read(&bytes, &Options { with_data: true, ..Options::default() });
    let before = frames(bytes);
    let mut is_changed = false;
    for (edit, has_title, has_tags) in
        [(title(), true, true), (everything(), false, true), (nothing(), false, false)]
    {
        let Ok(plan) = plan(&bytes, &edit, None) else { continue };
        let Ok(new) = plan.apply(&bytes) else { continue };
        is_changed = true;
        assert_eq!(plan.num_bytes(), new.len() as u64, "as long as it was planned");
        assert!(new.len() < bytes.len() + MAX_GROWTH, "{} bytes became {}", bytes.len(), new.len());
        if before.is_some() {
            assert!(frames(&new) == before, "other sound");
            let found = read(&&*new, &Options::default()).expect("what was written is read");
            let is_title = |(name, value): &(String, String)| name == "title" && value == TITLE;
            assert!(!has_title || found.tags.iter().any(is_title), "the title is not read: {:?}", found.tags);
            assert!(has_tags || found.tags.is_empty(), "tags remain: {:?}", found.tags);
        }
    }
    is_changed
}

/// The first frames of a file that is read.
fn frames(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let reader = OpenOptions::new().open_bytes(bytes.to_vec()).ok()?;
    let num_frames = reader.num_frames();
    let most = (MAX_FRAMES / u64::from(reader.track().num_channels)).max(1);
    let frames = reader.read(0..num_frames.min(most), &mapwave::FrameSpec::default()).ok()?;
    Some((num_frames, frames.bytes().to_vec()))
}
