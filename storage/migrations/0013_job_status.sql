-- The check of a job's status, asked with each row that is written: for a list of more than two SQLite makes a table,
-- every time, which took an eighth of what the row itself takes.
CREATE TABLE checked_jobs (
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

INSERT INTO checked_jobs (id, kind, pool, key, lane, status, body, due_at, attempts, surprises, created_at, started_at,
    unsettled_at, lease_until, token, finished_at, trouble)
SELECT id, kind, pool, key, lane, status, body, due_at, attempts, surprises, created_at, started_at,
    unsettled_at, lease_until, token, finished_at, trouble
FROM jobs;

DROP TABLE jobs;
ALTER TABLE checked_jobs RENAME TO jobs;

-- Order per lane: one at its head, and only one.
CREATE UNIQUE INDEX jobs_lane_head ON jobs (lane) WHERE status IN ('ready', 'running') AND lane IS NOT NULL;
CREATE INDEX jobs_lane_queue ON jobs (lane, id) WHERE status = 'waiting';
CREATE INDEX jobs_ready ON jobs (pool, due_at, id) WHERE status = 'ready';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE status = 'running';
CREATE INDEX jobs_parked ON jobs (id) WHERE status = 'parked';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE status = 'done';
