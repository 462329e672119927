//! The demo's other processes. A phone that can be killed with SIGKILL has to be a process of its own,
//! and so has a hub; both are this same binary, told what to do in lines of JSON.

pub mod hub;
pub mod phone;
pub mod process;
pub mod words;
