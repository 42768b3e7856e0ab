//! Writes a scene as an SVG.

#![allow(clippy::cast_possible_truncation)] // tenths of pixels

use std::fmt::Write;

use super::colour::{Ink, Rgb};
use super::raster::png_of_image;
use super::scene::{Anchor, Item, Point, Scene};
use super::theme::Theme;

/// The fonts of writing: the picture's own where it is installed, otherwise the system's.
const FONTS: &str = "Roboto,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif";

/// A scene as an SVG.
pub(super) fn svg(scene: &Scene, theme: Theme) -> String {
    let (width, height) = (scene.width, scene.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"{FONTS}\" role=\"img\">\n<title>{}</title>\n",
        escaped(&scene.description)
    );
    style(&mut out, theme);
    if theme != Theme::Page {
        item(&mut out, &rectangle(0.0, 0.0, width as f32, height as f32, Paint::of(Ink::Ground, theme)));
    }
    for each in &scene.items {
        let text = match each {
            Item::Rectangle { area, ink } => {
                rectangle(area.x, area.y, area.width, area.height, Paint::of(*ink, theme))
            }
            Item::Polygon { points, ink } => {
                format!("<path d=\"{}Z\" {}/>", path(points), Paint::of(*ink, theme).fill())
            }
            Item::Line { points, width, ink } => format!(
                "<path d=\"{}\" fill=\"none\" stroke-linejoin=\"round\" stroke-width=\"{}\" {}/>",
                path(points),
                Number(*width),
                Paint::of(*ink, theme).stroke()
            ),
            Item::Writing { at, size, anchor, text, ink } => {
                let anchor = match anchor {
                    Anchor::Start => "",
                    Anchor::Middle => " text-anchor=\"middle\"",
                    Anchor::End => " text-anchor=\"end\"",
                };
                format!(
                    "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{anchor} {}>{}</text>",
                    Number(at.x),
                    Number(at.y),
                    Number(*size),
                    Paint::of(*ink, theme).fill(),
                    escaped(text)
                )
            }
            Item::Image { area, image } => format!(
                "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
                 href=\"data:image/png;base64,{}\"/>",
                Number(area.x),
                Number(area.y),
                Number(area.width),
                Number(area.height),
                base64(&png_of_image(image))
            ),
        };
        item(&mut out, &text);
    }
    out + "</svg>\n"
}

fn item(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// The rules for a picture that follows the colours of the system.
fn style(out: &mut String, theme: Theme) {
    if theme != Theme::Auto {
        return;
    }
    let rules = |colour_of: fn(Ink) -> Rgb| {
        let rule = |ink: Ink| {
            let (class, colour) = (ink.class(), hex(colour_of(ink)));
            format!(".{class}{{fill:{colour}}}.{class}-line{{stroke:{colour}}}")
        };
        Ink::ALL.map(rule).concat()
    };
    let (light, dark) = (rules(Ink::light), rules(Ink::dark));
    item(out, &format!("<style>{light}@media(prefers-color-scheme:dark){{{dark}}}</style>"));
}

/// How something is coloured.
enum Paint {
    Colour(String),
    /// The colour of the page's writing, as opaque as this.
    Page(&'static str),
    Class(&'static str),
}

impl Paint {
    fn of(ink: Ink, theme: Theme) -> Self {
        match theme {
            Theme::Light => Self::Colour(hex(ink.light())),
            Theme::Dark => Self::Colour(hex(ink.dark())),
            Theme::Auto => Self::Class(ink.class()),
            Theme::Page => match ink {
                Ink::Ground => Self::Page("0"),
                Ink::Panel => Self::Page("0.04"),
                Ink::Grid => Self::Page("0.12"),
                Ink::Axis => Self::Page("0.35"),
                Ink::Faint => Self::Page("0.65"),
                Ink::Text => Self::Page("1"),
                // These are seen on light and on dark.
                Ink::Wave | Ink::Marker | Ink::OnDark => Self::Colour(hex(ink.light())),
                Ink::Core => Self::Colour("#3f82d4".to_owned()),
            },
        }
    }

    fn fill(&self) -> String {
        match self {
            Self::Colour(colour) => format!("fill=\"{colour}\""),
            Self::Page(opacity) => format!("fill=\"currentColor\" fill-opacity=\"{opacity}\""),
            Self::Class(class) => format!("class=\"{class}\""),
        }
    }

    fn stroke(&self) -> String {
        match self {
            Self::Colour(colour) => format!("stroke=\"{colour}\""),
            Self::Page(opacity) => format!("stroke=\"currentColor\" stroke-opacity=\"{opacity}\""),
            Self::Class(class) => format!("class=\"{class}-line\""),
        }
    }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32, paint: Paint) -> String {
    let (x, y, width, height) = (Number(x), Number(y), Number(width), Number(height));
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {}/>", paint.fill())
}

/// The commands of a path: the first place, then the way to each next one.
fn path(points: &[Point]) -> String {
    let tenths = |value: f32| (value * 10.0).round();
    let mut out = String::new();
    let mut last: Option<(f32, f32)> = None;
    for point in points {
        // Differences of rounded places, so that rounding does not add up.
        let (x, y) = (tenths(point.x), tenths(point.y));
        let _ = match last {
            None => write!(out, "M{} {}l", Number(x / 10.0), Number(y / 10.0)),
            Some((from_x, from_y)) => {
                let (dx, dy) = (Number((x - from_x) / 10.0), Number((y - from_y) / 10.0).to_string());
                let space = if dy.starts_with('-') { "" } else { " " };
                write!(out, "{}{dx}{space}{dy}", if dx.0 < 0.0 || out.ends_with('l') { "" } else { " " })
            }
        };
        last = Some((x, y));
    }
    out
}

/// A number with at most one decimal.
struct Number(f32);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        let sign = if tenths < 0 { "-" } else { "" };
        match (tenths.abs() / 10, tenths.abs() % 10) {
            (whole, 0) => write!(f, "{sign}{whole}"),
            (0, tenth) => write!(f, "{sign}.{tenth}"),
            (whole, tenth) => write!(f, "{sign}{whole}.{tenth}"),
        }
    }
}

fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A text in XML, which has no place for most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

/// Bytes in the alphabet of RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| LETTERS.get((bits & 63) as usize).copied().map_or('A', char::from);
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            out.push(if place <= group.len() { letter(bits >> (18 - 6 * place)) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[255, 254, 253]), "//79");
    }

    #[test]
    fn numbers_and_paths_are_short() {
        let numbers = [0.0, -0.04, 0.1, -0.1, 12.0, 12.34, -3.96].map(|number| Number(number).to_string());
        assert_eq!(numbers, ["0", "0", ".1", "-.1", "12", "12.3", "-4"]);
        let points = [(1.0, 2.0), (2.0, 1.5), (3.0, 4.0), (2.5, 4.0)].map(|(x, y)| Point { x, y });
        assert_eq!(path(&points), "M1 2l1-.5 1 2.5-.5 0");
    }

    #[test]
    fn what_means_something_in_xml_is_escaped() {
        assert_eq!(escaped("<a & \"b\">\u{1}"), "&lt;a &amp; &quot;b&quot;&gt;\u{fffd}");
    }
}
