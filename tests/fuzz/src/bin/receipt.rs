//! The fuzzer's programme of the target `receipt`.

#![no_main]

satchel_fuzz::fuzz!("receipt");
