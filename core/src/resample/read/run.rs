//! Produces consecutive frames and delivers them in portions of any size.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use super::backend::Backend;
use super::blocks::Blocks;
use super::converter::Converter;
use super::delivery::Delivery;
use super::input::FrameSource;
use super::stream::Stream;
use crate::error::Result;
use crate::segment::Stop;

/// A backend, and the frames that it has produced in advance.
#[derive(Debug)]
struct Run<B: Backend> {
    backend: B,
    /// The most recently produced frames of each channel.
    made: Vec<Vec<B::Number>>,
    /// The first of them that has not been delivered; past the end if more must be produced first.
    next: u64,
    /// The number of that frame.
    position: u64,
}

impl<B: Backend> Run<B> {
    /// A run over a backend whose next frame is `skip` frames before `position`.
    fn new(backend: B, skip: u64, position: u64, num_channels: usize) -> Self {
        let made = (0..num_channels).map(|_| Vec::new()).collect();
        Self { backend, made, next: skip, position }
    }

    fn read(
        &mut self,
        end: u64,
        input: &dyn FrameSource,
        delivery: &Delivery,
        mut planes: Vec<&mut [MaybeUninit<u8>]>,
        stop: &Stop<'_>,
    ) -> Result<()> {
        while self.position < end {
            let num_made = self.num_made();
            if self.next >= num_made {
                stop.check()?;
                self.next -= num_made;
                self.made.iter_mut().for_each(Vec::clear);
                self.backend.make(input, &mut self.made, stop)?;
                continue;
            }
            let num_frames = (num_made - self.next).min(end - self.position);
            let (from, to) = (index(self.next), index(self.next + num_frames));
            let channels: Vec<&[B::Number]> =
                self.made.iter().map(|channel| channel.get(from..to).unwrap_or_default()).collect();
            delivery.put(&channels, &mut planes);
            self.next += num_frames;
            self.position += num_frames;
        }
        Ok(())
    }

    fn num_made(&self) -> u64 {
        self.made.first().map_or(0, |channel| channel.len() as u64)
    }
}

fn index(frame: u64) -> usize {
    usize::try_from(frame).unwrap_or(usize::MAX)
}

/// A run over any backend.
#[derive(Debug)]
pub(crate) enum AnyRun {
    Single(RunOf<Blocks<f32>>),
    Double(RunOf<Blocks<f64>>),
    Plugin(RunOf<Stream>),
}

/// A boxed run: the sizes of runs differ.
#[derive(Debug)]
pub(crate) struct RunOf<B: Backend>(Box<Run<B>>);

impl AnyRun {
    /// A run whose first frame is `frame`.
    pub(crate) fn begin(
        converter: &Converter,
        frame: u64,
        input: &dyn FrameSource,
        max_threads: usize,
    ) -> Result<Self> {
        let num_channels = input.num_channels();
        match converter {
            Converter::Single(plan) => {
                let (backend, skip) = Blocks::begin(plan.clone(), frame, num_channels);
                Ok(Self::Single(RunOf(Box::new(Run::new(backend, skip, frame, num_channels)))))
            }
            Converter::Double(plan) => {
                let (backend, skip) = Blocks::begin(plan.clone(), frame, num_channels);
                Ok(Self::Double(RunOf(Box::new(Run::new(backend, skip, frame, num_channels)))))
            }
            Converter::Plugin(plugin) => {
                let (backend, skip) = Stream::begin(plugin, frame, input, max_threads)?;
                Ok(Self::Plugin(RunOf(Box::new(Run::new(backend, skip, frame, num_channels)))))
            }
        }
    }

    /// The number of the next frame.
    pub(crate) fn position(&self) -> u64 {
        match self {
            Self::Single(run) => run.0.position,
            Self::Double(run) => run.0.position,
            Self::Plugin(run) => run.0.position,
        }
    }

    /// Whether this process is a fork without the thread that resamples.
    pub(crate) fn is_left_behind(&self) -> bool {
        match self {
            Self::Single(_) | Self::Double(_) => false,
            Self::Plugin(run) => run.0.backend.is_left_behind(),
        }
    }

    /// Delivers all frames up to `end`, which fill `planes`.
    pub(crate) fn read(
        &mut self,
        end: u64,
        input: &dyn FrameSource,
        delivery: &Delivery,
        planes: Vec<&mut [MaybeUninit<u8>]>,
        stop: &Stop<'_>,
    ) -> Result<()> {
        match self {
            Self::Single(run) => run.0.read(end, input, delivery, planes, stop),
            Self::Double(run) => run.0.read(end, input, delivery, planes, stop),
            Self::Plugin(run) => run.0.read(end, input, delivery, planes, stop),
        }
    }
}
