-- How many reports of each kind there are up to a position. Those behind it are counted later: nobody
-- who stores one waits for this row.
CREATE TABLE tally (
    id         integer PRIMARY KEY CHECK (id = 1),
    counted_to bigint NOT NULL,
    servers    bigint NOT NULL,
    stats      bigint NOT NULL,
    usage      bigint NOT NULL
);
INSERT INTO tally VALUES (1, 0, 0, 0, 0);

-- How many requests were refused by any server: added to from time to time, and not with each of them.
CREATE TABLE refusal (
    day    text NOT NULL, -- 2026-11-27, UTC
    reason text NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (day, reason)
);

-- When all that was too old had been pruned.
ALTER TABLE upkeep ADD COLUMN pruned_at timestamptz(3);
