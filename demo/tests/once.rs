//! The played day as a stranger runs it: the program itself, its children, SIGKILLs included.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_satchel-demo"));
    command
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(args: &[&str]) -> Output {
    demo(args).output().unwrap()
}

/// Found and wanted of one row of the summary.
fn row(summary: &str, what: &str) -> (u64, u64) {
    let line = summary
        .lines()
        .find(|line| line.trim_start().starts_with(what))
        .unwrap_or_else(|| panic!("no row {what:?} in:\n{summary}"));
    // Between the two may stand a sign: at least, at most.
    let mut counts = line[line.find(what).unwrap() + what.len()..]
        .split_whitespace()
        .filter_map(|word| word.parse().ok());
    let mut next = || counts.next().unwrap();
    (next(), next())
}

#[test]
fn a_small_day_with_killed_phone_and_hub_ends_with_every_check_held() {
    let output = run(&["--once", "--couriers", "3", "--stops", "5"]);
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{summary}");
    assert!(summary.contains("all checks hold"), "{summary}");
    assert!(summary.contains("SIGKILL to the phone"), "{summary}");
    assert!(summary.contains("SIGKILL to the hub"), "{summary}");
    let (held, acknowledged) = row(&summary, "acknowledged attempts at the hub exactly once");
    assert!(held == acknowledged && held >= 15, "{summary}");
    assert!(
        row(&summary, "signatures complete at the hub, right hash").0 > 0,
        "{summary}"
    );
    assert!(
        row(&summary, "photos complete at the hub, right hash").0 >= 15,
        "{summary}"
    );
    assert!(
        row(&summary, "hub killed with SIGKILL during uploads").0 == 1,
        "{summary}"
    );
    assert!(
        row(&summary, "looks while the hub was down").0 == 1,
        "{summary}"
    );
}

#[test]
fn a_record_of_deliveries_is_played_at_its_own_times_in_several_rounds() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("record.csv");
    let columns = "row,accept_time,accept_lat,accept_lng,delivery_time,delivery_lat,delivery_lng";
    let mut text = format!("{columns}\n");
    for row in 0..40_u32 {
        // Two depots, far apart; a door every ten minutes from each.
        let (depot, lat) = (row % 2, 37.40 + f64::from(row % 2));
        let minute = row / 2 * 10;
        text.push_str(&format!(
            "{row},08-14 08:{:02}:00,{lat},121.38,08-14 {:02}:{:02}:00,{},121.{}\n",
            depot * 5,
            10 + minute / 60,
            minute % 60,
            lat + 0.01,
            400 + row,
        ));
    }
    text.push_str("40,not a time,37.4,121.38,08-14 15:00:00,37.41,121.40\n");
    std::fs::write(&file, text).unwrap();
    let output = run(&["--once", "--deliveries", file.to_str().unwrap()]);
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{summary}");
    assert!(
        summary.contains("2 phones, 2 rounds, 40 parcels at 40 stops (1 rows refused)"),
        "{summary}"
    );
    let (in_time, attempts) = row(&summary, "with the time they happened");
    assert!(in_time == attempts && in_time >= 40, "{summary}");
}

#[test]
fn a_phone_killed_from_outside_comes_back_and_nothing_promised_is_lost() {
    let mut demo = demo(&["--once", "--couriers", "3", "--stops", "12"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert!(first.starts_with("Imported"), "{first}");
    let victim = phones_of(&demo).pop().expect("a running phone");
    assert!(
        Command::new("kill")
            .args(["-KILL", &victim])
            .status()
            .unwrap()
            .success()
    );
    let mut summary = String::new();
    lines.read_to_string(&mut summary).unwrap();
    assert!(demo.wait().unwrap().success(), "{summary}");
    assert_eq!(
        row(&summary, "phones killed with SIGKILL and started again").0,
        2,
        "{summary}"
    );
}

/// Process ids of the phones among the demo's children.
fn phones_of(demo: &Child) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", demo.id())).unwrap();
    let children = tasks.flat_map(|task| {
        let path = task.unwrap().path().join("children");
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    let is_phone = |pid: &String| {
        let args = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        args.split(|byte| *byte == 0)
            .any(|arg| arg == b"phone-child")
    };
    children.filter(is_phone).collect()
}

#[test]
fn a_data_folder_in_use_and_a_file_without_a_mapping_are_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("precious"), "x").unwrap();
    let output = run(&["--once", "--data", dir.path().to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("not empty"));
    let file = dir.path().join("precious");
    let output = run(&["--once", "--deliveries", file.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--mapping"));
}
