//! The rows of the database, as tables.

use serde::Serialize;
use usage_proto::{Tags, Values};
use usage_server::Stored;

use super::play::Tables;
use crate::{table, terminal_text};

/// What a line may be long.
const WIDTH: usize = 66;

/// The lines that show what is stored: a title in front of each table.
pub(super) fn lines(stored: &Tables) -> Vec<(&'static str, Vec<String>)> {
    let servers = stored.servers.iter().map(|row| {
        let server = &row.report;
        let cells =
            [&server.cluster_id, &server.server_id, &server.host, &server.product, &server.version];
        (cells.map(String::clone).to_vec(), Vec::new())
    });
    let stats = stored.stats.iter().map(|row| {
        let stats = &row.report;
        let names: Vec<&str> = stats.data.iter().map(|data| data.name.as_str()).collect();
        let cells = vec![
            stats.cluster_id.clone(),
            stats.server_id.clone(),
            stats.product.clone(),
            names.join(" "),
        ];
        let details = stats.data.iter().flat_map(|data| details(&data.tags, &data.values));
        (cells, details.collect())
    });
    let usage = stored.usage.iter().map(|row| {
        let details = row.report.data.iter().flat_map(|data| details(&data.tags, &data.values));
        (vec![row.report.product.clone()], details.collect())
    });
    vec![
        (
            "servers",
            table(
                &["cluster_id", "server_id", "host", "product", "version"],
                &stored.servers,
                servers,
            ),
        ),
        ("stats", table(&["cluster_id", "server_id", "product", "name"], &stored.stats, stats)),
        ("usage", table(&["product"], &stored.usage, usage)),
    ]
}

/// A heading, and for each row its cells and the lines below them.
fn table<T>(
    names: &[&str],
    stored: &[Stored<T>],
    rows: impl Iterator<Item = (Vec<String>, Vec<String>)>,
) -> Vec<String> {
    let heading = ["id", "organisation"].iter().chain(names).map(ToString::to_string).collect();
    let (cells, mut details): (Vec<_>, Vec<_>) = stored
        .iter()
        .zip(rows)
        .map(|(row, (cells, details))| {
            let whose = row.organisation.clone().unwrap_or_else(|| "none".to_owned());
            let mut all = vec![row.position.to_string(), whose];
            all.extend(cells);
            (all, details)
        })
        .unzip();
    let aligned = table::align(&[vec![heading], cells].concat());
    details.insert(0, Vec::new());
    let rows = aligned.into_iter().zip(details);
    rows.flat_map(|(row, details)| std::iter::once(row).chain(details)).collect()
}

fn details(tags: &Tags, values: &Values) -> Vec<String> {
    let tags = pairs(tags);
    let values = pairs(values);
    [("tags", tags), ("values", values)]
        .into_iter()
        .flat_map(|(name, pairs)| {
            let pieces = terminal_text::wrap(&pairs, WIDTH).into_iter().map(str::trim_end);
            let lines = pieces.enumerate().map(move |(index, piece)| {
                let name = if index == 0 { name } else { "" };
                format!("    {name:6}  {piece}")
            });
            lines.collect::<Vec<_>>()
        })
        .collect()
}

/// `name=value` for each, the value in JSON.
fn pairs<'a, V: Serialize + 'a>(pairs: impl IntoIterator<Item = (&'a String, &'a V)>) -> String {
    let shown = pairs.into_iter().map(|(name, value)| {
        // What was stored as JSON can be written as JSON.
        let value = serde_json::to_string(value).unwrap_or_default();
        terminal_text::escape(&format!("{name}={value}"))
    });
    shown.collect::<Vec<_>>().join(" ")
}
