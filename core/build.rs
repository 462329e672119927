//! Compiles the C through which proofs are written (docs/adr/0009).

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=native/jpeg_write.c");
    let mut build = cc::Build::new();
    build.file("native/jpeg_write.c").warnings(true);
    // Where turbojpeg-sys put the headers of the library it built.
    if let Ok(include) = env::var("DEP_TURBOJPEG_INCLUDE") {
        build.includes(include.split(','));
    }
    build.compile("satchel_jpeg");
}
