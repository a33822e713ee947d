use std::collections::BTreeSet;

use crate::limits::Limits;
use crate::proxies::Proxies;
use crate::registration::policy::{Redirects, Registration};

/// What a server takes, and from whom: all that [can be changed](crate::Server::set_terms) while it
/// runs.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Terms {
    pub(crate) registration: Registration,
    pub(crate) redirects: Redirects,
    pub(crate) products: Option<BTreeSet<String>>,
    pub(crate) limits: Limits,
    pub(crate) proxies: Proxies,
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

    /// The products whose reports are taken, by their names as they are; all of them unless set.
    /// Reports for another one are refused with 422.
    pub fn products(self, products: impl IntoIterator<Item: Into<String>>) -> Self {
        Self { products: Some(products.into_iter().map(Into::into).collect()), ..self }
    }

    /// How much may come; as much as does unless set.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Which proxies are believed when they tell where a request came from; none unless set.
    pub fn proxies(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    pub(crate) fn takes(&self, product: &str) -> bool {
        self.products.as_ref().is_none_or(|products| products.contains(product))
    }
}
