-- A token may end: when it is replaced, or revoked. Then it is refused.
ALTER TABLE token ADD COLUMN ends_at TEXT; -- RFC 3339, UTC; NULL: it does not

-- A key may live longer than its report, or go before it.
CREATE TABLE idempotency (
    token_id  INTEGER NOT NULL, -- 0: those without a token share one space of keys
    key       TEXT NOT NULL,
    kind      TEXT NOT NULL,
    product   TEXT NOT NULL,
    seen_at   TEXT NOT NULL, -- RFC 3339, UTC
    report_id INTEGER, -- NULL: the key has outlived its report
    PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;

INSERT INTO idempotency
    SELECT ifnull(token_id, 0), idempotency_key, kind, product, received_at, id
    FROM report WHERE idempotency_key IS NOT NULL;

DROP INDEX report_idempotency;
ALTER TABLE report DROP COLUMN idempotency_key;

CREATE INDEX idempotency_report ON idempotency (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX idempotency_left ON idempotency (seen_at) WHERE report_id IS NULL;

-- Which installation of a product a report is about: the first id that it names.
ALTER TABLE report ADD COLUMN instance TEXT;

-- What else it names. Most reports have no row here.
CREATE TABLE other_id (
    id        TEXT NOT NULL,
    report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
    PRIMARY KEY (id, report_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX other_id_report ON other_id (report_id);

-- For a day of a product, and for what is too old to be kept.
CREATE INDEX report_time ON report (product, kind, received_at);
-- For all of an instance, and for the first of it.
CREATE INDEX report_instance ON report (instance, product) WHERE instance IS NOT NULL;

-- What was erased: what kind of thing, by a hash, and how much. Never what it was.
CREATE TABLE erasure (
    id         INTEGER PRIMARY KEY,
    erased_at  TEXT NOT NULL, -- RFC 3339, UTC
    kind       TEXT NOT NULL, -- instance, organisation, before
    hash       BLOB NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the kind, a zero byte, and what it was
    reports    INTEGER NOT NULL,
    tokens     INTEGER NOT NULL
) STRICT;

-- Who does what has to be done once, among all servers of a database.
CREATE TABLE upkeep (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    holder    TEXT NOT NULL,
    ends_at   TEXT NOT NULL, -- RFC 3339, UTC
    pruned_at TEXT -- RFC 3339, UTC: when all was pruned that was to be
) STRICT;
