//! A source whose bytes are fetched in ranges: a file object, or a file on a server.

#![forbid(unsafe_code)]

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mapwave_fork::{Lock, LongLock, SetOnce};

use super::paged::Paged;
use super::ranged_read::RangedRead;

/// The bytes at the beginning that are kept, since headers are read several times.
const MAX_HEAD: u64 = 64 << 10;

/// How many bytes of the head are fetched at once, at least.
const HEAD_BYTES: u64 = 2 << 10;

/// The bytes that a [`RangedRead`] has.
pub(super) struct Ranged {
    reader: Arc<Timed>,
    len: u64,
    is_streamed: bool,
    /// Held over a call of the reader.
    head: LongLock<Vec<u8>>,
    /// The memory that plugins see, which is filled as they touch it.
    pages: SetOnce<Option<Paged>>,
}

impl Ranged {
    pub(super) fn new(reader: Arc<dyn RangedRead>, len: u64, is_streamed: bool) -> Self {
        let reader = Arc::new(Timed { reader, fetches: Lock::new() });
        Self { reader, len, is_streamed, head: LongLock::with(Vec::new()), pages: SetOnce::new() }
    }

    /// Fills all of `out` with the bytes from `offset` on, which exist.
    pub(super) fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.saturating_add(out.len() as u64);
        if out.len() as u64 <= MAX_HEAD
            && let Some(Some(pages)) = self.pages.get()
        {
            // Small reads, as of metadata, share what is fetched for decoders.
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = pages.bytes().get(start..).and_then(|rest| rest.get(..out.len()));
            out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            return pages.failure().map_or(Ok(()), Err);
        }
        if end > MAX_HEAD {
            return self.reader.read_at(offset, out);
        }
        let mut head = self.head.lock();
        let known = head.len() as u64;
        if known < end {
            let wanted = end.next_multiple_of(HEAD_BYTES).min(self.len);
            let mut more = vec![0; usize::try_from(wanted - known).unwrap_or(0)];
            self.reader.read_at(known, &mut more)?;
            head.extend(more);
        }
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = head.get(place(offset)..place(end)).unwrap_or_default();
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    /// All bytes as memory that is fetched when it is touched; `None` if the system does not allow that.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        let pages = self.pages.get_or_init(|| {
            let head = self.head.lock().clone();
            Paged::new(Arc::clone(&self.reader) as Arc<dyn RangedRead>, self.len, &head)
        });
        pages.as_ref().map(Paged::bytes)
    }

    /// What went wrong while memory was fetched.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.pages.get()?.as_ref()?.failure()
    }

    /// The time that has passed with fetching.
    pub(super) fn fetching(&self) -> Duration {
        let fetches = self.reader.fetches.lock();
        fetches.before + fetches.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(super) fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    /// Makes sure that memory is fetched when it is touched: another library may have taken the signal.
    pub(super) fn watch(&self) {
        if let Some(Some(pages)) = self.pages.get() {
            pages.watch();
        }
    }

    /// Releases the memory of a part that was read.
    pub(super) fn release(&self, range: Range<u64>) {
        if let Some(Some(pages)) = self.pages.get() {
            pages.release(range);
        }
    }
}

/// A reader whose time is measured.
struct Timed {
    reader: Arc<dyn RangedRead>,
    fetches: Lock<Fetches>,
}

/// The fetches in progress, which began at a time, and how long those before took.
#[derive(Default)]
struct Fetches {
    num_begun: usize,
    since: Option<Instant>,
    before: Duration,
}

impl RangedRead for Timed {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut fetches = self.fetches.lock();
        fetches.num_begun += 1;
        fetches.since.get_or_insert_with(Instant::now);
        drop(fetches);
        let result = self.reader.read_at(offset, out);
        let mut fetches = self.fetches.lock();
        fetches.num_begun -= 1;
        if fetches.num_begun == 0
            && let Some(since) = fetches.since.take()
        {
            fetches.before += since.elapsed();
        }
        result
    }
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::source::{Access, Scratch, Source};

    /// Numbered bytes, of which none from a place on can be had.
    struct Numbered {
        fails_from: u64,
        num_fetched: AtomicU64,
    }

    impl Numbered {
        fn new(fails_from: u64) -> Arc<Self> {
            Arc::new(Self { fails_from, num_fetched: AtomicU64::new(0) })
        }
    }

    fn byte(offset: u64) -> u8 {
        (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
    }

    impl RangedRead for Numbered {
        fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            if offset + out.len() as u64 > self.fails_from {
                return Err(io::Error::new(io::ErrorKind::ConnectionReset, "the line is dead"));
            }
            out.iter_mut().zip(offset..).for_each(|(out, offset)| *out = byte(offset));
            self.num_fetched.fetch_add(out.len() as u64, Ordering::Relaxed);
            Ok(())
        }
    }

    const LEN: u64 = 50_000_001;

    fn source(reader: &Arc<Numbered>, access: Access) -> Source {
        Source::from_ranges(Arc::clone(reader) as Arc<dyn RangedRead>, LEN, access).unwrap()
    }

    #[test]
    fn memory_is_fetched_where_it_is_touched() {
        let reader = Numbered::new(LEN);
        let source = source(&reader, Access::Kept);
        let head = source.read(0..100, &mut Scratch::new()).unwrap().to_vec();
        assert_eq!(head, (0..100).map(byte).collect::<Vec<u8>>());
        let bytes = source.whole().unwrap();
        for place in [0, 99, 2047, 2048, 4096, 25_000_000, LEN - 1] {
            assert_eq!(bytes[place as usize], byte(place));
        }
        assert!(reader.num_fetched.load(Ordering::Relaxed) < 64 << 10);
        source.verify(LEN).unwrap();
        let exact = reader.num_fetched.load(Ordering::Relaxed);
        let part = source.read(30_000_000..30_100_000, &mut Scratch::new()).unwrap().to_vec();
        assert!(part.iter().zip(30_000_000..).all(|(found, offset)| *found == byte(offset)));
        assert_eq!(reader.num_fetched.load(Ordering::Relaxed) - exact, 100_000);
    }

    #[test]
    fn threads_see_whole_blocks_and_what_is_released_comes_back() {
        let reader = Numbered::new(LEN);
        let source = source(&reader, Access::Streamed);
        let bytes = source.whole().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let source = &source;
                scope.spawn(move || {
                    let quarter = LEN / 4;
                    for offset in (thread * quarter..(thread + 2).min(4) * quarter).step_by(37) {
                        assert_eq!(bytes[offset as usize], byte(offset));
                        if offset % (1 << 20) < 37 {
                            source.release(offset.saturating_sub(4 << 20)..offset);
                        }
                    }
                });
            }
        });
        source.verify(LEN).unwrap();
        assert_eq!(bytes[12_345], byte(12_345));
    }

    #[test]
    fn a_failure_reads_as_zeros_and_is_told() {
        let reader = Numbered::new(1_000_000);
        let source = source(&reader, Access::Once);
        let bytes = source.whole().unwrap();
        assert_eq!(bytes[900_000], byte(900_000));
        source.verify(LEN).unwrap();
        assert_eq!(bytes[2_000_000], 0);
        for _ in 0..2 {
            let error = source.verify(LEN).unwrap_err().to_string();
            assert!(error.contains("the line is dead"), "{error}");
        }
        assert!(source.verify_len().is_err());
        assert_eq!((bytes[900_001], bytes[49_000_000]), (byte(900_001), 0), "nobody waits any more");
        let error = source.read(2_000_000..2_000_001, &mut Scratch::new()).unwrap_err().to_string();
        assert!(error.contains("the line is dead"), "{error}");
    }
}
