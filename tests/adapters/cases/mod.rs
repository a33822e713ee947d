//! The list.

mod answers;
mod bodies;
mod connections;
mod deadlines;
mod heads;
mod hostile;
mod names;
mod proxies;
mod recorded;
mod redirects;
mod requests;
mod secrets;
mod tls;

use crate::case::Case;

/// All cases, in the order of the table.
pub(crate) fn all() -> Vec<Case> {
    [
        recorded::cases(),
        requests::cases(),
        answers::cases(),
        heads::cases(),
        bodies::cases(),
        hostile::cases(),
        deadlines::cases(),
        names::cases(),
        redirects::cases(),
        tls::cases(),
        proxies::cases(),
        connections::cases(),
        secrets::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
