CREATE TABLE token (
    id           INTEGER PRIMARY KEY,
    hash         BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256 of the secret
    organisation TEXT NOT NULL,
    created_at   TEXT NOT NULL -- RFC 3339, UTC
) STRICT;

-- What every report has, whatever it says. An id is never given twice.
CREATE TABLE report (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at     TEXT NOT NULL, -- RFC 3339, UTC
    token_id        INTEGER REFERENCES token (id), -- NULL: sent without a token
    kind            TEXT NOT NULL CHECK (kind IN ('server', 'stats', 'usage')),
    idempotency_key TEXT
) STRICT;

-- One report for each key of a sender. Those without a token share one space of keys.
CREATE UNIQUE INDEX report_idempotency ON report (ifnull(token_id, 0), idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE server (
    report_id  INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
    cluster_id TEXT NOT NULL,
    server_id  TEXT NOT NULL,
    host       TEXT NOT NULL,
    product    TEXT NOT NULL,
    version    TEXT NOT NULL
) STRICT;

CREATE TABLE stats (
    report_id  INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
    product    TEXT NOT NULL,
    cluster_id TEXT NOT NULL,
    server_id  TEXT NOT NULL,
    data       TEXT NOT NULL -- JSON: [{"name":…,"tags":{…},"values":{…}},…]
) STRICT;

CREATE TABLE usage (
    report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
    product   TEXT NOT NULL,
    data      TEXT NOT NULL -- JSON: [{"tags":{…},"values":{…}},…]
) STRICT;
