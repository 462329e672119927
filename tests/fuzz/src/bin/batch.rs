//! The fuzzer's programme of the target `batch`.

#![no_main]

satchel_fuzz::fuzz!("batch");
