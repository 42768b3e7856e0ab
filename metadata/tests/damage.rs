//! Damaged files: every cut and every changed byte gives metadata or an error, never a panic, and never more than the file holds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::path::{Path, PathBuf};

use mapwave_metadata::{Bext, Edit, Marker, OnUnknown, Options, Picture, plan, read};

/// A small picture: the start of a PNG.
fn picture() -> Picture {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x05\0\0\0\x07\x08\x02\0\0\0".to_vec();
    Picture::new([png, vec![7; 300]].concat()).unwrap()
}

fn everything() -> Edit {
    let marker = |label: &str, start, end| Marker { label: label.into(), start, end };
    Edit {
        tags: Some(vec![
            ("title".into(), "A ä".into()),
            ("artist".into(), "B".into()),
            ("mood".into(), "C".into()),
        ]),
        pictures: Some(vec![picture()]),
        markers: Some(vec![marker("one", 100, None), marker("two", 200, Some(300))]),
        bext: Some(Some(Bext { description: "x".into(), time_reference: 1 << 40, ..Bext::default() })),
        on_unknown: OnUnknown::Drop,
    }
}

fn fixtures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let files =
        ["compressed", "valid"].into_iter().flat_map(|part| std::fs::read_dir(directory.join(part)).unwrap());
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.metadata().unwrap().len() < 200_000 && path.extension().is_some_and(|end| end != "tsv")
    });
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    files
}

/// A file's head and tail that hold the metadata after everything was added, and the file itself.
fn with_everything() -> Vec<(PathBuf, Vec<u8>)> {
    let with = |path: PathBuf| {
        let old = std::fs::read(&path).unwrap();
        let new = plan(&&*old, &everything(), None).map(|plan| plan.apply(&&*old).unwrap()).unwrap_or(old);
        (path, new)
    };
    fixtures().into_iter().map(with).collect()
}

#[test]
fn what_was_written_is_read() {
    let mut num_read = 0;
    for (path, new) in with_everything() {
        let Ok(found) = read(&&*new, &Options { with_data: true, ..Options::default() }) else { continue };
        if found.markers.is_empty() {
            continue;
        }
        num_read += 1;
        let starts: Vec<_> =
            found.markers.iter().map(|marker| (marker.label.as_str(), marker.start)).collect();
        assert_eq!(starts, [("one", 100), ("two", 200)], "{}", path.display());
        if path.extension().is_none_or(|end| end != "caf") {
            assert_eq!(found.pictures, [picture()], "{}", path.display());
        }
        assert!(found.tags.contains(&("title".into(), "A ä".into())), "{}: {found:?}", path.display());
    }
    assert!(num_read > 20, "{num_read}");
}

#[test]
fn an_edit_and_its_reverse_give_the_bytes_of_the_audio_again() {
    for (path, new) in with_everything() {
        let empty = Edit {
            tags: Some(Vec::new()),
            pictures: Some(Vec::new()),
            markers: Some(Vec::new()),
            bext: Some(None),
            on_unknown: OnUnknown::Error,
        };
        let Ok(plan) = plan(&&*new, &empty, None) else { continue };
        let bare = plan.apply(&&*new).unwrap();
        let found = read(&&*bare, &Options::default()).unwrap();
        assert_eq!((found.tags, found.markers, found.bext), (vec![], vec![], None), "{}", path.display());
        assert!(found.pictures.is_empty());
    }
}

#[test]
fn a_second_edit_of_the_same_size_is_in_place() {
    for (path, new) in with_everything() {
        let Ok(second) = plan(&&*new, &everything(), None) else { continue };
        // Tags without a name of RIFF's are kept once there is an ID3 chunk.
        let new = second.apply(&&*new).unwrap();
        let plan = plan(&&*new, &everything(), None).unwrap();
        let is_whole = path.extension().is_some_and(|end| end == "oga");
        assert!(plan.in_place().is_some() || is_whole, "{}", path.display());
        assert_eq!(plan.num_bytes(), new.len() as u64, "{}", path.display());
    }
}

#[test]
fn cuts_and_changed_bytes_are_no_panic() {
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    let look = |bytes: &[u8]| {
        let _ = read(&bytes, &Options { with_data: true, ..Options::default() });
        if let Ok(plan) = plan(&bytes, &everything(), None) {
            let new = plan.apply(&bytes).unwrap();
            assert!(new.len() < bytes.len() + 40_000, "{} bytes became {}", bytes.len(), new.len());
        }
    };
    for (_, bytes) in with_everything() {
        for _ in 0..60 {
            look(&bytes[..random() % bytes.len()]);
        }
        for length in 0..bytes.len().min(600) {
            look(&bytes[..length]);
        }
        for _ in 0..300 {
            let mut changed = bytes.clone();
            for _ in 0..=random() % 3 {
                // Most metadata is at the ends.
                let part = changed.len().min(3000);
                let at =
                    if random() % 2 == 0 { random() % part } else { changed.len() - 1 - random() % part };
                changed[at] = [0, 0xff, 0x7f, 0x80, random() as u8][random() % 5];
            }
            look(&changed);
        }
    }
}
