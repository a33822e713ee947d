//! What has arrived.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use usage_proto::{IDEMPOTENCY_KEY, TOKEN_HEADER};

use super::fault::Route;

/// A request, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrived {
    /// What it reports; `None` if the API has no such route.
    pub route: Option<Route>,
    /// Its idempotency key, without the quotes.
    pub key: Option<String>,
    /// Its body, as it came.
    pub body: Bytes,
    /// The status that it was answered with; `None` if the connection was cut.
    pub status: Option<StatusCode>,
}

#[derive(Debug, Default)]
pub(super) struct Arrivals {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Arrived>,
    /// The keys of what was stored, each at the position of its row, less one: rows get theirs one
    /// after the other, and none is given twice.
    stored: Vec<(Route, Option<String>)>,
    /// How often somebody was forgotten.
    forgotten: usize,
    /// Token and key of what is stored already.
    known: HashSet<(Option<Vec<u8>>, String)>,
}

impl Arrivals {
    /// The server took a report. One that it has already is not stored again.
    pub(super) fn stored(&self, route: Route, headers: &HeaderMap) {
        let mut seen = self.lock();
        if route == Route::Forget {
            seen.forgotten += 1;
            self.changed.notify_all();
            return;
        }
        let key = key(headers);
        if let Some(key) = &key {
            let token = headers.get(TOKEN_HEADER).map(|token| token.as_bytes().to_owned());
            if !seen.known.insert((token, key.clone())) {
                return;
            }
        }
        seen.stored.push((route, key));
        self.changed.notify_all();
    }

    pub(super) fn arrived(&self, request: Arrived) {
        self.lock().requests.push(request);
        self.changed.notify_all();
    }

    pub(super) fn requests(&self) -> Vec<Arrived> {
        self.lock().requests.clone()
    }

    /// The key of the row at a position. A row whose answer is on its way has none yet.
    pub(super) fn key(&self, position: i64) -> Option<String> {
        let place = usize::try_from(position).ok()?.checked_sub(1)?;
        self.lock().stored.get(place)?.1.clone()
    }

    pub(super) fn wait_for(&self, route: Route, count: usize, limit: Duration) -> bool {
        let so_far = |seen: &Seen| match route {
            Route::Forget => seen.forgotten,
            _ => seen.stored.iter().filter(|(of, _)| *of == route).count(),
        };
        let enough = |seen: &Seen| so_far(seen) >= count;
        let waited = self.changed.wait_timeout_while(self.lock(), limit, |seen| !enough(seen));
        enough(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a request, without the quotes of its header.
pub(super) fn key(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(IDEMPOTENCY_KEY)?.to_str().ok()?;
    Some(text.trim_matches('"').to_owned())
}
