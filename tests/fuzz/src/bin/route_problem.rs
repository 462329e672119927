//! The fuzzer's programme of the target `route_problem`.

#![no_main]

satchel_fuzz::fuzz!("route_problem");
