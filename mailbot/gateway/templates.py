"""Texts from templates: replies made of sections, letters, staff mail, register descriptions.

Facts go in as data and come out as words; no text of a mail is ever parsed as a template (design promise 7). The
renderer knows no clock, no store and no ticket: it says what it is told. What a text needs before it can be said stands
in its template's header.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mailbot.core.controller import LANGUAGES, Controller
from mailbot.core.draft import Need, NeedKind
from mailbot.core.letter import CheckLine, ReplyItem, Text, parse_day
from mailbot.core.lines import clean, fill, keep, one_line
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.core.sections import checklist, section_values
from mailbot.errors import ConfigurationError, MisuseError
from mailbot.gateway.template_files import TemplateFile, TemplateFolder
from mailbot.gateway.template_language import Language, cap

RULE: Final = "\n" + "-" * 40 + "\n\n"  # between the two languages of a bilingual text
WITH_REMEDY = (Outcome.REFUSED, Outcome.PARTLY_FULFILLED, Outcome.NOT_IDENTIFIED)  # GDPR 12(4)
AS_REPLY = {  # letters that are replies of one outcome to all that was asked
    "unfounded": (Outcome.REFUSED, Ground.UNFOUNDED),
    "excessive": (Outcome.REFUSED, Ground.EXCESSIVE),
    "not_controller": (Outcome.REFUSED, Ground.NOT_CONTROLLER),
    "withdrawn": (Outcome.WITHDRAWN, None),
}
LETTERS = (
    "acknowledgement", "identity_question", "authority_question", "clarification", "extension_notice",
    "lifting_notice", "fee_notice", *AS_REPLY,
)  # fmt: skip
_STAFF_LISTS = (
    "warnings", "evidence", "authenticity", "earlier", "files", "checklist", "needs", "drafts", "findings", "overdue",
    "act_now", "due", "extend", "new", "waiting", "suspicious", "done", "understood", "next", "details", "tickets",
    "tasks", "attachments", "news", "offers",
)  # fmt: skip
_STAFF_TEXTS = (
    "act_by_on", "act_by_why", "target_on", "explanation", "provisional", "requester", "message_subject",
    "message_text", "token", "root", "can_extend_until", "silent_since", "notified", "unclear", "reason", "final",
    "approver", "headline", "ready", "since", "cure", "recovered", "days_left",
)  # fmt: skip
_STAFF_BLANKS: Final = {**dict.fromkeys(_STAFF_LISTS, ()), **dict.fromkeys(_STAFF_TEXTS, "")}
_ALWAYS_OPTIONAL = ("registers", "told", "law_id")  # any section takes: register ids, who was told, a keeping law
STAFF = ("notice", "digest", "reminder", "escalation", "command_result", "bounce", "delivered", "alarm")
_PREFIX = re.compile(r"^(?:(?:re|vs|sv|aw|fw|fwd|vl|vb)\s*:\s*)+", re.IGNORECASE)
_SUBJECT_LENGTH = 110  # characters of a requester's own subject that we repeat


class Renderer:
    """All texts that leave the house. `folders`: template folders, earlier ones override later ones."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folder = TemplateFolder(folders)
        self._languages = {code: Language(code, self._folder) for code in LANGUAGES}

    def reply(self, language: str, items: Sequence[ReplyItem], facts: Mapping[str, Any]) -> Text:
        """One greeting, a section for each item, one closing with the authority and, for refusals, the remedies.

        What a section still needs appears as a bracketed blank (see `needs`). Raises MisuseError for an outcome that a
        right can not have, BadInputError for a value that can not be read.
        """
        if not items:
            raise MisuseError("A reply without a request", "Give at least one item.")
        return self._in_languages(language, facts, lambda code: self._reply(code, items, facts))

    def completed(self, language: str, text: str, items: Sequence[ReplyItem], facts: Mapping[str, Any]) -> str:
        """A text that staff wrote themselves, with the closing of a final reply where it does not name the authority.

        Every final reply names the supervisory authority, a refusal also complaint and judicial remedy (GDPR 12(4)).
        """
        shared = {**facts, "remedy": any(item.outcome in WITH_REMEDY for item in items)}

        def one(code: str) -> str:
            named = facts["controller"].authority(code).name in text
            return "" if named else fill(self._render(code, "blocks/closing", shared)[1])

        codes = (language,) if language in LANGUAGES else ("fi", "en")
        closings = [closing for code in codes if (closing := one(code))]
        return "\n".join([text.strip("\n") + "\n", *closings])

    def letter(self, kind: str, language: str, facts: Mapping[str, Any]) -> Text:
        """One of LETTERS. Facts beyond the common ones: the needs and remarks in the header of its template."""
        if kind not in LETTERS:
            raise MisuseError(f"There is no letter {kind!r}", f"Choose one of {', '.join(LETTERS)}.")
        if kind in AS_REPLY:
            return self.reply(language, _reply_items(kind, facts), facts)

        def one(code: str) -> tuple[str, str]:
            name = f"letters/{kind}"
            values = {**facts, **self._values(code, name, facts), "asked": self._asked(code, facts)}
            if ground := facts.get("ground") or _first_ground(self.file(code, name)):
                values["ground_text"] = self.words(code)["grounds"][Ground(ground).value]
            return self._render(code, name, values)

        return self._in_languages(language, facts, one)

    def staff(self, name: str, language: str, facts: Mapping[str, Any]) -> Text:
        """Mail to staff, one of STAFF; the facts it is given stand in the header of its template."""
        if name not in STAFF:
            raise MisuseError(f"There is no staff text {name!r}", f"Choose one of {', '.join(STAFF)}.")
        code = _ours(language)
        known = {**_STAFF_BLANKS, **facts, "write_in": self._write_in(code, facts)}
        subject, body = self._render(code, f"staff/{name}", known)
        return Text(subject=one_line(subject, 150), body=fill(body))

    def register_description(self, controller: Controller, language: str) -> str:
        """The information of GDPR 13 and 14 about every register, as text."""
        facts = {"controller": controller, "registers": controller.registers}
        return fill(self._render(_ours(language), "register_description", facts)[1])

    def outcomes(self, right: Right) -> tuple[Outcome, ...]:
        """How a request of that right can end in a reply."""
        return tuple(outcome for outcome in Outcome if self._section(LANGUAGES[0], right, outcome, None))

    def needs(
        self, kind: str, right: Right | None, outcome: Outcome | None, language: str, ground: Ground | None = None
    ) -> tuple[Need, ...]:
        """What staff must give before the text can be sent; questions in `language` (of staff).

        `kind` is "reply" (with right and outcome) or one of LETTERS. Without `ground`, the choice of one is itself a
        need, and what its first choice needs is listed.
        """
        file = self._file_of(_ours(language), kind, right, outcome, ground)
        chosen = ground or _first_ground(file)
        return tuple(
            entry.need
            for entry in file.header.needs
            if (not entry.grounds or chosen in entry.grounds) and not (ground and entry.need.name == "ground")
        )

    def optional(
        self, kind: str, right: Right | None, outcome: Outcome | None, language: str, ground: Ground | None = None
    ) -> tuple[Need, ...]:
        """What staff may add to the text, beside its needs."""
        file = self._file_of(_ours(language), kind, right, outcome, ground)
        return tuple(entry.need for entry in file.header.optional)

    def checklist(self, controller: Controller, items: Sequence[ReplyItem], language: str) -> tuple[CheckLine, ...]:
        """What staff make true before they approve: by right, register and system, and whom to tell (GDPR 19)."""
        code = _ours(language)
        return checklist(controller, items, self.words(code), code)

    def words(self, language: str) -> Mapping[str, Any]:
        """Names in a language: tables `rights`, `headings`, `outcomes`, `grounds`, `statuses`, each by value."""
        return self._languages[_ours(language)].words

    def names(self, language: str) -> tuple[str, ...]:
        """Every template of a language without the language: "reply/access-fulfilled"."""
        return tuple(name.split("/", 1)[1].removesuffix(".txt") for name in self._folder.names(_ours(language)))

    def file(self, language: str, name: str) -> TemplateFile:
        """A template as it was read; `name` as in `names`."""
        return self._folder.read(f"{_ours(language)}/{name}.txt")

    def check(self) -> None:
        """Every template of every language is read and parsed; raises ConfigurationError with all problems."""
        problems: list[str] = []
        for code, language in self._languages.items():
            for name in self._folder.names(code):
                try:
                    problems.extend(language.problems(self._folder.read(name)))
                except ConfigurationError as error:
                    problems.extend(error.problems)
        if problems:
            raise ConfigurationError(problems)

    def _render(self, code: str, name: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        file = self._folder.read(f"{code}/{name}.txt")
        return self._languages[code].render(file, {**_common(code, facts), "words": self.words(code)})

    def _in_languages(self, language: str, facts: Mapping[str, Any], one: Callable[[str], tuple[str, str]]) -> Text:
        codes = (language,) if language in LANGUAGES else ("fi", "en")  # law 7: another language gets both
        texts = [one(code) for code in codes]
        body = RULE.join(fill(body) for _, body in texts)
        if len(codes) > 1:
            body = f"{self.words('en')['bilingual']}\n\n{body}"
        return Text(subject=_subject(facts, " / ".join(subject for subject, _ in texts)), body=body)

    def _reply(self, code: str, items: Sequence[ReplyItem], facts: Mapping[str, Any]) -> tuple[str, str]:
        several = len(items) > 1
        shared = {**facts, "several": several, "remedy": any(item.outcome in WITH_REMEDY for item in items)}
        subject, opening = self._render(code, "reply", shared)
        parts = [opening]
        for number, item in enumerate(items, 1):
            own_subject, section = self._section_text(code, item, shared)
            if several:
                parts.append(keep(f"{number}. {cap(self.words(code)['headings'][item.right.value])}"))
            elif own_subject:
                subject = own_subject
            parts.append(section)
        parts.append(self._render(code, "blocks/closing", shared)[1])
        return subject, "\n\n".join(parts)

    def _section_text(self, code: str, item: ReplyItem, facts: Mapping[str, Any]) -> tuple[str, str]:
        file = self._section_or_error(code, item.right, item.outcome, item.ground)
        name = file.name.removeprefix(f"{code}/").removesuffix(".txt")
        ground = item.ground or _first_ground(file)
        given = self._values(code, name, item.values)
        values = section_values(facts["controller"], item, ground, given, self.words(code))
        return self._render(code, name, {**facts, **values})

    def _values(self, code: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values that the text knows: dates read, and a visible blank for each that is needed and not given."""
        header = self.file(code, name).header
        blank = self.words(code)["blank"]
        values = {key: given[key] for key in _ALWAYS_OPTIONAL if given.get(key)}
        for entry in (*header.needs, *header.optional):
            value = given.get(entry.need.name)
            if isinstance(value, str):
                value = clean(value).strip()
            if value:
                values[entry.need.name] = parse_day(value) if _is_day(entry.need, value) else value
            elif entry in header.needs and entry.need.kind in (NeedKind.TEXT, NeedKind.DATE):
                values[entry.need.name] = blank.format(question=entry.need.question)
        return values

    def _write_in(self, code: str, facts: Mapping[str, Any]) -> str:
        """In which language staff write what is needed; "" where it is the notice's own."""
        language = str(facts.get("reply_language") or code)
        lines: Mapping[str, str] = self.words(code)["staff"]["write_in"]
        return "" if language == code else lines.get(language, lines["other"])

    def _asked(self, code: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(self.words(code)["rights"][item.right.value] for item in facts.get("items", ()))

    def _file_of(
        self, code: str, kind: str, right: Right | None, outcome: Outcome | None, ground: Ground | None
    ) -> TemplateFile:
        if kind in AS_REPLY:
            outcome, ground = AS_REPLY[kind]
            return self._section_or_error(code, right or Right.ACCESS, outcome, ground)
        if kind != "reply":
            return self.file(code, f"letters/{kind}")
        if not right or not outcome:
            raise MisuseError("A reply needs a right and an outcome", "Name both.")
        return self._section_or_error(code, right, outcome, ground)

    def _section(self, code: str, right: Right, outcome: Outcome, ground: Ground | None) -> TemplateFile | None:
        special = (f"any-{outcome}-{ground}",) if ground and outcome is Outcome.REFUSED else ()
        for name in (*special, f"{right}-{outcome}", f"any-{outcome}"):
            if self._folder.find(f"{code}/reply/{name}.txt"):
                file = self.file(code, f"reply/{name}")
                if not file.header.rights or right.value in file.header.rights:
                    return file
        return None

    def _section_or_error(self, code: str, right: Right, outcome: Outcome, ground: Ground | None) -> TemplateFile:
        file = self._section(code, right, outcome, ground)
        if file is None:
            raise MisuseError(f"{right} can not end as {outcome}", f"Choose {', '.join(self.outcomes(right))}.")
        return file


def _ours(language: str) -> str:
    return language if language in LANGUAGES else "en"


def _is_day(need: Need, value: Any) -> bool:
    return need.kind is NeedKind.DATE and isinstance(value, str)


def _reply_items(kind: str, facts: Mapping[str, Any]) -> tuple[ReplyItem, ...]:
    """All that was asked, ended as the letter says; the facts are the values."""
    outcome, ground = AS_REPLY[kind]
    values = {key: value for key, value in facts.items() if isinstance(value, str)}
    asked = facts.get("items") or (ReplyItem(right=Right.ACCESS),)
    return tuple(ReplyItem(right=item.right, outcome=outcome, ground=ground, values=values) for item in asked)


def _first_ground(file: TemplateFile) -> Ground | None:
    choices = next((entry.need.choices for entry in file.header.needs if entry.need.name == "ground"), ())
    return Ground(choices[0]) if choices else None


def _common(code: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with those that follow from them, in one language."""
    channel = str(facts.get("channel") or "email")
    known: dict[str, Any] = {
        "reference": "",
        "explanation_short": "",
        "channel": channel,
        "why_asked": channel,
        **facts,
    }
    known.setdefault("by_mail", channel == "email")
    if controller := facts.get("controller"):
        known["org"] = controller.organisation
        known["authority"] = controller.authority(code)
        known["contact"] = facts.get("contact") or controller.organisation.email
    name = one_line(str(facts.get("requester_name") or ""), 80)
    known["name"] = "" if "@" in name else name  # an address is no name to greet by
    for key, value in known.items():
        if isinstance(value, Mapping) and set(LANGUAGES) <= value.keys():
            known[key] = value[code]  # explanations come in all languages
    return known


def _subject(facts: Mapping[str, Any], own: str) -> str:
    """Their subject with our reference, so that the answer stands in their thread; ours where they gave none."""
    theirs = _PREFIX.sub("", one_line(str(facts.get("original_subject") or ""), _SUBJECT_LENGTH)).replace("=?", "")
    reference = str(facts.get("reference") or "")
    subject = f"Re: {theirs}" if theirs.strip() else one_line(own, 150)
    return f"{subject} ({reference})" if reference and reference not in subject else subject
