//! The fuzzer's programme of the target `request_headers`.

#![no_main]

satchel_fuzz::fuzz!("request_headers");
