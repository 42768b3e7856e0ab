//! From times to frames and back.

/// The frame at `count` parts of a second, rounded.
pub(crate) fn to_frame(count: u64, per_second: u64, sample_rate: u32) -> u64 {
    scaled(count, sample_rate.into(), per_second)
}

/// The time of a frame in parts of a second, rounded.
pub(crate) fn from_frame(frame: u64, per_second: u64, sample_rate: u32) -> u64 {
    scaled(frame, per_second, sample_rate.into())
}

fn scaled(value: u64, times: u64, over: u64) -> u64 {
    let over = u128::from(over.max(1));
    let scaled = (u128::from(value) * u128::from(times) + over / 2) / over;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
