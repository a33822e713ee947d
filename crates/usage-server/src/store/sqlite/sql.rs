//! The statements for reports, beside each other, to be read against the schema.

pub(super) const INSERT_TOKEN: &str = "\
    INSERT INTO token (hash, organisation, created_at)
    VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

pub(super) const INSERT_REGISTRATION: &str = "\
    INSERT INTO registration (token_id, email, cluster_id, product) VALUES (?1, ?2, ?3, ?4)";

/// A report with all that is stored of it, as plain as can be: each condition in it is a program of its own
/// for each report. Without an id it gets the next one.
macro_rules! insert_report {
    ($more:literal) => {
        concat!(
            "INSERT INTO report (id, received_at, token_id, kind, product_id, idempotency_key,
                 instance, cluster_id, server_id, host, version, data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            $more
        )
    };
}

pub(super) const INSERT_REPORT: &str = insert_report!("");

pub(super) const TAKE_REPORT: &str = insert_report!(" ON CONFLICT (id) DO NOTHING");

pub(super) const INSERT_OTHER_ID: &str = "INSERT INTO other_id (id, report_id) VALUES (?1, ?2)";

/// Spells its condition like the unique index, which then answers it. With a join in it `SQLite` would
/// prepare it anew for each key.
pub(super) const FIRST_WITH_KEY: &str = "\
    SELECT kind, (SELECT name FROM product WHERE id = product_id) FROM report
    WHERE ifnull(token_id, 0) = ifnull(?1, 0) AND idempotency_key = ?2
    UNION ALL
    SELECT kind, product FROM left_key WHERE token_id = ifnull(?1, 0) AND key = ?2";

/// A token that has ended is not known.
pub(super) const HAS_TOKEN: &str = "\
    SELECT EXISTS (SELECT 1 FROM token WHERE organisation = ?1
        AND (ends_at IS NULL OR ends_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))";

pub(super) const TOKEN_COUNTS: &str = "\
    SELECT EXISTS (SELECT 1 FROM token WHERE id = ?1 AND (ends_at IS NULL OR ends_at > ?2))";

pub(super) const TOKEN: &str = "\
    SELECT id, organisation FROM token WHERE hash = ?1
        AND (ends_at IS NULL OR ends_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

/// The columns of a report.
macro_rules! report {
    () => {
        "\
    SELECT report.id, received_at, nullif(organisation, ''), instance, kind, name,
           cluster_id, server_id, host, version, data
    FROM report
    LEFT JOIN product ON product.id = product_id
    LEFT JOIN token ON token.id = token_id
    "
    };
}

/// A page of reports behind a position. The table is read in its order: an index would have to be
/// sorted, in memory that grows with the database.
pub(super) const PAGE: &str = concat!(
    report!(),
    "WHERE report.id > ?1
        AND (?2 IS NULL OR +kind = ?2)
        AND (?3 IS NULL OR +product_id = (SELECT id FROM product WHERE name = ?3))
        AND (?4 IS NULL OR +received_at >= ?4)
    ORDER BY report.id"
);

pub(super) const ROW: &str = concat!(report!(), "WHERE report.id = ?1");

/// The index has the reports of an instance in the order of their positions: the first decides, as a
/// rule.
pub(super) const KNOWN_BEFORE: &str = "\
    SELECT EXISTS (SELECT 1 FROM report INDEXED BY report_instance
        WHERE instance = ?1 AND product_id = (SELECT id FROM product WHERE name = ?2)
            AND received_at < ?3)";

/// What was made in a database. What `ANALYZE` keeps there is nobody's.
pub(super) const OBJECTS: &str = "\
    SELECT type, name, ifnull(sql, '') FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*'";
