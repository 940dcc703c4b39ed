"""
Slack to phone, case by case: what a person wrote in Slack, and what the customer reads.

Each heading says the rule, each line shows it. A text is `mrkdwn`, as Slack's events carry it; a list is the elements
of a rich_text block, as Slack's own composer makes it.
"""

from __future__ import annotations

from typing import Any

from bot.text.plain import Names

Element = dict[str, Any]

NAMES = Names(
    users={"U1": "Anna", "U2": "Bob Ito", "U3": "@zoe", "U4": " "},
    channels={"C1": "general", "C2": "#sales"},
    groups={"S1": "support", "S2": "@drivers"},
)


def text(words: str, **style: bool) -> Element:
    return {"type": "text", "text": words, "style": style} if style else {"type": "text", "text": words}


def link(url: str, label: str | None = None) -> Element:
    return {"type": "link", "url": url} if label is None else {"type": "link", "url": url, "text": label}


def emoji(name: str, **more: object) -> Element:
    return {"type": "emoji", "name": name, **more}


def user(user_id: str) -> Element:
    return {"type": "user", "user_id": user_id}


def section(*elements: Element) -> Element:
    return {"type": "rich_text_section", "elements": list(elements)}


def quote(*elements: Element) -> Element:
    return {"type": "rich_text_quote", "elements": list(elements)}


def pre(*elements: Element) -> Element:
    return {"type": "rich_text_preformatted", "elements": list(elements), "border": 0}


def items(*lines: str | Element, style: str = "bullet", indent: int = 0, **more: object) -> Element:
    elements = [section(text(line)) if isinstance(line, str) else line for line in lines]
    return {"type": "rich_text_list", "style": style, "indent": indent, "elements": elements, **more}


def typed(words: str) -> list[Element]:
    """What Slack's composer makes of words without any formatting."""
    return [section(text(words))]


Written = str | list[Element]

