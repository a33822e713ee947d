//! Building a request, beside bare `serde_json::to_vec` of plain derived structs.
//!
//! `cargo bench -p usage-proto --bench encode` prints a table. Nothing is asserted.

use std::collections::BTreeMap;
use std::hint::black_box;

use serde::Serialize;
use testkit::bench::{Row, compare_times, print};
use usage_proto::{Api, BaseUrl, Saveable, Stats, StatsData, Token};

/// The original README's shape.
#[derive(Serialize)]
struct PlainStats {
    cluster_id: String,
    server_id: String,
    stats: Vec<PlainData>,
}

#[derive(Serialize)]
struct PlainData {
    name: String,
    tags: BTreeMap<String, String>,
    values: BTreeMap<String, serde_json::Value>,
}

/// A payload of the application's own, with borrowed fields.
#[derive(Serialize)]
struct Own<'a> {
    cluster_id: &'a str,
    server_id: &'a str,
    stats: Vec<OwnData<'a>>,
}

#[derive(Serialize)]
struct OwnData<'a> {
    name: &'a str,
    tags: OwnTags<'a>,
    values: OwnValues,
}

#[derive(Serialize)]
struct OwnTags<'a> {
    path: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct OwnValues {
    blks_write: i64,
    blks_write_bytes: f64,
    points_write: i64,
}

impl Saveable for Own<'_> {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        ["stats", "influxdb"]
    }
}

const TARGETS: [(usize, f64); 5] =
    [(1, 1.60), (10, 0.95), (100, 0.85), (1_000, 0.75), (10_000, 0.80)];

#[expect(clippy::expect_used, reason = "a bench without a request measures nothing")]
fn main() {
    let api = Api::new(BaseUrl::PRODUCTION)
        .with_application("influxdb/1.8.10")
        .and_then(|api| api.with_token(Token::new("token-goes-here")?))
        .expect("an API")
        .with_request_limit(64 << 20);
    let mut rows = Vec::new();
    for (entries, target) in TARGETS {
        let (stats, plain) = (stats(entries), plain(entries));
        rows.push(row(&api, "Stats", entries, target, &stats, &plain));
    }
    for (entries, target) in TARGETS {
        let own = own(entries);
        rows.push(row(&api, "borrowed fields", entries, target, &own, &own));
    }
    print(&rows);
}

#[expect(clippy::expect_used, reason = "a bench without a request measures nothing")]
fn row(
    api: &Api,
    what: &str,
    entries: usize,
    target: f64,
    ours: &impl Saveable,
    bare: &impl Serialize,
) -> Row {
    let same = api.build_request(ours).expect("built").into_body();
    assert_eq!(same, serde_json::to_vec(bare).expect("encoded"), "the same bytes");
    let count = 400_000 / (entries + 9);
    compare_times(
        &format!("build_request, {what}, {entries} entries"),
        count,
        target,
        || {
            for _ in 0..count {
                drop(black_box(api.build_request(black_box(ours)).expect("built")));
            }
        },
        || {
            for _ in 0..count {
                drop(black_box(serde_json::to_vec(black_box(bare)).expect("encoded")));
            }
        },
    )
}

fn number(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX) * 39 + 1
}

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn float(of: usize) -> f64 {
    of as f64 * 2421.5 + 0.25
}

fn stats(entries: usize) -> Stats {
    let data = |n: usize| {
        StatsData::new("engine")
            .tag("path", "/home/philip/.influxdb/data/_internal/monitor/1")
            .tag("version", "bz1")
            .value("blks_write", number(n))
            .value("blks_write_bytes", float(n))
            .value("points_write", number(n))
    };
    let stats = Stats::new("influxdb").cluster_id("clus1").server_id("serv1");
    (0..entries).map(data).fold(stats, Stats::data)
}

fn plain(entries: usize) -> PlainStats {
    let data = |n: usize| PlainData {
        name: "engine".into(),
        tags: [
            ("path".into(), "/home/philip/.influxdb/data/_internal/monitor/1".into()),
            ("version".into(), "bz1".into()),
        ]
        .into(),
        values: [
            ("blks_write".into(), number(n).into()),
            ("blks_write_bytes".into(), float(n).into()),
            ("points_write".into(), number(n).into()),
        ]
        .into(),
    };
    PlainStats {
        cluster_id: "clus1".into(),
        server_id: "serv1".into(),
        stats: (0..entries).map(data).collect(),
    }
}

fn own(entries: usize) -> Own<'static> {
    let data = |n: usize| OwnData {
        name: "engine",
        tags: OwnTags { path: "/home/philip/.influxdb/data/_internal/monitor/1", version: "bz1" },
        values: OwnValues {
            blks_write: number(n),
            blks_write_bytes: float(n),
            points_write: number(n),
        },
    };
    Own { cluster_id: "clus1", server_id: "serv1", stats: (0..entries).map(data).collect() }
}
