//! What goes wrong on purpose.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

/// One of the three ways to report, or the request to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// A server that registers.
    Servers,
    /// Statistics.
    Stats,
    /// Usage.
    Usage,
    /// Somebody who wants to be forgotten, which is carried out where a report would be stored.
    Forget,
}

impl Route {
    pub(super) fn of(path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix("/api/v1/")?.split('/');
        match (segments.next()?, segments.next()) {
            ("servers", None) => Some(Self::Servers),
            ("stats", Some(_)) => Some(Self::Stats),
            ("usage", Some(_)) => Some(Self::Usage),
            ("forget", Some(_)) => Some(Self::Forget),
            _ => None,
        }
    }
}

/// What becomes of a request in place of an answer of the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This status, and nothing is stored.
    Status(StatusCode),
    /// 503 with this `Retry-After`, in whole seconds, and nothing is stored.
    Pause(Duration),
    /// The connection is closed without an answer, and nothing is stored.
    Cut,
    /// The report is stored, and the connection is closed without an answer.
    CutAfterStoring,
    /// The report is stored, and the connection is closed after half of the answer's body.
    HalfBody,
}

/// The faults to come, in the order that they were asked for.
#[derive(Debug, Default)]
pub(super) struct Plan {
    faults: Mutex<VecDeque<(Route, Fault, u32)>>,
}

impl Plan {
    pub(super) fn add(&self, route: Route, fault: Fault, times: u32) {
        if times > 0 {
            self.lock().push_back((route, fault, times));
        }
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// What is to become of the next request of a route; uses it up.
    pub(super) fn next(&self, route: Option<Route>) -> Option<Fault> {
        let mut faults = self.lock();
        let at = faults.iter().position(|(of, ..)| Some(*of) == route)?;
        let (_, fault, times) = &mut faults[at];
        let fault = *fault;
        *times -= 1;
        if *times == 0 {
            faults.remove(at);
        }
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(Route, Fault, u32)>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
