//! The plugin keeps the rules of the plugin interface.

#![allow(clippy::unwrap_used)]

use mapwave_plugin_check::{Options, check_entry};

#[test]
fn the_plugin_keeps_the_rules() {
    check_entry(mapwave_qoa::entry, &Options::default()).unwrap().assert_passed();
}
