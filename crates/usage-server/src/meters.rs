//! What is counted, in the names under which Prometheus asks for it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use prometheus_client::encoding::{
    EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, prometheus_text,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::commit_meter::CommitMeter;
use crate::refused::Refused;
use crate::store::Store;
use crate::store::retention::Retention;
use crate::store_meters::StoreMeters;
use crate::variety::Overflow;

#[derive(Debug)]
pub(crate) struct Meters {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    /// At the places of their routes.
    seconds: [Histogram; Route::ALL.len()],
    refused: Family<ReasonLabel, Counter>,
    body_bytes: Counter,
    overflowed: Family<WhatLabel, Counter>,
    pub(crate) in_flight: Gauge,
    pub(crate) connections: Gauge,
    pub(crate) connections_accepted: Counter,
    pub(crate) connections_refused: Counter,
}

/// What a request is about, by the beginning of its path: a path itself is the client's to choose,
/// and would make a series of its own each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    Servers,
    Stats,
    Usage,
    Forget,
    Health,
    Ready,
    Start,
    Description,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: Route,
    status: StatusLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: Route,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhatLabel {
    what: &'static str,
}

/// `none` if the client went away before there was an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct StatusLabel(Option<StatusCode>);

#[derive(Debug, Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        // 1 ms to 16 s.
        Histogram::new(exponential_buckets(0.001, 2.0, 15))
    }
}

impl Meters {
    pub(crate) fn new(store: Store, retention: Retention, commits: &CommitMeter) -> Self {
        let mut registry = Registry::with_prefix("usage");
        let seconds = Family::<_, Histogram, _>::new_with_constructor(Seconds);
        let meters = Self {
            requests: Family::default(),
            seconds: Route::ALL.map(|route| seconds.get_or_create_owned(&RouteLabel { route })),
            refused: Family::default(),
            body_bytes: Counter::default(),
            overflowed: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            connections_accepted: Counter::default(),
            connections_refused: Counter::default(),
            registry: Registry::default(),
        };
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of this server", version);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        registry.register_with_unit(
            "start_time",
            "When this server started, since 1970",
            Unit::Seconds,
            ConstGauge::new(started.as_secs_f64()),
        );
        registry.register("requests", "Requests", meters.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "From the head of a request to its answer",
            Unit::Seconds,
            seconds,
        );
        registry.register("refused", "Requests that were refused", meters.refused.clone());
        registry.register_with_unit(
            "request_body",
            "Bytes of bodies that were read",
            Unit::Bytes,
            meters.body_bytes.clone(),
        );
        registry.register(
            "overflowed",
            "Keys and texts that were stored as (other)",
            meters.overflowed.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests whose answer is not ready",
            meters.in_flight.clone(),
        );
        registry.register("connections", "Open connections", meters.connections.clone());
        registry.register(
            "connections_accepted",
            "Connections that got a place",
            meters.connections_accepted.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections of an address that had all that one address may have",
            meters.connections_refused.clone(),
        );
        registry.register("commit_size", "Jobs in a transaction", commits.size.clone());
        registry.register_with_unit(
            "commit_duration",
            "How long a transaction took",
            Unit::Seconds,
            commits.seconds.clone(),
        );
        registry.register_collector(Box::new(StoreMeters::new(store, retention)));
        Self { registry, ..meters }
    }

    /// A request has got its answer, or its client has gone.
    pub(crate) fn request(
        &self,
        route: Route,
        status: Option<StatusCode>,
        took: Duration,
        body_bytes: u64,
    ) {
        let status = StatusLabel(status);
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
        self.seconds[route as usize].observe(took.as_secs_f64());
        self.body_bytes.inc_by(body_bytes);
    }

    pub(crate) fn refused(&self, reason: Refused) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn overflowed(&self, overflow: Overflow) {
        for (what, count) in [("key", overflow.keys), ("value", overflow.values)] {
            if count > 0 {
                self.overflowed.get_or_create(&WhatLabel { what }).inc_by(count);
            }
        }
    }

    /// All of it, in the text format of Prometheus.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Route {
    /// In the order of their numbers.
    const ALL: [Self; 9] = [
        Self::Servers,
        Self::Stats,
        Self::Usage,
        Self::Forget,
        Self::Health,
        Self::Ready,
        Self::Start,
        Self::Description,
        Self::Other,
    ];

    pub(crate) fn of(path: &str) -> Self {
        match Self::of_report(path.strip_prefix("/api/v1/")) {
            Some(route) => route,
            None => Self::of_segments(path),
        }
    }

    /// Nearly all requests are these, and written like this.
    fn of_report(call: Option<&str>) -> Option<Self> {
        let call = call?;
        [Self::Usage, Self::Stats, Self::Servers].into_iter().find(|route| {
            let rest = call.strip_prefix(route.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn of_segments(path: &str) -> Self {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        match segments.next() {
            Some("api") if segments.next() == Some("v1") => match segments.next() {
                Some("servers") => Self::Servers,
                Some("stats") => Self::Stats,
                Some("usage") => Self::Usage,
                Some("forget") => Self::Forget,
                _ => Self::Other,
            },
            Some("healthz") => Self::Health,
            Some("readyz") => Self::Ready,
            Some("start") => Self::Start,
            Some("openapi.json") => Self::Description,
            _ => Self::Other,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Servers => "servers",
            Self::Stats => "stats",
            Self::Usage => "usage",
            Self::Forget => "forget",
            Self::Health => "healthz",
            Self::Ready => "readyz",
            Self::Start => "start",
            Self::Description => "openapi.json",
            Self::Other => "other",
        }
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

impl EncodeLabelValue for StatusLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.0.as_ref().map_or("none", StatusCode::as_str), encoder)
    }
}

impl EncodeLabelValue for Refused {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn a_route_is_known_by_its_beginning() {
        for (path, route) in [
            ("/api/v1/servers", Route::Servers),
            ("/api/v1/usage/p", Route::Usage),
            ("/api/v1/usages", Route::Other),
            ("/api/v1/forget/p", Route::Forget),
            ("//api/v1/usage/a%2Fb", Route::Usage),
            ("/api//v1///servers", Route::Servers),
            ("/api/v1/stats/", Route::Stats),
            ("/api/v2/stats/p", Route::Other),
            ("/api", Route::Other),
            ("/healthz", Route::Health),
            ("/", Route::Other),
            ("*", Route::Other),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
        for (place, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, place);
        }
    }
}
