//! `GET /firmware/…`: files below the firmware folder. Images of the offer come from memory, everything else from disk.
//!
//! Every error here has an empty body: the vendor's shell client flashes whatever it was sent (CLIENTS.md).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::reply::{Body, Circumstances, Event, FileBody, Reply, is_java};
use crate::catalog::{Catalog, Image, ImageSource, NoImage};
use crate::file::{OpenError, OpenedFile, open_below};
use crate::http::conditional::{self, Outcome, Validators};
use crate::http::date;
use crate::http::range::{self, Selection};
use crate::http::request::Request;
use crate::http::response::{Field, Status};
use crate::limits;
use crate::stamp::{self, Stamp};
use crate::sys;
use crate::text::percent_decode;

/// An error with an empty body.
fn error(status: Status, reason: &str) -> Reply {
    Reply::text(status, String::new(), Event::Refused { reason: reason.to_owned() })
}

/// Answers for `path`, which is what stands behind `/firmware/`, percent-encoded.
pub(super) fn answer(catalog: &Catalog, request: &Request<'_>, path: &[u8], circumstances: &Circumstances<'_>) -> Reply {
    let path = match clean_path(path) {
        Ok(path) => path,
        Err((status, reason)) => return error(status, reason),
    };
    match find_source(catalog, &path) {
        Ok(source) => reply(catalog, request, path, circumstances, source),
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

/// Why there is nothing to send: the answer's status, and the reason for the log.
type Failure = (Status, String);

/// Where the bytes of a file come from.
enum Source {
    Image(Arc<Image>),
    File { file: File, stamp: Stamp, modified: u64, entity_tag: String },
}

/// Finds what stands at `path` below the firmware folder. An image is handed out only if its folder is fit, also where a link
/// leads to it, or another name that its file system takes for the same.
fn find_source(catalog: &Catalog, path: &str) -> Result<Source, Failure> {
    if let Some(image) = catalog.find_image(path) {
        return take_image(image);
    }
    let opened = open_below(&catalog.settings.firmware_path, Path::new(path)).map_err(|error| match error {
        OpenError::Outside => (Status::Forbidden, "a link out of the firmware folder".to_owned()),
        OpenError::NotAFile => (Status::Forbidden, "not a file".to_owned()),
        OpenError::System(error) => describe_error(&error),
    })?;
    if let Some(image) = catalog.find_opened_image(&opened) {
        return take_image(image);
    }
    let (stamp, modified) = (Stamp::from(&opened.metadata), stamp::modified_seconds(&opened.metadata));
    Ok(Source::File { file: opened.file, stamp, modified, entity_tag: stamp.entity_tag() })
}

fn take_image(image: Result<ImageSource, NoImage>) -> Result<Source, Failure> {
    match image {
        Ok(ImageSource::Memory(image)) => Ok(Source::Image(image)),
        Ok(ImageSource::Disk(opened, image)) => {
            let OpenedFile { file, .. } = *opened;
            Ok(Source::File { file, stamp: image.stamp, modified: image.modified, entity_tag: image.entity_tag() })
        }
        Err(NoImage::Unfit(reason)) => Err((Status::NotFound, reason)),
        Err(NoImage::Shortage(error) | NoImage::Unreadable(error)) => Err(describe_error(&error)),
    }
}

fn describe_error(error: &io::Error) -> Failure {
    let status = match error.kind() {
        io::ErrorKind::PermissionDenied => Status::Forbidden,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => Status::NotFound,
        // The file has become shorter.
        io::ErrorKind::UnexpectedEof => Status::ServiceUnavailable,
        // Somebody has a lease on it, such as Samba for a writer, and is being asked to give it up.
        io::ErrorKind::WouldBlock => Status::ServiceUnavailable,
        _ if sys::is_out_of_resources(error) => Status::ServiceUnavailable,
        _ if sys::is_link_loop(error) => Status::NotFound,
        _ => Status::InternalError,
    };
    (status, error.to_string())
}

impl Source {
    /// Size, time of modification in seconds since 1970, and entity tag.
    fn describe(&self) -> (u64, u64, String) {
        match self {
            Source::Image(image) => (image.bytes.len() as u64, image.modified, image.entity_tag.clone()),
            Source::File { stamp, modified, entity_tag, .. } => (stamp.length, *modified, entity_tag.clone()),
        }
    }

    /// Bytes of it, which lie within its size. Reads the first of them unless they are only measured (HEAD).
    fn body(self, start: u64, length: u64, is_measured: bool) -> Result<Body, Failure> {
        let (file, stamp) = match self {
            // Images are in memory, so both fit a usize.
            Source::Image(image) => return Ok(Body::Image(image, start as usize..(start + length) as usize)),
            Source::File { file, stamp, .. } => (file, stamp),
        };
        let wanted = if is_measured { 0 } else { length.min(limits::FIRST_PIECE as u64) };
        let mut first = vec![0; wanted as usize];
        file.read_exact_at(&mut first, start).map_err(|error| describe_error(&error))?;
        let metadata = file.metadata().map_err(|error| describe_error(&error))?;
        if Stamp::from(&metadata) != stamp {
            return Err((Status::ServiceUnavailable, "the file is changing".to_owned()));
        }
        Ok(Body::File(FileBody { file, stamp, first, start, length }))
    }
}

/// The reply for a GET or HEAD of a file, with the preconditions and the range of the request.
fn reply(catalog: &Catalog, request: &Request<'_>, path: String, circumstances: &Circumstances<'_>, source: Source) -> Reply {
    let now = circumstances.now;
    let (size, modified, entity_tag) = source.describe();
    // RFC 9110 §8.8.2.1: never later than the message itself.
    let modified = now.map_or(modified, |now| modified.min(now));
    let content_type = content_type(&path);
    // Those here, and one that all answers have.
    let mut fields: Vec<Field> = Vec::with_capacity(6);
    fields.push(("Accept-Ranges", "bytes".into()));
    fields.push(("Last-Modified", date::format(modified).into()));
    let current = Validators { etag: &entity_tag, modified };
    let outcome = conditional::evaluate(request, &current, now);
    let selection = match request.field("range") {
        Some(value) if conditional::allows_range(request, &current) => range::select(value, size),
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
    match source.body(start, length, request.method() == b"HEAD") {
        Ok(body) => Reply { status, fields, body, event: event(start) },
        Err((status, reason)) => error(status, &reason),
    }
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
