//! Movie fragments: packets with their description next to them (ISO/IEC 14496-12, 8.8).

#![forbid(unsafe_code)]

use mapwave_plugin::Result;

use super::atoms::Atom;
use super::sample_table::Timeline;
use crate::bytes::Bytes;
use crate::engine::packet_table::{Added, PacketTable};

/// The defaults of a track's packets for fields that a fragment omits ("trex", 8.8.3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Defaults {
    duration: u32,
    size: u32,
}

impl Defaults {
    /// Reads the defaults of a track from a movie ("moov"); all are unknown without them.
    ///
    /// # Errors
    /// When a box is truncated.
    pub(crate) fn read(moov: Bytes<'_>, track: u32) -> Result<Self> {
        let Some(mvex) = moov.find(*b"mvex") else { return Ok(Self::default()) };
        for found in mvex.boxes().filter(|found| found.kind == *b"trex") {
            let mut trex = found.payload;
            trex.version_and_flags()?;
            if trex.u32()? == track {
                trex.u32()?; // the number of the sample description
                return Ok(Self { duration: trex.u32()?, size: trex.u32()? });
            }
        }
        Ok(Self::default())
    }
}

/// Adds the packets of a track in a fragment ("moof"); false if the file ends before the last.
///
/// # Errors
/// When boxes are truncated or packets do not fit the file.
pub(crate) fn read_packets(
    moof: &Atom<'_>,
    track: u32,
    defaults: Defaults,
    table: &mut PacketTable,
    timeline: &mut Timeline<'_>,
) -> Result<bool> {
    // Without a base, offsets of a fragment's first track count from the start of the fragment, those of others from
    // the end of the track before.
    let mut end = moof.offset;
    for traf in moof.payload.boxes().filter(|found| found.kind == *b"traf") {
        let header = Header::read(traf.payload, defaults)?;
        let mut base = header.base;
        if header.base_is_moof {
            base = Some(moof.offset);
        }
        let base = base.unwrap_or(end);
        let mut next = base;
        for trun in traf.payload.boxes().filter(|found| found.kind == *b"trun") {
            let run = Run::read(trun.payload, &header)?;
            next = run.data_offset.map_or(next, |offset| base.saturating_add_signed(offset.into()));
            let is_wanted = header.track == track;
            match run.read_packets(next, is_wanted.then_some((&mut *table, &mut *timeline)))? {
                Some(end) => next = end,
                None => return Ok(false),
            }
        }
        end = next;
    }
    Ok(true)
}

/// The defaults of a track's packets in a fragment ("tfhd", 8.8.7).
#[derive(Clone, Copy, Debug)]
struct Header {
    track: u32,
    base: Option<u64>,
    base_is_moof: bool,
    defaults: Defaults,
}

impl Header {
    fn read(traf: Bytes<'_>, mut defaults: Defaults) -> Result<Self> {
        let mut tfhd = traf.find(*b"tfhd").unwrap_or(Bytes::new(&[]));
        let (_, flags) = tfhd.version_and_flags()?;
        let track = tfhd.u32()?;
        let base = if flags & 1 != 0 { Some(tfhd.u64()?) } else { None };
        if flags & 2 != 0 {
            tfhd.u32()?; // the number of the sample description
        }
        if flags & 8 != 0 {
            defaults.duration = tfhd.u32()?;
        }
        if flags & 0x10 != 0 {
            defaults.size = tfhd.u32()?;
        }
        Ok(Self { track, base, base_is_moof: base.is_none() && flags & 0x2_0000 != 0, defaults })
    }
}

/// Consecutive packets ("trun", 8.8.8).
struct Run<'a> {
    flags: u32,
    num_packets: u32,
    data_offset: Option<i32>,
    defaults: Defaults,
    entries: Bytes<'a>,
}

impl<'a> Run<'a> {
    fn read(mut trun: Bytes<'a>, header: &Header) -> Result<Self> {
        let (_, flags) = trun.version_and_flags()?;
        let num_packets = trun.u32()?;
        let data_offset = if flags & 1 != 0 { Some(trun.u32()?.cast_signed()) } else { None };
        if flags & 4 != 0 {
            trun.u32()?; // flags of the first packet
        }
        Ok(Self { flags, num_packets, data_offset, defaults: header.defaults, entries: trun })
    }

