-- A report takes as little room as it can: it is one row, times are milliseconds since 1970 UTC, products
-- and kinds are numbers, and a text of hexadecimal digits is a blob of half the length (packed.rs says
-- which). `millis`, `kind_number` and `packed` are functions of this crate.

-- An AUTOINCREMENT goes on with the name of its table.
ALTER TABLE report RENAME TO old_report;
ALTER TABLE other_id RENAME TO old_other_id;
ALTER TABLE left_key RENAME TO old_left_key;

-- Names once. A product without reports has no row.
CREATE TABLE product (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- An id is never given twice. What a kind does not have is NULL; what may be long stands last.
CREATE TABLE report (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at     INTEGER NOT NULL, -- milliseconds since 1970 UTC
    token_id        INTEGER REFERENCES token (id), -- NULL: sent without a token
    kind            INTEGER NOT NULL CHECK (kind IN (1, 2, 3)), -- 1 server, 2 stats, 3 usage
    product_id      INTEGER NOT NULL REFERENCES product (id),
    idempotency_key ANY, -- packed
    instance        ANY, -- packed: which installation it is about, the first id that it names
    cluster_id      TEXT, -- server, stats
    server_id       TEXT, -- server, stats
    host            TEXT, -- server
    version         TEXT, -- server
    data            TEXT  -- stats: JSON: [{"name":…,"tags":{…},"values":{…}},…]; usage: without a name
) STRICT;

-- What else a report names. Most have no row here.
CREATE TABLE other_id (
    id        ANY NOT NULL, -- packed
    report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
    PRIMARY KEY (id, report_id)
) STRICT, WITHOUT ROWID;

-- A key that has outlived its report. There is a row in either table, and never in both.
CREATE TABLE left_key (
    token_id INTEGER NOT NULL, -- 0: those without a token share one space of keys
    key      ANY NOT NULL, -- packed
    kind     INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
    product  TEXT NOT NULL, -- a name, since there may be no report of it any more
    seen_at  INTEGER NOT NULL, -- milliseconds since 1970 UTC: when its report came
    PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;

-- No id up to the last is given again, whether its report is there or not. What it refers to is looked at
-- when all of this is committed, and by then it is gone.
PRAGMA defer_foreign_keys = ON;
INSERT INTO report (id, received_at, kind, product_id)
    SELECT seq, 0, 1, 0 FROM sqlite_sequence WHERE name = 'old_report';
DELETE FROM report;

INSERT INTO product (name) SELECT DISTINCT product FROM old_report ORDER BY product;

INSERT INTO report
    SELECT old.id, millis(received_at), token_id, kind_number(kind), product.id,
           packed(idempotency_key), packed(instance),
           ifnull(server.cluster_id, stats.cluster_id), ifnull(server.server_id, stats.server_id),
           host, version, ifnull(stats.data, usage.data)
    FROM old_report AS old
    CROSS JOIN product ON product.name = old.product
    LEFT JOIN server ON server.report_id = old.id
    LEFT JOIN stats ON stats.report_id = old.id
    LEFT JOIN usage ON usage.report_id = old.id
    ORDER BY old.id;

INSERT INTO other_id SELECT packed(id), report_id FROM old_other_id;

INSERT INTO left_key
    SELECT token_id, packed(key), kind_number(kind), product, millis(seen_at) FROM old_left_key;

DROP TABLE server;
DROP TABLE stats;
DROP TABLE usage;
DROP TABLE old_other_id;
DROP TABLE old_left_key;
DROP TABLE old_report;

-- One report for each key of a sender. Those without a token share one space of keys.
CREATE UNIQUE INDEX report_idempotency ON report (ifnull(token_id, 0), idempotency_key)
    WHERE idempotency_key IS NOT NULL;
-- For a day of a product, for what is too old to be kept, and for whether a product has reports.
CREATE INDEX report_time ON report (product_id, kind, received_at);
-- For all of an instance, and for the first of it.
CREATE INDEX report_instance ON report (instance) WHERE instance IS NOT NULL;
CREATE INDEX other_id_report ON other_id (report_id);
CREATE INDEX left_key_time ON left_key (seen_at);
