//! Correct decoders, and hosts that break the contract.

use std::ffi::c_void;
use std::ptr;

use mapwave_plugin::abi::*;
use mapwave_plugin_check::host::{Decoder, StreamEntry};
use mapwave_toy::file;

use crate::raw::{
    LOG, call, decode, decoders, input, interleaved, open, open_with, read, refused, sized, tag_status, text,
    told,
};

fn ramp(num_samples: i16) -> Vec<i16> {
    (0..num_samples).map(|sample| sample * 3 - 200).collect()
}

#[test]
fn a_table_says_what_it_reads() {
    for table in decoders() {
        assert_eq!((table.size, table.probe_bytes), (136, 5));
        assert_eq!([table.name, table.codecs, table.extensions].map(text), ["toy", "toy", "toy,ty"]);
    }
}

#[test]
fn a_probe_takes_what_it_is_given() {
    let track = mw_track { container: c"wav".as_ptr(), codec: c"toy".as_ptr(), ..sized() };
    let no_codec = mw_track { codec: ptr::null(), ..track };
    let small = mw_track { size: 127, ..track };
    let outside = mw_track { data_offset: 5, data_bytes: u64::MAX, ..track };
    for table in decoders() {
        let probe = |head: &[u8], extension: *const _, track: *const _| {
            call!(table, probe(head.as_ptr(), head.len() as u64, 100, extension, track))
        };
        assert_eq!(probe(b"TOY-\x01", ptr::null(), ptr::null()), 100);
        assert_eq!(probe(b"TOY-\x01 and more than was asked for", ptr::null(), ptr::null()), 100);
        assert_eq!(probe(b"RIFF?", c"toy".as_ptr(), ptr::null()), 10);
        assert_eq!(probe(b"RIFF?", c"t\xffy".as_ptr(), ptr::null()), 0, "not UTF-8 is no hint");
        assert_eq!(probe(b"RIFF?", ptr::null(), &track), 70);
        for bad in [no_codec, small, outside] {
            assert_eq!(probe(b"RIFF?", ptr::null(), &bad), 0);
        }
        assert_eq!(call!(table, probe(ptr::null(), 0, 0, c"toy".as_ptr(), ptr::null())), 10);
        assert_eq!(call!(table, probe(ptr::null(), 5, 5, c"toy".as_ptr(), ptr::null())), 0);
        assert_eq!(probe(b"PANIC", ptr::null(), ptr::null()), 0);
    }
}

#[test]
fn info_is_what_the_decoder_says() {
    let bytes = file('-', 2, &ramp(20));
    for table in decoders() {
        let info = open(table, &input(&bytes)).unwrap().raw_info().unwrap();
        assert_eq!((info.size, info.flags, info.sample_rate, info.num_channels), (104, 1, 44100, 2));
        assert_eq!((info.channel_mask, info.num_frames, info.bits_per_sample), (3, 10, 16));
        assert_eq!((info.native_format, info.formats), (MW_I16, 1 << MW_F32 | 1 << MW_I16));
        assert_eq!((info.seek_class, info.grid_frames, info.seek_cost_frames), (MW_SEEK_ANCHORED, 64, 3));
        assert_eq!((info.priming_frames, info.padding_frames), (1, 2));
        assert_eq!([info.codec, info.container].map(text), ["toy", "raw"]);
        let unknown = file('u', 2, &ramp(20));
        assert_eq!(open(table, &input(&unknown)).unwrap().raw_info().unwrap().num_frames, MW_UNKNOWN);
    }
}

#[test]
fn options_have_defaults() {
    let bytes = file('-', 1, &[]);
    let plain = input(&bytes);
    let track = mw_track {
        container: c"wav".as_ptr(),
        codec: c"x".as_ptr(),
        data_offset: 2,
        data_bytes: 3,
        config_offset: 99,
        ..sized()
    };
    let full = mw_input { extension: c"ty".as_ptr(), track: &track, ..plain };
    let chosen = mw_decoder_options { max_threads: 3, max_alloc: 5000, ..sized() };
    let any = mw_decoder_options { stream: MW_DEFAULT_STREAM, ..sized() };
    let cases: [(&mw_input, *const mw_decoder_options, &str); 4] = [
        (&plain, ptr::null(), "None 1 1073741824 None None"),
        (&plain, &sized(), "Some(0) 1 1073741824 None None"),
        (&plain, &any, "None 1 1073741824 None None"),
        (&full, &chosen, "Some(0) 3 5000 Some(\"ty\") Some(2..5)"),
    ];
    for table in decoders() {
        for (input, options, expected) in cases {
            let opened = open_with(table, input, options).unwrap();
            assert_eq!(opened.tag(1).unwrap().unwrap(), ("options".to_owned(), expected.to_owned()));
        }
    }
}

