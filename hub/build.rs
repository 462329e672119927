//! Rebuilds when a migration or a template changes: both are compiled in, and cargo does not see them.

fn main() {
    for dir in ["migrations", "templates"] {
        // The one way a build script has to speak to cargo.
        #[allow(clippy::print_stdout)]
        {
            println!("cargo::rerun-if-changed={dir}");
        }
    }
}
