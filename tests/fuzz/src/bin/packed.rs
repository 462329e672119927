//! The fuzzer's programme of the target `packed`.

#![no_main]

satchel_fuzz::fuzz!("packed");
