//! The fuzzer's programme of the target `log_notes`.

#![no_main]

satchel_fuzz::fuzz!("log_notes");
