#![no_main]

mapwave_fuzz::target!("mp3_packets");
