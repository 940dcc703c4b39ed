"""What a Slack message is on a phone, with the names of those whom it mentions."""

from __future__ import annotations

from bot.domain.ids import ChannelId, UserId
from bot.ports import Directory, Standing
from bot.text.plain import Names, find_mentions, render_plain
from bot.text.tree import Document


async def render_for_phone(document: Document, directory: Directory) -> str:
    """Return *document* as the customer is to read it. Raises RetryLater when Slack cannot tell a name now."""
    mentions = find_mentions(document)
    users = {}
    for user in sorted(mentions.users):
        person = await directory.get_person(UserId(user))
        if person.standing is not Standing.UNSEEN:
            users[user] = person.name
    channels = {}
    for channel in sorted(mentions.channels):
        name = await directory.name_channel(ChannelId(channel))
        if name:
            channels[channel] = name
    groups = {}
    for group in sorted(mentions.groups):
        name = await directory.name_group(group)
        if name:
            groups[group] = name
    return render_plain(document, Names(users=users, channels=channels, groups=groups))