#[test]
fn however_it_is_divided_the_same_comes_out() {
    let samples = ramp(150);
    let bytes = file('-', 3, &samples);
    for table in decoders() {
        let mut opened = open(table, &input(&bytes)).unwrap();
        assert_eq!(read(&mut opened, 1000).unwrap(), samples);
        assert!(read(&mut opened, 1).unwrap().is_empty(), "at the end");
        for step in [1, 2, 7, 50] {
            opened.seek(0).unwrap();
            let parts =
                std::iter::from_fn(|| Some(read(&mut opened, step).unwrap()).filter(|part| !part.is_empty()));
            assert_eq!(parts.flatten().collect::<Vec<_>>(), samples, "{step} frames at a time");
        }
        opened.seek(49).unwrap();
        assert_eq!(read(&mut opened, 2).unwrap(), samples[147..]);
        opened.seek(50).unwrap();
        assert!(read(&mut opened, 2).unwrap().is_empty());
        assert_eq!(
            refused(opened.seek(51).unwrap_err()),
            (MW_BAD_ARGUMENT, "cannot seek to frame 51 of 50".into())
        );
    }
}

#[test]
fn planar_equals_interleaved() {
    let samples = ramp(40);
    let bytes = file('-', 4, &samples);
    for table in decoders() {
        let opened = open(table, &input(&bytes)).unwrap();
        let mut planes = vec![vec![f32::NAN; 11]; 4];
        let starts: Vec<*mut c_void> = planes.iter_mut().map(|plane| plane.as_mut_ptr().cast()).collect();
        let buffer = mw_buffer {
            format: MW_F32,
            layout: MW_PLANAR,
            num_planes: 4,
            planes: starts.as_ptr(),
            num_frames: 11,
            ..sized()
        };
        let (status, num_frames, _) = decode(table, &opened, &buffer);
        assert_eq!((status, num_frames), (MW_OK, 10));
        for (channel, plane) in planes.iter().enumerate() {
            let expected: Vec<f32> =
                samples.iter().skip(channel).step_by(4).map(|sample| f32::from(*sample) / 32768.0).collect();
            assert_eq!(plane[..10], expected);
            assert!(plane[10].is_nan(), "nothing is written past the frames");
        }
    }
}

#[test]
fn a_buffer_is_looked_at_before_it_is_written() {
    let bytes = file('-', 2, &ramp(20));
    let mut samples = [-1i16; 8];
    let plane = [samples.as_mut_ptr().cast::<c_void>()];
    let good = interleaved(MW_I16, &plane, &samples, 2);
    let odd = [plane[0].cast::<u8>().wrapping_add(1).cast()];
    let none = [ptr::null_mut()];
    let misaligned = plane.as_ptr().cast::<u8>().wrapping_add(1).cast();
    let bad = [
        (mw_buffer { format: MW_I32, ..good }, "the buffer's format is 3, expected one of [F32, I16]"),
        (mw_buffer { format: 0, ..good }, "the buffer's format is 0, expected one of [F32, I16]"),
        (mw_buffer { layout: 2, ..good }, "the buffer's layout is 2, expected 0 or 1"),
        (mw_buffer { num_planes: 2, ..good }, "the buffer has 2 planes, expected 1 (Interleaved)"),
        (mw_buffer { layout: MW_PLANAR, ..good }, "the buffer has 1 planes, expected 2 (Planar)"),
        (mw_buffer { planes: ptr::null(), ..good }, "the buffer's list of planes is null or not aligned"),
        (mw_buffer { planes: misaligned, ..good }, "the buffer's list of planes is null or not aligned"),
        (mw_buffer { planes: none.as_ptr(), ..good }, "plane 0 of the buffer is null or not aligned"),
        (mw_buffer { planes: odd.as_ptr(), ..good }, "plane 0 of the buffer is null or not aligned"),
        (mw_buffer { num_frames: 0, ..good }, "the buffer has room for no frame"),
        (
            mw_buffer { num_frames: 1 << 61, ..good },
            "the buffer's 2305843009213693952 frames do not fit into memory",
        ),
    ];
    for table in decoders() {
        let opened = open(table, &input(&bytes)).unwrap();
        for (buffer, message) in &bad {
            let (status, num_frames, error) = decode(table, &opened, buffer);
            assert_eq!((status, num_frames), (MW_BAD_ARGUMENT, 0));
            assert_eq!(told(&error), (MW_BAD_ARGUMENT, (*message).to_owned()));
        }
        let (mut error, mut num_frames) = (sized(), 5);
        let status = call!(table, decode(opened.handle(), &good, ptr::null_mut(), &mut error));
        assert_eq!(told(&error), (status, "the place for the number of frames is null".to_owned()));
        let status = call!(table, decode(opened.handle(), ptr::null(), &mut num_frames, &mut error));
        assert_eq!(told(&error), (status, "mw_buffer is null".to_owned()));
        assert_eq!(num_frames, 0);
    }
    assert_eq!(samples, [-1; 8], "nothing was written");
}

