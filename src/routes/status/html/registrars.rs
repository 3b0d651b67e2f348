//! The registrars: who needs hands first, each with what to do.

use std::fmt::Write as _;

use super::writer::Writer;
use crate::calendar::format_build_date;
use crate::registrars::{Registrar, State, Transfer};
use crate::routes::status::query::Query;
use crate::routes::status::snapshot::{Group, Snapshot};
use crate::routes::status::texts::TEXTS;
use crate::text::{to_lowercase, to_uppercase};

impl Writer {
    /// Those that need hands, and the silent ones, open.
    pub fn write_registrars_in_need(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        let in_need = snapshot.list(Group::NeedsHands);
        if !in_need.is_empty() {
            self.raw("<h2 class=bad>").write_group(snapshot, Group::NeedsHands, in_need.len()).raw("</h2>");
            self.write_table(snapshot, &in_need);
        }
        let silent = snapshot.list(Group::Silent);
        if silent.is_empty() {
            return;
        }
        self.raw("<h2 class=warning>").write_group(snapshot, Group::Silent, silent.len()).raw("</h2><p class=quiet>");
        self.raw(texts.silent_advice).raw("</p><ul class=inline>");
        let listed = self.take_rows(silent.len());
        for registrar in &silent[..listed] {
            let _ = write!(self.out, "<li>{} <span class=quiet>", registrar.address);
            self.duration(snapshot.uptime.saturating_sub(registrar.seen_at)).raw("</span>");
        }
        self.raw("</ul>").write_rest(silent.len() - listed);
    }

    /// All others, folded.
    pub fn write_other_registrars(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        for (group, note) in [(Group::UnderWay, texts.states_of_offers), (Group::UpToDate, ""), (Group::Trial, texts.trial_note)]
        {
            let list = snapshot.list(group);
            if list.is_empty() {
                continue;
            }
            self.raw("<details><summary>").write_group(snapshot, group, list.len()).raw("</summary>");
            if !note.is_empty() {
                self.raw("<p class=quiet>").raw(note).raw("</p>");
            }
            if group == Group::UnderWay {
                self.write_states(snapshot);
            }
            self.write_table(snapshot, &list);
            self.raw("</details>");
        }
    }

    /// Those that a filter finds, in the order of need.
    pub fn write_found(&mut self, snapshot: &Snapshot<'_>, query: &Query) {
        let texts = self.texts;
        let all = &snapshot.seen.registrars;
        let found: Vec<_> = all.iter().filter(|registrar| is_found(registrar, &query.filter)).collect();
        self.raw("<h2>").raw(texts.found).number(found.len() as u64).raw(texts.of).number(all.len() as u64).raw("</h2>");
        if !found.is_empty() {
            self.write_table(snapshot, &found);
        }
    }

