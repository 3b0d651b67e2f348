//! The picture as one HTML page: no script, nothing to fetch. Everything that came from outside goes through `text`.

use std::fmt::Write;

use super::picture::Picture;
use super::texts::Texts;
use crate::calendar::format_build_date;
use crate::limits;
use crate::problem::Language;
use crate::registrars::{Registrar, State, Transfer};
use crate::routes::version::SUSV_VERSION;
use crate::text::{push_visible, to_hex};

/// Light and dark, wide and narrow: on a phone a registrar's row becomes a paragraph.
const STYLE: &str = "\
:root{color-scheme:light dark;--l:#ccc;--g:#075e2b;--b:#b3001b}\
@media(prefers-color-scheme:dark){:root{--l:#555;--g:#7ee2a0;--b:#ff9797}}\
body{font:1rem/1.45 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem;overflow-wrap:anywhere}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:1.5rem 0 .3rem}.g{color:var(--g)}.b{color:var(--b)}\
table{border-collapse:collapse;width:100%}tr{border-top:1px solid var(--l)}\
th,td{text-align:start;vertical-align:top;padding:.25rem .6rem .25rem 0;unicode-bidi:isolate}\
@media(max-width:40rem){.r th{display:none}.r tr{display:flex;flex-wrap:wrap;column-gap:.8rem}.r td{padding:0}.r td:first-child{flex-basis:100%;font-weight:600}";

pub fn write(picture: &Picture<'_>, texts: &Texts) -> String {
    let mut page = Page { out: String::with_capacity(4096 + 192 * picture.snapshot.registrars.len()), texts };
    page.write_head(picture);
    page.write_problems(picture);
    page.write_firmware(picture);
    page.write_registrars(picture);
    page.write_licenses(picture);
    page.write_totals(picture);
    page.raw("<p>susv ").raw(SUSV_VERSION).raw(", ").raw(texts.running).duration(picture.uptime);
    page.out
}

struct Page<'a> {
    out: String,
    texts: &'a Texts,
}

