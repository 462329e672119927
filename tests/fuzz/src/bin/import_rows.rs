//! The fuzzer's programme of the target `import_rows`.

#![no_main]

satchel_fuzz::fuzz!("import_rows");
