-- Pictures and files. Their bytes are files beside the database, each named by its id; see storage/shelf.py.

CREATE TABLE media (
    id           TEXT PRIMARY KEY,
    message_id   TEXT NOT NULL REFERENCES messages (id),
    position     INTEGER NOT NULL,
    source       TEXT NOT NULL,                   -- the carrier's address of it, or the id of a teammate's file
    state        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    name         TEXT,
    content_type TEXT,
    size         INTEGER,
    sha256       TEXT,
    filename     TEXT,
    loss         TEXT,
    file_id      TEXT,                            -- stored before it is completed: by it a share is found again
    uploads      INTEGER NOT NULL DEFAULT 0,
    began_at     INTEGER,
    channel_id   TEXT,
    thread_ts    TEXT,
    completed_at INTEGER,
    slack_ts     TEXT,
    token        TEXT UNIQUE,                     -- the unguessable part of the address for the carrier
    expires_at   INTEGER,
    keep_until   INTEGER,                         -- when our own copy may go; NULL: not yet known
    UNIQUE (message_id, position)
) STRICT;
CREATE INDEX media_to_forget ON media (keep_until) WHERE keep_until IS NOT NULL;
