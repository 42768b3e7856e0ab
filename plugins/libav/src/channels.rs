//! Channel layouts: libav's as WAVE masks, and back. Both number the first 18 speakers alike.

#![allow(unsafe_code)] // a union of libav's

use std::ffi::c_int;

use ffi::AVChannelOrder::{AV_CHANNEL_ORDER_NATIVE, AV_CHANNEL_ORDER_UNSPEC};
use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Result};

/// The speakers that a WAVE mask defines.
const WAVE_SPEAKERS: u64 = (1 << 18) - 1;

/// A layout as a WAVE mask; 0 if it has none: it is unknown, has a custom order, or has speakers that WAVE does not define.
pub(crate) fn wave_mask(layout: &ffi::AVChannelLayout) -> u64 {
    // Newer libraries have orders that these headers lack, so it is not read as the enum.
    let order = (&raw const layout.order).cast::<u32>();
    // SAFETY: the field is there, of the size and alignment of a u32.
    if unsafe { order.read() } != AV_CHANNEL_ORDER_NATIVE as u32 {
        return 0;
    }
    // SAFETY: a layout of this order has the mask.
    let mask = unsafe { layout.u.mask };
    let is_whole = c_int::try_from(mask.count_ones()) == Ok(layout.nb_channels);
    if is_whole && mask & !WAVE_SPEAKERS == 0 { mask } else { 0 }
}

/// The layout of a WAVE mask, or libav's default for that many channels if the mask is 0. It owns no memory.
///
/// # Errors
/// When the mask has another number of speakers or an unknown one, or there are more channels than libav supports.
#[allow(dead_code)] // for encoders
pub(crate) fn layout(mask: u64, num_channels: u32) -> Result<ffi::AVChannelLayout> {
    let nb_channels = c_int::try_from(num_channels).ok().filter(|count| *count > 0);
    let Some(nb_channels) = nb_channels else {
        return Err(Error::unsupported(format!("{num_channels} channels")));
    };
    let mut layout = ffi::AVChannelLayout {
        order: AV_CHANNEL_ORDER_UNSPEC,
        nb_channels,
        u: ffi::AVChannelLayout__bindgen_ty_1 { mask: 0 },
        opaque: std::ptr::null_mut(),
    };
    if mask == 0 {
        // SAFETY: writes a layout that owns nothing over one that owns nothing.
        unsafe { ffi::av_channel_layout_default(&raw mut layout, nb_channels) };
        return Ok(layout);
    }
    if mask & !WAVE_SPEAKERS != 0 || mask.count_ones() != num_channels {
        let message = format!("the channel mask {mask:#x} for {num_channels} channels");
        return Err(Error::unsupported(message));
    }
    layout.order = AV_CHANNEL_ORDER_NATIVE;
    layout.u.mask = mask;
    Ok(layout)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn masks_come_back_as_they_went() {
        for mask in [0x4, 0x3, 0x7, 0x33, 0x3f, 0x60f, 0x63f, 0x3ffff] {
            assert_eq!(wave_mask(&layout(mask, mask.count_ones()).unwrap()), mask);
        }
    }

    #[test]
    fn without_a_mask_the_usual_layout_is_taken() {
        assert_eq!(wave_mask(&layout(0, 1).unwrap()), 0x4);
        assert_eq!(wave_mask(&layout(0, 2).unwrap()), 0x3);
        assert_eq!(wave_mask(&layout(0, 6).unwrap()) & 0xf, 0xf);
        let many = layout(0, 100).unwrap();
        assert_eq!((wave_mask(&many), many.nb_channels), (0, 100));
    }

    #[test]
    fn masks_that_do_not_fit_are_refused() {
        assert!(layout(0x3, 1).is_err() && layout(1 << 29 | 1, 2).is_err() && layout(0, 0).is_err());
    }
}
