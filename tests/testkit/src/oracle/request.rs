//! Requests as a server reads them: any path and body is a payload or a typed error, and what was
//! read is what stands there.

use bytes::Bytes;
use http::{Method, Request, Uri};
use usage_proto::{Api, BaseUrl, ParseRequestError, Payload, parse_request};

use crate::json::Json;
use crate::uri::unescape;
use usage_proto::oracles::is_clean;

/// What came.
#[derive(Debug, Clone)]
pub struct Input {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The body.
    pub body: Bytes,
}

impl Input {
    /// Reads `METHOD URI` from the first line; the body follows.
    #[must_use]
    pub fn from_text(data: &[u8]) -> Option<Self> {
        let end = data.iter().position(|&byte| byte == b'\n')?;
        let (method, uri) = std::str::from_utf8(&data[..end]).ok()?.split_once(' ')?;
        Some(Self {
            method: method.parse().ok()?,
            uri: uri.parse().ok()?,
            body: Bytes::copy_from_slice(&data[end + 1..]),
        })
    }
}

/// The calls, each with its product.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Call {
    Servers,
    Stats(String),
    Usage(String),
    Forget(String),
}

/// Reads the request and holds the outcome against W1, W8 and W10.
///
/// # Panics
///
/// If one of them is broken.
pub fn check(input: &Input) {
    let mut request = Request::new(input.body.clone());
    *request.method_mut() = input.method.clone();
    *request.uri_mut() = input.uri.clone();
    let outcome = parse_request(&request);
    if let Err(error) = &outcome {
        assert!(is_clean(&error.to_string()), "more than one clean line: {error:?}");
    }
    let call = match call(input.uri.path()) {
        Ok(Some(call)) => call,
        Ok(None) => return,
        Err(expected) => {
            let told = match &outcome {
                Err(ParseRequestError::UnknownRoute { .. }) => "route",
                Err(ParseRequestError::Segment { .. }) => "segment",
                other => panic!("W1: {} is no call, but: {other:?}", input.uri),
            };
            assert_eq!(told, expected, "W1: {}", input.uri);
            return;
        }
    };
    if input.method != Method::POST {
        let told = matches!(outcome, Err(ParseRequestError::Method { .. }));
        assert!(told, "{} is no POST, but: {outcome:?}", input.method);
        return;
    }
    if let Ok(payload) = &outcome {
        check_again(&call, payload);
    }
    let Ok(json) = Json::parse(&input.body) else { return };
    match (read(&call, json), outcome) {
        (Some(expected), Ok(payload)) => {
            let found = Json::parse(sent(&payload).body()).unwrap();
            assert_eq!(found.sorted(), expected.sorted(), "W8, W10: {payload:?}");
        }
        (None, Err(ParseRequestError::Body { .. })) => {}
        (Some(_), Err(error)) => panic!("W8: refused, though it has the form: {error}"),
        (None, outcome) => panic!("the body has not the form of {call:?}, but: {outcome:?}"),
    }
}

/// What was read is written and read again as the same.
fn check_again(call: &Call, payload: &Payload) {
    let product = match payload {
        Payload::Server(_) => None,
        Payload::Stats(stats) => Some(Call::Stats(stats.product.clone())),
        Payload::Usage(usage) => Some(Call::Usage(usage.product.clone())),
        Payload::Forget(forget) => Some(Call::Forget(forget.product.clone())),
        other => panic!("a payload that is not known here: {other:?}"),
    };
    assert_eq!(&product.unwrap_or(Call::Servers), call, "W1: the product");
    assert_eq!(parse_request(&sent(payload)).as_ref(), Ok(payload));
}

/// W9: what was read can be sent.
fn sent(payload: &Payload) -> Request<Bytes> {
    let api = Api::new(BaseUrl::STAGING).with_request_limit(usize::MAX);
    let request = match payload {
        Payload::Server(server) => api.build_request(server),
        Payload::Stats(stats) => api.build_request(stats),
        Payload::Usage(usage) => api.build_request(usage),
        Payload::Forget(forget) => api.build_request(forget),
        other => panic!("a payload that is not known here: {other:?}"),
    };
    request.unwrap()
}

/// The call of a path, `None` where its percent-encoding is malformed, or what is wrong with it.
fn call(path: &str) -> Result<Option<Call>, &'static str> {
    let segments: Vec<_> = path.split('/').collect();
    let product = |segment: &str| match unescape(segment) {
        Some(product) if ["", ".", ".."].contains(&product.as_str()) => Err("segment"),
        Some(product) => Ok(Some(product)),
        None => Ok(None),
    };
    match segments[..] {
        [.., "api", "v1", "servers"] => Ok(Some(Call::Servers)),
        [.., "api", "v1", "stats", segment] => Ok(product(segment)?.map(Call::Stats)),
        [.., "api", "v1", "usage", segment] => Ok(product(segment)?.map(Call::Usage)),
        [.., "api", "v1", "forget", segment] => Ok(product(segment)?.map(Call::Forget)),
        _ => Err("route"),
    }
}

/// What a body says, in the form in which it would be sent; `None` if it has not the form.
fn read(call: &Call, body: Json) -> Option<Json> {
    match call {
        Call::Servers => {
            let fields = ["cluster_id", "server_id", "host", "product", "version"];
            object(body, &fields.map(|field| -> (&str, Reader) { (field, text) }))
        }
        Call::Stats(_) => object(
            body,
            &[
                ("cluster_id", text),
                ("server_id", text),
                ("stats", |list| {
                    groups(list, &[("name", text), ("tags", tags), ("values", values)])
                }),
            ],
        ),
        Call::Usage(_) => groups(body, &[("tags", tags), ("values", values)]),
        Call::Forget(_) => object(body, &[("cluster_id", text), ("server_id", text)]),
    }
}

