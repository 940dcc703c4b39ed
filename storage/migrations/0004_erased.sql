-- When a text's words and pictures were erased, by hand or for their age. What became of it stays.
ALTER TABLE messages ADD COLUMN erased_at INTEGER;
-- What is still to grow old, the oldest first.
CREATE INDEX messages_by_age ON messages (created_at) WHERE erased_at IS NULL;
