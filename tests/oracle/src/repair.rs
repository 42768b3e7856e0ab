//! Checksums made right, so that what stands behind them is reached.

/// The pages of an Ogg stream with their checksums (RFC 3533, section 6, field 7).
pub(crate) fn ogg(bytes: &[u8]) -> Vec<u8> {
    let mut fixed = bytes.to_vec();
    let mut place = 0;
    while let Some(found) = find(&fixed, place, b"OggS") {
        place = found + 4;
        let Some(&num_segments) = fixed.get(found + 26) else { break };
        let body = found + 27 + usize::from(num_segments);
        let Some(lacing) = fixed.get(found + 27..body) else { continue };
        let end = body + lacing.iter().map(|value| usize::from(*value)).sum::<usize>();
        let Some(page) = fixed.get_mut(found..end) else { continue };
        page[22..26].fill(0);
        let sum = page.iter().fold(0, |sum, byte| step(sum, 32, 0x04c1_1db7, *byte));
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        place = end;
    }
    fixed
}

/// The frames of a FLAC file with their checksums (RFC 9639, sections 9.1.8 and 9.3): a frame is taken to end where the next begins.
pub(crate) fn flac(bytes: &[u8]) -> Vec<u8> {
    let mut fixed = bytes.to_vec();
    let mut starts = Vec::new();
    let mut place = 0;
    while let Some(found) =
        find(&fixed, place, b"\xff\xf8").into_iter().chain(find(&fixed, place, b"\xff\xf9")).min()
    {
        place = found + 2;
        let Some(num_bytes) = flac_header(&fixed[found..]) else { continue };
        // Sound can look like a header, but hardly like one of this stream: of its rate, channels and depth.
        let stated = |start: usize| (fixed.get(start + 2).map(|byte| byte & 15), fixed.get(start + 3));
        if starts.first().is_some_and(|first| stated(*first) != stated(found)) {
            continue;
        }
        let sum = fixed[found..found + num_bytes].iter().fold(0, |sum, byte| step(sum, 8, 0x07, *byte));
        fixed[found + num_bytes] = sum as u8;
        starts.push(found);
        place = found + num_bytes;
    }
    let ends = starts.iter().copied().skip(1).chain([fixed.len()]).collect::<Vec<_>>();
    for (start, end) in starts.into_iter().zip(ends) {
        if end - start < 8 {
            continue;
        }
        let sum = fixed[start..end - 2].iter().fold(0, |sum, byte| step(sum, 16, 0x8005, *byte)) as u16;
        fixed[end - 2..end].copy_from_slice(&sum.to_be_bytes());
    }
    fixed
}

/// The bytes of a frame's header before its checksum, if there are as many (RFC 9639, section 9.1).
fn flac_header(bytes: &[u8]) -> Option<usize> {
    let coded = bytes.get(4)?.leading_ones() as usize;
    let sizes = match bytes.get(2)? >> 4 {
        0 => return None,
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rates = match bytes[2] & 15 {
        12 => 1,
        13 | 14 => 2,
        15 => return None,
        _ => 0,
    };
    let end = 4 + coded.max(1) + sizes + rates;
    (coded <= 7 && coded != 1 && bytes[3] >> 4 <= 10 && bytes.len() > end).then_some(end)
}

/// One byte more of a checksum of so many bits, the highest first.
fn step(sum: u32, num_bits: u32, polynomial: u32, byte: u8) -> u32 {
    let (top, mask) = (1 << (num_bits - 1), u32::MAX >> (32 - num_bits));
    let sum = sum ^ u32::from(byte) << (num_bits - 8);
    (0..8).fold(sum, |sum, _| if sum & top == 0 { sum << 1 } else { sum << 1 ^ polynomial } & mask)
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes.get(from..)?.windows(what.len()).position(|window| window == what).map(|place| from + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compressed");
        std::fs::read(fixtures.join(name)).expect("it is there")
    }

    #[test]
    fn whole_files_stay_as_they_are_and_damaged_ones_get_their_checksums() {
        for (name, repair) in
            [("vorbis.ogg", ogg as fn(&[u8]) -> Vec<u8>), ("opus.opus", ogg), ("flac16.flac", flac)]
        {
            let whole = fixture(name);
            assert!(repair(&whole) == whole, "{name}");
        }
        let mut damaged = fixture("vorbis.ogg");
        damaged[22] ^= 1;
        assert!(ogg(&damaged) == fixture("vorbis.ogg"));
    }
}
