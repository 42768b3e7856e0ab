//! The links of a chain, and the chosen stream in each (RFC 3533, section 4).

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Memory, Result, Sweep};

use super::flac;
use super::page::{Page, Pages};
use crate::tags::id3v2;

/// The kind of a stream, from its first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Vorbis,
    Flac,
    Opus,
    /// Audio that this decoder does not support.
    OtherAudio(&'static str),
    /// Anything else.
    Other(&'static str),
}

impl Kind {
    /// The kind of a stream with this first packet.
    pub(crate) fn of(packet: &[u8]) -> Self {
        const SIGNATURES: [(&[u8], Kind); 12] = [
            (b"\x01vorbis", Kind::Vorbis),
            (flac::SIGNATURE, Kind::Flac),
            (b"OpusHead", Kind::Opus),
            (b"Speex   ", Kind::OtherAudio("Speex")),
            (b"CELT    ", Kind::OtherAudio("CELT")),
            (b"PCM     ", Kind::OtherAudio("OggPCM")),
            (b"fLaC", Kind::OtherAudio("FLAC in an early mapping")),
            (b"\x80theora", Kind::Other("Theora")),
            (b"BBCD", Kind::Other("Dirac")),
            (b"OVP80", Kind::Other("VP8")),
            (b"fishead", Kind::Other("a skeleton")),
            (b"\x80kate", Kind::Other("Kate")),
        ];
        let known = SIGNATURES.iter().find(|(signature, _)| packet.starts_with(signature));
        known.map_or(Self::Other("an unknown codec"), |(_, kind)| *kind)
    }

    pub(crate) fn is_audio(self) -> bool {
        !matches!(self, Self::Other(_))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vorbis => "Vorbis",
            Self::Flac => "FLAC",
            Self::Opus => "Opus",
            Self::OtherAudio(name) | Self::Other(name) => name,
        }
    }
}

/// One link: the pages of the chosen stream.
#[derive(Debug)]
pub(crate) struct LinkPages {
    pub(crate) kind: Kind,
    /// Where the first page of any stream of the link is.
    pub(crate) begin: usize,
    /// Their offsets.
    pub(crate) offsets: Vec<usize>,
}

/// The links of a file.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) links: Vec<LinkPages>,
    /// Whether the file ends within a page.
    pub(crate) is_cut: bool,
    /// Why the link behind these is none of them.
    pub(crate) other: Option<Error>,
}

/// The links of a file, up to one without such a stream.
///
/// # Errors
/// When there is no such stream in the first link, or it is not supported.
pub(crate) fn find_links(bytes: &Memory, stream: u32) -> Result<Links> {
    let mut links: Vec<LinkPages> = Vec::new();
    // The streams at the beginning of the current link, and the one chosen after their first pages.
    let mut group: Vec<(usize, u32, Kind)> = Vec::new();
    let mut chosen = None;
    let mut pages = Pages::new(bytes);
    let mut sweep = Sweep::new(bytes.clone(), 0);
    for page in pages.by_ref() {
        sweep.pass(page.offset);
        if page.is_first {
            if chosen.take().is_some() {
                group.clear();
            }
            group.push((page.offset, page.serial, Kind::of(page.body)));
            continue;
        }
        if group.is_empty() {
            continue; // not a stream of this link
        }
        let serial = match chosen {
            Some(serial) => serial,
            None => match begin(&mut links, &group, stream) {
                Ok(serial) => *chosen.insert(serial),
                Err(error) if links.is_empty() => return Err(error),
                Err(error) => return Ok(Links { links, is_cut: false, other: Some(error) }),
            },
        };
        if page.serial == serial
            && let Some(link) = links.last_mut()
        {
            link.offsets.push(page.offset);
        }
    }
    let mut other = None;
    if chosen.is_none() && !group.is_empty() {
        match begin(&mut links, &group, stream) {
            Err(error) if links.is_empty() => return Err(error),
            result => other = result.err(),
        }
    }
    if links.is_empty() {
        return Err(Error::bad_data(0, "the file has no first page of an Ogg stream"));
    }
    Ok(Links { links, is_cut: pages.is_cut, other })
}

