//! From what a packet codes to samples.

#![forbid(unsafe_code)]

use crate::bands::Bands;
use crate::coupling::{Coupling, Point, Target};
use crate::filter_bank::Overlap;
use crate::grouping::{Sequence, Windows};
use crate::lines::{Lines, MAX_LINES};
use crate::noise::Noise;
use crate::packet::{Block, Element};
use crate::program::{Kind, MAX_CHANNELS, Program};
use crate::scale::scale;
use crate::side::{Channel, ZERO};
use crate::stereo;
use crate::transform::{
    NUM_LANES, Vector, Workspace, from_rows, to_rows, transform_60, transform_64, transform_480,
    transform_1024,
};

/// What all packets of a stream have in common.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) program: Program,
    pub(crate) bands: [Bands; 2],
    pub(crate) num_frames: usize,
}

/// What is kept of the packets before: of each channel of the output, and of each coupling channel with windows of its own, by tag.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The generator of noise.
    pub(crate) noise: Noise,
    channels: Vec<Overlap>,
    couplings: Vec<Overlap>,
    workspace: Box<Workspace>,
}

impl State {
    pub(crate) fn new(num_channels: usize) -> Self {
        Self {
            noise: Noise::default(),
            channels: vec![Overlap::default(); num_channels],
            couplings: Vec::new(),
            workspace: Box::new([[([0.0; NUM_LANES], [0.0; NUM_LANES]); 64]; 2]),
        }
    }

    /// Forgets what overlaps.
    pub(crate) fn reset_overlap(&mut self) {
        self.channels.iter_mut().chain(&mut self.couplings).for_each(Overlap::reset);
    }
}

/// Turns a packet that is read into samples, a plane for each channel.
#[inline(always)]
pub(crate) fn synthesize<V: Vector>(
    proof: V::Proof,
    stream: &Stream,
    block: &mut Block,
    state: &mut State,
    planes: &mut [Lines],
) {
    restore_lines(stream, block, &mut state.noise);
    couple(stream, block, Point::BeforeShaping);
    for (channel, lines) in block.channels.iter().zip(&mut block.lines) {
        if !channel.tns.is_empty() {
            channel.tns.apply(lines, &channel.windows, &stream.bands);
        }
    }
    couple(stream, block, Point::AfterShaping);
    for ((channel, lines), overlap) in block.channels.iter().zip(&block.lines).zip(&mut state.channels) {
        transform::<V>(proof, stream, &mut state.workspace, &channel.windows, lines, &mut overlap.now);
    }
    if stream.num_frames < MAX_LINES {
        transform_together::<V>(proof, stream, block, state);
    }
    for ((channel, overlap), plane) in block.channels.iter().zip(&mut state.channels).zip(&mut *planes) {
        let samples = plane.get_mut(..stream.num_frames).unwrap_or_default();
        let Windows { sequence, is_kbd, .. } = channel.windows;
        overlap.advance::<V>(proof, sequence, is_kbd, stream.num_frames, samples);
    }
    if block.num_couplings > 0 || !state.couplings.is_empty() {
        add_samples::<V>(proof, stream, block, state, planes);
    }
}

