//! `summary`: who reported, and with what.

use std::collections::BTreeMap;

use serde::Serialize;
use usage_server::{Kind, Shares, Store, Summary};

use crate::cli::SummaryArgs;
use crate::failure::Failure;
use crate::plural::counted;
use crate::{moment, output, table, terminal_text};

pub(crate) fn run(args: &SummaryArgs, json: bool) -> Result<(), Failure> {
    let store = args.database.open()?;
    let summaries = store.summary(args.since, args.product.as_deref()).map_err(Failure::server)?;
    let refused = Refused::read(&store, args)?;
    let since = moment::text(args.since);
    if json {
        let products = summaries.iter().map(Entry::from).collect();
        return Ok(output::json(&Object { since: &since, products, refused })?);
    }
    output::line(&format!("since {since}"))?;
    if summaries.is_empty() {
        output::line("nothing was reported")?;
    }
    for lines in summaries.iter().map(lines).chain(refused.lines()) {
        output::line("")?;
        for line in lines {
            output::line(&terminal_text::escape(&line))?;
        }
    }
    Ok(())
}

/// Requests that were refused. Most of them are about no product, since nobody has read them.
#[derive(Serialize)]
struct Refused {
    /// Whole days are counted, in UTC.
    since: String,
    requests: u64,
    reasons: BTreeMap<String, u64>,
}

impl Refused {
    fn read(store: &Store, args: &SummaryArgs) -> Result<Self, Failure> {
        let reasons = store.refusals(args.since).map_err(Failure::server)?;
        let mut since = moment::text(args.since);
        since.truncate("2026-11-27".len());
        Ok(Self { since, requests: reasons.values().sum(), reasons })
    }

    /// The most frequent first; nothing if nothing was refused.
    fn lines(&self) -> Option<Vec<String>> {
        if self.reasons.is_empty() {
            return None;
        }
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by(|one, other| other.1.cmp(one.1).then_with(|| one.0.cmp(other.0)));
        let rows: Vec<_> = reasons
            .into_iter()
            .map(|(reason, count)| {
                let percent = percent(*count, self.requests);
                vec![format!("  {reason}"), count.to_string(), percent]
            })
            .collect();
        let mut lines = table::align(&rows);
        let requests = counted(self.requests, "request");
        lines.insert(0, format!("refused since {}, of all products: {requests}", self.since));
        Some(lines)
    }
}

fn lines(summary: &Summary) -> Vec<String> {
    let mut rows = vec![
        vec![summary.product.clone()],
        row("reports", &reports(&summary.reports)),
        row("active", &active(summary)),
    ];
    if summary.without_id > 0 {
        rows.push(row("without an id", &summary.without_id.to_string()));
    }
    for (name, shares) in
        [("version", &summary.versions), ("os", &summary.os), ("arch", &summary.arch)]
    {
        rows.extend(share_rows(name, shares, summary.active));
    }
    let head = rows.remove(0).concat();
    let mut lines = table::align(&rows);
    lines.insert(0, head);
    lines
}

fn row(name: &str, what: &str) -> Vec<String> {
    vec![format!("  {name}"), what.to_owned()]
}

fn reports(reports: &BTreeMap<Kind, u64>) -> String {
    let each = reports.iter().map(|(kind, count)| format!("{count} {kind}"));
    each.collect::<Vec<_>>().join(", ")
}

fn active(summary: &Summary) -> String {
    let Summary { active, new, .. } = summary;
    let what = if summary.ids_are_stable { "instance" } else { "start" };
    let note = if summary.ids_are_stable { "" } else { " (each has an id of its own)" };
    format!("{}{note}, {new} new", counted(*active, what))
}

fn share_rows(name: &str, shares: &Shares, all: u64) -> Vec<Vec<String>> {
    let mut each: Vec<(&str, u64)> =
        shares.top.iter().map(|(text, count)| (text.as_str(), *count)).collect();
    each.extend([("(others)", shares.others), ("(not said)", shares.unknown)]);
    each.retain(|(_, count)| *count > 0);
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    let rows = each.into_iter().zip(names).map(|((text, count), name)| {
        vec![format!("  {name}"), text.to_owned(), count.to_string(), percent(count, all)]
    });
    rows.collect()
}

/// Rounded to the nearest: the table is for people.
fn percent(count: u64, all: u64) -> String {
    format!("{} %", (count * 200 + all) / (all * 2).max(1))
}

#[derive(Serialize)]
struct Object<'a> {
    since: &'a str,
    products: Vec<Entry<'a>>,
    refused: Refused,
}

#[derive(Serialize)]
struct Entry<'a> {
    product: &'a str,
    reports: BTreeMap<&'static str, u64>,
    active: u64,
    new: u64,
    ids_are_stable: bool,
    without_id: u64,
    versions: List<'a>,
    os: List<'a>,
    arch: List<'a>,
}

#[derive(Serialize)]
struct List<'a> {
    top: Vec<Share<'a>>,
    others: u64,
    unknown: u64,
}

#[derive(Serialize)]
struct Share<'a> {
    name: &'a str,
    instances: u64,
}

impl<'a> From<&'a Summary> for Entry<'a> {
    fn from(summary: &'a Summary) -> Self {
        Self {
            product: &summary.product,
            reports: summary.reports.iter().map(|(kind, count)| (kind.as_str(), *count)).collect(),
            active: summary.active,
            new: summary.new,
            ids_are_stable: summary.ids_are_stable,
            without_id: summary.without_id,
            versions: (&summary.versions).into(),
            os: (&summary.os).into(),
            arch: (&summary.arch).into(),
        }
    }
}

impl<'a> From<&'a Shares> for List<'a> {
    fn from(shares: &'a Shares) -> Self {
        let share = |(name, instances): &'a (String, u64)| Share { name, instances: *instances };
        let top = shares.top.iter().map(share).collect();
        Self { top, others: shares.others, unknown: shares.unknown }
    }
}
