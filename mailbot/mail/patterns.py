"""What the reading of a mail looks for, as data: compiled once from `rules/reading.toml`, then only asked.

The words live in the rules; here stand only their shapes. Every pattern is asked about one line of at most `MAX_LINE`
characters (or one short phrase), so that no mail can make it slow. Without data (`ReadingPatterns()`) nothing but ">
" marks is known.
"""

import re
from dataclasses import dataclass, field

MAX_LINE = 400  # characters; a longer line is prose, never a mark
_NEVER = re.compile(r"(?!)")


def _never() -> re.Pattern[str]:
    return _NEVER


@dataclass(frozen=True, kw_only=True)
class ReadingPatterns:
    """Compiled patterns; each comment says what it is asked about. All ignore case."""

    # a whole line
    forward_mark: re.Pattern[str] = field(default_factory=_never)  # "---------- Välitetty viesti ---------"
    original_mark: re.Pattern[str] = field(default_factory=_never)  # "-----Original Message-----"
    introduction: re.Pattern[str] = field(default_factory=_never)  # "On 3 May Maija wrote:", up to three lines joined
    introduction_start: re.Pattern[str] = field(default_factory=_never)  # a line that may begin a longer introduction
    reply_above: re.Pattern[str] = field(default_factory=_never)  # "##- Please type your reply above this line -##"
    phone_signature: re.Pattern[str] = field(default_factory=_never)  # "Lähetetty iPhonesta"
    list_footer: re.Pattern[str] = field(default_factory=_never)  # the line that follows the rule of a list's footer
    # the beginning of a line
    disclaimer: re.Pattern[str] = field(default_factory=_never)  # opens a paragraph of fine print by itself
    disclaimer_label: re.Pattern[str] = field(default_factory=_never)  # opens one if `disclaimer_words` follow
    form_field: re.Pattern[str] = field(default_factory=_never)  # "Viesti:" of a web form, never of a mail's header
    # anywhere in a paragraph or a short text
    disclaimer_words: re.Pattern[str] = field(default_factory=_never)
    personal: re.Pattern[str] = field(default_factory=_never)  # a person speaks of themself: never fine print
    hand_over: re.Pattern[str] = field(default_factory=_never)  # "tämä tuli minulle mutta kuulunee teille"
    answers_inside: re.Pattern[str] = field(default_factory=_never)  # "vastaukset alla punaisella"
    no_html: re.Pattern[str] = field(default_factory=_never)  # a plain part that only says that there is HTML
    # subjects
    reply_prefix: re.Pattern[str] = field(default_factory=_never)  # the first prefix of a subject
    forward_prefix: re.Pattern[str] = field(default_factory=_never)
    # names of header lines in forward and reply blocks -> "from", "sent", "to", "cc", "subject", "reply_to"
    header_names: dict[str, str] = field(default_factory=dict)
    # automatic mail
    auto_subject: re.Pattern[str] = field(default_factory=_never)  # only a machine writes such a subject
    away_subject: re.Pattern[str] = field(default_factory=_never)  # may be a machine's, if the text says so too
    away_phrase: re.Pattern[str] = field(default_factory=_never)  # one sentence of an out-of-office note
    away_filler: re.Pattern[str] = field(default_factory=_never)  # a sentence that goes with one
    away_never: re.Pattern[str] = field(default_factory=_never)  # words of asking: with them it is a person's letter
    bounce_subject: re.Pattern[str] = field(default_factory=_never)
    machine_sender: re.Pattern[str] = field(default_factory=_never)  # local part of an address no person writes from
    bounce_sender: re.Pattern[str] = field(default_factory=_never)  # local part of a mail server's own address
    version: str = ""
