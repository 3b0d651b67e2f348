//! The keys of `config.ini`: each with the reader of its value.

use std::path::{Path, PathBuf};

use super::settings::{Settings, VersionChoice};
use crate::address_block::AddressBlock;
use crate::calendar;
use crate::file::folder_of;
use crate::http::host;
use crate::limits;
use crate::problem::Text;
use crate::problem::settings as texts;
use crate::text::parse_digits;

/// A key, and the reader of its value: the error says what would be valid.
type Key = (&'static str, fn(&mut Settings, &str) -> Result<(), &'static Text>);

/// All keys, in the order in which they are listed.
pub const KEYS: [Key; 20] = [
    ("port", |settings, value| {
        settings.port = number(value, 0, 65535).ok_or(&texts::PORT)? as u16;
        Ok(())
    }),
    ("address", |settings, value| {
        let addresses: Vec<_> = list(value).map(str::parse).collect::<Result<_, _>>().map_err(|_| &texts::ADDRESSES)?;
        if addresses.len() > limits::LISTEN_ADDRESSES {
            return Err(&texts::FEWER_ADDRESSES);
        }
        settings.addresses = addresses;
        Ok(())
    }),
    ("allow", |settings, value| read_blocks(value, &texts::ALLOW).map(|blocks| settings.allow = blocks)),
    ("proxies", |settings, value| read_blocks(value, &texts::PROXIES).map(|blocks| settings.proxies = blocks)),
    ("base_url", |settings, value| {
        settings.base_url = if value.is_empty() { None } else { Some(read_base_url(value).ok_or(&texts::BASE_URL)?) };
        Ok(())
    }),
    ("current_firmware_version", |settings, value| {
        settings.version = match value {
            "latest" => VersionChoice::Latest,
            _ => VersionChoice::Fixed(calendar::parse_version(value).ok_or(&texts::VERSION)?),
        };
        Ok(())
    }),
    ("current_firmware_description", |settings, value| {
        settings.description = (!value.is_empty()).then(|| value.to_owned());
        Ok(())
    }),
    ("critical_version", |settings, value| {
        let version = if value == "0" { Some(0) } else { calendar::parse_version(value) };
        settings.critical_version = version.ok_or(&texts::CRITICAL)?;
        Ok(())
    }),
    ("firmware_path", |settings, value| read_path(&settings.file, value).map(|path| settings.firmware_path = path)),
    ("feature_licenses_path", |settings, value| read_path(&settings.file, value).map(|path| settings.licenses_path = path)),
    ("min_image_kb", |settings, value| {
        settings.min_image_kb = number(value, 0, 1_048_576).ok_or(&texts::MIN_KIB)?;
        Ok(())
    }),
    ("max_image_kb", |settings, value| {
        settings.max_image_kb = number(value, 1, 1_048_576).ok_or(&texts::MAX_KIB)?;
        Ok(())
    }),
    ("max_connections", |settings, value| {
        settings.max_connections = number(value, 1, 10_000).ok_or(&texts::CONNECTIONS)? as usize;
        Ok(())
    }),
    ("hold_repeats", |settings, value| read_switch(value).map(|on| settings.hold_repeats = on)),
    ("stop_seconds", |settings, value| {
        settings.stop_seconds = number(value, 1, 3600).ok_or(&texts::SECONDS)?;
        Ok(())
    }),
    ("log_requests", |settings, value| read_switch(value).map(|on| settings.log_requests = on)),
    ("log_file", |settings, value| {
        settings.log_file.path = if value.is_empty() { PathBuf::new() } else { read_path(&settings.file, value)? };
        Ok(())
    }),
    ("log_file_kb", |settings, value| {
        settings.log_file.kb = number(value, 4, 1_048_576).ok_or(&texts::LOG_KIB)?;
        Ok(())
    }),
    ("log_file_count", |settings, value| {
        settings.log_file.count = number(value, 1, 1000).ok_or(&texts::FILES)?;
        Ok(())
    }),
    ("status_page", |settings, value| read_switch(value).map(|on| settings.status_page = on)),
];

/// The elements of a comma-separated value.
fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim_ascii).filter(|element| !element.is_empty())
}

fn read_blocks(value: &str, valid: &'static Text) -> Result<Vec<AddressBlock>, &'static Text> {
    let blocks: Vec<_> = list(value).map(AddressBlock::parse).collect::<Option<_>>().ok_or(valid)?;
    if blocks.len() > limits::ADDRESS_BLOCKS { Err(&texts::FEWER_BLOCKS) } else { Ok(blocks) }
}

fn number(value: &str, from: u32, to: u32) -> Option<u32> {
    let number = u32::try_from(parse_digits(value.as_bytes())?).ok()?;
    (from..=to).contains(&number).then_some(number)
}

fn read_switch(value: &str) -> Result<bool, &'static Text> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(&texts::SWITCH),
    }
}

fn read_path(file: &Path, value: &str) -> Result<PathBuf, &'static Text> {
    if value.is_empty() { Err(&texts::PATH) } else { Ok(folder_of(file).join(value)) }
}

fn read_base_url(value: &str) -> Option<String> {
    let value = value.trim_end_matches('/');
    let rest = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path_is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte));
    (host::is_valid(authority.as_bytes()) && path_is_plain).then(|| value.to_owned())
}
