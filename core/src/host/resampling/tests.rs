use std::sync::atomic::Ordering;

use super::*;
use crate::error::Fault;
use crate::host::fake_resampler::{self, IS_RELEASED, NUM_SLOW};
use crate::pcm::OutputFormat;

const GO: &dyn Fn() -> bool = &|| false;

fn request(quality: &str) -> ResamplerRequest {
    ResamplerRequest {
        input_rate: 3,
        output_rate: 5,
        num_channels: 2,
        format: OutputFormat::I16,
        max_threads: 1,
        quality: quality.to_owned(),
    }
}

fn open(quality: &str, is_trusted: bool) -> Result<Resampler> {
    Resampler::open(&fake_resampler::kind(is_trusted, false), &request(quality), GO)
}

/// Samples of one channel.
fn samples(channel: usize, num_frames: usize) -> Vec<i16> {
    (0..num_frames).map(|frame| (frame * 2 + channel) as i16).collect()
}

/// All that comes out of `num_frames` frames, a channel each, whose bytes begin `offset` bytes behind a multiple of 8.
fn run(resampler: &mut Resampler, num_frames: usize, room: usize, offset: usize) -> Result<Vec<Vec<f32>>> {
    let channels: Vec<Vec<u8>> = (0..2)
        .map(|channel| {
            let bytes = samples(channel, num_frames).into_iter().flat_map(i16::to_ne_bytes);
            std::iter::repeat_n(0, offset).chain(bytes).collect()
        })
        .collect();
    let mut results = vec![Vec::new(), Vec::new()];
    let mut position = 0;
    loop {
        let input: Vec<&[u8]> = channels.iter().map(|bytes| &bytes[offset + position * 2..]).collect();
        let input = (position < num_frames).then_some(input.as_slice());
        let mut output = vec![MaybeUninit::new(0xee_u8); 2 * (room * 4 + offset)];
        let (left, right) = output.split_at_mut(room * 4 + offset);
        let (num_read, num_written) =
            resampler.process(input, &mut [&mut left[offset..], &mut right[offset..]], GO)?;
        if (num_read, num_written) == (0, 0) {
            return Ok(results);
        }
        position += num_read as usize;
        for (result, plane) in results.iter_mut().zip([left, right]) {
            let bytes = fake_resampler::bytes(&plane[offset..]);
            let floats = bytes.chunks_exact(4).map(|bytes| f32::from_ne_bytes(bytes.try_into().unwrap()));
            result.extend(floats.take(num_written as usize));
        }
    }
}

