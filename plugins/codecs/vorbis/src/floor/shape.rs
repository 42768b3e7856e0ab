//! The floor of a packet, whatever its type.

#![forbid(unsafe_code)]

/// The most points of a floor (section 7.2.2).
pub(super) const MAX_POINTS: usize = 65;

/// The floor of one channel in one packet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// Of type 0: the amplitude, above 0, and the cosines of the coefficients.
    pub(super) amplitude: f64,
    pub(super) coefficients: Vec<f64>,
    /// Of type 1: where the lines bend, from the lowest frequency on.
    pub(super) corners: Vec<(u32, u8)>,
    pub(super) values: Vec<i32>,
}

impl Shape {
    /// A shape with memory for any floor.
    pub(crate) fn new() -> Self {
        let (most_points, most_coefficients) = (MAX_POINTS, 512);
        Self {
            amplitude: 0.0,
            coefficients: Vec::with_capacity(most_coefficients),
            corners: Vec::with_capacity(most_points + 1),
            values: Vec::with_capacity(most_points),
        }
    }
}
