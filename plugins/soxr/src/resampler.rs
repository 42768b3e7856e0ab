//! The resampler: frames in, frames at another rate out.

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::thread;

use mapwave_plugin::fork::start_scoped;
use mapwave_plugin::{
    Block, Error, Output, Resampler, ResamplerOptions, Restart, Result, Sample, SampleFormat, Status,
};

use crate::lane::{FEED_FRAMES, Lane, READY_FRAMES};
use crate::quality;
use crate::restart;
use crate::sys::{Conversion, SoxrSample};

/// The highest rate, in frames per second.
const MAX_RATE: u32 = 768_000;

/// The ratio of the rates stays below this: beyond it, one block of libsoxr's first stage becomes more frames than there is
/// memory for.
const RATIO_LIMIT: u32 = 256;

/// More bytes than libsoxr allocates for a channel, and for the filters that the channels of a thread share.
const CHANNEL_BYTES: u64 = 4 << 20;
const FILTER_BYTES: u64 = 4 << 20;

/// The frames of silence that are fed at a time after the last frame.
const SILENT_FRAMES: usize = 1 << 13;

/// More silence than any filter needs to output its last frame.
const MAX_SILENT_FRAMES: u64 = 1 << 24;

/// Resamples with libsoxr.
///
/// The qualities are libsoxr's recipes `SOXR_VHQ`, `SOXR_HQ`, `SOXR_MQ`, `SOXR_LQ` and `SOXR_QQ` without flags, and the output is
/// bit for bit that of its `soxr_oneshot`. The number of frames is round(n * output_rate / input_rate), halves away from
/// zero, in exact arithmetic; libsoxr rounds a product of floating-point numbers and can be one off. With `max_threads` above
/// 1, the channels are divided among threads, which changes no sample.
///
/// ```
/// use mapwave_plugin::{Block, Output, Resampler, ResamplerOptions, SampleFormat};
/// use mapwave_soxr::SoxrResampler;
///
/// let mut resampler = SoxrResampler::open(&ResamplerOptions {
///     input_rate: 44_100,
///     output_rate: 16_000,
///     num_channels: 1,
///     input_format: SampleFormat::F32,
///     max_threads: 1,
///     quality: "soxr_vhq",
///     max_alloc: 1 << 30,
/// })?;
/// let mut room = vec![0.0f32; 1000];
/// let num_taken = Output::with_slice(&mut room, 1, |output| {
///     Block::with_slice(&[0.5f32; 441], 1, |input| resampler.process(Some(input), output))
/// })?;
/// assert_eq!(num_taken, 441);
/// let num_frames = Output::with_slice(&mut room, 1, |output| {
///     resampler.process(None, output).map(|_| output.num_written())
/// })?;
/// assert_eq!(num_frames, 160);
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
pub struct SoxrResampler {
    flow: Flow,
    input_rate: u64,
    output_rate: u64,
    /// The frames taken from the host, and those returned to it.
    num_taken: u64,
    num_given: u64,
    has_ended: bool,
}

/// The channels, by the format of the input.
enum Flow {
    F32(Channels<f32>),
    I16(Channels<i16>),
    I32(Channels<i32>),
}

