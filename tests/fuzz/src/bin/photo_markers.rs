#![no_main]

satchel_fuzz::fuzz!("photo_markers");
