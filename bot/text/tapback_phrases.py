"""
How phones tell of a reaction to those who cannot see one, by language.

`{q}` stands for the quotation with its quotation marks, `{e}` for an emoji; apostrophes are straight, spaces plain, and
the case of the first letter does not count. The words are those that iPhones and Google Messages write, as people who
parse them report: English from https://github.com/FossifyOrg/Messages/issues/190, other languages from the locale files
of https://github.com/quik-sms/quik and from tests of other programs that show what came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LIKE: Final = "+1"
_LOVE: Final = "heart"
_DISLIKE: Final = "-1"
_LAUGH: Final = "joy"
_EMPHASIS: Final = "bangbang"
_QUESTION: Final = "question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One way to say it. *reaction* is Slack's short name, or None where the phrase itself holds the emoji."""

    words: str
    reaction: str | None
    removed: bool


_ADDED: Final[dict[str | None, tuple[str, ...]]] = {
    _LIKE: (
        "Liked {q}",
        "Le gustó {q}",
        "Le gusta {q}",
        "Le ha gustado {q}",
        "A aimé {q}",
        "Aimé {q}",
        "A attribué la mention « J'aime » à {q}",
        "Gefällt: {q}",
        "Líbilo se {q}",
        "Polubił {q}",
        "Понравилось {q}",
        "Kedveli: {q}",
        "Đã thích {q}",
        "對{q}按讚",
    ),
    _LOVE: (
        "Loved {q}",
        "Le encantó {q}",
        "Le encanta {q}",
        "Le ha encantado {q}",
        "A adoré {q}",
        "A attribué la mention « Adore » à {q}",
        "{q} ein Herz hinzugefügt",
        "Milovaný {q}",
        "Pokochał {q}",
        "Очень понравилось {q}",
        "Харесано {q}",
        "Szívecske erre: {q}",
        "Đã yêu thích {q}",
        "對{q}表達喜愛",
    ),
    _DISLIKE: (
        "Disliked {q}",
        "No le gustó {q}",
        "N'a pas aimé {q}",
        "N'aime pas {q}",
        "A attribué la mention « Je n'aime pas » à {q}",
        "Gefällt nicht: {q}",
        "Nelíbí se {q}",
        "Znielubił {q}",
        "Не понравилось {q}",
        "Nem kedveli: {q}",
        "Đã không thích {q}",
        "對{q}按倒讚",
    ),
    _LAUGH: (
        "Laughed at {q}",
        "Le dio risa {q}",
        "Se rió de {q}",
        "A ri de {q}",
        "A ri à {q}",
        "{q} ein Lachen hinzugefügt",
        "Smál se {q}",
        "Zaśmiał się z {q}",
        "Посмеялись над {q}",
        "Nevetett rajta: {q}",
        "Đã cười với {q}",
        "對{q}大笑",
    ),
    _EMPHASIS: (
        "Emphasized {q}",
        "Emphasised {q}",
        "Exclamó por {q}",
        "Enfatizó {q}",
        "A mis en évidence {q}",
        "{q} ein Ausrufezeichen hinzugefügt",
        "Zdůrazněno {q}",
        "Podkreślił {q}",
        "Отмечено {q}",
        "Kiemelte: {q}",
        "Đã nhấn mạnh {q}",
        "對{q}加上驚嘆標記",
    ),
    _QUESTION: (
        "Questioned {q}",
        "Dudó sobre {q}",
        "A posé une question sur {q}",
        "{q} ein Fragezeichen hinzugefügt",
        "Otázka {q}",
        "Zakwestionował {q}",
        "Поставлен вопрос на {q}",
        "Kérdezte: {q}",
        "Đã đặt dấu hỏi cho {q}",
        "對{q}加上問號標記",
    ),
    None: (
        "Reacted {e} to {q}",
        "Reacted with {e} to {q}",
        "{e} to {q}",
        "Reaccionó con {e} a {q}",
        "A réagi avec {e} à {q}",
        "A attribué la mention « {e} » à {q}",
        "Hat mit {e} auf {q} reagiert",
        "Reagoval {e} na {q}",
        "Zareagował {e} na {q}",
        "Эмодзи {e} на {q}",
        "Реакция {e} към {q}",
        "{e} reagált erre: {q}",
        "Đã phản ứng {e} với {q}",
        "對{q}做出 {e} 反應",
    ),
}

