//! What a packet sounds like by the standard's formulas, in double precision (ISO/IEC 14496-3, 4.6).

use std::f64::consts::PI;

use crate::packets::{Channel, Coupling, Maker, Packet, Sequence};

/// What is kept of the packets before: of each channel, the second half of the last one, and whether its window is a Kaiser-Bessel one.
pub struct Synthesis {
    num_frames: usize,
    channels: Vec<(Vec<f64>, bool)>,
    coupling: (Vec<f64>, bool),
}

impl Synthesis {
    pub fn new(num_frames: usize, num_channels: usize) -> Self {
        let silence = (vec![0.0; num_frames], false);
        Self { num_frames, channels: vec![silence.clone(); num_channels], coupling: silence }
    }

    /// Interleaved samples.
    pub fn samples(&mut self, packet: &Packet, maker: &Maker) -> Vec<f64> {
        let mut lines: Vec<Vec<f64>> = packet.channels.iter().map(|channel| scaled(channel, maker)).collect();
        if let ([left, right], [_, second]) = (&mut lines[..], &packet.channels[..]) {
            join(packet, second, maker, left, right);
        }
        let coupled = packet.coupling.as_ref().map(|coupling| {
            let mut lines = scaled(&coupling.channel, maker);
            shape(&coupling.channel, maker, &mut lines);
            (coupling, lines)
        });
        for (number, (channel, lines)) in packet.channels.iter().zip(&mut lines).enumerate() {
            for point in [0, 1] {
                if point == 1 {
                    shape(channel, maker, lines);
                }
                if let Some((coupling, coupled)) =
                    coupled.as_ref().filter(|(coupling, _)| coupling.point == point)
                {
                    couple(coupling, maker, coupled, number, lines);
                }
            }
        }
        let mut planes: Vec<Vec<f64>> = Vec::new();
        for ((channel, lines), state) in packet.channels.iter().zip(&lines).zip(&mut self.channels) {
            planes.push(overlapped(channel, lines, self.num_frames, state));
        }
        match coupled.filter(|(coupling, _)| coupling.point == 2) {
            Some((coupling, lines)) => {
                let samples = overlapped(&coupling.channel, &lines, self.num_frames, &mut self.coupling);
                for (number, plane) in planes.iter_mut().enumerate() {
                    let is_second = number == 1 && coupling.has_two_lists;
                    let gain = if is_second { gain(coupling.step, coupling.common.unwrap()) } else { 1.0 };
                    plane.iter_mut().zip(&samples).for_each(|(to, sample)| *to += sample * gain);
                }
            }
            None => self.coupling = (vec![0.0; self.num_frames], false),
        }
        (0..self.num_frames)
            .flat_map(|n| planes.iter().map(move |plane| plane[n] / 32768.0).collect::<Vec<_>>())
            .collect()
    }
}

/// The bands of a channel: its group and number, and where it begins and ends in each window.
fn each_band(channel: &Channel, maker: &Maker, mut act: impl FnMut(usize, usize, usize, usize)) {
    let starts = maker.starts(channel.sequence);
    let mut first = 0;
    for (group, length) in channel.groups.iter().enumerate() {
        for band in 0..channel.num_bands {
            for window in first..first + length {
                let base = window * starts[starts.len() - 1];
                act(group, band, base + starts[band], base + starts[band + 1]);
            }
        }
        first += length;
    }
}

/// Pulses, inverse quantisation and scale factors.
fn scaled(channel: &Channel, maker: &Maker) -> Vec<f64> {
    let mut integers = channel.lines.clone();
    if let Some((band, each)) = &channel.pulses {
        let mut line = maker.starts(channel.sequence)[*band];
        for (distance, amplitude) in each {
            line += distance;
            integers[line] += if integers[line] > 0 { *amplitude } else { -amplitude };
        }
    }
    let mut lines = vec![0.0; integers.len()];
    each_band(channel, maker, |group, band, start, end| {
        if (1..12).contains(&channel.books[group][band]) {
            let scale = (f64::from(channel.scales[group][band] - 100) / 4.0).exp2();
            for line in start..end {
                let value = f64::from(integers[line]);
                lines[line] = value.signum() * value.abs().powf(4.0 / 3.0) * scale;
            }
        }
    });
    lines
}

/// Sum and difference, and intensity.
fn join(packet: &Packet, second: &Channel, maker: &Maker, left: &mut [f64], right: &mut [f64]) {
    each_band(second, maker, |group, band, start, end| {
        let is_marked = packet.mask_kind > 0 && packet.mask[group][band];
        let book = second.books[group][band];
        for line in start..end {
            if book >= 14 {
                let sign = if (book == 15) == is_marked { -1.0 } else { 1.0 };
                right[line] = left[line] * sign * (-f64::from(second.scales[group][band]) / 4.0).exp2();
            } else if is_marked {
                (left[line], right[line]) = (left[line] + right[line], left[line] - right[line]);
            }
        }
    });
}

