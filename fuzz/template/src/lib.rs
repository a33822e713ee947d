//! What a product reports, as a type of its own.

use serde::Serialize;
use usage_client::Saveable;

/// The numbers of one store.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Report {
    /// Posted to `/api/v1/usage/{product}`.
    #[serde(skip)]
    pub product: String,
    /// How many keys there are.
    pub keys: u64,
    /// How full the store is. One that is not finite is refused.
    pub load: f64,
    /// Where its files are, by name.
    pub volumes: Vec<(String, u32)>,
}

impl Saveable for Report {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        ["usage", &self.product]
    }
}
