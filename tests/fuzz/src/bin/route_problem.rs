#![no_main]

satchel_fuzz::fuzz!("route_problem");
