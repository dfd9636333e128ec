"""What is wrong with a draft before a person approves it: rules of law and of care, each with its cure.

A finding that blocks says that the law would be broken or something untrue would be said; one that warns leaves the
choice to the person. The linter reads; it changes nothing, knows no clock and no store. What it can not see (is the
data really erased?) is on the checklist.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

from mailbot.core.controller import LANGUAGES, Authority, Controller
from mailbot.core.letter import ReplyItem
from mailbot.core.lint_files import File, is_empty, is_misnamed, is_protected, machine_readable, text_of
from mailbot.core.lint_patterns import ADDRESS, NOBODY, PHRASES, PLACEHOLDER, SENTENCE, Phrases, identity_codes
from mailbot.core.rights import Outcome, Right

REFUSING = (Outcome.REFUSED, Outcome.PARTLY_FULFILLED, Outcome.NOT_IDENTIFIED)  # GDPR 12(4)
COPIES = (Right.ACCESS, Right.PORTABILITY)  # rights that are fulfilled with a file
GIVEN = (Outcome.FULFILLED, Outcome.PARTLY_FULFILLED)
NOT_DONE = (Outcome.REFUSED, Outcome.NO_DATA, Outcome.NOT_IDENTIFIED, Outcome.WITHDRAWN)
_LEAST_WORDS = 12  # of a text whose language is judged
_LEAST_NAME = 5  # letters of a name that is looked for


class Severity(StrEnum):
    """Whether a draft with this finding can be approved."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, and its cure."""

    rule: str
    severity: Severity
    message: str  # what is wrong and what to do, in the language asked for
    detail: str = ""  # what was found, as the message of any language names it

    def as_json(self) -> dict[str, str]:
        """The finding as drafts keep it."""
        return {"rule": self.rule, "severity": self.severity.value, "message": self.message, "detail": self.detail}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A draft as the linter sees it."""

    kind: str  # "reply" or the kind of letter
    language: str  # of the writer; anything but fi, sv, en means the bilingual Finnish and English text
    controller: Controller
    text: str
    items: Sequence[ReplyItem] = ()
    values: Mapping[str, str] = field(default_factory=dict)  # facts that staff gave for a letter
    files: Sequence[File] = ()
    recipient: str = ""  # "" for paper
    requester_address: str = ""
    requester_name: str = ""
    message_text: str = ""  # what the requester wrote: its addresses are known
    own_addresses: Sequence[str] = ()  # sender, contact, staff
    others: Sequence[str] = ()  # names and addresses of other people that must not appear
    new_due_on: date | None = None  # of an extension
    awaited_copies: Sequence[str] = ()  # tickets of the same person that still ask for a copy of the data

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages the text has to be in."""
        return (self.language,) if self.language in LANGUAGES else ("fi", "en")

    @property
    def phrases(self) -> tuple[Phrases, ...]:
        """The patterns of those languages."""
        return tuple(PHRASES[language] for language in self.languages)

    @cached_property
    def flat(self) -> str:
        """The text in lower case, paragraphs joined."""
        return " ".join(self.text.lower().split())

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The text in lower case, a sentence or list item each."""
        return tuple(" ".join(part.split()) for part in SENTENCE.split(self.text.lower()))

    @property
    def refuses(self) -> bool:
        """True when anything is refused, wholly or in part."""
        return any(item.outcome in REFUSING for item in self.items)


Rule = Callable[[Checked], Iterator[str]]  # each string is a detail: a quotation, a name, a number


def lint(draft: Checked, words: Mapping[str, str]) -> tuple[Finding, ...]:
    """Everything that is wrong with a draft. `words`: the table `lint` of a language's words, by rule."""
    return tuple(
        Finding(rule=name, severity=severity, message=words[name].format(detail=detail), detail=detail)
        for name, (severity, rule) in RULES.items()
        for detail in rule(draft)
    )


def _recipient(draft: Checked) -> Iterator[str]:
    """A reply goes to the From address, always (design, promise 8)."""
    if draft.recipient and draft.recipient.lower() != draft.requester_address.lower():
        yield draft.recipient


def _placeholder(draft: Checked) -> Iterator[str]:
    text = draft.text.replace(draft.requester_name, "") if draft.requester_name else draft.text
    for item in draft.items:
        for value in item.values.values():
            text = text.replace(value, "") if "[" not in value else text
    if found := PLACEHOLDER.search(text):
        yield found[0].strip()[:60]


