-- The same rows in half the bytes: see storage/packing.py, whose functions `packed_…` are called here, and storage/words.py.
--
-- What is referred to has a small number, by which all else in this file refers to it; its id, which the program and the
-- platforms know it by, stands there once and in one index. Closed words are numbers, Slack's names stand in a table.
-- The tables are called packed_…; the views of their old names show each row in words, for a person with `sqlite3`.

-- Slack's channels and users that occur in the tables below. Never removed.
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

INSERT INTO names (name)
SELECT channel_id FROM conversations UNION SELECT previous_channel_id FROM conversations
    WHERE previous_channel_id IS NOT NULL
UNION SELECT channel_id FROM threads
UNION SELECT channel_id FROM messages WHERE channel_id IS NOT NULL
UNION SELECT author FROM messages WHERE author IS NOT NULL;

INSERT INTO packed_conversations
SELECT rowid, packed_id(id), ours, theirs, (SELECT number FROM names WHERE name = channel_id), packed_ts(thread_ts), root,
    (SELECT number FROM names WHERE name = previous_channel_id), packed_ts(previous_thread_ts), created_at, active_at
FROM conversations ORDER BY rowid;

INSERT INTO packed_threads
SELECT (SELECT number FROM names WHERE name = t.channel_id), packed_ts(t.thread_ts), c.rowid
FROM threads t JOIN conversations c ON c.id = t.conversation_id ORDER BY 1, 2;

INSERT INTO packed_messages
SELECT m.rowid, packed_id(m.id), c.rowid,
    CASE m.direction WHEN 'inbound' THEN 0 WHEN 'outbound' THEN 1 END,
    CASE m.origin WHEN 'phone' THEN 0 WHEN 'thread' THEN 1 WHEN 'command' THEN 2 WHEN 'form' THEN 3
        WHEN 'schedule' THEN 4 WHEN 'correction' THEN 5 END,
    CASE m.state WHEN 'received' THEN 0 WHEN 'accepted' THEN 1 WHEN 'note' THEN 2 WHEN 'blocked' THEN 3
        WHEN 'confirming' THEN 4 WHEN 'waiting' THEN 5 WHEN 'under_way' THEN 6 WHEN 'refused' THEN 7
        WHEN 'unsettled' THEN 8 WHEN 'cancelled' THEN 9 END,
    m.text, (SELECT number FROM names WHERE name = m.author), CASE WHEN m.sender = c.theirs THEN 0 ELSE m.sender END,
    (SELECT number FROM names WHERE name = m.channel_id), packed_ts(m.slack_ts), packed_uuid(m.carrier_id),
    m.created_at, m.due_at,
    CASE m.mark_shown WHEN 'white_check_mark' THEN 0 WHEN 'hourglass_flowing_sand' THEN 1 WHEN 'eyes' THEN 2
        WHEN 'grey_question' THEN 3 WHEN 'x' THEN 4 WHEN 'warning' THEN 5 WHEN 'memo' THEN 6 WHEN 'no_entry' THEN 7 END,
    CASE m.mark_tried WHEN 'white_check_mark' THEN 0 WHEN 'hourglass_flowing_sand' THEN 1 WHEN 'eyes' THEN 2
        WHEN 'grey_question' THEN 3 WHEN 'x' THEN 4 WHEN 'warning' THEN 5 WHEN 'memo' THEN 6 WHEN 'no_entry' THEN 7 END,
    m.erased_at, m.turn
FROM messages m JOIN conversations c ON c.id = m.conversation_id ORDER BY m.rowid;

INSERT INTO packed_deliveries
SELECT m.rowid, CASE WHEN d.recipient = c.theirs THEN 0 ELSE d.recipient END,
    CASE d.status WHEN 'delivered' THEN 0 WHEN 'sent' THEN 1 WHEN 'other' THEN 2 WHEN 'scheduled' THEN 3
        WHEN 'queued' THEN 4 WHEN 'sending' THEN 5 WHEN 'unknown' THEN 6 WHEN 'delivery_unconfirmed' THEN 7
        WHEN 'cancelled' THEN 8 WHEN 'expired' THEN 9 WHEN 'sending_failed' THEN 10 WHEN 'delivery_failed' THEN 11
        WHEN 'read' THEN 12 END,
    d.occurred_at, d.code, d.title, d.detail
FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN conversations c ON c.id = m.conversation_id ORDER BY 1, 2;

