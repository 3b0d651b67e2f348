//! `-t`: everything the service would load, and everything that is wrong with it.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;
use std::path::Path;

use super::start_check;
use super::words;
use crate::calendar::{Date, format_build_date};
use crate::catalog::{Catalog, folder_name, load_once};
use crate::config::{Reading, Settings, VersionChoice};
use crate::problem::{Language, Problem, Text};
use crate::text::{push_visible, to_hex};

/// A registrar one may ask about: its address and build date.
pub type Registrar = (IpAddr, Date);

/// What is printed, and whether there are problems. Hints are none.
pub fn make(reading: Reading, registrar: Option<Registrar>, language: Language) -> (String, bool) {
    let mut problems = start_check::check_listening(&reading.settings);
    problems.extend(start_check::check_log_file(&reading.settings));
    let catalog = load_once(reading);
    problems.extend(catalog.problems.iter().chain(&catalog.hints).cloned());
    let (hints, problems): (Vec<_>, Vec<_>) = problems.into_iter().partition(Problem::is_hint);

    let mut report = Report { text: String::new(), language };
    report.line("", &[&visible_path(&catalog.settings.file), ": ", &report.words(&words::VALID)]);
    report.write_settings(&catalog.settings);
    report.write_offers(&catalog);
    report.write_licenses(&catalog);
    if let Some(registrar) = registrar {
        report.write_choice(&catalog, registrar);
    }
    if !hints.is_empty() {
        report.write_list(&words::HINTS, &hints);
    }
    report.write_list(&words::PROBLEMS, &problems);
    (report.text, !problems.is_empty())
}

struct Report {
    text: String,
    language: Language,
}

impl Report {
    fn words(&self, words: &'static Text) -> Cow<'static, str> {
        words.template(self.language)
    }

    fn line(&mut self, indent: &str, parts: &[&str]) {
        self.text.push_str(indent);
        parts.iter().for_each(|part| self.text.push_str(part));
        self.text.push('\n');
    }

    /// `label: value`, or what the setting means where it has none.
    fn setting(&mut self, label: &'static Text, value: String, empty: &'static Text) {
        let value = if value.is_empty() { self.words(empty).into_owned() } else { value };
        self.line("", &[&self.words(label), ": ", &value]);
    }

    fn write_settings(&mut self, settings: &Settings) {
        let join = |texts: Vec<String>| texts.join(", ");
        let addresses = start_check::listen_addresses(settings).iter().map(ToString::to_string).collect();
        self.setting(&words::LISTENS, join(addresses), &words::NONE);
        self.setting(&words::ALLOW, join(settings.allow.iter().map(ToString::to_string).collect()), &words::EVERYONE);
        self.setting(&words::BASE_URL, settings.base_url.clone().unwrap_or_default(), &words::AS_CALLED);
        self.setting(&words::PROXIES, join(settings.proxies.iter().map(ToString::to_string).collect()), &words::NONE);
        let held = if settings.hold_repeats { &words::HELD_DRIVERS } else { &words::HELD_NOBODY };
        self.setting(&words::HELD, String::new(), held);
    }

    fn write_offers(&mut self, catalog: &Catalog) {
        if catalog.offers().is_empty() {
            self.line("", &[&self.words(&words::NO_OFFER)]);
        }
        for (number, offer) in catalog.offers().iter().enumerate() {
            let is_latest = number == 0 && catalog.settings.version == VersionChoice::Latest;
            let choice = if is_latest { self.describe_latest(catalog, offer.version) } else { String::new() };
            self.line("", &[&self.words(&words::OFFER), " ", &offer.summary(), &choice]);
            for image in &offer.images {
                let path = catalog.settings.firmware_path.join(folder_name(offer.version)).join(image.name);
                let (length, digest) = (image.bytes.len().to_string(), to_hex(&image.digest));
                self.line("  ", &[&visible_path(&path), ": ", &length, " ", &self.words(&words::BYTES), ", SHA-256 ", &digest]);
            }
        }
    }

    /// Whether there are newer folders than the newest that is offered.
    fn describe_latest(&self, catalog: &Catalog, offered: Date) -> String {
        let refused: Vec<_> = catalog.find_refused(offered).into_iter().map(|(version, _)| folder_name(version)).collect();
        let (text, names) = match &refused[..] {
            [] => return format!(" ({})", self.words(&words::LATEST)),
            [one] => (&words::ONE_REFUSED, one.clone()),
            [others @ .., last] => (&words::MANY_REFUSED, [&others.join(", "), &*self.words(&words::AND), last].concat()),
        };
        format!(" ({})", self.words(text).replace("{0}", &names))
    }

    fn write_licenses(&mut self, catalog: &Catalog) {
        self.line("", &[&self.words(&words::LICENSES), ": ", &catalog.licenses.len().to_string()]);
        for file in &catalog.licenses.files {
            self.line("  ", &[&visible_path(&file.path), ": ", &file.licenses.to_string()]);
        }
    }

    /// What a registrar would be told, and why.
    fn write_choice(&mut self, catalog: &Catalog, (address, build_date): Registrar) {
        let registrar = format!("{address}, {}", format_build_date(build_date));
        self.line("", &[&self.words(&words::REGISTRAR), " ", &registrar]);
        for line in catalog.explain_choice(address, build_date) {
            self.line("  ", &[&line.say(self.language)]);
        }
    }

    fn write_list(&mut self, label: &'static Text, problems: &[Problem]) {
        self.line("", &[&self.words(label), ": ", &problems.len().to_string()]);
        for problem in problems {
            let _ = writeln!(self.text, "  {}", problem.describe(self.language));
        }
    }
}

fn visible_path(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

/// On one line, whatever is in it.
fn visible(text: &str) -> String {
    let mut out = String::new();
    text.chars().for_each(|character| push_visible(&mut out, character));
    out
}
