//! The fuzzer's programme of the target `ink`.

#![no_main]

satchel_fuzz::fuzz!("ink");
