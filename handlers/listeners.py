"""
slack-bolt's listeners: each reads a request, calls one flow, and answers.

A listener answers only after the flow has committed. Where our rules say no, or Slack says nothing, the person is told
privately; where the database cannot take it, Slack gets 503 and the person Slack's own "that didn't work", and nothing
was sent.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.actions import Action
from bot.domain.ids import UserId
from bot.errors import NotAllowed, NotStored, RetryLater
from bot.flows.wording import Words
from bot.observe import Log
from handlers.desk import Desk
from handlers.form_parts import build_trouble

_log = Log("slack.listener")

#: The message shortcut in the manifest that turns a note into a text.
SEND_AS_TEXT_SHORTCUT = "send_as_text"
#: The message shortcut in the manifest that turns a reply that still waits into a note.
MARK_AS_NOTE_SHORTCUT = "mark_as_note"

#: What a command or a click is answered with, privately: one sentence, or words with buttons.
Answer = str | Words

#: What Slack calls it when somebody presses the button of a form.
_SUBMISSION = "view_submission"
_NOT_JUST_NOW = "Slack or the carrier does not answer just now. Nothing was done; please try again in a moment."


def build_bolt(client: AsyncWebClient, *, signing_secret: str, bot_token: str) -> AsyncApp:
    """
    Return slack-bolt's app without what would lose requests: no `auth.test` on the way, no answer before the work.

    Signatures are verified before it, on the raw bytes. *client* must have no token: `authorize` gives it.
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=bot_token, bot_id="B0", bot_user_id="U0"
        )

    bolt = AsyncApp(
        # Without one, it gives its own loggers the root's level, whatever was said of theirs.
        logger=logging.getLogger("slack_bolt"),
        client=client,
        signing_secret=signing_secret,
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=True,
        ignoring_self_events_enabled=False,
    )
    bolt.error(_answer_error)
    return bolt


async def _answer_error(error: Exception, body: Mapping[str, Any], respond: Any) -> BoltResponse:
    """Tell whoever asked why it is not done: in the answer to a command, beside the message of a click, in the form."""
    if isinstance(error, NotStored):
        _log.error("A request could not be stored.", trouble=error.log)
        return BoltResponse(status=503, body="")
    if isinstance(error, NotAllowed):
        words = error.person
    elif isinstance(error, RetryLater):
        _log.warning("A request could not be served just now.", trouble=error.log)
        words = _NOT_JUST_NOW
    else:
        _log.error("A request failed.", error=error)
        words = "Something went wrong here, and it has been noted. Nothing was sent; please try again."
    if body.get("type") == _SUBMISSION:
        return BoltResponse(status=200, body=build_trouble(body["view"], words))
    if "command" in body or not body.get("response_url"):
        return BoltResponse(status=200, body=words)
    # What a click is answered with is shown to nobody.
    await respond_to_click(respond, words, replaces=False)
    return BoltResponse(status=200, body="")


def register_meeting(bolt: AsyncApp, desk: Desk) -> None:
    """
    Have whoever submits a form, or presses something on a message, met before anything is done. Must be registered first.

    Where Slack does not tell in time who somebody is, there is still time to tell them so, and what was filled in stays.
    Commands see to it themselves: their help is for everybody.
    """

    async def meet(body: Mapping[str, Any], next_: Callable[[], Awaitable[None]]) -> None:
        kind = body.get("type")
        if kind == _SUBMISSION or (kind is not None and body.get("response_url")):
            await desk.meet(UserId(body["user"]["id"]))
        await next_()

    bolt.middleware(meet)


async def reply_privately(ack: AsyncAck, answer: Answer) -> None:
    """Answer a command privately."""
    if isinstance(answer, str):
        await ack(text=answer, response_type="ephemeral")
        return
    text, blocks = answer
    await ack(text=text, blocks=[dict(block) for block in blocks], response_type="ephemeral")


