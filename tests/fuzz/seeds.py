"""Where the fuzzer begins: what the platforms really send, and addresses of every sort."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

from tests.bridge.events import make_event, make_reply, make_text
from tests.pure.carrier_samples import ANA, inbound, receipt

_ADDRESSES = (
    "https://media.telnyx.com/2026/11/a%20b.jpg?x=1#y",
    "http://127.0.0.1:80/",
    "http://[::ffff:10.0.0.1]/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://user:word@example.com/",
    "https://xn--mnchen-3ya.example/ü",
    "ftp://example.com",
)


def list_seeds(name: str) -> list[bytes]:
    """Return the seeds of a target."""
    match name:
        case "carrier_webhook":
            bodies = [inbound(), receipt("message.finalized", (ANA, "delivered")), make_text("Hi")]
            return [json.dumps(body).encode() for body in bodies]
        case "slack_request":
            event = make_event(make_reply("U1", "Hello", "1.000100"))
            command = {"command": "/schedule", "text": "(415) 555-0101 friday 14:00 Hi", "user_id": "U1"}
            click = {"payload": json.dumps({"type": "block_actions", "actions": [{"action_id": "a"}]})}
            return [b"j" + json.dumps(event).encode(), *(b"f" + urlencode(form).encode() for form in (command, click))]
        case _:
            return [address.encode() for address in _ADDRESSES]


def write_seeds(name: str, folder: Path) -> None:
    """Write the seeds of a target into *folder*, a file each."""
    for number, seed in enumerate(list_seeds(name)):
        (folder / f"seed{number}").write_bytes(seed)
