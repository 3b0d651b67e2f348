//! What is looked at now and then, folded: offers with their images, licences, hints, totals.

use super::writer::Writer;
use crate::calendar::format_build_date;
use crate::routes::status::snapshot::Snapshot;
use crate::text::to_hex;

impl Writer {
    /// All of it.
    pub fn write_details(&mut self, snapshot: &Snapshot<'_>) {
        self.write_firmware(snapshot);
        self.write_licenses(snapshot);
        self.write_hints(snapshot);
        self.write_totals(snapshot);
    }

    fn open_details(&mut self, title: &str, count: usize) {
        self.raw("<details><summary>").raw(title).raw(" ").number(count as u64).raw("</summary>");
    }

    fn open_table(&mut self, class: &str, heads: &[&str]) {
        self.raw("<table class=\"").raw(class).raw("\"><thead><tr>");
        for head in heads {
            self.raw("<th scope=col>").raw(head);
        }
        self.raw("</thead><tbody>");
    }

    fn write_firmware(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        let offers = snapshot.catalog.offers();
        if offers.is_empty() {
            return;
        }
        self.open_details(texts.firmware, offers.len());
        self.open_table("rows offers", &texts.firmware_heads);
        for (offer, reach) in offers.iter().zip(&snapshot.reaches) {
            let whom = offer.admission.describe();
            self.raw("<tr><th scope=row>").version(offer.version).raw("<td>");
            self.text(if whom.is_empty() { texts.everyone } else { &whom }).raw("<td>").number(reach.registrars as u64);
            self.raw("<td>").number(reach.up_to_date as u64).raw("<td>").text(&offer.description);
            if offer.critical_version > 0 {
                self.raw(" (").raw(texts.critical_before).raw(&format_build_date(offer.critical_version)).raw(")");
            }
        }
        self.raw("</table>");
        self.open_table("rows", &texts.image_heads);
        for offer in offers {
            for image in &offer.images {
                self.raw("<tr><th scope=row>").version(offer.version).raw("<span class=mono>/").raw(image.name);
                self.raw("</span><td>").number(image.bytes.len() as u64).raw("<td class=mono>").raw(&to_hex(&image.digest));
            }
        }
        self.raw("</table></details>");
    }

    fn write_licenses(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        let licenses = &snapshot.catalog.licenses;
        self.open_details(texts.licenses, licenses.len());
        if !licenses.files.is_empty() {
            self.open_table("", &texts.license_heads);
            for file in &licenses.files {
                let path = file.path.strip_prefix(&snapshot.catalog.settings.licenses_path).unwrap_or(&file.path);
                let name = path.file_name().unwrap_or(file.path.as_os_str());
                self.raw("<tr><th scope=row class=mono>").text(&name.to_string_lossy());
                self.raw("<td>").number(file.licenses as u64);
            }
            self.raw("</table>");
        }
        self.raw("</details>");
    }

    fn write_hints(&mut self, snapshot: &Snapshot<'_>) {
        let hints = &snapshot.catalog.hints;
        if hints.is_empty() {
            return;
        }
        self.open_details(self.texts.hints, hints.len());
        self.raw("<ul>");
        for hint in hints {
            self.raw("<li>").write_problem(snapshot, hint);
        }
        self.raw("</ul></details>");
    }

    fn write_totals(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        self.raw("<details><summary>").raw(texts.since_start).raw("</summary><table><tbody>");
        for (text, (_, count)) in texts.totals.iter().zip(snapshot.seen.totals.named()) {
            self.raw("<tr><th scope=row>").raw(text).raw("<td>").number(count);
        }
        self.raw("</table></details>");
    }
}
