//! Answers for properties.

use http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use usage_proto::oracles::Answer;
use usage_proto::{Api, Token};

use crate::json::Json;
use crate::oracle::retry_after::{dates, waits};
use crate::oracle::text::texts;

/// Stands for the token in a strategy: the same texts serve every token, and are made up once.
const SECRET: &str = "\u{f8ff}";

/// Any answer; in some, the API repeats the token.
pub fn inputs() -> impl Strategy<Value = Answer> {
    let limits = prop_oneof![
        2 => Just(Api::DEFAULT_RESPONSE_LIMIT),
        1 => 0_usize..200,
    ];
    let answers = (statuses(), headers(), bodies(), any::<bool>(), limits);
    (answers, option::weighted(0.5, tokens())).prop_map(
        |((status, headers, body, broke_off, limit), token)| {
            let secret = token.as_ref().map_or("", Token::expose).as_bytes();
            let value = |bytes: Vec<u8>| HeaderValue::from_bytes(&filled(&bytes, secret)).ok();
            let headers =
                headers.into_iter().filter_map(|(name, bytes)| Some((name, value(bytes)?)));
            Answer {
                status,
                headers: headers.collect(),
                body: filled(&body, secret).into(),
                broke_off,
                limit,
                token,
            }
        },
    )
}

/// The bytes with the token where it is to stand.
fn filled(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(SECRET.as_bytes()) {
            out.extend_from_slice(secret);
            rest = after;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

/// Tokens that cannot stand in a message by chance.
///
/// # Panics
///
/// Never: each of them is a token.
pub fn tokens() -> impl Strategy<Value = Token> {
    "[a-z]{3}[0-9][a-zA-Z0-9_.-]{4,30}".prop_map(|text| text.parse().unwrap())
}

fn statuses() -> impl Strategy<Value = StatusCode> {
    let known = prop::sample::select(vec![
        101, 200, 201, 204, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408,
        409, 410, 413, 422, 425, 429, 500, 501, 502, 503, 504, 507, 511, 522, 599, 600,
    ]);
    prop_oneof![3 => known, 1 => 100_u16..1000].prop_map(|code| StatusCode::from_u16(code).unwrap())
}

fn headers() -> impl Strategy<Value = Vec<(HeaderName, Vec<u8>)>> {
    let odd = vec(any::<u8>(), 0..40).boxed();
    let header = |name: HeaderName, texts: BoxedStrategy<String>| {
        let values = prop_oneof![8 => texts.prop_map(String::into_bytes), 1 => odd.clone()];
        values.prop_map(move |value| (name.clone(), value)).boxed()
    };
    let one = prop_oneof![
        header(RETRY_AFTER, waits().boxed()),
        header(DATE, dates().boxed()),
        header(LOCATION, locations().boxed()),
        header(CONTENT_TYPE, media().boxed()),
    ];
    vec(one, 0..5)
}

fn media() -> impl Strategy<Value = String> {
    let html = "[ \t]?(text/html|TEXT/Html|text/htm)[ ;]?(charset=utf-8)?";
    prop_oneof![3 => html, 1 => texts(), 1 => Just("application/json".to_owned())]
}

fn locations() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "https://",
        "http:",
        "http:/",
        "http:\\\\",
        "HTTP://",
        "//",
        "/",
        "\\\\",
        "ftp://",
        "",
    ]);
    let user = prop_oneof!["", "[a-z]{1,5}@", "[a-z]{1,5}:[a-z@:]{1,8}@"];
    let host = prop::sample::select(vec!["example.com", "[::1]:80", "[::1", "localhost:1", ""]);
    let secret = || Just(SECRET.to_owned());
    let path = prop_oneof!["", "(/[a-z@:.\t]{0,6}){1,4}", "/[a-z]{300}", secret(), texts()];
    let query =
        prop_oneof!["", "[?#][a-z=@#?]{0,9}", secret().prop_map(|text| format!("?token={text}"))];
    (start, user, host, path, query)
        .prop_map(|(start, user, host, path, query)| format!("{start}{user}{host}{path}{query}"))
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let plain = prop_oneof![texts(), "[ \\t\\r\\n]{0,20}", "\\PC{200,400}"].boxed();
    let laced = (plain.clone(), plain.clone(), 0_usize..40)
        .prop_map(|(before, after, times)| before + &SECRET.repeat(times) + &after);
    let cut = (230_usize..260, texts())
        .prop_map(|(before, after)| format!("{}{SECRET}{after}", ".".repeat(before)));
    let shaped = prop_oneof![
        8 => error_bodies().prop_map(|json| serde_json::to_vec(&json).unwrap()),
        1 => Just(b"{\"error\":\"\\ud800x\"} x".to_vec()),
        1 => Just(b"\xef\xbb\xbf{\"error\":\"x\"}".to_vec()),
    ]
    .boxed();
    let mended = (shaped.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut body, at, byte)| {
            let at = at.index(body.len());
            body[at] = byte;
            body
        },
    );
    prop_oneof![
        10 => vec(any::<u8>(), 0..200),
        10 => plain.prop_map(String::into_bytes),
        20 => laced.prop_map(String::into_bytes),
        10 => cut.prop_map(String::into_bytes),
        60 => shaped,
        10 => "(\u{feff}|\u{b}|x)?[ \t\r\n\u{c}]{0,3}<[a-z!]{0,4}.{0,20}".prop_map(String::into_bytes),
        10 => mended,
        1 => (65_000_usize..66_000).prop_map(|length| vec![b'x'; length]),
    ]
}

/// Objects that are, or nearly are, what the API says when it refuses.
fn error_bodies() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        4 => texts(),
        1 => texts().prop_map(|text| text + SECRET),
    ]
    .boxed();
    let leaf = prop_oneof![
        4 => text.clone().prop_map(Json::Text),
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        1 => any::<i32>().prop_map(|value| Json::Integer(value.into())),
    ]
    .boxed();
    let list = vec(leaf.clone(), 0..4).prop_map(Json::List);
    let told = prop_oneof![3 => leaf.clone(), 3 => list.boxed()].boxed();
    let nested = vec((text.clone(), told.clone()), 0..3).prop_map(Json::Map).boxed();
    let fields = vec((text, prop_oneof![5 => told, 1 => nested.clone()]), 0..5).prop_map(Json::Map);
    let keys = prop::sample::select(vec![
        "error",
        "errors",
        "ERROR",
        "Errors",
        "error\u{17f}",
        "message",
        "err\u{212a}or",
        "",
    ])
    .prop_map(str::to_owned);
    let values = prop_oneof![4 => leaf, 4 => fields.boxed(), 1 => nested];
    prop_oneof![
        18 => vec((keys, values.clone()), 0..5).prop_map(Json::Map),
        // What a derived decoder takes for a struct.
        1 => vec(values.clone(), 0..4).prop_map(Json::List),
        1 => values,
    ]
}
