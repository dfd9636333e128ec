"""The facts of one section of a reply, worked out from what staff gave, the profile and the law; and its checklist.

Here a date of keeping is computed and a line of the checklist chosen; the words come from the language's `words.toml`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from mailbot.core.controller import Controller, KeepingLaw, Register, kept_until
from mailbot.core.letter import CheckLine, Kept, ReplyItem, kept_things
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.errors import BadInputError

TOLD = (Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION)  # GDPR 19
DONE = (Outcome.FULFILLED, Outcome.PARTLY_FULFILLED)
SEARCHED = (*DONE, Outcome.NO_DATA)  # somebody looked into the systems


def section_values(
    controller: Controller, item: ReplyItem, ground: Ground | None, given: Mapping[str, Any], words: Mapping[str, Any]
) -> dict[str, Any]:
    """What the template of a section may use: the values given, with those that follow from them.

    Raises BadInputError for a register that the profile does not have.
    """
    values = dict(given)
    values["right"] = item.right.value
    values["request"] = words["rights"][item.right.value]
    values["ground"] = ground.value if ground else ""
    values["ground_text"] = ground_text(item.right, ground, words) if ground else ""
    values["registers"] = chosen_registers(controller, item.values.get("registers", ""))
    values["kept"] = _kept(controller, ground, values, words) if values.get("kept") else ()
    return values


def ground_text(right: Right, ground: Ground, words: Mapping[str, Any]) -> str:
    """The ground as it is named to a reader; some rest on another article for one right."""
    own = words["grounds_for"].get(right.value, {})
    return str(own.get(ground.value) or words["grounds"][ground.value])


def chosen_registers(controller: Controller, ids: str) -> tuple[Register, ...]:
    """The registers of those ids (separated by commas or spaces), or the usual ones."""
    wanted = re.split(r"[,\s]+", ids.strip()) if ids.strip() else []
    found = tuple(register for id in wanted if (register := controller.register(id)))
    if len(found) < len(wanted):
        known = ", ".join(register.id for register in controller.registers)
        raise BadInputError(f"The profile has no register {ids!r}", f"Choose from {known}.")
    return found or controller.usual_registers()


def _kept(
    controller: Controller, ground: Ground | None, values: Mapping[str, Any], words: Mapping[str, Any]
) -> tuple[Kept, ...]:
    """Each thing kept: what, which law, until when (law 10)."""
    law = _keeping_law(controller, values)
    if ground is Ground.LEGAL_OBLIGATION and law:
        end = values["year_end"]
        until = kept_until(end, law.years, law.counted_from) if isinstance(end, date) else end
        return kept_things(values["kept"], law.law.of(words["code"]), until)  # kirjanpitolaki 2:10
    return kept_things(values["kept"], "", values["until"])


def _keeping_law(controller: Controller, values: Mapping[str, Any]) -> KeepingLaw | None:
    """The law staff named by `law_id`, else the country's first (the vouchers' six years)."""
    return controller.law(values["law_id"]) if values.get("law_id") else next(iter(controller.laws), None)


def checklist(
    controller: Controller, items: Sequence[ReplyItem], words: Mapping[str, Any], language: str
) -> tuple[CheckLine, ...]:
    """What staff make true, or make sure of, before they approve a reply with these items; no line twice."""
    lines = (line for item in items for line in _lines(controller, item, words, language))
    return tuple({line.key: line for line in lines}.values())


def _lines(controller: Controller, item: ReplyItem, words: Mapping[str, Any], language: str) -> Iterator[CheckLine]:
    right = item.right.value
    for number, text in enumerate(words["checklist"].get(f"{right}_first", ()), 1):
        yield CheckLine(key=f"{right}/first-{number}", text=text)
    registers = chosen_registers(controller, item.values.get("registers", ""))
    if item.outcome in SEARCHED and item.right is not Right.REGISTER_DESCRIPTION:
        for register in registers:
            phrase = words["checklist"][_phrase(register, item)]
            yield from _register_lines(register, item, phrase, language)
    if item.outcome in DONE and item.right in TOLD:
        yield from _recipient_lines(registers, words["checklist"]["article_19"], language)
    for last in (item.outcome.value, item.ground.value if item.ground else ""):
        for number, text in enumerate(words["checklist"].get(f"{last}_last", ()), 1):
            yield CheckLine(key=f"{last}/last-{number}", text=text)
    if item.right is Right.ACCESS and item.outcome in DONE and controller.automated_decisions is None:
        yield CheckLine(key="access/automated", text=words["checklist"]["automated"])


def _phrase(register: Register, item: ReplyItem) -> str:
    if item.outcome is Outcome.NO_DATA:
        return "no_data"
    bound = any(retention.law for retention in register.retention)
    return "erasure_kept" if bound and item.right is Right.ERASURE else item.right.value


def _register_lines(register: Register, item: ReplyItem, phrase: str, language: str) -> Iterator[CheckLine]:
    for system in register.systems:
        text = phrase.format(system=system.name.of(language))
        yield CheckLine(key=f"{item.right.value}/{register.id}/{system.id}", text=text)
    if item.outcome in DONE:
        for number, wording in enumerate(register.checklist.get(item.right, ()), 1):
            yield CheckLine(key=f"{item.right.value}/{register.id}/{number}", text=wording.of(language))


def _recipient_lines(registers: Sequence[Register], phrase: str, language: str) -> Iterator[CheckLine]:
    """GDPR 19: each recipient is told, unless impossible or disproportionate."""
    for register in registers:
        for recipient in register.recipients:
            if recipient.inform:
                name = recipient.name.of(language)
                yield CheckLine(key=f"article19/{recipient.id}", text=phrase.format(name=name), article_19=True)
