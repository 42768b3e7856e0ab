//! Chooses the resampler: this crate's own engine or a plugin.

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::backend::Start;
use super::quality::ResampleQuality;
use super::stream::PluginConverter;
use crate::error::Result;
use crate::host;
use crate::resample::engine::{FilterQuality, Plan, Precision, Rates};

/// The decisions that are made once for two rates and a quality.
#[derive(Debug)]
pub(crate) enum Converter {
    Single(Arc<Plan<f32>>),
    Double(Arc<Plan<f64>>),
    Plugin(PluginConverter),
}

impl Converter {
    /// The converter for two rates.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) if the rates are too far apart, [`Error::Plugin`](crate::Error::Plugin) if a
    /// plugin does not have the quality or fails.
    pub(crate) fn new(rates: Rates, quality: ResampleQuality) -> Result<Self> {
        let (input, output) = (rates.input(), rates.output());
        let plugin = |kind, name: &str| Ok(Self::Plugin(PluginConverter::new(kind, rates, name)));
        let quality = match quality {
            ResampleQuality::Own(quality) => quality,
            // With equal rates, the samples stay unchanged.
            _ if input == output => FilterQuality::Best,
            ResampleQuality::Default => {
                match host::default_resampler().filter(|(kind, _)| kind.bridges(input, output)) {
                    Some((kind, name)) => return plugin(kind, &name),
                    None => FilterQuality::Best,
                }
            }
            ResampleQuality::Plugin(name) => {
                let kind = host::resampler(name).ok_or_else(|| host::no_resampler(name))?;
                return plugin(kind, name);
            }
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

    /// Where runs may start, in order to divide frames among threads; `None` if that does not pay off, or if runs can only start
    /// at the beginning.
    ///
    /// # Errors
    /// The plugin's.
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
