//! Frames in memory: the buffer that samples are converted into, which an array library can take over.

#![allow(unsafe_code)] // uninitialised memory

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};

use bytemuck::AnyBitPattern;
use mapwave_fork::{Lock, SetOnce};
use memmap2::{Mmap, MmapMut};

use crate::array::Audio;
use crate::error::{Error, Result};
use crate::memory;
use crate::pcm::OutputFormat;
use crate::spec::Shape;

/// A block of memory that is aligned for every array library: JAX needs 64-byte alignment to avoid a copy.
#[derive(Debug)]
#[repr(align(64))]
struct Line {
    _bytes: [u8; 64],
}

/// Above this size, the memory comes from the system in huge pages; below it, from the allocator.
const MIN_HUGE: usize = 32 << 20;

/// The size of a huge page on the machines where requesting huge pages pays off.
const HUGE_PAGE: usize = 2 << 20;

/// Buffers up to this size are kept for reuse: the page faults of a new one would cost more than its samples.
const MAX_RECYCLED: usize = 1 << 20;

/// How many small buffers are kept.
const NUM_RECYCLED: usize = 8;

/// How many maps are kept, and how large each may be. The system may reclaim their pages at any time (MADV_FREE). Until it does,
/// the next large read causes no page faults, which otherwise take two thirds of its time.
const NUM_RECYCLED_MAPS: usize = 4;
const MAX_RECYCLED_MAP: usize = 512 << 20;

/// Memory from the allocator. The vector only owns it and is always empty.
type Lines = Vec<Line>;

// Nobody waits for these locks: memory that is not reused is only slower.
static RECYCLED: Lock<Vec<Lines>> = Lock::new();
static RECYCLED_MAPS: Lock<Vec<MmapMut>> = Lock::new();

#[derive(Debug)]
enum Memory {
    Heap { lines: Lines, recycle: bool },
    Huge { map: Option<MmapMut> },
    Pages { map: MmapMut },
}

/// A buffer of bytes with arbitrary contents, 64-byte aligned; large buffers are aligned to huge pages.
#[derive(Debug)]
pub struct Buffer {
    memory: Memory,
    start: NonNull<u8>,
    num_bytes: usize,
}

