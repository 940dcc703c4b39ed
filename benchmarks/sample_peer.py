"""
What samples do: Flask verifies, writes a row, posts to Slack with slack_sdk while the carrier waits, writes where it stands.

Served by gunicorn with two workers: `python -m benchmarks.sample_peer DATABASE SLACK_URL`. Needs the dependency group
`bench` (flask, gunicorn).
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from slack_sdk import WebClient

from benchmarks.bodies import CARRIER_PUBLIC_KEY, CHANNEL
from bot.clock import SystemClock
from handlers.verify import CarrierVerifier

_CREATE = """
CREATE TABLE threads (phone TEXT PRIMARY KEY, ts TEXT NOT NULL);
CREATE TABLE messages (id TEXT PRIMARY KEY, body TEXT NOT NULL, ts TEXT);"""


def build_sample(database: Path, slack_url: str) -> Any:
    """Return the Flask application."""
    from flask import Flask, request  # noqa: PLC0415 - a peer's, and may be missing

    application = Flask("sample")
    verifier, clock = CarrierVerifier([CARRIER_PUBLIC_KEY]), SystemClock()
    slack = WebClient(token="xoxb-made-up", base_url=slack_url)

    def take() -> tuple[str, int]:
        raw = request.get_data()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not verifier.is_genuine(headers, raw, clock.now().timestamp()):
            return "", 401
        payload = json.loads(raw)["data"]["payload"]
        phone = payload["from"]["phone_number"]
        with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
            connection.execute("INSERT INTO messages (id, body) VALUES (?, ?)", (payload["id"], raw.decode()))
            row = connection.execute("SELECT ts FROM threads WHERE phone = ?", (phone,)).fetchone()
        ts = slack.chat_postMessage(channel=CHANNEL, text=payload["text"], thread_ts=row[0] if row else None)["ts"]
        with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
            connection.execute("INSERT OR IGNORE INTO threads VALUES (?, ?)", (phone, ts))
            connection.execute("UPDATE messages SET ts = ? WHERE id = ?", (ts, payload["id"]))
        return "", 200

    application.post("/webhooks/telnyx")(take)
    application.get("/healthz")(lambda: "")
    return application


def main(database: Path, slack_url: str) -> None:
    """Serve it with gunicorn until told to stop."""
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 - a peer's, and may be missing

    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(_CREATE)
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(1024)
    print(f"listening {bound.getsockname()[1]}", flush=True)

    class Served(BaseApplication):  # type: ignore[misc] # gunicorn is installed only where it is wanted
        """gunicorn told by this program instead of by its command line."""

        def load_config(self) -> None:
            """Two workers of the default kind, on the socket that is already there."""
            self.cfg.set("workers", 2)
            self.cfg.set("bind", f"fd://{bound.fileno()}")
            self.cfg.set("accesslog", None)
            self.cfg.set("loglevel", "warning")
            if "control_socket_disable" in self.cfg.settings:  # newer ones listen for commands, too
                self.cfg.set("control_socket_disable", True)  # noqa: FBT003 - gunicorn's signature

        def load(self) -> Any:
            """Return the application."""
            return build_sample(database, slack_url)

    Served().run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