/// Turns a packet into the lines of each channel, before noise shaping. Channels that are not in the packet are silent.
#[inline(always)]
fn restore_lines(stream: &Stream, block: &mut Block, noise: &mut Noise) {
    let Block { order, channels, lines, elements, couplings, .. } = block;
    let slots = stream.program.slots();
    for (slot, _) in slots.iter().zip(&*elements).filter(|(_, element)| element.tag.is_none()) {
        for plane in slot.planes.map(usize::from) {
            channels.get_mut(plane).into_iter().for_each(Channel::clear);
            lines.get_mut(plane).into_iter().for_each(|lines| lines.fill(0.0));
        }
    }
    // Noise is drawn in the order of the packet.
    for element in order {
        match *element {
            Element::Slot(number) => {
                let (Some(slot), Some(element)) = (slots.get(number), elements.get(number)) else { continue };
                let [first, second] = slot.planes.map(usize::from);
                if slot.kind != Kind::Pair {
                    if let (Some(channel), Some(lines)) = (channels.get(first), lines.get_mut(first)) {
                        scale(channel, &stream.bands, lines, noise);
                    }
                    continue;
                }
                let pair = (channels.get(first), channels.get(second));
                if let ((Some(left), Some(right)), Ok([left_lines, right_lines])) =
                    (pair, lines.get_disjoint_mut([first, second]))
                {
                    scale(left, &stream.bands, left_lines, noise);
                    scale(right, &stream.bands, right_lines, noise);
                    stereo::apply(element, (left, left_lines), (right, right_lines), &stream.bands);
                }
            }
            Element::Coupling(number) => {
                let Some(Coupling { channel, lines, .. }) = couplings.get_mut(number) else { continue };
                scale(channel, &stream.bands, lines, noise);
                if !channel.tns.is_empty() {
                    channel.tns.apply(lines, &channel.windows, &stream.bands);
                }
            }
        }
    }
}

/// The channels of the output that a coupling channel is added to, and with which list of gains.
fn targets<'b>(
    stream: &'b Stream,
    block_tags: &'b [Option<u8>; MAX_CHANNELS],
    target: &'b Target,
) -> impl Iterator<Item = (usize, usize)> + 'b {
    let slots = stream.program.slots().iter().zip(block_tags);
    let kind = if target.is_pair { Kind::Pair } else { Kind::Single };
    let meant = slots.filter(move |(slot, tag)| slot.kind == kind && **tag == Some(target.tag));
    meant.flat_map(move |(slot, _)| {
        let channels = slot.planes.iter().zip(target.lists).take(if target.is_pair { 2 } else { 1 });
        channels.filter_map(|(plane, list)| Some((usize::from(*plane), usize::from(list?))))
    })
}

fn tags(block: &Block) -> [Option<u8>; MAX_CHANNELS] {
    let mut tags = [None; MAX_CHANNELS];
    tags.iter_mut().zip(&block.elements).for_each(|(tag, element)| *tag = element.tag);
    tags
}

/// Adds the lines of coupling channels to those of others.
fn couple(stream: &Stream, block: &mut Block, point: Point) {
    if block.num_couplings == 0 {
        return;
    }
    let tags = tags(block);
    for coupling in
        block.couplings.iter().take(block.num_couplings).filter(|coupling| coupling.point == point)
    {
        for target in coupling.targets() {
            for (plane, list) in targets(stream, &tags, target) {
                if let (Some(lines), Some(gains)) = (block.lines.get_mut(plane), coupling.gains.get(list)) {
                    add_lines(stream, coupling, gains, lines);
                }
            }
        }
    }
}

fn add_lines(stream: &Stream, coupling: &Coupling, gains: &[f32], lines: &mut Lines) {
    let windows = &coupling.channel.windows;
    let bands = windows.bands(&stream.bands);
    let num_lines = bands.start(usize::MAX);
    let mut each = coupling.channel.books.iter().zip(gains);
    for (first, length) in windows.groups() {
        for (band, (book, gain)) in each.by_ref().take(windows.num_bands).enumerate() {
            if *book == ZERO {
                continue;
            }
            for window in first..first + length {
                let range =
                    window * num_lines + bands.start(band)..window * num_lines + bands.start(band + 1);
                let from = coupling.lines.get(range.clone()).unwrap_or_default();
                for (to, line) in lines.get_mut(range).unwrap_or_default().iter_mut().zip(from) {
                    *to += line * gain;
                }
            }
        }
    }
}

