-- The bytes of sends are kept for a while only; which are old enough is asked every hour.
CREATE INDEX requests_by_age ON requests (created_at);
