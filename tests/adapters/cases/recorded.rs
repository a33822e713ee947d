//! Every recorded answer: what the original Go client was seen to make of it, or what a rule says.
//!
//! What has to come of a case here is read off the recording by the text of the rules, without the
//! core. A case whose outcome is neither Go's nor that of a rule stops the suite.

mod go;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use testkit::outcome::{
    Outcome, Refusal, incomplete, redirect, refused, saved, sent, simple, unexpected,
};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::{Deadlines, Error, Saved, Server, TransportErrorKind};

use super::bodies::without_a_length;
use crate::adapter::Client;
use crate::case::{Case, Difference, Expected, malformed, same};
use crate::exchange;

const FIXTURE: &str = include_str!("../../fixtures/go-responses.jsonl");

/// The statuses that the Go client follows (W37).
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// Where redirects to another host lead in the recording.
const OTHER: &str = "localhost:39001";

const THEN_201: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
const THEN_401: &str =
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 17\r\n\r\n{\"error\":\"oops!\"}";

#[derive(Deserialize)]
struct Recorded {
    name: String,
    /// What the server wrote, or what it did in words.
    raw_response: String,
    body: String,
    status: Value,
    go_status: Option<u16>,
    go_error_type: Option<String>,
    go_error_text: Option<String>,
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = FIXTURE
        .lines()
        .map(|line| {
            let recorded: Recorded = serde_json::from_str(line).unwrap();
            let expected = recorded.by_adapter();
            let rule = match go::rule(&recorded) {
                None => "the same as the Go client".to_owned(),
                Some(rule) => format!("another than the Go client, by W{rule}"),
            };
            let row = match &expected {
                Expected::Same(_) => format!("recorded: {rule}"),
                // A row of its own for what is a finer point in it.
                Expected::Each(_) if recorded.first_status().is_none() => {
                    format!("recorded: a malformed head, {rule}")
                }
                Expected::Each(outcomes) => {
                    format!("recorded: {}, no length, {rule}", outcomes[1].in_words())
                }
            };
            let (name, recorded) = (format!("recorded: {}", recorded.name), Arc::new(recorded));
            let in_loop = Arc::clone(&recorded);
            Case::expecting(name, expected, move |adapter, expected| {
                play(&recorded, expected, |server, payload| {
                    let deadlines = Deadlines::new().total(PATIENCE);
                    Client::new(adapter, &server.url(), deadlines).save(payload)
                })
            })
            .in_loop(move || {
                let expected = in_loop.expected(None);
                play(&in_loop, &expected, |server, payload| {
                    exchange::save(server.address(), Deadlines::new().total(PATIENCE), payload)
                })
            })
            .in_row(row)
        })
        .collect();
    cases.sort_by(|one, other| one.row.cmp(&other.row));
    let mut rows = BTreeMap::new();
    for case in &cases {
        *rows.entry(case.row.rsplit(' ').next().unwrap_or_default()).or_insert(0) += 1;
    }
    let known = [
        ("client", 72),
        ("W32", 108),
        ("W33", 27),
        ("W34", 4),
        ("W35", 1),
        ("W37", 35),
        ("W40", 10),
        ("W46", 9),
    ];
    assert_eq!(rows, BTreeMap::from(known), "as many as there were");
    cases
}

fn play(
    recorded: &Recorded,
    expected: &Outcome,
    save: impl FnOnce(&ScriptedServer, &Server) -> Result<Saved, Error>,
) -> Result<(), Difference> {
    let other = ScriptedServer::start([Script::answer(THEN_201)]);
    let raw = recorded.raw_response.replace(OTHER, &other.address().to_string());
    let server = ScriptedServer::start(recorded.scripts(&raw));
    let result = save(&server, &Server::new().cluster_id("clus1").product("influxdb"));
    // Where a redirect leads is known here.
    let led = recorded.expected(Some(other.address()));
    let expected = if recorded.expected(None) == *expected { &led } else { expected };
    same("the outcome", &Outcome::of(&result), expected)?;
    same("requests", &(server.finish().len(), other.connections()), &(1, 0))
}

impl Recorded {
    /// What the server does: the recorded bytes, or the recorded words turned into steps. A second
    /// script is for a client that follows a redirect.
    fn scripts(&self, raw: &str) -> Vec<Script> {
        let head =
            |length| format!("HTTP/1.1 {} X\r\nContent-Length: {length}\r\n\r\n", self.status);
        let first = Script::new().read_request();
        match raw {
            "head + 8 bytes then RST" => {
                vec![first.send(head(17)).send(self.body.clone()).reset()]
            }
            "head, 500 ms pause, body" => {
                let pause = Duration::from_millis(500);
                vec![first.send(head(self.body.len())).pause(pause).send(self.body.clone())]
            }
            _ => match raw.split_once("=> ") {
                Some((raw, "201 {}")) => vec![first.send(raw.to_owned()), Script::answer(THEN_201)],
                Some((raw, "401")) => vec![first.send(raw.to_owned()), Script::answer(THEN_401)],
                Some((_, then)) => panic!("{}: what is `=> {then}`?", self.name),
                None => vec![first.send(raw.to_owned())],
            },
        }
    }

    /// What has to come of it with each adapter.
    fn by_adapter(&self) -> Expected {
        let expected = self.expected(None);
        if expected == sent(TransportErrorKind::Protocol) {
            return malformed();
        }
        let head = self.raw_response.to_ascii_lowercase();
        let ends_with_the_connection = !head.contains("content-length")
            && !head.contains("transfer-encoding")
            && head.starts_with("http/1.");
        match self.first_status() {
            Some(status @ (200..=203 | 205..=299))
                if ends_with_the_connection && !self.breaks_off() =>
            {
                without_a_length(status, &self.arrived())
            }
            _ => expected.into(),
        }
    }

    /// What has to come of it. `other` is where the other host is now.
    fn expected(&self, other: Option<SocketAddr>) -> Outcome {
        let Some(status) = self.first_status() else {
            // W40: closed without a word, or with words that are no head.
            return sent(match self.raw_response.as_str() {
                "" => TransportErrorKind::Interrupted,
                _ => TransportErrorKind::Protocol,
            });
        };
        let arrived = self.arrived();
        match status {
            200..300 if self.breaks_off() => incomplete(status, arrived),
            200..300 => saved(status, arrived),
            _ if REDIRECTS.contains(&status) => {
                refused(status, redirect(self.location(other).as_deref()))
            }
            // W37: 300 and 304 are unexpected, whatever their body says.
            300..400 => refused(status, unexpected(&arrived)),
            _ => refused(status, self.told(&arrived)),
        }
    }

    /// What an error says. W34: the shape decides, not the status.
    fn told(&self, arrived: &str) -> Refusal {
        let body: Value = serde_json::from_str(arrived).unwrap_or_default();
        match (body["error"].as_str(), body["errors"].as_object()) {
            (message, Some(fields)) => Refusal::Validation {
                message: message.map(str::to_owned),
                errors: fields.iter().map(|(field, told)| (field.clone(), texts(told))).collect(),
            },
            (Some(text), None) => simple(text),
            // W36: what the Go client reads is read.
            (None, None) => match go::seen(self) {
                go::Seen::Simple(_, text) if !text.is_empty() => simple(&text),
                go::Seen::Validation(_, errors) if !errors.is_empty() => {
                    Refusal::Validation { message: None, errors }
                }
                _ => unexpected(arrived),
            },
        }
    }

    /// The status of the first head that is no interim answer; `None` if there is no such head.
    fn first_status(&self) -> Option<u16> {
        let text = match &self.status {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let in_words = self.raw_response.contains("RST") || self.raw_response.contains("pause");
        let http_1 = in_words || self.raw_response.contains("HTTP/1.");
        text.parse().ok().filter(|status| (100..1000).contains(status) && text.len() == 3 && http_1)
    }

    /// Whether the framing of the recorded answer promises more than was sent.
    fn breaks_off(&self) -> bool {
        let framing = ["_truncated", "_bad_size", "_too_long", "_cut_mid_json", "_zero_bytes_sent"];
        let named = self.raw_response.contains("chunked") || self.raw_response.contains("Length");
        let by_framing = named && framing.iter().any(|end| self.name.ends_with(end));
        by_framing || self.name.ends_with("_rst_mid_body")
    }

    /// What the client gets of the body.
    fn arrived(&self) -> String {
        let without_body = [101, 204, 304].map(|status| self.status == status).contains(&true);
        if without_body || self.name.ends_with("_bad_size") {
            return String::new();
        }
        let length = self.raw_response.split("Content-Length: ").nth(1);
        let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        let end = length.unwrap_or(usize::MAX).min(self.body.len());
        self.body[..end].to_owned()
    }

    /// No location of the fixture has user information, a query or a fragment.
    fn location(&self, other: Option<SocketAddr>) -> Option<String> {
        let mut lines = self.raw_response.split("\r\n");
        let location = lines.find_map(|line| line.strip_prefix("Location: "))?;
        let other = other.map_or_else(|| OTHER.to_owned(), |other| other.to_string());
        Some(location.replace(OTHER, &other)).filter(|location| !location.is_empty())
    }
}

/// W35: a list of texts, one text, or anything else as its JSON text.
fn texts(told: &Value) -> Vec<String> {
    match told {
        Value::Array(list) => {
            list.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
        }
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}
