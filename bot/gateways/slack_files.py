"""
Slack's files: the three-step upload, what became of it, and downloads.

Sources: docs.slack.dev (files.getUploadURLExternal, files.completeUploadExternal, the file object), and what the SDKs'
issue lists tell: an alternative text keeps a file from being shared, so none is given; a download without the scope or
without the token is a login page with status 200; the token is wanted again after a redirect between Slack's hosts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from bot.domain.ids import ChannelId, FileId, SlackTs
from bot.domain.media import Loss, NotHad
from bot.domain.media_types import HEAD, read_type, sniff_type
from bot.errors import RetryLater, SlackRefused
from bot.gateways.http import MOST_REDIRECTS, parse_url, pour
from bot.gateways.proxies import find_proxy
from bot.gateways.slack import SlackGateway
from bot.gateways.slack_answers import judge_in_thread
from bot.ports.media import Fetched, Shown, Sink, SlackFile, Upload
from bot.settings import is_loopback

#: For the bytes of one file, either way: less than a job's lease.
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5, sock_read=30)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DOMAINS = ("slack.com", "slack-edge.com")
_UNKNOWN = frozenset({"file_not_found", "file_deleted"})
#: What of a file says where it is shown; Slack gives all of them, empty as long as it is nowhere.
_PLACES = frozenset({"shares", "channels", "groups", "ims"})
#: How Slack calls a file that it holds itself; others lie elsewhere, or are only a stone in a file's place.
_NOT_HOSTED = frozenset({"tombstone", "hidden_by_limit", "external", "docs"})


class LoginPageError(NotHad):
    """Slack showed its login page instead of the file: the app lacks the scope `files:read`, or was not reinstalled."""

    def __init__(self) -> None:
        super().__init__(Loss.LOCKED, "Slack gave a login page instead of a file: the app lacks the scope files:read")


class SlackFilesGateway:
    """`bot.ports.media.SlackFiles`."""

    def __init__(self, *, slack: SlackGateway, session: aiohttp.ClientSession, bot_token: str, api_url: str) -> None:
        self._slack = slack
        self._session = session
        self._bot_token = bot_token
        self._api_origin = URL(api_url).origin()
        self._is_local = is_loopback(self._api_origin.raw_host)

    # --- Up

    async def begin_upload(self, filename: str, size: int) -> Upload:
        """Ask for a place for a new file of *size* bytes."""
        answer = await self._slack.call(
            "files.getUploadURLExternal", {"filename": filename, "length": size}, repeatable=True
        )
        address, file_id = answer.get("upload_url"), answer.get("file_id")
        if not isinstance(address, str) or not isinstance(file_id, str):
            raise RetryLater("Slack's yes has no place for the file")
        return Upload(file_id=FileId(file_id), address=address)

    async def send_bytes(self, upload: Upload, path: Path) -> None:
        """Bring the bytes there. No token goes along: the address itself is the permission."""
        try:
            with path.open("rb") as file:
                async with self._session.post(
                    upload.address,
                    data=file,
                    headers={"Content-Type": "application/octet-stream"},
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                    proxy=find_proxy(upload.address),
                ) as response:
                    status = response.status
        except FileNotFoundError as error:
            raise NotHad(Loss.MISLAID, "our own copy is gone") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise RetryLater(f"Slack did not take a file's bytes: {type(error).__name__}") from error
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise SlackRefused(method="upload", error=f"HTTP {status}")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise RetryLater(f"Slack did not take a file's bytes: HTTP {status}")

    async def complete_uploads(
        self, titles: Sequence[tuple[FileId, str]], channel_id: ChannelId, thread_ts: SlackTs
    ) -> None:
        """Have uploaded files shared, with their titles and in this order, as one message."""
        files = json.dumps([{"id": file_id, "title": title} for file_id, title in titles])
        try:
            await self._slack.call(
                "files.completeUploadExternal",
                {"files": files, "channel_id": channel_id, "thread_ts": thread_ts},
                repeatable=False,
            )
        except SlackRefused as error:
            raise judge_in_thread(error) from error

    async def delete_file(self, file_id: FileId) -> None:
        """Delete a file of ours, wherever it is shared; one already gone is no error."""
        try:
            await self._slack.call("files.delete", {"file": file_id}, repeatable=True)
        except SlackRefused as error:
            if error.error not in _UNKNOWN:
                raise

    # --- What Slack knows

    async def find_file(self, file_id: FileId) -> SlackFile | None:
        """Return what Slack knows of a file; None for one that it does not know, or not yet. SlackRefused: it does not tell."""
        try:
            answer = await self._slack.call("files.info", {"file": file_id}, repeatable=True)
        except SlackRefused as error:
            if error.error in _UNKNOWN:
                return None
            raise
        file = answer.get("file")
        if not isinstance(file, Mapping):
            raise SlackRefused(method="files.info", error="a yes without a file")
        return _read_file(file_id, file)

    # --- Down

    async def download(self, file: SlackFile, sink: Sink, *, most: int) -> Fetched:
        """Fetch a file's bytes, at most *most*; our token goes to Slack's own hosts only, at each step."""
        if file.address is None:
            raise NotHad(Loss.GONE, "Slack names no address for the file")
        try:
            url = parse_url(file.address)
            for _ in range(MOST_REDIRECTS + 1):
                if not self._is_slack(url):
                    raise NotHad(Loss.ASTRAY, "a file's address leads away from Slack")
                headers = {"Authorization": f"Bearer {self._bot_token}"}
                async with self._session.get(
                    url, headers=headers, timeout=_TIMEOUT, allow_redirects=False, proxy=find_proxy(str(url))
                ) as response:
                    if response.status in _REDIRECTS:
                        url = url.join(parse_url(response.headers.get("Location", "")))
                        continue
                    return await _take(response, file, sink, most)
        except (aiohttp.InvalidURL, ValueError) as error:
            raise NotHad(Loss.ASTRAY, "a file's address is none") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RetryLater(f"Slack did not give a file's bytes: {type(error).__name__}") from error
        raise NotHad(Loss.ASTRAY, f"more than {MOST_REDIRECTS} redirects")

    def _is_slack(self, url: URL) -> bool:
        host = (url.raw_host or "").lower()
        is_ours = any(host == domain or host.endswith("." + domain) for domain in _DOMAINS)
        if url.scheme == "https" and is_ours:
            return True
        # A simulated Slack may have its files at another port, or name this machine otherwise.
        return url.absolute and (url.origin() == self._api_origin or (self._is_local and is_loopback(url.raw_host)))


async def _take(response: aiohttp.ClientResponse, file: SlackFile, sink: Sink, most: int) -> Fetched:
    status = response.status
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RetryLater(f"Slack did not give a file's bytes: HTTP {status}")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise LoginPageError
    if status != HTTPStatus.OK:
        raise NotHad(Loss.GONE, f"Slack answered HTTP {status}")
    is_page = read_type(response.headers.get("Content-Type")) == "text/html" and file.content_type != "text/html"
    if is_page:
        raise LoginPageError
    watched = _Watched(sink)
    fetched = await pour(response, watched, most)
    if sniff_type(bytes(watched.head)) == "text/html" and file.content_type != "text/html":
        raise LoginPageError
    return fetched


class _Watched:
    """A sink that remembers how it began."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.head = bytearray()

    async def write(self, chunk: bytes) -> None:
        self.head += chunk[: max(0, HEAD - len(self.head))]
        await self._sink.write(chunk)


