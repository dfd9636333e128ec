"""What a reply needs from the message it answers: ids for its threading headers, and a subject that is only a subject.

Whatever is returned here can stand in a header as it is: no control character, no line break, no encoded word, ids of
printable ASCII only. An id that can not be trusted to be one is left out; a thread may break, a header may not.
"""

import re

from mailbot.core.message import Message
from mailbot.mail.charset import clean_header

__all__ = ["clean_header", "reply_references", "reply_subject"]

_SAFE_ID = re.compile(r"<[!-;=?-~]{1,500}>")  # printable ASCII without space, "<" and ">"
_MAX_REFERENCES = 20  # the first one and the newest; more tells a mail program nothing (RFC 5322 3.6.4 sets no bound)
_MAX_LENGTH = 8000  # characters of the whole References header
_MAX_SUBJECT = 200
_PREFIX = re.compile(r"(?:re|vs|sv|aw|vast|svar)(?:\[\d{1,3}\]|\(\d{1,3}\))?\s{0,2}:\s{0,4}", re.I)


def safe_id(value: str) -> str:
    """`value` if it can stand in a header as a message id (angle brackets included), else ""."""
    return value if _SAFE_ID.fullmatch(value) and "=?" not in value else ""


def reply_references(message: Message) -> tuple[str, tuple[str, ...]]:
    """(In-Reply-To, References) of an answer to `message`; "" and () when it has no usable id (RFC 5322 3.6.4).

    References keep the thread's first id and the newest ones, oldest first, the answered id last.
    """
    answered = safe_id(message.message_id)
    earlier = message.references or message.in_reply_to[:1]
    ids = [one for one in dict.fromkeys(filter(None, map(safe_id, earlier))) if one != answered]
    if answered:
        ids.append(answered)
    if len(ids) > _MAX_REFERENCES:
        ids = [ids[0], *ids[-(_MAX_REFERENCES - 1) :]]
    while len(ids) > 2 and sum(map(len, ids)) + len(ids) > _MAX_LENGTH:
        del ids[1]
    return answered, tuple(ids)


def reply_subject(subject: str, prefix: str) -> str:
    """The subject of an answer: `prefix` ("Re:", "VS:", "SV:") once before the old subject, older ones dropped."""
    rest = clean_header(subject)
    for _ in range(20):
        shorter = _PREFIX.sub("", rest, count=1) if _PREFIX.match(rest) else rest
        if shorter == rest:
            break
        rest = shorter
    return clean_header(f"{clean_header(prefix, 20)} {rest}", _MAX_SUBJECT)
