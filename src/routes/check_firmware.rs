//! `POST /check_firmware`: is there newer firmware?

use std::borrow::Cow;
use std::net::SocketAddr;

use super::member::read_member;
use super::reply::{CheckEvent, Circumstances, Event, Reply, is_java};
use crate::calendar::{self, Date};
use crate::catalog::{Catalog, Choice, IMAGE_NAMES, folder_name};
use crate::http::request::Request;
use crate::http::response::Status;
use crate::json::Value;
use crate::limits;
use crate::registrars::{Check, CheckAnswer, Told};
use crate::text::quote;

pub(super) fn answer(catalog: &Catalog, request: &Request<'_>, circumstances: &Circumstances<'_>) -> Reply {
    let build_date = match read_member(request.body, "build_date", "28.12.2017", read_build_date) {
        Ok(date) => date,
        Err(reason) => return Reply::error(Status::BadRequest, &reason),
    };
    let caller = circumstances.find_caller(&catalog.settings, request);
    let Choice { version, available, critical, description_json, .. } = catalog.choose(caller.address, build_date);
    // A download that begins during a stop might be cut.
    let chosen = (available && !circumstances.is_stopping).then_some(version);
    let check = Check {
        caller: caller.address,
        is_java: is_java(request),
        has_field: request.fields("build_date").next().is_some(),
        way: caller.way,
        build_date,
        chosen,
        hold_repeats: catalog.settings.hold_repeats,
    };
    let CheckAnswer { told, news, is_change } = circumstances.registrars.check(&check, (circumstances.uptime)());
    let held = match told {
        Told::Held(hold) => Some(hold),
        _ => None,
    };
    let available = chosen.is_some() && held.is_none();
    // As in the reference, also of somebody who has what is offered or newer; but of nobody who is told "no update" all the same.
    let critical = critical && held.is_none() && !circumstances.is_stopping;
    // The folder on the driver's PC is named by the number; the URLs go on naming the version.
    let number = match told {
        Told::Offer { number } => number,
        _ => version,
    };
    let (number, folder) = (number.to_string(), folder_name(version));
    let (scheme, base): (&str, Cow<'_, str>) = match (&catalog.settings.base_url, request.authority()) {
        (Some(url), _) => ("", url.into()),
        (None, Some(authority)) => ("http://", authority.into()),
        (None, None) => ("http://", canonical(circumstances.local).to_string().into()),
    };
    let [image, image_for_old] = IMAGE_NAMES;
    let [available_json, critical_json] = [available, critical].map(|is_so| if is_so { "true" } else { "false" });
    // The six keys of the vendor's schema, in the reference's order. Neither `base` nor the names hold anything to escape. Put
    // together and not formatted: this is the answer of every poll, and std's formatting costs twice as much.
    #[rustfmt::skip]
    let text = [
        "{\"update_available\": ", available_json, ", \"critical\": ", critical_json,
        ", \"version\": ", &number, ", \"description\": ", description_json,
        ", \"url\": \"", scheme, &base, "/firmware/", &folder, "/", image,
        "\", \"url_old_frs\": \"", scheme, &base, "/firmware/", &folder, "/", image_for_old, "\"}",
    ]
    .concat();
    let event = CheckEvent { caller: caller.address, build_date, version, available, critical, told, news, is_change };
    Reply::json(Status::Ok, text, Event::Check(event))
}

fn read_build_date(value: &Value<'_>) -> Result<Date, String> {
    match value.as_str() {
        Some(text) => calendar::parse_build_date(text)
            .ok_or_else(|| format!("build_date {} is not a date DD.MM.YYYY", quote(text, limits::QUOTED_BYTES))),
        None => Err(format!("build_date is {}; expected a string with a date DD.MM.YYYY", value.kind())),
    }
}

/// Our own address; an IPv4 caller of the IPv6 socket shall see an IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
