//! What the store counts by itself, told when somebody asks for metrics. Nobody asks the database then:
//! it is asked once a minute, however many ask.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::store::Store;
use crate::store::figures::Figures;
use crate::store::kind::Kind;
use crate::store::metrics::Metrics;
use crate::store::retention::Retention;

#[derive(Debug)]
pub(crate) struct StoreMeters {
    store: Store,
    retention: Retention,
}

impl StoreMeters {
    pub(crate) fn new(store: Store, retention: Retention) -> Self {
        Self { store, retention }
    }
}

impl Collector for StoreMeters {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut told = Told(encoder);
        self.tell_done(&mut told, &self.store.metrics())?;
        if let Some(figures) = self.store.figures() {
            tell_figures(&mut told, &figures)?;
        }
        let keep = Kind::ALL.map(|kind| self.retention.of(kind).map(|time| time.as_secs_f64()));
        told.by_kind("keep", "For how long reports are kept", Some(&Unit::Seconds), keep)
    }
}

impl StoreMeters {
    /// What this server has done.
    fn tell_done(&self, told: &mut Told<'_>, done: &Metrics) -> fmt::Result {
        for (name, help, count) in [
            ("commits", "Transactions that stored something", done.commits),
            ("stored", "Reports and tokens that were stored", done.stored),
            ("repeated", "Reports whose idempotency key was known", done.repeated),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(told.0.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let help = "Reports that were pruned by this server";
        let mut family = told.0.encode_descriptor("pruned", help, None, MetricType::Counter)?;
        for kind in Kind::ALL {
            let counter = ConstCounter::new(self.store.pruned(kind));
            counter.encode(family.encode_family(&[("kind", kind.as_str())])?)?;
        }
        let waiting = i64::try_from(done.waiting).unwrap_or(i64::MAX);
        told.gauge("queue_length", "Jobs that wait for a transaction", None, waiting)?;
        let behind = i64::from(done.pruning_is_behind);
        let help = "1 if this server has pruned for an hour and is not through, or cannot prune";
        told.gauge("pruning_behind", help, None, behind)
    }
}

/// What is known of the database, whoever has stored it.
fn tell_figures(told: &mut Told<'_>, figures: &Figures) -> fmt::Result {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    if let Some(reports) = figures.reports {
        let reports = reports.map(|count| Some(number(count)));
        told.by_kind("reports", "Reports in the database, counted once a minute", None, reports)?;
    }
    let help = "When the oldest report was stored, since 1970";
    let oldest = figures.oldest.map(|time| time.map(since_1970));
    told.by_kind("oldest_report_timestamp", help, Some(&Unit::Seconds), oldest)?;
    let help = "The database on its disk";
    told.gauge("database", help, Some(&Unit::Bytes), number(figures.bytes))?;
    if let Some(time) = figures.pruned_at.map(since_1970) {
        let help = "When a server had last pruned all that was too old, since 1970";
        told.gauge("last_prune_timestamp", help, Some(&Unit::Seconds), time)?;
    }
    Ok(())
}

fn since_1970(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).as_ref().map_or(0.0, Duration::as_secs_f64)
}

struct Told<'a>(DescriptorEncoder<'a>);

impl Told<'_> {
    fn gauge<N>(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: N) -> fmt::Result
    where
        ConstGauge<N>: EncodeMetric,
    {
        let gauge = ConstGauge::new(value);
        gauge.encode(self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?)
    }

    /// A series for each kind that there is a value for.
    fn by_kind<N>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        values: [Option<N>; Kind::ALL.len()],
    ) -> fmt::Result
    where
        ConstGauge<N>: EncodeMetric,
    {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (kind, value) in Kind::ALL.into_iter().zip(values) {
            if let Some(value) = value {
                let labels = [("kind", kind.as_str())];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
