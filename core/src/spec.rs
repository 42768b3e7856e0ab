//! What a caller requests: the sample format, channels and layout of the frames to read.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Parameter, Result};
use crate::matrix::ChannelMatrix;
use crate::pcm::OutputFormat;

/// How several channels are mixed into one.
///
/// ```
/// use mapwave_core::MonoMode;
///
/// assert_eq!("mean".parse::<MonoMode>()?, MonoMode::Mean);
/// assert_eq!(MonoMode::EqualPower.gain(4), 0.5);
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonoMode {
    /// The arithmetic mean: the sum divided by the number of channels.
    #[default]
    Mean,
    /// The sum divided by the square root of the number of channels, which preserves the power of uncorrelated channels.
    EqualPower,
}

impl MonoMode {
    /// The factor applied to the sum of `num_channels` channels.
    pub fn gain(self, num_channels: u16) -> f64 {
        match self {
            Self::Mean => 1.0 / f64::from(num_channels),
            Self::EqualPower => 1.0 / f64::from(num_channels).sqrt(),
        }
    }
}

impl FromStr for MonoMode {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "mean" => Ok(Self::Mean),
            "equal_power" => Ok(Self::EqualPower),
            _ => Err(Error::argument(Parameter::MonoMode, "'mean' or 'equal_power'", format!("'{name}'"))),
        }
    }
}

/// The order of an array's axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `(frames, channels)`: interleaved samples, the layout of most files.
    #[default]
    ChannelsLast,
    /// `(channels, frames)`: planar samples.
    ChannelsFirst,
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "channels_last" => Ok(Self::ChannelsLast),
            "channels_first" => Ok(Self::ChannelsFirst),
            _ => Err(Error::argument(
                Parameter::Layout,
                "'channels_last' or 'channels_first'",
                format!("'{name}'"),
            )),
        }
    }
}

/// The channels to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChannelSelection {
    /// All channels, in the file's order.
    #[default]
    All,
    /// These channels, numbered from 0, in this order. A channel may occur more than once.
    Only(Vec<u16>),
    /// All channels, mixed into one.
    Mono(MonoMode),
    /// All channels, mixed to this number, from 1 to 8, by the [`ChannelMatrix`] of the file's layout. A file of that number stays as
    /// it is.
    Count(u16),
    /// All channels, mixed by this matrix.
    Matrix(ChannelMatrix),
}

/// The form in which frames are read.
///
/// ```
/// use mapwave_core::{ChannelSelection, FrameSpec, Layout, MonoMode};
///
/// let planar = FrameSpec { layout: Layout::ChannelsFirst, ..FrameSpec::default() };
/// assert_eq!(planar.shape(1000, 6)?.axes(), [6, 1000]);
/// let mono = FrameSpec { channels: ChannelSelection::Mono(MonoMode::Mean), ..FrameSpec::default() };
/// assert_eq!(mono.shape(1000, 6)?.axes(), [1000, 1]);
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameSpec {
    /// The type of the samples.
    pub format: OutputFormat,
    /// The channels.
    pub channels: ChannelSelection,
    /// The order of the axes.
    pub layout: Layout,
    /// Whether a single channel is returned without an axis of its own, as `(frames,)`.
    pub squeeze_mono: bool,
}

impl Default for FrameSpec {
    fn default() -> Self {
        Self {
            format: OutputFormat::F32,
            channels: ChannelSelection::default(),
            layout: Layout::default(),
            squeeze_mono: false,
        }
    }
}

impl FrameSpec {
    /// The number of channels read from a file with `num_channels`.
    ///
    /// # Errors
    /// [`Error::Argument`] if the file does not have a requested channel, or if no channel is requested.
    pub fn num_channels(&self, num_channels: u16) -> Result<usize> {
        match &self.channels {
            ChannelSelection::All => Ok(usize::from(num_channels)),
            ChannelSelection::Mono(_) => Ok(1),
            ChannelSelection::Count(count) if *count == num_channels => Ok(usize::from(num_channels)),
            ChannelSelection::Count(count) => {
                ChannelMatrix::between(num_channels, 0, *count).map(|matrix| matrix.num_outputs())
            }
            ChannelSelection::Matrix(matrix) if matrix.num_inputs() == usize::from(num_channels) => {
                Ok(matrix.num_outputs())
            }
            ChannelSelection::Matrix(matrix) => {
                let expected = format!("a matrix for the {num_channels} channels of the file");
                Err(Error::argument(
                    Parameter::Channels,
                    expected,
                    format!("one for {}", matrix.num_inputs()),
                ))
            }
            ChannelSelection::Only(channels) => {
                if channels.is_empty() {
                    return Err(Error::argument(Parameter::Channels, "at least one channel", "none"));
                }
                match channels.iter().find(|&&channel| channel >= num_channels) {
                    Some(channel) => {
                        let expected = match num_channels {
                            1 => "0, the only channel of the file".to_owned(),
                            _ => format!(
                                "from 0 to {} for a file with {num_channels} channels",
                                num_channels - 1
                            ),
                        };
                        Err(Error::argument(Parameter::Channels, expected, channel))
                    }
                    None => Ok(channels.len()),
                }
            }
        }
    }

