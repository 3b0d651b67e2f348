//! `GET /firmware/…`: files below the firmware folder. Images of the offer come from memory, everything else from disk.
//!
//! Every error here has an empty body: the vendor's shell client flashes whatever it was sent (CLIENTS.md).

use std::fs::{self, File};
use std::io;
use std::sync::Arc;

use super::{Body, Circumstances, Event, FileBody, Reply, allows, is_java, wrong_method};
use crate::catalog::Catalog;
use crate::catalog::firmware::Image;
use crate::catalog::stamp::{self, Stamp};
use crate::file::is_below;
use crate::http::date;
use crate::http::range::{self, Selection};
use crate::http::request::Request;
use crate::http::response::{Field, Status};
use crate::http::validators::{self, Outcome, Validators};
use crate::text::percent_decode;

const METHODS: &str = "GET, HEAD";

/// An error with an empty body.
#[cold]
pub(super) fn error(status: Status, reason: &str) -> Reply {
    Reply::text(status, String::new(), Event::Refused { reason: reason.to_owned() })
}

/// Answers for `path`, which is what stands behind `/firmware/`, percent-encoded.
pub(super) fn answer(catalog: &Catalog, request: &Request<'_>, path: &[u8], circumstances: &Circumstances<'_>) -> Reply {
    if !allows(METHODS, request) {
        return wrong_method(error, METHODS);
    }
    let path = match clean_path(path) {
        Ok(path) => path,
        Err((status, reason)) => return error(status, reason),
    };
    if let Some(image) = catalog.find_image(&path) {
        return reply(catalog, request, path, circumstances, Source::Image(image.clone()));
    }
    if catalog.is_image_of_version(&path) {
        return error(Status::NotFound, "this version is not offered now; see the problems in the log");
    }
    match open_file(catalog, &path) {
        Ok((file, metadata)) => reply(catalog, request, path, circumstances, Source::File(file, metadata)),
        Err((status, reason)) => error(status, &reason),
    }
}

/// The path without encoding, empty segments and `.`. What could lead out of the firmware folder is refused, not repaired.
fn clean_path(path: &[u8]) -> Result<String, (Status, &'static str)> {
    let decoded = percent_decode(path);
    if decoded.contains(&0) || decoded.contains(&b'\\') {
        return Err((Status::Forbidden, "NUL or backslash in the path"));
    }
    let Ok(text) = String::from_utf8(decoded) else {
        return Err((Status::BadRequest, "the path is not UTF-8"));
    };
    if text.starts_with('/') {
        return Err((Status::Forbidden, "absolute path"));
    }
    let mut clean = String::with_capacity(text.len());
    for segment in text.split('/') {
        match segment {
            "" | "." => {}
            ".." => return Err((Status::Forbidden, "\"..\" in the path")),
            _ => {
                if !clean.is_empty() {
                    clean.push('/');
                }
                clean.push_str(segment);
            }
        }
    }
    Ok(clean)
}

/// Opens a file below the firmware folder; links are followed as long as they stay in it.
fn open_file(catalog: &Catalog, path: &str) -> Result<(File, fs::Metadata), (Status, String)> {
    let describe = |error: io::Error| {
        let status = match error.kind() {
            io::ErrorKind::PermissionDenied => Status::Forbidden,
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => Status::NotFound,
            // std has no stable name for "too many symbolic links".
            _ if error.raw_os_error() == Some(40) => Status::NotFound,
            _ => Status::InternalError,
        };
        (status, error.to_string())
    };
    let root = fs::canonicalize(&catalog.settings.firmware_path).map_err(describe)?;
    let resolved = fs::canonicalize(root.join(path)).map_err(describe)?;
    if !is_below(&resolved, &root) {
        return Err((Status::Forbidden, "a link out of the firmware folder".to_owned()));
    }
    // Before the open: opening a pipe would wait for its writer.
    if !fs::metadata(&resolved).map_err(describe)?.is_file() {
        return Err((Status::Forbidden, "not a file".to_owned()));
    }
    let file = File::open(&resolved).map_err(describe)?;
    let metadata = file.metadata().map_err(describe)?;
    Ok((file, metadata))
}

/// Where the bytes of a file come from.
enum Source {
    Image(Arc<Image>),
    File(File, fs::Metadata),
}

impl Source {
    /// Size, time of modification in seconds since 1970, and entity tag.
    fn describe(&self) -> (u64, u64, String) {
        match self {
            Source::Image(image) => (image.bytes.len() as u64, image.modified, image.entity_tag.clone()),
            Source::File(_, metadata) => (metadata.len(), stamp::modified_seconds(metadata), Stamp::from(metadata).entity_tag()),
        }
    }

    /// Bytes of it, which lie within its size.
    fn body(self, start: u64, length: u64) -> Body {
        match self {
            // Images are in memory, so both fit a usize.
            Source::Image(image) => Body::Image(image, start as usize..(start + length) as usize),
            Source::File(file, metadata) => Body::File(FileBody { file, stamp: Stamp::from(&metadata), start, length }),
        }
    }
}

