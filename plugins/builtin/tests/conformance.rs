//! The plugin keeps the rules of the plugin interface.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use mapwave_plugin_check::{Options, check_entry};

#[test]
fn the_plugin_keeps_the_rules() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compressed");
    // Those that need a moment for every decoder; the engine's own tests have the others.
    let only = [
        "load",
        "entry",
        "description",
        "interfaces",
        "probe",
        "info",
        "metadata",
        "streams",
        "splits",
        "overrun",
        "formats",
        "seek",
        "fork",
        "targets",
        "settings",
        "encoder-threads",
        "encoder-state",
        "pushes",
        "write-errors",
        "abandon",
        "append-only",
        "no-frames",
    ];
    let options =
        Options { corpus: Some(fixtures), only: only.map(str::to_owned).into(), ..Options::default() };
    let report = check_entry(mapwave_builtin::entry, &options).unwrap();
    report.assert_passed();
    assert!(
        report.summary.passed >= 8 * 8 && report.summary.skipped < report.summary.passed,
        "{:?}",
        report.summary
    );
}

#[test]
fn the_tracks_of_a_file_are_listed_and_open() {
    let directory = std::env::temp_dir().join(format!("mapwave-tracks-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let tone = |hertz: u32, rate: u32| format!("sine=f={hertz}:r={rate}:d=0.5");
    let mut num_files = 0;
    for (name, codecs) in [
        ("two.mkv", "-c:a:0 flac -c:a:1 ac3 -disposition:a:0 default -disposition:a:1 0"),
        ("three.mka", "-c:a:0 pcm_s16le -c:a:1 flac -disposition:a:0 0 -disposition:a:1 default"),
        ("two.mp4", "-c:a:0 alac -c:a:1 aac"),
        (
            "cut.mp4",
            "-c:a:0 aac -c:a:1 alac -disposition:a:0 0 -disposition:a:1 default -movflags frag_keyframe+empty_moov",
        ),
        ("two.ogg", "-c:a:0 flac -c:a:1 libvorbis"),
    ] {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "quiet", "-nostdin", "-y", "-f", "lavfi", "-i", &tone(440, 44_100)]);
        command.args(["-f", "lavfi", "-i", &tone(880, 16_000), "-map", "0", "-map", "1"]);
        let written = command.args(codecs.split(' ')).arg(directory.join(name)).status();
        num_files += u32::from(written.is_ok_and(|status| status.success()));
    }
    println!("{num_files} of 5 files were written");
    if num_files > 0 {
        let only = ["info", "streams", "splits", "fork"].map(str::to_owned).into();
        let options = Options { corpus: Some(directory.clone()), only, ..Options::default() };
        let report = check_entry(mapwave_builtin::entry, &options).unwrap();
        // Decoders of other formats have no files here.
        assert_eq!(report.summary.failed, 0, "{}", report.to_text());
        assert!(report.summary.passed >= 4, "{:?}", report.summary);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
