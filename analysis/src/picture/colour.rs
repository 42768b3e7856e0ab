//! Colours: those of the two themes, and the scale of a spectrogram.

#![allow(clippy::cast_possible_truncation)] // shares of 255

/// Red, green and blue, as in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// What something in a picture is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// The picture's own ground.
    Ground,
    /// The ground of a panel.
    Panel,
    /// The lines of a grid.
    Grid,
    /// The frame and the ticks of a panel.
    Axis,
    /// What is to be read first.
    Text,
    /// What is to be read when it is looked for.
    Faint,
    /// The extremes of a waveform.
    Wave,
    /// Its root mean square.
    Core,
    /// Markers and their labels.
    Marker,
    /// Writing on a spectrogram, which is dark in every theme.
    OnDark,
}

impl Ink {
    pub(crate) const ALL: [Self; 10] = [
        Self::Ground,
        Self::Panel,
        Self::Grid,
        Self::Axis,
        Self::Text,
        Self::Faint,
        Self::Wave,
        Self::Core,
        Self::Marker,
        Self::OnDark,
    ];

    /// The name of its class in an SVG.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Ground => "mw-ground",
            Self::Panel => "mw-panel",
            Self::Grid => "mw-grid",
            Self::Axis => "mw-axis",
            Self::Text => "mw-text",
            Self::Faint => "mw-faint",
            Self::Wave => "mw-wave",
            Self::Core => "mw-core",
            Self::Marker => "mw-marker",
            Self::OnDark => "mw-on-dark",
        }
    }

    pub(crate) fn light(self) -> Rgb {
        match self {
            Self::Ground => Rgb(255, 255, 255),
            Self::Panel => Rgb(247, 248, 250),
            Self::Grid => Rgb(226, 230, 235),
            Self::Axis => Rgb(176, 184, 194),
            Self::Text => Rgb(31, 36, 43),
            Self::Faint => Rgb(101, 111, 123),
            Self::Wave => Rgb(132, 178, 232),
            Self::Core => Rgb(38, 104, 190),
            Self::Marker => Rgb(206, 68, 13),
            Self::OnDark => Rgb(255, 255, 255),
        }
    }

    pub(crate) fn dark(self) -> Rgb {
        match self {
            Self::Ground => Rgb(18, 21, 26),
            Self::Panel => Rgb(25, 29, 36),
            Self::Grid => Rgb(43, 49, 59),
            Self::Axis => Rgb(77, 86, 99),
            Self::Text => Rgb(232, 235, 240),
            Self::Faint => Rgb(153, 163, 176),
            Self::Wave => Rgb(53, 98, 156),
            Self::Core => Rgb(123, 180, 247),
            Self::Marker => Rgb(255, 157, 87),
            Self::OnDark => Rgb(255, 255, 255),
        }
    }
}

/// The places of a spectrogram's scale, from quiet to loud.
const SCALE: [Rgb; 6] = [
    Rgb(8, 9, 20),
    Rgb(45, 22, 92),
    Rgb(122, 32, 120),
    Rgb(205, 61, 90),
    Rgb(249, 146, 68),
    Rgb(253, 246, 196),
];

/// The 256 colours of a spectrogram, from quiet to loud.
///
/// Between the places, colours go straight through Oklab, in which equal steps look equal.
pub(crate) fn scale() -> Vec<Rgb> {
    let places: Vec<[f32; 3]> = SCALE.into_iter().map(oklab).collect();
    let colour = |index: u16| {
        let place = f32::from(index) / 255.0 * (SCALE.len() - 1) as f32;
        let part = place.fract();
        let from = places.get(place as usize).or(places.last()).copied().unwrap_or_default();
        let to = places.get(place as usize + 1).copied().unwrap_or(from);
        let [(a, b), (c, d), (e, f)] = zip(from, to);
        srgb([a + part * (b - a), c + part * (d - c), e + part * (f - e)])
    };
    (0..256).map(colour).collect()
}

fn zip([a, c, e]: [f32; 3], [b, d, f]: [f32; 3]) -> [(f32, f32); 3] {
    [(a, b), (c, d), (e, f)]
}

/// A colour in Oklab (Björn Ottosson, "A perceptual color space for image processing", 2020).
fn oklab(Rgb(red, green, blue): Rgb) -> [f32; 3] {
    let linear = |value: u8| {
        let value = f32::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let (r, g, b) = (linear(red), linear(green), linear(blue));
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn srgb([lightness, a, b]: [f32; 3]) -> Rgb {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let gamma = |value: f32| {
        let value = value.clamp(0.0, 1.0);
        let value = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (255.0 * value).round() as u8
    };
    Rgb(
        gamma(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
        gamma(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s),
        gamma(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_grows_lighter_from_end_to_end() {
        let scale = scale();
        assert_eq!(scale.first(), SCALE.first());
        assert_eq!(scale.last(), SCALE.last());
        let lightness: Vec<f32> = scale.into_iter().map(|colour| oklab(colour)[0]).collect();
        assert!(lightness.is_sorted_by(|one, next| one - next < 0.01), "{lightness:?}");
    }
}
