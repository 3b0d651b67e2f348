//! The picture as JSON.

use super::picture::{Picture, State};
use crate::calendar::format_build_date;
use crate::catalog::Offer;
use crate::json::Writer;
use crate::problem::Language;
use crate::routes::version::SUSV_VERSION;
use crate::seen::{Registrar, Transfer};
use crate::text::to_hex;

pub fn write(picture: &Picture<'_>) -> String {
    let catalog = picture.catalog;
    let mut json = Writer::default();
    json.open('{');
    json.member("susv").string(SUSV_VERSION);
    json.member("uptime_seconds").number(picture.uptime.into());
    json.member("version").number(catalog.version().into());
    json.member("critical_version").number(catalog.critical_version().into());
    json.member("description").raw(catalog.description_json());
    json.member("images");
    json.open('[');
    write_images(&mut json, catalog.offers().first());
    json.close(']');
    json.member("offered").raw(if !catalog.offers().is_empty() { "true" } else { "false" });

    json.member("problems");
    json.open('[');
    for problem in &picture.problems {
        json.open('{');
        json.member("place").string(&problem.place);
        json.member("what").string(&problem.explain(Language::English));
        json.close('}');
    }
    json.close(']');

    json.member("licenses");
    json.open('{');
    json.member("count").number(catalog.licenses.len() as u64);
    json.member("files");
    json.open('[');
    for file in &catalog.licenses.files {
        json.open('{');
        json.member("file").string(&file.path.to_string_lossy());
        json.member("count").number(file.licenses as u64);
        json.close('}');
    }
    json.close(']');
    json.close('}');

    let counts = picture.counts.map(|count| count as u64);
    write_numbers(
        &mut json,
        "registrars",
        &[
            ("seen", picture.registrars.len() as u64),
            ("critical", counts[State::Critical as usize]),
            ("update_offered", counts[State::Outdated as usize]),
            ("up_to_date", counts[State::Current as usize]),
        ],
    );
    json.member("registrar_list");
    json.open('[');
    for (state, registrar) in &picture.registrars {
        write_registrar(&mut json, *state, registrar, picture.uptime);
    }
    json.close(']');

    write_numbers(&mut json, "totals", &picture.totals.named());
    json.close('}');
    json.text
}

fn write_images(json: &mut Writer, offer: Option<&Offer>) {
    for image in offer.iter().flat_map(|offer| &offer.images) {
        json.open('{');
        json.member("name").string(image.name);
        json.member("bytes").number(image.bytes.len() as u64);
        json.member("sha256").string(&to_hex(&image.digest));
        json.close('}');
    }
}

fn write_numbers(json: &mut Writer, name: &str, members: &[(&str, u64)]) {
    json.member(name);
    json.open('{');
    for (name, number) in members {
        json.member(name).number(*number);
    }
    json.close('}');
}

fn write_registrar(json: &mut Writer, state: State, registrar: &Registrar, uptime: u32) {
    json.open('{');
    json.member("address").string(&registrar.address.to_string());
    json.member("build_date").string(&format_build_date(registrar.build_date));
    json.member("seconds_ago").number(uptime.saturating_sub(registrar.seen_at).into());
    json.member("state").string(["critical", "update_offered", "up_to_date", "nothing_offered"][state as usize]);
    json.member("download");
    match registrar.download {
        None => json.raw("null"),
        Some((version, transfer)) => {
            json.open('{');
            json.member("version").number(version.into());
            json.member("state").string(match transfer {
                Transfer::Sent => "sent",
                Transfer::Complete => "complete",
                Transfer::Cut(_) => "cut",
            });
            if let Transfer::Cut(bytes) = transfer {
                json.member("bytes").number(bytes);
            }
            json.close('}');
        }
    }
    json.close('}');
}
