//! Databases of the versions before are brought up to date, with everything that is in them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use usage_proto::{Payload, Server as Registered, Stats, StatsData, Usage, UsageData};
use usage_server::{Config, Database, Erasure, Kind, Selection, Server, Store, StoreError};

use crate::client::{Request, SERVER, STATS, start_with, wait_until};

const SCHEMAS: [&str; 5] = [
    include_str!("../../src/store/sqlite/schema_1.sql"),
    include_str!("../../src/store/sqlite/schema_2.sql"),
    include_str!("../../src/store/sqlite/schema_3.sql"),
    include_str!("../../src/store/sqlite/schema_4.sql"),
    include_str!("../../src/store/sqlite/schema_5.sql"),
];

const HEX: &str = "0123456789abcdef0123456789abcdef";
const OTHER_HEX: &str = "fedcba9876543210fedcba9876543210";
const SECRET: &str = "token-0123456789-token-0123456789";

/// The tables of a version, with nothing in them.
fn made(version: usize) -> (TempDir, PathBuf, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let old = Connection::open(&path).unwrap();
    for schema in &SCHEMAS[..version] {
        old.execute_batch(schema).unwrap();
    }
    old.pragma_update(None, "application_id", 0x5573_6741).unwrap();
    old.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
    (directory, path, old)
}

fn start(path: &Path) -> Server {
    start_with(Config::new(Database::file(path)))
}

/// What was stored by the versions before is there, and its keys belong to what they were used for.
#[test]
fn a_database_of_version_1_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../src/store/sqlite/schema_1.sql")).unwrap();
    old.execute_batch(
        r#"INSERT INTO report VALUES (1, '2025-12-31T23:59:59.999Z', NULL, 'server', 'k1'),
             (2, '2026-01-01T00:00:00.000Z', NULL, 'stats', 'k2'),
             (3, '2026-01-01T00:00:00.001Z', NULL, 'usage', 'k3');
         INSERT INTO server VALUES (1, 'c', 's', 'h', 'one', '1');
         INSERT INTO stats VALUES (2, 'two', 'c', 's', '[]');
         INSERT INTO usage VALUES (3, 'three', '[{"tags":{"cluster_id":"c"},"values":{"server_id":7}}]');
         PRAGMA application_id = 0x55736741;
         PRAGMA user_version = 1;"#,
    )
    .unwrap();
    drop(old);
    let server = start_with(Config::new(Database::file(&path)));
    let store = server.store();
    assert_eq!(store.servers().read_all().unwrap()[0].report.product, "one");
    assert_eq!(store.stats().read_all().unwrap()[0].report.product, "two");
    assert_eq!(store.usage().read_all().unwrap()[0].report.product, "three");
    // Whose each of them is was worked out.
    let instances: Vec<_> =
        store.reports(Selection::new()).map(|row| row.unwrap().instance.unwrap()).collect();
    assert_eq!(instances, ["s", "s", "7"]);
    for (product, status) in [("three", 201), ("two", 422)] {
        let target = format!("/api/v1/usage/{product}");
        let request = Request::post(&target, "[]").key("k3");
        assert_eq!(request.send(&server).status, status, "{product}");
    }
    assert_eq!(store.metrics().stored, 0);
}

/// A report of version 5.
struct Old {
    received_at: &'static str,
    token_id: Option<i64>,
    key: Option<&'static str>,
    instance: Option<&'static str>,
    others: &'static [&'static str],
    payload: Payload,
}

impl Old {
    fn purpose(&self) -> (Kind, &str) {
        match &self.payload {
            Payload::Server(server) => (Kind::Server, &server.product),
            Payload::Stats(stats) => (Kind::Stats, &stats.product),
            Payload::Usage(usage) => (Kind::Usage, &usage.product),
            _ => unreachable!("there are three kinds"),
        }
    }

