//! `export`: reports as lines, from a database that servers may be writing to.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;
use usage_proto::Payload;
use usage_server::Stored;

use crate::cli::{ExportArgs, ExportFormat};
use crate::failure::Failure;
use crate::{output, terminal_text};

/// The version of both formats. What reads them may rely on what docs/export.md says of it.
const VERSION: u32 = 1;

/// The columns of CSV.
const COLUMNS: [&str; 12] = [
    "export_version",
    "position",
    "received_at",
    "kind",
    "product",
    "organisation",
    "instance",
    "cluster_id",
    "server_id",
    "host",
    "version",
    "data",
];

pub(crate) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let store = args.database.open()?;
    let rows = store.reports(args.selection());
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    match args.format {
        ExportFormat::Ndjson => {
            let head = Head { format: "usage-export", version: VERSION };
            out.write_all(&output::json_line(&head)?)?;
            for row in rows {
                let row = row.map_err(Failure::server)?;
                out.write_all(&output::json_line(&Line::from(&row))?)?;
            }
        }
        ExportFormat::Csv => {
            let is_seen = io::stdout().is_terminal();
            write!(out, "{}\r\n", COLUMNS.join(","))?;
            for row in rows {
                let line = csv_line(&cells(row.map_err(Failure::server)?)?);
                let line = if is_seen { terminal_text::escape(&line) } else { line };
                write!(out, "{line}\r\n")?;
            }
        }
    }
    Ok(out.flush()?)
}

#[derive(Serialize)]
struct Head {
    format: &'static str,
    version: u32,
}

/// One report; `report` is the body that the API takes.
#[derive(Serialize)]
struct Line<'a> {
    position: i64,
    received_at: &'a str,
    kind: &'static str,
    product: &'a str,
    organisation: Option<&'a str>,
    instance: Option<&'a str>,
    report: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Server(&'a usage_proto::Server),
    Stats(&'a usage_proto::Stats),
    Usage(&'a usage_proto::Usage),
    /// A payload that the protocol knows and this version of the command does not.
    Unknown,
}

impl<'a> From<&'a Stored<Payload>> for Line<'a> {
    fn from(row: &'a Stored<Payload>) -> Self {
        let (kind, product, report) = match &row.report {
            Payload::Server(server) => ("server", &*server.product, Body::Server(server)),
            Payload::Stats(stats) => ("stats", &*stats.product, Body::Stats(stats)),
            Payload::Usage(usage) => ("usage", &*usage.product, Body::Usage(usage)),
            _ => ("unknown", "", Body::Unknown),
        };
        Self {
            position: row.position,
            received_at: &row.received_at,
            kind,
            product,
            organisation: row.organisation.as_deref(),
            instance: row.instance.as_deref(),
            report,
        }
    }
}

/// The cells of a line, in the order of the columns.
fn cells(row: Stored<Payload>) -> Result<[String; 12], Failure> {
    let nothing = String::new;
    let (kind, product, [cluster_id, server_id, host, version], data) = match row.report {
        Payload::Server(server) => {
            let ids = [server.cluster_id, server.server_id, server.host, server.version];
            ("server", server.product, ids, nothing())
        }
        Payload::Stats(stats) => {
            let ids = [stats.cluster_id, stats.server_id, nothing(), nothing()];
            ("stats", stats.product, ids, json(&stats.data)?)
        }
        Payload::Usage(usage) => {
            let ids = [nothing(), nothing(), nothing(), nothing()];
            ("usage", usage.product, ids, json(&usage.data)?)
        }
        _ => ("unknown", nothing(), [nothing(), nothing(), nothing(), nothing()], nothing()),
    };
    Ok([
        VERSION.to_string(),
        row.position.to_string(),
        row.received_at,
        kind.to_owned(),
        product,
        row.organisation.unwrap_or_default(),
        row.instance.unwrap_or_default(),
        cluster_id,
        server_id,
        host,
        version,
        data,
    ])
}

fn json(data: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(data).map_err(|error| Failure::Output(error.into()))
}

/// A cell is quoted where it has to be (RFC 4180).
fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains(['"', ',', '\r', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::csv_line;

    #[test]
    fn a_cell_is_quoted_where_it_has_to_be() {
        let cells = ["plain", "", "a,b", "say \"so\"", "two\nlines", "é"].map(str::to_owned);
        assert_eq!(csv_line(&cells), "plain,,\"a,b\",\"say \"\"so\"\"\",\"two\nlines\",é");
    }
}
