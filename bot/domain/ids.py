"""Identifier types: opaque to everybody but their maker."""

from __future__ import annotations

from typing import NewType

#: Ours. In the order of time, else random; the same string names the conversation in Slack's metadata.
ConversationId = NewType("ConversationId", str)
#: Ours. In the order of time, else random; also the reference in each send's webhook address and in Slack's metadata.
MessageId = NewType("MessageId", str)
#: Ours. Five readable characters that people type in `/schedule cancel <id>`.
ScheduleId = NewType("ScheduleId", str)
#: Ours. Likewise, of a text that repeats; its occurrences are called `<id>-1`, `<id>-2`, ….
RecurrenceId = NewType("RecurrenceId", str)
#: Ours. A row of the queue.
JobId = NewType("JobId", int)
#: The carrier's message id, a UUID in practice; never parsed.
CarrierMessageId = NewType("CarrierMessageId", str)
#: Slack's channel, user, user group, team, file and view ids; never parsed.
ChannelId = NewType("ChannelId", str)
UserId = NewType("UserId", str)
TeamId = NewType("TeamId", str)
FileId = NewType("FileId", str)
#: Ours. Random; also the name of our own copy on disk. Never shown: the address for the carrier has a token of its own.
MediaId = NewType("MediaId", str)
#: Slack's message timestamp, which is its identifier within a channel.
SlackTs = NewType("SlackTs", str)
