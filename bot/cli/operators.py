"""Who sits at the shell, for the audit."""

from __future__ import annotations

import getpass
import os

from bot.domain.audit import Actor, name_operator


def name_me() -> Actor:
    """Return the actor that is whoever runs this command; by their number where the machine knows no name."""
    try:
        return name_operator(getpass.getuser())
    except (KeyError, OSError):  # a container's user without a name
        return name_operator(str(os.getuid()))