    fn store(&self, old: &Connection, id: i64) {
        let (kind, product) = self.purpose();
        old.execute(
            "INSERT INTO report (id, received_at, token_id, kind, idempotency_key, product, instance)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                id,
                self.received_at,
                self.token_id,
                kind.as_str(),
                self.key,
                product,
                self.instance
            ],
        )
        .unwrap();
        match &self.payload {
            Payload::Server(server) => old.execute(
                "INSERT INTO server VALUES (?1, ?2, ?3, ?4, ?5)",
                params![id, server.cluster_id, server.server_id, server.host, server.version],
            ),
            Payload::Stats(stats) => old.execute(
                "INSERT INTO stats VALUES (?1, ?2, ?3, ?4)",
                params![
                    id,
                    stats.cluster_id,
                    stats.server_id,
                    serde_json::to_string(&stats.data).unwrap()
                ],
            ),
            Payload::Usage(usage) => old.execute(
                "INSERT INTO usage VALUES (?1, ?2)",
                params![id, serde_json::to_string(&usage.data).unwrap()],
            ),
            _ => unreachable!("there are three kinds"),
        }
        .unwrap();
        for other in self.others {
            old.execute("INSERT INTO other_id VALUES (?1, ?2)", params![other, id]).unwrap();
        }
    }
}

/// Every kind, with and without a token, a key, an instance and other ids, whatever these look like.
fn reports() -> Vec<Old> {
    let server = |product: &str| {
        let server = Registered::new().product(product).cluster_id("c").server_id("s");
        Payload::Server(server.host("h").version("1"))
    };
    let stats = |product: &str| {
        let data = StatsData::new("n").value("a", 0.5);
        Payload::Stats(Stats::new(product).cluster_id("c").server_id(HEX).data(data))
    };
    let usage = |product: &str, text: &str| {
        Payload::Usage(Usage::new(product).data(UsageData::new().tag("os", text).value("a", 1)))
    };
    let old = |received_at, payload: Payload| Old {
        received_at,
        token_id: None,
        key: None,
        instance: None,
        others: &[],
        payload,
    };
    vec![
        Old {
            token_id: Some(1),
            key: Some(HEX),
            instance: Some("s"),
            others: &["c"],
            ..old("2025-12-31T23:59:59.999Z", server("influxdb"))
        },
        // The same key of another sender.
        Old {
            key: Some(HEX),
            instance: Some(HEX),
            others: &[OTHER_HEX, "c"],
            ..old("2026-01-01T00:00:00.000Z", stats("influxdb"))
        },
        Old {
            token_id: Some(2),
            key: Some("key-of-another-kind"),
            ..old("2026-01-01T00:00:00.001Z", usage("zero\0one", &"x".repeat(100_000)))
        },
        Old {
            instance: Some("0123456789ABCDEF"),
            ..old("1970-01-01T00:00:00.000Z", usage("", ""))
        },
        Old {
            token_id: Some(3),
            key: Some("0123456789abcde"),
            instance: Some("sérv\0"),
            ..old("9999-12-31T23:59:59.000Z", usage("influxdb", "é"))
        },
        old("2026-02-28T12:00:00.500Z", server("other")),
        Old { key: Some(""), ..old("2026-02-28T12:00:00.500Z", usage("influxdb", "b")) },
    ]
}

fn fill(old: &Connection) {
    let hash = Sha256::digest(SECRET);
    old.execute(
        "INSERT INTO token VALUES (1, ?1, 'Example Inc.', '2025-01-01T00:00:00.000Z', NULL),
             (2, zeroblob(32), 'Other', '2025-01-02T00:00:00.000Z', '2025-01-03T00:00:00.000Z'),
             (3, randomblob(32), '', '2025-01-02T00:00:00.000Z', '2025-01-02T00:00:00.000Z')",
        params![hash.as_slice()],
    )
    .unwrap();
    for (report, id) in reports().iter().zip(1..) {
        report.store(old, 10 * id);
    }
    old.execute_batch(&format!(
        "INSERT INTO registration VALUES (1, 'somebody@example.com', 'c', 'influxdb');
         INSERT INTO report (id, received_at, kind, product)
             VALUES (100, '2026-03-01T00:00:00.000Z', 'usage', 'erased');
         DELETE FROM report WHERE id = 100;
         INSERT INTO left_key VALUES (0, '{OTHER_HEX}', 'usage', 'left', '2026-01-01T00:00:00.007Z'),
             (1, '{OTHER_HEX}', 'stats', 'left', '2026-01-01T00:00:00.008Z'),
             (1, 'left', 'server', 'left', '2026-01-01T00:00:00.009Z');
         INSERT INTO erasure
             VALUES (5, '2026-03-01T00:00:00.000Z', 'instance', zeroblob(32), 1, 0);
         UPDATE tally SET counted_to = 30, servers = 1, stats = 1, usage = 1;
         INSERT INTO refusal VALUES ('2026-03-01', 'body', 7);
         INSERT INTO upkeep VALUES
             (1, 'nobody', '2026-03-01T00:00:00.000Z', '2026-02-28T00:00:00.000Z');"
    ))
    .unwrap();
}

