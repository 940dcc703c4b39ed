-- Where Slack said that a teammate's file lies, in the message that brought it: for when it does not tell of it later.
ALTER TABLE media ADD COLUMN address TEXT;