/// The filters of noise shaping.
fn shape(channel: &Channel, maker: &Maker, lines: &mut [f64]) {
    let starts = maker.starts(channel.sequence);
    let reach = maker.max_tns[usize::from(channel.sequence == Sequence::Short)].min(channel.num_bands);
    let (mut window, mut bottom) = (usize::MAX, 0);
    for filter in &channel.filters {
        if filter.window != window {
            (window, bottom) = (filter.window, starts.len() - 1);
        }
        let top = bottom;
        bottom = top.saturating_sub(filter.num_bands);
        if filter.codes.is_empty() {
            continue;
        }
        let mut coefficients = vec![1.0];
        for (count, code) in filter.codes.iter().enumerate() {
            let half = 2.0_f64.powi(filter.resolution as i32 - 1);
            let step = PI / 2.0 / if *code >= 0 { half - 0.5 } else { half + 0.5 };
            let reflection = (f64::from(*code) * step).sin();
            let before = coefficients.clone();
            for place in 1..=count {
                coefficients[place] += reflection * before[count + 1 - place];
            }
            coefficients.push(reflection);
        }
        let base = window * starts[starts.len() - 1];
        let mut places: Vec<usize> =
            (base + starts[bottom.min(reach)]..base + starts[top.min(reach)]).collect();
        if filter.is_downward {
            places.reverse();
        }
        for n in 0..places.len() {
            for back in 1..coefficients.len().min(n + 1) {
                lines[places[n]] -= coefficients[back] * lines[places[n - back]];
            }
        }
    }
}

fn gain(step: u32, exponent: i32) -> f64 {
    (-f64::from(exponent) * f64::from(1 << step) / 8.0).exp2()
}

fn couple(coupling: &Coupling, maker: &Maker, from: &[f64], number: usize, lines: &mut [f64]) {
    let channel = &coupling.channel;
    let is_second = number == 1 && coupling.has_two_lists;
    // The gains of each band add up.
    let mut sum = 0;
    let gains: Vec<Vec<f64>> = channel
        .books
        .iter()
        .zip(&coupling.each)
        .map(|(books, each)| {
            books
                .iter()
                .zip(each)
                .map(|(book, difference)| {
                    if !is_second {
                        return 1.0;
                    }
                    if let Some(common) = coupling.common {
                        return gain(coupling.step, common);
                    }
                    if *book != 0 {
                        sum += difference;
                    }
                    let (sign, exponent) =
                        if coupling.has_signs { (1 - 2 * (sum & 1), sum >> 1) } else { (1, sum) };
                    f64::from(sign) * gain(coupling.step, exponent)
                })
                .collect()
        })
        .collect();
    each_band(channel, maker, |group, band, start, end| {
        if channel.books[group][band] != 0 {
            (start..end).for_each(|line| lines[line] += from[line] * gains[group][band]);
        }
    });
}

/// The rising half of a window.
fn slope(length: usize, is_kbd: bool) -> Vec<f64> {
    if !is_kbd {
        return (0..length).map(|n| (PI / (2 * length) as f64 * (n as f64 + 0.5)).sin()).collect();
    }
    let alpha = if length > 200 { 4.0 } else { 6.0 };
    let bessel = |x: f64| {
        let (mut term, mut sum) = (1.0, 1.0);
        for k in 1..80 {
            term *= (x / 2.0 / f64::from(k)).powi(2);
            sum += term;
        }
        sum
    };
    let half = length as f64 / 2.0;
    let kaiser = |n: usize| bessel(PI * alpha * (1.0 - ((n as f64 - half) / half).powi(2)).max(0.0).sqrt());
    let total: f64 = (0..=length).map(kaiser).sum();
    let mut sum = 0.0;
    (0..length)
        .map(|n| {
            sum += kaiser(n);
            (sum / total).sqrt()
        })
        .collect()
}

/// The inverse MDCT: twice as many numbers as lines (4.6.11.3.1).
fn transformed(lines: &[f64]) -> Vec<f64> {
    let count = lines.len();
    // cos(2π/N (n + n0)(k + ½)) of N = 2 count, n0 = (count + 1) / 2: a multiple of π / (4 count)... by its place in a turn.
    let turn: Vec<f64> = (0..8 * count).map(|place| (PI / (4 * count) as f64 * place as f64).cos()).collect();
    let sum = |n: usize| {
        let terms = lines.iter().enumerate();
        terms.map(|(k, line)| line * turn[(2 * n + count + 1) * (2 * k + 1) % (8 * count)]).sum::<f64>()
    };
    (0..2 * count).map(|n| sum(n) / count as f64).collect()
}

/// Windows and overlap (4.6.11.3.2 and 4.6.11.3.3).
fn overlapped(
    channel: &Channel,
    lines: &[f64],
    num_frames: usize,
    (last, was_kbd): &mut (Vec<f64>, bool),
) -> Vec<f64> {
    let (length, flat) = (num_frames / 8, (num_frames - num_frames / 8) / 2);
    let mut both = vec![0.0; 2 * num_frames];
    let (zeros, ones) = (vec![0.0; flat], vec![1.0; flat]);
    let falling = |length: usize| slope(length, channel.is_kbd).into_iter().rev().collect::<Vec<_>>();
    if channel.sequence == Sequence::Short {
        for window in 0..8 {
            let rising = slope(length, if window == 0 { *was_kbd } else { channel.is_kbd });
            let factors = [rising, falling(length)].concat();
            let samples = transformed(&lines[window * length..(window + 1) * length]);
            for (n, (sample, factor)) in samples.iter().zip(factors).enumerate() {
                both[flat + window * length + n] += sample * factor;
            }
        }
    } else {
        let rising = if channel.sequence == Sequence::Stop {
            [zeros.clone(), slope(length, *was_kbd), ones.clone()].concat()
        } else {
            slope(num_frames, *was_kbd)
        };
        let falling = if channel.sequence == Sequence::Start {
            [ones, falling(length), zeros].concat()
        } else {
            falling(num_frames)
        };
        let factors = [rising, falling].concat();
        both = transformed(lines).iter().zip(factors).map(|(sample, factor)| sample * factor).collect();
    }
    let samples = (0..num_frames).map(|n| both[n] + last[n]).collect();
    (*last, *was_kbd) = (both[num_frames..].to_vec(), channel.is_kbd);
    samples
}
