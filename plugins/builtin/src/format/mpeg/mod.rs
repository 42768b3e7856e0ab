//! MPEG-1, MPEG-2 and MPEG-2.5 audio, layers I, II and III: ISO/IEC 11172-3 and 13818-3.
//!
//! [`sync`] finds frames by their [`header`]s, between [`tags`]; [`index`] goes over them once and keeps where they are, with
//! the account of the bit [`reservoir`]; [`xing`] and [`id3`] tell what is known of the sound; [`stream`] makes packets of all
//! that, which [`codec`] decodes, those of layers I and II by [`lower`].

#![forbid(unsafe_code)]

mod codec;
mod decoder;
mod header;
mod id3;
mod index;
mod lower;
mod reservoir;
mod stream;
pub(crate) mod sync;
pub(crate) mod tags;
#[cfg(test)]
mod tests;
pub(crate) mod track;
mod xing;

pub use decoder::MpegDecoder;

/// The header that a packet begins with.
pub(crate) fn header_of(packet: &[u8]) -> Option<header::Header> {
    header::Header::parse(packet)
}

/// The rate and the number of frames of sound that a packet's header tells; `None` when it begins with none.
pub(crate) fn rate_and_frames(packet: &[u8]) -> Option<(u32, u32)> {
    let header = header_of(packet)?;
    Some((header.sample_rate(), header.num_frames().into()))
}
