"""What the person before the page can do: as a customer with a phone, as a teammate in Slack, and to both platforms."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.sandbox.cast import Cast, Customer
from bot.sandbox.page import CommandError
from bot.sandbox.sections import Json, Seats, list_members, write_mentions
from bot.sandbox.slack_events import Answer
from bot.sandbox.slack_messages import remove_ephemeral
from bot.sandbox.slack_render import render_whole_file
from bot.sandbox.slack_sim import ApiError, NotPossibleError, SlackSim, Upload
from bot.sandbox.slack_workspace import FileState, StoredFile
from bot.sandbox.stories import CustomerTexts, Step, find_story, paint_picture
from bot.sandbox.tapbacks import Tapbacks, find_reaction, word_tapback
from bot.sandbox.telnyx_sim import Media, PhoneText, TelnyxSim
from bot.sandbox.telnyx_state import Outcome, OutcomeKind, make_message_id
from bot.sandbox.troubles import NEXT_TEXT_FAILS, Switchboard, find_trouble

#: What `accept` on a phone lets through; bigger ones the carrier would refuse as well.
_MOST_BYTES = 25 * 1024 * 1024
#: How long a story waits for the bot to open a thread, and how often it looks.
_PATIENCE = timedelta(seconds=10)
_LOOK_AGAIN = timedelta(milliseconds=100)
#: Between two steps, so that a person can follow.
_PAUSE = timedelta(milliseconds=1500)
_NUMBER = re.compile(r"\+[1-9]\d{7,14}")
#: What an action of Block Kit holds besides its names, by the page's field.
_CHOSEN = (
    "selected_user",
    "selected_conversation",
    "selected_channel",
    "selected_date",
    "selected_time",
    "selected_date_time",
    "value",
)


@dataclass(slots=True, kw_only=True)
class Commands:
    """Does what the page asks."""

    clock: Clock
    cast: Cast
    customers: list[Customer]
    seats: Seats
    slack: SlackSim
    telnyx: TelnyxSim
    switches: Switchboard
    tapbacks: Tapbacks = field(default_factory=Tapbacks)
    fails_next: bool = False

    async def do(self, command: Json) -> Json:
        """Do one command and return what the page should know; raises CommandError with words for the person."""
        handlers: dict[str, Callable[[Json], Awaitable[Json | None]]] = {
            "text": self._text,
            "tapback": self._tap_back,
            "add_customer": self._add_customer,
            "post": self._post,
            "edit": self._edit,
            "delete": self._delete,
            "react": self._react,
            "unreact": self._unreact,
            "command": self._run_command,
            "click": self._click,
            "options": self._load_options,
            "submit": self._submit,
            "close": self._close,
            "shortcut": self._use_shortcut,
            "home": self._open_home,
            "dismiss": self._dismiss,
            "trouble": self._switch_trouble,
            "clear_trouble": self._clear_trouble,
            "story": self._play_story,
        }
        handler = handlers.get(str(command.get("do")))
        if handler is None:
            raise CommandError("This page asks for something that the demo cannot do. Load it again.")
        try:
            return await handler(command) or {}
        except NotPossibleError as error:
            raise CommandError(f"Slack does not let you do that: {error}.") from error
        except ApiError as error:
            raise CommandError(f"Slack refuses: {error.code}.") from error
        except (KeyError, ValueError) as error:
            raise CommandError(f"That is gone, or was not understood: {error}. Load the page again.") from error

    # ------------------------------------------------------------------------------------------------------ phones

    async def _text(self, command: Json) -> None:
        media = [
            Media(filename=upload.name, content_type=upload.mimetype, content=upload.content)
            for upload in read_files(command.get("media"))
        ]
        text = str(command.get("text") or "")
        try:
            await self.telnyx.text_in(
                from_=get_text(command, "from"),
                to=get_text(command, "to"),
                text=text or None,
                media=media,
                cc=[str(number) for number in command.get("cc") or ()],
                whatsapp=any(each.whatsapp for each in self.customers if each.number == command.get("from")),
            )
        except LookupError:
            raise CommandError("Only texts to our own numbers go anywhere in this demo.") from None

    async def _tap_back(self, command: Json) -> None:
        """React to a text as an iPhone does: by a text that quotes it, to everybody who has it."""
        number, message_id = get_text(command, "from"), get_text(command, "message_id")
        reaction = find_reaction(get_text(command, "reaction"))
        about = self._find_on_phone(number, message_id)
        if reaction is None or about is None or not about.text:
            raise CommandError("That text cannot be reacted to.")
        ours, *others = list_members(number, about)
        removed = not command.get("on", True)
        sent_id = make_message_id()
        self.tapbacks.hide(number, sent_id)
        words = word_tapback(reaction, about.text, removed=removed)
        await self.telnyx.text_in(from_=number, to=ours, text=words, cc=others, message_id=sent_id)
        self.tapbacks.note(number, message_id, reaction, removed=removed)

    def _find_on_phone(self, number: str, message_id: str) -> PhoneText | None:
        return next((text for text in self.telnyx.screen(number) if text.message_id == message_id), None)

    async def _add_customer(self, command: Json) -> Json:
        name = str(command.get("name") or "").strip()
        number = re.sub(r"[\s().-]", "", str(command.get("number") or ""))
        if not name:
            raise CommandError("Give the customer a name.")
        if not _NUMBER.fullmatch(number):
            raise CommandError("Write the number with a plus and its country code, like +14155550142.")
        if any(number == known.number for known in self.customers) or number in self.seats.channels:
            raise CommandError("That number is taken already.")
        self.customers.append(Customer(name=name, number=number))
        return {"customer": {"name": name, "number": number}}

    # ------------------------------------------------------------------------------------------------------- slack

    def _as_typed(self, text: str) -> str:
        return write_mentions(text, {mate.name: self.seats.users[mate.key] for mate in self.cast.team})

    async def _post(self, command: Json) -> None:
        await self.slack.post(
            get_text(command, "user"),
            get_text(command, "channel"),
            self._as_typed(str(command.get("text") or "")),
            thread_ts=command.get("thread_ts") or None,
            files=read_files(command.get("files")),
            broadcast=bool(command.get("broadcast")),
        )

    async def _edit(self, command: Json) -> None:
        text = self._as_typed(get_text(command, "text"))
        await self.slack.edit(get_text(command, "user"), get_text(command, "channel"), get_text(command, "ts"), text)

    async def _delete(self, command: Json) -> None:
        await self.slack.delete(get_text(command, "user"), get_text(command, "channel"), get_text(command, "ts"))

    async def _react(self, command: Json) -> None:
        await self.slack.react(*_name_message(command), get_text(command, "name"))

    async def _unreact(self, command: Json) -> None:
        await self.slack.unreact(*_name_message(command), get_text(command, "name"))

    async def _run_command(self, command: Json) -> None:
        name, _, rest = get_text(command, "text").partition(" ")
        user, channel = get_text(command, "user"), get_text(command, "channel")
        check_answer(await self.slack.command(user, channel, name, self._as_typed(rest.strip())))

    async def _click(self, command: Json) -> None:
        action = command["action"]
        user, action_id, block_id = get_text(command, "user"), get_text(action, "action_id"), action.get("block_id")
        value = read_choice(action)
        if "view_id" in command:
            view_id = get_text(command, "view_id")
            self._remember_values(user, view_id, command.get("values") or {})
            answer = await self.slack.click_in_view(user, view_id, action_id, block_id=block_id, value=value)
        else:
            channel, ts = get_text(command, "channel"), get_text(command, "ts")
            answer = await self.slack.click(user, channel, ts, action_id, block_id=block_id, value=value)
        check_answer(answer)

    def _remember_values(self, user: str, view_id: str, values: Json) -> None:
        """Slack's client reports what all inputs of a view hold with every press; files it reports only in the end."""
        for view in self.slack.workspace.views.get(user, []):
            if view["id"] == view_id:
                view["state"]["values"] = {
                    block_id: {key: state for key, state in states.items() if state.get("type") != "file_input"}
                    for block_id, states in values.items()
                }

    async def _load_options(self, command: Json) -> Json:
        user, view_id, action_id = (get_text(command, key) for key in ("user", "view_id", "action_id"))
        answer = await self.slack.options(user, view_id, action_id, str(command["query"]))
        check_answer(answer)
        found = answer.body if isinstance(answer.body, dict) else {}
        return {"options": found.get("options") or [], "option_groups": found.get("option_groups") or []}

    async def _submit(self, command: Json) -> Json:
        user = get_text(command, "user")
        values: Json = command.get("values") or {}
        for states in values.values():
            for state in states.values():
                if state.get("type") == "file_input":
                    state["files"] = [self._upload(user, upload) for upload in read_files(state.get("files"))]
        answer = await self.slack.submit_view(user, get_text(command, "view_id"), values)
        if answer.errors:
            return {"errors": answer.errors}
        check_answer(answer)
        return {}

    def _upload(self, user: str, upload: Upload) -> Json:
        """Keep a file that a form was given, as Slack does before the form is submitted."""
        workspace = self.slack.workspace
        file = StoredFile(
            id=workspace.make_id("F"),
            name=upload.name,
            user=user,
            created=workspace.epoch(),
            title=upload.name,
            mimetype=upload.mimetype,
            content=upload.content,
            state=FileState.COMPLETE,
            processed=True,
            in_form=True,
        )
        workspace.files[file.id] = file
        return render_whole_file(workspace, file)

    async def _close(self, command: Json) -> None:
        answer = await self.slack.close_view(get_text(command, "user"))
        if answer is not None:
            check_answer(answer)

    async def _use_shortcut(self, command: Json) -> None:
        check_answer(await self.slack.shortcut(*_name_message(command), get_text(command, "callback_id")))

    async def _open_home(self, command: Json) -> None:
        await self.slack.open_home(get_text(command, "user"))

    async def _dismiss(self, command: Json) -> None:
        user, ts = get_text(command, "user"), get_text(command, "ts")
        for ephemeral in list(self.slack.workspace.ephemerals):
            if ephemeral.user == user and ephemeral.ts == ts:
                remove_ephemeral(self.slack.workspace, ephemeral)

    # ----------------------------------------------------------------------------------------------------- trouble

    async def _switch_trouble(self, command: Json) -> None:
        trouble = find_trouble(get_text(command, "name"))
        if trouble is None:
            raise CommandError("There is no such trouble to make.")
        if trouble is NEXT_TEXT_FAILS:
            self._fail_next(wanted=bool(command.get("on")))
        elif command.get("on"):
            self.switches.switch_on(trouble)
        else:
            self.switches.switch_off(trouble)

    async def _clear_trouble(self, _command: Json) -> None:
        self._fail_next(wanted=False)
        for name in self.switches.list_active():
            trouble = find_trouble(name)
            if trouble is not None:
                self.switches.switch_off(trouble)

    def _fail_next(self, *, wanted: bool) -> None:
        self.fails_next = wanted
        outcome = Outcome(kind=OutcomeKind.DELIVERY_FAILED, times=1) if wanted else None
        for customer in self.customers:
            self.telnyx.set_outcome(customer.number, outcome)

    def list_troubles(self) -> list[str]:
        """Return the names of the switches that are on; once a text has failed, the next ones are spared."""
        if self.fails_next and not all(each.number in self.telnyx.account.outcomes for each in self.customers):
            self._fail_next(wanted=False)
        return [*self.switches.list_active(), *([NEXT_TEXT_FAILS.name] if self.fails_next else [])]

    # ----------------------------------------------------------------------------------------------------- stories

    async def _play_story(self, command: Json) -> None:
        story = find_story(get_text(command, "name"))
        if story is None:
            raise CommandError("There is no such story.")
        for number, step in enumerate(story.steps):
            if number and len({each.customer for each in story.steps}) == 1:
                await self.clock.sleep(_PAUSE)
            await self.play_step(step)

    async def play_step(self, step: Step) -> None:
        """Do one step of a story; a reply waits until the bot has opened the thread."""
        line = self.cast.lines[0]
        people = [self.cast.customers[place] for place in (step.customer, *step.others)]
        if isinstance(step, CustomerTexts):
            media = []
            if step.picture:
                media.append(Media(filename="photo.png", content_type="image/png", content=paint_picture()))
            numbers = [person.number for person in people]
            await self.telnyx.text_in(
                from_=numbers[0], to=line.number, text=step.text or None, media=media, cc=numbers[1:]
            )
            return
        channel = self.seats.channels[line.number]
        root = await self._wait_for_thread(channel, people)
        files = []
        if step.picture:
            files.append(Upload(name="photo.png", content=paint_picture(), mimetype="image/png"))
        await self.slack.post(self.seats.users[step.teammate], channel, step.text, thread_ts=root, files=files)

    async def _wait_for_thread(self, channel: str, people: Sequence[Customer]) -> str:
        until = self.clock.now() + _PATIENCE
        while (root := self.find_thread(channel, {person.number for person in people})) is None:
            if self.clock.now() > until:
                names = " and ".join(person.name for person in people)
                raise CommandError(f"The bot has opened no thread for {names} yet. Is trouble switched on?")
            await self.clock.sleep(_LOOK_AGAIN)
        return root

    def find_thread(self, channel: str, numbers: set[str]) -> str | None:
        """Return the newest message of the bot's in *channel* that names these customers and no other: a thread's root."""
        known = {customer.number for customer in self.customers}
        for message in reversed(self.slack.messages(channel)):
            is_root = message.get("thread_ts", message["ts"]) == message["ts"]
            if is_root and message.get("bot_id"):
                words = json.dumps(message)
                if {number for number in known if number in words} == numbers:
                    return str(message["ts"])
        return None