impl Resampler for SoxrResampler {
    const NAME: &'static CStr = c"soxr";
    const QUALITIES: &'static CStr = quality::NAMES;
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::F32, SampleFormat::I16, SampleFormat::I32];
    const DEFAULT_QUALITY: Option<&'static CStr> = Some(quality::DEFAULT);
    const RATIO_LIMIT: u32 = RATIO_LIMIT;

    fn open(options: &ResamplerOptions<'_>) -> Result<Self> {
        let conversion = conversion(options)?;
        let num_channels = options.num_channels as usize;
        let num_lanes = num_lanes(options);
        let own_bytes = (4 * (FEED_FRAMES + READY_FRAMES)) as u64;
        let needed = (CHANNEL_BYTES + own_bytes)
            .saturating_mul(num_channels as u64)
            .saturating_add(FILTER_BYTES.saturating_mul(num_lanes as u64));
        if needed > options.max_alloc {
            let allowed = options.max_alloc;
            let what = format!(
                "resampling {num_channels} channels takes up to {needed} bytes, but only {allowed} may be allocated"
            );
            return Err(Error::new(Status::Limit, what));
        }
        let flow = match options.input_format {
            SampleFormat::F32 => Flow::F32(Channels::new(conversion, num_channels, num_lanes)?),
            SampleFormat::I16 => Flow::I16(Channels::new(conversion, num_channels, num_lanes)?),
            SampleFormat::I32 => Flow::I32(Channels::new(conversion, num_channels, num_lanes)?),
        };
        Ok(Self {
            flow,
            input_rate: options.input_rate.into(),
            output_rate: options.output_rate.into(),
            num_taken: 0,
            num_given: 0,
            has_ended: false,
        })
    }

    fn process(&mut self, input: Option<&Block<'_>>, output: &mut Output<'_>) -> Result<usize> {
        if self.has_ended && input.is_some() {
            return Err(Error::new(Status::BadState, "frames came after the end of the input"));
        }
        self.has_ended = input.is_none();
        let expected = input.is_none().then(|| self.expected());
        let left = expected.map(|expected| expected.saturating_sub(self.num_given));
        let (num_taken, num_given) = match &mut self.flow {
            Flow::F32(channels) => channels.process(input, left, output)?,
            Flow::I16(channels) => channels.process(input, left, output)?,
            Flow::I32(channels) => channels.process(input, left, output)?,
        };
        self.num_taken += num_taken as u64;
        self.num_given += num_given as u64;
        Ok(num_taken)
    }

    fn restart(options: &ResamplerOptions<'_>) -> Result<Option<Restart>> {
        restart::find(conversion(options)?)
    }
}

impl SoxrResampler {
    /// The number of output frames for the frames taken so far.
    fn expected(&self) -> u64 {
        let (input, output) = (u128::from(self.input_rate), u128::from(self.output_rate));
        let frames = (2 * u128::from(self.num_taken) * output + input) / (2 * input);
        u64::try_from(frames).unwrap_or(u64::MAX)
    }
}

/// The conversion that the options ask for, if libsoxr supports it.
fn conversion(options: &ResamplerOptions<'_>) -> Result<Conversion> {
    let (input_rate, output_rate) = (options.input_rate, options.output_rate);
    for rate in [input_rate, output_rate] {
        if !(1..=MAX_RATE).contains(&rate) {
            return Err(Error::unsupported(format!("the rate is {rate} Hz, expected 1 to {MAX_RATE}")));
        }
    }
    if input_rate.max(output_rate) / input_rate.min(output_rate) >= RATIO_LIMIT {
        let what = format!("{input_rate} Hz to {output_rate} Hz, expected less than {RATIO_LIMIT} to 1");
        return Err(Error::unsupported(what));
    }
    let recipe = quality::recipe(options.quality).ok_or_else(|| {
        let names = quality::NAMES.to_string_lossy();
        Error::new(
            Status::BadArgument,
            format!("the quality is {:?}, expected one of {names}", options.quality),
        )
    })?;
    Ok(Conversion { input_rate, output_rate, recipe })
}

/// The number of threads that may work at once, with at least one channel each.
fn num_lanes(options: &ResamplerOptions<'_>) -> usize {
    options.max_threads.clamp(1, options.num_channels.max(1)) as usize
}

/// All channels, divided among the threads.
struct Channels<I> {
    lanes: Vec<Lane<I>>,
    /// The frames in each lane that libsoxr has not taken yet.
    num_pending: usize,
    /// How many of the frames that the last step fetched were returned to the host.
    num_given: usize,
    /// Whether libsoxr may have more output without more input.
    has_more: bool,
    num_silent: u64,
}

impl<I: Sample + SoxrSample> Channels<I> {
    fn new(conversion: Conversion, num_channels: usize, num_lanes: usize) -> Result<Self> {
        let bounds = (0..=num_lanes).map(|lane| lane * num_channels / num_lanes);
        let bounds: Vec<usize> = bounds.collect();
        let ranges = bounds.iter().zip(bounds.iter().skip(1));
        let lanes = ranges.map(|(first, end)| Lane::new(conversion, *first, end - first));
        let lanes = lanes.collect::<Result<_>>()?;
        Ok(Self { lanes, num_pending: 0, num_given: 0, has_more: false, num_silent: 0 })
    }

