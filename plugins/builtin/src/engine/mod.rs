//! From packets to a seekable, gapless stream of frames, whatever the format and the codec.

pub(crate) mod increasing;
pub(crate) mod listed;
pub(crate) mod packet_table;
pub(crate) mod packets;
pub(crate) mod patched_file;
pub(crate) mod playlist;
pub(crate) mod saved;
