//! The names of libsoxr's qualities.

#![forbid(unsafe_code)]

use std::ffi::CStr;

/// The names, the best first.
pub(crate) const NAMES: &CStr = c"soxr_vhq,soxr_hq,soxr_mq,soxr_lq,soxr_qq";

/// The quality when none is asked for.
pub(crate) const DEFAULT: &CStr = c"soxr_vhq";

/// libsoxr's number for a quality.
pub(crate) fn recipe(name: &str) -> Option<u32> {
    match name {
        "soxr_vhq" => Some(6),
        "soxr_hq" => Some(4),
        "soxr_mq" => Some(2),
        "soxr_lq" => Some(1),
        "soxr_qq" => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_number_of_its_own() {
        let names = NAMES.to_str().unwrap_or_default();
        let recipes: Vec<Option<u32>> = names.split(',').map(recipe).collect();
        assert_eq!(recipes, [6, 4, 2, 1, 0].map(Some));
        assert_eq!(recipe("best"), None);
    }
}