    /// Takes and returns frames until the output is full or the input is used up. With `left`, the input has ended and that
    /// many frames are still to be returned. Returns how many frames were taken and returned.
    fn process(
        &mut self,
        input: Option<&Block<'_>>,
        left: Option<u64>,
        output: &mut Output<'_>,
    ) -> Result<(usize, usize)> {
        let num_offered = input.map_or(0, Block::num_frames);
        let left = left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let (mut num_taken, mut num_given) = (0, 0);
        loop {
            num_given += self.give(left.saturating_sub(num_given), output);
            if output.room() == 0 || num_given == left {
                return Ok((num_taken, num_given));
            }
            if !self.has_more {
                match input {
                    Some(block) => {
                        let room = FEED_FRAMES.saturating_sub(self.num_pending);
                        let end = num_taken.saturating_add(room).min(num_offered);
                        self.lanes.iter_mut().for_each(|lane| lane.take(block, num_taken..end));
                        self.num_pending += end - num_taken;
                        num_taken = end;
                        if self.num_pending < FEED_FRAMES {
                            return Ok((num_taken, num_given));
                        }
                    }
                    None if self.num_pending == 0 => self.take_silence()?,
                    None => {}
                }
            }
            self.step(left.saturating_sub(num_given).min(READY_FRAMES))?;
        }
    }

    /// Returns up to `num_frames` ready frames to the host, and their number.
    fn give(&mut self, num_frames: usize, output: &mut Output<'_>) -> usize {
        let channels = self.lanes.iter().flat_map(|lane| lane.ready(self.num_given));
        let channels: Vec<&[f32]> =
            channels.map(|channel| channel.get(..num_frames).unwrap_or(channel)).collect();
        let num_given = output.write_planar(&channels, |sample: f32| sample);
        self.num_given += num_given;
        num_given
    }

    /// Adds silence after the last frame, until libsoxr has output the last one.
    fn take_silence(&mut self) -> Result<()> {
        if self.num_silent > MAX_SILENT_FRAMES {
            let what = format!("libsoxr returned no more frames for {} frames of silence", self.num_silent);
            return Err(Error::new(Status::Internal, what));
        }
        self.lanes.iter_mut().for_each(|lane| lane.take_silence(SILENT_FRAMES));
        self.num_pending = SILENT_FRAMES;
        self.num_silent += SILENT_FRAMES as u64;
        Ok(())
    }

    /// Runs libsoxr, every lane on a thread.
    fn step(&mut self, num_frames: usize) -> Result<()> {
        match self.lanes.as_mut_slice() {
            [lane] => lane.step(num_frames)?,
            lanes => step_together(lanes, num_frames)?,
        }
        let num_ready = self.lanes.first().map_or(0, Lane::num_ready);
        if self.lanes.iter().any(|lane| lane.num_ready() != num_ready) {
            let numbers: Vec<usize> = self.lanes.iter().map(Lane::num_ready).collect();
            let what = format!("libsoxr returned different numbers of frames for the channels: {numbers:?}");
            return Err(Error::new(Status::Internal, what));
        }
        (self.num_pending, self.num_given, self.has_more) = (0, 0, num_ready == num_frames);
        Ok(())
    }
}

/// Runs every lane on a thread, the first on this one.
fn step_together<I: Sample + SoxrSample>(lanes: &mut [Lane<I>], num_frames: usize) -> Result<()> {
    let mut results: Vec<Option<Result<()>>> = lanes.iter().map(|_| None).collect();
    // Starting threads costs little compared with the call, and a forked process has no pool whose threads are gone.
    thread::scope(|scope| {
        let mut pairs = lanes.iter_mut().zip(&mut results);
        let own = pairs.next();
        for (lane, result) in pairs {
            let work = move || *result = Some(lane.step(num_frames));
            // The loop below does the work of a thread that cannot be started.
            let _ = start_scoped(thread::Builder::new().name("mapwave soxr".to_owned()), scope, work);
        }
        if let Some((lane, result)) = own {
            *result = Some(lane.step(num_frames));
        }
    });
    for (lane, result) in lanes.iter_mut().zip(results) {
        result.unwrap_or_else(|| lane.step(num_frames))?;
    }
    Ok(())
}
