//! The fuzzer's programme of the target `photo`.

#![no_main]

satchel_fuzz::fuzz!("photo");
