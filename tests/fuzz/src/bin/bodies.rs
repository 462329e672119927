//! The fuzzer's programme of the target `bodies`.

#![no_main]

satchel_fuzz::fuzz!("bodies");
