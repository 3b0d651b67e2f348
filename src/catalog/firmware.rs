//! The offer: one firmware version with both images in memory, verified. Downloads come from this memory, so that whatever
//! happens to the files cannot change a download under way.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Problem;
use super::stamp::{self, Stamp};
use crate::calendar::{self, Date};
use crate::config::{Settings, VersionChoice};
use crate::file::{is_below, read_bounded, read_start};
use crate::limits;
use crate::sha256::{self, Digest};
use crate::text::{hex_value, to_hex};

/// The two images of a version: for registrars, and for those with an old boot loader.
pub const IMAGE_NAMES: [&str; 2] = ["upd_app.bin", "upd_app_for_old_frs.bin"];

/// Checksums of a version folder, in the text format of coreutils; optional.
pub const SUMS_NAME: &str = "SHA256SUMS";

/// A firmware image in memory.
pub struct Image {
    /// One of `IMAGE_NAMES`.
    pub name: &'static str,
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Its SHA-256.
    pub digest: Digest,
    /// A strong entity tag made of the digest: a resumed download never mixes two builds.
    pub entity_tag: String,
    /// Modification time in seconds since 1970.
    pub modified: u64,
    /// The file's state when it was read.
    stamp: Stamp,
}

/// A version that registrars may be sent to.
pub struct Offer {
    /// The version.
    pub version: Date,
    /// Its images in the order of `IMAGE_NAMES`.
    pub images: [Arc<Image>; 2],
}

/// Loads what is to be offered: the version to name in answers, and the offer if there is one. Reports why there is none.
/// Images of the `previous` offer whose files did not change are kept.
pub fn load_offer(settings: &Settings, previous: Option<&Offer>, problems: &mut Vec<Problem>) -> (Date, Option<Offer>) {
    match settings.version {
        VersionChoice::Fixed(version) => {
            (version, load_version(settings, version, previous).map_err(|found| problems.extend(found)).ok())
        }
        VersionChoice::Latest => load_latest(settings, previous, problems),
    }
}

/// The newest folder with both images whole. Newer ones that are not are problems: somebody put them there to be offered.
fn load_latest(settings: &Settings, previous: Option<&Offer>, problems: &mut Vec<Problem>) -> (Date, Option<Offer>) {
    for version in find_versions(&settings.firmware_path, problems) {
        match load_version(settings, version, previous) {
            Ok(offer) => return (version, Some(offer)),
            Err(found) => problems.extend(found),
        }
    }
    let what = "no folder with both images whole in here: nothing is offered; copy one named yyyymmdd";
    problems.push(Problem::new(&settings.firmware_path, what));
    (0, None)
}

/// The date-named folders of the firmware folder, newest first.
pub fn find_versions(firmware_path: &Path, problems: &mut Vec<Problem>) -> Vec<Date> {
    let entries = match fs::read_dir(firmware_path) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(Problem::new(firmware_path, &format!("cannot be read ({error}): check firmware_path")));
            return Vec::new();
        }
    };
    let mut versions = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        if !entry.path().is_dir() {
            continue;
        }
        match calendar::parse_version(name) {
            Some(version) if versions.len() < limits::VERSION_FOLDERS => versions.push(version),
            Some(_) => problems.push(Problem::new(&entry.path(), "too many version folders: this one is ignored")),
            None => problems.push(Problem::new(&entry.path(), "the folder's name is not a real date yyyymmdd: it is ignored")),
        }
    }
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
}

/// Both images of a version, or everything that stands against offering it.
fn load_version(settings: &Settings, version: Date, previous: Option<&Offer>) -> Result<Offer, Vec<Problem>> {
    let folder = settings.firmware_path.join(version.to_string());
    let root = fs::canonicalize(&settings.firmware_path)
        .map_err(|error| vec![not_offered(&settings.firmware_path, version, &format!("cannot be read ({error})"))])?;
    let mut problems = Vec::new();
    let sums = read_sums(&folder).unwrap_or_else(|(path, what)| {
        problems.push(not_offered(&path, version, &what));
        None
    });
    let known = previous.filter(|offer| offer.version == version).map_or(&[] as &[_], |offer| &offer.images);
    let images = IMAGE_NAMES.map(|name| {
        let path = folder.join(name);
        let known = known.iter().find(|image| image.name == name);
        load_image(&root, &path, name, u64::from(settings.max_image_kb) * 1024, known)
            .and_then(|image| match &sums {
                Some(sums) => check_sum(sums, &image).map(|()| image),
                None => Ok(image),
            })
            .map_err(|what| problems.push(not_offered(&path, version, &what)))
            .ok()
    });
    match images {
        [Some(image), Some(image_for_old)] if problems.is_empty() => Ok(Offer { version, images: [image, image_for_old] }),
        _ => Err(problems),
    }
}

