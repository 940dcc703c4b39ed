"""
The words by which people ask not to be texted, as data: English and Spanish.

Two kinds. `STOP_WORDS` count by themselves, when they are the whole message: the carrier's, and those that the FCC
names (47 CFR 64.1200(a)(10): stop, quit, end, revoke, opt out, cancel, unsubscribe). `REQUESTS` are phrases: they ask
to be left alone in a person's own words, and a person decides. They lean to the side of asking: a needless card costs
a click, an unheard request costs the customer's trust and breaks the law.

Phrases are matched against lower-case words without accents and apostrophes; a sentence or a comma ends at `|`. In
a phrase `{class}` is any word of that class, `[word]` may be missing, `{class}*` may come any number of times,
`?` is any one word or none, `^` and `$` are the ends of a sentence.
"""

from __future__ import annotations

from typing import Final


def _read_words(lines: str) -> frozenset[str]:
    return frozenset(lines.split())


def _read_phrases(lines: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines.splitlines() if line.strip())


#: As the whole message, blanks left out: `STOP ALL` is `stopall`, `opt-out` is `optout`.
STOP_WORDS: Final = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START_WORDS: Final = frozenset({"start", "unstop"})
#: Letters that look like others, in lower case: Cyrillic, Greek, small capitals; and those of boxes and flags. In a keyword
#: they are what they look like, wherever somebody's keyboard or an ornament took them from.
LOOK_ALIKES: Final[dict[int, str]] = {
    ord(letter): plain
    for letters, plains in (
        (
            "\u0430\u0432\u0441\u0501\u0435\u043d\u0456\u0458\u043a\u04cf\u043c\u043e\u0440\u051b\u0455\u0442\u0475\u051d\u0445\u0443",
            "abcdehijklmopqstvwxy",
        ),
        ("\u03b1\u03b2\u03b5\u03b9\u03b7\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7", "abeihkmnoptux"),
        (
            "\u1d00\u0299\u1d04\u1d05\u1d07\u0262\u029c\u026a\u1d0b\u029f\u1d0d\u0274\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20",
            "abcdeghiklmnoprstuv",
        ),
        ("\u0131\u0251", "ia"),
    )
    for letter, plain in zip(letters, plains, strict=True)
} | {first + index: chr(ord("a") + index) for first in (0x1F170, 0x1F1E6) for index in range(26)}
HELP_WORDS: Final = frozenset({"help", "info"})

#: As the whole message they ask for the same, but are no carrier's keyword.
NEAR_WORDS: Final = _read_words(
    """
    stopp stoppp sotp stpo stopit stopthis stopthat stopnow stoptext stoptexts stoptexting stopmessages stoptextingme
    unsuscribe unsubcribe unsubscibe unsubscrib unsub unsubscribeme optmeout optingout remove removeme takemeoff
    cease goaway getlost fuckoff foff pissoff buzzoff quitit knockitoff endthis endsubscription cancelsubscription
    iwantout letmeout dnc donotcontactme spam thisisspam scam thisisascam thisisharassment wrongnumber wrongperson
    donottext donttext donotcontact dontcontact
    elimineme eliminame salir salgan cancelarsuscripcion cancelarmisuscripcion
    arret arrete arretez arreter desabonner desabonnement desinscription
    alto basta yabasta pare paren parar para detener detengase detenganse baja cancelar nomas nomasmensajes nomastextos
    """
)

#: Around a keyword these change nothing: `Stop. Thank you`, `ok stop now please`, `no, stop`.
COURTESY: Final = _read_words(
    """
    please pls plz kindly and thanks thank thankyou thx ty you u now immediately asap already ok okay hi hello hey sorry
    sir maam just no nope yes seriously omg again por favor porfavor porfa gracias hola ahora ya adios
    """
)

