//! What the client makes of answers, each served over a socket and read through an adapter.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use usage_proto::{
    Api, BaseUrl, Error, ResponseError, ResponseErrorKind, Saved, Server, TransportErrorKind,
};
use usage_tests::oracle::text::check_excerpt;
use usage_tests::scripted::{Script, ScriptedServer};

use super::{Tally, Verdict, cases};

const FIXTURE: &str = include_str!("../../fixtures/go-responses.jsonl");

/// The statuses that the Go client follows (W37).
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

#[derive(Deserialize)]
struct Case {
    name: String,
    /// What the server wrote, or what it did in words.
    raw_response: String,
    body: String,
    status: Value,
    go_status: Option<u16>,
    go_error_type: Option<String>,
    go_error_text: Option<String>,
}

/// What the Go client returned.
#[derive(Debug)]
enum Go {
    Success(u16),
    Simple(u16, String),
    Validation(u16, BTreeMap<String, Vec<String>>),
    /// An error about the body: the status is not in it.
    Lost,
    NoAnswer,
}

/// What came of a case here.
struct Outcome {
    saved: Result<Saved, Error>,
    /// Whether the client made another request than the one that it was asked for.
    followed: bool,
}

#[test]
fn recorded_answers_mean_the_same_as_to_the_go_client_or_what_a_rule_says() {
    // W32, W33, W34, W35, W37, W40, W46
    let rules = [(32, 108), (33, 27), (34, 4), (35, 1), (37, 35), (40, 10), (46, 9)];
    let mut tally = Tally::default();
    for case in cases::<Case>(FIXTURE) {
        let outcome = play(&case);
        tally.add(&case.name, judge(&case, &outcome));
    }
    tally.close("recorded answers", 72, &rules);
}

/// Serves the answer and saves something.
fn play(case: &Case) -> Outcome {
    // Where a redirect to another host leads.
    let other = ScriptedServer::start([Script::answer(THEN_201)]);
    let recorded = "localhost:39001";
    let raw = case.raw_response.replace(recorded, &other.address().to_string());
    let server = ScriptedServer::start(scripts(case, &raw));
    let api = Api::new(BaseUrl::new(&server.url()).unwrap());
    let client = usage_ureq::Client::new(api).unwrap();
    let saved = client.save(&Server::new().cluster_id("clus1").product("influxdb"));
    let requests = server.finish().len() + other.finish().len();
    Outcome { saved, followed: requests != 1 }
}

