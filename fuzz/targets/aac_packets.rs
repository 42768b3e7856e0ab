#![no_main]

mapwave_fuzz::target!("aac_packets");
