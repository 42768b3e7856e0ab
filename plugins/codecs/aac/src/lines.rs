//! The lines of a channel: its spectrum.

#![forbid(unsafe_code)]

/// The most lines of a channel.
pub(crate) const MAX_LINES: usize = 1024;

/// The lines of a channel, in the order of the packet.
pub(crate) type Lines = [f32; MAX_LINES];
