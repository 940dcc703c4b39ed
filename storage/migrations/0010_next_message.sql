-- Each new message is held against what refers to messages: without an index the plan of that is to read every schedule.
CREATE INDEX schedules_next_message ON schedules (next_message_id) WHERE next_message_id IS NOT NULL;
