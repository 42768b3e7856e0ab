//! Paints a scene in pixels, and writes them as a PNG.

#![allow(clippy::cast_possible_truncation)] // pixels

use ab_glyph_rasterizer::{Point as Corner, Rasterizer, point};
use png::{BitDepth, ColorType, Compression, Encoder};

use super::colour::{Ink, Rgb};
use super::scene::{Anchor, Area, Indexed, Item, Point, Scene};
use super::text;

/// The pixels of a picture.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Canvas {
    /// Paints a pixel, as far as it is covered.
    fn blend(&mut self, x: usize, y: usize, coverage: f32, Rgb(red, green, blue): Rgb) {
        if x >= self.width {
            return;
        }
        let Some(pixel) = self.pixels.get_mut(y * self.width + x) else { return };
        let coverage = coverage.clamp(0.0, 1.0);
        let mix = |below: u8, above: u8| {
            (f32::from(below) + coverage * (f32::from(above) - f32::from(below))).round() as u8
        };
        let [r, g, b] = *pixel;
        *pixel = [mix(r, red), mix(g, green), mix(b, blue)];
    }

    /// Paints the inside of lines.
    fn fill(&mut self, outlines: &[Vec<Point>], colour: Rgb) {
        let points = || outlines.iter().flatten();
        let low = |of: fn(&Point) -> f32| points().map(of).fold(f32::INFINITY, f32::min).floor().max(0.0);
        let high = |of: fn(&Point) -> f32| points().map(of).fold(0.0, f32::max).ceil();
        let (left, top) = (low(|point| point.x), low(|point| point.y));
        let (right, bottom) = (high(|point| point.x), high(|point| point.y));
        if right <= left || bottom <= top {
            return;
        }
        let width = (right.min(self.width as f32) - left) as usize + 1;
        let height = (bottom.min(self.height as f32) - top) as usize + 1;
        let mut raster = Rasterizer::new(width, height);
        let corner = |at: &Point| -> Corner { point(at.x - left, at.y - top) };
        for outline in outlines {
            let next = outline.iter().cycle().skip(1);
            for (from, to) in outline.iter().zip(next) {
                raster.draw_line(corner(from), corner(to));
            }
        }
        raster.for_each_pixel_2d(|x, y, coverage| {
            if coverage > 0.0 {
                self.blend(x as usize + left as usize, y as usize + top as usize, coverage, colour);
            }
        });
    }

    fn rectangle(&mut self, Area { x, y, width, height }: Area, colour: Rgb) {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        self.fill(&[corners.map(|(x, y)| Point { x, y }).to_vec()], colour);
    }

    fn write(&mut self, at: Point, size: f32, anchor: Anchor, text: &str, colour: Rgb) {
        let width = text::width_of(text, size);
        let x = match anchor {
            Anchor::Start => at.x,
            Anchor::Middle => at.x - width / 2.0,
            Anchor::End => at.x - width,
        };
        text::each_outline(text, size, (x, at.y), |outline| {
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, coverage| {
                let (x, y) = (bounds.min.x + dx as f32, bounds.min.y + dy as f32);
                if x >= 0.0 && y >= 0.0 {
                    self.blend(x as usize, y as usize, coverage, colour);
                }
            });
        });
    }

    /// Paints an image, the nearest pixel for each.
    fn image(&mut self, area: Area, image: &Indexed) {
        let (rows, columns) = (image.height(), image.width);
        for y in area.y.max(0.0).round() as usize..area.bottom().round() as usize {
            for x in area.x.max(0.0).round() as usize..area.right().round() as usize {
                let along = |place: usize, start: f32, length: f32, count: usize| {
                    let part = (place as f32 + 0.5 - start) / length;
                    ((part * count as f32) as usize).min(count.saturating_sub(1))
                };
                let row = along(y, area.y, area.height, rows);
                let column = along(x, area.x, area.width, columns);
                let index = image.pixels.get(row * columns + column);
                if let Some(colour) = index.and_then(|index| image.colours.get(usize::from(*index))) {
                    self.blend(x, y, 1.0, *colour);
                }
            }
        }
    }
}

/// The outlines of a line's parts, all in one direction.
fn stroked(points: &[Point], width: f32) -> Vec<Vec<Point>> {
    let part = |(from, to): (&Point, &Point)| {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let length = dx.hypot(dy).max(1e-6);
        // A little longer, so that the parts join.
        let (along_x, along_y) = (dx / length * width / 4.0, dy / length * width / 4.0);
        let (across_x, across_y) = (-dy / length * width / 2.0, dx / length * width / 2.0);
        let corner = |at: &Point, along: f32, across: f32| Point {
            x: at.x + along * along_x + across * across_x,
            y: at.y + along * along_y + across * across_y,
        };
        vec![corner(from, -1.0, -1.0), corner(to, 1.0, -1.0), corner(to, 1.0, 1.0), corner(from, -1.0, 1.0)]
    };
    points.iter().zip(points.iter().skip(1)).map(part).collect()
}

/// The pixels of a scene, row by row.
fn paint(scene: &Scene, colour_of: fn(Ink) -> Rgb) -> Canvas {
    let (width, height) = (scene.width as usize, scene.height as usize);
    let Rgb(red, green, blue) = colour_of(Ink::Ground);
    let mut canvas = Canvas { width, height, pixels: vec![[red, green, blue]; width * height] };
    for item in &scene.items {
        match item {
            Item::Rectangle { area, ink } => canvas.rectangle(*area, colour_of(*ink)),
            Item::Polygon { points, ink } => canvas.fill(std::slice::from_ref(points), colour_of(*ink)),
            Item::Line { points, width, ink } => canvas.fill(&stroked(points, *width), colour_of(*ink)),
            Item::Writing { at, size, anchor, text, ink } => {
                canvas.write(*at, *size, *anchor, text, colour_of(*ink));
            }
            Item::Image { area, image } => canvas.image(*area, image),
        }
    }
    canvas
}

/// A scene as a PNG.
pub(super) fn png(scene: &Scene, colour_of: fn(Ink) -> Rgb) -> Vec<u8> {
    let canvas = paint(scene, colour_of);
    encode(scene.width, scene.height, canvas.pixels.as_flattened(), None)
}

/// An image as a PNG.
pub(super) fn png_of_image(image: &Indexed) -> Vec<u8> {
    let palette: Vec<u8> =
        image.colours.iter().flat_map(|Rgb(red, green, blue)| [*red, *green, *blue]).collect();
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    encode(size(image.width), size(image.height()), &image.pixels, Some(palette))
}

/// Nothing can fail: the sizes are those of the pixels, and memory takes all bytes.
fn encode(width: u32, height: u32, bytes: &[u8], palette: Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_color(if palette.is_some() { ColorType::Indexed } else { ColorType::Rgb });
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(bytes));
    debug_assert!(written.is_ok(), "{written:?}");
    out
}