/// Adds the samples of coupling channels to those of others.
#[inline(always)]
fn add_samples<V: Vector>(
    proof: V::Proof,
    stream: &Stream,
    block: &Block,
    state: &mut State,
    planes: &mut [Lines],
) {
    let tags = tags(block);
    let mut is_present = [false; 16];
    for coupling in block.couplings.iter().take(block.num_couplings) {
        if coupling.point != Point::Samples {
            continue;
        }
        let number = usize::from(coupling.tag);
        is_present.get_mut(number).into_iter().for_each(|is_present| *is_present = true);
        if state.couplings.len() <= number {
            state.couplings.resize_with(number + 1, Overlap::default);
        }
        let Some(overlap) = state.couplings.get_mut(number) else { continue };
        let windows = &coupling.channel.windows;
        transform::<V>(proof, stream, &mut state.workspace, windows, &coupling.lines, &mut overlap.now);
        if stream.num_frames < MAX_LINES && windows.sequence != Sequence::Short {
            let mut rows = [[0.0; NUM_LANES]; 960];
            rows.iter_mut().zip(&coupling.lines).for_each(|(row, line)| row[0] = *line);
            transform_480::<V>(proof, &mut rows);
            overlap.now.iter_mut().zip(&rows).for_each(|(to, row)| *to = row[0]);
        }
        let mut samples = [0.0; MAX_LINES];
        let Windows { sequence, is_kbd, .. } = coupling.channel.windows;
        let own = samples.get_mut(..stream.num_frames).unwrap_or_default();
        overlap.advance::<V>(proof, sequence, is_kbd, stream.num_frames, own);
        for target in coupling.targets() {
            for (plane, list) in targets(stream, &tags, target) {
                let gain =
                    coupling.gains.get(list).and_then(|gains| gains.first()).copied().unwrap_or_default();
                for (to, sample) in planes.get_mut(plane).into_iter().flatten().zip(&samples) {
                    *to += sample * gain;
                }
            }
        }
    }
    // One that is not in this packet begins again.
    let absent = state.couplings.iter_mut().zip(is_present).filter(|(_, is_present)| !is_present);
    absent.for_each(|(overlap, _)| overlap.reset());
}

/// Transforms the lines of a channel, but not those of long windows of 960, which go [together](transform_together).
#[inline(always)]
fn transform<V: Vector>(
    proof: V::Proof,
    stream: &Stream,
    workspace: &mut Workspace,
    windows: &Windows,
    lines: &Lines,
    to: &mut Lines,
) {
    if windows.sequence != Sequence::Short {
        if stream.num_frames == MAX_LINES {
            transform_1024::<V>(proof, workspace, lines, to);
        }
        return;
    }
    let num_lines = stream.num_frames / NUM_LANES;
    let mut inputs = lines.chunks_exact(num_lines);
    let mut outputs = to.chunks_exact_mut(num_lines);
    let inputs = std::array::from_fn(|_| inputs.next().unwrap_or_default());
    let mut outputs = std::array::from_fn(|_| outputs.next().unwrap_or_default());
    let mut rows = [[0.0; NUM_LANES]; MAX_LINES / NUM_LANES];
    let rows = rows.get_mut(..num_lines).unwrap_or_default();
    to_rows::<V>(proof, &inputs, rows);
    if stream.num_frames == MAX_LINES {
        transform_64::<V>(proof, rows);
    } else {
        transform_60::<V>(proof, rows);
    }
    from_rows::<V>(proof, rows, &mut outputs);
}

/// Transforms the long windows of 960 lines of all channels.
#[inline(always)]
fn transform_together<V: Vector>(proof: V::Proof, stream: &Stream, block: &Block, state: &mut State) {
    let mut inputs: [&[f32]; NUM_LANES] = [&[]; NUM_LANES];
    let mut outputs: [&mut [f32]; NUM_LANES] = Default::default();
    let each = block.channels.iter().zip(&block.lines).zip(&mut state.channels);
    let long = each.filter(|((channel, _), _)| channel.windows.sequence != Sequence::Short);
    for (((_, lines), overlap), (input, output)) in long.zip(inputs.iter_mut().zip(&mut outputs)) {
        (*input, *output) = (&lines[..], &mut overlap.now[..]);
    }
    let mut rows = [[0.0; NUM_LANES]; 960];
    let rows = rows.get_mut(..stream.num_frames).unwrap_or_default();
    to_rows::<V>(proof, &inputs, rows);
    transform_480::<V>(proof, rows);
    from_rows::<V>(proof, rows, &mut outputs);
}
