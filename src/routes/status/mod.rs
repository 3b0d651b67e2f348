//! `GET /` and `GET /status`: what is going on, for people and for monitoring. Both show the same snapshot. Modules stand in the
//! order in which they may import: each only from those below it.

mod html;
mod json;

mod texts;

mod verdict;

mod query;
mod snapshot;

use super::reply::{Circumstances, Event, Reply};
use crate::catalog::Catalog;
use crate::http::language;
use crate::http::request::Request;
use crate::http::response::Status;

use html::Heading;
use query::Query;
use snapshot::Snapshot;
use texts::{TEXTS, Texts};

pub use snapshot::find_overtaken;

/// The page in the language the browser prefers.
pub(super) fn answer_page(catalog: &Catalog, request: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    let address = match request.authority() {
        Some(authority) => authority.to_owned(),
        None => circumstances.local.to_string(),
    };
    let heading = Heading { host: snapshot::host_name(), address: &address, now: circumstances.now };
    let snapshot = Snapshot::take(catalog, circumstances);
    make_page(Status::Ok, html::write(&snapshot, &heading, &Query::read(request.target()), choose_texts(request)))
}

/// The page's 503, for people: too many pages are on their way to slow browsers.
pub(super) fn answer_busy(request: &Request<'_>) -> Reply {
    let mut reply = make_page(Status::ServiceUnavailable, html::write_busy(choose_texts(request)));
    reply.fields.push(("Retry-After", "5".into()));
    reply.event = Event::Refused { reason: "too many pages are being sent".to_owned() };
    reply
}

/// The same as JSON. docs/reference.md documents its keys; they are there to stay.
pub(super) fn answer_json(catalog: &Catalog, _: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    Reply::json(Status::Ok, json::write(&Snapshot::take(catalog, circumstances)), Event::Other)
}

fn choose_texts(request: &Request<'_>) -> &'static Texts {
    &TEXTS[language::choose(request.fields("accept-language"), &TEXTS.each_ref().map(|texts| texts.tag))]
}

fn make_page(status: Status, html: String) -> Reply {
    let mut reply = Reply::text(status, html, Event::Other);
    reply.fields.extend([
        ("Content-Type", "text/html; charset=UTF-8".into()),
        ("Vary", "Accept-Language".into()),
        // Should anything ever escape the escaping: nothing runs, nothing is fetched. The icon is a `data:` URL.
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'".into(),
        ),
    ]);
    reply
}
