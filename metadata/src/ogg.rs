//! Ogg with Vorbis (Vorbis I specification, appendix A), Opus (RFC 7845) or FLAC (xiph.org/flac/ogg_mapping.html).

use crate::bytes::Bytes;
use crate::comments::Comments;
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::flac::{self, Block};
use crate::input::{MAX_BYTES, ReadAt};
use crate::model::Metadata;
use crate::ogg_page::{self, FIRST, Page};
use crate::options::Options;
use crate::plan::{Piece, Plan};

/// The zeros left behind the comments for later changes.
const ROOM: usize = 1024;

/// The most pages of headers.
const MAX_PAGES: usize = 65_536;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Vorbis,
    Opus,
    Flac,
}

impl Codec {
    /// The bytes before the comments in their packet.
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::Vorbis => b"\x03vorbis",
            Self::Opus => b"OpusTags",
            Self::Flac => b"",
        }
    }
}

/// The headers of the first stream with sound.
struct Headers {
    codec: Codec,
    first: Page,
    sample_rate: u32,
    /// The packets behind the first.
    packets: Vec<Vec<u8>>,
    /// The pages with them.
    pages: Vec<Page>,
    /// Pages of other streams between those.
    others: Vec<Page>,
    /// Where the sound begins.
    end: u64,
}

impl Headers {
    fn read(input: &dyn ReadAt) -> Result<Self> {
        let mut offset = 0;
        let mut found = None;
        for _ in 0..MAX_PAGES {
            let Some(page) = Page::read(input, offset)?.filter(|page| page.flags & FIRST != 0) else { break };
            offset = page.end();
            if found.is_none() {
                let body = page.body(input)?;
                found = identify(&body).map(|(codec, rate)| (codec, rate, page, body));
            }
        }
        let Some((codec, sample_rate, first, head)) = found else {
            return Err(Error::unsupported(
                "an Ogg file without Vorbis, Opus or FLAC; its metadata is not known",
            ));
        };
        let mut this = Self {
            codec,
            first,
            sample_rate,
            packets: Vec::new(),
            pages: Vec::new(),
            others: Vec::new(),
            end: offset,
        };
        // The mapping of FLAC says how many packets follow, or 0.
        let stated = head.get(7..9).and_then(|bytes| Bytes(bytes).u16_be()).unwrap_or(0);
        let (mut open, mut total, mut num_seen, mut has_last) = (Vec::new(), 0, 0, false);
        while this.pages.len() + this.others.len() < MAX_PAGES {
            let Some(page) = Page::read(input, this.end)? else { break };
            this.end = page.end();
            if page.serial != this.first.serial {
                this.others.push(page);
                continue;
            }
            let body = page.body(input)?;
            total += body.len() as u64;
            if total > MAX_BYTES {
                break;
            }
            let mut bytes = Bytes(&body);
            for segment in &page.segments {
                open.extend_from_slice(bytes.take((*segment).into()).unwrap_or_default());
                if *segment < 255 {
                    this.packets.push(std::mem::take(&mut open));
                }
            }
            this.pages.push(page);
            let new = this.packets.get(num_seen..).unwrap_or_default();
            has_last |= new.iter().any(|packet| packet.first().is_some_and(|first| first & 0x80 != 0));
            num_seen = this.packets.len();
            if this.is_complete(stated, has_last) {
                return match open.is_empty() {
                    true => Ok(this),
                    false => Err(Error::malformed(
                        "ogg",
                        this.end,
                        "the sound does not begin on a page of its own",
                    )),
                };
            }
        }
        Err(Error::malformed("ogg", this.end, "the file ends before its headers do"))
    }

    /// Whether these are all headers; of FLAC, the one that is marked as the last may be among them.
    fn is_complete(&self, stated: u16, has_last: bool) -> bool {
        match self.codec {
            Codec::Opus => !self.packets.is_empty(),
            Codec::Vorbis => self.packets.len() >= 2,
            Codec::Flac => has_last || (stated > 0 && self.packets.len() >= stated.into()),
        }
    }

    /// The blocks of FLAC's packets.
    fn blocks(&self) -> Vec<Block> {
        let block = |packet: &Vec<u8>| {
            let (head, body) = packet.split_at_checked(4)?;
            Some(Block { kind: head.first()? & 0x7f, body: body.to_vec() })
        };
        self.packets.iter().filter_map(block).collect()
    }

    fn comments(&self) -> Option<Comments> {
        let block = self.packets.first()?.strip_prefix(self.codec.prefix())?;
        Some(Comments::parse(block))
    }
}

