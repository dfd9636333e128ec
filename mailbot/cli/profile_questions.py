"""`mailbot init --profile`: a controller's own profile, guided by questions.

What is left empty becomes a `[[gaps]]` entry with the article that asks for it, so that `check` reports it; nothing is
invented. Words that a reader sees are asked for in Finnish, Swedish and English; an empty answer takes the words of
the first.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import click

from mailbot.errors import BadInputError, ServiceUnavailableError
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.resources import shipped

Ask = Callable[[str, str], str]  # question and default to the answer
LANGUAGES = {"fi": "in Finnish", "sv": "in Swedish", "en": "in English"}
UNKNOWN = {
    "fi": "ei ole kerrottu tietosuojaselosteessamme",
    "sv": "nämns inte i vår dataskyddsbeskrivning",
    "en": "not stated in our privacy notice",
}
# what a register's description has to tell (GDPR 13-14): key, question, article
REGISTER = (
    ("groups", "Whose data are in it?", "GDPR 30(1)(c)"),
    ("categories", "Which data?", "GDPR 14(1)(d)"),
    ("sources", "Where do they come from?", "GDPR 14(2)(f)"),
    ("recipients_note", "Who receives them? (contractors, authorities; or: nobody)", "GDPR 13(1)(e)"),
    ("transfers", "Are they transferred outside the EU and EEA, and under which safeguards?", "GDPR 13(1)(f)"),
    ("protection", "How are they protected?", ""),
)
OPTIONAL = ("transfers", "protection")


@dataclass(kw_only=True)
class _Sheet:
    """The profile as it grows."""

    lines: list[str] = field(default_factory=list)
    gaps: list[tuple[str, str, str]] = field(default_factory=list)  # article, what is missing, register

    def words(self, key: str, said: dict[str, str]) -> None:
        """One wording in three languages."""
        self.lines += [f"{key}.{code} = {_quoted(said[code])}" for code in LANGUAGES]


def ask_person(question: str, default: str) -> str:
    """A question at the terminal; Enter takes the default."""
    return str(click.prompt(question, default=default, show_default=bool(default))).strip()


def write_profile(path: Path, ask: Ask, today: date) -> tuple[str, ...]:
    """Asks, writes the file, loads it, and says what is missing in it.

    Raises BadInputError when the file is there already, ConfigurationError when an answer can not be used.
    """
    if path.exists():
        raise BadInputError(f"{path} is there already", "Name another file; nothing was changed.")
    text = "\n".join(_profile(ask, today)) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ServiceUnavailableError(f"{path} can not be written ({error.strerror})", "Name another file.") from error
    try:
        controller = load_profile(str(path), shipped("rules"))
    except Exception:
        path.rename(path.with_suffix(".draft.toml"))  # the answers are not lost
        raise
    return tuple(f"{gap.article}: {gap.missing}" for gap in controller.gaps)


def _profile(ask: Ask, today: date) -> Iterator[str]:
    sheet = _Sheet()
    name = ask("Name of the organisation", "")
    prefix = re.sub(r"[^A-Z0-9]", "", name.upper().split(" ")[0])[:12] or "CASE"
    yield f"# {name}: written with `mailbot init --profile`. What is missing stands under [[gaps]]."
    yield f"version = {today.isoformat()}"
    yield f"notice_on = {ask('Date of your privacy notice (2026-11-22)', today.isoformat())}"
    yield f"reference_prefix = {_quoted(ask('Prefix of references, as in JALO-2026-0014', prefix))}"
    yield f"country = {_quoted(ask('Country, two letters', 'FI'))}"
    yield f"timezone = {_quoted(ask('Time zone', 'Europe/Helsinki'))}"
    yield f"language = {_quoted(ask('Language used when a writer’s can not be told (fi, sv, en)', 'fi'))}"
    yield '\n[notice_name]\nfi = "tietosuojaseloste"\nsv = "dataskyddsbeskrivning"\nen = "privacy notice"'
    yield f"\n[organisation]\nname = {_quoted(name)}"
    for key, question in (
        ("business_id", "Business id (y-tunnus)"),
        ("street", "Street address"),
        ("postal_code", "Postal code"),
        ("city", "City"),
        ("email", "A role address for data protection (not a person’s)"),
        ("website", "Website"),
    ):
        answer = ask(question, "")
        if answer:
            yield f"{key} = {_quoted(answer)}"
        elif key == "email":
            sheet.gaps.append(("GDPR 13(1)(a)", "a contact address that is nobody's own; add organisation.email", ""))
    for number in range(1, 50):
        yield from _register(ask, sheet, number)
        if ask("Another register? (y/n)", "n").lower()[:1] != "y":
            break
    sheet.gaps.append(("GDPR 13(2)(f)", "whether there are automated decisions; add automated_decisions if so", ""))
    for article, missing, register in sheet.gaps:
        yield f"\n[[gaps]]\narticle = {_quoted(article)}\nmissing = {_quoted(missing)}"
        if register:
            yield f"register = {_quoted(register)}"


def _register(ask: Ask, sheet: _Sheet, number: int) -> Iterator[str]:
    sheet.lines.clear()
    title = _wording(ask, f"Register {number}: its name (customer register, web shop …)")
    said = title or {"fi": f"rekisteri {number}", "sv": f"register {number}", "en": f"register {number}"}
    own = re.sub(r"[^a-z0-9]+", "-", said["en"].lower()).strip("-")[:30] or f"register-{number}"
    sheet.lines += ["", "[[registers]]", f"id = {_quoted(own)}"]
    sheet.words("name", said)
    if ask("Is direct marketing sent from it? (y/n)", "n").lower()[:1] == "y":
        sheet.lines.append("marketing = true")
    for key, question, article in REGISTER:
        answer = _wording(ask, question)
        if answer or key not in OPTIONAL:
            sheet.words(key, answer or UNKNOWN)
        if not answer and article:
            sheet.gaps.append((article, f"{key} of the register; write it into {own}", own))
    _purposes(ask, sheet, own)
    retention = _wording(ask, "How long are the data kept, or by which rule is that decided?")
    sheet.lines += ["", "[[registers.retention]]"]
    sheet.words("rule", retention or UNKNOWN)
    if not retention:
        sheet.gaps.append(("GDPR 13(2)(a)", f"how long data of {own} are kept", own))
    system = _wording(ask, "In which system do the data lie? (staff look there)") or said
    sheet.lines += ["", "[[registers.systems]]", f"id = {_quoted(own)}"]
    sheet.words("name", system)
    yield from sheet.lines


def _purposes(ask: Ask, sheet: _Sheet, own: str) -> None:
    text = _wording(ask, "What are the data used for?")
    sheet.lines += ["", "[[registers.purposes]]"]
    sheet.words("text", text or UNKNOWN)
    if not text:
        sheet.gaps.append(("GDPR 13(1)(c)", f"the purpose of {own}", own))
    basis = _wording(ask, "On which legal basis? (contract, consent, legitimate interest in …)")
    if basis:
        sheet.words("basis", basis)
    else:
        sheet.gaps.append(("GDPR 13(1)(c)", f"the legal basis of {own}", own))


def _wording(ask: Ask, question: str) -> dict[str, str]:
    """The answer in three languages; {} when the first is empty."""
    first = ask(f"{question} ({LANGUAGES['fi']})", "")
    if not first:
        return {}
    said = {"fi": first}
    for code in ("sv", "en"):
        said[code] = ask(f"   {LANGUAGES[code]}", first)
    return said


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML basic string
