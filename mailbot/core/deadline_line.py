"""One record of `mailbot deadline`: a request's dates from plain JSON values, or one clear line on what is wrong.

Fields: `received` (ISO 8601 with offset) and `tz` (IANA name); optional `extended` (true or false), `suspensions`
(a list of {"from", "to" or null, "why"?: identity or clarification}; each an instant, or a local day, since whole days
count), `country` (default FI) and `language` of the explanation (default en). Other fields are left alone, so records
may carry their own notes. Never raises for bad input.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from mailbot.core.deadline import DeadlinePolicy, Suspension, SuspensionKind, compute, local_date
from mailbot.core.working_days import Calendar
from mailbot.errors import BadInputError, MailbotError

Answer = dict[str, str | bool]  # due, one_month, explanation, provisional; or error


def deadline_line(record: object, policy: DeadlinePolicy, calendar_of: Callable[[str], Calendar]) -> Answer:
    """The answer to one record. `calendar_of` gives the calendar of a country code and may raise MailbotError."""
    try:
        return _answer(record, policy, calendar_of)
    except MailbotError as problem:
        return {"error": " ".join(str(problem).split())}


def _answer(record: object, policy: DeadlinePolicy, calendar_of: Callable[[str], Calendar]) -> Answer:
    if not isinstance(record, Mapping):
        raise BadInputError("A record must be a JSON object", 'As {"received": "2026-11-03T10:00:00+02:00", ...}')
    zone = _text(record, "tz")
    language = _text(record, "language", "en")
    if language not in policy.texts:
        raise BadInputError(f"There are no explanations in {language[:60]!r}", f"Use one of {', '.join(policy.texts)}")
    received = _instant(_text(record, "received"), "received")
    extended = record.get("extended", False)
    if not isinstance(extended, bool):
        raise BadInputError("extended must be true or false")
    deadline = compute(
        received,
        zone,
        calendar_of(_text(record, "country", "FI")),
        policy,
        extended=extended,
        suspensions=_suspensions(record.get("suspensions"), zone, received),
    )
    return {
        "due": deadline.due_on.isoformat(),
        "one_month": deadline.one_month_on.isoformat(),
        "explanation": deadline.explanations[language],
        "provisional": deadline.provisional,
    }


def _text(record: Mapping[object, object], name: str, default: str | None = None) -> str:
    value = record.get(name, default)
    if value is None:
        raise BadInputError(f"{name} is missing")
    if not isinstance(value, str):
        raise BadInputError(f"{name} must be a text in quotes")
    return value


def _instant(text: str, name: str) -> datetime:
    """An aware instant from ISO 8601 text; BadInputError otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        cure = "Write it as 2026-11-03T10:00:00+02:00"
        raise BadInputError(f"{name} is no date and time: {text[:60]!r}", cure) from problem
    if moment.utcoffset() is None:
        raise BadInputError(f"{name} has no time zone: {text[:60]!r}", "Write it with its offset, as +02:00")
    return moment


def _suspensions(value: object, zone: str, received: datetime) -> list[Suspension]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadInputError("suspensions must be a list")
    return [_suspension(item, zone, received) for item in value]


def _suspension(item: object, zone: str, received: datetime) -> Suspension:
    if not isinstance(item, Mapping) or "from" not in item or "to" not in item:
        raise BadInputError('A suspension must be an object with "from" and "to" (null while the question is open)')
    asked = _instant_or_day(_text(item, "from"), "from")
    answered = None if item["to"] is None else _instant_or_day(_text(item, "to"), "to")
    if _earlier(asked, received, zone):
        raise BadInputError(f"The question of {item['from']} was sent before the request was received")
    if answered is not None and _earlier(answered, asked, zone):
        raise BadInputError(f"The question of {item['from']} can not be answered before it, at {item['to']}")
    answered_on = None if answered is None else _local_day(answered, zone)
    return Suspension(asked_on=_local_day(asked, zone), answered_on=answered_on, kind=_kind(item.get("why")))


def _instant_or_day(text: str, name: str) -> datetime | date:
    """An aware instant, or a local day written alone, as 2026-09-11."""
    if len(text) == len("2026-09-11"):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # told as a wrong instant
    return _instant(text, name)


def _local_day(moment: datetime | date, zone: str) -> date:
    return local_date(moment, zone) if isinstance(moment, datetime) else moment


def _earlier(first: datetime | date, second: datetime | date, zone: str) -> bool:
    """Whether `first` surely lies before `second`: by the instant where both have one, else by the local day."""
    if isinstance(first, datetime) and isinstance(second, datetime):
        return first < second
    return _local_day(first, zone) < _local_day(second, zone)


def _kind(why: object) -> SuspensionKind:
    """Only these two suspend; anything else does not, so it is an error and no silence (policy P6)."""
    if why is None:
        return SuspensionKind.IDENTITY
    kinds = {kind.value: kind for kind in SuspensionKind}
    if not isinstance(why, str) or why not in kinds:
        raise BadInputError(f"{str(why)[:60]!r} does not suspend the clock", f"Only these do: {', '.join(kinds)}")
    return kinds[why]
