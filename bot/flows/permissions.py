"""
Who may see and change what is everybody's. Who may text is `check_author`'s to say, in accepting.

Three circles. Full members see who opted out and what is scheduled, and may opt somebody out: that hurts nobody, and
whoever hears "stop" on the phone must be able to. Lifting an opt-out is for whoever set it, and for administrators:
anybody else does not know what the customer said. Settings and erasing are for administrators alone.
"""

from __future__ import annotations

from bot.domain.ids import UserId
from bot.domain.policy import Policy
from bot.errors import NotAllowed
from bot.ports import Person, Standing

_STANDINGS = {
    Standing.MEMBER: "you are a full member",
    Standing.GUEST: "you are a guest here",
    Standing.OUTSIDER: "you belong to another organisation",
    Standing.BOT: "you are an app",
    Standing.GONE: "your account is not active",
    Standing.UNSEEN: "Slack does not let the app see who you are",
}


def describe_standing(standing: Standing) -> str:
    """Return what somebody is, as told to them."""
    return _STANDINGS[standing]


def check_member(person: Person, *, what: str) -> None:
    """Raise NotAllowed, which says whom to ask, unless *person* is a full member. *what* is what was wanted: `do this`."""
    if person.standing is not Standing.MEMBER:
        raise NotAllowed(
            f"🚫 Not possible: {describe_standing(person.standing)}. Only full members of this workspace may {what}; "
            "ask one of them."
        )


def check_lifting(person: Person, policy: Policy, set_by: UserId | None) -> None:
    """Raise NotAllowed, which says whom to ask, unless *person* may lift the opt-out that *set_by* set by hand."""
    what = "lift an opt-out"
    check_member(person, what=what)
    if person.id == set_by or may_administer(person, policy):
        return
    who = f"<@{set_by}>, who set it, or " if set_by is not None else ""
    raise NotAllowed(f"🚫 Nothing was done: only {who}{name_administrators(policy)} may {what}. Ask one of them.")


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
