//! Repeats and drops frames.

use std::ffi::CStr;

use mapwave_plugin::{
    Block, Error, Output, Resampler, ResamplerOptions, Restart, Result, SampleFormat, Status,
};

pub(crate) struct ToyResampler {
    input_rate: usize,
    output_rate: usize,
    num_channels: usize,
    samples: Vec<f32>,
    num_written: usize,
    lies: bool,
}

impl Resampler for ToyResampler {
    const NAME: &'static CStr = c"toy";
    const QUALITIES: &'static CStr = c"good,panics,lies";
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::F32];

    fn open(options: &ResamplerOptions<'_>) -> Result<Self> {
        assert!(options.quality != "panics", "quality");
        if options.max_alloc < 1000 {
            return Err(Error::new(Status::Limit, "1000 bytes are needed"));
        }
        Ok(Self {
            input_rate: options.input_rate as usize,
            output_rate: options.output_rate as usize,
            num_channels: options.num_channels as usize,
            samples: Vec::new(),
            num_written: 0,
            lies: options.quality == "lies",
        })
    }

    fn process(&mut self, input: Option<&Block<'_>>, output: &mut Output<'_>) -> Result<usize> {
        let num_taken = input.map_or(0, |block| {
            block.append_interleaved(&mut self.samples);
            block.num_frames()
        });
        while output.room() > 0 {
            let first = self.num_written * self.input_rate / self.output_rate * self.num_channels;
            let Some(frame) = self.samples.get(first..first + self.num_channels) else { break };
            output.write_interleaved::<f32, f32>(frame, |sample| sample);
            self.num_written += 1;
        }
        Ok(num_taken + usize::from(self.lies))
    }

    fn restart(options: &ResamplerOptions<'_>) -> Result<Option<Restart>> {
        assert!(options.quality != "panics", "quality");
        let restart = Restart { grid_frames: options.input_rate.into(), preroll_frames: 0 };
        Ok((options.quality == "good").then_some(restart))
    }
}
