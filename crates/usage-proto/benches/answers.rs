//! Judging an answer, beside bare `serde_json::from_slice` into derived structs.
//!
//! `cargo bench -p usage-proto --bench answers` prints a table. Nothing is asserted.

use std::collections::BTreeMap;
use std::hint::black_box;

use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use testkit::bench::{Row, compare_times, print};
use usage_proto::{Api, BaseUrl, Token};

/// The body of a refusal.
#[derive(Deserialize)]
struct Simple {
    #[expect(dead_code, reason = "what is measured is that it is read")]
    error: String,
}

/// The body of a refusal that names fields.
#[derive(Deserialize)]
struct Fields {
    #[expect(dead_code, reason = "what is measured is that it is read")]
    errors: BTreeMap<String, Vec<String>>,
}

const COUNT: usize = 200_000;

const FIELDS: &str = r#"{"errors":{"cluster_id":["ClusterID can not be blank."],"host":["Host can not be blank."],"product":["Product can not be blank."],"server_id":["ServerID can not be blank."],"version":["Version can not be blank."]}}"#;

#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
fn main() {
    let token = Token::new("token-goes-here").expect("a token");
    let api = Api::new(BaseUrl::PRODUCTION).with_token(token).expect("an API");
    print(&[
        row(&api, "201", 201, "{}", 1.5, |_| ()),
        row(&api, "401", 401, r#"{"error":"not authorized"}"#, 1.3, |body| {
            black_box(serde_json::from_slice::<Simple>(body).expect("read"));
        }),
        row(&api, "422 of five fields", 422, FIELDS, 1.2, |body| {
            black_box(serde_json::from_slice::<Fields>(body).expect("read"));
        }),
    ]);
}

fn row(
    api: &Api,
    what: &str,
    status: u16,
    body: &'static str,
    target: f64,
    read: impl Fn(&[u8]),
) -> Row {
    compare_times(
        &format!("parse_response, {what}"),
        COUNT,
        target,
        || {
            for _ in 0..COUNT {
                let _ = black_box(api.parse_response(black_box(answer(status, body))));
            }
        },
        || {
            for _ in 0..COUNT {
                let answer = black_box(answer(status, body));
                read(answer.body());
                drop(black_box(answer));
            }
        },
    )
}

/// As a transport makes one.
#[expect(clippy::expect_used, reason = "a bench without an answer measures nothing")]
fn answer(status: u16, body: &'static str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).expect("an answer")
}