#[test]
fn null_is_answered_everywhere() {
    for table in decoders() {
        let none = ptr::null_mut();
        let mut error = sized();
        let error: *mut mw_error = &mut error;
        let mut handle = none;
        for error in [ptr::null_mut(), error] {
            let bytes = file('-', 1, &[1]);
            let statuses = [
                call!(table, open(ptr::null(), &sized(), &mut handle, error)),
                call!(table, open(&input(&bytes), &sized(), ptr::null_mut(), error)),
                call!(table, info(none, &mut sized(), error)),
                call!(table, seek(none, 0, error)),
                call!(table, decode(none, ptr::null(), ptr::null_mut(), error)),
                call!(table, fork(none, &mut handle, error)),
                call!(table, tag(none, 0, &mut ptr::null(), &mut ptr::null())),
                call!(table, stream(none, 0, &mut sized(), error)),
            ];
            assert_eq!(statuses, [MW_BAD_ARGUMENT; 8]);
            assert!(handle.is_null());
            let mut opened = open(table, &input(&bytes)).unwrap();
            let statuses = [
                call!(table, info(opened.handle(), ptr::null_mut(), error)),
                call!(table, fork(opened.handle(), ptr::null_mut(), error)),
                call!(table, tag(opened.handle(), 0, ptr::null_mut(), &mut ptr::null())),
                call!(table, tag(opened.handle(), 0, &mut ptr::null(), ptr::null_mut())),
                call!(table, stream(opened.handle(), 0, ptr::null_mut(), error)),
            ];
            assert_eq!(statuses, [MW_BAD_ARGUMENT; 5]);
            assert_eq!(read(&mut opened, 2).unwrap(), [1], "the handle is none the worse");
        }
        call!(table, close(none));
    }
}

#[test]
fn a_fork_lives_on_its_own() {
    let samples = ramp(10);
    let bytes = file('-', 1, &samples);
    for table in decoders() {
        let mut opened = open(table, &input(&bytes)).unwrap();
        opened.seek(5).unwrap();
        let mut fork = opened.fork().unwrap();
        drop(opened);
        assert_eq!(fork.raw_info().unwrap().num_frames, 10);
        assert_eq!(read(&mut fork, 20).unwrap(), samples, "it stands at frame 0");
    }
}

#[test]
fn frames_before_an_error_come_out_first() {
    let samples = ramp(300);
    let bytes = file('b', 2, &samples);
    for table in decoders() {
        for step in [1, 30, 1000] {
            let mut opened = open(table, &input(&bytes)).unwrap();
            let mut found = Vec::new();
            let error = loop {
                match read(&mut opened, step) {
                    Ok(more) if more.is_empty() => panic!("the error is lost"),
                    Ok(more) => found.extend(more),
                    Err(error) => break error,
                }
            };
            assert_eq!(found, samples[..200]);
            let error = error.refusal();
            assert_eq!((error.status, error.offset, error.native_code), (MW_BAD_DATA, Some(405), -3));
            assert_eq!(error.message, "ä".repeat(255), "511 bytes would end inside a character");
            opened.seek(101).unwrap();
            assert_eq!(read(&mut opened, 3).unwrap(), samples[202..208], "another seek is legal");
        }
    }
}

