//! Failing sinks, append-only sinks, and abandoned encoders.

use mapwave_plugin::abi::{MW_IO, MW_UNSUPPORTED};

use crate::oracle::{by_ffmpeg, by_mapwave, has_ffmpeg};
use crate::sound::{Random, music};
use crate::wish::{Encoding, Wish, pairs};

#[test]
fn every_failed_write_is_an_error() {
    let sound = music(48_000, 2, 60_000);
    for pair in pairs() {
        let wish = Wish { tags: vec![("title", "t")], ..Wish::new(pair, 48_000, 2) };
        let num_writes = {
            let mut encoding = Encoding::open(&wish).unwrap();
            encoding.push(&sound).unwrap();
            encoding.finish().unwrap();
            encoding.num_writes()
        };
        assert!(num_writes > 1, "{pair:?}");
        for failing in 0..num_writes {
            let wish = Wish { failing_write: Some(failing), ..wish.clone() };
            let failure = wish.encode_by(&sound, 5000).expect_err("a write failed");
            assert_eq!(failure.status, MW_IO, "{pair:?}, write {failing} of {num_writes}: {failure:?}");
            assert!(failure.message.contains("could not write"), "{failure:?}");
        }
    }
}

#[test]
fn after_a_failure_every_call_fails() {
    let sound = music(48_000, 2, 200_000);
    for pair in pairs() {
        let mut encoding =
            Encoding::open(&Wish { failing_write: Some(0), ..Wish::new(pair, 48_000, 2) }).unwrap();
        let mut results = vec![encoding.push(&sound), encoding.push(&sound), encoding.finish()];
        let first = results.iter().position(Result::is_err).unwrap();
        for result in results.drain(first..) {
            assert_eq!(result.unwrap_err().status, MW_IO, "{pair:?}");
        }
    }
}

#[test]
fn append_only_sinks_work_where_the_container_allows() {
    let sound = music(48_000, 2, 100_003);
    for pair in pairs() {
        let wish = Wish { is_append_only: true, ..Wish::new(pair, 48_000, 2) };
        match wish.encode_by(&sound, 4000) {
            Err(failure) => {
                assert!(!matches!(pair.0, "flac" | "ogg" | "webm" | "mka"), "{pair:?}: {failure:?}");
                assert_eq!(failure.status, MW_UNSUPPORTED, "{pair:?}");
                assert!(failure.message.contains("append-only sink"), "{failure:?}");
            }
            Ok(file) if pair.1 == "opus" => {
                if has_ffmpeg() {
                    assert_eq!(by_ffmpeg(&file, pair.0).unwrap().num_frames(), 100_003, "{pair:?}");
                }
            }
            Ok(file) => assert_eq!(by_mapwave(&file).unwrap().num_frames(), 100_003, "{pair:?}"),
        }
    }
}

#[test]
fn an_encoder_may_be_abandoned_at_any_time() {
    let mut random = Random(3);
    for pair in pairs() {
        let wish = Wish::new(pair, 48_000, 2);
        drop(Encoding::open(&wish).unwrap());
        for _ in 0..5 {
            let mut encoding = Encoding::open(&wish).unwrap();
            for _ in 0..random.below(4) {
                encoding.push(&music(48_000, 2, random.below(30_000))).unwrap();
            }
            drop(encoding); // looks whether anything more is written
        }
    }
}

#[test]
fn many_encoders_work_at_once() {
    let sound = music(48_000, 2, 20_000);
    for pair in pairs() {
        let wish = Wish::new(pair, 48_000, 2);
        let alone = wish.encode(&sound).unwrap();
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| wish.encode_by(&sound, 999).unwrap())).collect();
            threads.into_iter().for_each(|thread| assert!(thread.join().unwrap() == alone, "{pair:?}"));
        });
    }
}