// SAFETY: a buffer owns its memory, which no thread is tied to.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer gives out nothing but its address.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// A buffer of `num_bytes` for long-term use.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the system does not have that much memory.
    pub fn new(num_bytes: usize) -> Result<Self> {
        match Self::huge(num_bytes, MIN_HUGE) {
            Some(buffer) => Ok(buffer),
            None => Ok(Self::heap(lines(num_bytes)?, num_bytes, false)),
        }
    }

    /// A buffer of `num_bytes` for short-term use: small buffers are kept for the next call when they are dropped.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn recycled(num_bytes: usize) -> Result<Self> {
        if num_bytes > MAX_RECYCLED {
            return Self::new(num_bytes);
        }
        let fit = RECYCLED.try_lock().and_then(|mut kept| {
            // The smallest that fits: its lines are the most likely to be cached.
            let sizes = kept.iter().map(|lines| lines.capacity() * size_of::<Line>()).enumerate();
            let (fit, _) = sizes.filter(|(_, size)| *size >= num_bytes).min_by_key(|(_, size)| *size)?;
            Some(kept.swap_remove(fit))
        });
        // Sizes are powers of two, so that a buffer can serve the next call of about the same length.
        let lines = fit.map_or_else(|| lines(num_bytes.next_power_of_two()), Ok)?;
        Ok(Self::heap(lines, num_bytes, true))
    }

    /// A buffer of `num_bytes` that others of about its size follow, such as a batch for training: from the size of a huge page
    /// on, its memory comes from the system in huge pages and is kept for the next one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn for_batch(num_bytes: usize) -> Result<Self> {
        Self::huge(num_bytes, HUGE_PAGE).map_or_else(|| Self::new(num_bytes), Ok)
    }

    /// A buffer that a GPU can take over in place: it starts at a page boundary, and the rest of its last page belongs to it and
    /// is zero. An empty one comes from [`recycled`](Self::recycled).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn adoptable(num_bytes: usize) -> Result<Self> {
        if num_bytes == 0 {
            return Self::recycled(num_bytes);
        }
        let out_of_memory = || Error::OutOfMemory { path: None, num_bytes: num_bytes as u64 };
        let whole = whole_pages(num_bytes, memory::page_size()).ok_or_else(out_of_memory)?;
        let mut map = MmapMut::map_anon(whole).map_err(|_| out_of_memory())?;
        let start = NonNull::new(map.as_mut_ptr()).ok_or_else(out_of_memory)?;
        Ok(Self { memory: Memory::Pages { map }, start, num_bytes })
    }

    fn heap(mut lines: Lines, num_bytes: usize, recycle: bool) -> Self {
        // A vector's pointer is never null, and does not change while the vector is moved.
        let start = NonNull::new(lines.as_mut_ptr().cast()).unwrap_or(NonNull::dangling());
        Self { memory: Memory::Heap { lines, recycle }, start, num_bytes }
    }

    fn huge(num_bytes: usize, least: usize) -> Option<Self> {
        if num_bytes < least {
            return None;
        }
        let mut map = recycled_map(num_bytes).or_else(|| fresh_map(num_bytes))?;
        let first = map.as_mut_ptr();
        let start = NonNull::new(first.wrapping_add(first.align_offset(HUGE_PAGE)))?;
        Some(Self { memory: Memory::Huge { map: Some(map) }, start, num_bytes })
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The bytes to fill.
    pub fn as_uninit_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: both kinds of memory hold at least `num_bytes` from there on, are borrowed mutably for as long as the
        // slice lives, and MaybeUninit<u8> needs neither alignment nor a value.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr().cast(), self.num_bytes) }
    }

    /// The size in bytes.
    pub fn num_bytes(&self) -> usize {
        self.num_bytes
    }

    /// The size in bytes of the whole pages that start with the buffer and belong to it; `None` if the buffer does not consist
    /// of whole pages.
    pub fn num_page_bytes(&self) -> Option<usize> {
        match &self.memory {
            Memory::Pages { map } => Some(map.len()),
            Memory::Heap { .. } | Memory::Huge { .. } => None,
        }
    }
}

/// `num_bytes`, rounded up to whole pages.
fn whole_pages(num_bytes: usize, page_bytes: usize) -> Option<usize> {
    num_bytes.checked_next_multiple_of(page_bytes)
}

impl Drop for Buffer {
    fn drop(&mut self) {
        match &mut self.memory {
            Memory::Heap { lines, recycle: true } => {
                let lines = std::mem::take(lines);
                if let Some(mut kept) = RECYCLED.try_lock()
                    && kept.len() < NUM_RECYCLED
                {
                    kept.push(lines);
                }
            }
            Memory::Heap { .. } | Memory::Pages { .. } => {}
            Memory::Huge { map } => map.take().into_iter().for_each(recycle_map),
        }
    }
}

fn fresh_map(num_bytes: usize) -> Option<MmapMut> {
    let map = MmapMut::map_anon(num_bytes.checked_add(HUGE_PAGE)?).ok()?;
    memory::prefer_huge(&map);
    Some(map)
}

/// A map that is large enough and less than twice as large as needed.
fn recycled_map(num_bytes: usize) -> Option<MmapMut> {
    let mut kept = RECYCLED_MAPS.try_lock()?;
    let fits = |map: &MmapMut| {
        (num_bytes..=num_bytes.saturating_mul(2)).contains(&map.len().saturating_sub(HUGE_PAGE))
    };
    let fit = kept.iter().position(fits)?;
    Some(kept.swap_remove(fit))
}

