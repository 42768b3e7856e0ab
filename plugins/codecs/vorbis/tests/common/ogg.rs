//! The packets of Ogg files (RFC 3533), as far as tests need them.

use mapwave_vorbis::Setup;

/// The first Vorbis stream of a file.
pub struct File {
    pub identification: Vec<u8>,
    pub setup_header: Vec<u8>,
    /// The audio packets.
    pub packets: Vec<Vec<u8>>,
    /// The position of the last page.
    pub end: i64,
}

impl File {
    pub fn parse(bytes: &[u8]) -> Self {
        let mut stream = None;
        let (mut packets, mut packet, mut end) = (Vec::new(), Vec::new(), 0);
        let mut rest = bytes;
        while rest.starts_with(b"OggS") {
            let serial = u32::from_le_bytes(rest[14..18].try_into().unwrap());
            let num_segments = usize::from(rest[26]);
            let lacing = &rest[27..27 + num_segments];
            let mut body = &rest[27 + num_segments..];
            let is_mine = match stream {
                Some(stream) => stream == serial,
                None => body.starts_with(b"\x01vorbis"),
            };
            if is_mine {
                stream = Some(serial);
                end = i64::from_le_bytes(rest[6..14].try_into().unwrap());
            }
            let is_last = is_mine && rest[5] & 4 != 0;
            for size in lacing {
                let (piece, after) = body.split_at(usize::from(*size));
                body = after;
                if is_mine {
                    packet.extend_from_slice(piece);
                    if *size < 255 {
                        packets.push(std::mem::take(&mut packet));
                    }
                }
            }
            rest = body;
            if is_last {
                break;
            }
        }
        let audio = packets.split_off(3);
        let [identification, _, setup_header] = packets.try_into().unwrap();
        Self { identification, setup_header, packets: audio, end }
    }

    pub fn setup(&self) -> Setup {
        Setup::parse(&self.identification, &self.setup_header, 1 << 26).unwrap()
    }
}
