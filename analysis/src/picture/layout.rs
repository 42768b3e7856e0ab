//! Arranges what a picture shows: a title, panels one below the other with their axes, and markers across them.

#![allow(clippy::cast_possible_truncation)] // pixels

use super::axis::{self, Tick, TimeAxis, mel};
use super::colour::{Ink, scale};
use super::scene::{Anchor, Area, Indexed, Item, Point, Scene};
use super::text::{fitted, width_of};
use crate::spectrum::Levels;
use crate::waves::Column;

/// The space beside the panels.
const LEFT: f32 = 62.0;
const RIGHT: f32 = 24.0;
const RIGHT_WITH_SCALE: f32 = 76.0;
const TOP: f32 = 16.0;
const TITLE: f32 = 30.0;
const MARKERS: f32 = 20.0;
const BOTTOM: f32 = 46.0;
const GAP: f32 = 12.0;

/// The heights of a panel: of one or two, and of more.
const PANEL: f32 = 170.0;
const LOW_PANEL: f32 = 110.0;

const TITLE_SIZE: f32 = 16.0;
const LABEL_SIZE: f32 = 12.0;
const SMALL_SIZE: f32 = 11.0;

/// The levels that the colours of a spectrogram span, in dB.
const SPAN: f32 = 90.0;

/// What one channel sounds like.
pub(crate) enum Sound {
    /// The outline of many samples.
    Columns(Vec<Column>),
    /// A few samples, each of which is drawn.
    Samples(Vec<f32>),
    /// The levels of frequencies.
    Levels(Levels),
}

/// What a picture is of.
pub(crate) struct Facts {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) sample_rate: u32,
    pub(crate) num_frames: u64,
    /// The names of the channels.
    pub(crate) channels: Vec<String>,
    /// Frames and their labels.
    pub(crate) markers: Vec<(u64, String)>,
}

impl Facts {
    fn seconds(&self) -> f64 {
        self.num_frames as f64 / f64::from(self.sample_rate.max(1))
    }
}

/// Where the panels of a picture are.
pub(crate) struct Frame {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) panels: Vec<Area>,
}

impl Frame {
    /// The frame for so many panels; without a height, they have their usual one.
    pub(crate) fn new(
        num_panels: usize,
        width: u32,
        height: Option<u32>,
        facts: &Facts,
        has_scale: bool,
    ) -> Self {
        let right = if has_scale { RIGHT_WITH_SCALE } else { RIGHT };
        let top = TOP
            + if facts.title.is_empty() && facts.subtitle.is_empty() { 0.0 } else { TITLE }
            + if facts.markers.is_empty() { 0.0 } else { MARKERS };
        let count = num_panels.max(1) as f32;
        let gaps = GAP * (count - 1.0);
        let usual = if num_panels > 2 { LOW_PANEL } else { PANEL };
        let panel = match height {
            Some(height) => ((height as f32 - top - BOTTOM - gaps) / count).floor().max(8.0),
            None => usual,
        };
        let height = height.unwrap_or((top + count * panel + gaps + BOTTOM) as u32);
        let panel_at = |index: usize| Area {
            x: LEFT,
            y: top + index as f32 * (panel + GAP),
            width: (width as f32 - LEFT - right).max(16.0),
            height: panel,
        };
        Self { width, height, panels: (0..num_panels).map(panel_at).collect() }
    }

    /// The pixels of a panel, across and down.
    pub(crate) fn panel_size(&self) -> (usize, usize) {
        self.panels.first().map_or((1, 1), |panel| (panel.width as usize, panel.height as usize))
    }
}

/// A picture of the sounds, one in each panel with the number of its channel.
pub(crate) fn arrange(frame: &Frame, facts: &Facts, sounds: &[(usize, Sound)]) -> Scene {
    let description = match facts.title.is_empty() {
        true => format!("audio of {}", axis::duration(facts.seconds())),
        false => format!("{}, {}", facts.title, facts.subtitle),
    };
    let (width, height) = (frame.width, frame.height);
    let mut drawing = Drawing { scene: Scene { width, height, items: Vec::new(), description }, facts };
    drawing.title();
    let most = frame.panels.first().map_or(1.0, |panel| f64::from(panel.width) / 90.0);
    let time = axis::time(0.0, facts.seconds(), most);
    let limit = limit_of(sounds);
    let loudest = loudest_of(sounds);
    for (panel, (channel, sound)) in frame.panels.iter().zip(sounds) {
        match sound {
            Sound::Columns(columns) => {
                drawing.wave_ground(*panel, &time, limit);
                drawing.outline(*panel, columns, limit);
            }
            Sound::Samples(samples) => {
                drawing.wave_ground(*panel, &time, limit);
                drawing.samples(*panel, samples, limit);
            }
            Sound::Levels(levels) => drawing.levels(*panel, levels, loudest),
        }
        drawing.channel_name(*panel, *channel, matches!(sound, Sound::Levels(_)));
    }
    if let Some(last) = frame.panels.last() {
        drawing.time_axis(*last, &time);
    }
    drawing.scale(frame, sounds, loudest);
    drawing.markers(frame);
    drawing.scene
}

