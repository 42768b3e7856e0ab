//! The plugin keeps the rules of the plugin interface.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use mapwave_plugin_check::{Options, check_entry};

#[test]
fn the_plugin_keeps_the_rules() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compressed");
    // Those that need a moment for a decoder of every format and a dozen encoders.
    let only = [
        "load",
        "entry",
        "description",
        "interfaces",
        "probe",
        "info",
        "metadata",
        "streams",
        "overrun",
        "fork",
        "encoder-state",
        "abandon",
        "no-frames",
    ];
    let options =
        Options { corpus: Some(fixtures), only: only.map(str::to_owned).into(), ..Options::default() };
    let report = check_entry(mapwave_libav::entry, &options).unwrap();
    report.assert_passed();
    assert!(report.summary.passed >= 16, "{:?}", report.summary);
}
