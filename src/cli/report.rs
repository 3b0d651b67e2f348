//! `-t`: everything the service would load, and everything that is wrong with it.

use std::fmt::Write;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use super::start_check;
use super::words;
use crate::calendar::Date;
use crate::catalog::Catalog;
use crate::config::{Settings, VersionChoice};
use crate::problem::{Language, Problem, Text};
use crate::text::{push_visible, to_hex};

/// A registrar one may ask about: its address and build date.
pub type Registrar = (IpAddr, Date);

/// What is printed, and whether there are problems. Hints are none.
pub fn make(settings: Settings, hints: Vec<Problem>, registrar: Option<Registrar>, language: Language) -> (String, bool) {
    let mut problems = hints;
    problems.extend(start_check::check_listening(&settings));
    problems.extend(start_check::check_log_file(&settings));
    let settings = Arc::new(settings);
    let catalog = Catalog::load(settings.clone(), None);
    let mut report = Report { text: String::new(), language };
    report.line("", &[&visible_path(&settings.file), ": ", report.words(&words::VALID)]);
    report.write_settings(&settings);
    report.write_offers(&catalog);
    report.write_licenses(&catalog);
    problems.extend(catalog.licenses.problems.iter().cloned());
    let (hints, problems): (Vec<_>, Vec<_>) = problems.into_iter().partition(Problem::is_hint);
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
    fn words(&self, words: &'static Text) -> &'static str {
        words.template(self.language)
    }

    fn line(&mut self, indent: &str, parts: &[&str]) {
        self.text.push_str(indent);
        parts.iter().for_each(|part| self.text.push_str(part));
        self.text.push('\n');
    }

    /// `label: value`, or what the setting means where it has none.
    fn setting(&mut self, label: &'static Text, value: String, empty: &'static Text) {
        let value = if value.is_empty() { self.words(empty).to_owned() } else { value };
        self.line("", &[self.words(label), ": ", &value]);
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
        match &catalog.offer {
            Some(offer) => {
                let choice = if catalog.settings.version == VersionChoice::Latest { " (the latest)" } else { "" };
                let version = format!("offer: version {}{choice}", offer.version);
                self.line("", &[&version]);
                for image in &offer.images {
                    let path = catalog.settings.firmware_path.join(offer.version.to_string()).join(image.name);
                    let state = format!(": {} bytes, SHA-256 {}", image.bytes.len(), to_hex(&image.digest));
                    self.line("  ", &[&visible_path(&path), &state]);
                }
            }
            None => self.line("", &["offer: none, registrars are told that there is no update"]),
        }
    }

    fn write_licenses(&mut self, catalog: &Catalog) {
        self.line("", &[self.words(&words::LICENSES), ": ", &catalog.licenses.len().to_string()]);
        for file in &catalog.licenses.files {
            self.line("  ", &[&visible_path(&file.path), ": ", &file.licenses.to_string()]);
        }
    }

    /// What a registrar would be told.
    fn write_choice(&mut self, catalog: &Catalog, (address, build_date): Registrar) {
        let _ = (catalog, address, build_date);
    }

    fn write_list(&mut self, label: &'static Text, problems: &[Problem]) {
        self.line("", &[self.words(label), ": ", &problems.len().to_string()]);
        for problem in problems {
            let _ = writeln!(self.text, "  {}", problem.describe(self.language));
        }
    }
}

/// A path on one line, whatever it is called.
fn visible_path(path: &Path) -> String {
    let mut text = String::new();
    path.to_string_lossy().chars().for_each(|character| push_visible(&mut text, character));
    text
}
