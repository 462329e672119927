//! Compiles SQLite3MultipleCiphers and has it linked whole (docs/adr/0052).

use std::env;

/// What SQLite is to be. The first three are what its users in this workspace were written against:
/// foreign keys without being asked for, misuse reported instead of a crash, names of result columns.
const OPTIONS: &[(&str, Option<&str>)] = &[
    ("SQLITE_DEFAULT_FOREIGN_KEYS", Some("1")),
    ("SQLITE_ENABLE_API_ARMOR", None),
    ("SQLITE_ENABLE_COLUMN_METADATA", None),
    // sqlx calls both: it waits for locks between its connections and loads no extension unless told to.
    ("SQLITE_ENABLE_UNLOCK_NOTIFY", None),
    ("SQLITE_USE_URI", None),
    // Every connection may be used from any thread, one at a time.
    ("SQLITE_THREADSAFE", Some("1")),
    ("HAVE_USLEEP", Some("1")),
    ("HAVE_ISNAN", None),
    ("HAVE_LOCALTIME_R", None),
    ("HAVE_STDINT_H", Some("1")),
    ("_POSIX_THREAD_SAFE_FUNCTIONS", None),
    // One scheme, SQLCipher's, is what stores are written in; the others would only be weight.
    ("CODEC_TYPE", Some("CODEC_TYPE_SQLCIPHER")),
    ("HAVE_CIPHER_SQLCIPHER", Some("1")),
    ("HAVE_CIPHER_AES_128_CBC", Some("0")),
    ("HAVE_CIPHER_AES_256_CBC", Some("0")),
    ("HAVE_CIPHER_CHACHA20", Some("0")),
    ("HAVE_CIPHER_RC4", Some("0")),
    ("HAVE_CIPHER_ASCON128", Some("0")),
    ("HAVE_CIPHER_AEGIS", Some("0")),
    ("SQLITE3MC_USE_MINIZ", Some("0")),
];

fn main() {
    let source = sqlite3mc_src::source_dir();
    let file = source.join(sqlite3mc_src::SOURCE_FILE);
    println!("cargo::rerun-if-changed={}", file.display());
    println!(
        "cargo::rustc-env=SATCHEL_SQLITE_RELEASE={}",
        sqlite3mc_src::SQLITE3MC_VERSION
    );

    let mut build = cc::Build::new();
    build.file(&file).include(source).warnings(false);
    for (name, value) in OPTIONS {
        build.define(name, *value);
    }
    // Temporary tables would be plain files: in memory, unless a connection says otherwise. Android has no
    // place for them, so there none ever is a file.
    let android = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "android");
    build.define("SQLITE_TEMP_STORE", if android { "3" } else { "2" });
    // Nobody outside the finished program sees these names: an app may have an SQLite of its own.
    build.flag_if_supported("-fvisibility=hidden");
    // What nothing calls is left out.
    build.flag_if_supported("-ffunction-sections");
    build.flag_if_supported("-fdata-sections");
    // Found and bundled by the name that is printed below, instead of in the order of the linker's liking.
    build.cargo_metadata(false);
    build.compile("satchel_sqlite3");

    println!(
        "cargo::rustc-link-search=native={}",
        env::var("OUT_DIR").unwrap_or_default()
    );
    // Whole: libsqlite3-sys only names the functions, so it depends on the order of the libraries whether a
    // linker that reads them once finds them.
    println!("cargo::rustc-link-lib=static:+whole-archive=satchel_sqlite3");
    let windows = env::var("CARGO_CFG_WINDOWS").is_ok();
    if !windows && !android {
        println!("cargo::rustc-link-lib=dylib=m");
    }
}
