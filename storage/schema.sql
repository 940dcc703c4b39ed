-- Schema 14, of which a new database is made: what the steps in `migrations` come to.
-- Written by tools/write_schema.py: do not edit. What stands between the statements there, and why, is not repeated here.

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

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice, so that a gap would show
    key     TEXT NOT NULL UNIQUE,                -- exactly once: the same deed recorded again is the same entry
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL CHECK (actor <> ''),
    action  TEXT NOT NULL CHECK (action <> ''),
    numbers TEXT NOT NULL,                       -- of the customers concerned: ',+14155550101,+14155550102,', or ''
    subject TEXT,
    detail  TEXT NOT NULL                        -- a JSON object of strings
) STRICT;
CREATE INDEX audit_by_time ON audit (at);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is only ever added to');
END;

CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is only ever added to');
END;

CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE key = NEW.key OR id = NEW.id)
BEGIN
    SELECT RAISE(IGNORE);
END;

CREATE TRIGGER evidence_is_never_changed
BEFORE UPDATE OF id, address, change, source, at, actor, message_id, reason ON consent_changes
BEGIN
    SELECT RAISE(ABORT, 'evidence is only ever added to');
END;

CREATE TRIGGER evidence_is_never_reworded BEFORE UPDATE OF words ON consent_changes
WHEN NEW.words IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the words of evidence can be erased, not changed');
END;

CREATE TRIGGER evidence_is_never_removed BEFORE DELETE ON consent_changes
BEGIN
    SELECT RAISE(ABORT, 'evidence is only ever added to');
END;

CREATE TRIGGER evidence_is_never_replaced BEFORE INSERT ON consent_changes
WHEN EXISTS (SELECT 1 FROM consent_changes WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'evidence is only ever added to');
END;

