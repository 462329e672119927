//! The fuzzer's programme of the target `sealed_keys`.

#![no_main]

satchel_fuzz::fuzz!("sealed_keys");