-- Promise 2: the bytes and the key of a send, stored before it is made.
CREATE TABLE packed_requests (
    message          INTEGER PRIMARY KEY REFERENCES packed_messages (number),
    path             TEXT NOT NULL,
    idempotency_key  TEXT NOT NULL UNIQUE,
    body             BLOB NOT NULL,
    created_at       INTEGER NOT NULL,
    attempted_at     INTEGER,                        -- the newest attempt whose outcome is not known; NULL: none
    attempts         INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO packed_requests
SELECT m.rowid, r.path, r.idempotency_key, r.body, r.created_at, r.attempted_at, r.attempts
FROM requests r JOIN messages m ON m.id = r.message_id ORDER BY 1;

CREATE TABLE packed_recurrences (
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
INSERT INTO packed_recurrences
SELECT r.id, c.rowid, r.active, r.rrule, r.began_on, r.zone, r.text, r.author, r.created_at, r.unless_reply, r.number,
    r.occurs_on, r.revision
FROM recurrences r JOIN conversations c ON c.id = r.conversation_id ORDER BY r.rowid;

CREATE TABLE packed_schedules (
    id            TEXT PRIMARY KEY,
    message       INTEGER NOT NULL UNIQUE REFERENCES packed_messages (number),
    state         TEXT NOT NULL,
    due_at        INTEGER NOT NULL,
    zone          TEXT NOT NULL,
    author        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    unless_reply  INTEGER NOT NULL DEFAULT 0,
    next_message  INTEGER REFERENCES packed_messages (number),
    recurrence_id TEXT REFERENCES packed_recurrences (id)
) STRICT;
INSERT INTO packed_schedules
SELECT s.id, m.rowid, s.state, s.due_at, s.zone, s.author, s.created_at, s.unless_reply, n.rowid, s.recurrence_id
FROM schedules s JOIN messages m ON m.id = s.message_id LEFT JOIN messages n ON n.id = s.next_message_id ORDER BY s.rowid;

CREATE TABLE packed_media (
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
    keep_until   INTEGER,                            -- when our own copy may go; NULL: not yet known
    UNIQUE (message, position)
) STRICT;
INSERT INTO packed_media
SELECT f.id, m.rowid, f.position, f.source, f.state, f.created_at, f.name, f.content_type, f.size, f.sha256, f.filename,
    f.loss, f.file_id, f.uploads, f.began_at, f.channel_id, f.thread_ts, f.completed_at, f.slack_ts, f.token, f.expires_at,
    f.keep_until
FROM media f JOIN messages m ON m.id = f.message_id ORDER BY f.rowid;

-- Whoever refers first.
DROP TABLE deliveries;
DROP TABLE requests;
DROP TABLE media;
DROP TABLE schedules;
DROP TABLE recurrences;
DROP TABLE threads;
DROP TABLE messages;
DROP TABLE conversations;

ALTER TABLE packed_requests RENAME TO requests;
ALTER TABLE packed_recurrences RENAME TO recurrences;
ALTER TABLE packed_schedules RENAME TO schedules;
ALTER TABLE packed_media RENAME TO media;
-- Made of rows that are there, an index is sorted once, and its pages are full.
CREATE UNIQUE INDEX conversations_by_id ON packed_conversations (id);
-- Promise 3: one thread per pair, under any concurrency.
CREATE UNIQUE INDEX conversations_by_parties ON packed_conversations (ours, theirs);
CREATE INDEX conversations_by_activity ON packed_conversations (active_at);
-- What refers to a row is looked through when one is added, if only by the plan: so all that does has an index.
CREATE INDEX threads_of_conversation ON packed_threads (conversation);

CREATE UNIQUE INDEX messages_by_id ON packed_messages (id);
-- Promise 1: the same message under a new event id is the same message.
CREATE UNIQUE INDEX messages_by_carrier_id ON packed_messages (carrier_id) WHERE carrier_id IS NOT NULL;
CREATE INDEX messages_of_conversation ON packed_messages (conversation, created_at);
-- Several of a customer's texts may stand in one Slack message; of ours each stands in one of its own.
CREATE UNIQUE INDEX messages_in_slack ON packed_messages (channel, slack_ts)
    WHERE slack_ts IS NOT NULL AND direction = 1;
CREATE INDEX messages_shown_in_slack ON packed_messages (channel, slack_ts)
    WHERE slack_ts IS NOT NULL AND direction = 0;
-- What is still to grow old, the oldest hour first.
CREATE INDEX messages_by_age ON packed_messages (created_at / 3600000000) WHERE erased_at IS NULL;

CREATE INDEX requests_by_age ON requests (created_at);
CREATE INDEX recurrences_of_conversation ON recurrences (conversation, active);
CREATE INDEX schedules_waiting ON schedules (due_at) WHERE state IN ('waiting', 'at_carrier', 'taking_back');
CREATE INDEX schedules_next_message ON schedules (next_message) WHERE next_message IS NOT NULL;
-- A text that repeats goes once at each of its times, whatever restarts.
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
