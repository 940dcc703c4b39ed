"""
The settings: one table, from the environment and a `.env` file, all mistakes told at once.

Secrets are SecretStr: they show as asterisks in a repr, a log line or an error.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.policy import ThreadMode
from bot.errors import SettingsWrong

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CHANNEL = re.compile(r"^[CG][A-Z0-9]{2,}$")
_USER = re.compile(r"^[UW][A-Z0-9]{2,}$")
_HOURS = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)$")


class LogFormat(StrEnum):
    """How a log line looks."""

    TEXT = "text"  #: For eyes.
    JSON = "json"  #: For machines.


def _no_blanks(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Trimmed = BeforeValidator(_no_blanks)


class Settings(BaseSettings):
    """Every setting, checked. The names in the environment are these, in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )

    slack_bot_token: Annotated[SecretStr, Trimmed] = Field(
        description="the Slack app's bot token, which begins with xoxb-"
    )
    slack_signing_secret: Annotated[SecretStr, Trimmed] = Field(
        description="the Slack app's signing secret (Basic Information); while it is changed two, with a comma between"
    )
    slack_channel: Annotated[str, Trimmed] = Field(
        description="the id of the channel where texts arrive, such as C0123456789"
    )
    telnyx_api_key: Annotated[SecretStr, Trimmed] = Field(description="the Telnyx API key, which begins with KEY")
    telnyx_public_key: Annotated[str, Trimmed] = Field(
        description="the Telnyx public key: base64 of 32 bytes (Keys & Credentials); while it is changed two, with a comma "
        "between"
    )
    telnyx_phone_number: Annotated[str, Trimmed] = Field(
        description="our number with country code, such as +13125550100"
    )
    telnyx_messaging_profile_id: Annotated[str, Trimmed] | None = Field(
        None, description="the messaging profile that sends"
    )
    number_channels: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="more numbers and where each arrives, such as +13125550001=C0SALES,+13125550002=C0SUPPORT",
    )
    public_url: Annotated[str, Trimmed] | None = Field(
        None,
        description="the https address at which the internet reaches this program, such as https://sms.example.com",
    )
    database_url: Annotated[str, Trimmed] = Field(
        "sqlite:///data/textbridge.db", description="where the data are: sqlite:///path/to/file.db"
    )
    host: Annotated[str, Trimmed] = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="the port to listen on, 0 to 65535 (0: any free one)")
    ops_host: Annotated[str, Trimmed] = Field(
        "127.0.0.1", description="the address to listen on for /readyz and /metrics, where OPS_PORT is set"
    )
    ops_port: int | None = Field(
        None, ge=0, le=65535, description="a port of their own for /readyz and /metrics, 0 to 65535 (0: any free one)"
    )
    slack_api_url: Annotated[str, Trimmed] = Field("https://slack.com/api/", description="Slack's Web API")
    telnyx_api_url: Annotated[str, Trimmed] = Field("https://api.telnyx.com/v2", description="Telnyx's API")
    default_region: Annotated[str, Trimmed] = Field(
        "US", description="how a number without + is read: a country code of two letters, such as US"
    )
    thread_mode: ThreadMode = Field(ThreadMode.REPLY, description="reply, prefix or confirm")
    send_hold_seconds: int = Field(
        0, ge=0, le=3600, description="how long a reply waits before it is sent: 0 to 3600 seconds"
    )
    notice_after_minutes: int = Field(
        10, ge=0, le=100_000, description="minutes of silence after which a text is also shown in the channel"
    )
    quiet_hours: Annotated[str, Trimmed] = Field(
        "", description="hours in which replies wait, by the recipient's clock, such as 21:00-08:00; empty for none"
    )
    admins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="who may change settings besides the workspace's admins: user ids, such as U0123ABCD,U0456EFGH"
    )
    media_allow_private_hosts: bool = Field(
        default=False, description="true or false: fetch pictures from private addresses too"
    )
    log_level: Annotated[str, Trimmed] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: LogFormat = Field(LogFormat.TEXT, description="text or json")

    @field_validator("slack_bot_token", "slack_signing_secret", "telnyx_api_key")
    @classmethod
    def _need_secret(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            raise ValueError
        return value

    @field_validator("slack_signing_secret")
    @classmethod
    def _check_secrets(cls, value: SecretStr) -> SecretStr:
        if not all(_split_pair(value.get_secret_value())):
            raise ValueError
        return value

    @field_validator("slack_bot_token", "telnyx_api_key")
    @classmethod
    def _check_header(cls, value: SecretStr) -> SecretStr:
        # They travel in headers: what was pasted with a curly quote or a line break would fail only at the first call.
        if not all("!" <= letter <= "~" for letter in value.get_secret_value()):
            raise ValueError
        return value

    @field_validator("slack_channel")
    @classmethod
    def _check_channel(cls, value: str) -> str:
        if not _CHANNEL.match(value):
            raise ValueError
        return value

    @field_validator("telnyx_public_key")
    @classmethod
    def _check_key(cls, value: str) -> str:
        for key in _split_pair(value):
            try:
                decoded = base64.b64decode(key, validate=True)
            except binascii.Error:
                raise ValueError from None
            if len(decoded) != 32:  # noqa: PLR2004 - an Ed25519 public key
                raise ValueError
        return value

    @field_validator("telnyx_phone_number")
    @classmethod
    def _check_number(cls, value: str) -> str:
        return _read_own_number(value)

    @field_validator("number_channels", mode="before")
    @classmethod
    def _read_channels(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        channels: dict[str, str] = {}
        for part in filter(None, (piece.strip() for piece in value.split(","))):
            number, equals, channel = (piece.strip() for piece in part.partition("="))
            if not equals or not _CHANNEL.match(channel):
                raise ValueError
            channels[_read_own_number(number)] = channel
        return channels

    @field_validator("admins", mode="before")
    @classmethod
    def _read_admins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        users = tuple(dict.fromkeys(filter(None, (piece.strip() for piece in value.split(",")))))
        if not all(_USER.match(user) for user in users):
            raise ValueError
        return users

    @field_validator("public_url", "slack_api_url", "telnyx_api_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError where it cannot be one
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: str) -> str:
        if not value.startswith("sqlite:///") or len(value) == len("sqlite:///"):
            raise ValueError
        return value

    @field_validator("default_region")
    @classmethod
    def _check_region(cls, value: str) -> str:
        if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError
        return value.upper()

    @field_validator("quiet_hours")
    @classmethod
    def _check_hours(cls, value: str) -> str:
        if value and not _HOURS.match(value):
            raise ValueError
        return value

    @field_validator("thread_mode", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("log_level")
    @classmethod
    def _check_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError
        return value.upper()

    @property
    def slack_signing_secrets(self) -> Sequence[str]:
        """Every secret that a request of Slack's may be signed with: one, and two while it is being changed."""
        return _split_pair(self.slack_signing_secret.get_secret_value())

    @property
    def telnyx_public_keys(self) -> Sequence[str]:
        """Every key that may have signed a webhook; likewise."""
        return _split_pair(self.telnyx_public_key)

    @property
    def database_path(self) -> Path:
        """Where the database file is."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def channels_by_number(self) -> Mapping[str, str]:
        """Each of our numbers and the channel where its texts arrive."""
        return {self.telnyx_phone_number: self.slack_channel, **self.number_channels}

    @property
    def carrier_is_local(self) -> bool:
        """Whether the carrier is a simulator on this machine."""
        return urlsplit(self.telnyx_api_url).hostname in _LOOPBACK


def _split_pair(value: str) -> Sequence[str]:
    """Return the parts of *value*, one or two with a comma between. Raises ValueError for more."""
    parts = [part.strip() for part in value.split(",")]
    if len(parts) > 2:  # noqa: PLR2004 - the old one and the new one
        raise ValueError
    return parts


def _read_own_number(value: str) -> str:
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        raise ValueError from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def load_settings(**overrides: Any) -> Settings:
    """
    Return the settings from the environment and `.env`; *overrides*, by field name, win.

    Raises SettingsWrong with one line for each that is missing or wrong. No line repeats a value: it may be a secret.
    """
    try:
        return Settings(**overrides)
    except UnicodeDecodeError:
        raise SettingsWrong([".env is wrong: it should hold text in UTF-8, one NAME=value a line"]) from None
    except ValidationError as error:
        problems = []
        for name in dict.fromkeys(str(detail["loc"][0]) for detail in error.errors() if detail["loc"]):
            missing = any(
                detail["type"] == "missing" for detail in error.errors() if detail["loc"] and detail["loc"][0] == name
            )
            description = Settings.model_fields[name.lower()].description
            problems.append(f"{name.upper()} is {'missing' if missing else 'wrong'}: it should hold {description}")
        raise SettingsWrong(problems) from None


def read_zone(name: str | None) -> ZoneInfo:
    """Return the IANA time zone called *name*, UTC where there is none such."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
