//! What the client sends.

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use serde::Deserialize;
use usage_proto::{Api, BaseUrl, BuildError, Payload, Token, TransportErrorKind, parse_request};
use usage_tests::json::Json;
use usage_tests::uri::escape;

use super::null::same_but_for_empty;
use super::payload::{self, Built, Fault};
use super::{Tally, Verdict, cases, registration, situation};

const FIXTURE: &str = include_str!("../../fixtures/go-requests.jsonl");

#[derive(Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
enum Case {
    Save(Save),
    RegistrationUrl(registration::Case),
}

#[derive(Deserialize)]
struct Save {
    name: String,
    url: String,
    token: String,
    payload: serde_json::Value,
    #[serde(default)]
    go_headers: Vec<String>,
    go_request_line: Option<String>,
    go_body: Option<String>,
    go_error: Option<String>,
}

#[test]
fn recorded_requests_go_out_as_from_the_go_client_or_as_a_rule_says() {
    // W1, W3, W4, W5, W6, W7, W8, W9, W21, W22, W40
    let rules = [
        (1, 19),
        (3, 1),
        (4, 25),
        (5, 2),
        (6, 5),
        (7, 12),
        (8, 65),
        (9, 3),
        (21, 2),
        (22, 2),
        (40, 1),
    ];
    let mut tally = Tally::default();
    for case in cases::<Case>(FIXTURE) {
        match case {
            Case::Save(case) => tally.add(&case.name, judge(&case)),
            Case::RegistrationUrl(case) => tally.add(&case.name, registration::judge(&case)),
        }
    }
    tally.close("recorded requests", 18, &rules, 9);
}

/// A pointer to the payload of another case: the fixture prints it as Go source.
fn pointed_to(case: &Save) -> Option<serde_json::Value> {
    let name = case.name.strip_prefix("pointer_")?;
    let printed = case.payload["v"].as_str()?;
    let same = |other: &Save| other.name == format!("readme_{name}_token");
    let other = cases::<Case>(FIXTURE).into_iter().find_map(|case| match case {
        Case::Save(other) if same(&other) => Some(other.payload),
        _ => None,
    })?;
    // Every text of it is in the printed form, so it is the same payload.
    let texts = other.as_object()?.iter().filter(|(key, _)| *key != "t");
    let mut texts = texts.filter_map(|(_, value)| value.as_str());
    texts.all(|text| printed.contains(&format!("\"{text}\""))).then_some(other)
}

fn judge(case: &Save) -> Result<Verdict, String> {
    let given = pointed_to(case).unwrap_or_else(|| case.payload.clone());
    let built = match payload::build(&given) {
        Ok(built) => built,
        Err(Fault::NoSuchValue(why)) => return Ok(Verdict::NoSuchValue(why)),
        Err(Fault::Unknown(what)) => return Err(what),
    };
    match judge_built(case, &built) {
        Err(_) if built.mended => Ok(Verdict::NoSuchValue("text is UTF-8")),
        outcome => outcome,
    }
}

fn judge_built(case: &Save, built: &Built) -> Result<Verdict, String> {
    let base = match (BaseUrl::new(&case.url), situation::base_url_fault(&case.url)) {
        (Ok(base), None) => base,
        (Err(_), Some(rule)) => return Ok(Verdict::rule(rule)),
        (outcome, fault) => return Err(format!("{outcome:?}, and the fault is {fault:?}")),
    };
    let mut rules = std::collections::BTreeSet::new();
    let mut api = Api::new(base.clone());
    if !case.token.is_empty() {
        let token = match (Token::new(&case.token), situation::token_fault(&case.token)) {
            (Ok(token), false) => token,
            (Err(_), true) => return Ok(Verdict::rule(6)),
            (outcome, fault) => return Err(format!("{outcome:?}, and a fault: {fault}")),
        };
        api = match (api.with_token(token.clone()), situation::is_plaintext(&case.url)) {
            (Ok(api), false) => api,
            (Err(BuildError::PlaintextToken { .. }), true) => {
                rules.insert(7);
                let opted_in = Api::new(base.allow_plaintext_token());
                opted_in.with_token(token).map_err(|error| error.to_string())?
            }
            (outcome, plain) => return Err(format!("{outcome:?}, and in plain text: {plain}")),
        };
    }

    let request = match (built.request(&api), &built.not_finite) {
        (Ok(request), None) => request,
        (Err(BuildError::NotFinite { path, .. }), Some(expected)) if path == *expected => {
            return Ok(Verdict::rule(9));
        }
        (Err(BuildError::Segment { segment, .. }), _)
            if ["", ".", ".."].contains(&segment.as_str()) =>
        {
            return Ok(Verdict::rule(1));
        }
        (outcome, _) => return Err(format!("{outcome:?}")),
    };
    if case.go_error.as_ref().is_some_and(|error| error.ends_with("connection refused")) {
        return check_refused(&api, request);
    }
    if case.go_request_line.is_none() && case.go_error.is_none() && is_escaped(built) {
        // The Go client panics on a lone `%`.
        check_path(case, built, &request)?;
        return Ok(Verdict::rule(1));
    }
    if check_path(case, built, &request)? {
        rules.insert(1);
    }
    check_headers(case, &request)?;
    if check_body(case, request.body())? {
        rules.insert(8);
    }
    check_read_by_server(&api, case, &request)?;
    Ok(Verdict::Known(rules))
}

