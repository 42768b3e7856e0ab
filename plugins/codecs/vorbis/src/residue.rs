//! Residues: the details of spectra, as sums of vectors (section 8).
//!
//! A vector of values is divided into partitions. In the first pass a word gives the classes of several partitions at once; the
//! class of a partition chooses a codebook for each of up to eight passes, whose vectors are added up.

#![forbid(unsafe_code)]

use crate::bits::Bits;
use crate::codebook::Codebook;
use crate::error::DecodeError;
use crate::memory::Budget;

/// The most passes.
const NUM_PASSES: usize = 8;

/// How the values of codebook vectors are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Type 0: apart.
    Strided,
    /// Type 1: side by side.
    Contiguous,
    /// Type 2: side by side in one vector, in which the channels alternate.
    Interleaved,
}

/// A residue of the setup.
#[derive(Debug)]
pub(crate) struct Residue {
    layout: Layout,
    /// The part of a vector that is in the stream.
    begin: usize,
    end: usize,
    partition_size: usize,
    class_book: usize,
    /// The classes that each entry of the class book gives, as many as it has dimensions.
    classes: Vec<u8>,
    /// The book of each class in each pass.
    books: Vec<[Option<u8>; NUM_PASSES]>,
    num_passes: usize,
}

/// Vectors of values, one for each channel, `stride` values apart.
pub(crate) struct Vectors<'v> {
    pub(crate) values: &'v mut [f32],
    pub(crate) stride: usize,
    /// The values of each that count.
    pub(crate) num_values: usize,
    /// The numbers of those that are in the stream.
    pub(crate) numbers: &'v [usize],
}

impl Residue {
    /// Section 8.6.1.
    pub(crate) fn parse(
        bits: &mut Bits<'_>,
        codebooks: &mut [Codebook],
        budget: &mut Budget,
    ) -> Result<Self, DecodeError> {
        let layout = match bits.read(16) {
            0 => Layout::Strided,
            1 => Layout::Contiguous,
            2 => Layout::Interleaved,
            _ => return Err(DecodeError::Header("setup has a residue of an unknown type")),
        };
        let (begin, end) = (bits.read(24) as usize, bits.read(24) as usize);
        if end < begin {
            return Err(DecodeError::Header("residue ends before it begins"));
        }
        let partition_size = bits.read(24) as usize + 1;
        let num_classes = bits.read(6) + 1;
        let class_book = bits.read(8) as usize;
        let missing = DecodeError::Header("setup refers to a codebook that does not exist");
        let class_codebook = codebooks.get(class_book).ok_or(missing)?;
        let classes = make_classes(class_codebook, num_classes, budget)?;
        let mut cascades = Vec::new();
        for _ in 0..num_classes {
            let low = bits.read(3);
            let high = if bits.read_flag() { bits.read(5) } else { 0 };
            cascades.push(high << 3 | low);
        }
        let mut books = Vec::new();
        let mut num_passes = 1; // classes are read in any case
        for cascade in cascades {
            let mut of_class = [None; NUM_PASSES];
            for (pass, book) in of_class.iter_mut().enumerate().filter(|(pass, _)| cascade >> pass & 1 != 0) {
                let number = bits.read(8);
                let codebook = codebooks.get_mut(number as usize).ok_or(missing)?;
                codebook.make_vectors(budget)?;
                // A codebook without words adds nothing, as in the reference decoder.
                *book = u8::try_from(number).ok().filter(|_| codebook.has_words);
                num_passes = num_passes.max(pass + 1);
            }
            books.push(of_class);
        }
        if bits.is_past_end() {
            return Err(DecodeError::TruncatedHeader);
        }
        Ok(Self { layout, begin, end, partition_size, class_book, classes, books, num_passes })
    }

    /// Whether the channels alternate in one vector.
    pub(crate) fn is_interleaved(&self) -> bool {
        self.layout == Layout::Interleaved
    }

