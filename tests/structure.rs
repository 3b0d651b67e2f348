//! The rules of the project's structure: imports go downward, `unsafe` stands in one file, there are no packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module's names from the crate's root down; empty for the root.
type ModulePath = Vec<String>;

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

/// The code of a source: without comments, and without the tests at its end, which may use what they like.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules of the crate with their code, and for each the modules it declares, in its order.
#[derive(Default)]
struct Tree {
    code: BTreeMap<ModulePath, String>,
    children: BTreeMap<ModulePath, Vec<String>>,
}

impl Tree {
    fn read() -> Tree {
        let mut tree = Tree::default();
        tree.read_module(Vec::new(), &project().join("src/lib.rs"), &project().join("src"));
        tree
    }

    /// Reads a module and those it declares, which stand in `folder`.
    fn read_module(&mut self, path: ModulePath, file: &Path, folder: &Path) {
        let code = code_of(&fs::read_to_string(file).expect("a source"));
        let declared: Vec<String> = code
            .lines()
            .map(|line| line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) "))
            .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
            .map(str::to_owned)
            .collect();
        for name in &declared {
            let child: ModulePath = path.iter().cloned().chain([name.clone()]).collect();
            let below = folder.join(name);
            let own_file = if below.join("mod.rs").exists() { below.join("mod.rs") } else { folder.join(format!("{name}.rs")) };
            self.read_module(child, &own_file, &below);
        }
        self.children.insert(path.clone(), declared);
        self.code.insert(path, code);
    }

    /// The module that a path of names leads to: as much of it as are modules.
    fn resolve(&self, names: &[String]) -> ModulePath {
        let length = (0..=names.len()).rev().find(|length| self.code.contains_key(&names[..*length])).unwrap_or(0);
        names[..length].to_vec()
    }

    /// Whether `module` may import from `imported`: from what stands below it in the list of their common folder.
    fn may_import(&self, module: &[String], imported: &[String]) -> bool {
        let common = module.iter().zip(imported).take_while(|(a, b)| a == b).count();
        match (module.get(common), imported.get(common)) {
            // Itself, or one of its own.
            (None, _) => true,
            // The folder it stands in.
            (Some(_), None) => false,
            (Some(own), Some(other)) => {
                let order = &self.children[&module[..common]];
                let place = |name| order.iter().position(|known| known == name);
                place(other) > place(own)
            }
        }
    }
}

/// What follows each `keyword::` in some code: paths of names, those of a group one by one.
fn paths_after(code: &str, keyword: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&format!("{keyword}::")) {
        let is_part = code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        if !is_part {
            read_path(&code[at + keyword.len() + 2..], Vec::new(), &mut found);
        }
    }
    found
}

/// Reads one path, or the paths of a group in braces; returns what follows.
fn read_path<'a>(mut text: &'a str, mut names: Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    loop {
        text = text.trim_start();
        if let Some(mut group) = text.strip_prefix('{') {
            loop {
                group = read_path(group, names.clone(), found).trim_start();
                match group.strip_prefix(',') {
                    Some(rest) if !rest.trim_start().starts_with('}') => group = rest,
                    other => return other.unwrap_or(group).trim_start().strip_prefix('}').unwrap_or(group),
                }
            }
        }
        let length = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        names.push(text[..length].to_owned());
        text = &text[length..];
        match text.strip_prefix("::") {
            Some(rest) => text = rest,
            None => {
                found.push(names);
                return text;
            }
        }
    }
}

#[test]
fn imports_go_downward_only_inside_folders_too() {
    let tree = Tree::read();
    let (mut checked, mut problems) = (0, Vec::new());
    for (module, code) in &tree.code {
        let parent = module.split_last().map_or(&[] as &[String], |(_, parent)| parent);
        let from_root = paths_after(code, "crate").into_iter();
        let from_parent = paths_after(code, "super").into_iter().map(|names| [parent, &names].concat());
        for names in from_root.chain(from_parent) {
            let imported = tree.resolve(&names);
            checked += 1;
            if !tree.may_import(module, &imported) {
                problems.push(format!("{} may not import {}", module.join("::"), names.join("::")));
            }
        }
    }
    assert!(checked > 300, "only {checked} imports found: the test looks in the wrong place");
    assert!(
        problems.is_empty(),
        "modules import only from those below them in the list of their folder:\n{}",
        problems.join("\n")
    );
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
fn imports_are_found_however_they_are_written() {
    let code = code_of(
        "use crate::text::quote;\n// crate::server\nlet x = crate::log::info; my_crate::no;\nuse super::{\n    a::B,\n    c::{D, e::F},\n};\n#[cfg(test)]\nuse crate::cli;",
    );
    let joined = |keyword| paths_after(&code, keyword).into_iter().map(|names| names.join("::")).collect::<Vec<_>>();
    assert_eq!(joined("crate"), ["text::quote", "log::info"]);
    assert_eq!(joined("super"), ["a::B", "c::D", "c::e::F"]);
}

#[test]
fn an_import_from_above_or_from_the_folder_itself_is_refused() {
    let tree = Tree::read();
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    for (module, imported, expected) in [
        ("server", "catalog", true),
        ("catalog", "server", false),
        ("server", "server::admission", true),
        ("server::admission::place", "server::admission", false),
        ("server::connection", "server::admission", true),
        ("server::admission", "server::connection", false),
        ("server::connection::receive", "server::connection::close_reason", true),
        ("server::connection::close_reason", "server::connection::receive", false),
    ] {
        assert_eq!(tree.may_import(&path(module), &path(imported)), expected, "{module} from {imported}");
    }
}
