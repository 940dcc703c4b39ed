-- What a team knows of a customer: who they are, and which clock is theirs.
CREATE TABLE contacts (
    address TEXT PRIMARY KEY,
    name    TEXT,
    zone    TEXT,
    set_by  TEXT NOT NULL,
    set_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
