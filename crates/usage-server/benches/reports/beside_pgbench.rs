//! Reports over `PostgreSQL` on the same machine, by its socket, beside what pgbench can do there: one
//! `INSERT` of such a row, durable when it is answered, over as many connections.

use std::time::Instant;

use testkit::bench::{Key, ReportClient, ReportClients, Row, Unit, compare_figures};
use testkit::cluster::Cluster;
use usage_server::{Config, Database, Server};

use crate::CLIENTS;

/// How many reports there are for each connection in a round.
const EACH: usize = 100;

/// How many times pgbench's rate is wanted.
const TARGET: f64 = 3.0;

const WHAT: &str = "usage-server over PostgreSQL, token and fresh key, beside pgbench";

/// The columns of a report and their indexes, with a default for what is the same in each row.
const PLAIN: &str = "\
    CREATE TABLE plain (
        id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        received_at     timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        token_id        bigint NOT NULL DEFAULT 1,
        kind            text NOT NULL DEFAULT 'usage',
        product         text NOT NULL DEFAULT 'influxdb',
        instance        text NOT NULL,
        idempotency_key text NOT NULL,
        data            text NOT NULL DEFAULT '{data}',
        UNIQUE (token_id, idempotency_key)
    );
    CREATE INDEX plain_time ON plain (product, kind, received_at);
    CREATE INDEX plain_instance ON plain (instance);";

const INSERT: &str = "\
    INSERT INTO plain (instance, idempotency_key)
    VALUES (left(md5(random()::text), 16), md5(random()::text));";

pub(crate) fn rows() -> [Row; 1] {
    let row = row().unwrap_or_else(|why| Row::missing(WHAT, Unit::PerSecond, Some(TARGET), why));
    [row]
}

fn row() -> Result<Row, String> {
    let cluster = Cluster::start_durable()?;
    let name = cluster.new_database();
    let plain = cluster.new_database();
    cluster.sql(&plain, &PLAIN.replace("{data}", &ReportClient::data(1)));
    let pgbench = || cluster.pgbench(&plain, INSERT, CLIENTS, EACH);
    pgbench()?;
    let database = Database::postgres(&cluster.address(&name, false));
    let config = Config::new(database.map_err(|error| error.to_string())?);
    let server = Server::bind("127.0.0.1:0", config).map_err(|error| error.to_string())?;
    let token = server.create_token("Example Inc.").map_err(|error| error.to_string())?;
    let mut clients =
        ReportClients::new(CLIENTS, server.local_addr(), Some(token.expose()), Key::Fresh);
    clients.send_all(EACH);
    #[expect(clippy::cast_precision_loss, reason = "a few thousands")]
    let count = (CLIENTS * EACH) as f64;
    let mut rate = || {
        let begun = Instant::now();
        clients.send_all(EACH);
        count / begun.elapsed().as_secs_f64()
    };
    let pgbench = || pgbench().expect("pgbench did this before");
    let row = compare_figures(WHAT, Unit::PerSecond, Some(TARGET), &mut rate, pgbench);
    server.shutdown().map_err(|error| error.to_string())?;
    Ok(row)
}