/// The reply for a GET or HEAD of a file, with the preconditions and the range of the request.
fn reply(catalog: &Catalog, request: &Request<'_>, path: String, circumstances: &Circumstances<'_>, source: Source) -> Reply {
    let now = circumstances.now;
    let (size, modified, entity_tag) = source.describe();
    // RFC 9110 §8.8.2.1: never later than the message itself.
    let modified = now.map_or(modified, |now| modified.min(now));
    let content_type = content_type(&path);
    let mut fields: Vec<Field> = Vec::with_capacity(5);
    fields.push(("Accept-Ranges", "bytes".into()));
    fields.push(("Last-Modified", date::format(modified).into()));
    let current = Validators { etag: &entity_tag, modified };
    let outcome = validators::evaluate(request, &current, now);
    let selection = match request.field("range") {
        Some(value) if validators::allows_range(request, &current, now) => range::select(value, size),
        _ => Selection::Whole,
    };
    fields.push(("ETag", entity_tag.into()));

    let (caller, is_java) = (circumstances.find_caller(&catalog.settings, request).address, is_java(request));
    let event = |start| Event::Download { path, start, size, caller, is_java };
    let (status, start, length) = match (outcome, selection) {
        (Outcome::NotModified, _) => {
            return Reply { status: Status::NotModified, fields, body: Body::Absent, event: event(0) };
        }
        (Outcome::Failed, _) => {
            return Reply { fields, ..error(Status::PreconditionFailed, "the file is not what the client expects") };
        }
        (Outcome::Proceed, Selection::Unsatisfiable) => {
            fields.push(("Content-Type", "text/plain".into()));
            fields.push(("Content-Range", format!("bytes */{size}").into()));
            return Reply { fields, ..error(Status::RangeNotSatisfiable, "the range lies outside of the file") };
        }
        (Outcome::Proceed, Selection::Whole) => (Status::Ok, 0, size),
        (Outcome::Proceed, Selection::Part { start, length }) => {
            fields.push(("Content-Range", format!("bytes {start}-{}/{size}", start + length - 1).into()));
            (Status::PartialContent, start, length)
        }
    };
    fields.push(("Content-Type", content_type.into()));
    Reply { status, fields, body: source.body(start, length), event: event(start) }
}

/// Content types by extension, as the reference's; anything unknown is bytes.
fn content_type(path: &str) -> &'static str {
    const TYPES: [(&str, &str); 16] = [
        ("css", "text/css"),
        ("csv", "text/csv"),
        ("doc", "application/msword"),
        ("gif", "image/gif"),
        ("gz", "application/gzip"),
        ("htm", "text/html"),
        ("html", "text/html"),
        ("jpg", "image/jpeg"),
        ("js", "text/javascript"),
        ("json", "application/json"),
        ("pdf", "application/pdf"),
        ("png", "image/png"),
        ("tar", "application/x-tar"),
        ("txt", "text/plain"),
        ("xml", "text/xml"),
        ("zip", "application/zip"),
    ];
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let found = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    found.map_or("application/octet-stream", |(_, content_type)| content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_or_refused_never_repaired() {
        let cases: [(&str, Result<&str, u16>); 24] = [
            ("", Ok("")),
            ("20171220/upd_app.bin", Ok("20171220/upd_app.bin")),
            ("20171220/upd_app.bin/", Ok("20171220/upd_app.bin")),
            ("./20171220//upd_app.bin", Ok("20171220/upd_app.bin")),
            ("%D0%BF%D1%80.bin", Ok("пр.bin")),
            ("a%20b+c.bin", Ok("a b+c.bin")),
            ("%252e%252e/config.ini", Ok("%2e%2e/config.ini")),
            ("..config/...", Ok("..config/...")),
            ("..", Err(403)),
            ("../config.ini", Err(403)),
            ("a/../b", Err(403)),
            ("%2e%2e/config.ini", Err(403)),
            (".%2E/config.ini", Err(403)),
            ("..%2fconfig.ini", Err(403)),
            ("%2e%2e%2fconfig.ini", Err(403)),
            ("/etc/passwd", Err(403)),
            ("%2fetc/passwd", Err(403)),
            ("a%00", Err(403)),
            ("..\\config.ini", Err(403)),
            ("a%5cb", Err(403)),
            ("%2e%2e%5cconfig.ini", Err(403)),
            ("%c0%ae%c0%ae/config.ini", Err(400)),
            ("%C3%28.bin", Err(400)),
            ("%ff", Err(400)),
        ];
        for (path, expected) in cases {
            let found = clean_path(path.as_bytes()).map_err(|(status, _)| status.code());
            assert_eq!(found, expected.map(str::to_owned), "{path}");
        }
    }

    #[test]
    fn content_types_go_by_extension() {
        let cases = [
            ("upd_app.bin", "application/octet-stream"),
            ("notes.txt", "text/plain"),
            ("NOTES.TXT", "text/plain"),
            ("a.tar.gz", "application/gzip"),
            ("folder.zip/noext", "application/octet-stream"),
            ("SHA256SUMS", "application/octet-stream"),
        ];
        for (path, expected) in cases {
            assert_eq!(content_type(path), expected, "{path}");
        }
    }
}