def _remedy(draft: Checked) -> Iterator[str]:
    """A refusal names complaint and judicial remedy (GDPR 12(4))."""
    if not (draft.refuses or draft.kind in ("extension_notice", "fee_notice")):
        return
    for language, phrases in zip(draft.languages, draft.phrases, strict=True):
        named = _names(draft, draft.controller.authority(language))
        if not (named and phrases.complaint.search(draft.flat) and phrases.court.search(draft.flat)):
            yield language
            return


def _authority(draft: Checked) -> Iterator[str]:
    """Every final reply names the supervisory authority (design 7)."""
    if draft.kind == "reply" and not draft.refuses:
        authority = draft.controller.authority(draft.languages[0])
        if not _names(draft, authority):
            yield authority.name


def _names(draft: Checked, authority: Authority) -> bool:
    return any(word.lower() in draft.flat for word in (authority.name, authority.email, authority.url))


def _reasons(draft: Checked) -> Iterator[str]:
    """A refusal and an extension say why (GDPR 12(3), 12(4))."""
    if (draft.refuses or draft.kind == "extension_notice") and not any(
        phrases.reason.search(draft.flat) for phrases in draft.phrases
    ):
        yield ""


def _new_date(draft: Checked) -> Iterator[str]:
    """An extension says until when (GDPR 12(3))."""
    day = draft.new_due_on
    if draft.kind == "extension_notice" and day and not any(form in draft.flat for form in _forms(day)):
        yield f"{day.day}.{day.month}.{day.year}"


def _forms(day: date) -> Iterator[str]:
    yield from (f"{day.day}.{day.month}.{day.year}", f"{day:%d.%m.%Y}", day.isoformat())
    for phrases in PHRASES.values():
        month = phrases.months[day.month - 1]
        yield from (f"{day.day} {month} {day.year}", f"{day.day}. {month} {day.year}", f"{month} {day.day}, {day.year}")


def _demands(draft: Checked) -> Iterator[str]:
    """No copy of an identity document, identity code, signature, form or reasons may be asked for (law 7)."""
    for sentence in draft.sentences:
        for phrases in draft.phrases:
            if phrases.demand.search(sentence) and not phrases.negation.search(sentence):
                for pattern in phrases.too_much.values():
                    if pattern.search(sentence):
                        yield sentence[:80]
                        return


def _language(draft: Checked) -> Iterator[str]:
    """The answer is in the writer's language (law 7)."""
    words = draft.flat.split()
    if len(words) < _LEAST_WORDS:
        return
    counts = {code: sum(word.strip(".,:;()!?") in PHRASES[code].common for word in words) for code in LANGUAGES}
    expected = max(3, *(counts[code] for code in draft.languages))
    yield from [code for code in LANGUAGES if code not in draft.languages and counts[code] > expected][:1]


def _others(draft: Checked) -> Iterator[str]:
    """Nobody else's name or address leaves with a reply (GDPR 15(4), 32)."""
    everywhere = "\n".join((draft.text, *(text_of(file) for file in draft.files))).lower()
    own = (draft.requester_name.lower(), draft.requester_address.lower())
    for other in draft.others:
        name = other.lower()
        if name in everywhere and len(name) >= _LEAST_NAME and name not in own and _stands_in(name, everywhere):
            yield other
            return


def _stands_in(name: str, text: str) -> bool:
    """Whether the name is there as words of its own."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _greeting(draft: Checked) -> Iterator[str]:
    """The reply greets the requester and nobody else."""
    first = draft.text.strip().split("\n", 1)[0].strip()
    for phrases in PHRASES.values():
        found = phrases.greeting.match(first.lower())
        if found and draft.requester_name and not _fits(found[1], draft.requester_name.lower()):
            yield first
            return


def _fits(greeted: str, name: str) -> bool:
    words = set(greeted.split())
    return bool(words & (set(name.split()) | NOBODY)) or greeted.strip() in name or name in greeted


def _identity_code(draft: Checked) -> Iterator[str]:
    yield from (code[:6] + "-****" for code in identity_codes(draft.text)[:1])


def _identity_code_in_file(draft: Checked) -> Iterator[str]:
    yield from (file.name for file in draft.files if identity_codes(text_of(file)))


def _unknown_address(draft: Checked) -> Iterator[str]:
    """An address that neither the requester nor we have named may be somebody else's."""
    known = " ".join((draft.requester_address, draft.message_text, *draft.own_addresses, *_given(draft))).lower()
    known += " " + " ".join(authority.email for authority in draft.controller.authorities.values())
    known += " " + draft.controller.organisation.email.lower()
    texts = [("", draft.text), *((file.name, text_of(file)) for file in draft.files)]
    for name, text in texts:
        strange = next((found for found in ADDRESS.findall(text) if found.lower().rstrip(".") not in known), "")
        if strange:
            yield f"{strange} ({name})" if name else strange
            return


