//! measure
#![allow(warnings)]
use satchel_core::proof::photo::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: usize = a[2].parse().unwrap();
    let mut best = f64::MAX;
    let mut r = None;
    for _ in 0..n {
        let t = std::time::Instant::now();
        r = Some(ingest_photo(
            PhotoSource::Path(a[1].as_ref()),
            &PhotoPolicy::default(),
        ));
        best = best.min(t.elapsed().as_secs_f64() * 1e3);
    }
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    let hwm = s.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    match r.unwrap() {
        Ok(r) => {
            println!(
                "{} {best:.1} ms {}x{} jpeg {} thumb {} mark {:?} {:?} {:x?} {hwm} src {}",
                a[1],
                r.width_px,
                r.height_px,
                r.jpeg.len(),
                r.thumb_jpeg.len(),
                r.mark,
                r.warnings,
                r.facts,
                r.source_bytes
            );
            if let Some(o) = a.get(3) {
                std::fs::write(o, &r.jpeg).unwrap();
                std::fs::write(format!("{o}.thumb.jpg"), &r.thumb_jpeg).unwrap();
            }
        }
        Err(e) => println!("{} {best:.1} ms ERR {e} {hwm}", a[1]),
    }
}
