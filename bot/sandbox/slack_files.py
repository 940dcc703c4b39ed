"""Files of the simulated Slack: the three-step upload, sharing that comes later, and downloads that need the token."""

from __future__ import annotations

import mimetypes

from aiohttp import web

from bot.sandbox.slack_api import Call, Method, Methods
from bot.sandbox.slack_chat import get_postable_channel, read_blocks
from bot.sandbox.slack_messages import change_message, find_root, place_message
from bot.sandbox.slack_render import render_whole_file
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import ApiError, Channel, FileState, Message, StoredFile, Workspace

#: What Slack shows instead of a file when the token is missing or may not read it: HTTP 200, and no file.
LOGIN_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Sign in | Slack</title></head>
<body><h1>Sign in to your workspace</h1><form action="/signin"><input name="domain"></form></body></html>
"""


def guess_mimetype(name: str) -> str:
    """Return the media type that a file's name suggests."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def get_upload_url(workspace: Workspace, call: Call) -> Json:
    """Answer files.getUploadURLExternal."""
    name = call.get_text("filename")
    if call.find_number("length", 0) <= 0:
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: length"]})
    file = StoredFile(
        id=workspace.make_id("F"),
        name=name,
        user=workspace.bot_user,
        created=workspace.epoch(),
        alt_txt=call.find_text("alt_txt") or "",
    )
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.base_url}/upload/v1/{file.id}", "file_id": file.id}


def complete_upload(workspace: Workspace, call: Call) -> Json:
    """Answer files.completeUploadExternal: says ok at once, and shares the files some time after."""
    named = call.find_json("files", "invalid_arguments")
    if not isinstance(named, list) or not named or not all(isinstance(each, dict) for each in named):
        raise ApiError("invalid_arguments")
    files = [workspace.files.get(str(each.get("id"))) for each in named]
    channels = _read_channels(workspace, call)
    blocks = read_blocks(workspace, call) or []
    kept: list[StoredFile] = []
    for file, each in zip(files, named, strict=True):
        if file is None or file.state is not FileState.UPLOADED:
            raise ApiError("file_not_found")  # a completed upload is not completed twice
        file.title = str(each.get("title") or file.name)
        kept.append(file)
    for file in kept:
        file.state = FileState.COMPLETE
        file.mimetype = guess_mimetype(file.name)
    comment = call.find_text("initial_comment") or ""
    thread_ts = call.find_text("thread_ts")
    silent = workspace.share_never or (workspace.alt_txt_prevents_sharing and any(file.alt_txt for file in kept))

    def share() -> None:
        for file in kept:
            file.processed = True
        for channel in () if silent else channels:
            _share(workspace, channel, kept, text=comment, thread_ts=thread_ts, blocks=[] if comment else blocks)

    workspace.later(workspace.share_delay, share)
    return {"files": [{"id": file.id, "title": file.title} for file in kept]}


def _read_channels(workspace: Workspace, call: Call) -> list[Channel]:
    names = call.find_text("channels") or call.find_text("channel_id") or ""
    return [get_postable_channel(workspace, name) for name in names.split(",") if name]


def _share(
    workspace: Workspace, channel: Channel, files: list[StoredFile], *, text: str, thread_ts: str | None,
    blocks: list[Json],
) -> None:  # fmt: skip
    root = find_root(workspace, channel, thread_ts, by_app=True) if thread_ts else None
    message = Message(
        ts=workspace.make_ts(),
        text=text,
        user=workspace.bot_user,
        thread_ts=root.ts if root else None,
        blocks=blocks,
        bot_id=workspace.bot_id,
        app_id=workspace.app_id,
        files=[file.id for file in files if file.state is FileState.COMPLETE],
    )
    place_message(workspace, channel, message, event_subtype="file_share")


def _get_file(workspace: Workspace, call: Call) -> StoredFile:
    file = workspace.files.get(call.get_text("file"))
    if file is None or file.state in {FileState.PROMISED, FileState.UPLOADED}:
        raise ApiError("file_not_found")
    if file.state is FileState.DELETED:
        raise ApiError("file_deleted")
    return file


def get_file_info(workspace: Workspace, call: Call) -> Json:
    """Answer files.info."""
    file = _get_file(workspace, call)
    if not _may_read(workspace, file):
        raise ApiError("file_not_found")
    shown = render_whole_file(workspace, file)
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


def delete_file(workspace: Workspace, call: Call) -> Json:
    """Answer files.delete."""
    file = _get_file(workspace, call)
    if file.user != workspace.bot_user:
        raise ApiError("cant_delete_file")
    remove_file(workspace, file)
    return {}


def remove_file(workspace: Workspace, file: StoredFile) -> None:
    """Delete *file*; the messages that had it show a stone in its place."""
    file.state = FileState.DELETED
    file.mode = "tombstone"
    for channel_id, shares in file.shares.items():
        channel = workspace.channels[channel_id]
        for share in shares:
            message = channel.messages.get(share["ts"])
            if message is not None:
                change_message(workspace, channel, message, {}, by=None)
    workspace.publish({"type": "file_deleted", "file_id": file.id, "event_ts": workspace.make_ts()}, None)


def _may_read(workspace: Workspace, file: StoredFile) -> bool:
    if file.user == workspace.bot_user or file.in_form:
        return True
    return any(workspace.bot_user in workspace.channels[channel].members for channel in file.shares)


METHODS: Methods = {
    "files.getUploadURLExternal": Method(run=get_upload_url, scopes=("files:write",)),
    "files.completeUploadExternal": Method(run=complete_upload, scopes=("files:write",)),
    "files.info": Method(run=get_file_info, scopes=("files:read",)),
    "files.delete": Method(run=delete_file, scopes=("files:write",)),
}


async def accept_upload(workspace: Workspace, request: web.Request) -> web.Response:
    """Take the bytes of one file, raw or as a form."""
    file = workspace.files.get(request.match_info["file_id"])
    if file is None or file.state not in {FileState.PROMISED, FileState.UPLOADED}:
        return web.Response(status=404, text="Not found")
    if request.content_type == "multipart/form-data":
        form = await request.post()
        fields = [value for value in form.values() if isinstance(value, web.FileField)]
        content = fields[0].file.read() if fields else b""
    else:
        content = await request.read()
    file.content = content
    file.state = FileState.UPLOADED
    return web.Response(text=f"OK - {len(content)}")


async def serve_file(workspace: Workspace, request: web.Request) -> web.Response:
    """Give the bytes of one file to the bot's token; to anyone else a login page with status 200."""
    file = workspace.files.get(request.match_info["address"].partition("-")[2])
    if file is None or file.state is not FileState.COMPLETE:
        return web.Response(status=404, text="Not found")
    allowed = (
        request.headers.get("Authorization") == f"Bearer {workspace.bot_token}"
        and "files:read" in workspace.scopes
        and _may_read(workspace, file)
    )
    if not allowed:
        return web.Response(text=LOGIN_PAGE, content_type="text/html", charset="utf-8")
    if workspace.redirect_downloads and not request.query.get("origin"):
        return web.Response(status=302, headers={"Location": f"{request.path}?origin=1"})
    return web.Response(
        body=file.content,
        content_type=file.mimetype or "application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{file.id}"'},
    )
