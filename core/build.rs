//! Compiles the C through which proofs are written and progressive photos read (docs/adr/0009).

use std::env;

fn main() {
    let mut build = cc::Build::new();
    for file in ["native/jpeg_read.c", "native/jpeg_write.c"] {
        println!("cargo::rerun-if-changed={file}");
        build.file(file);
    }
    build.warnings(true);
    // Where turbojpeg-sys put the headers of the library it built.
    if let Ok(include) = env::var("DEP_TURBOJPEG_INCLUDE") {
        build.includes(include.split(','));
    }
    build.compile("satchel_jpeg");
}
