use crate::error::{Error, Result};
use crate::track::Track;

pub(super) fn parse(_head: &[u8], _file_len: u64) -> Result<Track> {
    Err(Error::Unsupported { path: None, container: None, codec: None, what: String::new() })
}
