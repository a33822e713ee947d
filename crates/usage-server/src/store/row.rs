//! What passes between the requests and the tables.

use std::io;

use serde::Serialize;
use usage_proto::{Server, Stats, Usage};

use super::instance::Ids;
use super::kind::Kind;
use super::room::Place;

/// What a report is for. An idempotency key belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purpose {
    pub(crate) kind: Kind,
    pub(crate) product: String,
}

/// A checked report on its way into the tables.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) token_id: Option<i64>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) row: Row,
    /// What the row takes of the room for all of them. It goes where the row goes: a client that
    /// leaves does not take its row out of the queue.
    #[expect(dead_code, reason = "dropping it gives the room back")]
    pub(crate) place: Place,
}

/// What is stored of a report. JSON is written before the queue, so that the one thread that writes
/// does nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) product: String,
    pub(crate) ids: Ids,
    pub(crate) body: Body,
}

/// The columns of one table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Server { cluster_id: String, server_id: String, host: String, version: String },
    Stats { cluster_id: String, server_id: String, data: String },
    Usage { data: String },
}

/// Why a report has no row.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowError {
    /// What is written may be many times as long as what came: `{}` becomes
    /// `{"tags":{},"values":{}}`.
    #[error("the row is above {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the report can not be written as JSON")]
    Json(#[source] serde_json::Error),
}

impl Row {
    pub(crate) fn server(server: Server, limit: usize) -> Result<Self, RowError> {
        let ids = Ids::of_server(&server);
        let Server { cluster_id, server_id, host, product, version, .. } = server;
        let body = Body::Server { cluster_id, server_id, host, version };
        let row = Self { product, ids, body };
        if row.bytes() > limit { Err(RowError::TooLarge { limit }) } else { Ok(row) }
    }

    pub(crate) fn stats(stats: Stats, limit: usize) -> Result<Self, RowError> {
        let ids = Ids::of_stats(&stats);
        let Stats { product, cluster_id, server_id, data, .. } = stats;
        let data = json(&data, product.len() + cluster_id.len() + server_id.len(), limit)?;
        Ok(Self { product, ids, body: Body::Stats { cluster_id, server_id, data } })
    }

    pub(crate) fn usage(usage: Usage, limit: usize) -> Result<Self, RowError> {
        let ids = Ids::of_usage(&usage);
        let Usage { product, data, .. } = usage;
        let data = json(&data, product.len(), limit)?;
        Ok(Self { product, ids, body: Body::Usage { data } })
    }

    /// The size of its texts, less the ids, which it repeats.
    pub(crate) fn bytes(&self) -> usize {
        self.product.len() + self.body.bytes()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.body.kind()
    }
}

impl Body {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Server { .. } => Kind::Server,
            Self::Stats { .. } => Kind::Stats,
            Self::Usage { .. } => Kind::Usage,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let texts: &[&String] = match self {
            Self::Server { cluster_id, server_id, host, version } => {
                &[cluster_id, server_id, host, version]
            }
            Self::Stats { cluster_id, server_id, data } => &[cluster_id, server_id, data],
            Self::Usage { data } => &[data],
        };
        texts.iter().map(|text| text.len()).sum()
    }
}

/// Writes JSON, and stops where it and the `others` of its row would be above the limit.
fn json(data: &impl Serialize, others: usize, limit: usize) -> Result<String, RowError> {
    let mut writer = Capped { text: Vec::new(), left: limit.saturating_sub(others) };
    match serde_json::to_writer(&mut writer, data) {
        Ok(()) => {}
        // It writes to memory: there is one way only in which this can fail.
        Err(error) if error.is_io() => return Err(RowError::TooLarge { limit }),
        Err(error) => return Err(RowError::Json(error)),
    }
    // Rows wait, and what was set aside while they grew would wait with them.
    writer.text.shrink_to_fit();
    String::from_utf8(writer.text).map_err(|error| RowError::Json(serde::ser::Error::custom(error)))
}

struct Capped {
    text: Vec<u8>,
    left: usize,
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or(io::ErrorKind::FileTooLarge)?;
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use usage_proto::{Server, Stats, StatsData, Usage, UsageData};

    use super::{Row, RowError};

    /// The limit is for all columns of a row together, and a row at the limit is taken.
    #[test]
    fn a_row_has_a_limit() {
        let item = || UsageData::new().tag("os", "linux").value("a", 1);
        let rows: [&dyn Fn(usize) -> Result<Row, RowError>; 3] = [
            &|limit| Row::server(Server::new().host("h").product("p").version("1"), limit),
            &|limit| {
                let data = StatsData::new("engine").value("a", 0.5);
                Row::stats(Stats::new("p").cluster_id("c").server_id("s").data(data), limit)
            },
            &|limit| Row::usage(Usage::new("p").data(item()).data(item()), limit),
        ];
        for row in rows {
            let size = row(usize::MAX).unwrap().bytes();
            assert_eq!(row(size).unwrap().bytes(), size);
            for limit in [0, 1, size - 1] {
                let error = row(limit).unwrap_err();
                assert!(matches!(error, RowError::TooLarge { .. }), "{limit}: {error:?}");
            }
        }
    }
}
