-- The first schema. Times are whole microseconds since 1970 UTC. Numbers and texts live here and nowhere else.

CREATE TABLE conversations (
    id                  TEXT PRIMARY KEY,
    ours                TEXT NOT NULL,               -- our number, short code, name, or 'pool'
    theirs              TEXT NOT NULL,               -- theirs, sorted, comma between
    channel_id          TEXT NOT NULL,
    thread_ts           TEXT,                        -- NULL: not opened yet, or its root was lost
    root                INTEGER NOT NULL DEFAULT 0,  -- how many roots it has had
    previous_channel_id TEXT,
    previous_thread_ts  TEXT,
    created_at          INTEGER NOT NULL,
    active_at           INTEGER,
    UNIQUE (ours, theirs)                            -- promise 3: one thread per pair, under any concurrency
) STRICT;

CREATE INDEX conversations_by_activity ON conversations (active_at);

-- Every thread a conversation ever had: a reply into an old one is still a reply.
CREATE TABLE threads (
    channel_id      TEXT NOT NULL,
    thread_ts       TEXT NOT NULL,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    PRIMARY KEY (channel_id, thread_ts)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    direction       TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    origin          TEXT NOT NULL,
    state           TEXT NOT NULL,
    text            TEXT NOT NULL,
    author          TEXT,
    sender          TEXT,
    channel_id      TEXT,
    slack_ts        TEXT,
    carrier_id      TEXT UNIQUE,                     -- promise 1: the same message under a new event id is the same message
    created_at      INTEGER NOT NULL,
    due_at          INTEGER,
    mark_shown      TEXT,
    mark_tried      TEXT
) STRICT;
CREATE INDEX messages_of_conversation ON messages (conversation_id, created_at);
CREATE UNIQUE INDEX messages_in_slack ON messages (channel_id, slack_ts) WHERE slack_ts IS NOT NULL;

-- Promise 2: the bytes and the key of a send, stored before it is made.
CREATE TABLE requests (
    message_id       TEXT PRIMARY KEY REFERENCES messages (id),
    path             TEXT NOT NULL,
    idempotency_key  TEXT NOT NULL UNIQUE,
    body             BLOB NOT NULL,
    created_at       INTEGER NOT NULL,
    attempted_at     INTEGER,                        -- the newest attempt whose outcome is not known; NULL: none
    attempts         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE deliveries (
    message_id  TEXT NOT NULL REFERENCES messages (id),
    recipient   TEXT NOT NULL,
    status      TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    code        TEXT,
    title       TEXT,
    detail      TEXT,
    PRIMARY KEY (message_id, recipient)
) STRICT, WITHOUT ROWID;

-- Who may not be texted, and the evidence for ever.
CREATE TABLE consents (
    address             TEXT PRIMARY KEY,
    stopped_by_customer INTEGER REFERENCES consent_changes (id),
    stopped_by_hand     INTEGER REFERENCES consent_changes (id)
) STRICT;
CREATE TABLE consent_changes (
    id         INTEGER PRIMARY KEY,
    address    TEXT NOT NULL,
    change     TEXT NOT NULL,
    source     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT,
    message_id TEXT,
    words      TEXT,
    reason     TEXT
) STRICT;
CREATE INDEX consent_changes_of_address ON consent_changes (address, id);

CREATE TABLE schedules (
    id              TEXT PRIMARY KEY,
    message_id      TEXT NOT NULL UNIQUE REFERENCES messages (id),
    state           TEXT NOT NULL,
    due_at          INTEGER NOT NULL,
    zone            TEXT NOT NULL,
    author          TEXT NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_waiting ON schedules (due_at) WHERE state IN ('waiting', 'at_carrier', 'taking_back');

-- Inbox and outbox: what came in and is to be read, what is to be done and by whom.
CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,
    pool         TEXT NOT NULL,
    key          TEXT NOT NULL UNIQUE,               -- exactly once: a key is never enqueued again
    lane         TEXT,
    status       TEXT NOT NULL CHECK (status IN ('waiting', 'ready', 'running', 'done', 'parked')),
    body         TEXT NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    surprises    INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    unsettled_at INTEGER,                            -- when the first attempt began that may have done its work unseen
    lease_until  INTEGER,
    token        TEXT,
    finished_at  INTEGER,
    trouble      TEXT                                -- what went wrong last, for the operator: no numbers, no texts
) STRICT;
-- Order per lane: one at its head, and only one.
CREATE UNIQUE INDEX jobs_lane_head ON jobs (lane) WHERE status IN ('ready', 'running') AND lane IS NOT NULL;
CREATE INDEX jobs_lane_queue ON jobs (lane, id) WHERE status = 'waiting';
CREATE INDEX jobs_ready ON jobs (pool, due_at, id) WHERE status = 'ready';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_parked ON jobs (id) WHERE status = 'parked';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE status = 'done';

-- Small facts that outlive a restart: counters, cursors, the channels' own settings.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