#[test]
fn a_database_of_version_5_is_brought_up_to_date() {
    let (_directory, path, old) = made(5);
    fill(&old);
    drop(old);
    let store = Store::open(&Database::file(&path)).unwrap();
    let rows = store.reports(Selection::new()).read_all().unwrap();
    assert_eq!(rows.len(), reports().len());
    let organisations = [None, Some("Example Inc."), Some("Other"), None];
    for ((row, old), number) in rows.iter().zip(reports()).zip(1..) {
        assert_eq!((row.position, row.received_at.as_str()), (10 * number, old.received_at));
        let organisation = organisations[usize::try_from(old.token_id.unwrap_or(0)).unwrap()];
        assert_eq!(row.organisation.as_deref(), organisation);
        assert_eq!((row.instance.as_deref(), &row.report), (old.instance, &old.payload));
    }
    let tokens = store.tokens().unwrap();
    let emails: Vec<_> = tokens.iter().map(|token| (token.id, token.email.as_deref())).collect();
    assert_eq!(emails, [(1, Some("somebody@example.com")), (2, None)]);
    assert!(!tokens[0].has_ended && tokens[1].has_ended);
    assert_eq!(store.refusals(SystemTime::UNIX_EPOCH).unwrap().get("body"), Some(&7));

    // What is found by its time, and by its ids.
    let time = |text: &str| humantime::parse_rfc3339(text).unwrap();
    let since = |text| {
        let rows = store.reports(Selection::new().since(time(text))).read_all().unwrap();
        rows.into_iter().map(|row| row.position).collect::<Vec<_>>()
    };
    assert_eq!(since("2026-01-01T00:00:00.000Z"), [20, 30, 50, 60, 70]);
    assert_eq!(since("2026-01-01T00:00:00.001Z"), [30, 50, 60, 70]);
    // In between it is the millisecond that has begun, as it was.
    assert_eq!(since("2026-01-01T00:00:00.001999Z"), [30, 50, 60, 70]);
    assert_eq!(since("9999-12-31T23:59:59.999Z"), [50]);
    let count = |erasure: Erasure| store.count_erasure(&erasure).unwrap().reports;
    assert_eq!(count(Erasure::Before(time("2026-01-01T00:00:00.000999Z"))), 2);
    assert_eq!(count(Erasure::Before(time("2026-01-01T00:00:00.001Z"))), 3);
    for (id, reports) in
        [(HEX, 1), (OTHER_HEX, 1), ("c", 2), ("s", 1), ("0123456789ABCDEF", 1), ("sérv\0", 1)]
    {
        assert_eq!(count(Erasure::Instance(id.to_owned())), reports, "{id}");
    }
    assert_eq!(count(Erasure::Instance("0123456789abcdef".to_owned())), 0);
    drop(store);
    keys_and_counts_go_on(&path);
}