/// The magnitude at the edges of a waveform's panel: full scale, or its half as often as the waveform fits.
fn limit_of(sounds: &[(usize, Sound)]) -> f32 {
    let magnitude = |sound: &Sound| match sound {
        Sound::Columns(columns) => {
            columns.iter().fold(0.0_f32, |peak, column| peak.max(column.high).max(-column.low))
        }
        Sound::Samples(samples) => samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())),
        Sound::Levels(_) => 0.0,
    };
    let peak = sounds.iter().map(|(_, sound)| magnitude(sound)).fold(0.0, f32::max);
    if peak <= 1e-6 {
        return 1.0;
    }
    // A power of two, a little of which is left out.
    2_f32.powi((peak / 1.02).log2().ceil().clamp(-20.0, 60.0) as i32)
}

/// The level of the lightest colour: the next multiple of 10 dB.
fn loudest_of(sounds: &[(usize, Sound)]) -> f32 {
    let loudest = |sound: &Sound| match sound {
        Sound::Levels(levels) => levels.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max),
        _ => f32::NEG_INFINITY,
    };
    let loudest = sounds.iter().map(|(_, sound)| loudest(sound)).fold(f32::NEG_INFINITY, f32::max);
    if loudest > -150.0 { (loudest / 10.0).ceil() * 10.0 + 0.0 } else { 0.0 }
}

/// A picture in the making.
struct Drawing<'a> {
    scene: Scene,
    facts: &'a Facts,
}

