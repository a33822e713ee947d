//! The built-in payloads, named as in the original Go package.

mod forget;
mod map;
mod number;
mod object;
mod server;
mod stats;
mod usage;
mod value;

pub use forget::Forget;
pub use map::{Tags, Values};
pub use number::Number;
pub use server::Server;
pub use stats::{Stats, StatsData};
pub use usage::{Usage, UsageData};
pub use value::Value;

/// The path segments of the built-in calls, which `parse_request` reads.
pub(crate) mod path {
    pub(crate) const SERVERS: &str = "servers";
    pub(crate) const STATS: &str = "stats";
    pub(crate) const USAGE: &str = "usage";
    pub(crate) const FORGET: &str = "forget";
}