/// As a server has it, whose next position is behind all that were ever given.
fn keys_and_counts_go_on(path: &Path) {
    let server = start(path);
    let send = |request: Request, has_token: bool| {
        let request = if has_token { request.token(SECRET) } else { request };
        request.send(&server).status
    };
    let registered = |product: &str| SERVER.replace("influxdb", product);
    let (stats, usage) = ("/api/v1/stats/influxdb", "/api/v1/usage/left");
    for (request, has_token, status) in [
        (Request::post("/api/v1/servers", registered("influxdb")).key(HEX), true, 201),
        (Request::post("/api/v1/servers", registered("other")).key(HEX), true, 422),
        (Request::post(stats, STATS).key(HEX), true, 422),
        (Request::post(stats, STATS).key(HEX), false, 200),
        (Request::post(usage, "[]").key(HEX), false, 422),
        (Request::post(usage, "[]").key(OTHER_HEX), false, 201),
        (Request::post(usage, "[]").key(OTHER_HEX), true, 422),
        (Request::post("/api/v1/stats/left", STATS).key(OTHER_HEX), true, 200),
        (Request::post("/api/v1/servers", registered("left")).key("left"), true, 201),
        (Request::post(usage, "[]").key("left"), true, 422),
    ] {
        assert_eq!(send(request.clone(), has_token), status, "{request:?}");
    }
    assert_eq!(server.store().reports(Selection::new()).count(), reports().len());
    // Counted where it was not, and not twice where it was.
    let counts = |kind: &str| {
        let text = server.metrics_text();
        let name = format!("usage_reports{{kind=\"{kind}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok())
    };
    wait_until("it has counted", || counts("usage").is_some());
    assert_eq!(["server", "stats", "usage"].map(counts), [Some(2), Some(1), Some(4)]);
    assert_eq!(send(Request::post(usage, "[]").key("left"), false), 201);
    let last = server.store().reports(Selection::new()).last().unwrap().unwrap();
    assert_eq!(last.position, 101);
    server.shutdown().unwrap();

    let connection = Connection::open(path).unwrap();
    let rows = |statement: &str| -> Vec<String> {
        let mut statement = connection.prepare(statement).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(
        rows("SELECT name FROM product ORDER BY name"),
        ["", "influxdb", "left", "other", "zero\0one"]
    );
    assert_eq!(
        rows("SELECT id || erased_at || kind || reports || tokens || length(hash) FROM erasure"),
        ["52026-03-01T00:00:00.000Zinstance1032"]
    );
    assert_eq!(
        rows(
            "SELECT (seen_at - unixepoch('2026-01-01') * 1000) || typeof(key) FROM left_key ORDER BY 1"
        ),
        ["7blob", "8blob", "9text"]
    );
    assert_eq!(rows("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(rows("PRAGMA foreign_key_check"), [""; 0]);
}

/// Positions go on where they were, if there is no report any more as well.
#[test]
fn a_database_without_reports_is_brought_up_to_date() {
    for (version, last) in [(1, 7), (5, 7), (1, 0), (4, 0), (5, 0)] {
        let (_directory, path, old) = made(version);
        if last > 0 {
            old.execute_batch(&format!(
                "INSERT INTO report (id, received_at, kind) VALUES ({last}, '2026-01-01T00:00:00.000Z', 'usage');
                 DELETE FROM report;"
            ))
            .unwrap();
        }
        drop(old);
        let server = start(&path);
        let sent = Request::post("/api/v1/usage/p", "[]").send(&server);
        assert_eq!(sent.status, 201, "{version}");
        let positions: Vec<_> = server.store().usage().map(|row| row.unwrap().position).collect();
        assert_eq!(positions, [last + 1], "{version}");
    }
}

/// It is all brought up, or nothing of it.
#[test]
fn what_cannot_be_brought_up_stays_as_it_was() {
    let (_directory, path, old) = made(5);
    fill(&old);
    old.execute_batch("UPDATE report SET received_at = 'yesterday' WHERE id = 40").unwrap();
    let dump = |connection: &Connection| -> Vec<(i64, String)> {
        let mut statement = connection.prepare("SELECT id, received_at FROM report").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let before = dump(&old);
    drop(old);
    let error = Store::open(&Database::file(&path)).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("`yesterday` is not a time"), "{source}");
    let old = Connection::open(&path).unwrap();
    assert_eq!(dump(&old), before);
    let version: i64 = old.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 5);
    // Mended, it goes on.
    old.execute_batch("UPDATE report SET received_at = '2026-01-01T00:00:00.000Z' WHERE id = 40")
        .unwrap();
    drop(old);
    let store = Store::open(&Database::file(&path)).unwrap();
    assert_eq!(store.reports(Selection::new()).count(), before.len());
}
