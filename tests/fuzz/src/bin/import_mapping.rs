//! The fuzzer's programme of the target `import_mapping`.

#![no_main]

satchel_fuzz::fuzz!("import_mapping");
