//! What must hold for any input. Properties, fuzz targets and the replay of past crashes call the
//! same oracles; an oracle panics with the rule that is broken and the input that breaks it.

pub mod answer;
pub mod base_url;
pub mod exchange;
pub mod payload;
pub mod proxy;
pub mod registration;
pub mod reporter;
pub mod request;
pub mod retry_after;
#[cfg(feature = "proptest")]
pub mod text;
