//! Settings that swallow each other: files inside the folder that is handed out to anyone, a log written into another file. Paths
//! are compared as the system resolves them, links included, and also where they lead to nothing yet.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::settings::Settings;
use crate::file::{folder_of, has_extension, is_below};
use crate::limits;
use crate::problem::Problem;
use crate::problem::settings as texts;
use crate::text::quote;

/// How the names of licence files end, in any case.
pub const LICENSE_EXTENSION: &[u8] = b".slf";

/// Links followed on one path, as many as the kernel follows.
const LINKS: u32 = 40;

/// Everything that stands in the way of everything else.
pub fn find_conflicts(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let shown = |path: &Path| quote(&path.to_string_lossy(), limits::QUOTED_PATH_BYTES);
    let [file, firmware, licenses] = [&settings.file, &settings.firmware_path, &settings.licenses_path].map(|path| resolve(path));
    let log_path = &settings.log_file.path;
    let log = (!log_path.as_os_str().is_empty()).then(|| resolve(log_path));
    let firmware_path = shown(&settings.firmware_path);

    if is_below(&file, &firmware) {
        // Whatever else is beside this file is in there too: one problem says it all.
        problems.push(settings.problem_of("firmware_path", &texts::HOLDS_SETTINGS, vec![firmware_path.into()]));
    } else {
        let candidates =
            [("feature_licenses_path", &settings.licenses_path, Some(&licenses)), ("log_file", log_path, log.as_ref())];
        for (key, path, _) in
            candidates.into_iter().filter(|(.., resolved)| resolved.is_some_and(|path| is_below(path, &firmware)))
        {
            let details = vec![key.into(), shown(path).into(), firmware_path.as_str().into()];
            problems.push(settings.problem_of(key, &texts::INSIDE_FIRMWARE, details));
        }
    }
    if log.as_ref() == Some(&file) {
        problems.push(settings.problem_of("log_file", &texts::LOG_OVER_SETTINGS, vec![shown(log_path).into()]));
    }
    let is_license = |log: &PathBuf| *log == licenses || folder_of(log) == licenses && has_extension(log, LICENSE_EXTENSION);
    if log.as_ref().is_some_and(is_license) {
        let details = vec![shown(log_path).into(), shown(&settings.licenses_path).into()];
        problems.push(settings.problem_of("log_file", &texts::LOG_OVER_LICENSES, details));
    }
    problems
}

/// The path as the system resolves it. What does not exist is taken as written, below its deepest parent that does; a link to
/// something that does not exist leads there.
pub fn resolve(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    resolve_absolute(&absolute, LINKS)
}

fn resolve_absolute(path: &Path, links: u32) -> PathBuf {
    match fs::canonicalize(path) {
        Ok(path) => return path,
        // What may not be looked at is compared as it is written.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return path.to_owned(),
        Err(_) => {}
    }
    let Some(parent) = path.parent() else { return path.to_owned() };
    let resolved = resolve_absolute(parent, links);
    match path.components().next_back() {
        Some(Component::ParentDir) => resolved.parent().unwrap_or(&resolved).to_owned(),
        Some(name) => {
            let path = resolved.join(name);
            match fs::read_link(&path) {
                Ok(target) if links > 0 => resolve_absolute(&resolved.join(target), links - 1),
                _ => path,
            }
        }
        None => resolved,
    }
}