/// Keeps a map for the next read, replacing the one kept longest, and lets the system reclaim its pages.
fn recycle_map(map: MmapMut) {
    if map.len() > MAX_RECYCLED_MAP {
        return;
    }
    // Whoever gets it next takes it for uninitialised.
    if let Some(map) = memory::without_contents(map)
        && let Some(mut kept) = RECYCLED_MAPS.try_lock()
    {
        kept.push(map);
        if kept.len() > NUM_RECYCLED_MAPS {
            kept.remove(0);
        }
    }
}

fn lines(num_bytes: usize) -> Result<Lines> {
    let mut lines = Lines::new();
    let reserved = lines.try_reserve_exact(num_bytes.div_ceil(size_of::<Line>()));
    reserved.map_err(|_| Error::OutOfMemory { path: None, num_bytes: num_bytes as u64 })?;
    Ok(lines)
}

/// Read-only zeros that take up no memory, since all their pages are the system's single page of zeros.
///
/// An array library that copies them creates an array to fill, at the cost of writing it once.
///
/// # Errors
/// The operating system's, if it has no addresses left.
pub fn zeros(num_bytes: usize) -> std::io::Result<Arc<Mmap>> {
    if let Some(shared) = SHARED_ZEROS.get().filter(|shared| shared.len() >= num_bytes) {
        return Ok(Arc::clone(shared));
    }
    let zeros = Arc::new(MmapMut::map_anon(num_bytes.max(MIN_HUGE))?.make_read_only()?);
    // A map larger than the usual one is unmapped again, since its page tables would remain.
    if num_bytes <= MIN_HUGE {
        return Ok(Arc::clone(SHARED_ZEROS.get_or_init(|| zeros)));
    }
    if let Some(mut large) = LARGE_ZEROS.try_lock() {
        large.retain(|zeros| zeros.strong_count() > 0);
        large.push(Arc::downgrade(&zeros));
    }
    Ok(zeros)
}

/// Whether an address lies in zeros that are in use: memory that must not be written.
pub fn is_zeros(address: *const u8) -> bool {
    let holds = |zeros: &Arc<Mmap>| zeros.as_ptr_range().contains(&address);
    let in_large = || {
        LARGE_ZEROS
            .try_lock()
            .is_some_and(|large| large.iter().filter_map(Weak::upgrade).any(|zeros| holds(&zeros)))
    };
    SHARED_ZEROS.get().is_some_and(holds) || in_large()
}

/// The zeros of the usual size, and larger ones while they are in use.
static SHARED_ZEROS: SetOnce<Arc<Mmap>> = SetOnce::new();
static LARGE_ZEROS: Lock<Vec<Weak<Mmap>>> = Lock::new();

/// Requests huge pages for the aligned part of memory that another library allocated and that has not been touched yet.
pub fn advise_huge(memory: &mut [MaybeUninit<u8>]) {
    memory::prefer_huge_within(memory, HUGE_PAGE);
}

/// Frames as an array in C order that owns its memory.
///
/// ```
/// # fn main() -> mapwave_core::Result<()> {
/// # let wav = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0\x00\x40\x00\xc0";
/// let reader = mapwave_core::Reader::from_bytes(wav)?;
/// let frames = reader.read(0..2, &mapwave_core::FrameSpec::default())?;
/// assert_eq!(frames.shape().axes(), [2, 1]);
/// assert_eq!(frames.samples::<f32>(), Some(&[0.5, -0.5][..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Frames {
    buffer: Buffer,
    format: OutputFormat,
    shape: Shape,
}

impl Frames {
    /// Takes ownership of a filled buffer.
    ///
    /// # Safety
    /// Every byte of `buffer` must have been written, and `shape` must have exactly as many samples of `format` as `buffer` holds.
    pub(crate) unsafe fn new(buffer: Buffer, format: OutputFormat, shape: Shape) -> Self {
        debug_assert_eq!(buffer.num_bytes(), shape.num_samples() * format.num_bytes());
        Self { buffer, format, shape }
    }

