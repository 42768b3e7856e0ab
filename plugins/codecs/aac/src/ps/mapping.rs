//! Parameters of one number of bands to another (ISO/IEC 14496-3, tables 8.45 to 8.47).

#![forbid(unsafe_code)]

use std::ops::{Add, Div, Mul};

use super::syntax::{MAX_BANDS, Row, Table};

/// What bands hold: numbers of steps, or factors.
pub(super) trait Value:
    Copy + Default + Add<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    const TWO: Self;
    const THREE: Self;
    const FOUR: Self;
}

impl Value for i32 {
    const TWO: Self = 2;
    const THREE: Self = 3;
    const FOUR: Self = 4;
}

impl Value for f32 {
    const TWO: Self = 2.0;
    const THREE: Self = 3.0;
    const FOUR: Self = 4.0;
}

/// Of 34 bands, those that each of 20 lies in.
#[expect(clippy::indexing_slicing, reason = "34 bands")]
pub(super) fn to_20<T: Value>(from: &[T; MAX_BANDS]) -> [T; MAX_BANDS] {
    let mean = |a: usize, b: usize| (from[a] + from[b]) / T::TWO;
    let third = |twice: usize, once: usize| (T::TWO * from[twice] + from[once]) / T::THREE;
    let mut to = [T::default(); MAX_BANDS];
    let values = [
        third(0, 1),
        third(2, 1),
        third(3, 4),
        third(5, 4),
        mean(6, 7),
        mean(8, 9),
        from[10],
        from[11],
        mean(12, 13),
        mean(14, 15),
        from[16],
        from[17],
        from[18],
        from[19],
        mean(20, 21),
        mean(22, 23),
        mean(24, 25),
        mean(26, 27),
        (from[28] + from[29] + from[30] + from[31]) / T::FOUR,
        mean(32, 33),
    ];
    to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
    to
}

/// Of 20 bands, those that each of 34 lies in.
#[expect(clippy::indexing_slicing, reason = "20 bands")]
pub(super) fn to_34<T: Value>(from: &[T; MAX_BANDS]) -> [T; MAX_BANDS] {
    const PLACES: [usize; MAX_BANDS] = [
        0, 0, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 8, 8, 9, 9, 10, 11, 12, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18,
        18, 18, 18, 19, 19,
    ];
    let mut to = PLACES.map(|place| from[place]);
    to[1] = (from[0] + from[1]) / T::TWO;
    to[4] = (from[2] + from[3]) / T::TWO;
    to
}

/// Of 10 bands, those that each of 20 lies in.
#[expect(clippy::indexing_slicing, reason = "10 bands")]
fn from_10_to_20(from: &Row) -> Row {
    std::array::from_fn(|band| if band < 20 { from[band / 2] } else { 0 })
}

/// Of 10 bands, those that each of 34 lies in.
#[expect(clippy::indexing_slicing, reason = "10 bands")]
fn from_10_to_34(from: &Row) -> Row {
    const PLACES: [usize; MAX_BANDS] = [
        0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9,
    ];
    PLACES.map(|place| from[place])
}

/// The parameters of an envelope in 20 or 34 bands; of phases, as many as have one.
pub(super) fn mapped(table: &Table, envelope: usize, is_34: bool) -> Row {
    let row = table.rows.get(envelope).copied().unwrap_or([0; MAX_BANDS]);
    match (table.num_bands, is_34) {
        (34 | 17, false) => to_20(&row),
        (20 | 11, true) => to_34(&row),
        (10 | 5, false) => from_10_to_20(&row),
        (10 | 5, true) => from_10_to_34(&row),
        _ => row,
    }
}