_CLASSES: Final[dict[str, str]] = {
    # ---- English
    "courtesy": "|".join(sorted(COURTESY)),
    "me": "me|us|my phone|my number|my cell|my line|this number|this phone|my wife|my husband|my mom|my mother|my dad"
    "|my father|my son|my daughter|my family|my office",
    "number": "my number|my phone number|my cell|my cell number|this number|my info|my information|my contact"
    "|my contact info|my details|my data",
    "name": "my name|my email|our number|our name|his number|her number",
    "stop": "stop|quit|cease|halt",
    "end": "stop|quit|cease|halt|end|cancel|discontinue",
    "texting": "texting|txting|text|txt|messaging|msging|message|contacting|contact|bothering|bother|harassing|harass"
    "|spamming|spam|pestering|annoying|soliciting",
    "texts": "texts|text|txts|txt|text messages|text message|messages|message|msgs|msg|sms|mms|spam|junk|texting"
    "|notifications|alerts|reminders|promos|promotions|ads|marketing",
    "many": "texts|txts|text messages|messages|msgs|sms|mms|spam|reminders|alerts|notifications|promotions|promos",
    "all": "any|anymore|all|the|these|those|this|that|your|more|further|future|such|of|stupid|damn|fucking"
    "|annoying|unwanted",
    "some": "any|any more|anymore|any other|any of|more|these|those|this|further|another|all|all these|so many",
    "it": "it|this|that|these|those|anything|any more|stuff|crap|shit|this stuff|this crap|this shit",
    "as": "as|for|to",
    "again": "again|anymore|any more|ever|ever again|now|please|immediately|already|here|period|thanks",
    "dont": "do not|dont|never|never ever|dont ever|do not ever|dont you ever|dont you dare|you may not|no longer",
    "text": "text|txt|message|msg|contact|bother|harass|spam|solicit|write|write to",
    "you": "you|u|ya|yall|you guys|you people|your company|this number|this company|them",
    "asked": "asked|told|asking|telling|begging|begged",
    "remove": "remove|take|delete|drop|scratch|get",
    "delete": "remove|delete|erase|lose|forget|block",
    "off": "off|of|from|out",
    "list": "list|lists|mailing list|call list|calling list|contact list|text list|texts|text|messages|mailing|mailings"
    "|contacts|database|system|systems|distribution|distribution list|records|group|group text|chat|thread|sms|spam",
    "want": "i want|i want to|id like|id like to|i would like|i would like to|i wish|i wish to|please"
    "|how do i|how can i|trying to|i need|i need to|let me|can i|may i|i choose to|im|i am|i",
    "we": "i|we|she|he|my wife|my husband|my mom|my mother|my dad|my father",
    "nowant": "do not want|dont want|dnt want|don want|no longer want|do not wish|dont wish|no longer wish|do not need"
    "|dont need|no longer need|did not ask for|didnt ask for|never asked for|do not care for|dont care for"
    "|did not sign up for|didnt sign up for|never signed up for|do not consent to|dont consent to|didnt agree to"
    "|did not agree to|never agreed to|am not interested in|not interested in|no longer interested in|doesnt want",
    "receive": "to|be|receive|receiving|get|getting|see|seeing|have|on",
    "texted": "texted|messaged|contacted|bothered|spammed",
    "revoke": "revoke|withdraw|rescind|revoking|withdrawing",
    "keep": "do you keep|do u keep|are you still|r u still|are you|r u|do you people keep|does this number keep",
    "wrong": "wrong number|wrong person",
    "sorry": "sorry|hi|hello|hey|i think|i believe|im afraid|i am afraid|unfortunately|but|um|no|looks like|nope",
    "got": "have|got|have got|ve got|texted|reached|are texting|messaged|contacted|are at|hit|dialed",
    "until": "until|til|till|before|after|while|when|if|unless|between|during|through|via|the|a|an|about",
    "cant": "cant|cannot|can not|couldnt|could not|wont|will not|dont|do not|never|didnt|did not|not|doesnt|does not"
    "|shouldnt|should not|wouldnt",
    "threat": "sue|report|block|call the|go to the",
    "theirs": "my|his|her|their|my wifes|my husbands",
    "hasta": "antes|hasta|despues|mientras|cuando|si|entre",
    "reply": "reply|text|txt|send|say|type|write|press",
    # ---- Spanish
    "nome": "no me|no nos|ya no me|ya no nos|nunca me|nunca mas me|jamas me|que no me|que ya no me",
    "vuelvan": "vuelva a|vuelvan a|vuelvas a|siga|sigan|sigas|estes|esten",
    "escriban": "escriba|escriban|escribas|escribir|escribiendo|textee|texteen|textees|textear|texteando|contacte"
    "|contacten|contactes|contactar|contactando|moleste|molesten|molestes|molestar|molestando",
    "envien": "envie|envien|envies|enviar|enviando|mande|manden|mandes|mandar|mandando|llame|llamen|llames|llamar",
    "mas": "mas|estos|esos|tantos|otro|otros|ningun|sus|tus|los|nada|nada de|su|tu",
    "mensajes": "mensajes|mensaje|textos|texto|mensajitos|sms|msj|msjs|notificaciones|alertas|promociones|ofertas"
    "|publicidad|spam|avisos|recordatorios",
    "dejen": "dejen de|deje de|deja de|dejes de|paren de|pare de|para de|parale de|basta de|dejen ya de|dejar de",
    "enviarme": "enviar|enviarme|enviarnos|mandar|mandarme|mandarnos|escribir|escribirme|escribirnos|textear|textearme"
    "|contactar|contactarme|contactarnos|molestar|molestarme|molestarnos|llamar|llamarme|molestando|mandando|enviando"
    "|escribiendo",
    "dejenme": "dejame|dejeme|dejenme|dejanos|dejenos|dejennos",
    "enpaz": "en paz|tranquilo|tranquila|tranquilos|tranquilas",
    "paren": "paren|pare|para|parar|detenga|detengan|suspenda|suspendan|cancele|cancelen|cancelar|basta|alto|cancela",
    "noquiero": "no quiero|ya no quiero|no queremos|ya no queremos|no deseo|ya no deseo|no deseamos|no me interesa"
    "|ya no me interesa|no me interesan|ya no me interesan|no quisiera",
    "recibir": "recibir|seguir recibiendo|recibiendo|tener|ver|que me lleguen|leer",
    "quiten": "quite|quiten|quita|quiteme|quitenme|quitame|quitar|quitarme|saque|saquen|saca|saqueme|saquenme|sacame"
    "|elimine|eliminen|elimina|elimineme|eliminenme|eliminame|eliminar|borre|borren|borra|borreme|borrenme|borrame"
    "|borrar|remueva|remuevan|remover|remuevame|retire|retiren|retireme|bloquee|bloqueen",
    "minumero": "mi numero|este numero|mi telefono|mi celular|mi contacto|mis datos",
    "sulista": "su lista|la lista|esta lista|tu lista|sus listas|las listas|sus contactos|su base|su sistema|este grupo"
    "|la lista de|su grupo|esa lista",
    "denbaja": "darme de baja|deme de baja|denme de baja|dame de baja|dar de baja mi|darnos de baja|dar de baja este"
    "|dar de baja esta|me de baja|me den de baja",
}