/// The codec of a stream by its first packet, and its rate.
fn identify(packet: &[u8]) -> Option<(Codec, u32)> {
    let rate_at =
        |at: usize| packet.get(at..).and_then(|bytes| Bytes(bytes).u32_le()).filter(|&rate| rate > 0);
    match packet {
        [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => rate_at(12).map(|rate| (Codec::Vorbis, rate)),
        // Opus is decoded at 48 kHz, whatever the rate of the original was.
        [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', ..] => Some((Codec::Opus, 48_000)),
        [0x7f, b'F', b'L', b'A', b'C', ..] => {
            flac::sample_rate(packet.get(17..)?).map(|rate| (Codec::Flac, rate))
        }
        _ => None,
    }
}

pub(crate) fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let headers = Headers::read(input)?;
    let audio_bytes = Some(input.num_bytes().saturating_sub(headers.end));
    let mut metadata = Metadata { audio_bytes, ..Metadata::default() };
    let sample_rate = options.sample_rate.unwrap_or(headers.sample_rate);
    match headers.codec {
        Codec::Flac => flac::read_blocks(&headers.blocks(), sample_rate, options, &mut metadata),
        Codec::Vorbis | Codec::Opus => {
            headers.comments().unwrap_or_default().read(sample_rate, options, &mut metadata);
        }
    }
    Ok(metadata)
}

pub(crate) fn plan(input: &dyn ReadAt, edit: &Edit, rate: Option<u32>) -> Result<Plan> {
    edit.lacks_all("ogg", &["bext"])?;
    let headers = Headers::read(input)?;
    let sample_rate = rate.unwrap_or(headers.sample_rate);
    let mut packets = headers.packets.clone();
    let mut first = headers.first.body(input)?;
    if headers.codec == Codec::Flac {
        let blocks = flac::edited(&headers.blocks(), edit, false, "ogg", sample_rate)?;
        let last = blocks.len().saturating_sub(1);
        packets = blocks.iter().enumerate().map(|(index, block)| block.compose(index == last)).collect();
        let count = u16::try_from(packets.len()).unwrap_or(0);
        if let Some(field) = first.get_mut(7..9) {
            field.copy_from_slice(&count.to_be_bytes());
        }
    } else {
        let Some(comments) = headers.comments() else {
            return Err(Error::malformed(
                "ogg",
                headers.first.end(),
                "the second packet is not that of comments",
            ));
        };
        let comments = comments.edited(edit, true, "ogg", sample_rate)?;
        let mut packet = [headers.codec.prefix(), &comments.compose()].concat();
        // Vorbis ends its comments with a bit. Zeros behind them are ignored (RFC 7845, section 5.2; libvorbis reads no further).
        packet.extend((headers.codec == Codec::Vorbis).then_some(1));
        let old = headers.packets.first().map_or(0, Vec::len);
        let fits = packet.len() <= old;
        packet.resize(if fits { old } else { packet.len() + ROOM }, 0);
        if let Some(place) = packets.first_mut() {
            *place = packet;
        }
        if fits {
            return in_place(input, &headers, &packets);
        }
    }
    let pages = ogg_page::pages(&packets, headers.first.serial, headers.first.number.wrapping_add(1));
    let added =
        u32::try_from(pages.len()).unwrap_or(0).wrapping_sub(u32::try_from(headers.pages.len()).unwrap_or(0));
    let start =
        headers.pages.iter().chain(&headers.others).map(|page| page.offset).min().unwrap_or(headers.end);
    let mut pieces = vec![
        Piece::Kept(0..headers.first.offset),
        Piece::New(headers.first.with_body(input, &first)?),
        Piece::Kept(headers.first.end()..start),
        Piece::New(pages.concat()),
    ];
    pieces.extend(headers.others.iter().map(|page| Piece::Kept(page.offset..page.end())));
    let range = headers.end..input.num_bytes();
    pieces.push(match added {
        0 => Piece::Kept(range),
        _ => Piece::Pages { range, serial: headers.first.serial, added },
    });
    Ok(Plan::new(pieces))
}

/// The old pages with other packets of the same sizes.
fn in_place(input: &dyn ReadAt, headers: &Headers, packets: &[Vec<u8>]) -> Result<Plan> {
    let all = packets.concat();
    let mut bytes = Bytes(&all);
    let mut pieces = Vec::new();
    let mut at = 0;
    for page in &headers.pages {
        let body = usize::try_from(page.body_bytes()).ok().and_then(|num_bytes| bytes.take(num_bytes));
        pieces.push(Piece::Kept(at..page.offset));
        pieces.push(Piece::New(page.with_body(input, body.unwrap_or_default())?));
        at = page.end();
    }
    pieces.push(Piece::Kept(at..input.num_bytes()));
    Ok(Plan::new(pieces))
}

/// Checks that a file can hold an edit.
pub(crate) fn check(edit: &Edit) -> Result<()> {
    edit.lacks_all("ogg", &["bext"])?;
    Comments::default().edited(edit, true, "ogg", 1).map(|_| ())
}
