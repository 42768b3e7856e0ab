//! The plugin keeps the rules of the plugin interface.

#![allow(clippy::unwrap_used)]

use mapwave_plugin_check::{Options, check_entry};

#[test]
fn the_plugin_keeps_the_rules() {
    let report = check_entry(mapwave_soxr::entry, &Options::default()).unwrap();
    report.assert_passed();
    assert!(report.summary.passed >= 8, "{:?}", report.summary);
}
