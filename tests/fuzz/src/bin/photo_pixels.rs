//! The fuzzer's programme of the target `photo_pixels`.

#![no_main]

satchel_fuzz::fuzz!("photo_pixels");