CREATE TABLE contacts (
    address TEXT PRIMARY KEY,
    name    TEXT,
    zone    TEXT,
    set_by  TEXT NOT NULL,
    set_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE names (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE packed_conversations (
    number           INTEGER PRIMARY KEY,
    id               ANY NOT NULL,
    ours             TEXT NOT NULL,                -- our number, short code, name, or 'pool'; before it a medium but SMS
    theirs           TEXT NOT NULL,                -- theirs, sorted, comma between; never changes
    channel          INTEGER NOT NULL REFERENCES names (number),
    thread_ts        ANY,                          -- NULL: not opened yet, or its root was lost
    root             INTEGER NOT NULL DEFAULT 0,   -- how many roots it has had
    previous_channel INTEGER REFERENCES names (number),
    previous_ts      ANY,
    created_at       INTEGER NOT NULL,
    active_at        INTEGER
) STRICT;

CREATE TABLE packed_threads (
    channel      INTEGER NOT NULL REFERENCES names (number),
    thread_ts    ANY NOT NULL,
    conversation INTEGER NOT NULL REFERENCES packed_conversations (number),
    PRIMARY KEY (channel, thread_ts)
) STRICT, WITHOUT ROWID;

CREATE TABLE packed_messages (
    number       INTEGER PRIMARY KEY,
    id           ANY NOT NULL,
    conversation INTEGER NOT NULL REFERENCES packed_conversations (number),
    direction    INTEGER NOT NULL CHECK (direction BETWEEN 0 AND 1),
    origin       INTEGER NOT NULL CHECK (origin BETWEEN 0 AND 5),
    state        INTEGER NOT NULL CHECK (state BETWEEN 0 AND 9),
    text         TEXT NOT NULL,
    author       INTEGER REFERENCES names (number),
    sender       ANY,                              -- 0: the conversation's `theirs`
    channel      INTEGER REFERENCES names (number),
    slack_ts     ANY,
    carrier_id   ANY,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER,
    mark_shown   INTEGER CHECK (mark_shown BETWEEN 0 AND 7),
    mark_tried   INTEGER CHECK (mark_tried BETWEEN 0 AND 7),
    erased_at    INTEGER,
    turn         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE packed_deliveries (
    message     INTEGER NOT NULL REFERENCES packed_messages (number),
    recipient   ANY NOT NULL,                      -- 0: the conversation's `theirs`
    status      INTEGER NOT NULL CHECK (status BETWEEN 0 AND 12),
    occurred_at INTEGER NOT NULL,
    code        TEXT,
    title       TEXT,
    detail      TEXT,
    PRIMARY KEY (message, recipient)
) STRICT, WITHOUT ROWID;

CREATE TABLE "requests" (
    message          INTEGER PRIMARY KEY REFERENCES packed_messages (number),
    path             TEXT NOT NULL,
    idempotency_key  TEXT NOT NULL UNIQUE,
    body             BLOB NOT NULL,
    created_at       INTEGER NOT NULL,
    attempted_at     INTEGER,                        -- the newest attempt whose outcome is not known; NULL: none
    attempts         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE "recurrences" (
    id           TEXT PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES packed_conversations (number),
    active       INTEGER NOT NULL,
    rrule        TEXT NOT NULL,                      -- RFC 5545, without its beginning
    began_on     TEXT NOT NULL,                      -- what the wall shows at the first; ISO, without a zone
    zone         TEXT NOT NULL,
    text         TEXT NOT NULL,
    author       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    unless_reply INTEGER NOT NULL,
    number       INTEGER NOT NULL,                   -- how many occurrences were made
    occurs_on    TEXT,                               -- what the wall shows at the newest of them
    revision     INTEGER NOT NULL
) STRICT;

CREATE TABLE "schedules" (
    id            TEXT PRIMARY KEY,
    message       INTEGER NOT NULL UNIQUE REFERENCES packed_messages (number),
    state         TEXT NOT NULL,
    due_at        INTEGER NOT NULL,
    zone          TEXT NOT NULL,
    author        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    unless_reply  INTEGER NOT NULL DEFAULT 0,
    next_message  INTEGER REFERENCES packed_messages (number),
    recurrence_id TEXT REFERENCES "recurrences" (id)
) STRICT;

CREATE TABLE "media" (
    id           TEXT PRIMARY KEY,
    message      INTEGER NOT NULL REFERENCES packed_messages (number),
    position     INTEGER NOT NULL,
    source       TEXT NOT NULL,                      -- the carrier's address of it, or the id of a teammate's file
    state        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    name         TEXT,
    content_type TEXT,
    size         INTEGER,
    sha256       TEXT,
    filename     TEXT,
    loss         TEXT,
    file_id      TEXT,                               -- stored before it is completed: by it a share is found again
    uploads      INTEGER NOT NULL DEFAULT 0,
    began_at     INTEGER,
    channel_id   TEXT,
    thread_ts    TEXT,
    completed_at INTEGER,
    slack_ts     TEXT,
    token        TEXT UNIQUE,                        -- the unguessable part of the address for the carrier
    expires_at   INTEGER,
    keep_until   INTEGER, address TEXT,                            -- when our own copy may go; NULL: not yet known
    UNIQUE (message, position)
) STRICT;
CREATE UNIQUE INDEX conversations_by_id ON packed_conversations (id);
CREATE UNIQUE INDEX conversations_by_parties ON packed_conversations (ours, theirs);
CREATE INDEX conversations_by_activity ON packed_conversations (active_at);
CREATE INDEX threads_of_conversation ON packed_threads (conversation);
CREATE UNIQUE INDEX messages_by_id ON packed_messages (id);
CREATE UNIQUE INDEX messages_by_carrier_id ON packed_messages (carrier_id) WHERE carrier_id IS NOT NULL;
CREATE INDEX messages_of_conversation ON packed_messages (conversation, created_at);
CREATE UNIQUE INDEX messages_in_slack ON packed_messages (channel, slack_ts)
    WHERE slack_ts IS NOT NULL AND direction = 1;
CREATE INDEX messages_shown_in_slack ON packed_messages (channel, slack_ts)
    WHERE slack_ts IS NOT NULL AND direction = 0;
CREATE INDEX messages_by_age ON packed_messages (created_at / 3600000000) WHERE erased_at IS NULL;
CREATE INDEX requests_by_age ON requests (created_at);
CREATE INDEX recurrences_of_conversation ON recurrences (conversation, active);
CREATE INDEX schedules_waiting ON schedules (due_at) WHERE state IN ('waiting', 'at_carrier', 'taking_back');
CREATE INDEX schedules_next_message ON schedules (next_message) WHERE next_message IS NOT NULL;
CREATE UNIQUE INDEX schedules_occurrence ON schedules (recurrence_id, due_at)
    WHERE recurrence_id IS NOT NULL AND state <> 'cancelled';
CREATE INDEX media_to_forget ON media (keep_until) WHERE keep_until IS NOT NULL;

CREATE VIEW conversations AS
SELECT c.number,
    CASE typeof(c.id) WHEN 'blob' THEN lower(hex(c.id)) ELSE c.id END AS id,
    c.ours, c.theirs,
    (SELECT name FROM names WHERE number = c.channel) AS channel_id,
    CASE typeof(c.thread_ts) WHEN 'integer' THEN printf('%d.%06d', c.thread_ts / 1000000, c.thread_ts % 1000000)
        ELSE c.thread_ts END AS thread_ts,
    c.root,
    (SELECT name FROM names WHERE number = c.previous_channel) AS previous_channel_id,
    CASE typeof(c.previous_ts) WHEN 'integer' THEN printf('%d.%06d', c.previous_ts / 1000000, c.previous_ts % 1000000)
        ELSE c.previous_ts END AS previous_thread_ts,
    c.created_at, c.active_at
FROM packed_conversations c;

CREATE VIEW threads AS
SELECT (SELECT name FROM names WHERE number = t.channel) AS channel_id,
    CASE typeof(t.thread_ts) WHEN 'integer' THEN printf('%d.%06d', t.thread_ts / 1000000, t.thread_ts % 1000000)
        ELSE t.thread_ts END AS thread_ts,
    (SELECT CASE typeof(c.id) WHEN 'blob' THEN lower(hex(c.id)) ELSE c.id END
        FROM packed_conversations c WHERE c.number = t.conversation) AS conversation_id
FROM packed_threads t;

CREATE VIEW messages AS
SELECT m.number,
    CASE typeof(m.id) WHEN 'blob' THEN lower(hex(m.id)) ELSE m.id END AS id,
    (SELECT CASE typeof(c.id) WHEN 'blob' THEN lower(hex(c.id)) ELSE c.id END
        FROM packed_conversations c WHERE c.number = m.conversation) AS conversation_id,
    CASE m.direction WHEN 0 THEN 'inbound' WHEN 1 THEN 'outbound' END AS direction,
    CASE m.origin WHEN 0 THEN 'phone' WHEN 1 THEN 'thread' WHEN 2 THEN 'command' WHEN 3 THEN 'form'
        WHEN 4 THEN 'schedule' WHEN 5 THEN 'correction' END AS origin,
    CASE m.state WHEN 0 THEN 'received' WHEN 1 THEN 'accepted' WHEN 2 THEN 'note' WHEN 3 THEN 'blocked'
        WHEN 4 THEN 'confirming' WHEN 5 THEN 'waiting' WHEN 6 THEN 'under_way' WHEN 7 THEN 'refused'
        WHEN 8 THEN 'unsettled' WHEN 9 THEN 'cancelled' END AS state,
    m.text,
    (SELECT name FROM names WHERE number = m.author) AS author,
    CASE m.sender WHEN 0 THEN (SELECT theirs FROM packed_conversations WHERE number = m.conversation)
        ELSE m.sender END AS sender,
    (SELECT name FROM names WHERE number = m.channel) AS channel_id,
    CASE typeof(m.slack_ts) WHEN 'integer' THEN printf('%d.%06d', m.slack_ts / 1000000, m.slack_ts % 1000000)
        ELSE m.slack_ts END AS slack_ts,
    CASE typeof(m.carrier_id) WHEN 'blob' THEN lower(substr(hex(m.carrier_id), 1, 8) || '-' || substr(hex(m.carrier_id), 9, 4)
        || '-' || substr(hex(m.carrier_id), 13, 4) || '-' || substr(hex(m.carrier_id), 17, 4)
        || '-' || substr(hex(m.carrier_id), 21)) ELSE m.carrier_id END AS carrier_id,
    m.created_at, m.due_at,
    CASE m.mark_shown WHEN 0 THEN 'white_check_mark' WHEN 1 THEN 'hourglass_flowing_sand' WHEN 2 THEN 'eyes'
        WHEN 3 THEN 'grey_question' WHEN 4 THEN 'x' WHEN 5 THEN 'warning' WHEN 6 THEN 'memo' WHEN 7 THEN 'no_entry'
        END AS mark_shown,
    CASE m.mark_tried WHEN 0 THEN 'white_check_mark' WHEN 1 THEN 'hourglass_flowing_sand' WHEN 2 THEN 'eyes'
        WHEN 3 THEN 'grey_question' WHEN 4 THEN 'x' WHEN 5 THEN 'warning' WHEN 6 THEN 'memo' WHEN 7 THEN 'no_entry'
        END AS mark_tried,
    m.erased_at, m.turn
FROM packed_messages m;

CREATE VIEW deliveries AS
SELECT d.message,
    (SELECT CASE typeof(m.id) WHEN 'blob' THEN lower(hex(m.id)) ELSE m.id END
        FROM packed_messages m WHERE m.number = d.message) AS message_id,
    CASE d.recipient WHEN 0 THEN (SELECT c.theirs FROM packed_messages m
        JOIN packed_conversations c ON c.number = m.conversation WHERE m.number = d.message)
        ELSE d.recipient END AS recipient,
    CASE d.status WHEN 0 THEN 'delivered' WHEN 1 THEN 'sent' WHEN 2 THEN 'other' WHEN 3 THEN 'scheduled'
        WHEN 4 THEN 'queued' WHEN 5 THEN 'sending' WHEN 6 THEN 'unknown' WHEN 7 THEN 'delivery_unconfirmed'
        WHEN 8 THEN 'cancelled' WHEN 9 THEN 'expired' WHEN 10 THEN 'sending_failed' WHEN 11 THEN 'delivery_failed'
        WHEN 12 THEN 'read' END AS status,
    d.occurred_at, d.code, d.title, d.detail
FROM packed_deliveries d;
CREATE INDEX schedules_unless_reply ON schedules (unless_reply, message)
    WHERE unless_reply = 1 AND state IN ('waiting', 'at_carrier', 'taking_back');

CREATE TABLE "jobs" (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,
    pool         TEXT NOT NULL,
    key          TEXT NOT NULL UNIQUE,               -- exactly once: a key is never enqueued again
    lane         TEXT,
    status       TEXT NOT NULL CHECK (
        status = 'ready' OR status = 'waiting' OR status = 'running' OR status = 'done' OR status = 'parked'),
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
CREATE UNIQUE INDEX jobs_lane_head ON jobs (lane) WHERE status IN ('ready', 'running') AND lane IS NOT NULL;
CREATE INDEX jobs_lane_queue ON jobs (lane, id) WHERE status = 'waiting';
CREATE INDEX jobs_ready ON jobs (pool, due_at, id) WHERE status = 'ready';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_parked ON jobs (id) WHERE status = 'parked';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE status = 'done';
