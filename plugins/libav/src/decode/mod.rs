//! Decoding: from a file to frames.
//!
//! Opening a file scans all packets of the stream once and stores their positions: so the number of frames is exact,
//! and a seek is a lookup in a list, with a new codec and its pre-roll. Neither depends on libav's own seeking.
//!
//! | module | what |
//! |---|---|
//! | `probe` | whether a file is for libav at all |
//! | `identify`, `amr` | formats without a header, by their frames |
//! | `io`, `demuxer` | the host's bytes as a file of libavformat's |
//! | `store` | the packets, where they lie in the file |
//! | `durations`, `timeline` | how many frames each stands for, and which of them are heard |
//! | `promise`, `promise_chunks`, `pieces` | what a container says of its length |
//! | `changes` | where a stream changes its rate or channels |
//! | `parameters`, `codec` | what a stream needs to be decoded, and what comes out |
//! | `trial` | decoding to find out what only that can tell |
//! | `seeking`, `overlap` | what a seek promises, and the proof that a codec keeps it |
//! | `items` | attached pictures and chapters |
//! | `container` | what people call the container |
//! | `stream` | what is known of a file |
//! | `decoder` | the trait of the SDK |

mod amr;
mod changes;
mod codec;
mod container;
mod decoder;
mod demuxer;
mod durations;
mod identify;
mod io;
mod items;
mod measured;
mod overlap;
mod parameters;
mod pieces;
mod probe;
mod promise;
mod promise_chunks;
mod seeking;
mod store;
mod stream;
mod timeline;
mod trial;
mod wavpack;

pub use decoder::LibavDecoder;