const THEN_201: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
const THEN_401: &str =
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 17\r\n\r\n{\"error\":\"oops!\"}";

/// What the server does: the recorded bytes, or the recorded words turned into steps. A second
/// script is for a client that follows a redirect.
fn scripts(case: &Case, raw: &str) -> Vec<Script> {
    let head = |length| format!("HTTP/1.1 {} X\r\nContent-Length: {length}\r\n\r\n", case.status);
    let first = Script::new().read_request();
    match raw {
        "head + 8 bytes then RST" => {
            vec![first.send(head(17)).send(case.body.clone()).reset()]
        }
        "head, 500 ms pause, body" => {
            let pause = Duration::from_millis(500);
            vec![first.send(head(case.body.len())).pause(pause).send(case.body.clone())]
        }
        _ => match raw.split_once("=> ") {
            Some((raw, "201 {}")) => vec![first.send(raw.to_owned()), Script::answer(THEN_201)],
            Some((raw, "401")) => vec![first.send(raw.to_owned()), Script::answer(THEN_401)],
            Some((_, then)) => panic!("{}: what is `=> {then}`?", case.name),
            None => vec![first.send(raw.to_owned())],
        },
    }
}

impl Case {
    fn go(&self) -> Result<Go, String> {
        let text = self.go_error_text.clone().unwrap_or_default();
        let status = self.go_status.ok_or("no status");
        Ok(match self.go_error_type.as_deref() {
            None => Go::Success(status?),
            Some("client.SimpleError") => Go::Simple(status?, text),
            Some("client.ValidationErrors") => Go::Validation(status?, validation(&text)?),
            Some("*url.Error") => Go::NoAnswer,
            Some("*errors.errorString" | "*net.OpError") => Go::Lost,
            Some(other) if other.starts_with("*json.") => Go::Lost,
            Some(other) => return Err(format!("the Go type {other}")),
        })
    }

    /// The status of the first head that is no interim answer; `None` if there is no such head.
    fn first_status(&self) -> Option<u16> {
        let text = match &self.status {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        text.parse().ok().filter(|status| (100..1000).contains(status) && text.len() == 3)
    }

    /// Whether the framing of the recorded answer promises more than was sent.
    fn breaks_off(&self) -> bool {
        let framing = ["_truncated", "_bad_size", "_too_long", "_cut_mid_json", "_zero_bytes_sent"];
        let named = self.raw_response.contains("chunked") || self.raw_response.contains("Length");
        let by_framing = named && framing.iter().any(|end| self.name.ends_with(end));
        by_framing || self.name.ends_with("_rst_mid_body")
    }
}

/// `{"errors":{…}}` as the Go type prints itself; `null` is empty.
fn validation(text: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    #[derive(Deserialize)]
    struct Printed {
        errors: Option<BTreeMap<String, Option<Vec<String>>>>,
    }
    let printed: Printed = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let fields = printed.errors.unwrap_or_default().into_iter();
    Ok(fields.map(|(field, texts)| (field, texts.unwrap_or_default())).collect())
}

fn judge(case: &Case, outcome: &Outcome) -> Result<Verdict, String> {
    if outcome.followed {
        return Err("W37: the client has made another request".to_owned());
    }
    let go = case.go()?;
    let verdict = match &outcome.saved {
        Ok(saved) => judge_saved(case, &go, saved),
        Err(Error::Response(error)) => judge_refused(case, &go, error),
        Err(Error::Transport(error)) => {
            let kind = if case.raw_response.is_empty() {
                TransportErrorKind::Interrupted
            } else {
                TransportErrorKind::Protocol
            };
            // Go takes a status that is no number of three digits, and any version of HTTP.
            let no_head = matches!(go, Go::NoAnswer | Go::Success(_))
                && (case.first_status().is_none() || !case.raw_response.contains("HTTP/1."));
            (no_head && error.kind() == kind && error.may_have_been_sent())
                .then(|| Verdict::rule(40))
        }
        Err(_) => None,
    };
    verdict.ok_or_else(|| format!("Go: {go:?}; here: {:?}", outcome.saved))
}

/// A success is one for the Go client too.
fn judge_saved(case: &Case, go: &Go, saved: &Saved) -> Option<Verdict> {
    let Go::Success(status) = go else { return None };
    let bytes = saved.body();
    let right = saved.status().as_u16() == *status
        && saved.status().is_success()
        && bytes == arrived(case).as_bytes()
        && (case.breaks_off() != saved.is_complete());
    right.then_some(Verdict::SAME)
}

fn judge_refused(case: &Case, go: &Go, error: &ResponseError) -> Option<Verdict> {
    let status = error.status.as_u16();
    if case.first_status() != Some(status) {
        return None;
    }
    match (go, &error.kind) {
        (Go::Simple(found, text), ResponseErrorKind::Simple(ours))
            if *found == status && *text == ours.message =>
        {
            return Some(Verdict::SAME);
        }
        (Go::Validation(found, fields), ResponseErrorKind::Validation(ours))
            if *found == status && *fields == ours.errors && ours.message.is_none() =>
        {
            return Some(Verdict::SAME);
        }
        _ => {}
    }
    let arrived = arrived(case);
    let promised = promised(case, &arrived, error);
    let rule = match go {
        _ if REDIRECTS.contains(&status) => 37,
        Go::Success(_) => 32,
        _ if case.breaks_off() => 46,
        _ => match &error.kind {
            ResponseErrorKind::Unexpected { .. } => 33,
            // Go knows one shape for each status, and no other form of a message.
            _ if matches!(go, Go::Simple(..) | Go::Validation(..)) => 34,
            ResponseErrorKind::Validation(_) => 35,
            _ => return None,
        },
    };
    promised.then(|| Verdict::rule(rule))
}

/// What the client gets of the body.
fn arrived(case: &Case) -> String {
    let without_body = [101, 204, 304].map(|status| case.status == status).contains(&true);
    if without_body || case.name.ends_with("_bad_size") {
        return String::new();
    }
    let length = case.raw_response.split("Content-Length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
    let end = length.unwrap_or(usize::MAX).min(case.body.len());
    case.body[..end].to_owned()
}

/// Whether the outcome is what the rules promise for this status and body.
fn promised(case: &Case, arrived: &str, error: &ResponseError) -> bool {
    let status = error.status.as_u16();
    let retryable = [408, 425, 429, 500, 502, 503, 504].contains(&status);
    let redirect = REDIRECTS.contains(&status);
    let is_redirect = matches!(error.kind, ResponseErrorKind::Redirect { .. });
    if error.is_retryable() != retryable || is_redirect != redirect {
        return false;
    }
    if let ResponseErrorKind::Redirect { location, .. } = &error.kind {
        // No location of the fixture has user information, a query or a fragment.
        let mut lines = case.raw_response.split("\r\n");
        let header = lines.find_map(|line| line.strip_prefix("Location: "));
        let recorded = header.map(|text| text.split("localhost:39001").collect::<Vec<_>>());
        return match (location.as_deref(), recorded.as_deref()) {
            (None, None | Some([""])) => true,
            (Some(location), Some([before, after])) => {
                location.starts_with(before) && location.ends_with(after)
            }
            (Some(location), Some([whole])) => location == *whole,
            _ => false,
        };
    }
    let body: Value = if error.status.is_redirection() {
        // W37: 300 and 304 are unexpected, whatever their body says.
        Value::Null
    } else {
        serde_json::from_str(arrived).unwrap_or_default()
    };
    match (&error.kind, body["error"].as_str(), body["errors"].as_object()) {
        (ResponseErrorKind::Simple(ours), Some(text), None) => ours.message == text,
        (ResponseErrorKind::Validation(ours), message, Some(fields)) => {
            ours.message.as_deref() == message
                && ours.errors.len() == fields.len()
                && fields.iter().all(|(field, told)| ours.errors[field] == messages(told))
        }
        (ResponseErrorKind::Unexpected { excerpt, .. }, None, None) => {
            check_excerpt(excerpt);
            excerpt == arrived
        }
        _ => false,
    }
}

/// W35: a list of texts, one text, or anything else as its JSON text.
fn messages(told: &Value) -> Vec<String> {
    match told {
        Value::Array(list) => {
            list.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
        }
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}
