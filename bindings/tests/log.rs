//! The log reaches the app, and nothing the app does with it reaches the library. A file of its own,
//! because a process has one log.
#![allow(clippy::unwrap_used)]

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use satchel_ffi::{
    LogLevel, LogRecord, LogSink, Satchel, SatchelConfig, SatchelError, clear_log_sink,
    set_log_sink,
};

/// A sink with a defect.
struct BadSink {
    seen: Mutex<mpsc::Sender<LogRecord>>,
}

impl LogSink for BadSink {
    fn log(&self, record: LogRecord) -> Result<(), SatchelError> {
        self.seen.lock().unwrap().send(record).unwrap();
        std::panic::resume_unwind(Box::new("a defect of the app"));
    }
}

#[test]
fn a_sink_that_panics_goes_on_getting_lines_and_none_after_it_is_taken_away() {
    let (sender, lines) = mpsc::channel();
    let sink = BadSink {
        seen: Mutex::new(sender),
    };
    set_log_sink(Arc::new(sink), LogLevel::Warn).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let fail = || {
        let config = SatchelConfig {
            directory: file.to_str().unwrap().to_owned(),
            key: vec![7; 32],
            boot_id: None,
            utc_offset_min: None,
        };
        assert!(Satchel::open(config).is_err(), "a file is no folder");
    };
    for _ in 0..3 {
        fail();
        let line = lines.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(line.level, LogLevel::Error);
        assert!(line.text.contains("IO_"), "{}", line.text);
        assert!(!line.text.contains("file"), "no path in a log");
    }
    clear_log_sink();
    fail();
    assert!(lines.recv_timeout(Duration::from_millis(200)).is_err());
}