fn is_escaped(built: &Built) -> bool {
    built.segments.iter().any(|segment| escape(segment) != *segment)
}

/// Whether W1 makes the path another one; an error if something else does.
fn check_path<B>(case: &Save, built: &Built, request: &Request<B>) -> Result<bool, String> {
    let ours = request.uri().path_and_query().unwrap().as_str();
    let line = case.go_request_line.as_deref().unwrap_or_default();
    if line.split(' ').nth(1) == Some(ours) {
        return Ok(false);
    }
    let (_, host) = case.url.split_once("://").unwrap();
    let prefix = host.find('/').map_or("", |at| &host[at..]).trim_end_matches('/');
    let segments: Vec<_> = built.segments.iter().map(|segment| escape(segment)).collect();
    let promised = format!("{prefix}/api/v1/{}", segments.join("/"));
    // Bytes that are no UTF-8 were replaced before the core saw them: no rule says so.
    if ours == promised && is_escaped(built) && !built.mended {
        Ok(true)
    } else {
        Err(format!("the path is {ours}, Go's request line {line:?}, W1 promises {promised}"))
    }
}

/// The same headers, but for those by which W13 and W45 differ from the Go client every time.
fn check_headers<B>(case: &Save, request: &Request<B>) -> Result<(), String> {
    let headers = request.headers();
    let ours = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let go = |name: &str| {
        let mut pairs = case.go_headers.iter().filter_map(|line| line.split_once(": "));
        pairs.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    for name in [CONTENT_TYPE.as_str(), "x-authorization", "authorization"] {
        if ours(name) != go(name) {
            return Err(format!("{name} is {:?}, Go's {:?}", ours(name), go(name)));
        }
    }
    let agent = ours(USER_AGENT.as_str()).unwrap_or_default();
    let coding = ours(ACCEPT_ENCODING.as_str());
    if !agent.starts_with("usage-proto/") || coding.as_deref() != Some("identity") {
        return Err(format!("W13, W45: {agent:?}, {coding:?}"));
    }
    Ok(())
}

/// Whether W8 makes the body another one; an error if something else does.
fn check_body(case: &Save, body: &[u8]) -> Result<bool, String> {
    let go = case.go_body.as_deref().ok_or("the Go client sent nothing, and we would")?;
    let read = |text: &[u8]| Json::parse(text).map_err(|error| error.to_string());
    same_but_for_empty(&read(go.as_bytes())?, &read(body)?)
        .ok_or_else(|| format!("the body is {}, Go's {go}", String::from_utf8_lossy(body)))
}

/// W8: what the Go client sent is the same payload to a server, each `null` an empty list or map.
fn check_read_by_server(api: &Api, case: &Save, sent: &Request<Bytes>) -> Result<(), String> {
    let body = Bytes::from(case.go_body.clone().unwrap_or_default());
    let request = Request::post(sent.uri()).body(body).map_err(|error| error.to_string())?;
    let again = match parse_request(&request).map_err(|error| error.to_string())? {
        Payload::Server(server) => api.request(&server),
        Payload::Stats(stats) => api.request(&stats),
        Payload::Usage(usage) => api.request(&usage),
        other => return Err(format!("{other:?} is not known here")),
    };
    let again = again.map_err(|error| error.to_string())?;
    // Not the same bytes: Go sends a whole float without its `.0`, and text of its caller's own
    // keeps its order.
    let read = |request: &Request<Bytes>| Json::parse(request.body()).unwrap().sorted();
    if (again.uri(), read(&again)) == (sent.uri(), read(sent)) {
        Ok(())
    } else {
        Err(format!("a server reads {again:?}"))
    }
}

/// W40: nobody listens there, and nothing was sent.
fn check_refused(api: &Api, request: Request<Bytes>) -> Result<Verdict, String> {
    let client = usage_ureq::Client::new(api.clone()).map_err(|error| error.to_string())?;
    match client.execute(request) {
        Err(error)
            if error.kind() == TransportErrorKind::Connect && !error.may_have_been_sent() =>
        {
            Ok(Verdict::rule(40))
        }
        outcome => Err(format!("nobody listens, but: {outcome:?}")),
    }
}
