//! Hands the compiler's version and the target triple to `GET /version`, and the commit to `--version`.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo:rustc-env=SUSV_TARGET={target}");

    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let text = output_of(&rustc, &["--version"]).unwrap_or_default();
    // "rustc 1.95.0 (59807616e 2026-04-14)": the second word is the version.
    let version = text.split_whitespace().nth(1).unwrap_or("unknown");
    println!("cargo:rustc-env=SUSV_RUST={version}");
    println!("cargo:rustc-env=SUSV_COMMIT={}", find_commit());
}

/// The commit, abbreviated as everywhere to 9 digits: git knows it, or the file it was written to when an archive was made.
fn find_commit() -> String {
    println!("cargo:rerun-if-changed=src/commit.txt");
    let project = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    // Not the commit of a repository that this one is only unpacked in.
    let is_ours = output_of("git", &["rev-parse", "--show-toplevel"])
        .is_some_and(|top| fs::canonicalize(top).ok() == fs::canonicalize(&project).ok());
    let from_git = || {
        // The log of HEAD grows with each commit and checkout.
        for path in ["HEAD", "logs/HEAD"] {
            let path = output_of("git", &["rev-parse", "--git-path", path])?;
            if Path::new(&path).exists() {
                println!("cargo:rerun-if-changed={path}");
            }
        }
        output_of("git", &["rev-parse", "--short=9", "HEAD"])
    };
    let from_archive = || fs::read_to_string("src/commit.txt").ok().map(|text| text.trim().to_owned());
    let commit = if is_ours { from_git() } else { from_archive() };
    let is_commit = |text: &String| text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    commit.filter(is_commit).map_or_else(|| "unknown".to_owned(), |text| text[..text.len().min(9)].to_owned())
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
