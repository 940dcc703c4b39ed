"""Who may change how Textbridge behaves for others. Who may text is `check_author`'s to say, in accepting."""

from __future__ import annotations

from bot.domain.policy import Policy
from bot.errors import NotAllowed
from bot.ports import Person, Standing


def may_administer(person: Person, policy: Policy) -> bool:
    """
    Tell whether *person* may change settings and whatever else is not everybody's.

    The workspace's admins and owners may, and whoever `ADMINS` names. Guests, outsiders, bots and deactivated accounts
    may not, even where they are named: the list may be older than what became of them.
    """
    return person.standing is Standing.MEMBER and (person.is_admin or person.id in policy.admins)


def check_administrator(person: Person, policy: Policy, *, what: str) -> None:
    """
    Raise NotAllowed, which says whom to ask, unless *person* may administer.

    *what* is what was wanted, after "Only … may": `change a channel's settings`.
    """
    if not may_administer(person, policy):
        raise NotAllowed(f"🚫 Only {name_administrators(policy)} may {what}. Ask one of them; nothing was changed.")


def name_administrators(policy: Policy) -> str:
    """Return who may administer, in mrkdwn: the admins of the workspace, and those whom `ADMINS` names."""
    named = [f"<@{user}>" for user in sorted(policy.admins)]
    workspace = "an admin of this workspace"
    return workspace if not named else f"{workspace}, or {' or '.join(named)},"