#[test]
fn what_the_host_was_told_stays_so() {
    let bytes = file('l', 2, &ramp(20));
    for table in decoders() {
        let mut opened = open(table, &input(&bytes)).unwrap();
        assert_eq!(opened.tag(0).unwrap().unwrap(), ("title".to_owned(), "Toy".to_owned()));
        let (mut key, mut value) = (ptr::null(), ptr::null());
        assert_eq!(call!(table, tag(opened.handle(), 0, &mut key, &mut value)), MW_OK);
        assert_eq!(read(&mut opened, 4).unwrap().len(), 8);
        assert_eq!(opened.raw_info().unwrap().num_channels, 2, "the decoder says 9 now");
        assert_eq!(read(&mut opened, 4).unwrap().len(), 8);
        assert_eq!(text(key) + &text(value), "titleToy", "the decoder has dropped its own");
        assert_eq!(tag_status(table, &opened, 2), MW_END);
        assert_eq!(tag_status(table, &opened, u32::MAX), MW_END);
    }
}

#[test]
fn pictures_and_chapters_are_listed_and_stay() {
    let (good, lying, bad) = (file('-', 2, &ramp(20)), file('l', 2, &ramp(20)), file('q', 2, &ramp(20)));
    for table in decoders() {
        let mut opened = open(table, &input(&lying)).unwrap();
        let picture = |opened: &Decoder, index| {
            let mut found: mw_picture = sized();
            (call!(table, picture(opened.handle(), index, &mut found, ptr::null_mut())), found)
        };
        let chapter = |opened: &Decoder, index| {
            let mut found: mw_chapter = sized();
            (call!(table, chapter(opened.handle(), index, &mut found, ptr::null_mut())), found)
        };
        let (status, cover) = picture(&opened, 0);
        assert_eq!((status, cover.kind, cover.num_bytes, cover.width, cover.height), (MW_OK, 3, 4, 0, 0));
        let chapters = [chapter(&opened, 0), chapter(&opened, 1)];
        let places = chapters.map(|(status, found)| (status, found.start, found.end));
        assert_eq!(places, [(MW_OK, 1, 2), (MW_OK, 3, MW_UNKNOWN)]);
        assert_eq!(read(&mut opened, 4).unwrap().len(), 8);
        // The decoder has dropped its own.
        assert_eq!((text(cover.mime), cover.description), ("image/png".to_owned(), ptr::null()));
        assert_eq!(unsafe { std::slice::from_raw_parts(cover.data, 4) }, b"\x89PNG");
        assert_eq!((text(chapters[0].1.label), chapters[1].1.label), ("first".to_owned(), ptr::null()));
        for index in [1, u32::MAX] {
            assert_eq!(picture(&opened, index).0, MW_END);
            assert_eq!(chapter(&opened, index + u32::from(index == 1)).0, MW_END);
        }

        // A struct that is smaller than in the version that has it is refused.
        let opened = open(table, &input(&good)).unwrap();
        let mut short = mw_chapter { size: 16, ..sized() };
        assert_eq!(call!(table, chapter(opened.handle(), 0, &mut short, ptr::null_mut())), MW_BAD_ARGUMENT);
        assert_eq!((short.label, short.start), (ptr::null(), 0));

        let opened = open(table, &input(&bad)).unwrap();
        let mut error = sized();
        let mut found: mw_picture = sized();
        assert_eq!(call!(table, picture(opened.handle(), 0, &mut found, &mut error)), MW_PANIC);
    }
}

