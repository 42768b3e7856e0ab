//! A signal on its way through a plugin's resampler: called directly when the plugin is trusted, else through a thread of its
//! own, which has copies of the frames that go in and of the room for those that come out.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::decoder::Chunk;
use super::encoding::Block;
use super::fault::Failure;
use super::resampler::{Done, Handle, Options, ResamplerKind, ResamplerRequest};
use super::supervisor::{self, Silence};
use crate::error::{Error, Result};

/// The most frames of a channel that cross the wall in one call, either way: the caller is asked often enough whether to stop.
const MAX_FRAMES: usize = 1 << 16;

/// How often in a row a resampler may neither read nor write.
const MAX_IDLE: usize = 3;

const DOING: &str = "resampling";

/// Why a call came to nothing.
enum Why {
    /// The caller wanted no more.
    Interrupted,
    Failed(Failure),
}

impl From<Failure> for Why {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A resampler of a plugin at work.
#[derive(Debug)]
pub struct Resampler {
    kind: ResamplerKind,
    request: ResamplerRequest,
    way: Way,
    num_read: u64,
    num_written: u64,
    /// Whether the caller has said that no more frames come.
    has_ended: bool,
    /// The process that the thread is in.
    process: u32,
}

#[derive(Debug)]
enum Way {
    Direct(Box<Handle>),
    Thread {
        requests: SyncSender<Exchange>,
        answers: Receiver<(Result<Done, Failure>, Exchange)>,
        exchange: Exchange,
    },
    /// Nothing is resampled any more, for this reason.
    Ended(String),
}

/// What crosses to a thread and back: frames, and room for frames.
#[derive(Debug, Default)]
struct Exchange {
    /// A plane for each channel; `None` at the end.
    input: Option<Vec<Block>>,
    output: Vec<Chunk>,
    num_bytes: usize,
}

impl Resampler {
    /// Opens a resampler of a kind.
    ///
    /// # Errors
    /// [`Error::Argument`] for a request that makes no sense; [`Error::Plugin`] when the plugin refuses it or fails;
    /// [`Error::Interrupted`] when `stop` says so.
    pub fn open(kind: &ResamplerKind, request: &ResamplerRequest, stop: &dyn Fn() -> bool) -> Result<Self> {
        let options = Options::new(kind, request)?;
        let opened = match kind.is_trusted() {
            true => kind.open(&options).map(|handle| Way::Direct(Box::new(handle))).map_err(Why::from),
            false => open_on_thread(kind, options, stop),
        };
        let way = opened.map_err(|why| error(why, kind, "opening"))?;
        Ok(Self {
            kind: kind.clone(),
            request: request.clone(),
            way,
            num_read: 0,
            num_written: 0,
            has_ended: false,
            process: std::process::id(),
        })
    }

    /// Where in a signal a resampler may begin and give the same frames as one that began at frame 0, bit for bit: the
    /// distance of such frames in the input, of which each gives a whole number of frames out; and how many frames in from
    /// there the same ones begin to come out. `None` when only at the start.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn restart(kind: &ResamplerKind, request: &ResamplerRequest) -> Result<Option<(u64, u64)>> {
        let options = Options::new(kind, request)?;
        let asked = kind.clone();
        let call = move || asked.restart(&options);
        supervisor::call(kind.is_trusted(), "telling where it may begin", call)
            .map_err(|failure| failure.into_error(kind.plugin(), DOING, None))
    }

