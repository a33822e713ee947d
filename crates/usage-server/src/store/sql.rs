//! Every statement, beside each other, to be read against the schema.

pub(super) const INSERT_TOKEN: &str = "\
    INSERT INTO token (hash, organisation, created_at)
    VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

pub(super) const INSERT_REGISTRATION: &str = "\
    INSERT INTO registration (token_id, email, cluster_id, product) VALUES (?1, ?2, ?3, ?4)";

/// Inserts nothing if the key is known: the unique index decides, inside the transaction.
pub(super) const INSERT_REPORT: &str = "\
    INSERT INTO report (received_at, token_id, kind, product, idempotency_key)
    VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?1, ?2, ?3, ?4)
    ON CONFLICT DO NOTHING";

/// Spells its condition like the unique index, which then answers it.
pub(super) const FIRST_WITH_KEY: &str = "\
    SELECT kind, product FROM report
    WHERE ifnull(token_id, 0) = ifnull(?1, 0) AND idempotency_key = ?2";

pub(super) const INSERT_SERVER: &str = "\
    INSERT INTO server (report_id, cluster_id, server_id, host, version)
    VALUES (?1, ?2, ?3, ?4, ?5)";

pub(super) const INSERT_STATS: &str = "\
    INSERT INTO stats (report_id, cluster_id, server_id, data) VALUES (?1, ?2, ?3, ?4)";

pub(super) const INSERT_USAGE: &str = "INSERT INTO usage (report_id, data) VALUES (?1, ?2)";

pub(super) const HAS_TOKEN: &str = "SELECT EXISTS (SELECT 1 FROM token WHERE organisation = ?1)";

pub(super) const TOKEN: &str = "SELECT id, organisation FROM token WHERE hash = ?1";

pub(super) const SERVERS: &str = "\
    SELECT report.id, received_at, organisation, product, cluster_id, server_id, host, version
    FROM server
    JOIN report ON report.id = report_id
    LEFT JOIN token ON token.id = token_id
    ORDER BY report.id";

pub(super) const STATS: &str = "\
    SELECT report.id, received_at, organisation, product, cluster_id, server_id, data
    FROM stats
    JOIN report ON report.id = report_id
    LEFT JOIN token ON token.id = token_id
    ORDER BY report.id";

pub(super) const USAGE: &str = "\
    SELECT report.id, received_at, organisation, product, data
    FROM usage
    JOIN report ON report.id = report_id
    LEFT JOIN token ON token.id = token_id
    ORDER BY report.id";

/// What was made in a database. What `ANALYZE` keeps there is nobody's.
pub(super) const OBJECTS: &str = "\
    SELECT type, name, ifnull(sql, '') FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*'";
