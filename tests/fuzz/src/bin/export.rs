//! The fuzzer's programme of the target `export`.

#![no_main]

satchel_fuzz::fuzz!("export");
