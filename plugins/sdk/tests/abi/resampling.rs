//! Resamplers.

use std::ptr;

use mapwave_plugin::abi::*;

use crate::raw::{Failure, call, interleaved, resamplers, sized, told};

fn halved() -> mw_resampler_options {
    mw_resampler_options {
        input_rate: 8000,
        output_rate: 4000,
        num_channels: 1,
        input_format: MW_F32,
        quality: c"good".as_ptr(),
        ..sized()
    }
}

struct Opened {
    table: &'static mw_resampler_table,
    handle: *mut mw_resampler,
}

impl Drop for Opened {
    fn drop(&mut self) {
        call!(self.table, close(self.handle));
    }
}

impl Opened {
    fn open(table: &'static mw_resampler_table, options: &mw_resampler_options) -> Result<Self, Failure> {
        let (mut handle, mut error) = (ptr::null_mut(), sized::<mw_error>());
        match call!(table, open(options, &mut handle, &mut error)) {
            MW_OK => Ok(Self { table, handle }),
            _ => Err(Failure::new(error)),
        }
    }

    /// The status, the number of frames taken, and what came out.
    fn process(&self, input: Option<&[f32]>, room: usize) -> (mw_status, u64, Vec<f32>) {
        let mut output = vec![f32::NAN; room];
        let planes = [output.as_mut_ptr().cast()];
        let output_buffer = interleaved(MW_F32, &planes, &output, 1);
        let samples = input.unwrap_or_default();
        let planes = [samples.as_ptr().cast_mut().cast()];
        let buffer = interleaved(MW_F32, &planes, samples, 1);
        let input = if input.is_some() { &raw const buffer } else { ptr::null() };
        let (mut num_read, mut num_written) = (u64::MAX, u64::MAX);
        let status = call!(
            self.table,
            process(self.handle, input, &mut num_read, &output_buffer, &mut num_written, ptr::null_mut())
        );
        output.truncate(num_written as usize);
        (status, num_read, output)
    }
}

#[test]
fn frames_go_in_and_come_out() {
    for table in resamplers() {
        assert_eq!((table.size, table.formats), (72, 1 << MW_F32));
        let opened = Opened::open(table, &halved()).unwrap();
        assert_eq!(opened.process(Some(&[1.0, 2.0, 3.0, 4.0]), 1), (MW_OK, 4, vec![1.0]));
        assert_eq!(opened.process(Some(&[5.0]), 1), (MW_OK, 1, vec![3.0]));
        assert_eq!(opened.process(None, 5), (MW_OK, 0, vec![5.0]));
        assert_eq!(opened.process(None, 5), (MW_END, 0, vec![]));
        assert_eq!(opened.process(None, 0).0, MW_BAD_ARGUMENT);
    }
}

#[test]
fn where_one_may_begin_is_told() {
    let ask = |table: &mw_resampler_table, quality: *const std::ffi::c_char| {
        let options = mw_resampler_options { quality, ..halved() };
        let (mut grid, mut preroll) = (u64::MAX, u64::MAX);
        let status = call!(table, restart(&options, &mut grid, &mut preroll, ptr::null_mut()));
        (status, grid, preroll)
    };
    for table in resamplers() {
        assert_eq!(ask(table, c"good".as_ptr()), (MW_OK, 8000, 0));
        assert_eq!(ask(table, c"lies".as_ptr()), (MW_OK, 0, 0), "at the start only");
        assert_eq!(ask(table, c"panics".as_ptr()), (MW_PANIC, u64::MAX, u64::MAX));
        assert_eq!(ask(table, c"best".as_ptr()).0, MW_BAD_ARGUMENT);
        let nowhere = call!(table, restart(&halved(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut()));
        assert_eq!(nowhere, MW_BAD_ARGUMENT);
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let good = halved();
    let cases = [
        (
            mw_resampler_options { output_rate: 0, ..good },
            MW_BAD_ARGUMENT,
            "8000 Hz to 0 Hz, 1 channels: none may be 0",
        ),
        (
            mw_resampler_options { input_format: MW_I32, ..good },
            MW_BAD_ARGUMENT,
            "the input's format is 3, expected one of [F32]",
        ),
        (
            mw_resampler_options { quality: c"best".as_ptr(), ..good },
            MW_BAD_ARGUMENT,
            "the quality is \"best\", expected one of good,panics,lies",
        ),
        (mw_resampler_options { max_alloc: 999, ..good }, MW_LIMIT, "1000 bytes are needed"),
    ];
    for table in resamplers() {
        for (options, status, message) in &cases {
            let error = Opened::open(table, options).err().unwrap();
            assert_eq!(told(&error), (*status, (*message).to_owned()));
        }
        let panics = mw_resampler_options { quality: c"panics".as_ptr(), ..good };
        assert_eq!(Opened::open(table, &panics).err().unwrap().status, MW_PANIC);
    }
}

#[test]
fn a_resampler_that_takes_more_than_there_is_is_not_believed() {
    for table in resamplers() {
        let lies = mw_resampler_options { quality: c"lies".as_ptr(), ..halved() };
        let opened = Opened::open(table, &lies).unwrap();
        assert_eq!(opened.process(Some(&[1.0]), 4), (MW_INTERNAL, 0, vec![]));
    }
}
