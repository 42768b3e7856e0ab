//! Frames in memory: the buffer that samples are converted into and that is handed to an array library.

#![allow(unsafe_code)] // uninitialised memory and page advice

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use bytemuck::AnyBitPattern;
use memmap2::MmapMut;

use crate::pcm::OutputFormat;
use crate::spec::Shape;

/// A block of memory that is aligned for every array library: JAX takes 64-byte alignment without a copy.
#[derive(Debug)]
#[repr(align(64))]
struct Line {
    _bytes: [u8; 64],
}

/// Above this size the memory comes from the system in huge pages; below, from the allocator.
const MIN_HUGE: usize = 32 << 20;

/// The size of a huge page on the machines where asking for them pays.
const HUGE_PAGE: usize = 2 << 20;

/// Buffers up to this size are kept for reuse: a fresh one would cost more in page faults than the samples it is for.
const MAX_RECYCLED: usize = 1 << 20;

/// How many buffers are kept.
const NUM_RECYCLED: usize = 8;

/// Memory of the allocator's; its vector is always empty and only owns it.
type Lines = Vec<Line>;

static RECYCLED: Mutex<Vec<Lines>> = Mutex::new(Vec::new());

#[derive(Debug)]
enum Memory {
    Heap { lines: Lines, recycle: bool },
    Huge { _map: MmapMut },
}

/// A buffer of bytes whose contents are whatever they were: aligned to 64 bytes, large ones to huge pages.
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
    /// A buffer of `num_bytes`, for as long as its owner likes.
    pub fn new(num_bytes: usize) -> Self {
        Self::huge(num_bytes).unwrap_or_else(|| Self::heap(lines(num_bytes), num_bytes, false))
    }

    /// A buffer of `num_bytes` that is soon given back: small ones are kept for the next call when they are dropped.
    pub fn recycled(num_bytes: usize) -> Self {
        if num_bytes > MAX_RECYCLED {
            return Self::new(num_bytes);
        }
        let mut kept = RECYCLED.lock().unwrap_or_else(PoisonError::into_inner);
        let fit = kept.iter().position(|lines| lines.capacity() * size_of::<Line>() >= num_bytes);
        let fit = fit.map(|index| kept.swap_remove(index));
        drop(kept);
        // Sizes in powers of two, so that a buffer serves the next call of about the same length.
        let lines = fit.unwrap_or_else(|| lines(num_bytes.next_power_of_two()));
        Self::heap(lines, num_bytes, true)
    }

    fn heap(mut lines: Lines, num_bytes: usize, recycle: bool) -> Self {
        // A vector's pointer is never null, and stays where it is while the vector is moved about.
        let start = NonNull::new(lines.as_mut_ptr().cast()).unwrap_or(NonNull::dangling());
        Self { memory: Memory::Heap { lines, recycle }, start, num_bytes }
    }

    fn huge(num_bytes: usize) -> Option<Self> {
        if num_bytes < MIN_HUGE {
            return None;
        }
        let mut map = MmapMut::map_anon(num_bytes.checked_add(HUGE_PAGE)?).ok()?;
        // A kernel without huge pages still has the memory.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        let first = map.as_mut_ptr();
        let start = NonNull::new(first.wrapping_add(first.align_offset(HUGE_PAGE)))?;
        Some(Self { memory: Memory::Huge { _map: map }, start, num_bytes })
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The bytes, to be filled.
    pub fn as_uninit_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: both kinds of memory hold at least `num_bytes` from there on, are borrowed mutably for as long as the
        // slice lives, and MaybeUninit<u8> needs neither alignment nor a value.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr().cast(), self.num_bytes) }
    }

    /// The size in bytes.
    pub fn num_bytes(&self) -> usize {
        self.num_bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Memory::Heap { lines, recycle: true } = &mut self.memory {
            let lines = std::mem::take(lines);
            let mut kept = RECYCLED.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < NUM_RECYCLED {
                kept.push(lines);
            }
        }
    }
}

fn lines(num_bytes: usize) -> Lines {
    Vec::with_capacity(num_bytes.div_ceil(size_of::<Line>()))
}

/// Asks for huge pages under the aligned inside of memory that somebody else allocated and nobody has touched yet.
pub fn advise_huge(memory: &mut [MaybeUninit<u8>]) {
    #[cfg(target_os = "linux")]
    {
        let std::ops::Range { start, end } = memory.as_mut_ptr_range();
        let first = start.wrapping_add(start.align_offset(HUGE_PAGE));
        let length = end.addr().saturating_sub(first.addr()) / HUGE_PAGE * HUGE_PAGE;
        if length > 0 {
            // SAFETY: the range lies inside `memory`, and the advice changes the size of its pages, not what is in them.
            let _ = unsafe { rustix::mm::madvise(first.cast(), length, rustix::mm::Advice::LinuxHugepage) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// Frames as an array in C order, in memory of their own.
///
/// ```
/// # fn main() -> mapwave::Result<()> {
/// # let wav = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0\x00\x40\x00\xc0";
/// let reader = mapwave::Reader::from_bytes(wav)?;
/// let frames = reader.read(0..2, &mapwave::FrameSpec::default())?;
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
    /// Takes a buffer that has been filled.
    ///
    /// # Safety
    /// Every byte of `buffer` must have been written, and `shape` must have as many samples of `format` as fit it.
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

    /// The samples' bytes, aligned to 64.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new` was promised that every one of the `num_bytes` bytes there has been written.
        unsafe { std::slice::from_raw_parts(self.buffer.as_ptr(), self.buffer.num_bytes()) }
    }

    /// The address of the first sample, for an array library that takes the memory over.
    ///
    /// Writing there is the caller's to answer for: no other reference to the samples may be in use.
    pub fn as_ptr(&self) -> *mut u8 {
        self.buffer.as_ptr()
    }

    /// The samples' bytes, to be changed in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let bytes = self.buffer.as_uninit_mut();
        // SAFETY: `new` was promised that every byte has been written.
        unsafe { bytes.assume_init_mut() }
    }

    /// The samples, when `T` is their type; `None` when its size is another.
    pub fn samples<T: AnyBitPattern>(&self) -> Option<&[T]> {
        bytemuck::try_cast_slice(self.bytes()).ok().filter(|_| size_of::<T>() == self.format.num_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_as_long_as_asked_for() {
        for num_bytes in [0, 1, 63, 64, 4096, MAX_RECYCLED, MAX_RECYCLED + 1, MIN_HUGE, MIN_HUGE + 1] {
            for mut buffer in [Buffer::new(num_bytes), Buffer::recycled(num_bytes)] {
                assert_eq!(buffer.as_ptr().addr() % 64, 0);
                let bytes = buffer.as_uninit_mut();
                assert_eq!(bytes.len(), num_bytes);
                bytes.fill(MaybeUninit::new(7));
            }
        }
    }

    #[test]
    fn a_recycled_buffer_comes_back() {
        let first = Buffer::recycled(100_000);
        let address = first.as_ptr().addr();
        drop(first);
        let others: Vec<_> = (0..NUM_RECYCLED).map(|_| Buffer::recycled(90_000)).collect();
        assert!(others.iter().any(|buffer| buffer.as_ptr().addr() == address));
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