impl Page<'_> {
    /// Appends HTML of ours.
    #[inline(never)]
    fn raw(&mut self, html: &str) -> &mut Self {
        self.out.push_str(html);
        self
    }

    /// Appends text from outside: no markup, and no character that hides or turns what stands around it.
    #[inline(never)]
    fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '<' => self.out.push_str("&lt;"),
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                _ => push_visible(&mut self.out, character),
            }
        }
        self
    }

    #[inline(never)]
    fn number(&mut self, number: u64) -> &mut Self {
        let _ = write!(self.out, "{number}");
        self
    }

    /// `5 min`, `3 h`: the largest unit there is at least two of, so that nothing is off by half.
    #[inline(never)]
    fn duration(&mut self, seconds: u32) -> &mut Self {
        let texts = self.texts;
        let (count, unit) = match seconds {
            0..120 => (seconds, 0),
            120..7200 => (seconds / 60, 1),
            7200..172_800 => (seconds / 3600, 2),
            _ => (seconds / 86_400, 3),
        };
        self.number(count.into()).raw(texts.units[unit])
    }

    #[inline(never)]
    fn heading(&mut self, text: &str, count: usize) -> &mut Self {
        self.raw("<h2>").raw(text).number(count as u64).raw("</h2>")
    }

    fn write_head(&mut self, picture: &Picture<'_>) {
        let texts = self.texts;
        let (class, state) = if !picture.catalog.offers().is_empty() { ("g", texts.offered) } else { ("b", texts.not_offered) };
        self.raw("<!doctype html><html lang=").raw(texts.tag);
        self.raw("><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><meta http-equiv=refresh content=");
        self.number(limits::PAGE_REFRESH_SECONDS.into()).raw("><title>susv</title><style>").raw(STYLE);
        for (number, label) in texts.labels.iter().enumerate() {
            self.raw(".t td:nth-child(").number(number as u64 + 2).raw(")::before{content:\"").raw(label).raw("\"}");
        }
        self.raw("}</style><h1 class=").raw(class).raw(">").raw(state);
        match picture.catalog.obstacle() {
            None => self.number(picture.catalog.version().into()),
            Some(problem) => self.text(&problem.describe(Language::English)),
        };
        self.raw("</h1>");
    }

    fn write_problems(&mut self, picture: &Picture<'_>) {
        let texts = self.texts;
        if picture.problems.is_empty() {
            return;
        }
        self.heading(texts.problems, picture.problems.len()).raw("<ul class=b>");
        for problem in &picture.problems {
            self.raw("<li>").text(&problem.describe(Language::English));
        }
        self.raw("</ul>");
    }

    fn write_firmware(&mut self, picture: &Picture<'_>) {
        let texts = self.texts;
        let Some(offer) = picture.catalog.offers().first() else { return };
        self.heading(texts.firmware, offer.version as usize);
        if let Some(description) = &picture.catalog.settings.description {
            self.raw("<p>").text(description);
        }
        if offer.critical_version > 0 {
            self.raw("<p>").raw(texts.critical_before).raw(&format_build_date(offer.critical_version));
        }
        self.raw("<table class=r><tr><th>").raw(texts.file).raw("<th>").raw(texts.bytes).raw("<th>SHA-256");
        for image in &offer.images {
            self.raw("<tr><td>").raw(image.name).raw("<td>").number(image.bytes.len() as u64);
            self.raw("<td>").raw(&to_hex(&image.digest));
        }
        self.raw("</table>");
    }

    fn write_registrars(&mut self, picture: &Picture<'_>) {
        let texts = self.texts;
        let snapshot = &picture.snapshot;
        self.heading(texts.registrars, snapshot.count()).raw("<p>");
        if snapshot.registrars.is_empty() {
            self.raw(texts.nobody);
            return;
        }
        let mut separator = "";
        for (count, text) in snapshot.counts.iter().zip(texts.states).filter(|(count, _)| **count > 0) {
            self.raw(separator).raw(text).raw(": ").number(*count as u64);
            separator = ", ";
        }
        self.raw("<table class=\"r t\"><tr>");
        for head in texts.heads {
            self.raw("<th>").raw(head);
        }
        for registrar in &snapshot.registrars {
            self.write_registrar(registrar, picture.uptime);
        }
        self.raw("</table>");
    }

    fn write_registrar(&mut self, registrar: &Registrar, uptime: u32) {
        let texts = self.texts;
        let _ = write!(self.out, "\n<tr><td>{}", registrar.address);
        if registrar.tills > 1 {
            self.raw(" (×").number(registrar.tills as u64).raw(")");
        }
        self.raw("<td>").raw(&format_build_date(registrar.build_date)).raw("<td>");
        self.duration(uptime.saturating_sub(registrar.seen_at)).raw(texts.ago);
        let class = match registrar.state {
            State::Mislabelled | State::Stuck | State::Critical | State::Offered | State::Cut => "<td class=b>",
            State::UpToDate => "<td class=g>",
            _ => "<td>",
        };
        self.raw(class).raw(texts.states[registrar.state as usize]);
        let Some(download) = registrar.download else { return };
        self.raw("<td>").number(download.version.into()).raw(" ");
        match download.transfer {
            Transfer::Running => self.raw(texts.running_download).number(download.acknowledged),
            Transfer::Complete => self.raw(texts.complete),
            Transfer::Cut => self.raw(texts.cut).number(download.acknowledged),
        };
    }

    fn write_licenses(&mut self, picture: &Picture<'_>) {
        let texts = self.texts;
        let licenses = &picture.catalog.licenses;
        self.heading(texts.licenses, licenses.len()).raw("<table>");
        for file in &licenses.files {
            self.raw("<tr><td>").text(&file.path.to_string_lossy()).raw("<td>").number(file.licenses as u64);
        }
        self.raw("</table>");
    }

    fn write_totals(&mut self, picture: &Picture<'_>) {
        let texts = self.texts;
        self.raw("<h2>").raw(texts.since_start).raw("</h2><table>");
        for (text, (_, count)) in texts.totals.iter().zip(picture.snapshot.totals.named()) {
            self.raw("<tr><td>").raw(text).raw("<td>").number(count);
        }
        self.raw("</table>");
    }
}
