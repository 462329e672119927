//! The table of `photo`, and the same as JSON.

use std::fmt;

use serde::Serialize;

use super::{Made, Row};

/// All photos.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }
}

#[allow(clippy::cast_precision_loss)] // megabytes to one digit
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<18} {:>7} {:<9} {:>8} {:>7} {:>7} {:>9} {:>7} {:>9} {:>11}",
            "input",
            "MB",
            "maker",
            "CPU ms",
            "÷floor",
            "÷vips",
            "MB above",
            "rest",
            "proof KB",
            "pixels"
        )?;
        for row in &self.rows {
            let vips_ms = row.vips.as_ref().map(|v| v.in_process_cpu_ms);
            line(f, row, "floor", &row.floor, vips_ms)?;
            line(f, row, "Satchel", &row.satchel, vips_ms)?;
            if let Some(vips) = &row.vips {
                writeln!(
                    f,
                    "{:<18} {:>7} {:<9} {:>8.1} {:>7.2} {:>7.2} {:>9.1}   (whole process {:.1} ms)",
                    "",
                    "",
                    "libvips",
                    vips.in_process_cpu_ms,
                    vips.in_process_cpu_ms / row.floor.cpu_ms,
                    1.0,
                    megabytes(vips.peak_rss_bytes.saturating_sub(row.input_bytes)),
                    vips.process_cpu_ms
                )?;
            }
        }
        Ok(())
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    row: &Row,
    name: &str,
    made: &Made,
    vips_ms: Option<f64>,
) -> fmt::Result {
    let first = name == "floor";
    let against_vips =
        vips_ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.2}", made.cpu_ms / ms));
    writeln!(
        f,
        "{:<18} {:>7} {:<9} {:>8.1} {:>7.2} {:>7} {:>9.1} {:>7.1} {:>9} {:>11}",
        if first { row.input.as_str() } else { "" },
        if first {
            format!("{:.1}", megabytes(row.input_bytes))
        } else {
            String::new()
        },
        name,
        made.cpu_ms,
        made.cpu_ms / row.floor.cpu_ms,
        against_vips,
        megabytes(made.peak_rss_bytes.saturating_sub(row.input_bytes)),
        megabytes(made.resting_rss_bytes),
        match made.thumb_bytes {
            Some(thumb) => format!("{}+{}", made.proof_bytes / 1_000, thumb / 1_000),
            None => (made.proof_bytes / 1_000).to_string(),
        },
        format!("{}x{}", made.width_px, made.height_px)
    )
}
