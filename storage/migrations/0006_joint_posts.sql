-- Several of a customer's texts may stand in one Slack message; of ours each stands in one of its own.

DROP INDEX messages_in_slack;
CREATE UNIQUE INDEX messages_in_slack ON messages (channel_id, slack_ts)
    WHERE slack_ts IS NOT NULL AND direction = 'outbound';
CREATE INDEX messages_shown_in_slack ON messages (channel_id, slack_ts)
    WHERE slack_ts IS NOT NULL AND direction = 'inbound';
