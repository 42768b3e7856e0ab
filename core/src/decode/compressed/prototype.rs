//! The handle from which a stream's other handles are forked.

#![forbid(unsafe_code)]

use std::thread;
use std::time::Duration;

use mapwave_fork::{Lock, generation};

use crate::host::{Decoder, Failure, Opener, given_up};

/// How long a thread that waits for the handle sleeps, after the first few looks.
const PAUSE: Duration = Duration::from_micros(50);
const NUM_YIELDS: u32 = 20;

/// A handle that one thread uses at a time. It is taken out of its place for that, since a call of a plugin may take long, or
/// never return.
#[derive(Debug)]
pub(super) struct Prototype {
    place: Lock<Place>,
    opener: Opener,
}

/// Where the handle is.
#[derive(Debug, Default)]
enum Place {
    Here(Box<Decoder>),
    /// In use by a thread of the process of this generation.
    Lent(u32),
    /// A call has panicked, or a thread of the parent process was here.
    #[default]
    Lost,
}

impl Prototype {
    pub(super) fn new(decoder: Decoder) -> Self {
        Self { opener: decoder.opener(), place: Lock::with(Place::Here(Box::new(decoder))) }
    }

    /// Makes a call with the handle, after those of other threads. If a thread of the parent process had the handle when this one
    /// was forked, it opens another.
    pub(super) fn with<T>(
        &self,
        stop: &dyn Fn() -> bool,
        call: impl FnOnce(&mut Decoder) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut lease = self.take(stop)?;
        let decoder = match lease.decoder.take() {
            Some(decoder) => decoder,
            None => Box::new(self.opener.open()?),
        };
        call(lease.decoder.insert(decoder))
    }

    fn take(&self, stop: &dyn Fn() -> bool) -> Result<Lease<'_>, Failure> {
        let mut num_looks = 0_u32;
        loop {
            let found = std::mem::replace(&mut *self.place.lock(), Place::Lent(generation()));
            match found {
                Place::Here(decoder) => return Ok(Lease { prototype: self, decoder: Some(decoder) }),
                Place::Lent(borrower) if borrower == generation() => {}
                Place::Lent(_) | Place::Lost => return Ok(Lease { prototype: self, decoder: None }),
            }
            // Another thread may be waiting for a call that hangs.
            if stop() {
                return Err(given_up());
            }
            num_looks = num_looks.saturating_add(1);
            if num_looks <= NUM_YIELDS { thread::yield_now() } else { thread::sleep(PAUSE) }
        }
    }
}

/// The handle while it is in use.
struct Lease<'a> {
    prototype: &'a Prototype,
    decoder: Option<Box<Decoder>>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        *self.prototype.place.lock() = self.decoder.take().map_or(Place::Lost, Place::Here);
    }
}
