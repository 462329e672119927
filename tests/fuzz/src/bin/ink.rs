#![no_main]

satchel_fuzz::fuzz!("ink");
