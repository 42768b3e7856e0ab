#![no_main]

mapwave_fuzz::target!("alac_packets");
