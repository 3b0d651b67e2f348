//! The settings of `config.ini`.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::address_block::AddressBlock;
use crate::calendar::{self, Date};
use crate::file::{folder_of, read_bounded};
use crate::http::host;
use crate::ini;
use crate::limits;
use crate::log;
use crate::sha256::{self, Digest};
use crate::text::{self, parse_digits};

/// Which firmware to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionChoice {
    /// This version.
    Fixed(Date),
    /// The newest date-named folder that holds both images.
    Latest,
}

/// All settings. Paths are relative to the working directory, or absolute: those of the file are relative to its folder.
#[derive(Debug)]
pub struct Settings {
    /// The file they came from.
    pub file: PathBuf,
    /// SHA-256 of the file, to tell whether anything changed.
    pub digest: Digest,
    /// TCP port; 0 lets the kernel choose.
    pub port: u16,
    /// Addresses to listen on; empty for all, IPv4 and IPv6.
    pub addresses: Vec<IpAddr>,
    /// Who may connect; empty for everyone.
    pub allow: Vec<AddressBlock>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<AddressBlock>,
    /// Whether a registrar that took a version is told of no update until it has had time to install it.
    pub hold_repeats: bool,
    /// Seconds a stop may take while downloads finish.
    pub stop_seconds: u32,
    /// What firmware URLs begin with, without a `/` at its end; `None`: what the client called us.
    pub base_url: Option<String>,
    /// The firmware to offer.
    pub version: VersionChoice,
    /// Text for the registrar's operator; `None`: `firmware <version>`.
    pub description: Option<String>,
    /// Registrars built before this date must update; 0 for none.
    pub critical_version: Date,
    /// Folder of the version folders.
    pub firmware_path: PathBuf,
    /// Licence file, or folder of licence files.
    pub licenses_path: PathBuf,
    /// Smallest firmware image in KiB that is offered; 0 for no limit.
    pub min_image_kb: u32,
    /// Largest firmware image in KiB: both are kept in memory.
    pub max_image_kb: u32,
    /// Connections served at a time.
    pub max_connections: usize,
    /// Whether each check, download and licence request is logged.
    pub log_requests: bool,
    /// The log file.
    pub log_file: log::FileSettings,
    /// Whether there is a status page.
    pub status_page: bool,
}

impl Settings {
    /// Whether a caller is let in.
    pub fn admits(&self, address: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|block| block.contains(address))
    }
}

/// A mistake in the configuration, for one line of output: file, line, key, value and what would be valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    reason: String,
}

impl ConfigError {
    /// Line, key, value and what would be valid, without the file.
    pub fn reason(&self) -> String {
        self.line.map_or_else(|| self.reason.clone(), |line| format!("line {line}: {}", self.reason))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.to_string_lossy())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.reason)
    }
}

/// Reads the settings, or every mistake in them.
pub fn load(file: &Path) -> Result<Settings, Vec<ConfigError>> {
    let bytes = read_bounded(file, limits::CONFIG_BYTES).map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => "create one with \"susv --init DIR\", or name another with \"susv -c FILE\"",
            _ => "the configuration must be a readable text file",
        };
        vec![ConfigError { file: file.to_owned(), line: None, reason: format!("cannot be read ({error}): {advice}") }]
    })?;
    parse(file, &bytes)
}

/// A key, and the reader of its value: the error says what would be valid.
type Key = (&'static str, fn(&mut Settings, &str) -> Result<(), &'static str>);

const KEYS: [Key; 20] = [
    ("port", |settings, value| {
        settings.port = number(value, 0, 65535).ok_or("a port number from 0 to 65535 (0 picks a free one)")? as u16;
        Ok(())
    }),
    ("address", |settings, value| {
        settings.addresses = list(value).map(str::parse).collect::<Result<_, _>>().map_err(
            |_| "one IPv4 or IPv6 address or several with commas between them (for example 192.168.1.1, ::1), or nothing for all",
        )?;
        Ok(())
    }),
    ("allow", |settings, value| {
        settings.allow = read_blocks(
            value,
            "addresses and blocks with commas between them (for example 192.168.1.0/24, fd00::/8, 10.0.0.7), or nothing for everyone",
        )?;
        Ok(())
    }),
    ("proxies", |settings, value| {
        settings.proxies = read_blocks(
            value,
            "addresses and blocks with commas between them (for example 192.168.1.2, fd00::/8), or nothing for none",
        )?;
        Ok(())
    }),
    ("base_url", |settings, value| {
        settings.base_url = if value.is_empty() { None } else { Some(read_base_url(value)?) };
        Ok(())
    }),
    ("current_firmware_version", |settings, value| {
        settings.version = match value {
            "latest" => VersionChoice::Latest,
            _ => VersionChoice::Fixed(
                calendar::parse_version(value).ok_or("a date yyyymmdd (for example 20260301), or the word latest")?,
            ),
        };
        Ok(())
    }),
    ("current_firmware_description", |settings, value| {
        settings.description = (!value.is_empty()).then(|| value.to_owned());
        Ok(())
    }),
    ("critical_version", |settings, value| {
        let version = if value == "0" { Some(0) } else { calendar::parse_version(value) };
        settings.critical_version = version.ok_or("a date yyyymmdd (for example 20260301), or 0 for none")?;
        Ok(())
    }),
    ("firmware_path", |settings, value| read_path(&settings.file, value).map(|path| settings.firmware_path = path)),
    ("feature_licenses_path", |settings, value| read_path(&settings.file, value).map(|path| settings.licenses_path = path)),
    ("min_image_kb", |settings, value| {
        settings.min_image_kb = number(value, 0, 1_048_576).ok_or("a number of KiB from 0 to 1048576")?;
        Ok(())
    }),
    ("max_image_kb", |settings, value| {
        settings.max_image_kb = number(value, 1, 1_048_576).ok_or("a number of KiB from 1 to 1048576")?;
        Ok(())
    }),
    ("max_connections", |settings, value| {
        settings.max_connections = number(value, 1, 10_000).ok_or("a number from 1 to 10000")? as usize;
        Ok(())
    }),
    ("hold_repeats", |settings, value| read_switch(value).map(|on| settings.hold_repeats = on)),
    ("stop_seconds", |settings, value| {
        settings.stop_seconds = number(value, 1, 3600).ok_or("a number of seconds from 1 to 3600")?;
        Ok(())
    }),
    ("log_requests", |settings, value| read_switch(value).map(|on| settings.log_requests = on)),
    ("log_file", |settings, value| {
        settings.log_file.path = if value.is_empty() { PathBuf::new() } else { read_path(&settings.file, value)? };
        Ok(())
    }),
    ("log_file_kb", |settings, value| {
        settings.log_file.kb = number(value, 4, 1_048_576).ok_or("a number of KiB from 4 to 1048576")?;
        Ok(())
    }),
    ("log_file_count", |settings, value| {
        settings.log_file.count = number(value, 1, 1000).ok_or("a number of files from 1 to 1000")?;
        Ok(())
    }),
    ("status_page", |settings, value| read_switch(value).map(|on| settings.status_page = on)),
];

