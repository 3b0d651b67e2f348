//! `POST /feature_licenses`: the licences of one registrar.

use super::member::read_member;
use super::reply::{Circumstances, Event, Reply};
use crate::catalog::Catalog;
use crate::http::request::Request;
use crate::http::response::Status;
use crate::json::Value;
use crate::limits;
use crate::problem::Language;
use crate::text::{parse_digits, quote};

pub(super) fn answer(catalog: &Catalog, request: &Request<'_>, _: &Circumstances<'_>) -> Reply {
    let serial = match read_member(request.body, "serial", "0000000000012345", read_serial) {
        Ok(serial) => serial,
        Err(reason) => return Reply::error(Status::BadRequest, &reason),
    };
    let event = |found| Event::License { serial, found };
    match catalog.licenses.find(serial) {
        // Hexadecimal digits: nothing to escape.
        Ok(Some(license)) => {
            let text = format!("{{\"licenses\": \"{}\", \"signature\": \"{}\"}}", license.licenses, license.signature);
            Reply::json(Status::Ok, text, event(true))
        }
        Ok(None) => {
            let reason = format!("no licences for the serial number {serial:016}");
            Reply { event: event(false), ..Reply::error(Status::BadRequest, &reason) }
        }
        Err(problem) => {
            // The path is the operator's business, not the caller's.
            let event = Event::Refused { reason: problem.describe(Language::English) };
            Reply { event, ..Reply::error(Status::ServiceUnavailable, "the licence file cannot be read now; try again later") }
        }
    }
}

/// A string of 16 digits, or a number written with 16 digits: the reference takes both.
fn read_serial(value: &Value<'_>) -> Result<u64, String> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(digits) => *digits,
        _ => return Err(format!("serial is {}; expected a string of 16 digits", value.kind())),
    };
    let number = if text.len() == 16 { parse_digits(text.as_bytes()) } else { None };
    number.ok_or_else(|| format!("serial {} is not 16 digits", quote(text, limits::QUOTED_BYTES)))
}
