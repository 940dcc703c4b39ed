-- Asked with each text that comes in: what it takes back, without a look at all that was ever said in its conversation.
CREATE INDEX schedules_unless_reply ON schedules (unless_reply, message)
    WHERE unless_reply = 1 AND state IN ('waiting', 'at_carrier', 'taking_back');
