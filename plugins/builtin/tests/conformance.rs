//! The plugin keeps the rules of the plugin interface.

#![allow(clippy::unwrap_used)]

use std::path::Path;

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
        "splits",
        "overrun",
        "formats",
        "seek",
        "fork",
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
