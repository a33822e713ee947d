//! The demo as one object for scripts.

use http::HeaderMap;
use serde::Serialize;
use usage_proto::{Server, Stats, Usage, UsageData};
use usage_server::Stored;

use super::play::{Exchange, ORGANISATION, Played};
use crate::outcome::Outcome;
use crate::text;
use crate::wire::{Wire, WireObject};

#[derive(Serialize)]
pub(super) struct Object<'a> {
    url: &'a str,
    transport: &'static str,
    registration: Registered<'a>,
    exchanges: Vec<Exchanged>,
    stored: Rows<'a>,
}

#[derive(Serialize)]
struct Registered<'a> {
    url: &'a str,
    organisation: &'static str,
}

#[derive(Serialize)]
struct Exchanged {
    title: &'static str,
    request: WireObject,
    answer: Answer,
    result: Outcome,
}

#[derive(Serialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Serialize)]
struct Rows<'a> {
    servers: Vec<Row<'a, &'a Server>>,
    stats: Vec<Row<'a, StatsRow<'a>>>,
    usage: Vec<Row<'a, UsageRow<'a>>>,
}

#[derive(Serialize)]
struct Row<'a, T> {
    id: i64,
    received_at: &'a str,
    organisation: Option<&'a str>,
    #[serde(flatten)]
    report: T,
}

/// The product is no part of a body, but one of a row.
#[derive(Serialize)]
struct StatsRow<'a> {
    product: &'a str,
    #[serde(flatten)]
    stats: &'a Stats,
}

#[derive(Serialize)]
struct UsageRow<'a> {
    product: &'a str,
    data: &'a [UsageData],
}

impl<'a> From<&'a Played> for Object<'a> {
    fn from(played: &'a Played) -> Self {
        let exchanged = |exchange: &Exchange| Exchanged {
            title: exchange.question.title,
            request: Wire::new(&exchange.question.request, played.transport, false).to_object(),
            answer: answer(exchange),
            result: match &exchange.result {
                Ok(saved) => Outcome::saved(saved, Some(&exchange.question.token)),
                Err(error) => Outcome::refused(error),
            },
        };
        Self {
            url: &played.url,
            transport: played.transport.name(),
            registration: Registered { url: &played.registration_url, organisation: ORGANISATION },
            exchanges: played.exchanges.iter().map(exchanged).collect(),
            stored: Rows {
                servers: rows(&played.stored.servers, |server| server),
                stats: rows(&played.stored.stats, |stats| StatsRow {
                    product: &stats.product,
                    stats,
                }),
                usage: rows(&played.stored.usage, |usage: &Usage| UsageRow {
                    product: &usage.product,
                    data: &usage.data,
                }),
            },
        }
    }
}

fn rows<'a, T, R>(stored: &'a [Stored<T>], report: impl Fn(&'a T) -> R) -> Vec<Row<'a, R>> {
    let row = |row: &'a Stored<T>| Row {
        id: row.id,
        received_at: &row.received_at,
        organisation: row.organisation.as_deref(),
        report: report(&row.report),
    };
    stored.iter().map(row).collect()
}

fn answer(exchange: &Exchange) -> Answer {
    let redact = |bytes: &[u8]| {
        text::redact(&String::from_utf8_lossy(bytes), Some(&exchange.question.token))
    };
    let headers = |headers: &HeaderMap| {
        let header =
            headers.iter().map(|(name, value)| (name.to_string(), redact(value.as_bytes())));
        header.collect()
    };
    Answer {
        status: exchange.answer.status().as_u16(),
        headers: headers(exchange.answer.headers()),
        body: redact(exchange.answer.body()),
    }
}
