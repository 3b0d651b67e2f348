//! The rules of the project's structure: imports go downward, `unsafe` stands in one file, there are no packages.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from top to bottom; those of one row are neighbours and import only from the left to the right.
const ORDER: [&[&str]; 9] = [
    &["main"],
    &["cli"],
    &["server"],
    &["routes"],
    &["catalog"],
    &["registrars"],
    &["config", "address_block", "ini"],
    &["http"],
    &["json", "file", "stamp", "sha256", "log", "problem", "clock", "calendar", "text", "threads", "limits", "sys"],
];

fn rank(module: &str) -> usize {
    let all = ORDER.iter().flat_map(|row| row.iter());
    all.clone().position(|known| *known == module).unwrap_or_else(|| panic!("module {module} has no place in the order"))
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}

/// The modules of this crate that a source names, with the line; the part under `#[cfg(test)]` may use what it likes.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        for rest in line.split("crate::").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(!name.is_empty(), "line {}: import modules one by one, not in a group below the crate", number + 1);
            found.push((number + 1, name));
        }
    }
    found
}

#[test]
fn imports_go_downward_only() {
    let root = project().join("src");
    let mut checked = 0;
    for file in sources(&root) {
        let relative = file.strip_prefix(&root).expect("below src");
        let module = relative.components().next().expect("a name").as_os_str().to_str().expect("text").trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        for (line, imported) in imports(&fs::read_to_string(&file).expect("a source")) {
            let same_folder = imported == module;
            assert!(
                same_folder || rank(&imported) > rank(module),
                "{}:{line}: {module} may not import {imported}, which stands above it",
                relative.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} imports found: the test looks in the wrong place");
}

#[test]
fn protocol_code_touches_no_socket_file_or_clock() {
    for file in sources(&project().join("src/http")) {
        let text = fs::read_to_string(&file).expect("a source");
        for forbidden in ["std::net::Tcp", "std::fs", "std::time", "std::thread", "std::env"] {
            assert!(!text.contains(forbidden), "{} uses {forbidden}", file.display());
        }
    }
}

#[test]
fn unsafe_code_stands_in_sys_alone() {
    let root = project().join("src");
    for file in sources(&root) {
        let text = fs::read_to_string(&file).expect("a source");
        let is_sys = file == root.join("sys.rs");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            // `'unsafe-inline'` stands in a header field.
            if code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').any(|word| word == "unsafe") {
                assert!(is_sys, "{}:{}: unsafe outside of sys.rs", file.display(), number + 1);
                let before: Vec<_> = text.lines().take(number).collect();
                let has_reason = code.contains("extern") || before.iter().rev().take(4).any(|line| line.contains("SAFETY:"));
                assert!(has_reason, "sys.rs:{}: unsafe without its reason", number + 1);
            }
        }
    }
}

#[test]
fn there_are_no_packages() {
    let manifest = fs::read_to_string(project().join("Cargo.toml")).expect("the manifest");
    let mut section = "";
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line;
            // "[dependencies.NAME]" would be one.
            assert!(line == "[dependencies]" || !line.contains("dependencies"), "{line}");
        } else {
            assert!(section != "[dependencies]", "{line}");
        }
    }
    // Cargo resolves all that the lock file names before it compiles anything, and would need a network for it.
    let lock = fs::read_to_string(project().join("Cargo.lock")).expect("the lock file");
    let packages: Vec<_> = lock.lines().filter(|line| line.starts_with("name = ")).collect();
    assert_eq!(packages, ["name = \"susv\""]);
}

#[test]
fn source_files_keep_to_their_size() {
    for file in sources(&project().join("src")) {
        let lines = fs::read_to_string(&file).expect("a source").lines().count();
        assert!(lines <= 350, "{} has {lines} lines: split it", file.display());
    }
}

#[test]
fn recorded_imports_are_found_by_the_scanner() {
    let text =
        "use crate::text::quote;\n// crate::server\nlet x = crate::log::info; crate::json::parse\n#[cfg(test)]\nuse crate::cli;";
    assert_eq!(imports(text), [(1, "text".to_owned()), (3, "log".to_owned()), (3, "json".to_owned())]);
}
