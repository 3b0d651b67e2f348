//! How often something happened since the start.

/// Counters.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Valid checks for firmware.
    pub checks: u64,
    /// Checks that were answered with an offer.
    pub offers: u64,
    /// Checks of drivers that were told "no update" although there is one (`registrars::policy`).
    pub held: u64,
    /// Downloads of which every byte was acknowledged.
    pub downloads_complete: u64,
    /// Downloads that ended before.
    pub downloads_cut: u64,
    /// Licences handed out.
    pub licenses_found: u64,
    /// Serial numbers there was no licence for.
    pub licenses_unknown: u64,
    /// Requests that were refused as wrong.
    pub refused: u64,
}

impl Totals {
    /// All of them with their names in `/status`, in the order of the page.
    pub fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("checks", self.checks),
            ("updates_offered", self.offers),
            ("updates_held", self.held),
            ("downloads_complete", self.downloads_complete),
            ("downloads_cut", self.downloads_cut),
            ("licenses_found", self.licenses_found),
            ("licenses_unknown", self.licenses_unknown),
            ("refused", self.refused),
        ]
    }
}
