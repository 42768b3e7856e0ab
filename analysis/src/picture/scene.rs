//! A picture before it is painted: shapes, writing and images, in pixels from the upper left corner.

use super::colour::{Ink, Rgb};

/// A place in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

/// A rectangle along the axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Area {
    pub(crate) fn right(self) -> f32 {
        self.x + self.width
    }

    pub(crate) fn bottom(self) -> f32 {
        self.y + self.height
    }
}

/// Which part of a writing stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// An image of indices into up to 256 colours, from left to right and top to bottom.
#[derive(Clone, Debug)]
pub(crate) struct Indexed {
    pub(crate) width: usize,
    pub(crate) pixels: Vec<u8>,
    pub(crate) colours: Vec<Rgb>,
}

impl Indexed {
    pub(crate) fn height(&self) -> usize {
        self.pixels.len().checked_div(self.width).unwrap_or(0)
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Item {
    Rectangle {
        area: Area,
        ink: Ink,
    },
    /// The inside of a line that returns to its beginning.
    Polygon {
        points: Vec<Point>,
        ink: Ink,
    },
    /// A line that is so many pixels wide.
    Line {
        points: Vec<Point>,
        width: f32,
        ink: Ink,
    },
    /// Writing on a line whose height is `at`; `size` is that of an em.
    Writing {
        at: Point,
        size: f32,
        anchor: Anchor,
        text: String,
        ink: Ink,
    },
    /// An image that fills an area.
    Image {
        area: Area,
        image: Indexed,
    },
}

/// What a picture shows, from back to front.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) items: Vec<Item>,
    /// The picture in words, for those who cannot see it.
    pub(crate) description: String,
}

impl Scene {
    pub(crate) fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        self.items.push(Item::Rectangle { area: Area { x, y, width, height }, ink });
    }

    pub(crate) fn write(
        &mut self,
        (x, y): (f32, f32),
        size: f32,
        anchor: Anchor,
        text: impl Into<String>,
        ink: Ink,
    ) {
        self.items.push(Item::Writing { at: Point { x, y }, size, anchor, text: text.into(), ink });
    }
}
