//! Builds the bytes of small files for the tests.

#![forbid(unsafe_code)]

/// Bytes under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Bytes(pub Vec<u8>);

impl Bytes {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn u16_le(self, value: u16) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn u16_be(self, value: u16) -> Self {
        self.put(&value.to_be_bytes())
    }

    pub fn u32_le(self, value: u32) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn u32_be(self, value: u32) -> Self {
        self.put(&value.to_be_bytes())
    }

    pub fn u64_le(self, value: u64) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn u64_be(self, value: u64) -> Self {
        self.put(&value.to_be_bytes())
    }

    pub fn f64_be(self, value: f64) -> Self {
        self.put(&value.to_be_bytes())
    }
}

fn num_bytes(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}

/// A RIFF chunk, padded.
pub(super) fn chunk_le(id: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if payload.len() % 2 == 1 { &[0] } else { &[] };
    Bytes::new().put(id).u32_le(num_bytes(payload)).put(payload).put(padding).0
}

/// An IFF chunk, padded.
pub(super) fn chunk_be(id: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if payload.len() % 2 == 1 { &[0] } else { &[] };
    Bytes::new().put(id).u32_be(num_bytes(payload)).put(payload).put(padding).0
}
