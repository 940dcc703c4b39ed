"""What a Slack message is on a phone, with the names of those whom it mentions."""

from __future__ import annotations

from contextlib import suppress

from bot.domain.ids import ChannelId, UserId
from bot.errors import SlackRefused
from bot.ports import Directory
from bot.text.plain import Names, find_mentions, render_plain
from bot.text.tree import Document


async def render_for_phone(document: Document, directory: Directory) -> str:
    """Return *document* as the customer is to read it. Raises RetryLater when Slack cannot tell a name now."""
    mentions = find_mentions(document)
    users = {}
    for user in sorted(mentions.users):
        with suppress(SlackRefused):  # it does not let the app see people: then nobody is named
            users[user] = (await directory.get_person(UserId(user))).name
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
