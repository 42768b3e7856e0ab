//! Has the handlers registered when the program or the library is loaded. A fork that is in progress does not run handlers that are
//! registered meanwhile, so its child would not notice that it is one if the first lock registered them.

#![allow(unsafe_code)] // a static in the section of what runs at load

use super::handlers::generation;

#[used]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    generation();
}
