"""
The settings: one table, from the environment and a `.env` file, all mistakes told at once.

They are read with the standard library: what would read them otherwise is half of what a start takes, and a sixth of
what an idle bridge holds in memory (ARCHITECTURE.md). A Secret shows as asterisks in a repr, a log line or an error.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar, final
from urllib.parse import urlsplit

from bot.domain.phone import is_region, parse_whole_number
from bot.domain.policy import ACCOUNT, MMS, Pacing, ThreadMode
from bot.errors import SettingsWrong

_CHANNEL = re.compile(r"^[CG][A-Z0-9]+$")
_USER = re.compile(r"^[UW][A-Z0-9]+$")
_RATE = re.compile(r"^\d{1,6}(\.\d{1,6})?$")
_GROUP = re.compile(r"^(S[A-Z0-9]{2,}|@?[a-z0-9._-]+)$")
_HOURS = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)$")
_SPELLED = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}

E = TypeVar("E", bound=StrEnum)


class LogFormat(StrEnum):
    """How a log line looks."""

    TEXT = "text"  #: For eyes.
    JSON = "json"  #: For machines.


@final
class Secret:
    """A string that shows itself only to whoever asks for it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Return the string itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('**********')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


# --- How each kind is read: a function of the trimmed text, which raises ValueError when that is none


def _read_text(value: str) -> str:
    return value


def _read_secret(value: str) -> Secret:
    if not value:
        raise ValueError
    return Secret(value)


def _read_secrets(value: str) -> Secret:
    if not all(_split_pair(value)):
        raise ValueError
    return Secret(value)


def _split_pair(value: str) -> Sequence[str]:
    """Return the parts of *value*, one or two with a comma between. Raises ValueError for more."""
    parts = [part.strip() for part in value.split(",")]
    if len(parts) > 2:  # noqa: PLR2004 - the old one and the new one
        raise ValueError
    return parts


def _read_token(value: str) -> Secret:
    # It travels in a header: what was pasted with a curly quote or a line break would fail only at the first call.
    if not all("!" <= letter <= "~" for letter in value):
        raise ValueError
    return _read_secret(value)


def _read_channel(value: str) -> str:
    if not _CHANNEL.match(value):
        raise ValueError
    return value


def _read_keys(value: str) -> str:
    for key in _split_pair(value):
        try:
            decoded = base64.b64decode(key, validate=True)
        except binascii.Error:
            raise ValueError from None
        if len(decoded) != 32:  # noqa: PLR2004 - an Ed25519 public key
            raise ValueError
    return value


def _read_own_number(value: str) -> str:
    return parse_whole_number(value)


def _read_channels(value: str) -> Mapping[str, str]:
    channels: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        number, equals, channel = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError
        channels[_read_own_number(number)] = _read_channel(channel)
    return channels


def _read_numbers(value: str) -> tuple[str, ...]:
    return tuple(_read_own_number(piece.strip()) for piece in value.split(",") if piece.strip())


def _read_admins(value: str) -> tuple[str, ...]:
    users = tuple(dict.fromkeys(filter(None, (piece.strip() for piece in value.split(",")))))
    if not all(_USER.match(user) for user in users):
        raise ValueError
    return users


def _read_rates(value: str) -> Mapping[str, float]:
    rates: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        sender, equals, rate = (piece.strip() for piece in part.partition("="))
        if not equals or not sender or not _RATE.match(rate) or float(rate) == 0:
            raise ValueError
        if sender.startswith("+"):
            sender = _read_own_number(sender)
        rates[sender.lower() if sender.lower() in (ACCOUNT, MMS) else sender] = float(rate)
    return rates


def _read_group(value: str) -> str | None:
    if value and not _GROUP.match(value):
        raise ValueError
    return value.removeprefix("@") or None


def _read_url(value: str) -> str:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError where it cannot be one
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError
    if not all("!" <= letter <= "~" for letter in value):
        raise ValueError
    return value.rstrip("/")


