//! What the client sends.

use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use serde::Deserialize;
use testkit::json::Json;
use testkit::uri::escape;
use usage_proto::{Api, BaseUrl, BuildError, Payload, Token, TransportErrorKind, parse_request};

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
    // W1, W3, W4, W5, W6, W7, W8, W9, W12, W14, W21, W22, W40
    let rules = [
        (1, 19),
        (3, 1),
        (4, 25),
        (5, 2),
        (6, 5),
        (7, 12),
        (8, 68),
        (9, 3),
        (12, 3),
        (14, 6),
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
    tally.close("recorded requests", 18, &rules);
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
    match payload::build(&given) {
        Ok(built) => judge_built(case, &built),
        // No program can build it here: there it was an error, or a panic.
        Err(Fault::NoSuchValue(_)) if case.go_request_line.is_none() && case.go_body.is_none() => {
            Ok(Verdict::rule(14))
        }
        Err(Fault::NoSuchValue(why)) => Err(format!("{why}, but the Go client sends it")),
        Err(Fault::Unknown(what)) => Err(what),
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
        rules.insert(if built.mended { 12 } else { 1 });
    }
    check_headers(case, &request)?;
    rules.extend(check_body(case, built, request.body())?);
    check_read_by_server(&api, case, built, &request)?;
    Ok(Verdict(rules))
}

fn is_escaped(built: &Built) -> bool {
    built.segments.iter().any(|segment| escape(segment) != *segment)
}

/// Whether W1 makes the path another one, or W12 if there are bytes in it that are no UTF-8; an error
/// if something else does.
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
    if ours == promised && is_escaped(built) {
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

/// Whether W8 makes the body another one, or W12 if there are bytes in it that are no UTF-8; an error
/// if something else does.
fn check_body(case: &Save, built: &Built, body: &[u8]) -> Result<Vec<u8>, String> {
    let go = case.go_body.as_deref().ok_or("the Go client sent nothing, and we would")?;
    let read = |text: &[u8]| Json::parse(text).map_err(|error| error.to_string());
    let (theirs, ours) = (read(go.as_bytes())?, read(body)?);
    let mut rules = Vec::new();
    let same = same_but_for_empty(&theirs, &ours).or_else(|| {
        rules.push(12);
        let same = || same_but_for_empty(&as_text(theirs), &as_text(ours));
        built.mended.then(same).flatten()
    });
    let empty =
        same.ok_or_else(|| format!("the body is {}, Go's {go}", String::from_utf8_lossy(body)))?;
    rules.extend(empty.then_some(8));
    Ok(rules)
}

/// The value, whatever stands for bytes that are no UTF-8 (W12): the Go client writes U+FFFD for each
/// of them, and writes keys that are the same by then each by itself.
fn as_text(json: Json) -> Json {
    let mend = |text: &str| {
        let mut mended = String::new();
        for character in text.chars() {
            if character != char::REPLACEMENT_CHARACTER || !mended.ends_with(character) {
                mended.push(character);
            }
        }
        mended
    };
    match json {
        Json::Text(text) => Json::Text(mend(&text)),
        Json::List(list) => Json::List(list.into_iter().map(as_text).collect()),
        Json::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (mend(&key), as_text(value)));
            // The last of the same key.
            let entries: std::collections::BTreeMap<_, _> = entries.collect();
            Json::Map(entries.into_iter().collect())
        }
        other => other,
    }
}

/// W8: what the Go client sent is the same payload to a server, each `null` an empty list or map.
fn check_read_by_server(
    api: &Api,
    case: &Save,
    built: &Built,
    sent: &Request<Bytes>,
) -> Result<(), String> {
    let body = Bytes::from(case.go_body.clone().unwrap_or_default());
    let request = Request::post(sent.uri()).body(body).map_err(|error| error.to_string())?;
    let again = match parse_request(&request).map_err(|error| error.to_string())? {
        Payload::Server(server) => api.build_request(&server),
        Payload::Stats(stats) => api.build_request(&stats),
        Payload::Usage(usage) => api.build_request(&usage),
        Payload::Forget(forget) => api.build_request(&forget),
        other => return Err(format!("{other:?} is not known here")),
    };
    let again = again.map_err(|error| error.to_string())?;
    // Not the same bytes: Go sends a whole float without its `.0`, and text of its caller's own
    // keeps its order.
    let read = |request: &Request<Bytes>| {
        let json = Json::parse(request.body()).unwrap().sorted();
        if built.mended { as_text(json) } else { json }
    };
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
