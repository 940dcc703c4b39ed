"""The buttons and forms of the Account section: what administrators change of the carrier account."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.account import Record
from bot.domain.actions import Action
from bot.domain.carrier_api.operation import Operation
from bot.domain.carrier_api.profiles import (
    CREATE_AUTORESPONSE,
    DELETE_AUTORESPONSE,
    UPDATE_AUTORESPONSE,
    UPDATE_PROFILE,
)
from bot.domain.carrier_api.senders import CREATE_SENDER, DELETE_SENDER, UNBIND_SHORT_CODE, UPDATE_SHORT_CODE
from bot.domain.ids import UserId
from bot.errors import CarrierRefused, FieldsWrong, NotAllowed, OutcomeUnknown, RetryLater
from bot.flows.account import explain
from handlers import account_views as views
from handlers.desk import Desk
from handlers.form_parts import open_view, update_view

#: What may stand in the way of a change; each is explained to whoever asked for it.
_REFUSALS: Final = (FieldsWrong, CarrierRefused, RetryLater, OutcomeUnknown, NotAllowed)


class AccountForms:
    """Opens the forms, and carries out what is submitted."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._account = desk.account

    def register(self, bolt: AsyncApp) -> None:
        """Register the listeners."""
        bolt.action(Action.LOOK_AGAIN.value)(self._look_again)
        bolt.action(Action.POINT_WEBHOOK.value)(self._point_webhook)
        for action, build in (
            (Action.EDIT_PROFILE, views.build_profile),
            (Action.EDIT_ANSWERS, views.build_answers),
            (Action.EDIT_NAMES, views.build_names),
            (Action.EDIT_CODES, views.build_codes),
        ):
            bolt.action(action.value)(self._opener(build))
        bolt.action(views.NEW_ANSWER)(self._open_answer)
        bolt.action(views.EDIT_ANSWER)(self._open_answer)
        bolt.action(views.DELETE_ANSWER)(self._changer(self._read_answer_deletion, views.build_answers))
        bolt.action(views.DELETE_NAME)(self._changer(_read_name_deletion, views.build_names))
        bolt.action(views.BIND_CODE)(self._changer(self._read_binding, views.build_codes))
        bolt.action(views.UNBIND_CODE)(self._changer(_read_unbinding, views.build_codes))
        bolt.view(views.PROFILE_FORM)(self._submit_profile)
        bolt.view(views.ANSWER_FORM)(self._submit_answer)
        bolt.view(views.NAME_FORM)(self._submit_name)
        bolt.view(views.QUESTION_FORM)(self._submit_yes)

    # --- From the Home tab

    async def _look_again(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        await ack()
        await self._desk.home.show_home(_actor(body), fresh=True)

    async def _point_webhook(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        await ack()
        profile_id, webhook_url = self._desk.policy.profile_id, self._account.webhook_url
        if profile_id is None or webhook_url is None:
            return
        given = {"id": profile_id, "webhook_url": webhook_url, "webhook_api_version": "2"}
        try:
            await self._account.change(UPDATE_PROFILE, given, actor=_actor(body), once=_once(body))
        except _REFUSALS as error:
            await _open(client.views_open, body, views.build_answer_of(explain(error)))
        await self._desk.home.show_home(_actor(body), fresh=True)

    def _opener(self, build: views.Build) -> Any:
        async def open_form(ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
            await ack()
            try:
                await self._account.check(_actor(body), what="change the carrier account")
                view = build(await self._account.look())
            except _REFUSALS as error:
                view = views.build_answer_of(explain(error))
            await _open(client.views_open, body, view)

        return open_form

    # --- Inside a form

    async def _open_answer(self, ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
        """Open the form of one automatic answer above the list of them."""
        await ack()
        seen = await self._account.look()
        answer_id = str(body["actions"][0].get("value") or "")
        answer = next((each for each in seen.autoresponses or () if each.get("id") == answer_id), None)
        await _open(client.views_push, body, views.build_answer(answer))

    def _changer(self, read: Any, build: views.Build) -> Any:
        """Return the listener of a button in a list: it changes the account, and shows the list anew."""

        async def change(ack: AsyncAck, body: Mapping[str, Any], client: Any) -> None:
            await ack()
            operation, given = read(str(body["actions"][0].get("value") or ""))
            notice = ""
            try:
                await self._account.change(operation, given, actor=_actor(body), once=_once(body))
            except _REFUSALS as error:
                notice = explain(error)
            view = build(await self._account.look(fresh=True), notice=notice)
            await update_view(client, body["view"], view)
            await self._finish(body)

        return change

    def _read_answer_deletion(self, value: str) -> tuple[Operation, Record]:
        return DELETE_AUTORESPONSE, {"profile_id": self._desk.policy.profile_id, "autoresp_cfg_id": value}

    def _read_binding(self, value: str) -> tuple[Operation, Record]:
        return UPDATE_SHORT_CODE, {"id": value, "messaging_profile_id": self._desk.policy.profile_id}

    # --- What is submitted

    async def _submit_profile(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        seen = await self._account.look()
        given = views.read_profile(body["view"], seen.profile or {})
        if not given:
            await ack(response_action="update", view=views.build_answer_of("Nothing was changed."))
            return
        given["id"] = self._desk.policy.profile_id
        await self._submit(ack, body, UPDATE_PROFILE, given, "The messaging profile is changed.")

    async def _submit_answer(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        answer_id, given = views.read_answer(body["view"])
        given["profile_id"] = self._desk.policy.profile_id
        operation = CREATE_AUTORESPONSE
        if answer_id:
            operation = UPDATE_AUTORESPONSE
            given["autoresp_cfg_id"] = answer_id
        await self._submit(ack, body, operation, given, "The automatic answer is kept at Telnyx.")

    async def _submit_name(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        given = {**views.read_name(body["view"]), "messaging_profile_id": self._desk.policy.profile_id}
        await self._submit(ack, body, CREATE_SENDER, given, "The sender name is added.")

    async def _submit_yes(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        operation, given, done = views.read_question(body["view"])
        await self._submit(ack, body, operation, given, done)

    async def _submit(
        self, ack: AsyncAck, body: Mapping[str, Any], operation: Operation, given: Record, done: str
    ) -> None:
        """
        Carry out a form; what is wrong stands at its field, and what the carrier says in the form's place.

        What stops texts is asked about first, in a form above this one.
        """
        harm = self._account.find_harm(operation, given)
        if harm is not None and body["view"]["callback_id"] != views.QUESTION_FORM:
            await ack(response_action="push", view=views.build_question(harm, operation, given, done))
            return
        try:
            await self._account.change(operation, given, actor=_actor(body), once=str(body["view"]["id"]))
        except FieldsWrong as error:
            errors = views.place_problems(body["view"], error.problems)
            await ack(response_action="errors", errors=errors)
            return
        except _REFUSALS as error:
            await ack(response_action="update", view=views.build_answer_of(explain(error)))
            return
        await ack(response_action="update", view=views.build_answer_of(f"✅ {done}"))
        await self._finish(body)

    async def _finish(self, body: Mapping[str, Any]) -> None:
        await self._account.refresh_senders()
        await self._desk.home.show_home(_actor(body), fresh=True)


def _read_name_deletion(value: str) -> tuple[Operation, Record]:
    return DELETE_SENDER, {"id": value}


def _read_unbinding(value: str) -> tuple[Operation, Record]:
    return UNBIND_SHORT_CODE, {"id": value}


def _actor(body: Mapping[str, Any]) -> UserId:
    return UserId(str(body["user"]["id"]))


def _once(body: Mapping[str, Any]) -> str:
    """Return what names one click."""
    return str(body.get("trigger_id") or body["actions"][0].get("action_ts") or "")


async def _open(opening: Any, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
    with suppress(NotAllowed):  # logged, and on the Home tab there is nowhere to tell it
        await open_view(opening, body, view)