type Reader = fn(Json) -> Option<Json>;

/// The fields that are known; the last of a repeated one wins, a missing one is as good as null.
fn object(body: Json, fields: &[(&str, Reader)]) -> Option<Json> {
    let entries = match body {
        Json::Null => Vec::new(),
        Json::Map(entries) => entries,
        _ => return None,
    };
    let mut found = Vec::new();
    for (name, reader) in fields {
        let mut value = reader(Json::Null)?;
        for (_, given) in entries.iter().filter(|(key, _)| key == name) {
            value = reader(given.clone())?;
        }
        found.push(((*name).to_owned(), value));
    }
    Some(Json::Map(found))
}

fn groups(list: Json, fields: &[(&str, Reader)]) -> Option<Json> {
    match list {
        Json::Null => Some(Json::List(Vec::new())),
        Json::List(list) => list
            .into_iter()
            .map(|group| object(group, fields))
            .collect::<Option<_>>()
            .map(Json::List),
        _ => None,
    }
}

fn text(value: Json) -> Option<Json> {
    match value {
        Json::Null => Some(Json::Text(String::new())),
        Json::Text(_) => Some(value),
        _ => None,
    }
}

fn tags(map: Json) -> Option<Json> {
    let entries = match map {
        Json::Null => Vec::new(),
        Json::Map(entries) => entries,
        _ => return None,
    };
    let entries = entries.into_iter().map(|(key, value)| Some((key, text(value)?)));
    Some(last_wins(Json::Map(entries.collect::<Option<_>>()?)))
}

/// A map as it is, and the maps inside: the last of a repeated key wins.
fn values(map: Json) -> Option<Json> {
    match map {
        Json::Null => Some(Json::Map(Vec::new())),
        Json::Map(_) => Some(last_wins(map)),
        _ => None,
    }
}

fn last_wins(json: Json) -> Json {
    match json {
        Json::List(list) => Json::List(list.into_iter().map(last_wins).collect()),
        Json::Map(entries) => {
            let mut kept: Vec<(String, Json)> = Vec::new();
            for (key, value) in entries {
                kept.retain(|(other, _)| *other != key);
                kept.push((key, last_wins(value)));
            }
            Json::Map(kept)
        }
        other => other,
    }
}

/// Requests of senders that are deployed, of others, and of nobody.
///
/// # Panics
///
/// Never: the JSON can be written.
#[cfg(feature = "proptest")]
pub fn inputs() -> impl proptest::strategy::Strategy<Value = Input> {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::text::texts;

    let key = |known: &'static [&'static str]| {
        let known = prop::sample::select(known).prop_map(str::to_owned);
        prop_oneof![9 => known, 1 => texts()]
    };
    let leaf = prop_oneof![
        6 => texts().prop_map(Json::Text),
        3 => Just(Json::Null),
        1 => any::<u64>().prop_map(|value| Json::Integer(value.into())),
        1 => any::<i64>().prop_map(|value| Json::Integer(value.into())),
        1 => prop::num::f64::NORMAL.prop_map(Json::Float),
        1 => any::<bool>().prop_map(Json::Bool),
    ]
    .boxed();
    let texts_only = prop_oneof![9 => texts().prop_map(Json::Text), 1 => leaf.clone()].boxed();
    let any_json = leaf.clone().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::List),
            vec(("[a-b]", inner), 0..4).prop_map(Json::Map),
        ]
    });
    let tags = vec((texts(), texts_only.clone()), 0..3).prop_map(Json::Map);
    let values = vec((texts(), any_json.clone()), 0..4).prop_map(Json::Map);
    let maps =
        prop_oneof![4 => tags, 4 => values, 2 => Just(Json::Null), 1 => any_json.clone()].boxed();
    let group_keys = key(&["name", "tags", "values", "tags", "values"]);
    let fields = prop_oneof![1 => texts_only.clone(), 4 => maps];
    let group = vec((group_keys, fields), 0..4).prop_map(Json::Map);
    let list = vec(prop_oneof![9 => group, 1 => leaf], 0..3).prop_map(Json::List).boxed();
    let keys = key(&["cluster_id", "server_id", "host", "product", "version", "stats", "stats"]);
    let object_fields = prop_oneof![4 => texts_only, 3 => list.clone(), 1 => any_json.clone()];
    let object = vec((keys, object_fields), 0..6).prop_map(Json::Map);
    let json = prop_oneof![4 => object, 4 => list, 1 => any_json];
    let bodies = prop_oneof![
        9 => json.prop_map(|json| serde_json::to_vec(&json).unwrap()),
        1 => vec(any::<u8>(), 0..60),
    ];
    let uris = prop_oneof![
        3 => Just("/api/v1/servers".to_owned()),
        3 => "/api/v1/(stats|usage|forget)/[a-z.%0-9]{0,5}",
        3 => "(/x)?/api/v1/(stats|usage|forget)/(%[2-7][0-9A-F]|[a-z]){1,3}(\\?token=x)?",
        1 => "(/[a-z1]{0,3}){0,4}",
    ];
    let methods = prop_oneof![9 => Just(Method::POST), 1 => Just(Method::GET)];
    (methods, uris, bodies).prop_filter_map("no URI", |(method, uri, body)| {
        Some(Input { method, uri: uri.parse().ok()?, body: body.into() })
    })
}
