//! Writing: how wide it is, and its outlines.

use ab_glyph::{Font, FontRef, GlyphId, OutlinedGlyph, PxScale, ScaleFont, point};

/// Letters of Latin, Greek and Cyrillic: see `font/README.md`.
const FONT: &[u8] = include_bytes!("font/roboto-subset.ttf");

/// What stands for a letter that the font does not have.
const UNKNOWN: char = '\u{fffd}';

fn font() -> Option<FontRef<'static>> {
    FontRef::try_from_slice(FONT).ok()
}

/// The scale at which an em has `size` pixels.
fn scale_of(font: &FontRef<'_>, size: f32) -> PxScale {
    let units = font.units_per_em().unwrap_or(2048.0);
    PxScale::from(size * font.height_unscaled() / units)
}

fn glyph_of(font: &FontRef<'_>, letter: char) -> GlyphId {
    match font.glyph_id(letter) {
        GlyphId(0) => font.glyph_id(UNKNOWN),
        glyph => glyph,
    }
}

/// The width of a writing in pixels.
pub(super) fn width_of(text: &str, size: f32) -> f32 {
    let Some(font) = font() else { return 0.0 };
    let scaled = font.as_scaled(scale_of(&font, size));
    text.chars().map(|letter| scaled.h_advance(glyph_of(&font, letter))).sum()
}

/// Calls `paint` with the outline of each letter of a writing that begins at (x, y).
pub(super) fn each_outline(text: &str, size: f32, (x, y): (f32, f32), mut paint: impl FnMut(OutlinedGlyph)) {
    let Some(font) = font() else { return };
    let scale = scale_of(&font, size);
    let scaled = font.as_scaled(scale);
    let mut pen = x;
    for letter in text.chars() {
        let glyph = glyph_of(&font, letter);
        let placed = glyph.with_scale_and_position(scale, point(pen, y));
        pen += scaled.h_advance(glyph);
        if let Some(outline) = font.outline_glyph(placed) {
            paint(outline);
        }
    }
}

/// A text that is at most `width` pixels wide: the end of a longer one is left out.
pub(super) fn fitted(text: &str, size: f32, width: f32) -> String {
    if width_of(text, size) <= width {
        return text.to_owned();
    }
    let room = width - width_of("…", size);
    let mut used = 0.0;
    let begin = text.chars().take_while(|letter| {
        used += width_of(letter.encode_utf8(&mut [0; 4]), size);
        used <= room
    });
    begin.collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_has_a_width_in_every_script_of_the_font() {
        for text in ["0123456789", "Müller", "Ψυχή", "Тишина"] {
            let mut num_outlines = 0;
            each_outline(text, 12.0, (0.0, 0.0), |_| num_outlines += 1);
            assert_eq!(num_outlines, text.chars().count(), "{text}");
        }
        let (one, two) = (width_of("m", 12.0), width_of("mm", 12.0));
        assert!((two - 2.0 * one).abs() < 1e-3 && (6.0..14.0).contains(&one), "{one} {two}");
        assert_eq!(width_of("1", 12.0), width_of("8", 12.0), "figures are as wide as each other");
    }

    #[test]
    fn a_long_text_loses_its_end() {
        assert_eq!(fitted("short", 12.0, 100.0), "short");
        let text = fitted("a name that is far too long", 12.0, 60.0);
        assert!(text.ends_with('…') && text.starts_with("a na") && width_of(&text, 12.0) <= 60.0, "{text}");
    }
}
