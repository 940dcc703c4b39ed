-- A text may be taken out of the line and put in again: each time under a key of its own.
ALTER TABLE messages ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