    /// Adds what the stream has of vectors to them, as far as the packet goes (section 8.6.2). `classes` has room for as many
    /// as values.
    #[inline(always)]
    pub(crate) fn read(
        &self,
        bits: &mut Bits<'_>,
        codebooks: &[Codebook],
        vectors: &mut Vectors<'_>,
        classes: &mut [u8],
    ) {
        let begin = self.begin.min(vectors.num_values);
        let num_partitions = (self.end.min(vectors.num_values) - begin) / self.partition_size;
        let Some(class_book) = codebooks.get(self.class_book) else { return };
        if num_partitions == 0 {
            return;
        }
        for pass in 0..self.num_passes {
            let mut first = 0;
            while first < num_partitions {
                let past_last = (first + class_book.num_dimensions).min(num_partitions);
                if pass == 0 {
                    for of_vector in classes.chunks_mut(num_partitions).take(vectors.numbers.len()) {
                        let Some(entry) = class_book.read(bits) else { return };
                        let start = entry as usize * class_book.num_dimensions;
                        let digits = self.classes.get(start..).unwrap_or_default();
                        let of_vector = of_vector.get_mut(first..past_last).unwrap_or_default();
                        of_vector.iter_mut().zip(digits).for_each(|(to, digit)| *to = *digit);
                    }
                }
                for partition in first..past_last {
                    let start = begin + partition * self.partition_size;
                    let of_vectors = classes.chunks(num_partitions).zip(vectors.numbers);
                    for (of_vector, number) in of_vectors {
                        let class = of_vector.get(partition).copied().unwrap_or(0);
                        let book = self.books.get(usize::from(class)).and_then(|books| *books.get(pass)?);
                        let Some(book) = book.and_then(|book| codebooks.get(usize::from(book))) else {
                            continue;
                        };
                        let start = number * vectors.stride + start;
                        let values = vectors.values.get_mut(start..start + self.partition_size);
                        if self.add(bits, book, values.unwrap_or_default()).is_none() {
                            return;
                        }
                    }
                }
                first = past_last;
            }
        }
    }

    /// Adds vectors of a book to the values of a partition; `None` at the end of the packet.
    #[inline(always)]
    fn add(&self, bits: &mut Bits<'_>, book: &Codebook, values: &mut [f32]) -> Option<()> {
        if self.layout == Layout::Strided {
            return add_strided(bits, book, values);
        }
        match book.num_dimensions {
            1 => add_contiguous::<1>(bits, book, values),
            2 => add_contiguous::<2>(bits, book, values),
            4 => add_contiguous::<4>(bits, book, values),
            8 => add_contiguous::<8>(bits, book, values),
            _ => add_any(bits, book, values),
        }
    }
}

/// Section 8.6.4, with vectors of `N` values.
#[inline(always)]
fn add_contiguous<const N: usize>(bits: &mut Bits<'_>, book: &Codebook, values: &mut [f32]) -> Option<()> {
    match book.words_at_once {
        4 => add_at_once::<N, 4>(bits, book, values),
        2 => add_at_once::<N, 2>(bits, book, values),
        _ => add_at_once::<N, 1>(bits, book, values),
    }
}

/// The same, with bits for several words at once: what limits the speed is that each word waits for the length of the one
/// before, and the bits that are loaded for the lengths of all before.
#[inline(always)]
fn add_at_once<const N: usize, const NUM_WORDS: usize>(
    bits: &mut Bits<'_>,
    book: &Codebook,
    values: &mut [f32],
) -> Option<()> {
    let vectors = book.vectors::<N>();
    let (vectors_of_values, rest) = values.as_chunks_mut::<N>();
    let (groups, last) = vectors_of_values.as_chunks_mut::<NUM_WORDS>();
    for group in groups {
        if bits.refill() {
            for values in group {
                add(values, vectors.get(book.read_refilled(bits) as usize)?);
            }
        } else {
            for values in group {
                add(values, vectors.get(book.read_some(bits)? as usize)?);
            }
        }
    }
    for values in last {
        add(values, vectors.get(book.read_some(bits)? as usize)?);
    }
    if rest.is_empty() { Some(()) } else { add_any(bits, book, rest) }
}

#[inline(always)]
fn add<const N: usize>(values: &mut [f32; N], vector: &[f32; N]) {
    for (value, more) in values.iter_mut().zip(vector) {
        *value += more;
    }
}

/// Section 8.6.4. What is left of the last vector is dropped, as by the reference decoder.
#[cold]
fn add_any(bits: &mut Bits<'_>, book: &Codebook, values: &mut [f32]) -> Option<()> {
    for values in values.chunks_mut(book.num_dimensions) {
        let vector = book.vector(book.read_some(bits)?);
        values.iter_mut().zip(vector).for_each(|(value, more)| *value += more);
    }
    Some(())
}

/// Section 8.6.3.
#[cold]
fn add_strided(bits: &mut Bits<'_>, book: &Codebook, values: &mut [f32]) -> Option<()> {
    let step = values.len() / book.num_dimensions;
    for first in 0..step {
        let vector = book.vector(book.read_some(bits)?);
        values.iter_mut().skip(first).step_by(step).zip(vector).for_each(|(value, more)| *value += more);
    }
    Some(())
}

/// The classes that each entry stands for: its digits, the most significant first (section 8.6.2).
fn make_classes(book: &Codebook, num_classes: u32, budget: &mut Budget) -> Result<Vec<u8>, DecodeError> {
    let num_dimensions = book.num_dimensions;
    let mut classes = budget.vec(book.num_entries as usize * num_dimensions, 0_u8)?;
    for (entry, digits) in (0..book.num_entries).zip(classes.chunks_mut(num_dimensions)) {
        let mut rest = entry;
        for digit in digits.iter_mut().rev() {
            *digit = u8::try_from(rest % num_classes).unwrap_or(0);
            rest /= num_classes;
        }
    }
    Ok(classes)
}