#[test]
fn errors_of_open_come_through() {
    let (short, good, illegal, mute) =
        (b"TOY".to_vec(), file('-', 1, &[]), file('i', 1, &[]), file('-', 0, &[]));
    for table in decoders() {
        let refusal = |input: &mw_input, options: &mw_decoder_options| {
            let (mut handle, mut error) = (ptr::null_mut(), sized());
            let status = call!(table, open(input, options, &mut handle, &mut error));
            assert_eq!((status, handle), (error.status, ptr::null_mut()));
            (status, error.offset, told(&error).1)
        };
        assert_eq!(refusal(&input(&short), &sized()), (MW_BAD_DATA, 0, "no TOY".into()));
        let second = mw_decoder_options { stream: 1, ..sized() };
        let expected = (MW_BAD_ARGUMENT, MW_UNKNOWN, "the file has 1 sound track".into());
        assert_eq!(refusal(&input(&good), &second), expected);
        let several = file('n', 1, &[]);
        let expected = (MW_UNSUPPORTED, MW_UNKNOWN, "stream 1 is ac3".into());
        assert_eq!(refusal(&input(&several), &second), expected);
        let default = mw_decoder_options { stream: MW_DEFAULT_STREAM, ..sized() };
        assert_eq!(refusal(&input(&several), &default), expected);
        let third = mw_decoder_options { stream: 2, ..sized() };
        let expected = (MW_BAD_ARGUMENT, MW_UNKNOWN, "the file has 2 sound tracks".into());
        assert_eq!(refusal(&input(&several), &third), expected);
        for bytes in [&illegal, &mute] {
            assert_eq!(refusal(&input(bytes), &sized()).0, MW_INTERNAL);
        }
        let track = mw_track { container: c"wav".as_ptr(), codec: c"x\xff".as_ptr(), ..sized() };
        let with_track = mw_input { track: &track, ..input(&good) };
        let expected = "the track's codec is not UTF-8: \"x\\xff\"";
        assert_eq!(refusal(&with_track, &sized()), (MW_BAD_ARGUMENT, MW_UNKNOWN, expected.into()));
        let track = mw_track { codec: c"x".as_ptr(), table_offset: 4, table_bytes: 2, ..track };
        let with_track = mw_input { track: &track, ..input(&good) };
        let expected = "the track's packet table, 2 bytes, lies outside of 5";
        assert_eq!(refusal(&with_track, &sized()), (MW_BAD_ARGUMENT, 4, expected.into()));
    }
}

#[test]
fn streams_are_listed() {
    let entry = |codec: &str, language: &str, facts: (u32, u32, bool)| StreamEntry {
        codec: codec.into(),
        language: Some(language.to_owned()).filter(|language| !language.is_empty()),
        sample_rate: facts.0,
        num_channels: facts.1,
        is_default: facts.2,
    };
    let list = |opened: &Decoder| {
        let all = (0..).map_while(|index| opened.stream(index).unwrap());
        all.collect::<Vec<_>>()
    };
    let (one, several) = (file('-', 2, &[]), file('n', 1, &[]));
    for table in decoders() {
        let opened = open(table, &input(&one)).unwrap();
        assert_eq!(list(&opened), [entry("toy", "", (44100, 2, true))]);
        let opened = open(table, &input(&several)).unwrap();
        let expected = [entry("toy", "", (44100, 1, false)), entry("ac3", "deu", (0, 0, true))];
        assert_eq!(list(&opened), expected);
        assert_eq!(list(&opened.fork().unwrap()), expected);
        assert!(opened.stream(u32::MAX).unwrap().is_none());
        // As far as the struct goes.
        let mut short = mw_stream_entry { size: 31, ..sized() };
        let status = call!(table, stream(opened.handle(), 0, &mut short, ptr::null_mut()));
        assert_eq!((status, short.sample_rate), (MW_BAD_ARGUMENT, 0));
    }
}

#[test]
fn an_index_is_saved_and_given_back() {
    let bytes = file('k', 1, &ramp(10));
    for table in decoders() {
        let open_with = |index: &[u8]| {
            let options =
                mw_decoder_options { index: index.as_ptr(), index_bytes: index.len() as u64, ..sized() };
            open_with(table, &input(&bytes), &options).unwrap()
        };
        assert_eq!(open(table, &input(&bytes)).unwrap().save_index().unwrap().unwrap(), b"scanned");
        assert_eq!(open_with(&[]).save_index().unwrap().unwrap(), b"scanned");
        let decoder = open_with(b"given");
        assert_eq!(decoder.save_index().unwrap().unwrap(), b"given");
        assert_eq!(decoder.fork().unwrap().save_index().unwrap().unwrap(), b"given");
        // A host of version 1.1 has no such field behind the others.
        let old = mw_decoder_options { size: 40, index: b"beyond".as_ptr(), index_bytes: 6, ..sized() };
        let decoder = crate::raw::open_with(table, &input(&bytes), &old).unwrap();
        assert_eq!(decoder.save_index().unwrap().unwrap(), b"scanned");

        let plain = file('-', 1, &ramp(10));
        assert_eq!(open(table, &input(&plain)).unwrap().save_index().unwrap(), None);
        let panics = file('y', 1, &ramp(10));
        let fault = open(table, &input(&panics)).unwrap().save_index().unwrap_err();
        let (status, message) = refused(fault);
        assert_eq!((status, message.ends_with("mode y")), (MW_PANIC, true), "{message}");
    }
}

