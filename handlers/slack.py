"""
`POST /slack/events`: everything that Slack sends.

Slack's framework acknowledges an event before it has been handled, answers 500 to unsigned junk, and loses an event
when `auth.test` fails. So the order here is ours: verify the raw bytes, read them, and then

- events go to the inbox and are answered when they are on disk; a worker reads them from there;
- commands, buttons, forms and `url_verification` go to slack-bolt, whose listeners answer after a flow has committed.
  One that was done and comes again under the same signature is somebody's replay, and does nothing; one that was answered
  503, or that nobody answered because the process died, is done when it comes again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from aiohttp import web

from bot.clock import Clock
from bot.domain.carrier_lanes import as_mapping, clean, identify_event
from bot.domain.job import Kind, NewJob, Pool
from bot.domain.slack_lanes import choose_slack_lane
from bot.errors import RetryLater
from bot.json_text import read_json
from bot.observe import Log, Metrics
from handlers.verify import SlackVerifier

if TYPE_CHECKING:  # the ports bring half of what we know with them, for which no answer waits
    from bot.ports import Inbox

_log = Log("slack.request")

#: How long a listener may take, in seconds; taking back what it had begun needs some more. Slack waits for three, and
#: then tells the person that it failed: what was committed after that would be sent twice, for they type it again.
_PATIENCE_SECONDS = 2.2
_DONE = 200
#: With this the framework answers what it has no listener for.
_NOBODYS = 404
#: From this status on nothing was done, and it may come again.
_FAILED = 400
#: How long may be taken to remember a signature, in seconds: what came under it is done, and its answer must not wait.
_REMEMBERING_SECONDS = 0.5


#: Answers a command, a click or a form whose body is given; 404 where nobody wants it.
Dispatch = Callable[[web.Request, str], Awaitable[web.Response]]


class _Unreadable(Exception):
    """JSON, but too deep to read, or with a number too long: it is kept, and parked in its turn."""


class SlackRequests:
    """The handler of all that Slack sends."""

    def __init__(
        self, *, verifier: SlackVerifier, inbox: Inbox, dispatch: Dispatch, clock: Clock, metrics: Metrics
    ) -> None:
        self._verifier = verifier
        self._inbox = inbox
        self._answer_at_once = dispatch
        self._clock = clock
        self._metrics = metrics
        self._stored = metrics.received.labels("slack", "200")
        self._under_way: set[str] = set()  #: Signatures of what is being done.

    async def handle(self, request: web.Request) -> web.Response:
        """Answer as the kind of request wants; 401 unsigned or stale, 400 unreadable, 503 not stored."""
        raw = await request.read()
        response = await self._answer(request, raw)
        if response.status == _DONE:  # of which there are thousands
            self._stored.inc()
        else:
            self._metrics.received.labels("slack", str(response.status)).inc()
        return response

    async def _answer(self, request: web.Request, raw: bytes) -> web.Response:
        if not self._verifier.is_genuine(request.headers, raw, self._clock.now().timestamp()):
            _log.warning("A request without a valid signature was refused.")
            return web.Response(status=401)
        try:
            text = raw.decode("utf-8")
        except ValueError:
            return web.Response(status=400)
        try:
            form = _read_form(request, text)
            event = form if form is not None else _read_json(text)
        except _Unreadable:
            return await self._put(None, raw, text)
        except ValueError:
            return web.Response(status=400)
        if isinstance(event, dict) and (form is not None or event.get("type") == "url_verification"):
            return await self._dispatch(request, raw, text, is_form=form is not None)
        return await self._put(event, raw, text)

    async def _put(self, event: Any, raw: bytes, text: str) -> web.Response:
        callback = as_mapping(event)
        event_id = callback.get("event_id")
        key = clean(event_id) if isinstance(event_id, str) and event_id else identify_event(None, raw)
        job = NewJob(
            kind=Kind.SLACK_EVENT,
            pool=Pool.SLACK_IN,
            key=f"slack:{key}",
            lane=choose_slack_lane(callback.get("event")),
            body=text,
        )
        try:
            await self._inbox.put(job)
        except RetryLater as error:
            _log.error("An event could not be stored; Slack will send it again.", trouble=error.log)
            return web.Response(status=503)
        return web.Response()

    async def _dispatch(self, request: web.Request, raw: bytes, text: str, *, is_form: bool) -> web.Response:
        key = f"signed:{request.headers['X-Slack-Signature']}"
        if key in self._under_way:
            return _refuse_replay()
        self._under_way.add(key)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                if is_form and await self._inbox.is_noted(key):
                    return _refuse_replay()
                response = await self._answer_at_once(request, text)
        except RetryLater as error:
            _log.error("A request could not be stored.", trouble=error.log)
            return web.Response(status=503)
        except TimeoutError:
            _log.error("A request took longer than Slack waits; it was given up.")
            return web.Response(status=503)
        except Exception as error:  # noqa: BLE001 - the framework reads what it expects to be there without looking
            _log.warning("A request cannot be understood; it is kept.", trouble=type(error).__name__)
            return await self._put(None, raw, text)
        else:
            if response.status == _NOBODYS:
                return await self._put(None, raw, text)
            if is_form and response.status < _FAILED:
                await self._remember(key)
            return response
        finally:
            self._under_way.discard(key)

    async def _remember(self, key: str) -> None:
        """
        Note on disk that what came under a signature is done: a restart forgets nothing.

        Not before it is done, or a request that failed would be taken for a replay when it is sent again; what a crash in
        between lets come twice, the flows know by what it says. Where it cannot be noted the answer stays: it is done.
        """
        try:
            async with asyncio.timeout(_REMEMBERING_SECONDS):
                await self._inbox.note_once(key)
        except (RetryLater, TimeoutError):
            _log.warning("What is done could not be remembered by its signature.")


def _refuse_replay() -> web.Response:
    _log.warning("A request came again under the same signature; nothing was done.")
    return web.Response()


def _read_form(request: web.Request, text: str) -> Any:
    """
    Return what a form holds: its fields, for a command, or its payload, for an interaction; None for what is no form.

    Raises ValueError for a form of neither kind, and for a payload that is no JSON; _Unreadable for one too deep.
    """
    if text.lstrip().startswith(("{", "[")) or request.content_type != "application/x-www-form-urlencoded":
        return None
    form = parse_qs(text, keep_blank_values=True)
    if "payload" in form:
        return _read_json(form["payload"][0])
    if not ({"command", "ssl_check"} & form.keys()):
        raise ValueError("a form that is neither command nor interaction")
    return form


def _read_json(text: str) -> Any:
    """Return what *text* says in JSON, with an empty list for `null`. Raises ValueError and _Unreadable."""
    try:
        event = read_json(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:
        raise _Unreadable from error
    return [] if event is None else event
