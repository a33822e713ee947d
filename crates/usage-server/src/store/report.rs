//! What passes between the requests and the tables.

use usage_proto::{Server, Stats, Usage};

/// Which call a report came in by, as `report.kind` holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Server,
    Stats,
    Usage,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Server => "server",
            Kind::Stats => "stats",
            Kind::Usage => "usage",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Kind::Server, Kind::Stats, Kind::Usage].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A checked report on its way into the tables.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) token_id: Option<i64>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) row: Row,
}

/// The columns of one table. JSON is written before the queue, so that the one thread that writes
/// does nothing else.
#[derive(Debug)]
pub(crate) enum Row {
    Server(Server),
    Stats { product: String, cluster_id: String, server_id: String, data: String },
    Usage { product: String, data: String },
}

impl Row {
    pub(crate) fn stats(stats: Stats) -> Result<Self, serde_json::Error> {
        let Stats { product, cluster_id, server_id, data, .. } = stats;
        Ok(Row::Stats { product, cluster_id, server_id, data: serde_json::to_string(&data)? })
    }

    pub(crate) fn usage(usage: Usage) -> Result<Self, serde_json::Error> {
        let Usage { product, data, .. } = usage;
        Ok(Row::Usage { product, data: serde_json::to_string(&data)? })
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Row::Server(_) => Kind::Server,
            Row::Stats { .. } => Kind::Stats,
            Row::Usage { .. } => Kind::Usage,
        }
    }
}
