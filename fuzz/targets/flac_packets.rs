#![no_main]

mapwave_fuzz::target!("flac_packets");