#[test]
fn an_index_goes_to_the_sink_of_the_host() {
    unsafe extern "C" fn fails(_: *mut c_void, _: u64, _: *const c_void, _: u64) -> mw_status {
        MW_LIMIT
    }
    let bytes = file('k', 1, &ramp(10));
    for table in decoders() {
        let (mut handle, mut error): (_, mw_error) = (ptr::null_mut(), sized());
        let opened = call!(table, open(&input(&bytes), ptr::null(), &raw mut handle, ptr::null_mut()));
        assert_eq!(opened, MW_OK);
        let save = |sink: *const mw_sink, error: &mut mw_error| call!(table, save_index(handle, sink, error));
        let sink = mw_sink { write_at: Some(fails), ..sized() };
        assert_eq!(save(&sink, &mut error), MW_IO);
        assert_eq!(error.native_code, i64::from(MW_LIMIT));
        let without: mw_sink = sized();
        for (sink, words) in [(ptr::null(), "null"), (&raw const without, "write_at")] {
            error = sized();
            assert_eq!(save(sink, &mut error), MW_BAD_ARGUMENT);
            assert!(told(&error).1.contains(words), "{}", told(&error).1);
        }
        assert_eq!(call!(table, save_index(ptr::null(), &sink, &mut error)), MW_BAD_ARGUMENT);
        call!(table, close(handle));
    }
}

#[test]
fn a_message_reaches_the_log() {
    let bytes = file('w', 1, &ramp(200));
    for table in decoders() {
        LOG.lock().unwrap().clear();
        let mut opened = open(table, &input(&bytes)).unwrap();
        assert_eq!(read(&mut opened, 200).unwrap().len(), 200);
        assert_eq!(*LOG.lock().unwrap(), [(MW_LOG_WARNING, "frame 100 is odd".to_owned())]);
    }
}

#[test]
fn options_are_described_and_their_values_reach_the_decoder() {
    let bytes = file('-', 1, &ramp(20));
    for table in decoders() {
        let describe = table.option.unwrap();
        let mut option: mw_option = sized();
        assert_eq!(unsafe { describe(0, &raw mut option, ptr::null_mut()) }, MW_OK);
        assert_eq!(
            (option.size, option.kind, text(option.name)),
            (56, MW_OPTION_INTEGER, "level".to_owned())
        );
        assert_eq!(
            (text(option.default_value), text(option.description)),
            ("5".to_owned(), "how high".to_owned())
        );
        assert_eq!((option.minimum, option.maximum, option.choices.is_null()), (-9.0, 9.0, true));
        assert_eq!(unsafe { describe(1, &raw mut option, ptr::null_mut()) }, MW_OK);
        assert_eq!((option.kind, text(option.choices)), (MW_OPTION_TEXT, "a,b".to_owned()));
        assert!(option.default_value.is_null());
        assert_eq!(unsafe { describe(2, &raw mut option, ptr::null_mut()) }, MW_END);
        let mut small = mw_option { size: 20, ..option };
        assert_eq!(unsafe { describe(0, &raw mut small, ptr::null_mut()) }, MW_BAD_ARGUMENT);

        let open_with = |pairs: &[(&std::ffi::CStr, &std::ffi::CStr)]| {
            let settings: Vec<_> = pairs
                .iter()
                .map(|(key, value)| mw_tag { key: key.as_ptr(), value: value.as_ptr() })
                .collect();
            let options = mw_decoder_options {
                settings: settings.as_ptr(),
                num_settings: settings.len() as u64,
                ..sized()
            };
            open_with(table, &input(&bytes), &options)
        };
        let decoder = open_with(&[(c"kind", c"b"), (c"level", c"-3")]).unwrap();
        assert_eq!(
            decoder.tag(2).unwrap().unwrap(),
            ("settings".to_owned(), "-3 Some(\"b\") true".to_owned())
        );
        for (wrong, words) in [
            ((c"level", c"10"), "option 'level' must be from -9 to 9, got '10'"),
            ((c"kind", c"c"), "option 'kind' must be one of a,b, got 'c'"),
            ((c"other", c"1"), "there is no option 'other'"),
        ] {
            assert_eq!(refused(open_with(&[wrong]).err().unwrap()), (MW_BAD_ARGUMENT, words.to_owned()));
        }
    }
}
