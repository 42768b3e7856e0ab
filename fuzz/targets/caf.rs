#![no_main]

mapwave_fuzz::target!("caf");
