//! The plugin keeps the rules of the plugin interface.

#![allow(clippy::unwrap_used)]

use mapwave_plugin_check::{Options, check_entry};

#[test]
fn the_plugin_keeps_the_rules() {
    // It decodes nothing itself.
    let options = Options { readers: vec![mapwave_builtin::entry], ..Options::default() };
    let report = check_entry(mapwave_lame::entry, &options).unwrap();
    report.assert_passed();
    assert!(report.summary.passed >= 12, "{:?}", report.summary);
}