def is_loopback(host: str | None) -> bool:
    """Tell whether *host*, a name or an address, is this machine as it speaks to itself."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _read_database(value: str) -> str:
    path = value.removeprefix("sqlite:///")
    # What is in memory is gone after a crash, and SQLite is given no options: either would be the name of a file.
    if path in ("", value, ":memory:") or "?" in path:
        raise ValueError
    return value


def _read_region(value: str) -> str:
    if not is_region(value.upper()):
        raise ValueError
    return value.upper()


def _read_hours(value: str) -> str:
    if value and not _HOURS.match(value):
        raise ValueError
    return value


def _read_level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError
    return value.upper()


def _read_switch(value: str) -> bool:
    try:
        return _SPELLED[value.lower()]
    except KeyError:
        raise ValueError from None


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number from *least* to *most*."""

    def read(value: str) -> int:
        number = int(value)
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def _read_span(most: int) -> Callable[[str], float]:
    """Return what reads a number from 0 to *most*, whole or not."""

    def read(value: str) -> float:
        number = float(value)
        if not 0 <= number <= most:  # nor is it "nan"
            raise ValueError
        return int(number) if number.is_integer() else number

    return read


def _one_of(choices: type[E]) -> Callable[[str], E]:
    """Return what reads one of *choices*, in any case."""
    return lambda value: choices(value.lower())


