//! The fuzzer's programme of the target `evidence`.

#![no_main]

satchel_fuzz::fuzz!("evidence");
