//! Floors of type 1: amplitudes at points, which lines connect (section 7).

#![forbid(unsafe_code)]

use super::shape::{MAX_POINTS, Shape};
use crate::bits::{Bits, num_bits};
use crate::codebook::Codebook;
use crate::error::DecodeError;
use crate::memory::Budget;

/// A floor of the setup.
#[derive(Debug)]
pub(crate) struct PointFloor {
    /// The class of each partition of the points.
    partitions: Vec<u8>,
    classes: Vec<Class>,
    multiplier: i32,
    /// The amplitudes in the unit of the multiplier.
    range: i32,
    /// In the order of the setup header.
    points: Vec<Point>,
    /// The numbers of the points from the lowest frequency on.
    order: Vec<usize>,
}

#[derive(Debug)]
struct Class {
    num_dimensions: usize,
    subclass_bits: u32,
    master_book: usize,
    books: [Option<usize>; 8],
}

/// A point, and the nearest among those before it on either side (sections 9.2.4 and 9.2.5).
#[derive(Clone, Copy, Debug)]
struct Point {
    place: i32,
    low: usize,
    high: usize,
}

impl PointFloor {
    /// Section 7.2.2.
    pub(super) fn parse(
        bits: &mut Bits<'_>,
        num_books: usize,
        budget: &mut Budget,
    ) -> Result<Self, DecodeError> {
        budget.take::<Point>(MAX_POINTS * 4)?;
        let book = |number: u32| match number as usize {
            number if number < num_books => Ok(number),
            _ => Err(DecodeError::Header("setup refers to a codebook that does not exist")),
        };
        let num_partitions = bits.read(5);
        let partitions: Vec<u8> =
            (0..num_partitions).map(|_| u8::try_from(bits.read(4)).unwrap_or(0)).collect();
        let mut classes = Vec::new();
        for _ in 0..partitions.iter().max().map_or(0, |class| class + 1) {
            let num_dimensions = bits.read(3) as usize + 1;
            let subclass_bits = bits.read(2);
            let master_book = if subclass_bits > 0 { book(bits.read(8))? } else { 0 };
            let mut books = [None; 8];
            for of_subclass in books.iter_mut().take(1 << subclass_bits) {
                *of_subclass = bits.read(8).checked_sub(1).map(book).transpose()?;
            }
            classes.push(Class { num_dimensions, subclass_bits, master_book, books });
        }
        let multiplier = bits.read(2).cast_signed() + 1;
        let range_bits = bits.read(4);
        let mut places = vec![0, 1_i32 << range_bits];
        for class in &partitions {
            for _ in 0..classes.get(usize::from(*class)).map_or(0, |class| class.num_dimensions) {
                places.push(bits.read(range_bits).cast_signed());
            }
        }
        if bits.is_past_end() {
            return Err(DecodeError::TruncatedHeader);
        }
        if places.len() > MAX_POINTS {
            return Err(DecodeError::Header("floor has more than 65 points"));
        }
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|number| places.get(*number));
        let sorted = order.iter().map(|number| places.get(*number));
        if sorted.clone().zip(sorted.skip(1)).any(|(left, right)| left == right) {
            return Err(DecodeError::Header("floor has a point twice"));
        }
        let points = (0..places.len()).map(|number| Point::new(&places, number)).collect();
        let range = match multiplier {
            1 => 256,
            2 => 128,
            3 => 86,
            _ => 64,
        };
        Ok(Self { partitions, classes, multiplier, range, points, order })
    }

    /// Reads the amplitudes (section 7.2.3); `None` if there are none, or the packet ends in them.
    #[inline(always)]
    pub(super) fn read(&self, bits: &mut Bits<'_>, books: &[Codebook], shape: &mut Shape) -> Option<()> {
        if !bits.read_flag() {
            return None;
        }
        let values = &mut shape.values;
        values.clear();
        let end_bits = num_bits(self.range.cast_unsigned() - 1);
        values.extend([bits.read(end_bits).cast_signed(), bits.read(end_bits).cast_signed()]);
        for class in &self.partitions {
            let class = self.classes.get(usize::from(*class))?;
            let mut subclasses =
                if class.subclass_bits > 0 { books.get(class.master_book)?.read(bits)? } else { 0 };
            for _ in 0..class.num_dimensions {
                let subclass = subclasses & ((1 << class.subclass_bits) - 1);
                subclasses >>= class.subclass_bits;
                values.push(match class.books.get(subclass as usize)? {
                    Some(book) => books.get(*book)?.read(bits)?.cast_signed(),
                    None => 0,
                });
            }
        }
        if bits.is_past_end() {
            return None;
        }
        self.place_corners(shape);
        Some(())
    }

    /// Computes the amplitudes of all points, and which of them the lines bend at (section 7.2.4, step 1).
    #[inline(always)]
    fn place_corners(&self, shape: &mut Shape) {
        let mut amplitudes = [0_i32; MAX_POINTS];
        let mut is_corner = [false; MAX_POINTS];
        for (number, (point, coded)) in self.points.iter().zip(&shape.values).enumerate() {
            let amplitude = |number: usize| amplitudes.get(number).copied().unwrap_or(0);
            let amplitude = if number < 2 {
                is_corner.iter_mut().take(2).for_each(|is_corner| *is_corner = true);
                *coded
            } else {
                let place = |number: usize| self.points.get(number).map_or(0, |point| point.place);
                let left = (place(point.low), amplitude(point.low));
                let right = (place(point.high), amplitude(point.high));
                let predicted = interpolate(left, right, point.place);
                if *coded != 0 {
                    for number in [point.low, point.high, number] {
                        if let Some(is_corner) = is_corner.get_mut(number) {
                            *is_corner = true;
                        }
                    }
                }
                self.amplitude(predicted, *coded)
            };
            if let Some(to) = amplitudes.get_mut(number) {
                *to = amplitude.clamp(0, 0x7FFF); // beyond the range in damaged packets only
            }
        }
        shape.corners.clear();
        for number in &self.order {
            let point = (self.points.get(*number), amplitudes.get(*number), is_corner.get(*number));
            if let (Some(point), Some(amplitude), Some(true)) = point {
                let level = u8::try_from(amplitude * self.multiplier).unwrap_or(u8::MAX);
                shape.corners.push((point.place.cast_unsigned(), level));
            }
        }
    }

    /// The amplitude that a stored difference to the predicted one means: small differences alternate between both sides,
    /// larger ones are on the side with more room.
    #[inline(always)]
    fn amplitude(&self, predicted: i32, coded: i32) -> i32 {
        let (room_above, room_below) = (self.range - predicted, predicted);
        if coded == 0 {
            predicted
        } else if coded >= room_above.min(room_below) * 2 {
            if room_above > room_below {
                coded - room_below + predicted
            } else {
                predicted - coded + room_above - 1
            }
        } else if coded & 1 != 0 {
            predicted - (coded + 1) / 2
        } else {
            predicted + coded / 2
        }
    }
}

