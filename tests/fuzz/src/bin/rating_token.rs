//! The fuzzer's programme of the target `rating_token`.

#![no_main]

satchel_fuzz::fuzz!("rating_token");
