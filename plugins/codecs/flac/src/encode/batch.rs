//! Encodes a batch of blocks on several threads.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use mapwave_fork::start_scoped;

use crate::encode::digest::SampleDigest;
use crate::encode::frame::FrameEncoder;
use crate::encode::instructions;

/// Fewer blocks are encoded before another thread has started.
const MIN_BLOCKS_PER_THREAD: usize = 2;

/// Encodes `channels` in blocks of `block_size` frames, of which the last may be shorter, and passes their bytes to `deliver`
/// in order. The first block has the number `first_number`. Each encoder works on a thread of its own, the first on this one.
///
/// Threads take the next block from a counter. A block's bytes do not depend on which thread encodes it.
///
/// # Errors
/// Those of `deliver`.
pub(crate) fn encode<E>(
    channels: &[Vec<i32>],
    block_size: usize,
    first_number: u64,
    encoders: &mut [FrameEncoder],
    digest: Option<&mut SampleDigest>,
    mut deliver: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let num_frames = channels.first().map_or(0, Vec::len);
    let num_blocks = num_frames.div_ceil(block_size);
    let encode = |encoder: &mut FrameEncoder, number: usize| {
        let first = number * block_size;
        let last = (first + block_size).min(num_frames);
        let block: Vec<&[i32]> =
            channels.iter().map(|channel| channel.get(first..last).unwrap_or_default()).collect();
        instructions::encode(encoder, &block, first_number + number as u64)
    };
    let Some((own, others)) = encoders.split_first_mut() else { return Ok(()) };
    let num_others = others.len().min((num_blocks / MIN_BLOCKS_PER_THREAD).saturating_sub(1));
    if num_others == 0 {
        if let Some(digest) = digest {
            digest.update(channels);
        }
        return (0..num_blocks).try_for_each(|number| deliver(&encode(own, number)));
    }

    let digest = Mutex::new(digest);
    let update_digest = || {
        let digest = digest.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(digest) = digest {
            digest.update(channels);
        }
    };
    let next = AtomicUsize::new(0);
    let encoded: Vec<OnceLock<Vec<u8>>> = (0..num_blocks).map(|_| OnceLock::new()).collect();
    let encode_next = |encoder: &mut FrameEncoder| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let place = encoded.get(number);
        place.is_some_and(|place| place.set(encode(encoder, number)).is_ok())
    };
    let mut num_delivered = 0;
    thread::scope(|scope| {
        for encoder in others.iter_mut().take(num_others) {
            let work = || {
                // MD5 cannot be divided among threads, so the first thread that is free starts it.
                update_digest();
                while encode_next(encoder) {}
            };
            if start_scoped(thread::Builder::new(), scope, work).is_err() {
                break; // the system has no more threads: the others do its work
            }
        }
        while encode_next(own) {
            while let Some(bytes) = encoded.get(num_delivered).and_then(OnceLock::get) {
                deliver(bytes)?;
                num_delivered += 1;
            }
        }
        update_digest();
        Ok(())
    })?;
    encoded.iter().skip(num_delivered).filter_map(OnceLock::get).try_for_each(|bytes| deliver(bytes))
}