def _name_message(command: Json) -> tuple[str, str, str]:
    return get_text(command, "user"), get_text(command, "channel"), get_text(command, "ts")


def get_text(command: Json, key: str) -> str:
    """Return a field that must hold some text; raises CommandError."""
    value = command.get(key)
    if not isinstance(value, str) or not value:
        raise CommandError(f"“{key}” is missing. Load the page again.")
    return value


def read_files(packed: Any) -> list[Upload]:
    """Return files that the page has packed: name, type and the bytes in base64; raises CommandError."""
    uploads = []
    for item in packed or ():
        try:
            content = base64.b64decode(item["data"], validate=True)
        except (binascii.Error, KeyError, TypeError, ValueError):
            raise CommandError("The file did not come through. Choose it again.") from None
        if len(content) > _MOST_BYTES:
            raise CommandError(f"{item['name']} is larger than {_MOST_BYTES // 1024**2} MB.")
        mimetype = str(item.get("type") or "application/octet-stream").partition(";")[0]
        uploads.append(Upload(name=str(item["name"]).rpartition("/")[2] or "file", content=content, mimetype=mimetype))
    return uploads


def read_choice(action: Json) -> Any:
    """Return what an action chose, as the simulated Slack takes it: an option or its value, an id, a date, a text."""
    if action.get("type") == "button":
        return None
    if "selected_options" in action:
        return action["selected_options"]
    if "selected_option" in action:
        return action["selected_option"]
    return next((action[key] for key in _CHOSEN if key in action), None)


def check_answer(answer: Answer) -> None:
    """Raise CommandError with what Slack shows the person when the app did not answer as it should."""
    if answer.shown:
        raise CommandError(answer.shown)