    /// The same with the matrix that mixes a file with `num_channels`, whose speakers `channel_mask` names, in the place of a number
    /// of channels.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such matrix.
    pub(crate) fn settled(&self, num_channels: u16, channel_mask: u32) -> Result<Cow<'_, Self>> {
        let ChannelSelection::Count(count) = self.channels else { return Ok(Cow::Borrowed(self)) };
        let channels = match count == num_channels {
            true => ChannelSelection::All,
            false => ChannelSelection::Matrix(ChannelMatrix::between(num_channels, channel_mask, count)?),
        };
        Ok(Cow::Owned(Self { channels, ..self.clone() }))
    }

    /// The shape of an array with `num_frames` frames of a file with `num_channels`.
    ///
    /// # Errors
    /// As [`num_channels`](Self::num_channels); [`Error::Limit`] if the array does not fit into memory.
    pub fn shape(&self, num_frames: u64, num_channels: u16) -> Result<Shape> {
        let num_channels = self.num_channels(num_channels)?;
        let too_large = |got| Error::Limit {
            path: None,
            what: "the number of bytes requested",
            max: i64::MAX as u64,
            got,
        };
        let num_bytes =
            num_frames.saturating_mul(num_channels as u64).saturating_mul(self.format.num_bytes() as u64);
        let num_frames = isize::try_from(num_bytes).ok().and_then(|_| usize::try_from(num_frames).ok());
        let num_frames = num_frames.ok_or_else(|| too_large(num_bytes))?;
        let axes = match self.layout {
            _ if self.squeeze_mono && num_channels == 1 => [num_frames, 1],
            Layout::ChannelsLast => [num_frames, num_channels],
            Layout::ChannelsFirst => [num_channels, num_frames],
        };
        let num_axes = if self.squeeze_mono && num_channels == 1 { 1 } else { 2 };
        Ok(Shape { axes, num_axes, layout: self.layout })
    }
}

/// The shape of an array in C order with one or two axes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    axes: [usize; 2],
    num_axes: usize,
    layout: Layout,
}

impl Shape {
    /// The lengths of the axes.
    pub fn axes(&self) -> &[usize] {
        self.axes.get(..self.num_axes).unwrap_or(&self.axes)
    }

    /// The order of the axes. It has no effect on an array of one axis.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The number of frames.
    pub fn num_frames(&self) -> usize {
        let [first, second] = self.axes;
        if self.num_axes == 2 && self.layout == Layout::ChannelsFirst { second } else { first }
    }

    /// The number of samples.
    pub fn num_samples(&self) -> usize {
        self.axes.iter().product()
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.axes()).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shape(layout: Layout, channels: ChannelSelection, squeeze_mono: bool) -> Vec<usize> {
        let spec = FrameSpec { layout, channels, squeeze_mono, ..FrameSpec::default() };
        spec.shape(10, 3).unwrap().axes().to_vec()
    }

    #[test]
    fn shapes_follow_layout_selection_and_squeeze() {
        use ChannelSelection::{All, Mono, Only};
        assert_eq!(shape(Layout::ChannelsLast, All, true), [10, 3]);
        assert_eq!(shape(Layout::ChannelsFirst, All, false), [3, 10]);
        assert_eq!(shape(Layout::ChannelsFirst, Mono(MonoMode::Mean), false), [1, 10]);
        assert_eq!(shape(Layout::ChannelsFirst, Mono(MonoMode::Mean), true), [10]);
        assert_eq!(shape(Layout::ChannelsLast, Only(vec![2, 2]), true), [10, 2]);
        assert_eq!(shape(Layout::ChannelsLast, Only(vec![1]), true), [10]);
    }

    #[test]
    fn a_shape_knows_its_frames_in_every_layout() {
        use ChannelSelection::{All, Only};
        for (layout, channels, squeeze_mono) in [
            (Layout::ChannelsLast, All, false),
            (Layout::ChannelsFirst, All, false),
            (Layout::ChannelsFirst, Only(vec![1]), true),
        ] {
            let spec = FrameSpec { layout, channels, squeeze_mono, ..FrameSpec::default() };
            assert_eq!(spec.shape(10, 3).unwrap().num_frames(), 10);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let spec = FrameSpec { channels: ChannelSelection::Only(vec![3]), ..FrameSpec::default() };
        assert!(
            spec.shape(1, 3)
                .unwrap_err()
                .to_string()
                .contains("from 0 to 2 for a file with 3 channels, got 3")
        );
        let spec = FrameSpec { channels: ChannelSelection::Only(vec![]), ..FrameSpec::default() };
        assert!(spec.shape(1, 3).is_err());
        assert!(matches!(FrameSpec::default().shape(u64::MAX, 2), Err(Error::Limit { .. })));
        assert!("loud".parse::<MonoMode>().unwrap_err().to_string().contains("got 'loud'"));
        assert!("rows".parse::<Layout>().is_err());
    }

    #[test]
    fn gains_are_one_over_n_and_one_over_its_root() {
        assert_eq!(MonoMode::Mean.gain(4), 0.25);
        assert_eq!(MonoMode::EqualPower.gain(4), 0.5);
    }
}
