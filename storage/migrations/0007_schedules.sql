-- Scheduled texts that are changed, that a reply takes back, and that repeat.

CREATE TABLE recurrences (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    active          INTEGER NOT NULL,
    rrule           TEXT NOT NULL,      -- RFC 5545, without its beginning
    began_on        TEXT NOT NULL,      -- what the wall shows at the first; ISO, without a zone
    zone            TEXT NOT NULL,
    text            TEXT NOT NULL,
    author          TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    unless_reply    INTEGER NOT NULL,
    number          INTEGER NOT NULL,   -- how many occurrences were made
    occurs_on       TEXT,               -- what the wall shows at the newest of them
    revision        INTEGER NOT NULL
) STRICT;
CREATE INDEX recurrences_active ON recurrences (conversation_id) WHERE active = 1;

ALTER TABLE schedules ADD COLUMN unless_reply INTEGER NOT NULL DEFAULT 0;
ALTER TABLE schedules ADD COLUMN next_message_id TEXT REFERENCES messages (id);
ALTER TABLE schedules ADD COLUMN recurrence_id TEXT REFERENCES recurrences (id);
-- A text that repeats goes once at each of its times, whatever restarts.
CREATE UNIQUE INDEX schedules_occurrence ON schedules (recurrence_id, due_at)
    WHERE recurrence_id IS NOT NULL AND state <> 'cancelled';