    /// The type of the samples.
    pub fn format(&self) -> OutputFormat {
        self.format
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The bytes of the samples, 64-byte aligned.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new` was promised that every one of the `num_bytes` bytes there has been written.
        unsafe { std::slice::from_raw_parts(self.buffer.as_ptr(), self.buffer.num_bytes()) }
    }

    /// The address of the first sample, for an array library that takes over the memory.
    ///
    /// The caller is responsible for writes through it: no other reference to the samples may be in use.
    pub fn as_ptr(&self) -> *mut u8 {
        self.buffer.as_ptr()
    }

    /// The size in bytes of the whole pages that hold the samples followed by nothing but zeros; `None` if the samples are not
    /// in such pages.
    pub fn num_page_bytes(&self) -> Option<usize> {
        self.buffer.num_page_bytes()
    }

    /// The bytes of the samples, which can be changed in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let bytes = self.buffer.as_uninit_mut();
        // SAFETY: `new` was promised that every byte has been written.
        unsafe { bytes.assume_init_mut() }
    }

    /// The frames as audio to write to a file, without a copy.
    ///
    /// ```
    /// # fn main() -> mapwave_core::Result<()> {
    /// # let wav = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0\x00\x40\x00\xc0";
    /// let reader = mapwave_core::Reader::from_bytes(wav)?;
    /// let frames = reader.read(0..2, &mapwave_core::FrameSpec::default())?;
    /// assert_eq!(frames.audio()?.num_frames(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Audio::new`]: if there are more than 1024 channels.
    pub fn audio(&self) -> Result<Audio<'_>> {
        let (bytes, axes, layout) = (self.bytes(), self.shape.axes(), Some(self.shape.layout()));
        match self.format.num_bytes() {
            2 => Audio::new(bytemuck::cast_slice::<u8, [u8; 2]>(bytes), self.format, axes, layout),
            4 => Audio::new(bytemuck::cast_slice::<u8, [u8; 4]>(bytes), self.format, axes, layout),
            _ => Audio::new(bytemuck::cast_slice::<u8, [u8; 8]>(bytes), self.format, axes, layout),
        }
    }