impl Point {
    fn new(places: &[i32], number: usize) -> Self {
        let place = places.get(number).copied().unwrap_or(0);
        let before = || places.iter().copied().take(number).enumerate();
        let low = before().filter(|(_, other)| *other < place).max_by_key(|(_, other)| *other);
        let high = before().filter(|(_, other)| *other > place).min_by_key(|(_, other)| *other);
        Self { place, low: low.map_or(0, |(low, _)| low), high: high.map_or(0, |(high, _)| high) }
    }
}

/// The amplitude at a place on the line between two points (`render_point`, section 9.2.6).
#[inline(always)]
fn interpolate(left: (i32, i32), right: (i32, i32), place: i32) -> i32 {
    let (rise, run) = (right.1 - left.1, (right.0 - left.0).max(1));
    left.1 + rise.signum() * (rise.abs() * (place - left.0) / run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_the_nearest_before() {
        let places = [0, 128, 64, 32, 96, 48];
        let neighbours = [(2, 0, 1), (3, 0, 2), (4, 2, 1), (5, 3, 2)];
        for (number, low, high) in neighbours {
            let point = Point::new(&places, number);
            assert_eq!((point.low, point.high), (low, high), "{number}");
        }
    }

    #[test]
    fn lines_are_rounded_towards_their_left_end() {
        assert_eq!(interpolate((0, 10), (10, 25), 5), 17);
        assert_eq!(interpolate((0, 25), (10, 10), 5), 18);
        assert_eq!(interpolate((3, 7), (4, 7), 4), 7);
    }
}
