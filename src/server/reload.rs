//! The log lines of a catalog: what is served at the start, and what changes from one to the next.

use std::fmt::Write;

use crate::catalog::{Catalog, Offer};
use crate::log;
use crate::problem::{Language, Problem};

/// Problems that a line of changes names; further ones are counted.
const NAMED: usize = 3;

/// One line for each offer, one for the licences, one for each problem.
pub fn report_first(catalog: &Catalog) {
    for offer in catalog.offers() {
        let [image, image_for_old] = offer.images.each_ref().map(|image| format!("{}:{}", image.name, image.bytes.len()));
        let whom = offer.admission.describe();
        let whom = if whom.is_empty() { whom } else { format!(" for=\"{whom}\"") };
        log::info(format_args!("event=offer version={}{whom} images={image},{image_for_old}", offer.version));
    }
    if catalog.offers().is_empty() {
        log::warn(format_args!("event=no_offer effect=\"registrars are told that there is no update\""));
    }
    log::info(format_args!("event=licenses count={} files={}", catalog.licenses.len(), catalog.licenses.files.len()));
    report_problems(&[], &catalog.problems);
    report_problems(&[], &catalog.hints);
}

/// One line for what changed, one for each version that is withdrawn, one for each problem that was not there before.
pub fn report_changes(old: &Catalog, new: &Catalog) {
    let changes = describe_changes(old, new);
    if !changes.is_empty() {
        log::info(format_args!("event=reloaded{changes}"));
    }
    for unsettled in new.unsettled().iter().filter(|unsettled| !old.unsettled().contains(unsettled)) {
        if let Some(reason) = &unsettled.withdrawn {
            log::warn(format_args!(
                "event=withdrawn version={} reason={}",
                unsettled.version,
                crate::text::quote(&reason.describe(Language::English), usize::MAX)
            ));
        }
    }
    report_problems(&old.problems, &new.problems);
    report_problems(&old.hints, &new.hints);
}

/// One line for each offer that nobody needs any more and that is not in `told`, by version and whom it is for.
pub fn report_overtaken(told: &mut Vec<String>, catalog: &Catalog, found: Vec<(&Offer, Problem)>) {
    let offers: Vec<_> = catalog.offers().iter().map(Offer::summary).collect();
    let found = found.into_iter().map(|(offer, problem)| (offer.summary(), problem)).collect();
    report_problems(&[], &find_news(told, &offers, found));
}

/// What was told is forgotten when the folder is offered no more, or to others: not when a check makes a difference, since the next
/// one may make another.
fn find_news(told: &mut Vec<String>, offers: &[String], found: Vec<(String, Problem)>) -> Vec<Problem> {
    told.retain(|told| offers.contains(told));
    let (names, news): (Vec<_>, _) = found.into_iter().filter(|(offer, _)| !told.contains(offer)).unzip();
    told.extend(names);
    news
}

/// The fields of the line: only what differs.
fn describe_changes(old: &Catalog, new: &Catalog) -> String {
    let mut changes = String::new();
    let mut differs = |name: &str, before: String, after: String| {
        if before != after {
            let _ = write!(changes, " {name}=\"{before} -> {after}\"");
        }
    };
    differs("offer", describe_offers(old), describe_offers(new));
    differs("unsettled", describe_unsettled(old), describe_unsettled(new));
    differs("licences", old.licenses.len().to_string(), new.licenses.len().to_string());
    if !same_images(old, new) {
        changes.push_str(" images=changed");
    }
    if !same_words(old, new) {
        changes.push_str(" texts=changed");
    }
    if !std::sync::Arc::ptr_eq(&old.licenses, &new.licenses) {
        changes.push_str(" licence_files=changed");
    }
    if old.settings.digest != new.settings.digest {
        changes.push_str(" settings=changed");
    }
    if old.problems != new.problems {
        let (before, after) = (old.problems.len(), new.problems.len());
        let _ = write!(changes, " problems=\"{before} -> {after}{}\"", describe_remaining(new));
    }
    if old.hints != new.hints {
        let _ = write!(changes, " hints=\"{} -> {}\"", old.hints.len(), new.hints.len());
    }
    changes
}

fn describe_offers(catalog: &Catalog) -> String {
    let offers: Vec<_> = catalog.offers().iter().map(Offer::summary).collect();
    if offers.is_empty() { "none".to_owned() } else { offers.join(", ") }
}

fn describe_unsettled(catalog: &Catalog) -> String {
    let versions: Vec<_> = catalog.unsettled().iter().take(NAMED).map(|unsettled| unsettled.version.to_string()).collect();
    let more = catalog.unsettled().len().saturating_sub(NAMED);
    match (versions.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => versions.join(", "),
        (false, more) => format!("{}, {more} more", versions.join(", ")),
    }
}

/// `: CODE place, CODE place`; nothing if no problem remains.
fn describe_remaining(catalog: &Catalog) -> String {
    let problems = &catalog.problems;
    let mut text = String::new();
    for (number, problem) in problems.iter().take(NAMED).enumerate() {
        text.push_str(if number == 0 { ": " } else { ", " });
        text.push_str(problem.code());
        text.push(' ');
        problem.place.chars().for_each(|character| crate::text::push_visible(&mut text, character));
    }
    if let Some(more) = problems.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = write!(text, ", {more} more");
    }
    text.replace('"', "'")
}

/// Whether the versions that both offer have the same images.
fn same_images(old: &Catalog, new: &Catalog) -> bool {
    both(old, new).all(|(old, new)| old.has_images_of(new))
}

fn same_words(old: &Catalog, new: &Catalog) -> bool {
    both(old, new).all(|(old, new)| (old.critical_version, &old.description) == (new.critical_version, &new.description))
}

fn both<'a>(old: &'a Catalog, new: &'a Catalog) -> impl Iterator<Item = (&'a Offer, &'a Offer)> {
    let find = |offer: &Offer| new.offers().iter().find(|new| new.version == offer.version);
    old.offers().iter().filter_map(move |old| Some((old, find(old)?)))
}

/// One line for each problem that is new; advice is information.
fn report_problems(old: &[Problem], new: &[Problem]) {
    for problem in new.iter().filter(|problem| !old.contains(problem)) {
        let text = problem.describe(Language::English);
        if problem.is_hint() {
            log::info(format_args!("event=hint what={}", crate::text::quote(&text, usize::MAX)));
        } else {
            log::problem(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::offers as texts;

    #[test]
    fn what_nobody_needs_is_told_once_until_its_folder_goes_or_its_offer_changes() {
        // What is offered, what nobody needs of it, and how many are told; `b` is for others than `B`.
        let looks =
            [("ab", "a", 1), ("ab", "ab", 1), ("ab", "", 0), ("ab", "ab", 0), ("aB", "aB", 1), ("B", "B", 0), ("aB", "aB", 1)];
        let mut told = Vec::new();
        for (number, (offers, found, expected)) in looks.into_iter().enumerate() {
            let offers: Vec<_> = offers.chars().map(String::from).collect();
            let problem = Problem::at("20160301", &texts::OFFER_OVERTAKEN, Vec::new());
            let found = found.chars().map(|offer| (offer.into(), problem.clone())).collect();
            assert_eq!(find_news(&mut told, &offers, found).len(), expected, "look {number}");
        }
    }
}
