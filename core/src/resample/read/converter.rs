//! Who resamples: this crate's own engine, or a plugin.

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::backend::Start;
use super::quality::ResampleQuality;
use super::stream::PluginConverter;
use crate::error::Result;
use crate::host;
use crate::resample::engine::{Plan, Precision, Quality, Rates};

/// All that is decided once for two rates and a quality.
#[derive(Debug)]
pub(crate) enum Converter {
    Single(Arc<Plan<f32>>),
    Double(Arc<Plan<f64>>),
    Plugin(PluginConverter),
}

/// How many times as high as the other a rate may be for libsoxr, whose filters take up more memory the higher.
const MAX_SOXR_RATIO: u32 = 256;

fn is_near(rates: Rates) -> bool {
    rates.input().max(rates.output()) / rates.input().min(rates.output()) < MAX_SOXR_RATIO
}

impl Converter {
    /// The converter for two rates.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when the rates are too far apart,
    /// [`Error::Plugin`](crate::Error::Plugin) when a plugin has no such quality or fails.
    pub(crate) fn new(rates: Rates, quality: ResampleQuality) -> Result<Self> {
        let quality = match (quality, quality.soxr()) {
            (ResampleQuality::Own(quality), _) => quality,
            // What the rates are the same for is not changed.
            (_, Some(_)) if rates.input() == rates.output() => Quality::Best,
            (ResampleQuality::Default, _) if !is_near(rates) => Quality::Best,
            (quality, Some(name)) => match host::resampler(name) {
                Some(kind) => return Ok(Self::Plugin(PluginConverter::new(kind, rates, name))),
                None if quality == ResampleQuality::Default => Quality::Best,
                None => return Err(host::no_resampler(name)),
            },
            _ => Quality::Best,
        };
        Ok(match quality.precision() {
            Precision::Single => Self::Single(Plan::shared(rates, quality)?),
            Precision::Double => Self::Double(Plan::shared(rates, quality)?),
        })
    }

    /// The rates.
    pub(crate) fn rates(&self) -> Rates {
        match self {
            Self::Single(plan) => plan.rates(),
            Self::Double(plan) => plan.rates(),
            Self::Plugin(plugin) => plugin.rates(),
        }
    }

    /// Where runs may begin whose frames are to be divided among threads; `None` when they are not worth it, or may begin at
    /// the beginning alone.
    ///
    /// # Errors
    /// A plugin's.
    pub(crate) fn start(&self, num_frames: u64) -> Result<Option<Start>> {
        let (block_frames, input_frames, hop) = match self {
            Self::Single(plan) => (plan.block_frames(), plan.input_frames(), plan.hop_input_frames()),
            Self::Double(plan) => (plan.block_frames(), plan.input_frames(), plan.hop_input_frames()),
            Self::Plugin(plugin) => return plugin.start(num_frames),
        };
        let context = input_frames.saturating_sub(hop) as u64;
        Ok(Some(Start { grid: block_frames as u64, cost: self.rates().num_output_frames(context) / 4 }))
    }
}
