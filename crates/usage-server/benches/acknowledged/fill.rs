//! Databases with many reports in them.

use std::path::Path;

/// How many are stored in one transaction.
const SLICE: u64 = 100_000;

/// Stores reports by hand in a file, with keys and instances that are as random as any.
pub(crate) fn fill(path: &Path, count: u64, time: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_update(None, "synchronous", "off").unwrap();
    connection.pragma_update(None, "cache_size", -500_000).unwrap();
    // A page that many reports change is written to its place once, not for each of them.
    connection.pragma_update(None, "wal_autocheckpoint", 250_000).unwrap();
    for _ in 0..count.div_ceil(SLICE) {
        connection
            .execute_batch(&format!(
                "BEGIN;
                 CREATE TEMP TABLE new AS
                     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                     SELECT (SELECT ifnull(max(id), 0) FROM report) + i AS id,
                         randomblob(8) AS instance, randomblob(16) AS key
                     FROM n;
                 INSERT INTO product VALUES (1, 'influxdb') ON CONFLICT DO NOTHING;
                 INSERT INTO report
                         (id, received_at, kind, product_id, idempotency_key, instance, data)
                     SELECT id, unixepoch('{time}') * 1000, 3, 1, key, instance,
                         '[{{\"tags\":{{\"arch\":\"x86_64\",\"os\":\"linux\",\"version\":\"1.8.10\"}},\"values\":{{\"num_databases\":3,\"num_measurements\":40,\"num_series\":' || id || ',\"server_id\":\"' || lower(hex(instance)) || '\",\"uptime\":43200.5}}}}]' FROM new;
                 DROP TABLE new;
                 COMMIT;"
            ))
            .unwrap();
    }
}

/// The same in a database of `PostgreSQL`.
#[cfg(all(unix, feature = "postgres"))]
pub(crate) fn fill_postgres(cluster: &testkit::cluster::Cluster, database: &str, count: u64) {
    for _ in 0..count.div_ceil(SLICE) {
        let statement = format!(
            "SET synchronous_commit = off;
             WITH bump AS (
                 UPDATE last_position SET position = position + {SLICE} RETURNING position - {SLICE} AS base
             ), new AS MATERIALIZED (
                 SELECT base + n AS id, left(md5(random()::text), 16) AS instance, md5(random()::text) AS key
                 FROM bump, generate_series(1, {SLICE}) AS n
             ), keys AS (
                 INSERT INTO idempotency (token_id, key, kind, product, seen_at)
                 SELECT 0, key, 'usage', 'influxdb', now() FROM new
             )
             INSERT INTO report (id, received_at, kind, product, instance, idempotency_key, data)
             SELECT id, now(), 'usage', 'influxdb', instance, key,
                 '[{{\"tags\":{{\"arch\":\"x86_64\",\"os\":\"linux\",\"version\":\"1.8.10\"}},\"values\":{{\"num_databases\":3,\"num_measurements\":40,\"num_series\":' || id || ',\"server_id\":\"' || instance || '\",\"uptime\":43200.5}}}}]'
             FROM new"
        );
        cluster.sql(database, &statement);
    }
}
