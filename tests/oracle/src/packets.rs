//! The packets of each codec: all instructions and all batches agree on what they are.
//!
//! Bytes are records, each behind its size in two bytes. The first records are the setup of the stream, as the codec has it.

use std::mem::MaybeUninit;

use mapwave_alac::Config as AlacConfig;

/// The most packets that are decoded.
const MAX_PACKETS: usize = 48;

/// The memory that the tables of a Vorbis stream may take.
const MAX_TABLES: u64 = 1 << 24;

/// What a packet decodes to, or why not.
type Outcome = Result<Vec<u32>, String>;

fn records(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut records, mut rest) = (Vec::new(), bytes);
    while let ([low, high, after @ ..], true) = (rest, records.len() < MAX_PACKETS) {
        let count = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        records.push(&after[..count]);
        rest = &after[count..];
    }
    records
}

/// A decoder of any codec.
trait Batches {
    /// Reads the first packets; the number of those that are read, or which is refused and why.
    fn read(&mut self, packets: &[&[u8]]) -> Result<usize, (usize, String)>;
    fn num_kept(&self) -> usize;
    fn samples(&self, index: usize) -> Vec<u32>;
}

macro_rules! batches {
    ($decoder:ty, $sample:ty, $channels:expr, $failed:expr) => {
        impl Batches for $decoder {
            fn read(&mut self, packets: &[&[u8]]) -> Result<usize, (usize, String)> {
                <$decoder>::read(self, packets).map_err($failed)
            }

            fn num_kept(&self) -> usize {
                <$decoder>::num_kept(self)
            }

            fn samples(&self, index: usize) -> Vec<u32> {
                let num_frames = self.kept_frames(index);
                let mut room = vec![MaybeUninit::<$sample>::uninit(); num_frames * $channels(self)];
                let samples = self.write(index, 0..num_frames, &mut room).expect("what is kept is written");
                samples.iter().map(|sample| u32::from_ne_bytes(sample.to_ne_bytes())).collect()
            }
        }
    };
}

batches!(mapwave_aac::Decoder, f32, |decoder: &Self| decoder.config().num_channels(), |error| (
    error.index,
    error.reason.to_string()
));
batches!(mapwave_vorbis::Decoder, f32, |decoder: &Self| decoder.setup().num_channels(), |error| (
    error.index,
    error.reason.to_string()
));
batches!(mapwave_mp3::Decoder, f32, |_: &Self| 2, |error| (0, error.to_string()));
batches!(mapwave_flac::Decoder, i32, |decoder: &Self| decoder.num_channels(), |error| (
    error.index,
    error.reason.to_string()
));
batches!(mapwave_alac::Decoder, i32, |decoder: &Self| decoder.config().num_channels as usize, |error| (
    error.index,
    error.reason.to_string()
));

/// What all packets are, decoded in batches of up to so many.
fn outcomes(decoder: &mut dyn Batches, packets: &[&[u8]], most: usize) -> Vec<Outcome> {
    let (mut outcomes, mut rest) = (Vec::new(), packets);
    while !rest.is_empty() {
        let batch = &rest[..rest.len().min(most)];
        let read = decoder.read(batch);
        if let Err((index, _)) = &read
            && decoder.num_kept() < *index
        {
            // Packets that do not depend on each other: those before the bad one are not kept.
            assert_eq!(decoder.read(&batch[..*index]), Ok(*index), "the packets before one that is refused");
        }
        outcomes.extend((0..decoder.num_kept()).map(|index| Ok(decoder.samples(index))));
        let num_done = match read {
            Ok(num_read) => num_read,
            Err((index, why)) => {
                outcomes.push(Err(why));
                index + 1
            }
        };
        assert!(num_done > 0, "a batch of {} packets is never done", batch.len());
        rest = &rest[num_done.min(rest.len())..];
    }
    outcomes
}

/// Compares the fastest instructions with plain ones, and batches with packets one by one; returns whether any packet
/// decodes.
fn compare<D: Batches>(packets: &[&[u8]], fast: impl Fn() -> D, plain: impl Fn() -> D) -> bool {
    let expected = outcomes(&mut fast(), packets, usize::MAX);
    assert_eq!(expected.len(), packets.len(), "an outcome for each packet");
    let how = [(1, "one by one"), (2, "two by two"), (3, "three by three")];
    for (most, how) in how {
        let found = outcomes(&mut fast(), packets, most);
        let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert!(differs.is_none(), "packet {differs:?} {how}");
    }
    let found = outcomes(&mut plain(), packets, usize::MAX);
    let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    assert!(differs.is_none(), "packet {differs:?} with plain instructions");
    expected.iter().any(Result::is_ok)
}

/// The setup is an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
pub(crate) fn aac(bytes: &[u8]) -> bool {
    use mapwave_aac::{Config, Decoder};
    let records = records(bytes);
    let [setup, packets @ ..] = &*records else { return false };
    let Ok(config) = Config::parse(setup) else { return false };
    // Any packets may have band replication, and those of one channel parametric stereo.
    let replicated = config.with_band_replication();
    let stereo = replicated.and_then(Config::with_parametric_stereo);
    let configs = [Ok(config), replicated, stereo].into_iter().flatten();
    let mut any_decodes = false;
    for config in configs {
        any_decodes |=
            compare(packets, || Decoder::new(&config), || Decoder::new(&config).with_plain_instructions());
    }
    any_decodes
}

/// The setup is a magic cookie.
pub(crate) fn alac(bytes: &[u8]) -> bool {
    use mapwave_alac::Decoder;
    let records = records(bytes);
    let [setup, packets @ ..] = &*records else { return false };
    let Ok(config) = AlacConfig::parse(setup) else { return false };
    // Packets of many frames take long, and test nothing else.
    let Ok(decoder) = Decoder::new(&config) else { return false };
    if Decoder::num_bytes_for(decoder.config()) > 1 << 21 {
        return false;
    }
    let new = || Decoder::new(&config).expect("the setup is valid");
    compare(packets, new, || new().with_plain_instructions())
}

/// The setup is the number of channels and the depth, a byte each.
pub(crate) fn flac(bytes: &[u8]) -> bool {
    use mapwave_flac::Decoder;
    let records = records(bytes);
    let [setup, packets @ ..] = &*records else { return false };
    let &[num_channels, bits, ..] = *setup else { return false };
    let new = || Decoder::new(num_channels.into(), bits.into()).map(Decoder::without_checksums);
    if new().is_err() {
        return false;
    }
    let packets: Vec<Vec<u8>> = packets.iter().map(|packet| crate::repair::flac(packet)).collect();
    let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    let new = || new().expect("the setup is valid");
    compare(&packets, new, || new().with_plain_instructions())
}

/// There is no setup.
pub(crate) fn mp3(bytes: &[u8]) -> bool {
    use mapwave_mp3::Decoder;
    let packets = records(bytes);
    compare(&packets, Decoder::new, || Decoder::new().with_plain_instructions());
    compare(&packets, Decoder::new, || Decoder::new().with_scalar_instructions())
}

/// The setup is the first and the third header.
pub(crate) fn vorbis(bytes: &[u8]) -> bool {
    use mapwave_vorbis::{Decoder, Setup};
    let records = records(bytes);
    let [identification, setup, packets @ ..] = &*records else { return false };
    let Ok(setup) = Setup::parse(identification, setup, MAX_TABLES) else { return false };
    if Decoder::new(&setup).is_err() || Decoder::num_bytes_for(&setup) > 1 << 23 {
        return false;
    }
    let new = || Decoder::new(&setup).expect("the setup is valid");
    compare(packets, new, || new().with_plain_instructions())
}