_REMOVED: Final[dict[str | None, tuple[str, ...]]] = {
    _LIKE: (
        "Removed a like from {q}",
        "A supprimé un « j'aime » depuis {q}",
        "A retiré la mention « J'aime » de {q}",
        "„Gefällt mir“ von {q} entfernt",
        "Odebrán lajk z {q}",
        "Usunął polubienie z {q}",
        "Лайк удален из {q}",
        "Kedvelés eltávolítva erről: {q}",
        "Đã bỏ thích khỏi {q}",
        "已移除對{q}的讚",
    ),
    _LOVE: (
        "Removed a heart from {q}",
        "A supprimé un cœur depuis {q}",
        "A retiré un j'adore de {q}",
        "A retiré la mention « Adore » de {q}",
        "Herz von {q} entfernt",
        "Odstraněno srdce z {q}",
        "Usunął serce z {q}",
        "Сердечко удалено из {q}",
        "Szívecske eltávolítva erről: {q}",
        "Đã bỏ tim khỏi {q}",
        "已移除對{q}的愛心",
    ),
    _DISLIKE: (
        "Removed a dislike from {q}",
        "A supprimé un « je n'aime pas » depuis {q}",
        "A retiré la mention « Je n'aime pas » de {q}",
        "„Gefällt mir nicht“ von {q} entfernt",
        "Odstraněno nelíbí se z {q}",
        "Usunął znielubienie z {q}",
        "Дизлайк удален из {q}",
        "Nem kedvelés eltávolítva erről: {q}",
        "Đã bỏ không thích khỏi {q}",
        "已移除對{q}的倒讚",
    ),
    _LAUGH: (
        "Removed a laugh from {q}",
        "A supprimé un rire depuis {q}",
        "Lachen von {q} entfernt",
        "Odstranil jsem smích z {q}",
        "Usunął śmiech z {q}",
        "Смех удален из {q}",
        "Nevetés eltávolítva erről: {q}",
        "Đã bỏ phản ứng cười khỏi {q}",
        "已移除對{q}的笑臉反應",
    ),
    _EMPHASIS: (
        "Removed an exclamation from {q}",
        "Removed an emphasis from {q}",
        "A supprimé un point d'exclamation depuis {q}",
        "Ausrufezeichen von {q} entfernt",
        "Odstranil jsem vykřičník z {q}",
        "Usunął okrzyk z {q}",
        "Восклицательный знак удален из {q}",
        "Kiemelés eltávolítva erről: {q}",
        "Đã bỏ nhấn mạnh khỏi {q}",
        "已移除對{q}的驚嘆標記",
    ),
    _QUESTION: (
        "Removed a question mark from {q}",
        "A supprimé un point d'interrogation depuis {q}",
        "Fragezeichen von {q} entfernt",
        "Odstraněn otazník z {q}",
        "Usunął znak zapytania z {q}",
        "Вопросительный знак удален из {q}",
        "Kérdőjel eltávolítva erről: {q}",
        "Đã bỏ dấu hỏi khỏi {q}",
        "已移除對{q}的問號標記",
    ),
    None: (
        "Removed {e} from {q}",
        "A retiré {e} de {q}",
        "A retiré la mention « {e} » de {q}",
        "{e} aus {q} entfernt",
        "Odstraněno {e} z {q}",
        "Usunął {e} z {q}",
        "Удалено {e} из {q}",
        "Премахнато {e} от {q}",
        "{e} eltávolítva innen: {q}",
        "Đã xóa {e} khỏi {q}",
        "已移除對{q}的 {e} 反應",
    ),
}

PHRASES: Final = tuple(
    Phrase(words=words, reaction=reaction, removed=removed)
    for removed, table in ((False, _ADDED), (True, _REMOVED))
    for reaction, phrases in table.items()
    for words in phrases
)
