use crate::registration::policy::{Redirects, Registration};

/// What a server takes, and from whom: all that [can be changed](crate::Server::set_terms) while it
/// runs.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Terms {
    pub(crate) registration: Registration,
    pub(crate) redirects: Redirects,
}

impl Terms {
    /// Everybody's reports, and no registration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who may register at `GET /start`; nobody unless set.
    pub fn registration(self, registration: Registration) -> Self {
        Self { registration, ..self }
    }

    /// Where a browser may be sent back to after a registration; this machine alone unless set.
    pub fn redirects(self, redirects: Redirects) -> Self {
        Self { redirects, ..self }
    }
}