    /// While nothing is offered nobody can be called up to date.
    pub fn name_group(&self, snapshot: &Snapshot<'_>, group: Group) -> &'static str {
        let is_unknown = group == Group::UpToDate && snapshot.catalog.offers().is_empty();
        if is_unknown { self.texts.no_update } else { self.texts.groups[group as usize] }
    }

    /// The same for one registrar, with the style's name for how urgent it is.
    fn name_state(&self, snapshot: &Snapshot<'_>, state: State) -> (&'static str, &'static str) {
        let class = match Group::of(state) {
            Group::UpToDate if snapshot.catalog.offers().is_empty() => return ("", self.texts.no_update),
            Group::NeedsHands => " class=bad",
            Group::Silent => " class=warning",
            Group::UpToDate => " class=good",
            Group::UnderWay | Group::Trial => "",
        };
        (class, self.texts.states[state as usize])
    }

    fn write_group(&mut self, snapshot: &Snapshot<'_>, group: Group, count: usize) -> &mut Self {
        let name = self.name_group(snapshot, group);
        let mut characters = name.chars();
        self.out.extend(characters.next().map(to_uppercase));
        self.raw(characters.as_str()).raw(" ").number(count as u64)
    }

    /// How many are in which state on their way.
    fn write_states(&mut self, snapshot: &Snapshot<'_>) {
        let texts = self.texts;
        self.raw("<p>");
        let mut separator = "";
        for state in State::ALL.into_iter().filter(|state| Group::of(*state) == Group::UnderWay) {
            let count = snapshot.seen.counts[state as usize];
            if count > 0 {
                self.raw(separator).raw(texts.states[state as usize]).raw(" ").number(count as u64);
                separator = ", ";
            }
        }
        self.raw("</p>");
    }

    /// How many of so many registrars may be listed.
    fn take_rows(&mut self, wanted: usize) -> usize {
        let taken = wanted.min(self.rows_left);
        self.rows_left -= taken;
        taken
    }

    fn write_rest(&mut self, count: usize) {
        if count > 0 {
            let texts = self.texts;
            self.raw("<p class=quiet>").counted(&texts.not_listed, count).raw("</p>");
        }
    }

    fn write_table(&mut self, snapshot: &Snapshot<'_>, registrars: &[&Registrar]) {
        let texts = self.texts;
        let listed = self.take_rows(registrars.len());
        if listed > 0 {
            self.raw("<table class=\"rows tills\"><thead><tr>");
            for head in texts.heads {
                self.raw("<th scope=col>").raw(head);
            }
            self.raw("</thead><tbody>");
            registrars[..listed].iter().for_each(|registrar| self.write_registrar(snapshot, registrar));
            self.raw("</table>");
        }
        self.write_rest(registrars.len() - listed);
    }

    fn write_registrar(&mut self, snapshot: &Snapshot<'_>, registrar: &Registrar) {
        let (texts, now) = (self.texts, snapshot.uptime);
        let _ = write!(self.out, "\n<tr><th scope=row>{}", registrar.address);
        if registrar.tills > 1 {
            self.raw(" (").counted(&texts.tills, registrar.tills).raw(")");
        }
        let (class, state) = self.name_state(snapshot, registrar.state);
        self.raw("<td").raw(class).raw(">").raw(state);
        self.raw("<td>").raw(&format_build_date(registrar.build_date));
        let others = registrar.build_dates.iter().filter(|date| registrar.tills > 1 && **date != registrar.build_date);
        for date in others {
            self.raw(", ").raw(&format_build_date(*date));
        }
        self.raw("<td>").ago(now, registrar.seen_at);
        self.write_times(registrar.offers, registrar.offered_at, now);
        self.write_times(registrar.takes, registrar.taken_at, now);
        self.raw("<td>");
        if let Some(download) = registrar.download {
            let state = match download.transfer {
                Transfer::Running => texts.running,
                Transfer::Complete => texts.complete,
                Transfer::Cut => texts.cut,
            };
            self.version(download.version).raw(" ").raw(state).raw(", ").number(download.acknowledged);
            self.raw(texts.of).number(download.size).raw(texts.bytes).raw(", ").ago(now, download.at);
        }
        // Until when it is held says more than that it waits.
        let note = match registrar.state {
            State::Mislabelled | State::Stuck | State::Silent => registrar.advice.as_ref().or(registrar.held.as_ref()),
            _ => registrar.held.as_ref().or(registrar.advice.as_ref()),
        };
        if let Some(note) = note {
            self.raw("<tr class=note><td colspan=7>").text(&note.explain(texts.language));
        }
    }

    /// How often something happened, and when last.
    fn write_times(&mut self, count: u32, last: Option<u32>, now: u32) {
        self.raw("<td>");
        if let Some(last) = last.filter(|_| count > 0) {
            self.number(count.into()).raw("×, ").ago(now, last);
        }
    }
}

/// By address, by state or by group, in either language: a link is passed on.
fn is_found(registrar: &Registrar, filter: &str) -> bool {
    let group = Group::of(registrar.state) as usize;
    let has = |text: &str| to_lowercase(text).contains(filter);
    let is_named = TEXTS.iter().any(|texts| has(texts.states[registrar.state as usize]) || has(texts.groups[group]));
    registrar.address.to_string().contains(filter) || has(registrar.state.name()) || is_named
}