/// Reads settings from the bytes of `file`.
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Settings, Vec<ConfigError>> {
    let folder = folder_of(file);
    let mut settings = Settings {
        file: file.to_owned(),
        digest: sha256::hash(bytes),
        port: 8888,
        addresses: Vec::new(),
        allow: Vec::new(),
        proxies: Vec::new(),
        hold_repeats: true,
        stop_seconds: 90,
        base_url: None,
        version: VersionChoice::Latest,
        description: None,
        critical_version: 0,
        firmware_path: folder.join("firmware"),
        licenses_path: folder.join("licenses"),
        min_image_kb: 480,
        max_image_kb: 16_384,
        max_connections: 256,
        log_requests: true,
        log_file: log::FileSettings { path: PathBuf::new(), kb: 128, count: 10 },
        status_page: true,
    };
    let mut errors = Vec::new();
    let mut first_lines = [None; KEYS.len()];
    let mut fail = |line, reason| errors.push(ConfigError { file: file.to_owned(), line, reason });
    for entry in ini::parse(bytes) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(bad) => {
                fail(Some(bad.line), bad.reason);
                continue;
            }
        };
        let Some(index) = KEYS.iter().position(|(name, _)| *name == entry.key) else {
            let key = text::quote(entry.key, limits::QUOTED_BYTES);
            let names = KEYS.iter().fold(String::new(), |names, (name, _)| names + " " + name);
            fail(Some(entry.line), format!("unknown key {key}; the keys are{names}"));
            continue;
        };
        let (name, read_value) = KEYS[index];
        if let Some(first) = first_lines[index] {
            fail(Some(entry.line), format!("{name} stands already in line {first}: leave one of the two"));
            continue;
        }
        first_lines[index] = Some(entry.line);
        if let Err(valid) = read_value(&mut settings, entry.value) {
            let value = text::quote(entry.value, limits::QUOTED_BYTES);
            fail(Some(entry.line), format!("{name} = {value} is not valid: expected {valid}"));
        }
    }
    let version = KEYS.iter().position(|(name, _)| *name == "current_firmware_version");
    if version.is_some_and(|index| first_lines[index].is_none()) {
        let reason =
            "current_firmware_version is missing: give the version to offer as yyyymmdd (for example 20260301), or latest";
        fail(None, reason.to_owned());
    }
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

/// The elements of a comma-separated value.
fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim_ascii).filter(|element| !element.is_empty())
}

fn read_blocks(value: &str, valid: &'static str) -> Result<Vec<AddressBlock>, &'static str> {
    let blocks: Vec<_> = list(value).map(AddressBlock::parse).collect::<Option<_>>().ok_or(valid)?;
    if blocks.len() > limits::ADDRESS_BLOCKS { Err("at most 256 addresses and blocks") } else { Ok(blocks) }
}

fn number(value: &str, from: u32, to: u32) -> Option<u32> {
    let number = u32::try_from(parse_digits(value.as_bytes())?).ok()?;
    (from..=to).contains(&number).then_some(number)
}

fn read_switch(value: &str) -> Result<bool, &'static str> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no"),
    }
}

fn read_path(file: &Path, value: &str) -> Result<PathBuf, &'static str> {
    let folder = folder_of(file);
    if value.is_empty() { Err("a path, absolute or relative to the folder of this file") } else { Ok(folder.join(value)) }
}

fn read_base_url(value: &str) -> Result<String, &'static str> {
    const VALID: &str = "http:// or https://, a host, and perhaps a path, as registrars are to reach this server (for example http://192.168.1.1:8888)";
    let value = value.trim_end_matches('/');
    let rest = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://")).ok_or(VALID)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path_is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte));
    if host::is_valid(authority.as_bytes()) && path_is_plain { Ok(value.to_owned()) } else { Err(VALID) }
}