def _set(read: Callable[[str], object], description: str, default: Any = MISSING) -> Any:
    """Declare a setting: how it is read, what it should hold, and what it is where nothing is said."""
    known = {"read": read, "description": description}
    if isinstance(default, dict):  # each gets its own
        return field(default_factory=default.copy, metadata=known)
    return field(default=default, metadata=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, checked. The names in the environment are these, in capitals."""

    slack_bot_token: Secret = _set(_read_token, "the Slack app's bot token, which begins with xoxb-")
    slack_signing_secret: Secret = _set(
        _read_secrets,
        "the Slack app's signing secret (Basic Information); while it is changed two, with a comma between",
    )
    slack_channel: str = _set(_read_channel, "the id of the channel where texts arrive, such as C0123456789")
    telnyx_api_key: Secret = _set(_read_token, "the Telnyx API key, which begins with KEY")
    telnyx_public_key: str = _set(
        _read_keys,
        "the Telnyx public key: base64 of 32 bytes (Keys & Credentials); while it is changed two, with a comma between",
    )
    telnyx_phone_number: str = _set(_read_own_number, "our number with country code, such as +13125550100")
    telnyx_messaging_profile_id: str | None = _set(_read_text, "the messaging profile that sends", None)
    number_channels: Mapping[str, str] = _set(
        _read_channels,
        "more numbers and where each arrives, such as +13125550001=C0SALES,+13125550002=C0SUPPORT",
        {},
    )
    whatsapp_numbers: tuple[str, ...] = _set(
        _read_numbers, "those of our numbers that have WhatsApp, such as +13125550001,+13125550002", ()
    )
    public_url: str | None = _set(
        _read_url,
        "the https address at which the internet reaches this program, such as https://sms.example.com",
        None,
    )
    database_url: str = _set(
        _read_database, "where the data are: sqlite:///path/to/file.db", "sqlite:///data/textbridge.db"
    )
    host: str = _set(_read_text, "the address to listen on", "127.0.0.1")
    port: int = _set(_whole(0, 65535), "the port to listen on, 0 to 65535 (0: any free one)", 8080)
    ops_host: str = _set(
        _read_text, "the address to listen on for /readyz and /metrics, where OPS_PORT is set", "127.0.0.1"
    )
    ops_port: int | None = _set(
        _whole(0, 65535), "a port of their own for /readyz and /metrics, 0 to 65535 (0: any free one)", None
    )
    slack_api_url: str = _set(
        _read_url, "the https address of Slack's Web API; http only on this machine", "https://slack.com/api/"
    )
    telnyx_api_url: str = _set(
        _read_url, "the https address of Telnyx's API; http only on this machine", "https://api.telnyx.com/v2"
    )
    default_region: str = _set(
        _read_region, "how a number without + is read: a country code of two letters, such as US", "US"
    )
    thread_mode: ThreadMode = _set(_one_of(ThreadMode), "reply, prefix or confirm", ThreadMode.REPLY)
    send_hold_seconds: float = _set(_read_span(3600), "how long a reply waits before it is sent: 0 to 3600 seconds", 0)
    notice_after_minutes: float = _set(
        _read_span(100_000), "minutes of silence after which a text is also shown in the channel", 10
    )
    quiet_hours: str = _set(
        _read_hours, "hours in which replies wait, by the recipient's clock, such as 21:00-08:00; empty for none", ""
    )
    senders: str | None = _set(
        _read_group,
        "the one user group whose members may text: its handle or id, such as @sms-team or S0123ABCD; empty: all members",
        None,
    )
    admins: tuple[str, ...] = _set(
        _read_admins,
        "who may change settings besides the workspace's admins: user ids, such as U0123ABCD,U0456EFGH",
        (),
    )
    media_allow_private_hosts: bool = _set(
        _read_switch, "true or false: fetch pictures from private addresses too", default=False
    )
    send_rates: Mapping[str, float] = _set(
        _read_rates,
        "texts a second that the carrier grants, by sender, account or mms, such as +13125550100=10,account=100",
        {},
    )
    pacing: Pacing = _set(
        _one_of(Pacing),
        "auto, documented or learned: whether the platforms' limits are kept before they say so",
        Pacing.AUTO,
    )
    retention_days: int | None = _set(
        _whole(2, 36_500),
        "after how many days texts and pictures are erased here: 2 to 36500; empty to keep them for ever",
        None,
    )
    log_level: str = _set(_read_level, "DEBUG, INFO, WARNING or ERROR", "INFO")
    log_format: LogFormat = _set(_one_of(LogFormat), "text or json", LogFormat.TEXT)

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
        return is_loopback(urlsplit(self.telnyx_api_url).hostname)

    @property
    def slack_is_local(self) -> bool:
        """Whether Slack is a simulator on this machine."""
        return is_loopback(urlsplit(self.slack_api_url).hostname)

    def learns_limits(self, *, local: bool) -> bool:
        """Tell whether the limits of a platform, *local* or real, are kept only once it has said so."""
        return local if self.pacing is Pacing.AUTO else self.pacing is Pacing.LEARNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is known of one setting."""

    name: str  #: As a field; in the environment it is in capitals.
    description: str  #: What it should hold.
    is_required: bool
    default: Any  #: None where it is required.
    read: Callable[[str], object]


def _find_default(declared: Field[Any]) -> Any:
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return None if declared.default is MISSING else declared.default


#: Every setting, in the order in which people are told of them.
SETTINGS: Sequence[Setting] = tuple(
    Setting(
        name=each.name,
        description=each.metadata["description"],
        is_required=each.default is MISSING and each.default_factory is MISSING,
        default=_find_default(each),
        read=each.metadata["read"],
    )
    for each in fields(Settings)
)


def load_settings(*, env_file: Path | None = Path(".env"), **overrides: Any) -> Settings:
    """
    Return the settings from the environment and *env_file*, which may be missing; *overrides*, by field name, win.

    A variable that is empty counts as not set. Raises SettingsWrong; see `read_settings`.
    """
    return read_settings(_read_file(env_file) | _keep_known(os.environ) | overrides)


def read_settings(given: Mapping[str, Any]) -> Settings:
    """
    Return the settings that are *given* by field name, and no others: a string is read, anything else taken as it is.

    Raises SettingsWrong with one line for each that is missing or wrong. No line repeats a value: it may be a secret.
    """
    values: dict[str, Any] = {}
    problems = []
    for setting in SETTINGS:
        if setting.name not in given:
            if setting.is_required:
                problems.append(f"{setting.name.upper()} is missing: it should hold {setting.description}")
            continue
        value = given[setting.name]
        try:
            values[setting.name] = setting.read(value.strip()) if isinstance(value, str) else value
        except ValueError:
            problems.append(f"{setting.name.upper()} is wrong: it should hold {setting.description}")
    if problems:
        raise SettingsWrong(problems)
    return Settings(**values)


def _read_file(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    import dotenv.parser  # noqa: PLC0415 - most places have no such file, and a start is mostly imports

    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows begins a file with a mark
    except UnicodeDecodeError:
        raise SettingsWrong([f"{path} is wrong: it should hold text in UTF-8, one NAME=value a line"]) from None
    except OSError as error:
        raise SettingsWrong([f"{path} cannot be read: {error.strerror}"]) from None
    # It would leave out what it cannot read: a quote that is not closed, and nobody knows that there are no quiet hours.
    unread = [each.original for each in dotenv.parser.parse_stream(io.StringIO(text)) if each.error]
    if unread:
        # Blank lines count to what comes after them.
        lines = [each.line + len(each.string) - len(each.string.lstrip("\n")) for each in unread]
        raise SettingsWrong(
            [f"{path} is wrong in line {line}: it should hold NAME=value, every quote closed" for line in lines]
        )
    return _keep_known(dotenv.dotenv_values(stream=io.StringIO(text)))


def _keep_known(given: Mapping[str, str | None]) -> dict[str, str]:
    names = {setting.name for setting in SETTINGS}
    return {name.lower(): value for name, value in given.items() if value and name.lower() in names}
