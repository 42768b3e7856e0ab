//! The entry functions and what they return.

use std::ffi::CString;
use std::ptr;

use mapwave_plugin::abi::*;

use crate::raw::{call, entries, plugins, sized, text, told};

#[test]
fn a_plugin_says_what_it_is() {
    for plugin in plugins() {
        assert_eq!((plugin.size, plugin.abi_major, plugin.abi_minor), (64, 1, 2));
        let texts = [plugin.id, plugin.version, plugin.vendor, plugin.license, plugin.dependencies].map(text);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(texts, ["toy", version, "mapwave's tests", "MIT OR Apache-2.0", "libtoy 1.2"]);
    }
}

#[test]
fn the_answer_is_the_same_each_time() {
    for entry in entries() {
        let enter = || unsafe { entry(ptr::null(), ptr::null_mut()) }.addr();
        let first = enter();
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..4).map(|_| scope.spawn(enter)).collect();
            others.into_iter().for_each(|other| assert_eq!(other.join().unwrap(), first));
        });
    }
    let [linked, loaded] = plugins();
    assert!(!ptr::eq(linked, loaded), "the second is a library of its own");
}

#[test]
fn tables_are_found_by_name_and_number() {
    for plugin in plugins() {
        for interface in [MW_DECODER_INTERFACE, MW_ENCODER_INTERFACE, MW_RESAMPLER_INTERFACE] {
            let interface = CString::new(interface).unwrap();
            let first = call!(plugin, get(interface.as_ptr(), 0));
            assert!(!first.is_null());
            assert_eq!(call!(plugin, get(interface.as_ptr(), 0)), first);
            assert!(call!(plugin, get(interface.as_ptr(), 1)).is_null());
        }
        assert!(call!(plugin, get(c"mapwave.decoder/2".as_ptr(), 0)).is_null());
        assert!(call!(plugin, get(c"\xff".as_ptr(), 0)).is_null());
        assert!(call!(plugin, get(ptr::null(), 0)).is_null());
    }
}

#[test]
fn a_plugin_that_cannot_start_says_why() {
    let enter = |entry: mw_plugin_entry| {
        let mut error = sized();
        assert!(unsafe { entry(ptr::null(), &mut error) }.is_null());
        assert!(unsafe { entry(ptr::null(), ptr::null_mut()) }.is_null());
        error
    };
    let missing = enter(mapwave_toy::broken::missing);
    assert_eq!(told(&missing), (MW_MISSING_DEPENDENCY, "libtoy.so.7 is not installed".into()));
    assert_eq!((missing.native_code, missing.offset), (7, MW_UNKNOWN));
    let (status, message) = told(&enter(mapwave_toy::broken::panicking));
    assert_eq!(status, MW_PANIC);
    assert!(message.ends_with(": no start"), "{message}");
}

#[test]
fn a_start_finds_the_dependencies() {
    let plugin = unsafe { mapwave_toy::broken::finding(ptr::null(), ptr::null_mut()).as_ref() }.unwrap();
    assert_eq!(text(plugin.dependencies), "libone 1, libtwo 2");
}
