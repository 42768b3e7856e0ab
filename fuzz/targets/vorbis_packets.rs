#![no_main]

mapwave_fuzz::target!("vorbis_packets");