    /// The plugin that resamples.
    pub fn plugin(&self) -> &'static str {
        self.kind.plugin()
    }

    /// Takes frames from `input`, a plane for each channel and all of the same size, and writes frames of `F32` to `output`,
    /// likewise; returns how many were taken and written. Both may be fewer than there are, and not both are 0 unless it is
    /// the end: with `None` for `input`, once there are no more frames, all that is left comes out. In all that is
    /// [`num_output_frames`](ResamplerRequest::num_output_frames). What was written is initialised.
    ///
    /// # Errors
    /// [`Error::Plugin`] when the plugin fails or breaks the rules; [`Error::Interrupted`] when `stop` says so, which is
    /// asked all the while; [`Error::Argument`] for planes that do not fit, and for frames after the end. Nothing can be
    /// resampled after any but the last.
    pub fn process(
        &mut self,
        input: Option<&[&[u8]]>,
        output: &mut [&mut [MaybeUninit<u8>]],
        stop: &dyn Fn() -> bool,
    ) -> Result<(u64, u64)> {
        if let Way::Ended(why) = &self.way {
            let failure = Failure::broken(format!("it is not called any more: {why}"));
            return Err(failure.into_error(self.plugin(), DOING, None));
        }
        self.check_planes(input, output)?;
        self.has_ended = input.is_none();
        self.process_checked(input, output, stop).map_err(|why| {
            let error = error(why, &self.kind, DOING);
            self.way = Way::Ended(format!("resampling has failed before ({error})"));
            error
        })
    }

    /// Refuses planes that do not fit the request or each other.
    fn check_planes(&self, input: Option<&[&[u8]]>, output: &[&mut [MaybeUninit<u8>]]) -> Result<()> {
        let num_channels = usize::from(self.request.num_channels);
        let mut sizes =
            vec![("output", output.iter().map(|plane| plane.len()).collect::<Vec<_>>(), size_of::<f32>())];
        if let Some(planes) = input {
            if self.has_ended {
                return Err(Error::argument("input", "no frames after the end", "some"));
            }
            let bytes = planes.iter().map(|plane| plane.len()).collect();
            sizes.push(("input", bytes, self.request.format.num_bytes()));
        }
        for (name, bytes, sample_bytes) in sizes {
            let first = bytes.first().copied().unwrap_or(0);
            let is_whole = first.is_multiple_of(sample_bytes) && bytes.iter().all(|bytes| *bytes == first);
            if bytes.len() != num_channels || !is_whole {
                let expected = format!("{num_channels} planes of as many samples of {sample_bytes} bytes");
                return Err(Error::argument(name, expected, format!("planes of {bytes:?} bytes")));
            }
            if first == 0 {
                return Err(Error::argument(name, "at least one frame", "none"));
            }
        }
        Ok(())
    }

    fn process_checked(
        &mut self,
        input: Option<&[&[u8]]>,
        output: &mut [&mut [MaybeUninit<u8>]],
        stop: &dyn Fn() -> bool,
    ) -> Result<(u64, u64), Why> {
        let input: Option<Vec<&[u8]>> = input.map(|planes| {
            let most = MAX_FRAMES * self.request.format.num_bytes();
            planes.iter().map(|plane| plane.get(..most).unwrap_or(plane)).collect()
        });
        let most = MAX_FRAMES * size_of::<f32>();
        let mut output: Vec<&mut [MaybeUninit<u8>]> =
            output.iter_mut().map(|plane| plane.split_at_mut(plane.len().min(most)).0).collect();
        for _ in 0..MAX_IDLE {
            if stop() {
                return Err(Why::Interrupted);
            }
            let done = self.call(input.as_deref(), &mut output, stop)?;
            self.num_read += done.num_read;
            self.num_written += done.num_written;
            self.check_count(done.is_end)?;
            if done.is_end || done.num_read > 0 || done.num_written > 0 {
                return Ok((done.num_read, done.num_written));
            }
        }
        let what = format!("it neither read nor wrote a frame, {MAX_IDLE} times in a row");
        Err(Failure::broken(what).into())
    }

    /// Whether as many frames came out as may come for those that went in.
    fn check_count(&self, is_end: bool) -> Result<(), Failure> {
        let ResamplerRequest { input_rate, output_rate, .. } = self.request;
        let (read, written) = (self.num_read, self.num_written);
        let exact = u128::from(read) * u128::from(output_rate) * 2; // in halves of an input_rate-th
        let got = u128::from(written) * u128::from(input_rate) * 2;
        let is_possible = match (is_end, self.has_ended) {
            // Halfway between two numbers, either is the rounded one.
            (true, _) => got.abs_diff(exact) <= u128::from(input_rate),
            (false, true) => got <= exact + u128::from(input_rate),
            // The frame that comes next may be seen beforehand.
            (false, false) => got <= exact + 2 * (u128::from(output_rate) + u128::from(input_rate)),
        };
        match is_possible {
            true => Ok(()),
            false => {
                let expected = self.request.num_output_frames(read);
                let what = format!("it made {written} frames of {read}, expected {expected}");
                Err(Failure::broken(what))
            }
        }
    }

    fn call(
        &mut self,
        input: Option<&[&[u8]]>,
        output: &mut [&mut [MaybeUninit<u8>]],
        stop: &dyn Fn() -> bool,
    ) -> Result<Done, Why> {
        let format = self.request.format;
        match &mut self.way {
            Way::Direct(handle) => {
                let is_aligned = |address: usize, bytes: usize| address.is_multiple_of(bytes);
                let ready = input.is_none_or(|planes| {
                    planes.iter().all(|plane| is_aligned(plane.as_ptr().addr(), format.num_bytes()))
                });
                if ready && output.iter().all(|plane| is_aligned(plane.as_ptr().addr(), size_of::<f32>())) {
                    return Ok(handle.process(input, output)?);
                }
                let mut exchange = Exchange::default();
                exchange.fill(input, output);
                let done = exchange.process(handle)?;
                exchange.hand_over(done, output);
                Ok(done)
            }
            Way::Thread { .. } if self.process != std::process::id() => {
                let what = "this process was forked after the resampler was opened, and its thread stayed behind; open it \
                            where it is used";
                Err(Failure::broken(what).into())
            }
            Way::Thread { requests, answers, exchange } => {
                let mut passed = std::mem::take(exchange);
                passed.fill(input, output);
                if requests.send(passed).is_err() {
                    return Err(Failure::broken("its thread has ended").into());
                }
                let (result, back) = listen(answers, DOING, stop)?;
                let done = result?;
                back.hand_over(done, output);
                *exchange = back;
                Ok(done)
            }
            Way::Ended(_) => Err(supervisor::mixed_up().into()),
        }
    }
}

