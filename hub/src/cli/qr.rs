//! An invite as a QR code. Always black on white with a quiet zone of four modules: inverted codes are
//! not read by common scanners (security notes §5.2).

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};

const QUIET: usize = 4;

/// Rows of modules with the quiet zone; `true` is dark.
fn modules(text: &str) -> Option<Vec<Vec<bool>>> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let width = code.size;
    let side = width + 2 * QUIET;
    let mut rows = vec![vec![false; side]; side];
    for (index, module) in code.data.iter().take(width * width).enumerate() {
        let row = rows.get_mut(index / width + QUIET)?;
        *row.get_mut(index % width + QUIET)? = module.value();
    }
    Some(rows)
}

/// For a terminal: two rows a line, colours set explicitly so that a dark theme does not invert it.
pub(super) fn ansi(text: &str) -> Option<String> {
    let rows = modules(text)?;
    let mut out = String::new();
    for pair in rows.chunks(2) {
        out.push_str("\x1b[30;107m");
        let upper = pair.first()?;
        for (x, top) in upper.iter().enumerate() {
            let bottom = pair
                .get(1)
                .and_then(|row| row.get(x))
                .copied()
                .unwrap_or(false);
            out.push(match (top, bottom) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        out.push_str("\x1b[0m\n");
    }
    Some(out)
}

/// A picture for a page or a printer.
pub(super) fn svg(text: &str) -> Option<String> {
    let rows = modules(text)?;
    let side = rows.len();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
         <path d=\""
    );
    for (y, row) in rows.iter().enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
            // Writing to a String cannot fail.
            let _ = write!(out, "M{x} {y}h1v1h-1z");
        }
    }
    out.push_str("\"/></svg>");
    Some(out)
}