impl Drawing<'_> {
    fn title(&mut self) {
        let (facts, right) = (self.facts, self.scene.width as f32 - RIGHT);
        let baseline = TOP + 12.0;
        let used = width_of(&facts.subtitle, LABEL_SIZE);
        self.scene.write((right, baseline), LABEL_SIZE, Anchor::End, &*facts.subtitle, Ink::Faint);
        let room = right - LEFT - used - 24.0;
        if room > 40.0 {
            let title = fitted(&facts.title, TITLE_SIZE, room);
            self.scene.write((LEFT, baseline), TITLE_SIZE, Anchor::Start, title, Ink::Text);
        }
    }

    fn x_of(&self, panel: Area, seconds: f64) -> f32 {
        let all = self.facts.seconds();
        let part = if all > 0.0 { seconds / all } else { 0.0 };
        panel.x + (part * f64::from(panel.width)) as f32
    }

    /// The ground of a waveform, with its grid and the levels on its left.
    fn wave_ground(&mut self, panel: Area, time: &TimeAxis, limit: f32) {
        self.scene.rectangle(panel.x, panel.y, panel.width, panel.height, Ink::Panel);
        for tick in &time.ticks {
            let x = self.x_of(panel, tick.value).round();
            self.scene.rectangle(x, panel.y, 1.0, panel.height, Ink::Grid);
        }
        let (middle, half) = (panel.y + panel.height / 2.0, panel.height / 2.0);
        // Halves of the limit, as far as there is room for their labels.
        let halvings = match half {
            60.0.. => 2,
            32.0.. => 1,
            _ => 0,
        };
        for halving in 0..=halvings {
            let part = 0.5_f32.powi(halving);
            let level = (20.0 * (limit * part).log10()).round();
            let label = if level == 0.0 { "0".to_owned() } else { format!("{level}").replace('-', "−") };
            for direction in [-1.0, 1.0] {
                let y = middle + direction * part * half;
                if halving > 0 {
                    self.scene.rectangle(panel.x, y.round(), panel.width, 1.0, Ink::Grid);
                }
                // The lowest panels have room for one label.
                if direction < 0.0 || half >= 18.0 {
                    self.left_label(panel, y, &label);
                }
            }
        }
        self.scene.rectangle(panel.x, middle.round(), panel.width, 1.0, Ink::Axis);
        if half >= 18.0 {
            self.left_label(panel, middle, "−∞");
        }
        self.unit(panel, "dBFS");
    }

    fn left_label(&mut self, panel: Area, y: f32, label: &str) {
        // Labels at the edges stay inside, so that those of neighbours do not meet.
        let baseline = (y + 4.0).clamp(panel.y + 9.0, panel.bottom());
        self.scene.write((panel.x - 8.0, baseline), SMALL_SIZE, Anchor::End, label, Ink::Faint);
    }

    /// The unit of the axis on the left, left of its labels.
    fn unit(&mut self, panel: Area, unit: &str) {
        let at = (6.0, panel.y + 9.0);
        self.scene.write(at, SMALL_SIZE - 1.0, Anchor::Start, unit, Ink::Faint);
    }

    /// The outline of a waveform, and inside it that of its root mean square.
    fn outline(&mut self, panel: Area, columns: &[Column], limit: f32) {
        let (middle, half) = (panel.y + panel.height / 2.0, panel.height / 2.0);
        let y_of = |value: f32| (middle - value / limit * half).clamp(panel.y, panel.bottom());
        let step = panel.width / columns.len().max(1) as f32;
        let extremes: Vec<(f32, f32)> = columns.iter().map(|column| (column.high, column.low)).collect();
        // Neighbours whose ranges do not meet are joined, as the signal is.
        let joined = extremes.iter().enumerate().map(|(index, (high, low))| {
            let before = index.checked_sub(1).and_then(|index| extremes.get(index)).copied();
            let after = extremes.get(index + 1).copied();
            let reach = |(high, low): (f32, f32), next: Option<(f32, f32)>| match next {
                Some((next_high, next_low)) => {
                    (high.max((next_low + high) / 2.0), low.min((next_high + low) / 2.0))
                }
                None => (high, low),
            };
            reach(reach((*high, *low), before), after)
        });
        let rms = columns.iter().map(|column| (column.rms.min(column.high), (-column.rms).max(column.low)));
        for (bounds, ink) in [(joined.collect::<Vec<_>>(), Ink::Wave), (rms.collect(), Ink::Core)] {
            let place = |(index, (high, low)): (usize, &(f32, f32))| {
                let (top, bottom) = (y_of(*high), y_of(*low));
                // A pixel at least, so that silence is a line.
                let lacking = (1.0 - (bottom - top)).max(0.0) / 2.0;
                (panel.x + (index as f32 + 0.5) * step, top - lacking, bottom + lacking)
            };
            let places: Vec<(f32, f32, f32)> = bounds.iter().enumerate().map(place).collect();
            let above = places.iter().map(|(x, top, _)| Point { x: *x, y: *top });
            let below = places.iter().rev().map(|(x, _, bottom)| Point { x: *x, y: *bottom });
            let points = above.chain(below).collect();
            self.scene.items.push(Item::Polygon { points, ink });
        }
    }

    /// A line through the samples, each with a dot where there is room.
    fn samples(&mut self, panel: Area, samples: &[f32], limit: f32) {
        let (middle, half) = (panel.y + panel.height / 2.0, panel.height / 2.0);
        let step = panel.width / samples.len().max(1) as f32;
        let place = |(index, sample): (usize, &f32)| Point {
            x: panel.x + index as f32 * step,
            y: (middle - sample / limit * half).clamp(panel.y, panel.bottom()),
        };
        let points: Vec<Point> = samples.iter().enumerate().map(place).collect();
        if step >= 8.0 {
            for Point { x, y } in &points {
                let (side, long) = (2.1, 2.97);
                let corners = [
                    (-long, 0.0),
                    (-side, side),
                    (0.0, long),
                    (side, side),
                    (long, 0.0),
                    (side, -side),
                    (0.0, -long),
                    (-side, -side),
                ];
                let points = corners.map(|(dx, dy)| Point { x: x + dx, y: y + dy }).to_vec();
                self.scene.items.push(Item::Polygon { points, ink: Ink::Core });
            }
        }
        self.scene.items.push(Item::Line { points, width: 1.5, ink: Ink::Core });
    }

    /// A spectrogram with its frequencies on the left.
    fn levels(&mut self, panel: Area, levels: &Levels, loudest: f32) {
        let (width, height) = (levels.len(), levels.first().map_or(0, Vec::len));
        let index = |level: f32| ((level - loudest + SPAN) / SPAN * 255.0).clamp(0.0, 255.0) as u8;
        let row =
            |row: usize| levels.iter().map(move |column| column.get(row).map_or(0, |level| index(*level)));
        let pixels = (0..height).rev().flat_map(row).collect();
        let image = Indexed { width: width.max(1), pixels, colours: scale() };
        self.scene.items.push(Item::Image { area: panel, image });
        let highest = f64::from(self.facts.sample_rate) / 2.0;
        let mut free = panel.bottom() + 8.0;
        for Tick { value, label } in axis::frequency(highest) {
            let y = panel.bottom() - (mel(value) / mel(highest)) as f32 * panel.height;
            if free - y < 14.0 || y < panel.y + 14.0 {
                continue;
            }
            free = y;
            self.scene.rectangle(panel.x - 4.0, y.round(), 4.0, 1.0, Ink::Axis);
            self.left_label(panel, y, &label);
        }
        self.unit(panel, "Hz");
    }

    fn channel_name(&mut self, panel: Area, channel: usize, is_spectrogram: bool) {
        let name = self.facts.channels.get(channel).filter(|name| !name.is_empty() && panel.height >= 28.0);
        let Some(name) = name else { return };
        let ink = if is_spectrogram { Ink::OnDark } else { Ink::Text };
        self.scene.write((panel.x + 8.0, panel.y + 16.0), LABEL_SIZE, Anchor::Start, name.as_str(), ink);
    }

    fn time_axis(&mut self, panel: Area, time: &TimeAxis) {
        let bottom = panel.bottom();
        self.scene.rectangle(panel.x, bottom, panel.width, 1.0, Ink::Axis);
        let unit_x = panel.right();
        for tick in &time.ticks {
            let x = self.x_of(panel, tick.value);
            self.scene.rectangle(x.round(), bottom, 1.0, 5.0, Ink::Axis);
            let half = width_of(&tick.label, SMALL_SIZE) / 2.0;
            let x = x.clamp(half + 2.0, self.scene.width as f32 - half - 2.0);
            self.scene.write((x, bottom + 18.0), SMALL_SIZE, Anchor::Middle, &*tick.label, Ink::Faint);
        }
        self.scene.write((unit_x, bottom + 35.0), SMALL_SIZE, Anchor::End, time.unit, Ink::Faint);
    }

    /// The scale of the colours, on the right of the first spectrogram.
    fn scale(&mut self, frame: &Frame, sounds: &[(usize, Sound)], loudest: f32) {
        let is_levels = |(_, (_, sound)): &(&Area, &(usize, Sound))| matches!(sound, Sound::Levels(_));
        let mut panels = frame.panels.iter().zip(sounds).filter(is_levels).map(|(panel, _)| *panel);
        let Some(first) = panels.next() else { return };
        let bottom = panels.next_back().map_or(first.bottom(), Area::bottom);
        let area = Area { x: first.right() + 14.0, y: first.y, width: 10.0, height: bottom - first.y };
        let image = Indexed { width: 1, pixels: (0..=255).rev().collect(), colours: scale() };
        self.scene.items.push(Item::Image { area, image });
        let tenths: &[f32] = match area.height {
            64.0.. => &[0.0, 3.0, 6.0, 9.0],
            24.0.. => &[0.0, 9.0],
            _ => &[0.0],
        };
        for tenth in tenths {
            let level = loudest - 10.0 * tenth;
            let y = area.y + area.height * tenth * 10.0 / SPAN;
            let label = format!("{level}").replace('-', "−");
            let baseline = (y + 4.0).clamp(area.y + 9.0, bottom);
            self.scene.write((area.right() + 6.0, baseline), SMALL_SIZE, Anchor::Start, label, Ink::Faint);
        }
        let (size, at) = (SMALL_SIZE - 1.0, (area.x - 2.0, area.y - 6.0));
        self.scene.write(at, size, Anchor::Start, "dBFS", Ink::Faint);
    }

    /// Lines across all panels, with their labels above where there is room.
    fn markers(&mut self, frame: &Frame) {
        let (Some(first), Some(last)) = (frame.panels.first(), frame.panels.last()) else { return };
        let rate = f64::from(self.facts.sample_rate.max(1));
        let mut markers: Vec<&(u64, String)> = self.facts.markers.iter().collect();
        markers.sort_by_key(|(frame, _)| *frame);
        let places: Vec<f32> = markers
            .iter()
            .map(|(frame, _)| self.x_of(*first, *frame as f64 / rate).min(first.right()))
            .collect();
        let top = first.y - MARKERS + 4.0;
        for (index, ((_, label), x)) in markers.iter().zip(&places).enumerate() {
            self.scene.rectangle(x.round(), top, 1.0, last.bottom() - top, Ink::Marker);
            let next = places.get(index + 1).copied().unwrap_or(self.scene.width as f32 - 2.0);
            let room = next - x - 10.0;
            if !label.is_empty() && room >= 14.0 {
                let label = fitted(label, SMALL_SIZE, room);
                self.scene.write((x + 5.0, first.y - 6.0), SMALL_SIZE, Anchor::Start, label, Ink::Marker);
            }
        }
    }
}
