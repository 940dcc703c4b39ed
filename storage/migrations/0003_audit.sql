-- Who did what, and when: added to, never changed. No text of anybody's is in it, for it cannot be erased.

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
-- INSERT OR REPLACE removes without asking the trigger above: what is there already is kept, whatever the statement says.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE key = NEW.key OR id = NEW.id)
BEGIN
    SELECT RAISE(IGNORE);
END;

-- The evidence on opt-outs likewise; only the words of it can be erased.
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
