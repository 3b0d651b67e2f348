//! `--init`: a folder to start from.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::words;
use crate::file::folder_of;
use crate::problem::{Detail, Sentence};

/// What is written; it is also what is shipped.
const SAMPLE_CONFIG: &str = include_str!("../../config.ini");

/// Makes a folder to start from, and says what to do next. What is there already stays as it is. An error names what could not be
/// made.
pub fn make(folder: &Path) -> Result<[Sentence; 2], (PathBuf, io::Error)> {
    let config = folder.join("config.ini");
    for path in [folder.to_owned(), folder.join("firmware"), folder.join("licenses")] {
        make_folder(&path).map_err(|error| (path, error))?;
    }
    let file = fs::OpenOptions::new().write(true).create_new(true).open(&config);
    let shown = |path: &Path| Detail::from(path.to_string_lossy());
    let made = match file.and_then(|mut file| file.write_all(config_without_sample().as_bytes())) {
        Ok(()) => &words::CREATED,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => &words::UNCHANGED,
        Err(error) => return Err((config, error)),
    };
    let next = vec![shown(&folder.join("firmware")), shown(&folder.join("licenses")), shown(&config)];
    Ok([Sentence::new(made, vec![shown(&config)]), Sentence::new(&words::NEXT, next)])
}

/// Makes a folder and those above it. What is there already stays as it is.
fn make_folder(path: &Path) -> io::Result<()> {
    let result = fs::create_dir(path);
    match result.as_ref().map_err(io::Error::kind) {
        Err(io::ErrorKind::NotFound) if !folder_of(path).as_os_str().is_empty() => {
            make_folder(folder_of(path)).and_then(|()| fs::create_dir(path))
        }
        Err(io::ErrorKind::AlreadyExists) if path.is_dir() => Ok(()),
        _ => result,
    }
}

/// The shipped configuration for a folder without the sample firmware: it offers the newest version that is copied there.
fn config_without_sample() -> String {
    let lines = SAMPLE_CONFIG.split_inclusive('\n');
    lines
        .map(|line| if line.trim_ascii_end() == SAMPLE_VERSION_LINE { "current_firmware_version = latest\n" } else { line })
        .collect()
}

const SAMPLE_VERSION_LINE: &str = "current_firmware_version = 20000101";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, VersionChoice};

    #[test]
    fn the_shipped_configuration_is_valid_with_and_without_the_sample() {
        for (text, expected) in
            [(SAMPLE_CONFIG, VersionChoice::Fixed(20000101)), (&config_without_sample(), VersionChoice::Latest)]
        {
            let reading = config::parse(Path::new("config.ini"), text.as_bytes());
            assert_eq!((reading.problems, reading.settings.version), (Vec::new(), expected));
        }
    }
}
