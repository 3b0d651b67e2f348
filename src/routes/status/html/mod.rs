//! The snapshot as one HTML page: no script, nothing to fetch. Everything that came from outside goes through `Writer::text`.

mod details;
mod registrars;
mod writer;

use super::query::Query;
use super::snapshot::{Group, Snapshot};
use super::texts::Texts;
use super::verdict::{Health, Part, judge};
use crate::file::folder_of;
use crate::limits;
use crate::problem::Problem;
use crate::routes::version::{SUSV_COMMIT, SUSV_VERSION};

use writer::Writer;

const STYLE: &str = include_str!("../page.css");

/// What tells this page from those of other gateways.
pub struct Heading<'a> {
    /// The machine's name. Every OpenWrt is called OpenWrt.
    pub host: &'a str,
    /// The address the browser asked for.
    pub address: &'a str,
    /// Seconds since 1970, if the clock can be believed.
    pub now: Option<u64>,
}

/// Writes the page.
pub fn write(snapshot: &Snapshot<'_>, heading: &Heading<'_>, query: &Query, texts: &'static Texts) -> String {
    let rows = snapshot.seen.registrars.len().min(limits::PAGE_ROWS);
    let mut page = Writer { out: String::with_capacity(16 * 1024 + 256 * rows), texts, rows_left: limits::PAGE_ROWS };
    let verdict = judge(snapshot);
    page.write_start(verdict.health, query.refresh);
    page.write_part(verdict.parts[0]);
    page.raw(" · ").text(heading.host).raw(" (").text(heading.address).raw(")</title></head><body><header><p class=where><span>");
    page.text(heading.host).raw(" · ").text(heading.address).raw("</span>");
    if let Some(now) = heading.now {
        let (hour, minute, second) = (now / 3600 % 24, now / 60 % 60, now % 60);
        page.raw(&format!(" <span>{hour:02}:{minute:02}:{second:02} UTC</span>"));
    }
    page.raw("</p><h1 class=").raw(class_of(verdict.health)).raw(">");
    for (number, part) in verdict.parts.iter().enumerate() {
        page.raw(if number > 0 { " · " } else { "" }).write_part(*part);
    }
    page.raw("</h1></header><main>");
    page.write_offers(snapshot);
    page.write_counts(snapshot);
    page.write_form(query);
    if query.filter.is_empty() {
        page.write_registrars_in_need(snapshot);
        page.write_problems(snapshot);
        page.write_other_registrars(snapshot);
        page.write_details(snapshot);
    } else {
        page.write_found(snapshot, query);
    }
    page.raw("</main>");
    page.write_footer(snapshot, query);
    page.out
}

/// The page that is sent in place of one when there are too many.
pub fn write_busy(texts: &'static Texts) -> String {
    let mut page = Writer { out: String::new(), texts, rows_left: 0 };
    page.write_start(Health::Warning, false);
    page.raw(texts.busy).raw("</title></head><body><main><h1 class=warning>").raw(texts.busy).raw("</h1><p>");
    page.raw(texts.busy_note).raw("</p></main></body></html>");
    page.out
}

fn class_of(health: Health) -> &'static str {
    match health {
        Health::Good => "good",
        Health::Warning => "warning",
        Health::Bad => "bad",
    }
}

impl Writer {
    /// All until the title's text. The icon is a disc in the colour of the headline: for twenty tabs.
    fn write_start(&mut self, health: Health, refresh: bool) {
        let texts = self.texts;
        let color = match health {
            Health::Good => "188a45",
            Health::Warning => "e09000",
            Health::Bad => "d0021b",
        };
        self.raw("<!doctype html><html lang=").raw(texts.tag).raw("><head><meta charset=utf-8>");
        self.raw("<meta name=viewport content=\"width=device-width, initial-scale=1\">");
        if refresh {
            self.raw("<meta http-equiv=refresh content=").number(limits::PAGE_REFRESH_SECONDS.into()).raw(">");
        }
        self.raw("<link rel=icon href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E");
        self.raw("%3Ccircle cx='4' cy='4' r='4' fill='%23").raw(color).raw("'/%3E%3C/svg%3E\"><style>:root{");
        let [_, _, built, seen, offered, taken, download] = texts.heads;
        let [_, whom, count, have, _] = texts.firmware_heads;
        for (name, label) in [
            ("built", built),
            ("seen", seen),
            ("offered", offered),
            ("taken", taken),
            ("download", download),
            ("for", whom),
            ("count", count),
            ("have", have),
        ] {
            self.raw("--").raw(name).raw(":\"").raw(label).raw(": \";");
        }
        self.raw("}\n").raw(STYLE).raw("</style><title>");
    }

