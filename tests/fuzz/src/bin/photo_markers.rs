//! The fuzzer's programme of the target `photo_markers`.

#![no_main]

satchel_fuzz::fuzz!("photo_markers");