def _read_file(file_id: FileId, file: Mapping[str, Any]) -> SlackFile:
    address = file.get("url_private_download") or file.get("url_private")
    size = file.get("size")
    is_hosted = file.get("mode") not in _NOT_HOSTED and not file.get("is_external")
    return SlackFile(
        file_id=file_id,
        name=str(file.get("name") or file.get("title") or "file"),
        content_type=read_type(str(file.get("mimetype") or "")),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None,
        address=address if isinstance(address, str) and address else None,
        is_hosted=is_hosted,
        shown=_read_shares(file.get("shares")),
        tells_places=not _PLACES.isdisjoint(file),
    )


def _read_shares(shares: object) -> dict[ChannelId, Sequence[Shown]]:
    found: dict[ChannelId, Sequence[Shown]] = {}
    for side in shares.values() if isinstance(shares, Mapping) else ():
        for channel, entries in side.items() if isinstance(side, Mapping) else ():
            found[ChannelId(channel)] = [
                Shown(
                    ts=SlackTs(str(entry["ts"])),
                    thread_ts=None if not entry.get("thread_ts") else SlackTs(str(entry["thread_ts"])),
                )
                for entry in (entries if isinstance(entries, list) else ())
                if isinstance(entry, Mapping) and entry.get("ts")
            ]
    return found
