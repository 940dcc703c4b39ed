"""`manifest`: the Slack app, whole, with this bridge's address in it."""

from __future__ import annotations

import argparse
import re
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from bot.cli.partial import load_only
from bot.errors import Broken, SettingsWrong

_PLACEHOLDER = "https://YOUR-PUBLIC-URL"
#: What may stand unquoted in YAML, which is also all that a host name and a path need.
_ADDRESS = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?(?:/[A-Za-z0-9._~-]+)*")
_SCOPE = re.compile(r"^ +- ([a-z:._]+)")
_GIVE = (
    "Give the address at which the internet reaches this bridge: python -m bot manifest --url https://sms.example.com"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the address."""
    parser.add_argument("--url", help="the https address at which Slack reaches this bridge (default: PUBLIC_URL)")


def run(options: argparse.Namespace) -> int:
    """Print the manifest; 2 where the address is none that Slack could use."""
    given = options.url
    try:
        url = clean_address(given if given is not None else load_only("public_url").public_url or "")
    except SettingsWrong as error:
        print(*error.problems, sep="\n", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"{error} {_GIVE}", file=sys.stderr)
        return 2
    print(fill_in(read_manifest(), url), end="")
    return 0


def clean_address(typed: str) -> str:
    """Return *typed* as the beginning of an address, without a slash at the end. Raises ValueError in words."""
    url = typed.strip().rstrip("/")
    if not url:
        raise ValueError("There is no address to fill in.")
    if url.lower().startswith("http://"):
        raise ValueError("Slack calls https addresses only.")
    url = re.sub(r"^https://", "https://", url, flags=re.IGNORECASE)
    if not url.startswith("https://"):
        raise ValueError("The address has to begin with https://.")
    if not _ADDRESS.fullmatch(url) or ".." in url:
        raise ValueError("The address is not of the form https://host or https://host/path.")
    for ending in ("/slack/events", "/webhooks/telnyx"):
        url = url.removesuffix(ending)
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError("The address has a port that cannot be.") from None
    return url


def read_manifest() -> str:
    """Return `app.yaml`: beside the code where the program is installed, one folder up in its source."""
    package = files("bot")
    installed = package.joinpath("app.yaml")
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    source = Path(str(package)).parent / "app.yaml"
    if not source.is_file():
        raise Broken("app.yaml is missing: this Textbridge is not installed whole. Install it again.")
    return source.read_text(encoding="utf-8")


def fill_in(manifest: str, url: str) -> str:
    """Return *manifest* with *url* in every address, and a first line that says what to do with it."""
    lines = manifest.splitlines(keepends=True)
    while lines and lines[0].startswith("#"):  # these tell how to come by what is printed here
        lines.pop(0)
    told = (
        f"# The Slack app for {url}. At https://api.slack.com/apps: Create New App, From a manifest, and paste this;\n"
        "# for an app that is there already: App Manifest.\n"
    )
    return told + "".join(lines).replace(_PLACEHOLDER, url)


def list_scopes(manifest: str) -> list[str]:
    """Return the bot scopes that *manifest* asks for."""
    _, _, after = manifest.partition("\n  scopes:\n    bot:\n")
    scopes = []
    for line in after.splitlines():
        found = _SCOPE.match(line)
        if found is None:
            break
        scopes.append(found[1])
    return scopes