    /// Adds the packets and returns where they end; `None` if the file ends before.
    fn read_packets(
        mut self,
        mut offset: u64,
        mut wanted: Option<(&mut PacketTable, &mut Timeline<'_>)>,
    ) -> Result<Option<u64>> {
        if self.flags & 0xf00 == 0 && wanted.is_none() {
            // There may be billions, with nothing to read for each.
            let num_bytes = u64::from(self.num_packets).saturating_mul(self.defaults.size.into());
            return Ok(Some(offset.saturating_add(num_bytes)));
        }
        for _ in 0..self.num_packets {
            let Defaults { mut duration, mut size } = self.defaults;
            if self.flags & 0x100 != 0 {
                duration = self.entries.u32()?;
            }
            if self.flags & 0x200 != 0 {
                size = self.entries.u32()?;
            }
            for flag in [0x400, 0x800] {
                if self.flags & flag != 0 {
                    self.entries.u32()?; // flags, composition offset
                }
            }
            if let Some((table, timeline)) = &mut wanted {
                if table.push(offset, size)? == Added::BeyondEnd {
                    return Ok(None);
                }
                timeline.add(table, 1, duration)?;
            }
            offset = offset.saturating_add(size.into());
        }
        Ok(Some(offset))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;
    use crate::codec::aac::AacSetup;
    use crate::codec::packet_setup::AudioSetup;

    fn atom(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(payload);
        bytes
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// The positions of packets, their numbers of frames, and whether all are complete.
    type Found = (Vec<(u64, u32)>, u64, bool);

    fn packets(trafs: &[Vec<u8>], track: u32) -> Result<Found> {
        let bytes = atom(b"moof", &trafs.concat());
        let moof = Bytes::new(&bytes).boxes().next().unwrap();
        let setup = AudioSetup::Aac(AacSetup::new(2, 44100, 2).unwrap());
        let (mut table, mut timeline) = (PacketTable::new(2000, 1 << 20), Timeline::new(&setup, 44100));
        let defaults = Defaults { duration: 1024, size: 9 };
        let is_whole = read_packets(&moof, track, defaults, &mut table, &mut timeline)?;
        timeline.finish(&mut table, &[])?;
        let places = (0..).map_while(|n| table.get(n)).map(|place| (place.offset, place.num_bytes)).collect();
        Ok((places, table.num_frames(), is_whole))
    }

    fn traf(tfhd: &[u32], truns: &[&[u32]]) -> Vec<u8> {
        let mut inside = atom(b"tfhd", &words(tfhd));
        truns.iter().for_each(|trun| inside.extend(atom(b"trun", &words(trun))));
        atom(b"traf", &inside)
    }

    #[test]
    fn sizes_and_durations_come_from_the_packet_the_fragment_or_the_movie() {
        let each = traf(&[0x2_0000, 1], &[&[0x301, 2, 100, 1024, 30, 500, 40]]);
        assert_eq!(packets(&[each], 1).unwrap(), (vec![(100, 30), (130, 40)], 1524, true));
        let fragment = traf(&[0x2_0018, 1, 1000, 7], &[&[1, 2, 100], &[0x200, 1, 5]]);
        assert_eq!(packets(&[fragment], 1).unwrap(), (vec![(100, 7), (107, 7), (114, 5)], 2048 + 1000, true));
        let movie = traf(&[1, 1, 0, 600], &[&[1, 2, 10]]);
        assert_eq!(packets(&[movie], 1).unwrap(), (vec![(610, 9), (619, 9)], 2048, true));
    }

    #[test]
    fn data_of_a_later_track_follows_the_one_before() {
        let first = traf(&[0, 1], &[&[0x201, 2, 100, 3, 4]]);
        let second = traf(&[0x10, 2, 8], &[&[0, 2]]);
        assert_eq!(packets(&[first, second], 2).unwrap().0, [(107, 8), (115, 8)]);
    }

    #[test]
    fn counts_that_lie_end_soon() {
        let huge = traf(&[0x2_0000, 1], &[&[1, u32::MAX, 100]]);
        let (places, _, is_whole) = packets(std::slice::from_ref(&huge), 1).unwrap();
        assert_eq!((places.len(), is_whole), (211, false));
        assert_eq!(packets(&[huge], 2).unwrap().0, []);
        let cut = traf(&[0x2_0000, 1], &[&[0x201, u32::MAX, 100, 1]]);
        assert_eq!(packets(&[cut], 1).unwrap_err().status(), Status::BadData);
        let empty = traf(&[0x2_0010, 1, 0], &[&[1, u32::MAX, 100]]);
        assert_eq!(packets(&[empty], 1).unwrap_err().status(), Status::BadData);
    }
}