fn failure(result: Result<impl Sized>) -> (Fault, String) {
    match result.err() {
        Some(Error::Plugin { plugin: "fake", fault, what, .. }) => (fault, what.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_frames_come_out_however_it_is_called() {
    for is_trusted in [true, false] {
        for num_frames in [0, 1, 2, 3, 70_000] {
            for (room, offset) in [(1000, 0), (300_000, 0), (4096, 3)] {
                let mut resampler = open("none", is_trusted).unwrap();
                let got = run(&mut resampler, num_frames, room, offset).unwrap();
                let total = (num_frames * 10 + 3) / 6;
                for (channel, got) in got.iter().enumerate() {
                    let source = samples(channel, num_frames);
                    let expected = (0..total)
                        .map(|frame| f32::from(source[(frame * 3 / 5).min(num_frames - 1)]) / 32768.0);
                    assert!(got.iter().copied().eq(expected), "{is_trusted} {num_frames} {room} {offset}");
                }
            }
        }
    }
}

#[test]
fn a_plugin_that_breaks_a_rule_is_not_believed() {
    for is_trusted in [true, false] {
        for (quality, fault, words) in [
            ("overcount", Fault::Broken, "wrote 1001 of 1000"),
            ("overread", Fault::Broken, "read 51 frames of 50"),
            ("early-end", Fault::Broken, "nothing is left before all was written"),
            ("status", Fault::Broken, "status 77"),
            ("panic", Fault::Broken, "neither read nor wrote"),
            ("idle", Fault::Broken, "neither read nor wrote a frame, 3 times in a row"),
            ("short", Fault::Broken, "it made 81 frames of 50, expected 83"),
            ("long", Fault::Broken, "it made 85 frames of 50, expected 83"),
            ("endless", Fault::Broken, "frames of 50, expected 83"),
        ] {
            if quality == "panic" {
                continue; // below
            }
            let mut resampler = open(quality, is_trusted).unwrap();
            let (got, what) = failure(run(&mut resampler, 50, 1000, 0));
            assert_eq!(got, fault, "{quality}");
            assert!(what.contains(words), "{quality}: {what}");
            let (_, again) = failure(run(&mut resampler, 50, 1000, 0));
            assert!(again.contains("not called any more"), "{quality}: {again}");
        }
        let mut resampler = open("panic", is_trusted).unwrap();
        let (fault, what) = failure(run(&mut resampler, 50_000, 1000, 0));
        assert_eq!((fault, what.as_str()), (Fault::Broken, "it panicked"));
    }
    // Where it writes to memory of the host's own.
    let (_, what) = failure(run(&mut open("overrun", false).unwrap(), 50, 1000, 0));
    assert_eq!(what, "it wrote past the room for 1000 frames");
}

#[test]
fn what_cannot_be_opened_says_why() {
    for is_trusted in [true, false] {
        assert_eq!(failure(open("unsupported", is_trusted)).0, Fault::Unsupported);
        assert_eq!(failure(open("limit", is_trusted)).0, Fault::Refused);
        assert_eq!(failure(open("no-handle", is_trusted)).1, "its open succeeded without a handle");
        let no_quality = open("best", is_trusted).err().unwrap();
        assert!(matches!(no_quality, Error::Argument { name: "quality", .. }), "{no_quality:?}");
        let kind = fake_resampler::kind(is_trusted, false);
        let wide = ResamplerRequest { format: OutputFormat::I32, ..request("none") };
        let no_format = Resampler::open(&kind, &wide, GO).err().unwrap();
        assert!(matches!(no_format, Error::Argument { name: "format", .. }), "{no_format:?}");
        let none = ResamplerRequest { output_rate: 0, ..request("none") };
        assert!(matches!(
            Resampler::open(&kind, &none, GO),
            Err(Error::Argument { name: "sample_rate", .. })
        ));
    }
}

#[test]
fn planes_that_do_not_fit_are_refused_and_change_nothing() {
    let mut resampler = open("none", true).unwrap();
    let mut room = [MaybeUninit::new(0); 64];
    let (left, right) = room.split_at_mut(32);
    let one = [0u8; 20];
    for input in [&[&one[..]][..], &[&one[..4], &one[..6]], &[&one[..3], &one[..3]], &[&one[..0], &one[..0]]]
    {
        let result = resampler.process(Some(input), &mut [left, right], GO);
        assert!(matches!(result, Err(Error::Argument { name: "input", .. })), "{input:?}");
    }
    let result = resampler.process(None, &mut [left], GO);
    assert!(matches!(result, Err(Error::Argument { name: "output", .. })));
    assert_eq!(run(&mut resampler, 3, 10, 0).unwrap()[0].len(), 5);
    let late = resampler.process(Some(&[&one[..4], &one[..4]]), &mut [left, right], GO);
    assert!(matches!(late, Err(Error::Argument { name: "input", .. })));
}

#[test]
fn callers_are_let_go_while_it_hangs() {
    let stop = || true;
    let opened = Resampler::open(&fake_resampler::kind(false, false), &request("hang-in-open"), &stop);
    assert!(matches!(opened, Err(Error::Interrupted)));
    let mut resampler = open("hang", false).unwrap();
    let asked = std::cell::Cell::new(0);
    let stop = || asked.replace(asked.get() + 1) > 0;
    let mut room = [MaybeUninit::new(0); 16];
    let (left, right) = room.split_at_mut(8);
    let result = resampler.process(None, &mut [left, right], &stop);
    assert!(matches!(result, Err(Error::Interrupted)));
    assert!(failure(run(&mut resampler, 3, 10, 0)).1.contains("not called any more"));
    IS_RELEASED.store(true, Ordering::SeqCst);
}

#[test]
fn handles_are_closed() {
    for is_trusted in [true, false] {
        drop(open("slow", is_trusted).unwrap());
        let is_closed = (0..10_000).any(|_| {
            let is_closed = NUM_SLOW.load(Ordering::SeqCst) == 0;
            if !is_closed {
                std::thread::sleep(Duration::from_millis(1));
            }
            is_closed
        });
        assert!(is_closed);
    }
}

#[test]
fn where_it_may_begin_is_checked() {
    for is_trusted in [true, false] {
        let ask = |quality: &str, is_old| {
            Resampler::restart(&fake_resampler::kind(is_trusted, is_old), &request(quality))
        };
        assert_eq!(ask("none", false).unwrap(), Some((3, 5)));
        assert_eq!(ask("idle", false).unwrap(), None);
        assert_eq!(ask("none", true).unwrap(), None, "the function came with version 1.1");
        assert!(failure(ask("bad-grid", false)).1.contains("every 1 frames"));
        assert_eq!(failure(ask("unsupported", false)).0, Fault::Unsupported);
    }
}
