//! The snapshot as JSON.

use super::snapshot::{Snapshot, host_name};
use crate::calendar::format_build_date;
use crate::catalog::Offer;
use crate::catalog::reach::Reach;
use crate::json::Writer;
use crate::problem::{Language, Problem};
use crate::registrars::{Registrar, State, Transfer};
use crate::routes::version::{SUSV_COMMIT, SUSV_VERSION};
use crate::text::to_hex;

pub fn write(snapshot: &Snapshot<'_>) -> String {
    let catalog = snapshot.catalog;
    let mut json = Writer::default();
    json.open('{');
    json.member("susv").string(SUSV_VERSION);
    json.member("commit").string(SUSV_COMMIT);
    json.member("host").string(host_name());
    json.member("uptime_seconds").number(snapshot.uptime.into());
    json.member("reloaded_seconds_ago").number(snapshot.uptime.saturating_sub(catalog.made_at).into());
    json.member("version").number(catalog.version().into());
    json.member("critical_version").number(catalog.critical_version().into());
    json.member("description").raw(catalog.description_json());
    json.member("images");
    json.open('[');
    catalog.offers().first().into_iter().for_each(|offer| write_images(&mut json, offer));
    json.close(']');
    json.member("offered").raw(if !catalog.offers().is_empty() { "true" } else { "false" });

    json.member("offers");
    json.open('[');
    for (offer, reach) in catalog.offers().iter().zip(&snapshot.reaches) {
        write_offer(&mut json, offer, reach);
    }
    json.close(']');
    write_problems(&mut json, "problems", &snapshot.problems);
    write_problems(&mut json, "hints", &catalog.hints);

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

    let seen = &snapshot.seen;
    let mut members = vec![("seen", seen.count() as u64)];
    members.extend(State::ALL.iter().map(|state| (state.name(), seen.counts[*state as usize] as u64)));
    write_numbers(&mut json, "registrars", &members);
    json.member("registrar_list");
    json.open('[');
    for registrar in &seen.registrars {
        write_registrar(&mut json, registrar, snapshot.uptime);
    }
    json.close(']');

    write_numbers(&mut json, "totals", &seen.totals.named());
    json.close('}');
    json.text
}

/// A live version, whom it is for, and how far it has got.
fn write_offer(json: &mut Writer, offer: &Offer, reach: &Reach) {
    json.open('{');
    json.member("version").number(offer.version.into());
    json.member("critical_version").number(offer.critical_version.into());
    json.member("description").raw(&offer.description_json);
    json.member("for").string(&offer.admission.describe());
    json.member("registrars").number(reach.registrars as u64);
    json.member("up_to_date").number(reach.up_to_date as u64);
    json.member("images");
    json.open('[');
    write_images(json, offer);
    json.close(']');
    json.close('}');
}

fn write_problems(json: &mut Writer, name: &str, problems: &[Problem]) {
    json.member(name);
    json.open('[');
    for problem in problems {
        json.open('{');
        json.member("code").string(problem.code());
        json.member("place").string(&problem.place);
        json.member("what").string(&problem.explain(Language::English));
        json.close('}');
    }
    json.close(']');
}

fn write_images(json: &mut Writer, offer: &Offer) {
    for image in &offer.images {
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

fn write_registrar(json: &mut Writer, registrar: &Registrar, uptime: u32) {
    let ago = |at: u32| u64::from(uptime.saturating_sub(at));
    json.open('{');
    json.member("address").string(&registrar.address.to_string());
    json.member("build_date").string(&format_build_date(registrar.build_date));
    json.member("build_dates");
    json.open('[');
    registrar.build_dates.iter().for_each(|date| json.string(&format_build_date(*date)));
    json.close(']');
    json.member("tills").number(registrar.tills as u64);
    json.member("javapos").raw(if registrar.is_driver { "true" } else { "false" });
    json.member("seconds_ago").number(ago(registrar.seen_at));
    json.member("state").string(registrar.state.name());
    write_times(json, "offered", registrar.offers, registrar.offered_at.map(ago));
    write_times(json, "taken", registrar.takes, registrar.taken_at.map(ago));
    json.member("download");
    match registrar.download {
        None => json.raw("null"),
        Some(download) => {
            json.open('{');
            json.member("version").number(download.version.into());
            json.member("state").string(match download.transfer {
                Transfer::Running => "running",
                Transfer::Complete => "complete",
                Transfer::Cut => "cut",
            });
            json.member("bytes").number(download.acknowledged);
            json.member("size").number(download.size);
            json.member("seconds_ago").number(ago(download.at));
            json.close('}');
        }
    }
    write_words(json, "held", registrar.held.as_ref());
    write_words(json, "advice", registrar.advice.as_ref());
    json.close('}');
}

fn write_words(json: &mut Writer, name: &str, words: Option<&Problem>) {
    json.member(name);
    match words {
        None => json.raw("null"),
        Some(words) => {
            json.open('{');
            json.member("code").string(words.code());
            json.member("what").string(&words.explain(Language::English));
            json.close('}');
        }
    }
}

/// How often something happened, and how long ago the last time was.
fn write_times(json: &mut Writer, name: &str, count: u32, seconds_ago: Option<u64>) {
    json.member(name);
    json.open('{');
    json.member("count").number(count.into());
    json.member("seconds_ago");
    match seconds_ago {
        Some(seconds) => json.number(seconds),
        None => json.raw("null"),
    }
    json.close('}');
}
