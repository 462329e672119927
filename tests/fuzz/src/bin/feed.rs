//! The fuzzer's programme of the target `feed`.

#![no_main]

satchel_fuzz::fuzz!("feed");