OUTBOUND: dict[str, list[tuple[Written, str]]] = {
    "Plain words go as they are": [
        ("See you at 5", "See you at 5"),
        ("Grüße aus Köln, 東京 и Москва", "Grüße aus Köln, 東京 и Москва"),
        ("two\nlines", "two\nlines"),
        ("a\n\nblank line stays", "a\n\nblank line stays"),
        ("two  blanks stay", "two  blanks stay"),
        ("\n\n  first line", "  first line"),
        ("trailing blanks go  \n\n", "trailing blanks go"),
        ("Windows\r\nline ends", "Windows\nline ends"),
        ("", ""),
        ("🎉 typed as a character", "🎉 typed as a character"),
    ],
    "The three escapes are undone, once": [
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("3 &lt; 5 &gt; 4", "3 < 5 > 4"),
        ("i &lt;3 you", "i <3 you"),
        ("&amp;lt; is how one writes it", "&lt; is how one writes it"),
        ("&amp;amp;", "&amp;"),
        ("&quot;no other&quot; &nbsp; escapes &#39;", "&quot;no other&quot; &nbsp; escapes &#39;"),
        ("R&D needs no escape", "R&D needs no escape"),
        ("&lt;@U1&gt; is text", "<@U1> is text"),
        ("&lt;https://x.io|x&gt;", "<https://x.io|x>"),
    ],
    "Pairs of marks vanish where Slack shows a style": [
        ("*bold* words", "bold words"),
        ("_slanted_ words", "slanted words"),
        ("~$50~ $40", "$50 $40"),
        ("`code` words", "code words"),
        ("*_both_*", "both"),
        ("_*~all three~*_", "all three"),
        ("(*bold*), _slanted_!", "(bold), slanted!"),
        ("*two words*", "two words"),
        ("*a* and *b*", "a and b"),
        ("_snake_case_", "snake_case"),
        ("`2 * 3 * 4` and `a_b`", "2 * 3 * 4 and a_b"),
        ("`*literal*`", "*literal*"),
        ("*<https://x.io|x.io>*", "x.io"),
        ("*:tada:*", "🎉"),
    ],
    "Marks that Slack does not read as a pair are what the person typed": [
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("2*3*4", "2*3*4"),
        ("snake_case and more_of_it", "snake_case and more_of_it"),
        ("~5", "~5"),
        ("~5 to ~10 people", "~5 to ~10 people"),
        ("* one star", "* one star"),
        ("*not closed", "*not closed"),
        ("not opened*", "not opened*"),
        ("* blank inside *", "* blank inside *"),
        ("* blank before*", "* blank before*"),
        ("*blank behind *", "*blank behind *"),
        ("$5* and $6*", "$5* and $6*"),
        ("**Markdown's bold**", "**Markdown's bold**"),
        ("__init__", "__init__"),
        ("~~Markdown's strike~~", "~~Markdown's strike~~"),
        ("*over\ntwo lines*", "*over\ntwo lines*"),
        ("*crossed _over* marks_", "crossed _over marks_"),
        ("it`s `quoted", "it`s `quoted"),
        ("a ` lonely backtick", "a ` lonely backtick"),
        ("¯\\_(ツ)_/¯", "¯\\_(ツ)_/¯"),
        ("and/_or_ either/or", "and/_or_ either/or"),
        ("_", "_"),
        ("*", "*"),
        ("***", "***"),
        ("*args, **kwargs*", "*args, **kwargs*"),
    ],
    "Blocks of code keep every character": [
        ("```x = 1```", "x = 1"),
        ("```\nx = 1\n  y = *2*\n```", "x = 1\n  y = *2*"),
        ("before\n```code```\nafter", "before\ncode\nafter"),
        ("```a &lt; b &amp;&amp; c```", "a < b && c"),
        ("```:tada:```", ":tada:"),
        ("``` not closed", "``` not closed"),
        ("``````", "``````"),
        ("```one``` ```two```", "one\n \ntwo"),
    ],
    "Quotes keep the sign that people know from mail": [
        ("&gt; quoted", "> quoted"),
        ("&gt;quoted", "> quoted"),
        ("&gt; one\n&gt; two\nanswer", "> one\n> two\nanswer"),
        ("&gt;&gt;&gt; all\nthe rest", "> all\n> the rest"),
        ("a &gt; b", "a > b"),
        ("&gt; *bold*", "> bold"),
    ],
    "Links are written so that a phone makes them links": [
        ("<https://example.com/a?b=1&amp;c=2>", "https://example.com/a?b=1&c=2"),
        ("<http://example.com|example.com>", "example.com"),
        ("<https://example.com/|example.com>", "example.com"),
        ("<https://Example.com|example.com>", "example.com"),
        ("<https://example.com|https://example.com>", "https://example.com"),
        ("<https://example.com/menu|our menu>", "our menu (https://example.com/menu)"),
        ("<https://example.com|another.example>", "another.example (https://example.com)"),
        ("see <https://example.com>.", "see https://example.com."),
        ("<https://x.io|see https://x.io>", "see https://x.io"),
        ("<https://example.com|Tom &amp; Jerry>", "Tom & Jerry (https://example.com)"),
        ("<https://example.com|:tada: party>", "🎉 party (https://example.com)"),
        ("<https://example.com|>", "https://example.com"),
        ("<https://example.com/a_b_c>", "https://example.com/a_b_c"),
    ],
    "Addresses and numbers lose what only computers need": [
        ("<mailto:anna@example.com|anna@example.com>", "anna@example.com"),
        ("<mailto:anna@example.com>", "anna@example.com"),
        ("<mailto:anna@example.com?subject=Hi|anna@example.com>", "anna@example.com"),
        ("<mailto:anna@example.com|write to us>", "write to us (anna@example.com)"),
        ("<tel:+14155550101|(415) 555-0101>", "(415) 555-0101"),
        ("<tel:+14155550101>", "+14155550101"),
        ("<tel:+14155550101|call us>", "call us (+14155550101)"),
    ],
    "Mentions become names": [
        ("ask <@U1>", "ask @Anna"),
        ("ask <@U2>, please", "ask @Bob Ito, please"),
        ("ask <@U3>", "ask @zoe"),
        ("ask <@U404>", "ask a colleague"),
        ("ask <@U4>", "ask a colleague"),
        ("ask <@U404|carl>", "ask @carl"),
        ("ask <@W404>", "ask a colleague"),
        ("in <#C1>", "in #general"),
        ("in <#C2>", "in #sales"),
        ("in <#C404|orders>", "in #orders"),
        ("in <#C404|>", "in our channel"),
        ("<!subteam^S1> helps", "@support helps"),
        ("<!subteam^S404|@night> helps", "@night helps"),
        ("<!subteam^S404> helps", "our team helps"),
        ("<!here> now", "@here now"),
        ("<!channel> now", "@channel now"),
        ("<!everyone|@everyone> now", "@everyone now"),
    ],
    "Dates are what Slack shows where it cannot show dates": [
        ("at <!date^1392734382^{date} {time}|Feb 18, 2014 2:39 PM>", "at Feb 18, 2014 2:39 PM"),
        ("at <!date^1392734382^{date}^https://example.com|Feb 18>", "at Feb 18"),
        ("at <!date^1392734382^{date}>", "at 2014-02-18 14:39 UTC"),
    ],
    "What only looks like a token is text": [
        ("if a <b and c> d", "if a <b and c> d"),
        ("<>", "<>"),
        ("<3", "<3"),
        ("<!unknown^1|its label>", "its label"),
        ("<!unknown>", "<!unknown>"),
        ("<@>", "<@>"),
        ("a <b", "a <b"),
    ],
    "Emoji names become emoji": [
        (":tada: done", "🎉 done"),
        ("done :+1:", "done 👍"),
        (":wave::skin-tone-3:", "👋🏼"),
        (":+1::skin-tone-6:", "👍🏿"),
        (":wave::tada:", "👋🎉"),
        ("hello:wave:there", "hello👋there"),
        (":flag-us: :us: :flag-de:", "🇺🇸 🇺🇸 🇩🇪"),
        (":flag-england:", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"),
        (":female-technologist::skin-tone-4:", "👩🏽‍💻"),
        (":handshake::skin-tone-2-5:", "🫱🏻‍🫲🏾"),
        (":man-woman-girl-boy:", "👨‍👩‍👧‍👦"),
        (":heart: :hash: :100:", "❤️ #️⃣ 💯"),
        (":simple_smile:", "🙂"),
        (":skin-tone-3:", "🏼"),
        (":face_with_bags_under_eyes:", "\U0001fae9"),
        (":zzz::skin-tone-3:", "💤"),
    ],
    "Colons that make no emoji stay": [
        ("at 10:30:45", "at 10:30:45"),
        ("10:100:00", "10:100:00"),
        ("at 10:30:tada:", "at 10:30🎉"),
        ("x ::word: y", "x ::word: y"),
        ("x :word:: y", "x :word:: y"),
        ("std::vector::size", "std::vector::size"),
        ("a:b:c", "a:b:c"),
        ("fe80:ab:cd:1", "fe80:ab:cd:1"),
        ("re:invent:2026", "re:invent:2026"),
        ("ratio 3:4", "ratio 3:4"),
        (":: :) :-) :D", ":: :) :-) :D"),
        (":Not:Lower:", ":Not:Lower:"),
        (": blank :", ": blank :"),
    ],
    "A workspace's own emoji is a picture no phone has: it goes, with one of its blanks": [
        ("great :acme-logo: work", "great work"),
        ("great work :acme-logo:", "great work"),
        (":acme-logo: great work", "great work"),
        ("great work :acme-logo:!", "great work!"),
        ("great:acme-logo: work", "great:acme-logo: work"),
        (":acme-logo::acme-logo: hi", "hi"),
        ("one :acme-logo: :acme_logo2: two", "one two"),
        (":acme-logo::tada:", "🎉"),
        ("line\n:acme-logo:\nline", "line\n\nline"),
        ("one :acme-logo:\ntwo", "one\ntwo"),
        ("one :acme-logo: \ntwo", "one\ntwo"),
        (":acme-logo:", ""),
    ],
    "From the composer nothing has to be guessed: marks and colons were typed": [
        (typed("2 * 3 * 4 and *stars* and _lines_ and ~waves~"), "2 * 3 * 4 and *stars* and _lines_ and ~waves~"),
        (typed("`ticks` ```fence``` > no quote"), "`ticks` ```fence``` > no quote"),
        (typed("&amp; <b> &lt;"), "&amp; <b> &lt;"),
        (typed(":tada: 10:30:45 <@U1> <!here>"), ":tada: 10:30:45 <@U1> <!here>"),
        ([section(text("bold", bold=True), text(" and "), text("gone", strike=True))], "bold and gone"),
        ([section(text("x = 1", code=True))], "x = 1"),
        (typed("NUL \0 and half \ud83d"), "NUL  and half \ufffd"),
    ],
    "The composer's elements": [
        ([section(text("hi "), emoji("wave", unicode="1f44b-1f3fd", skin_tone=4))], "hi 👋🏽"),
        ([section(text("hi "), emoji("wave", skin_tone=4))], "hi 👋🏽"),
        ([section(text("hi "), emoji("wave::skin-tone-4"))], "hi 👋🏽"),
        ([section(text("hi "), emoji("wave", unicode="junk"))], "hi 👋"),
        ([section(emoji("acme-logo"), text(" hi"))], "hi"),
        ([section(text("hi "), emoji("acme-logo"), text(" there"))], "hi there"),
        ([section(text("ask "), user("U1"), text(", "), user("U404"))], "ask @Anna, a colleague"),
        ([section(text("in "), {"type": "channel", "channel_id": "C1"})], "in #general"),
        ([section(text("by "), {"type": "usergroup", "usergroup_id": "S2"})], "by @drivers"),
        ([section(text("all "), {"type": "broadcast", "range": "here"})], "all @here"),
        ([section(link("https://example.com/x", "here"))], "here (https://example.com/x)"),
        ([section(link("http://example.com", "example.com"))], "example.com"),
        ([section(link("https://example.com?a=1&b=2"))], "https://example.com?a=1&b=2"),
        ([section({"type": "date", "timestamp": 1392734382, "format": "{date}", "fallback": "Feb 18"})], "Feb 18"),
        ([section(text("in "), {"type": "color", "value": "#ff0000"})], "in #ff0000"),
    ],
    "Lists": [
        ([section(text("We need:\n")), items("milk", "eggs")], "We need:\n• milk\n• eggs"),
        ([items("first", "second", style="ordered")], "1. first\n2. second"),
        ([items("a"), items("b", indent=1), items("c")], "• a\n  • b\n• c"),
        (
            [items("a", style="ordered"), items("b", indent=1), items("c", style="ordered")],
            "1. a\n  • b\n2. c",
        ),
        (
            [
                items("a", style="ordered"),
                items("b", style="ordered", indent=1),
                items("c", style="ordered"),
                items("d", style="ordered", indent=1),
            ],
            "1. a\n  1. b\n2. c\n  1. d",
        ),
        (
            [items("a", style="ordered"), section(text("between")), items("b", style="ordered")],
            "1. a\nbetween\n1. b",
        ),
        ([items("c", "d", style="ordered", offset=2)], "3. c\n4. d"),
        ([items("one\nmore", "two", style="ordered")], "1. one\n   more\n2. two"),
        ([items("milk"), section(text("bye"))], "• milk\nbye"),
        ([items(section(text("milk", bold=True), text(" 2 l")))], "• milk 2 l"),
        ("• milk\n• eggs", "• milk\n• eggs"),
        ("1. milk\n2. eggs", "1. milk\n2. eggs"),
    ],
    "Quotes and code of the composer": [
        ([quote(text("as you said")), section(text("yes"))], "> as you said\nyes"),
        ([quote(text("one\n\ntwo"))], "> one\n>\n> two"),
        ([section(text("run\n")), pre(text("make demo\n  --fast"))], "run\nmake demo\n  --fast"),
        ([pre(link("https://example.com"))], "https://example.com"),
    ],
}
