//! The entry function of a linked plugin, as a number that a child process of the same program can use.

#![allow(unsafe_code)] // addresses of functions

use std::env;
use std::ffi::c_void;
use std::path::PathBuf;

use mapwave_plugin_abi::mw_plugin_entry;
use serde::{Deserialize, Serialize};

/// An entry function of this program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinkedEntry {
    program: PathBuf,
    /// The distance in bytes from [`anchor`]: the system loads a program at a different address each time, but as a whole.
    offset: isize,
}

/// A function of this crate, and so of the program it is linked into.
fn anchor() {}

fn anchor_address() -> *const c_void {
    let anchor: fn() = anchor;
    anchor as *const c_void
}

/// The start address of the program or library that holds an address; `None` if none does.
fn image(address: *const c_void) -> Option<usize> {
    // SAFETY: all zeros is a valid `Dl_info`, of null pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the address is only compared with those of what is loaded, and the struct is there to be filled.
    let found = unsafe { libc::dladdr(address, &raw mut info) };
    (found != 0 && !info.dli_fbase.is_null()).then(|| info.dli_fbase.addr())
}

fn is_of_this_program(address: *const c_void) -> bool {
    image(anchor_address()).is_some_and(|here| image(address) == Some(here))
}

impl LinkedEntry {
    /// `None` for a function that is not linked into this program but belongs to a shared library.
    pub fn new(entry: mw_plugin_entry) -> Option<Self> {
        let address = entry as *const c_void;
        let offset = address.addr().wrapping_sub(anchor_address().addr()).cast_signed();
        let program = env::current_exe().ok()?;
        is_of_this_program(address).then_some(Self { program, offset })
    }

    /// The function; `None` in any other program than the one that called [`LinkedEntry::new`].
    pub fn function(&self) -> Option<mw_plugin_entry> {
        let address = anchor_address().wrapping_byte_offset(self.offset);
        if env::current_exe().ok()? != self.program || !is_of_this_program(address) {
            return None;
        }
        // SAFETY: the parent process took the distance from an entry function in the image of the same program, and an image
        // is loaded as a whole; so the function is at this distance here too.
        Some(unsafe { std::mem::transmute::<*const c_void, mw_plugin_entry>(address) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_function_is_found_again() {
        let entry: mw_plugin_entry = mapwave_qoa::entry;
        let linked = LinkedEntry::new(entry).unwrap();
        assert_eq!(linked.function().unwrap() as usize, entry as usize);
        let text = serde_json::to_string(&linked).unwrap();
        let again: LinkedEntry = serde_json::from_str(&text).unwrap();
        assert_eq!(again.function().unwrap() as usize, entry as usize);
    }

    #[test]
    fn what_is_not_in_this_program_is_not_called() {
        let linked = LinkedEntry::new(mapwave_qoa::entry).unwrap();
        assert!(LinkedEntry { offset: isize::MAX / 2, ..linked.clone() }.function().is_none());
        assert!(LinkedEntry { program: "/bin/other".into(), ..linked }.function().is_none());
        assert!(!is_of_this_program(libc::malloc as *const c_void), "the C library is another image");
    }
}
