//! The list.

mod answers;
mod bodies;
mod connections;
mod deadlines;
mod heads;
mod hostile;
mod proxies;
mod recorded;
mod redirects;
mod requests;
mod tls;

use std::time::Duration;

use crate::case::Case;

/// For a deadline before which nothing has to come.
const SHORT: Duration = Duration::from_millis(300);

/// For a deadline before which something has to come, on a busy machine too.
const LESS_SHORT: Duration = Duration::from_secs(2);

/// For a deadline that is not to pass.
const AGES: Duration = Duration::from_secs(3600);

const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

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
        redirects::cases(),
        tls::cases(),
        proxies::cases(),
        connections::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
