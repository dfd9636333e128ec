"""What the linter looks for, in each language: words of demands, claims, remedies and reasons.

Sentences are judged one by one, and a negated sentence demands nothing ("we do not need a copy"). Patterns are for text
in lower case. They are made to be silent on everything that is shipped, and narrow rather than wide: a linter that
cries wolf is switched off.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from re import Pattern

from mailbot.core.rights import Right


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """The patterns of one language."""

    demand: Pattern[str]  # words that ask for something
    too_much: Mapping[str, Pattern[str]]  # what may not be asked for, by kind
    negation: Pattern[str]
    complaint: Pattern[str]
    court: Pattern[str]
    reason: Pattern[str]
    attached: Pattern[str]
    done: Mapping[Right, Pattern[str]]  # "we have erased"
    not_done: Mapping[Right, Pattern[str]]  # "we cannot erase"
    refusal: Pattern[str]  # "we do not act on your request"
    no_data: Pattern[str]
    greeting: Pattern[str]  # group 1: the name that is greeted
    common: frozenset[str]  # common words that the other two languages do not have
    months: tuple[str, ...]


def _p(pattern: str) -> Pattern[str]:
    return re.compile(pattern)


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


def _months(line: str) -> tuple[str, ...]:
    return tuple(line.split())


FINNISH = Phrases(
    demand=_p(
        r"\b(?:lähet[äh]\w*|toimita\w*|liitä\w*|täytä\w*|allekirjoita\w*|perustele\w*|ilmoita|kerro(?:thän)?|"
        r"tarvitsemme|edellytämme|vaadimme|pyydämme|"
        r"on (?:lähetettävä|toimitettava|täytettävä|liitettävä|allekirjoitettava|perusteltava)|"
        r"täytyy|pitää|tulee|ensin)\b"
    ),
    too_much={
        "id_copy": _p(
            r"kopio\w*[^.]{0,40}(?:henkilöllisyystodistu|passi|ajokort|henkilökort)|"
            r"(?:henkilöllisyystodistu|passi|ajokort|henkilökort)\w*[^.]{0,20}kopio"
        ),
        "identity_code": _p(r"\bhenkilötunnu|\bsosiaaliturvatunnu|\bhetu"),
        "signature": _p(r"\ballekirjoit"),
        "form": _p(r"\blomak(?:e|keen|ketta|keella)\b"),
        "reasons": _p(
            r"\bperustele pyyntö|\bperustelu\w* pyynn|\bpyyn\w+ (?:on perusteltava|perustelut)|\bmiksi pyydät"
        ),
    },
    negation=_p(r"\b(?:emme|älä|älkää|ei|eikä|ettei|eivät|ilman|et|emmekä)\b"),
    complaint=_p(r"\bkantelu|saattaa (?:asian?|sen) |\bvalitu?s|\bvalittaa"),
    court=_p(r"\btuomioistui"),
    reason=_p(r"\b(?:syy|koska|sillä|siksi|peruste|vuoksi|takia)\b|\bperust\w+ "),
    attached=_p(r"\bliitteenä\b|\bohessa\b|\bliitteessä\b"),
    done={
        Right.ERASURE: _p(r"\bolemme (?:nyt )?(?:poistaneet|hävittäneet) |\btietosi on (?:nyt )?poistettu"),
        Right.RECTIFICATION: _p(
            r"\bolemme (?:nyt )?(?:oikaisseet|korjanneet) |\btietosi on (?:nyt )?(?:oikaistu|korjattu)"
        ),
        Right.RESTRICTION: _p(r"\bolemme (?:nyt )?rajoittaneet |\bkäsittelyä on (?:nyt )?rajoitettu"),
        Right.OBJECTION: _p(r"\bolemme (?:nyt )?lopettaneet |\bemme enää käytä "),
    },
    not_done={
        Right.ERASURE: _p(r"\bemme (?:voi |ole )?(?:poista|poistaa|poistaneet) "),
        Right.RECTIFICATION: _p(
            r"\bemme (?:voi |ole )?(?:oikaise|oikaista|oikaisseet|korjaa|korjata|korjanneet|muuttaneet)\b"
        ),
        Right.RESTRICTION: _p(r"\bemme (?:voi |ole )?(?:rajoita|rajoittaa|rajoittaneet|tehneet rajoitusta)\b"),
        Right.ACCESS: _p(r"\bemme (?:voi )?(?:anna|antaa) (?:niitä|tietoja)"),
        Right.OBJECTION: _p(r"\bkäsittely jatkuu\b"),
    },
    refusal=_p(r"\bemme (?:voi )?(?:toteuta|toteuttaa) pyyntöäsi|\bkieltäydymme\b|\bhylkäämme pyyntösi"),
    no_data=_p(r"\bemme löytäneet |\bniitä ei löytynyt|\bmeillä ei ole (?:sinua koskevia )?(?:henkilö)?tieto"),
    greeting=_p(r"^(?:hei|hyvä|moi|terve)[ ,]+([^,!\n]{2,60})[,!]"),
    common=_words(
        "ja ei että se tai jos kun niin myös sinun meidän joka ovat ole emme olemme tämä tämän mutta kuin voit "
        "tietosi tietojasi tietoja saimme pyyntösi olet nämä niitä sen siitä meille sinulla"
    ),
    months=_months(
        "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta "
        "heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta"
    ),
)

SWEDISH = Phrases(
    demand=_p(
        r"\b(?:skicka|sänd|bifoga|lämna in|fyll i|fylla i|underteckna|skriv under|uppge|ange|motivera|behöver|kräver|"
        r"ber dig|måste|ska du|du ska|vänligen|först)\b"
    ),
    too_much={
        "id_copy": _p(
            r"kopi[ao]\w*[^.]{0,40}(?:\bpass|\bid\b|\bid-|körkort|identitet|legitimation)|"
            r"(?:\bpass\w*|körkort\w*|identitetshandling\w*|legitimation\w*)[^.]{0,20}kopi"
        ),
        "identity_code": _p(r"\bpersonbeteckning|\bpersonnummer"),
        "signature": _p(r"\bunderskrift|\bunderteckna|\bskriv(?:a|s)? under|\bundertecknad"),
        "form": _p(r"\bblankett|\bformulär(?:et)?\b"),
        "reasons": _p(
            r"\bmotivera (?:din )?begäran|\bmotivering\w* (?:till|av|för) (?:din )?begäran|\bvarför du (?:vill|begär)"
        ),
    },
    negation=_p(r"\b(?:inte|inga|ingen|inget|varken|utan|aldrig|icke)\b"),
    complaint=_p(r"\bklagomål|\bklaga\b|\bföra (?:saken|ärendet|det) till"),
    court=_p(r"\bdomstol"),
    reason=_p(r"\b(?:orsak|orsaken|eftersom|därför|grund|grunden|skäl|skälet)\b"),
    attached=_p(r"\bbifoga[dt]\w*|\bbilaga\b|\bbilagan\b|\bbifogar\b"),
    done={
        Right.ERASURE: _p(
            r"\bvi har (?:nu )?(?:raderat|tagit bort|utplånat) |\buppgifter är (?:nu )?raderad|\bhar (?:nu )?raderats"
        ),
        Right.RECTIFICATION: _p(
            r"\b(?:vi har|har vi) (?:nu )?(?:rättat|korrigerat) |\buppgifter är (?:nu )?rättade|\bhar (?:nu )?rättats"
        ),
        Right.RESTRICTION: _p(r"\bvi har (?:nu )?begränsat |\buppgifter är (?:nu )?begränsad"),
        Right.OBJECTION: _p(r"\bvi har (?:nu )?(?:också )?slutat |\bvi använder inte längre "),
    },
    not_done={
        Right.ERASURE: _p(r"\b(?:vi )?(?:kan|får) inte (?:vi )?radera |\bvi raderar inte|\bvi har inte raderat"),
        Right.RECTIFICATION: _p(r"\bkan inte (?:vi )?rätta |\bvi har inte (?:rättat|ändrat)|\bvi rättar inte"),
        Right.RESTRICTION: _p(r"\bkan inte (?:vi )?begränsa |\bvi har inte begränsat|\bvi begränsar inte"),
        Right.ACCESS: _p(r"\bkan inte (?:vi )?lämna ut |\bvi lämnar inte ut"),
        Right.OBJECTION: _p(r"\bbehandlingen fortsätter\b"),
    },
    refusal=_p(r"\bvi genomför inte din begäran|\bvi kan inte genomföra din begäran|\bvi avslår"),
    no_data=_p(r"\bhittade inga\b|\bvi har inga (?:person)?uppgifter om dig|\bhar inte hittat (?:några )?"),
    greeting=_p(r"^(?:hej|bästa|hejsan)[ ,]+([^,!\n]{2,60})[,!]"),
    common=_words(
        "och att är det som av för den med till på har inte om ett eller vi din dina dig du kan de så vad när "
        "uppgifter våra vår din begäran fick här oss också detta"
    ),
    months=_months("januari februari mars april maj juni juli augusti september oktober november december"),
)

ENGLISH = Phrases(
    demand=_p(
        r"\b(?:send|provide|attach|enclose|submit|fill in|complete|sign|state|give|explain|need|require|must|please|"
        r"have to|first)\b"
    ),
    too_much={
        "id_copy": _p(
            r"cop(?:y|ies) of [^.]{0,30}(?:passport|\bid\b|identity|driving licen|identification)|"
            r"(?:passport|identity card|driving licence) copy|scan of [^.]{0,20}(?:passport|\bid\b|identity)"
        ),
        "identity_code": _p(
            r"\bpersonal (?:identity|identification) (?:code|number)|\bsocial security number|\bnational id number"
        ),
        "signature": _p(r"\bsignature|\bsigned\b|\bsign (?:the|this|your|it)\b"),
        "form": _p(r"\b(?:the|our|this|a|attached|request) form\b"),
        "reasons": _p(
            r"\breasons? (?:for|of|behind) your request|\bwhy you (?:want|need|ask|request|are asking)|\bjustify your"
        ),
    },
    negation=_p(r"\b(?:not|neither|nor|no|without|never|cannot|don't|needn't)\b"),
    complaint=_p(r"\bcomplain"),
    court=_p(r"\bcourts?\b|\bjudicial remedy"),
    reason=_p(r"\b(?:reasons?|because|since|ground|grounds)\b"),
    attached=_p(r"\battached\b|\benclosed\b|\bin the attachment"),
    done={
        Right.ERASURE: _p(
            r"\bwe have (?:now )?(?:erased|deleted|removed) |\byour data ha(?:ve|s) (?:now )?been (?:erased|deleted)"
        ),
        Right.RECTIFICATION: _p(r"\bwe (?:have )?(?:now )?corrected |\byour data ha(?:ve|s) (?:now )?been corrected"),
        Right.RESTRICTION: _p(r"\bwe have (?:now )?restricted |\bprocessing of your data is (?:now )?restricted"),
        Right.OBJECTION: _p(r"\bwe have (?:now |also )?stopped |\bwe no longer use "),
    },
    not_done={
        Right.ERASURE: _p(
            r"\bwe (?:cannot|can not|do not|will not|have not) (?:erased?|deleted?) |\berase your data\. we cannot do"
        ),
        Right.RECTIFICATION: _p(r"\bwe (?:cannot|can not|do not|will not|have not) (?:correct(?:ed)?|changed?) "),
        Right.RESTRICTION: _p(r"\bwe (?:cannot|can not|do not|will not|have not) restrict(?:ed)? "),
        Right.ACCESS: _p(r"\bwe (?:cannot|can not|do not|will not) (?:give|provide|disclose) (?:them|the data|you)"),
        Right.OBJECTION: _p(r"\bthe processing goes on\b"),
    },
    refusal=_p(r"\bwe (?:will not|do not|cannot|can not) (?:act on|meet|comply with) your request|\bwe refuse\b"),
    no_data=_p(r"\bfound none\b|\bfound no (?:personal )?data|\bwe (?:hold|have) no (?:personal )?data"),
    greeting=_p(r"^(?:dear|hello|hi)[ ,]+([^,!\n]{2,60})[,!]"),
    common=_words(
        "the and of to you your is are that for with not this it be have by from if or was which what about data "
        "request they them received these"
    ),
    months=_months("january february march april may june july august september october november december"),
)

PHRASES: Mapping[str, Phrases] = {"fi": FINNISH, "sv": SWEDISH, "en": ENGLISH}

PLACEHOLDER = re.compile(
    r"\[(?:täydennä|fyll i|fill in|nimi|päivä|syy|namn|datum|orsak|name|date|reason|insert)\b[^\]\n]*\]?|"
    r"\{\{|\}\}|\{%|%\}|\bx{3,}\b|_{3,}|\btodo\b|\blorem ipsum\b",
    re.IGNORECASE,
)
NOBODY = frozenset(  # greetings that name nobody
    ["asiakas", "asiakkaamme", "vastaanottaja", "kund", "mottagare", "customer", "sir", "madam", "all", "there"]
)
ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
IDENTITY_CODE = re.compile(r"\b(\d{6})[-+A-FU-Y](\d{3})([0-9A-FHJ-NPR-Y])\b")  # VRK: 131052-308T
SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n\s*\n|\n(?=- |\d+\. )")
_CHECK = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def identity_codes(text: str) -> tuple[str, ...]:
    """Finnish personal identity codes whose check character is right."""
    return tuple(
        found[0] for found in IDENTITY_CODE.finditer(text) if _CHECK[int(found[1] + found[2]) % 31] == found[3]
    )