impl Exchange {
    fn fill(&mut self, input: Option<&[&[u8]]>, output: &[&mut [MaybeUninit<u8>]]) {
        self.num_bytes = output.first().map_or(0, |plane| plane.len());
        self.output.resize_with(output.len(), Chunk::default);
        self.input = input.map(|planes| {
            let mut blocks = self.input.take().unwrap_or_default();
            blocks.resize_with(planes.len(), Block::default);
            blocks.iter_mut().zip(planes).for_each(|(block, plane)| block.fill(plane));
            blocks
        });
    }

    /// Calls the plugin, and looks whether it kept to its room.
    fn process(&mut self, handle: &mut Handle) -> Result<Done, Failure> {
        let num_bytes = self.num_bytes;
        let planes: Option<Vec<&[u8]>> =
            self.input.as_ref().map(|blocks| blocks.iter().map(Block::bytes).collect());
        let mut places: Vec<&mut [MaybeUninit<u8>]> =
            self.output.iter_mut().map(|chunk| chunk.prepared(num_bytes)).collect();
        let done = handle.process(planes.as_deref(), &mut places)?;
        if !self.output.iter().all(|chunk| chunk.is_intact(num_bytes)) {
            let room = num_bytes / size_of::<f32>();
            return Err(Failure::broken(format!("it wrote past the room for {room} frames")));
        }
        Ok(done)
    }

    /// Copies what was written.
    fn hand_over(&self, done: Done, output: &mut [&mut [MaybeUninit<u8>]]) {
        let num_bytes =
            usize::try_from(done.num_written).unwrap_or(usize::MAX).saturating_mul(size_of::<f32>());
        for (chunk, plane) in self.output.iter().zip(output) {
            plane.iter_mut().zip(chunk.front(num_bytes)).for_each(|(to, from)| {
                to.write(*from);
            });
        }
    }
}

fn error(why: Why, kind: &ResamplerKind, doing: &'static str) -> Error {
    match why {
        Why::Interrupted => Error::Interrupted,
        Why::Failed(failure) => failure.into_error(kind.plugin(), doing, None),
    }
}

fn listen<T>(answers: &Receiver<T>, doing: &str, stop: &dyn Fn() -> bool) -> Result<T, Why> {
    supervisor::listen(answers, stop, &|| Duration::ZERO).map_err(|silence| match silence {
        Silence::GivenUp => Why::Interrupted,
        _ => silence.into_failure(doing).into(),
    })
}

/// Starts a thread that opens a handle and keeps it.
fn open_on_thread(kind: &ResamplerKind, options: Options, stop: &dyn Fn() -> bool) -> Result<Way, Why> {
    let (requests, inbox) = sync_channel::<Exchange>(1);
    let (outbox, answers) = sync_channel(1);
    let (opener, opened) = sync_channel(1);
    let kind = kind.clone();
    supervisor::start(move || match kind.open(&options) {
        Ok(mut handle) => {
            if opener.send(Ok(())).is_err() {
                return;
            }
            for mut exchange in inbox {
                let result = exchange.process(&mut handle);
                if outbox.send((result, exchange)).is_err() {
                    return;
                }
            }
        }
        // A failure that nobody waits for.
        Err(failure) => drop(opener.send(Err(failure))),
    })?;
    listen(&opened, "opening", stop)??;
    Ok(Way::Thread { requests, answers, exchange: Exchange::default() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests;
