//! Floors: the coarse shape of a spectrum, by which its details are multiplied (sections 6 and 7).

#![forbid(unsafe_code)]

mod lines;
mod points;
mod roots;
mod shape;

use crate::bits::Bits;
use crate::codebook::Codebook;
use crate::error::DecodeError;
use crate::memory::Budget;

pub(crate) use lines::inverse_decibels;
use points::PointFloor;
use roots::RootFloor;
pub(crate) use shape::Shape;

/// A floor of the setup.
#[derive(Debug)]
pub(crate) enum Floor {
    /// Type 0: line spectral pairs, the roots of polynomials.
    Roots(RootFloor),
    /// Type 1: points that lines connect.
    Points(PointFloor),
}

impl Floor {
    /// Reads a floor (section 4.2.4, "Floors").
    pub(crate) fn parse(
        bits: &mut Bits<'_>,
        books: &mut [Codebook],
        block_exponents: [u32; 2],
        budget: &mut Budget,
    ) -> Result<Self, DecodeError> {
        match bits.read(16) {
            0 => RootFloor::parse(bits, books, block_exponents, budget).map(Self::Roots),
            1 => PointFloor::parse(bits, books.len(), budget).map(Self::Points),
            _ => Err(DecodeError::Header("setup has a floor of an unknown type")),
        }
    }

    /// Reads the floor of a channel; returns whether it has one.
    #[inline(always)]
    pub(crate) fn read(&self, bits: &mut Bits<'_>, books: &[Codebook], shape: &mut Shape) -> bool {
        match self {
            Self::Roots(floor) => floor.read(bits, books, shape).is_some(),
            Self::Points(floor) => floor.read(bits, books, shape).is_some(),
        }
    }

    /// Multiplies a spectrum by the floor of its channel.
    #[inline(always)]
    pub(crate) fn multiply(
        &self,
        shape: &Shape,
        is_long: bool,
        inverse_decibels: &[f32; 256],
        spectrum: &mut [f32],
    ) {
        match self {
            Self::Roots(floor) => floor.multiply(shape, is_long, spectrum),
            Self::Points(_) => lines::multiply(&shape.corners, inverse_decibels, spectrum),
        }
    }
}
