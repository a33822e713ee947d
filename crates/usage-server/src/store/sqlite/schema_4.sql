-- A token may end: when it is replaced, or revoked. Then it is refused.
ALTER TABLE token ADD COLUMN ends_at TEXT; -- RFC 3339, UTC; NULL: it does not

-- A key that has outlived its report. There is a row in either table, and never in both.
CREATE TABLE left_key (
    token_id INTEGER NOT NULL, -- 0: those without a token share one space of keys
    key      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    product  TEXT NOT NULL,
    seen_at  TEXT NOT NULL, -- RFC 3339, UTC: when its report came
    PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX left_key_time ON left_key (seen_at);

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
CREATE INDEX report_instance ON report (instance) WHERE instance IS NOT NULL;

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
    ends_at   TEXT NOT NULL -- RFC 3339, UTC
) STRICT;
