"""What people read about pictures and files: what became of one that could not be had, and why one is not sent."""

from __future__ import annotations

from bot.domain.media import MOST_FILES, MOST_INBOUND_BYTES, Loss, Media
from bot.flows.wording import Words, line, shorten
from bot.text.escape import escape_sms

_KILO = 1000


def name_size(size: int) -> str:
    """Return *size*, in bytes, as people say it: `640 KB`, `2.4 MB`."""
    if size < _KILO:
        return f"{size} bytes"
    if size < _KILO * _KILO:
        return f"{round(size / _KILO)} KB"
    return f"{size / _KILO / _KILO:.1f}".removesuffix(".0") + " MB"


def lost(media: Media, count: int) -> Words:
    """Return the line that tells the thread that a customer's file, one of *count*, could not be had, and why."""
    which = f"file {media.position + 1} of {count}" if count > 1 else "a file"
    kind = f" ({escape_sms(shorten(media.content_type, 60))})" if media.content_type else ""
    return line(f"📎 They also sent {which}{kind}, which cannot be shown: {_explain(media)}")


_SEND_AGAIN = "Ask them to send it again."
_REASONS = {
    Loss.GONE: f"the carrier no longer gives it out. {_SEND_AGAIN}",
    Loss.FORBIDDEN: (
        "its address lies inside a private network, which is not reached. "
        "Whoever runs Textbridge can allow that with MEDIA_ALLOW_PRIVATE_HOSTS."
    ),
    Loss.ASTRAY: f"its address leads nowhere. {_SEND_AGAIN}",
    Loss.ALTERED: f"what came is not what was announced (its hash is another). {_SEND_AGAIN}",
    Loss.EMPTY: f"it is empty. {_SEND_AGAIN}",
    Loss.UNREACHABLE: f"the place where it lies did not answer for a day. {_SEND_AGAIN}",
    Loss.REFUSED: (
        "Slack does not take it. Whoever runs Textbridge should see whether the app has the scope `files:write`."
    ),
    Loss.NOT_SHOWN: f"Slack took it several times and never showed it. {_SEND_AGAIN}",
    Loss.MISLAID: f"our own copy of it is gone. {_SEND_AGAIN}",
}


def _explain(media: Media) -> str:
    if media.loss is Loss.TOO_LARGE:
        size = f"it has {name_size(media.size)}, and " if media.size else ""
        return f"{size}at most {name_size(MOST_INBOUND_BYTES)} are taken. Ask them to send it another way."
    return _REASONS.get(media.loss or Loss.MISLAID, _SEND_AGAIN)


def _not_sent(reason: str) -> str:
    return f"🚫 Not sent: {reason}"


def _quote(name: str) -> str:
    return f"“{escape_sms(shorten(name, 60))}”"


def too_many_files(count: int) -> str:
    """Return why a text with more files than one message carries was not sent."""
    return _not_sent(
        f"there are {count} files, and one message carries at most {MOST_FILES}. Send the rest in another."
    )


def one_file_on_whatsapp(count: int) -> str:
    """Return why several files were not sent at once."""
    return f"🚫 Not sent: WhatsApp takes one file a message, and these are {count}. Send each in a message of its own."


def no_public_address() -> str:
    """Return why files cannot be sent from this installation."""
    return _not_sent(
        "pictures and files need an address from which the carrier can fetch them. "
        "Ask whoever runs Textbridge to set PUBLIC_URL. The words alone can be sent."
    )


def elsewhere(name: str) -> str:
    """Return why a file that Slack does not hold is not sent."""
    return _not_sent(
        f"{_quote(name)} does not lie in Slack itself (it is a link, a canvas, or hidden by the plan's limit). "
        "Download it and attach the file."
    )


def deleted(name: str) -> str:
    """Return why a file that is no longer there is not sent."""
    return _not_sent(f"{_quote(name)} has been deleted. Attach it again.")


def scope_missing() -> str:
    """Return why no file of this installation can be sent."""
    return _not_sent(
        "Slack does not let the app read files: it lacks the scope `files:read`. "
        "Ask whoever runs Textbridge to install the app again from its manifest. The words alone can be sent."
    )


def not_fetched(name: str) -> str:
    """Return why a file that Slack did not give out is not sent."""
    return _not_sent(f"Slack did not give out {_quote(name)}. Attach it again.")


def unsupported(name: str, content_type: str | None) -> str:
    """Return why a file of a kind that phones do not take is not sent."""
    kind = f" ({escape_sms(content_type)})" if content_type else ""
    return _not_sent(
        f"phones do not take files like {_quote(name)}{kind}. Pictures, PDF, audio, video and vCards can be sent; "
        "for others, text a link."
    )


def unreadable(name: str) -> str:
    """Return why a picture that cannot be read is not sent."""
    return _not_sent(f"{_quote(name)} cannot be read as a picture. Save it again as JPEG or PNG and attach that.")


def original_too_large(name: str, size: int | None, most: int) -> str:
    """Return why a file that is too large even to be looked at is not sent."""
    has = f" has {name_size(size)};" if size else " is too large:"
    return _not_sent(
        f"{_quote(name)}{has} at most {name_size(most)} can be taken. Attach a smaller one, or text a link."
    )


def too_large(name: str, size: int, most: int) -> str:
    """Return why a file that cannot be made smaller is not sent."""
    return _not_sent(
        f"{_quote(name)} has {name_size(size)}, and a picture message carries at most {name_size(most)}. "
        "Make it smaller, or text a link."
    )


def too_large_together(size: int, most: int) -> str:
    """Return why several files, each of which would do, are not sent."""
    return _not_sent(
        f"the files have {name_size(size)} together, and a picture message carries at most {name_size(most)}. "
        "Send them in several messages."
    )


def unprepared() -> str:
    """Return why a text whose files could not be made ready is not sent."""
    return _not_sent("its files could not be made ready. Attach them again.")
