//! The fuzzer's programme of the target `ink_json`.

#![no_main]

satchel_fuzz::fuzz!("ink_json");
