//! The short forms of the harness (`scripts/harness` runs the long ones): kills and errors at system calls,
//! power cuts, full disks, each with the control that must fail.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::process::Command;

/// Runs a part; 77 is what it says when the machine cannot do it.
fn harness(args: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_satchel-harness"))
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    eprintln!("{said}{}", String::from_utf8_lossy(&out.stderr));
    let code = out.status.code();
    assert!(matches!(code, Some(0 | 77)), "{code:?}: {said}");
}

#[test]
fn kills_at_system_calls_lose_nothing_that_was_acknowledged() {
    harness(&["kills"]);
}

#[test]
fn errors_at_system_calls_have_a_name_and_lose_nothing() {
    harness(&["errors"]);
}

#[test]
fn power_cuts_lose_nothing_and_the_careless_control_does() {
    harness(&["power", "--cuts", "12", "--controls", "12"]);
}

#[test]
fn a_disk_full_at_any_place_is_named_and_ballast_carries_a_delivery() {
    harness(&["full"]);
}