def _given(draft: Checked) -> Iterator[str]:
    yield from draft.values.values()
    for item in draft.items:
        yield from item.values.values()


def _empty(draft: Checked) -> Iterator[str]:
    yield from (file.name for file in draft.files if is_empty(file))


def _misnamed(draft: Checked) -> Iterator[str]:
    yield from (file.name for file in draft.files if is_misnamed(file))


def _copy(draft: Checked) -> Iterator[str]:
    """Access is given with a copy of the data (GDPR 15(3)), portability with a file (GDPR 20(1))."""
    wanted = [item for item in draft.items if item.right in COPIES and item.outcome in GIVEN]
    if wanted and not draft.files:
        yield ""


def _not_attached(draft: Checked) -> Iterator[str]:
    if not draft.files and draft.kind == "reply":
        for phrases in draft.phrases:
            if found := phrases.attached.search(draft.flat):
                yield found[0]
                return


def _contradiction(draft: Checked) -> Iterator[str]:
    """What the text claims is what the outcome says."""
    for item in draft.items:
        for phrases in draft.phrases:
            claims = list(_against(item, phrases, alone=len(draft.items) == 1))
            found = next((match[0] for claim in claims if (match := claim.search(draft.flat))), "")
            if found:
                yield found.strip()
                return


def _against(item: ReplyItem, phrases: Phrases, *, alone: bool) -> Iterator[re.Pattern[str]]:
    """The claims that the outcome of a request rules out."""
    if item.outcome in NOT_DONE and item.right in phrases.done:
        yield phrases.done[item.right]
    if item.outcome is Outcome.FULFILLED and item.right in phrases.not_done:
        yield phrases.not_done[item.right]
    if item.outcome in (Outcome.FULFILLED, Outcome.NO_DATA) and alone:
        yield phrases.refusal
    if item.outcome in GIVEN and alone:
        yield phrases.no_data


def _unprotected(draft: Checked) -> Iterator[str]:
    """Personal data by ordinary mail is anybody's to read on the way (GDPR 32)."""
    if any(item.right in COPIES for item in draft.items):
        yield from (file.name for file in draft.files[:1] if not is_protected(file))


def _not_portable(draft: Checked) -> Iterator[str]:
    """Portability asks for a machine-readable file (GDPR 20(1))."""
    if any(item.right is Right.PORTABILITY and item.outcome in GIVEN for item in draft.items):
        yield from (file.name for file in draft.files[:1] if not machine_readable(file))


def _copy_first(draft: Checked) -> Iterator[str]:
    """Access is given before the data are erased (law 13)."""
    if any(item.right is Right.ERASURE and item.outcome in GIVEN for item in draft.items):
        yield from draft.awaited_copies


def _erased_and_restricted(draft: Checked) -> Iterator[str]:
    """Data that are erased can not be restricted as well: one of the two claims is untrue."""
    whole = {
        item.right for item in draft.items if item.outcome is Outcome.FULFILLED and not item.values.get("restricted")
    }
    if {Right.ERASURE, Right.RESTRICTION} <= whole:
        yield ""


RULES: Mapping[str, tuple[Severity, Rule]] = {
    "recipient": (Severity.BLOCK, _recipient),
    "placeholder": (Severity.BLOCK, _placeholder),
    "remedy_missing": (Severity.BLOCK, _remedy),
    "reasons_missing": (Severity.BLOCK, _reasons),
    "new_date_missing": (Severity.BLOCK, _new_date),
    "demands_too_much": (Severity.BLOCK, _demands),
    "other_person": (Severity.BLOCK, _others),
    "identity_code": (Severity.BLOCK, _identity_code),
    "attachment_empty": (Severity.BLOCK, _empty),
    "copy_missing": (Severity.BLOCK, _copy),
    "not_attached": (Severity.BLOCK, _not_attached),
    "contradiction": (Severity.BLOCK, _contradiction),
    "copy_first": (Severity.WARN, _copy_first),
    "erased_and_restricted": (Severity.WARN, _erased_and_restricted),
    "authority_missing": (Severity.WARN, _authority),
    "greeting": (Severity.WARN, _greeting),
    "language": (Severity.WARN, _language),
    "attachment_misnamed": (Severity.WARN, _misnamed),
    "identity_code_in_file": (Severity.WARN, _identity_code_in_file),
    "unknown_address": (Severity.WARN, _unknown_address),
    "not_machine_readable": (Severity.WARN, _not_portable),
    "unprotected": (Severity.WARN, _unprotected),
}