    fn write_part(&mut self, part: Part) {
        let texts = self.texts;
        match part {
            Part::NothingOffered => self.raw(texts.nothing_offered),
            Part::NeedHands(count) => self.counted(&texts.need_hands, count),
            Part::Refused(version) => self.filled(texts.refused, &format!("{version:08}")),
            Part::Changing(version) => self.filled(texts.changing, &format!("{version:08}")),
            Part::Silent(count) => self.counted(&texts.silent, count),
            Part::Problems(count) => self.counted(&texts.problem_count, count),
            Part::NobodySeen => self.raw(texts.nobody_seen),
            Part::InOrder => self.raw(texts.in_order),
        };
    }

    /// What is offered, or why nothing is, and what newer versions lack.
    fn write_offers(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        let catalog = snapshot.catalog;
        self.raw("<p>");
        if let (true, Some(problem)) = (catalog.offers().is_empty(), catalog.obstacle()) {
            self.write_problem(snapshot, problem);
        }
        let has_several = catalog.offers().len() > 1;
        for (number, (offer, reach)) in catalog.offers().iter().zip(&snapshot.reaches).enumerate() {
            self.raw(if number > 0 { ", " } else { texts.offered }).version(offer.version);
            if has_several {
                self.raw(texts.offered_to).number(reach.registrars as u64);
            }
        }
        if let Some(oldest) = snapshot.oldest_offer() {
            for (version, problem) in catalog.find_refused(oldest.version) {
                self.raw("; ").raw(texts.newer).version(version).raw(texts.newer_refused).raw(problem.code());
            }
        }
        self.raw("</p>");
    }

    fn write_counts(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        self.raw("<ul class=counts>");
        for group in Group::ALL.into_iter().filter(|group| *group != Group::Trial) {
            let count = snapshot.count(group);
            let class = match group {
                Group::NeedsHands if count > 0 => " class=bad",
                Group::Silent if count > 0 => " class=warning",
                _ => "",
            };
            let name = self.name_group(snapshot, group);
            self.raw("<li><a").raw(class).raw(" href=\"?q=").raw(&texts.groups[group as usize].replace(' ', "+")).raw("\"><b>");
            self.number(count as u64).raw("</b>").raw(name).raw("</a>");
        }
        self.raw("</ul>");
    }

    fn write_form(&mut self, query: &Query) {
        let texts = self.texts;
        self.raw("<form role=search><label for=q>").raw(texts.find).raw("</label><input id=q name=q type=search placeholder=\"");
        self.raw(texts.find_hint).raw("\" value=\"").text(&query.filter).raw("\"><button>").raw(texts.show).raw("</button>");
        if !query.filter.is_empty() {
            self.raw("<a href=\"?\">").raw(texts.show_all).raw("</a>");
        }
        self.raw("</form>");
    }

    fn write_problems(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        let count = snapshot.other_problems().count();
        if count == 0 {
            return;
        }
        self.raw("<h2 class=warning>").raw(texts.problems).raw(" ").number(count as u64).raw("</h2><ul>");
        for problem in snapshot.other_problems() {
            self.raw("<li>").write_problem(snapshot, problem);
        }
        self.raw("</ul>");
    }

    /// Code, place, and what to do. A path is told from the folder of the settings on: it is shorter, and anyone may read this.
    fn write_problem(&mut self, snapshot: &Snapshot<'_>, problem: &Problem) -> &mut Self {
        let folder = folder_of(&snapshot.catalog.settings.file).to_string_lossy();
        let below = problem.place.strip_prefix(&*folder).map(|place| place.trim_start_matches('/'));
        let place = below.filter(|place| !folder.is_empty() && !place.is_empty()).unwrap_or(&problem.place);
        self.raw("<b>").raw(problem.code()).raw("</b> <span class=mono>").text(place).raw("</span>: ");
        self.text(&problem.explain(self.texts.language))
    }

    fn write_footer(&mut self, snapshot: &Snapshot<'_>, query: &Query) {
        let texts = self.texts;
        self.raw("<footer><p>susv ").raw(SUSV_VERSION).raw(" (").raw(SUSV_COMMIT).raw(") · ").raw(texts.loaded);
        self.ago(snapshot.uptime, snapshot.catalog.made_at).raw(" · ").raw(texts.up_for).duration(snapshot.uptime).raw(" · ");
        if query.refresh {
            self.raw("<a href=\"?\">").raw(texts.stop_refresh);
        } else {
            let seconds = limits::PAGE_REFRESH_SECONDS.to_string();
            self.raw("<a href=\"?refresh\">").filled(texts.refresh, &seconds);
        }
        self.raw("</a> · <a href=\"status\">JSON</a></p></footer></body></html>");
    }
}
