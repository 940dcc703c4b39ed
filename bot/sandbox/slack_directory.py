"""Who is who in the simulated Web API: auth, users, user groups, the team, bots and emoji."""

from __future__ import annotations

from bot.sandbox.slack_api import Call, Method, Methods, cut_page
from bot.sandbox.slack_render import render_user
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import ApiError, Workspace


def answer_auth_test(workspace: Workspace, _call: Call) -> Json:
    """Answer auth.test."""
    return {
        "url": f"https://{workspace.team_domain}.slack.com/",
        "team": workspace.team_name,
        "user": workspace.users[workspace.bot_user].name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def answer_api_test(_workspace: Workspace, call: Call) -> Json:
    """Answer api.test: says back what it was told, an error included."""
    args = dict(call.params)
    if "error" in args:
        raise ApiError(str(args["error"]), args=args)
    return {"args": args}


def get_user_info(workspace: Workspace, call: Call) -> Json:
    """Answer users.info."""
    return {"user": render_user(workspace, workspace.get_user(call.get_text("user")))}


def list_users(workspace: Workspace, call: Call) -> Json:
    """Answer users.list: the workspace's own people, not those of shared channels."""
    users = [render_user(workspace, user) for user in workspace.users.values() if not user.stranger]
    page, metadata = cut_page(users, call, default=1000, most=1000)
    return {"members": page, "cache_ts": workspace.epoch(), "response_metadata": metadata}


def list_usergroups(workspace: Workspace, call: Call) -> Json:
    """Answer usergroups.list."""
    groups: list[Json] = []
    for group in workspace.usergroups.values():
        shown: Json = {"id": group.id, "team_id": workspace.team_id, "is_usergroup": True, "name": group.name,
                       "handle": group.handle, "description": "", "date_delete": 0}  # fmt: skip
        if call.is_set("include_count"):
            shown["user_count"] = len(group.users)
        if call.is_set("include_users"):
            shown["users"] = list(group.users)
        groups.append(shown)
    return {"usergroups": groups}


def list_usergroup_users(workspace: Workspace, call: Call) -> Json:
    """Answer usergroups.users.list."""
    group = workspace.usergroups.get(call.get_text("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}


def get_team_info(workspace: Workspace, _call: Call) -> Json:
    """Answer team.info."""
    return {
        "team": {
            "id": workspace.team_id,
            "name": workspace.team_name,
            "domain": workspace.team_domain,
            "url": f"https://{workspace.team_domain}.slack.com/",
            "email_domain": "",
            "icon": {"image_default": True},
        }
    }


def get_bot_info(workspace: Workspace, call: Call) -> Json:
    """Answer bots.info, of our own bot."""
    if call.get_text("bot") != workspace.bot_id:
        raise ApiError("bot_not_found")
    return {
        "bot": {
            "id": workspace.bot_id,
            "deleted": False,
            "name": workspace.users[workspace.bot_user].real_name,
            "updated": 0,
            "app_id": workspace.app_id,
            "user_id": workspace.bot_user,
            "icons": {},
        }
    }


def list_emoji(workspace: Workspace, _call: Call) -> Json:
    """Answer emoji.list: the workspace's own, as addresses or `alias:name`."""
    return {"emoji": dict(workspace.custom_emoji), "cache_ts": str(workspace.epoch())}


METHODS: Methods = {
    "auth.test": Method(run=answer_auth_test),
    "api.test": Method(run=answer_api_test),
    "users.info": Method(run=get_user_info, scopes=("users:read",)),
    "users.list": Method(run=list_users, scopes=("users:read",)),
    "usergroups.list": Method(run=list_usergroups, scopes=("usergroups:read",)),
    "usergroups.users.list": Method(run=list_usergroup_users, scopes=("usergroups:read",)),
    "team.info": Method(run=get_team_info, scopes=("team:read",)),
    "bots.info": Method(run=get_bot_info, scopes=("users:read",)),
    "emoji.list": Method(run=list_emoji, scopes=("emoji:read",)),
}