_ENGLISH: Final = """
    {stop} {texting} {me}
    {stop} {texting} $
    {stop} {texting} {again}
    {stop} {texting} and calling
    {stop} {texting} or calling
    {stop} calling and {texting}
    {stop} calling {me} $
    {stop} calling {me} {again}
    {end} {all}* {texts} $
    {end} {all}* {texts} {again}
    {end} {all} {all}* {texts}
    {end} my {texts} $
    discontinue {texting}
    {stop} sending [{me}] {all}* {texts}
    {stop} sending [{me}] {courtesy}* $
    {stop} sending [{me}] {it} {courtesy}* $
    {stop} all contact
    {stop} contact
    {stop} all communication
    {stop} all communications
    {stop} bothering
    {stop} with {all}* {texts}
    enough with {all} {all}* {texts}
    {asked} {you} ? ? to stop $
    {asked} {you} ? ? to stop {texting}
    {asked} {you} ? ? to stop {again}
    i said stop $
    said to stop $
    ^ {courtesy}* stop {it} {courtesy}* $
    stop doesnt work
    stop does not work
    stop isnt working
    stop is not working
    stop means stop
    cease and desist
    {dont} {text} {me}
    {dont} {text} {again}
    {dont} call or {text}
    {dont} {text} or call
    {dont} call {me} {again}
    {dont} send [{me}] {some} {all}* {texts}
    {dont} send {me} {texts}
    {dont} send {me} {some} {all}* ? {many}
    {dont} send {me} anything
    {dont} {text} $
    no more {all}* {texts}
    do not call list
    do not text list
    do not contact list
    dont call list
    dnc list
    {remove} {me} {off}* {all}* {list}
    {remove} {number} {off}* {all}* {list}
    {remove} {name} {off}* {all}* {list}
    be removed from {all}* {list}
    get off {all}* {list} $
    {remove} {me} {off} {off}* {all}* $
    {remove} {me} {off} {off}* {courtesy}* $
    ^ {courtesy}* remove {me} {courtesy}* $
    {delete} {number}
    block me
    unsubscribe
    unsuscribe
    unsubcribe
    opt {me} out
    {want} opt out $
    {want} opt out {courtesy}
    opting out $
    opt out of {all}* {texts}
    opt out of {it} $
    {revoke} ? ? consent
    {revoke} ? ? permission
    leave {me} alone
    leave {me} the hell alone
    leave {me} the fuck alone
    leave {me} be $
    {we} ? {nowant} {receive}* {all}* {many}
    {we} ? {nowant} {receive}* {all}* {texts} $
    {we} ? {nowant} {receive}* {all}* {texts} {again}
    {stop} {receive} {all}* {texts}
    want {all}* {texts} to stop
    make {it} stop $
    {we} ? {nowant} {receive}* {texted}
    {we} ? {nowant} to hear from {you}
    {we} ? {nowant} {receive}* anything from {you}
    {we} ? {nowant} {receive}* anything {again}
    {we} ? {nowant} {you} to {text}
    {we} ? {nowant} {you} {texting} {me}
    {we} ? {nowant} {receive}* {all}* {list} {again}
    {we} ? {nowant} {receive}* [your] list
    not interested in {all}* {texts}
    why {keep} {texting} {me}
    ^ {sorry}* {you} {got} [the] {wrong}
    ^ {sorry}* {you} {got} a {wrong}
    ^ {courtesy}* [this is] [the] {wrong} {courtesy}* $
    report {you} {as} spam
    report {you} to the
    report this to the
    reporting {you} to the
    text {me} again and ill {threat}
    text {me} again and i will {threat}
    {end} my subscription to {all}* {texts}
    never signed up for {it} $
    never asked for {it} $
    didnt sign up for {it} $
    didnt ask for {it} $
    this is harassment
    {cant} have this number {again}
    no longer has this number
    {cant} {theirs} number {again}
    number no longer belongs
    no longer {theirs} number
    reporting {you} {as} spam
    """

