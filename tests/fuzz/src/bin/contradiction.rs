//! The fuzzer's programme of the target `contradiction`.

#![no_main]

satchel_fuzz::fuzz!("contradiction");
