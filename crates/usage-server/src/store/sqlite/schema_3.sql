-- Who registered at the page, and what. A token that the operator made has no row here.
CREATE TABLE registration (
    token_id   INTEGER PRIMARY KEY REFERENCES token (id) ON DELETE CASCADE,
    email      TEXT NOT NULL,
    cluster_id TEXT NOT NULL,
    product    TEXT NOT NULL
) STRICT;
