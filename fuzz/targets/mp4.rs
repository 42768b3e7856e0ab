#![no_main]

mapwave_fuzz::target!("mp4");