/// Starts a link with the audio stream of that number, and returns its serial number.
fn begin(links: &mut Vec<LinkPages>, group: &[(usize, u32, Kind)], stream: u32) -> Result<u32> {
    let place = group.first().map_or(0, |(offset, ..)| *offset) as u64;
    let audio = group.iter().filter(|(.., kind)| kind.is_audio());
    let Some((offset, serial, kind)) = audio.clone().nth(stream as usize) else {
        let names: Vec<&str> = group.iter().map(|(.., kind)| kind.name()).collect();
        let (num_audio, names) = (audio.count(), names.join(", "));
        let message = format!("there is no sound track {stream}: the Ogg file has {num_audio} ({names})");
        return Err(Error::unsupported(message).at(place));
    };
    if let Kind::OtherAudio(name) = kind {
        let message = format!("{name} in Ogg needs the libav plugin");
        return Err(Error::unsupported(message).at(*offset as u64));
    }
    let begin = group.first().map_or(*offset, |(begin, ..)| *begin);
    links.push(LinkPages { kind: *kind, begin, offsets: vec![*offset] });
    Ok(*serial)
}

/// The codec of the first audio stream, if the head contains its first page.
pub(crate) fn first_audio(head: &[u8]) -> Option<Kind> {
    chosen_kind(head, 0).or_else(|| first_kinds(head).last())
}

/// The codec of the audio stream of that number, if the file begins with its first page.
pub(crate) fn chosen_kind(bytes: &[u8], stream: u32) -> Option<Kind> {
    first_kinds(bytes).filter(|kind| kind.is_audio()).nth(usize::try_from(stream).ok()?)
}

/// The codecs of all streams; the first pages of a link's streams are consecutive.
fn first_kinds(bytes: &[u8]) -> impl Iterator<Item = Kind> {
    let mut offset = id3v2::leading_bytes(bytes);
    std::iter::from_fn(move || {
        let page = Page::parse(bytes, offset).filter(|page| page.is_first)?;
        offset = page.end();
        Some(Kind::of(page.body))
    })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_plugin::Input;

    use super::super::page::tests::page;
    use super::*;

    fn memory(bytes: Vec<u8>) -> Memory {
        Input::from(bytes).into_memory(0).expect("memory")
    }

    #[test]
    fn the_stream_wanted_is_found_in_every_link() {
        let begin =
            |serial, body: &[u8]| page(2, 0, serial, 0, &[u8::try_from(body.len()).unwrap_or(0)], body);
        let data = |serial, sequence| page(0, 5, serial, sequence, &[1], b"x");
        let bytes = [
            begin(1, b"\x80theora"),
            begin(2, b"\x01vorbis"),
            begin(3, b"\x7FFLAC"),
            data(1, 1),
            data(2, 1),
            data(3, 1),
            begin(9, b"\x01vorbis"),
            begin(8, b"\x7FFLAC"),
            data(8, 1),
        ]
        .concat();
        let bytes = memory(bytes);
        let Links { links, is_cut, other } = find_links(&bytes, 0).expect("links");
        assert!(!is_cut && other.is_none());
        assert_eq!(
            links.iter().map(|link| (link.kind, link.offsets.len())).collect::<Vec<_>>(),
            [(Kind::Vorbis, 2), (Kind::Vorbis, 1)]
        );
        let links = find_links(&bytes, 1).expect("links").links;
        assert_eq!(
            links.iter().map(|link| (link.kind, link.offsets.len())).collect::<Vec<_>>(),
            [(Kind::Flac, 2), (Kind::Flac, 2)]
        );
        assert!(find_links(&bytes, 2).is_err_and(|error| error.message().contains("Theora")));
        assert!(
            find_links(&memory(begin(1, b"Speex   ")), 0)
                .is_err_and(|error| error.message().contains("Speex"))
        );
        assert_eq!(first_audio(&bytes), Some(Kind::Vorbis));
        // A link of another codec ends the stream.
        let speex = [begin(1, b"\x01vorbis"), data(1, 1), begin(2, b"Speex   "), data(2, 1)].concat();
        let found = find_links(&memory(speex), 0).expect("links");
        assert_eq!(found.links.len(), 1);
        assert!(found.other.is_some_and(|error| error.message().contains("Speex")));
    }
}