def register_buttons(bolt: AsyncApp, desk: Desk) -> None:
    """Register the listeners of all buttons."""
    decisions = desk.decisions

    def on(action: Action, decide: Callable[[str, str, str], Awaitable[Answer]], *, replaces: bool) -> None:
        """Have *decide* (value, user, request id) called at a click; its answer *replaces* what held the button."""

        async def listen(ack: AsyncAck, body: Mapping[str, Any], respond: Any) -> None:
            clicked = body["actions"][0]
            try:
                answer = await decide(
                    str(clicked.get("value", "")), body["user"]["id"], str(body.get("trigger_id", ""))
                )
            except NotAllowed as error:
                answer = error.person
            await ack()
            await respond_to_click(respond, answer, replaces=replaces and is_ephemeral(body))

        bolt.action(re.compile(rf"^{re.escape(action.value)}(:.*)?$"))(listen)

    on(Action.SEND, lambda value, user, _: decisions.send_reply(value, _id(user)), replaces=True)
    on(Action.KEEP, lambda value, user, _: decisions.keep_reply(_id(value), _id(user)), replaces=True)
    on(Action.MARK_NOTE, lambda value, user, _: decisions.mark_as_note(_id(value), _id(user)), replaces=True)
    on(Action.SEND_NOW, lambda value, user, _: decisions.send_now(_id(value), _id(user)), replaces=True)
    on(
        Action.SEND_CORRECTION,
        lambda value, user, _: decisions.send_correction(value, _id(user)),
        replaces=True,
    )
    on(Action.CHECK, lambda value, user, _: decisions.check_outcome(_id(value), _id(user)), replaces=False)
    on(Action.SEND_AGAIN, lambda value, user, _: decisions.send_again(_id(value), _id(user)), replaces=False)
    on(Action.OPT_OUT, lambda value, user, _: desk.optouts.opt_out_by_card(_id(value), _id(user)), replaces=False)
    on(
        Action.LIFT_SPEND_LIMIT,
        lambda _value, user, _: desk.account_events.lift_spend_limit(_id(user)),
        replaces=False,
    )
    on(
        Action.OPTOUTS_PAGE,
        lambda value, user, _: desk.optouts.list_optouts(int(value), _id(user), fresh=False),
        replaces=True,
    )
    on(Action.HISTORY_PAGE, lambda value, user, _: desk.history.show_page(value, _id(user)), replaces=True)


def register_shortcuts(bolt: AsyncApp, desk: Desk) -> None:
    """Register the message shortcuts."""

    def on(callback_id: str, decide: Callable[[Any, Any, Any, Any], Awaitable[Answer]]) -> None:
        """Have *decide* (channel, ts, user, message) called when the shortcut *callback_id* is chosen on a message."""

        async def listen(ack: AsyncAck, body: Mapping[str, Any], respond: Any) -> None:
            message = body.get("message") or {}
            channel = body.get("channel") or {}
            try:
                answer = await decide(
                    str(channel.get("id", "")), str(message.get("ts", "")), body["user"]["id"], message
                )
            except NotAllowed as error:
                answer = error.person
            await ack()
            await respond_to_click(respond, answer, replaces=False)

        bolt.shortcut(callback_id)(listen)

    on(
        SEND_AS_TEXT_SHORTCUT,
        lambda channel, ts, user, message: desk.decisions.send_as_text(
            channel, ts, user, [file for file in message.get("files") or () if isinstance(file, Mapping)]
        ),
    )
    on(MARK_AS_NOTE_SHORTCUT, lambda channel, ts, user, _: desk.decisions.mark_as_note_there(channel, ts, user))


def register_rest(bolt: AsyncApp) -> None:
    """Answer 200 to whatever else comes: a 404 would count as a failure of ours. Must be registered last."""

    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    anything = re.compile(".*", re.DOTALL)
    bolt.action(anything)(acknowledge)
    bolt.view(anything)(acknowledge)
    bolt.view_closed(anything)(acknowledge)
    bolt.shortcut(anything)(acknowledge)
    bolt.options(anything)(acknowledge)
    bolt.command(anything)(acknowledge)
    bolt.event(anything)(acknowledge)


async def respond_to_click(respond: Any, answer: Answer, *, replaces: bool) -> None:
    """Tell who clicked privately; *replaces*: instead of what held the button."""
    text, blocks = (answer, None) if isinstance(answer, str) else answer
    try:
        await respond(
            text=text,
            blocks=None if blocks is None else [dict(block) for block in blocks],
            response_type="ephemeral",
            replace_original=replaces,
        )
    except Exception as error:  # noqa: BLE001 - what was asked for is committed; only the answer is lost
        _log.warning("An answer could not be given.", trouble=type(error).__name__)


def is_ephemeral(body: Mapping[str, Any]) -> bool:
    """Tell whether what held the button is a private line, which may be replaced."""
    container = body.get("container")
    return isinstance(container, Mapping) and bool(container.get("is_ephemeral"))


def _id(value: str) -> Any:
    """Return an identifier from Slack as the flows take it; what it names is looked up, never trusted."""
    return value