_SPANISH: Final = """
    {nome} {vuelvan}* {escriban}
    {nome} {vuelvan}* {envien} {mas}* {mensajes}
    {nome} {vuelvan}* {envien} mas
    {nome} {vuelvan}* {envien} nada
    no vuelva a {enviarme}
    no vuelvan a {enviarme}
    {dejen} {enviarme}
    {dejen} estar {enviarme}
    {dejenme} {enpaz}
    {dejenme} ya {enpaz}
    {paren} [de] [con] {mas}* {mensajes}
    no mas {mas}* {mensajes}
    {noquiero} {recibir}* {mas}* {mensajes}
    {noquiero} recibir nada
    {noquiero} recibir mas $
    {noquiero} saber nada de {mas}* ustedes
    {noquiero} que me {escriban}
    {noquiero} que me {envien} $
    {noquiero} que me {envien} {mas}* {mensajes}
    {noquiero} que me {vuelvan} {enviarme}
    {noquiero} que me sigan {enviarme}
    {quiten} [me] de {sulista}
    {quiten} {minumero}
    {denbaja}
    quiero la baja
    quiero darme de baja
    solicito la baja
    ^ {courtesy}* numero equivocado {courtesy}* $
    ^ {courtesy}* tiene el numero equivocado
    ^ {courtesy}* tienen el numero equivocado
    no autorizo ? {mensajes}
    no autorizo que me
    {paren} ya [de] [con] {mas}* {mensajes}
    parale [ya] con {mas}* {mensajes}
    parele [ya] con {mas}* {mensajes}
    se equivoco de numero
    se equivocaron de numero
    te equivocaste de numero
    """

#: Talk about stopping that asks for nothing; taken out before the requests are looked for.
_NO_REQUEST: Final = """
    {cant} stop
    {cant} quit
    {cant} cease
    {cant} [want] [to] unsubscribe
    {cant} want to opt out
    did you {stop}
    have you stopped
    {dont} remove me from
    {dont} take me off
    {dont} block me
    {nome} {escriban} {hasta}
    {nome} {envien} {mas}* {mensajes} {hasta}
    {nome} {envien} {hasta}
    {dont} {text} {me} {until}
    {dont} {text} or call {until}
    {dont} call or {text} {until}
    {reply} stop to ? ? unsubscribe
    {reply} stop to ? ? opt out
    {reply} stop to {end}
    {delete} {number} and
    {wrong} on file
    {wrong} on the
    {wrong} for
    """


CLASSES: Final = {name: tuple(words.split("|")) for name, words in _CLASSES.items()}
REQUESTS: Final = _read_phrases(_ENGLISH) + _read_phrases(_SPANISH)
NO_REQUESTS: Final = _read_phrases(_NO_REQUEST)
