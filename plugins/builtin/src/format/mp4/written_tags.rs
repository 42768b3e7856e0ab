//! Tags in iTunes' form, as they are written.

#![forbid(unsafe_code)]

use super::tags::NAMES;
use super::written_atoms::{atom, full};

/// The type of a value that is UTF-8, and of one that has a form of its own.
const TEXT: u32 = 1;
const OWN: u32 = 0;

/// The `udta` of a movie with these tags; empty without tags.
pub(super) fn user_data(tags: &[(&str, &str)]) -> Vec<u8> {
    let find = |wanted: &str| tags.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let mut items = Vec::new();
    for (name, value) in tags {
        let known = NAMES.iter().find(|(_, known)| known == name);
        match (*name, known) {
            // Each of them is a part of one item.
            ("tracktotal", _) if number(find("tracknumber")).is_some() => {}
            ("disctotal", _) if number(find("discnumber")).is_some() => {}
            ("tracknumber", _) => counted(&mut items, *b"trkn", name, value, find("tracktotal"), 8),
            ("discnumber", _) => counted(&mut items, *b"disk", name, value, find("disctotal"), 6),
            (_, Some((kind, _))) => items.extend(atom(*kind, &data(TEXT, value.as_bytes()))),
            _ => items.extend(freeform(name, value)),
        }
    }
    if items.is_empty() {
        return Vec::new();
    }
    let hdlr = full(*b"hdlr", 0, 0, &[&[0; 4], b"mdirappl", &[0; 9]]);
    atom(*b"udta", &full(*b"meta", 0, 0, &[&hdlr, &atom(*b"ilst", &items)]))
}

/// A number of the form "3" or "3/12", which fits into the item.
fn number(value: Option<&str>) -> Option<(u16, u16)> {
    let (number, total) = value?.split_once('/').unwrap_or((value?, "0"));
    Some((number.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// An item with a number and a total; text where it is not a number.
fn counted(items: &mut Vec<u8>, kind: [u8; 4], name: &str, value: &str, total: Option<&str>, length: usize) {
    let Some((number, own)) = number(Some(value)) else { return items.extend(freeform(name, value)) };
    let total = total.and_then(|total| total.trim().parse().ok()).unwrap_or(own);
    let mut fields = [0, number, total].map(u16::to_be_bytes).concat();
    fields.resize(length, 0);
    items.extend(atom(kind, &data(OWN, &fields)));
}

/// An item that is named by a word.
fn freeform(name: &str, value: &str) -> Vec<u8> {
    let mean = full(*b"mean", 0, 0, &[b"com.apple.iTunes"]);
    let name = full(*b"name", 0, 0, &[name.as_bytes()]);
    atom(*b"----", &[mean, name, data(TEXT, value.as_bytes())].concat())
}

fn data(kind: u32, value: &[u8]) -> Vec<u8> {
    atom(*b"data", &[&kind.to_be_bytes()[..], &[0; 4], value].concat())
}
