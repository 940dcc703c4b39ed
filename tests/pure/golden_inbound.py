"""
Phone to Slack, case by case: what a customer texted, and what stands in the `text` of the message.

The block that people see holds the text itself, letter for letter; what is shown here is for notifications and screen
readers, where three characters are escaped and everything else is as it was.
"""

from __future__ import annotations

#: What goes through unchanged, with the reason why one might think otherwise.
UNCHANGED: dict[str, list[str]] = {
    "Words": [
        "See you at 5",
        "Grüße, ¡hola!, 東京, Москва, שלום, مرحبا",
        "two\nlines\n\nand a blank one",
        "Windows\r\nline ends",
        "  leading and trailing blanks  ",
        "tab\there",
        "non-breaking\u00a0space",
        '"quotes" and ‘curly’ “ones”',
        "it's 100% #1, isn't it?",
    ],
    "Nothing is formatted": [
        "*stars*",
        "_lines_",
        "~waves~",
        "`ticks`",
        "```fence```",
        "2 * 3 * 4",
        "snake_case_name",
        "• a bullet",
        "1. a number",
        "- a dash",
        "# a heading",
        "[Markdown](https://example.com)",
    ],
    "Nobody is called": [
        "@channel",
        "@here please",
        "@everyone",
        "@anna",
        "#general",
        "U0123456789",
        "!here",
    ],
    "No name becomes an emoji, no emoji is lost": [
        ":tada:",
        ":+1: :wave::skin-tone-3:",
        "10:30:45",
        "🎉👋🏽",
        "👨‍👩‍👧‍👦 🇺🇸 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "❤️ #️⃣ ‼️",
        ";-) :-) :D",
    ],
    "Addresses": [
        "https://example.com/a?b=1#c",
        "www.example.com",
        "anna@example.com",
        "+1 (415) 555-0101",
        "mailto:anna@example.com",
    ],
    "Commands and slashes": [
        "/sms +14155550101 hi",
        "//",
        "note: for me",
        "sms: hi",
        "C:\\temp\\file.txt",
        "¯\\_(ツ)_/¯",
        '{"json": true}',
        "%s %d {0} ${x}",
    ],
}

#: What has to be changed.
ESCAPED: dict[str, list[tuple[str, str]]] = {
    "The three characters, wherever they stand": [
        ("Tom & Jerry", "Tom &amp; Jerry"),
        ("3 < 5", "3 &lt; 5"),
        ("5 > 3", "5 &gt; 3"),
        ("<3", "&lt;3"),
        ("> not a quote", "&gt; not a quote"),
        (">>> nor this", "&gt;&gt;&gt; nor this"),
        ("&&", "&amp;&amp;"),
        ("?a=1&b=2", "?a=1&amp;b=2"),
    ],
    "What is escaped already was typed so": [
        ("&amp;", "&amp;amp;"),
        ("&lt;@U1&gt;", "&amp;lt;@U1&amp;gt;"),
        ("&#60;", "&amp;#60;"),
    ],
    "No token can form": [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<!here|here>", "&lt;!here|here&gt;"),
        ("<!everyone>", "&lt;!everyone&gt;"),
        ("<@U0123456789>", "&lt;@U0123456789&gt;"),
        ("<#C0123456789|general>", "&lt;#C0123456789|general&gt;"),
        ("<!subteam^S0123|@team>", "&lt;!subteam^S0123|@team&gt;"),
        ("<https://evil.example|your bank>", "&lt;https://evil.example|your bank&gt;"),
        ("<!date^1392734382^{date}|x>", "&lt;!date^1392734382^{date}|x&gt;"),
        ("<mailto:a@example.com|x>", "&lt;mailto:a@example.com|x&gt;"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
    "What no JSON and no database can hold is shown as broken": [
        ("a\0b", "a\ufffdb"),
        ("half \ud83d", "half \ufffd"),
        ("\udc00 half", "\ufffd half"),
        ("two halves \ud83c\udf89", "two halves 🎉"),
        ("\udf89\ud83c", "\ufffd\ufffd"),
    ],
}