    /// The samples, if `T` is their type; `None` if its size differs.
    pub fn samples<T: AnyBitPattern>(&self) -> Option<&[T]> {
        bytemuck::try_cast_slice(self.bytes()).ok().filter(|_| size_of::<T>() == self.format.num_bytes())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The kept memory belongs to the process: tests that depend on it take turns.
    static TURN: Mutex<()> = Mutex::new(());

    #[test]
    fn buffers_are_aligned_and_as_long_as_asked_for() {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for num_bytes in [0, 1, 63, 64, 4096, MAX_RECYCLED, MAX_RECYCLED + 1, MIN_HUGE, MIN_HUGE + 1] {
            for buffer in [Buffer::new(num_bytes), Buffer::recycled(num_bytes)] {
                let mut buffer = buffer.unwrap();
                assert_eq!(buffer.as_ptr().addr() % 64, 0);
                let bytes = buffer.as_uninit_mut();
                assert_eq!(bytes.len(), num_bytes);
                bytes.fill(MaybeUninit::new(7));
            }
        }
    }

    #[test]
    fn a_recycled_buffer_comes_back() {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let first = Buffer::recycled(100_000).unwrap();
        let address = first.as_ptr().addr();
        drop(first);
        let others: Vec<_> = (0..NUM_RECYCLED).map(|_| Buffer::recycled(90_000).unwrap()).collect();
        assert!(others.iter().any(|buffer| buffer.as_ptr().addr() == address));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_large_buffer_comes_back_for_a_read_of_about_its_size() {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let first = Buffer::new(3 * MIN_HUGE).unwrap();
        let address = first.as_ptr().addr();
        drop(first);
        assert_ne!(Buffer::new(MIN_HUGE).unwrap().as_ptr().addr(), address);
        assert_eq!(Buffer::new(2 * MIN_HUGE).unwrap().as_ptr().addr(), address);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_of_a_batch_comes_back() {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let first = Buffer::for_batch(7 << 20).unwrap();
        let address = first.as_ptr().addr();
        assert_eq!((address % HUGE_PAGE, first.num_bytes()), (0, 7 << 20));
        drop(first);
        let mut second = Buffer::for_batch(6 << 20).unwrap();
        assert_eq!(second.as_ptr().addr(), address);
        second.as_uninit_mut().fill(MaybeUninit::new(7));
        assert_eq!(Buffer::for_batch(1000).unwrap().as_uninit_mut().len(), 1000);
    }

    #[test]
    fn pages_hold_the_bytes_and_less_than_a_page_more() {
        for page_bytes in [4096, 16_384, 65_536] {
            for num_bytes in [1, page_bytes - 1, page_bytes, page_bytes + 1, 3_528_000, MIN_HUGE + 4] {
                let whole = whole_pages(num_bytes, page_bytes).unwrap();
                assert_eq!(whole % page_bytes, 0);
                assert!((num_bytes..num_bytes + page_bytes).contains(&whole), "{num_bytes} in {page_bytes}");
            }
            assert_eq!(whole_pages(0, page_bytes), Some(0));
            assert_eq!(whole_pages(usize::MAX, page_bytes), None);
        }
    }

    #[test]
    fn what_a_gpu_takes_over_is_whole_pages_with_zeros_at_the_end() {
        let page_bytes = memory::page_size();
        for num_bytes in [1, 1 << 20, (1 << 20) + 1, 3_528_000, MIN_HUGE + 4] {
            let mut buffer = Buffer::adoptable(num_bytes).unwrap();
            buffer.as_uninit_mut().fill(MaybeUninit::new(7));
            let whole = buffer.num_page_bytes().unwrap();
            assert_eq!((buffer.as_ptr().addr() % page_bytes, whole % page_bytes), (0, 0));
            assert_eq!((buffer.num_bytes(), whole - num_bytes < page_bytes), (num_bytes, true));
            // SAFETY: the map is as long, was zero, and was filled up to its end.
            let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr(), whole) };
            assert!(
                bytes[..num_bytes].iter().all(|&byte| byte == 7)
                    && bytes[num_bytes..].iter().all(|&byte| byte == 0)
            );
        }
        for buffer in [Buffer::adoptable(0), Buffer::new(1 << 20), Buffer::new(MIN_HUGE)] {
            assert_eq!(buffer.unwrap().num_page_bytes(), None);
        }
    }

    #[test]
    fn more_than_there_is_is_an_error() {
        for num_bytes in [1 << 62, usize::MAX] {
            for result in [Buffer::new(num_bytes), Buffer::adoptable(num_bytes)] {
                assert!(
                    matches!(result, Err(Error::OutOfMemory { num_bytes: got, .. }) if got == num_bytes as u64)
                );
            }
        }
    }

    #[test]
    fn zeros_are_zero_whatever_their_length() {
        for num_bytes in [0, 1, MIN_HUGE, MIN_HUGE + 1] {
            let zeros = zeros(num_bytes).unwrap();
            assert!(zeros.len() >= num_bytes && zeros.iter().all(|&byte| byte == 0));
            assert!(is_zeros(zeros.as_ptr()) && !is_zeros((&raw const num_bytes).cast()));
        }
    }

    #[test]
    fn advice_on_memory_of_any_size_leaves_it_as_it_is() {
        for num_bytes in [0, 100, HUGE_PAGE, 3 * HUGE_PAGE] {
            let mut memory = vec![MaybeUninit::new(1u8); num_bytes];
            advise_huge(&mut memory);
            // SAFETY: every byte was initialised above.
            assert!(memory.iter().all(|byte| unsafe { byte.assume_init() } == 1));
        }
    }
}