#[cold]
fn not_offered(path: &Path, version: Date, what: &str) -> Problem {
    Problem::new(path, &format!("{what}: version {version} is not offered"))
}

/// Reads an image, unless the file is still what it was when the `known` one was read. The error says what is wrong.
fn load_image(
    root: &Path,
    path: &Path,
    name: &'static str,
    max_bytes: u64,
    known: Option<&Arc<Image>>,
) -> Result<Arc<Image>, String> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "the image is missing".to_owned(),
        _ => format!("the image cannot be read ({error})"),
    };
    let resolved = fs::canonicalize(path).map_err(unreadable)?;
    if !is_below(&resolved, root) {
        return Err("the image is a link out of firmware_path".to_owned());
    }
    // Before the open: opening a pipe would wait for its writer.
    let metadata = fs::metadata(&resolved).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("the image is not a file".to_owned());
    }
    let file = File::open(&resolved).map_err(unreadable)?;
    let before = file.metadata().map_err(unreadable)?;
    if before.len() == 0 {
        return Err("the image is empty".to_owned());
    }
    if before.len() > max_bytes {
        return Err(format!("the image has {} bytes, more than max_image_kb allows ({max_bytes})", before.len()));
    }
    if let Some(known) = known.filter(|image| image.stamp == Stamp::from(&before)) {
        return Ok(known.clone());
    }
    let mut bytes = read_start(&file, before.len() + 1).map_err(unreadable)?;
    let after = file.metadata().map_err(unreadable)?;
    if bytes.len() as u64 != before.len() || Stamp::from(&before) != Stamp::from(&after) {
        return Err("the image changed while it was read".to_owned());
    }
    bytes.shrink_to_fit();
    let digest = sha256::hash(&bytes);
    let (entity_tag, modified) = (format!("\"{}\"", to_hex(&digest)), stamp::modified_seconds(&after));
    Ok(Arc::new(Image { name, bytes, digest, entity_tag, modified, stamp: Stamp::from(&after) }))
}

/// The entries of a folder's `SHA256SUMS`: file names with their digests. `None` if there is no such file.
type Sums = Vec<(String, Digest)>;

fn read_sums(folder: &Path) -> Result<Option<Sums>, (PathBuf, String)> {
    let path = folder.join(SUMS_NAME);
    match read_bounded(&path, limits::SUMS_BYTES) {
        Ok(text) => Ok(Some(parse_sums(&text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err((path, format!("cannot be read ({error})"))),
    }
}

/// `<64 hex> <space or *><name>` lines (sha256sum's text and binary mode). Other lines are skipped, as sha256sum does.
fn parse_sums(text: &[u8]) -> Sums {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines
        .filter_map(|line| {
            let (hex, rest) = line.split_at_checked(64)?;
            let [b' ', b' ' | b'*', name @ ..] = rest else { return None };
            let name = str::from_utf8(name).ok()?;
            let mut digest = [0; 32];
            for (byte, pair) in digest.iter_mut().zip(hex.as_chunks::<2>().0) {
                *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
            }
            Some((name.strip_prefix("./").unwrap_or(name).to_owned(), digest))
        })
        .collect()
}

fn check_sum(sums: &Sums, image: &Image) -> Result<(), String> {
    let mut digests = sums.iter().filter(|(name, _)| name == image.name).map(|(_, digest)| digest).peekable();
    if digests.peek().is_none() {
        return Err(format!("the image is not listed in {SUMS_NAME}"));
    }
    if digests.all(|digest| *digest == image.digest) {
        Ok(())
    } else {
        Err(format!("the image differs from {SUMS_NAME} (its SHA-256 is {})", to_hex(&image.digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_in_text_and_binary_mode_with_any_line_end() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let upper = hex.to_uppercase();
        let text = format!(
            "\u{feff}{hex}  upd_app.bin\r\n{upper} *./upd_app_for_old_frs.bin\n\n# note\n{hex} short\n{} x\nzz{}  x\n",
            &hex[..63],
            &hex[2..]
        );
        let sums = parse_sums(text.as_bytes());
        let digest = sha256::hash(b"");
        assert_eq!(sums, [("upd_app.bin".to_owned(), digest), ("upd_app_for_old_frs.bin".to_owned(), digest)]);
    }
}
