-- How many reports of each kind there are up to a position. Those behind it are counted later: nobody
-- who stores one waits for this row.
CREATE TABLE tally (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    counted_to INTEGER NOT NULL,
    servers    INTEGER NOT NULL,
    stats      INTEGER NOT NULL,
    usage      INTEGER NOT NULL
) STRICT;
INSERT INTO tally VALUES (1, 0, 0, 0, 0);

-- How many requests were refused: added to from time to time, and not with each of them.
CREATE TABLE refusal (
    day    TEXT NOT NULL, -- 2026-11-27, UTC
    reason TEXT NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (day, reason)
) STRICT, WITHOUT ROWID;

-- When all that was too old had been pruned.
ALTER TABLE upkeep ADD COLUMN pruned_at TEXT; -- RFC 3339, UTC
