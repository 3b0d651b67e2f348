//! `GET /` and `GET /status`: what is going on, for people and for monitoring. Both show the same picture.

mod page;
mod picture;
mod report;
mod texts;

use super::reply::{Circumstances, Event, Reply};
use crate::catalog::Catalog;
use crate::http::language;
use crate::http::request::Request;
use crate::http::response::Status;

use picture::Picture;
use texts::TEXTS;

/// The page in the language the browser prefers.
pub(super) fn answer_page(catalog: &Catalog, request: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    let language = language::choose(request.fields("accept-language"), &TEXTS.each_ref().map(|texts| texts.tag));
    let html = page::write(&Picture::take(catalog, circumstances), &TEXTS[language]);
    let mut reply = Reply::text(Status::Ok, html, Event::Other);
    reply.fields.extend([
        ("Content-Type", "text/html; charset=UTF-8".into()),
        ("Vary", "Accept-Language".into()),
        // Should anything ever escape the escaping: nothing runs, nothing is fetched.
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'".into()),
    ]);
    reply
}

/// The same as JSON. README documents its keys; they are there to stay.
pub(super) fn answer_json(catalog: &Catalog, _: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    Reply::json(Status::Ok, report::write(&Picture::take(catalog, circumstances)), Event::Other)
}
