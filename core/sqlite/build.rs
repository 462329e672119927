//! Compiles SQLite3MultipleCiphers and has it linked whole (docs/adr/0052).

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What SQLite is to be. The first three are what its users in this workspace were written against:
/// foreign keys without being asked for, misuse reported instead of a crash, names of result columns.
const OPTIONS: &[(&str, Option<&str>)] = &[
    ("SQLITE_DEFAULT_FOREIGN_KEYS", Some("1")),
    ("SQLITE_ENABLE_API_ARMOR", None),
    ("SQLITE_ENABLE_COLUMN_METADATA", None),
    // sqlx calls both: it waits for locks between its connections and loads no extension unless told to.
    ("SQLITE_ENABLE_UNLOCK_NOTIFY", None),
    ("SQLITE_USE_URI", None),
    // A plan never depends on what is bound. Without it, giving a statement back to its cache marks many of them
    // for being prepared anew, which took a third of the time of an attempt.
    ("SQLITE_ENABLE_QPSG", None),
    // Every connection may be used from any thread, one at a time.
    ("SQLITE_THREADSAFE", Some("1")),
    // A flush of a log that keeps its length then leaves the file's times to the system. With `fsync` it committed
    // the file system's journal for them every time, and a log grown beforehand gained nothing.
    ("HAVE_FDATASYNC", Some("1")),
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

/// Where the cipher computes SHA-256, in plain C.
const PLAIN_SHA256: &str = "static
void sha256_transf(sha256_ctx *ctx, const unsigned char *message,
                   unsigned int block_nb)
{
";
/// What is put before it.
const DECLARED: &str =
    "int satchel_sha256_blocks(unsigned int *state, const unsigned char *message, unsigned count);
";
/// What is put behind it.
const CALLED: &str = "    if (satchel_sha256_blocks(ctx->h, message, block_nb)) return;\n";

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let source = sqlite3mc_src::source_dir();
    let file = source.join(sqlite3mc_src::SOURCE_FILE);
    println!("cargo::rerun-if-changed={}", file.display());
    println!("cargo::rerun-if-changed=native");
    println!(
        "cargo::rustc-env=SATCHEL_SQLITE_RELEASE={}",
        sqlite3mc_src::SQLITE3MC_VERSION
    );
    let amalgamation = with_instructions(&file, &out)?;
    compile(source, &amalgamation);
    println!("cargo::rustc-link-search=native={}", out.display());
    // Whole: libsqlite3-sys only names the functions, so it depends on the order of the libraries whether a
    // linker that reads them once finds them.
    println!("cargo::rustc-link-lib=static:+whole-archive=satchel_sqlite3");
    let windows = env::var("CARGO_CFG_WINDOWS").is_ok();
    if !windows && !is_android() {
        println!("cargo::rustc-link-lib=dylib=m");
    }
    Ok(())
}

/// The amalgamation with two lines more: SHA-256 is what a page costs most, and processors have instructions for
/// it (native/sha256.c). A release in which that place looks otherwise does not build until somebody has looked.
fn with_instructions(file: &Path, out: &Path) -> io::Result<PathBuf> {
    let text = fs::read_to_string(file)?;
    let Some((before, after)) = text.split_once(PLAIN_SHA256) else {
        let what = "the amalgamation computes SHA-256 in another way: see sqlite/build.rs";
        return Err(io::Error::other(what));
    };
    let changed = format!("{before}{DECLARED}{PLAIN_SHA256}{CALLED}{after}");
    let path = out.join("sqlite3mc.c");
    fs::write(&path, changed)?;
    Ok(path)
}

fn is_android() -> bool {
    env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "android")
}

fn compile(headers: &Path, amalgamation: &Path) {
    // Small and asked for every page, so never for size.
    let hash = cc::Build::new()
        .file("native/sha256.c")
        .opt_level(2)
        .flag_if_supported("-fvisibility=hidden")
        .warnings(true)
        .cargo_metadata(false)
        .compile_intermediates();
    let mut build = cc::Build::new();
    build
        .file(amalgamation)
        .objects(hash)
        .include(headers)
        .warnings(false);
    for (name, value) in OPTIONS {
        build.define(name, *value);
    }
    if env::var_os("CARGO_FEATURE_JSON").is_none() {
        build.define("SQLITE_OMIT_JSON", None);
    }
    // Temporary tables would be plain files: in memory, unless a connection says otherwise. Android has no
    // place for them, so there none ever is a file.
    build.define("SQLITE_TEMP_STORE", if is_android() { "3" } else { "2" });
    // Nobody outside the finished program sees these names: an app may have an SQLite of its own.
    build.flag_if_supported("-fvisibility=hidden");
    // What nothing calls is left out.
    build.flag_if_supported("-ffunction-sections");
    build.flag_if_supported("-fdata-sections");
    // Found and bundled by the name that is printed below, instead of in the order of the linker's liking.
    build.cargo_metadata(false);
    build.compile("satchel_sqlite3");
}
