//! Packets whose last fill element, which has band replication, is replaced.

#![allow(dead_code)]

/// Bits, one a byte.
pub type Bits = Vec<u8>;

pub fn push(bits: &mut Bits, value: usize, count: u32) {
    bits.extend((0..count).rev().map(|place| (value >> place & 1) as u8));
}

pub fn bits_of(bytes: &[u8]) -> Bits {
    let mut bits = Bits::new();
    bytes.iter().for_each(|byte| push(&mut bits, usize::from(*byte), 8));
    bits
}

pub fn bytes_of(bits: &[u8]) -> Vec<u8> {
    let byte = |bits: &[u8]| bits.iter().enumerate().fold(0, |byte, (place, bit)| byte | bit << (7 - place));
    bits.chunks(8).map(byte).collect()
}

pub fn number(bits: &[u8]) -> usize {
    bits.iter().fold(0, |number, bit| number << 1 | usize::from(*bit))
}

/// The fill elements that may end at a bit: where each begins, and where its payload does.
pub fn fills(bits: &[u8], end: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
    (0..=269).filter_map(move |count| {
        let (header_bits, header) =
            if count < 15 { (7, 6 << 4 | count) } else { (15, (6 << 4 | 15) << 8 | (count - 14)) };
        let payload = end.checked_sub(8 * count)?;
        let start = payload.checked_sub(header_bits)?;
        (number(&bits[start..payload]) == header).then_some((start, payload))
    })
}

/// Of a packet that ends with band replication, and with filling behind it at most, the bits before its fill element and those of its
/// payload, in all ways that it may be read.
pub fn splits(packet: &[u8]) -> Vec<(Bits, Bits)> {
    let bits = bits_of(packet);
    let end = bits.iter().rposition(|bit| *bit == 1).unwrap() - 2;
    let ends = std::iter::once(end).chain(fills(&bits, end).map(|(start, _)| start));
    let found = ends.flat_map(|end| fills(&bits, end).map(move |(start, payload)| (start, payload, end)));
    let found = found.filter(|(_, payload, end)| {
        end - payload > 8 && matches!(number(&bits[*payload..payload + 4]), 13 | 14)
    });
    found.map(|(start, payload, end)| (bits[..start].to_vec(), bits[payload..end].to_vec())).collect()
}

/// A packet that ends with a fill element of this payload.
pub fn packet(before: &[u8], payload: &[u8]) -> Vec<u8> {
    let count = payload.len().div_ceil(8);
    assert!(count <= 269, "{count} bytes");
    let mut bits = before.to_vec();
    push(&mut bits, 6, 3);
    push(&mut bits, count.min(15), 4);
    if count >= 15 {
        push(&mut bits, count - 14, 8);
    }
    bits.extend(payload);
    bits.resize(bits.len() + 8 * count - payload.len(), 0);
    push(&mut bits, 7, 3);
    bytes_of(&bits)
}
