//! The fuzzer's programme of the target `invite`.

#![no_main]

satchel_fuzz::fuzz!("invite");
