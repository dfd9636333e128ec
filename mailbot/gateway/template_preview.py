"""Every text that can go out, filled with sample facts: for proof-reading, for `check`, and for the golden files.

The samples are invented people at example domains. Nothing here is sent.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from mailbot.core.controller import LANGUAGES, Controller
from mailbot.core.draft import Need, NeedKind
from mailbot.core.letter import ReplyItem, Text
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.gateway.templates import AS_REPLY, LETTERS, STAFF, Renderer

OTHER = "de"  # stands for every language that is not ours
_GROUNDS = (Ground.UNFOUNDED, Ground.EXCESSIVE, Ground.NOT_CONTROLLER, Ground.NO_AUTHORITY)  # texts of their own


def preview(renderer: Renderer, controller: Controller) -> list[dict[str, str | None]]:
    """Every text, each as template, language, audience, right, outcome, subject, text.

    The bilingual Finnish and English texts count as "en" and end in "+fi" in their template's name.
    """
    return [*_to_data_subjects(renderer, controller), *_to_staff(renderer, controller)]


def sample_facts(renderer: Renderer, controller: Controller, language: str) -> dict[str, Any]:
    """The facts that flows give to every text for a data subject."""
    samples = renderer.words(language if language in LANGUAGES else "en")["samples"]
    return {
        "controller": controller,
        "reference": f"{controller.reference_prefix}-2026-0014",
        "requester_name": samples["name"],
        "today": date(2026, 11, 9),
        "received_on": date(2026, 11, 3),
        "due_on": date(2026, 12, 3),
        "new_due_on": date(2027, 2, 3),
        "explanation_short": {code: renderer.words(code)["samples"]["explanation"] for code in LANGUAGES},
        "original_subject": "",
        "contact": controller.organisation.email or "privacy@example.com",
    }


def sample_values(renderer: Renderer, needs: tuple[Need, ...], language: str) -> dict[str, str]:
    """A plausible value for each need that is written in the text."""
    samples = renderer.words(language if language in LANGUAGES else "en")["samples"]
    days = {"year_end": "2026-12-31", "until": "2027-06-30", "lifts_on": "2026-11-30"}
    written = (need.name for need in needs if need.kind in (NeedKind.TEXT, NeedKind.DATE))
    return {name: days.get(name) or samples[name] for name in written}


def sample_item(
    renderer: Renderer, right: Right, outcome: Outcome, language: str, ground: Ground | None = None
) -> ReplyItem:
    """One request answered, with all its needs met."""
    needs = renderer.needs("reply", right, outcome, language, ground)
    choices = next((need.choices for need in needs if need.name == "ground"), ())
    chosen = ground or (Ground(choices[0]) if choices else None)
    return ReplyItem(right=right, outcome=outcome, ground=chosen, values=sample_values(renderer, needs, language))


def every_item(renderer: Renderer, language: str) -> Iterator[ReplyItem]:
    """Every right, every outcome it can have, on every ground."""
    for right in Right:
        for outcome in renderer.outcomes(right):
            needs = renderer.needs("reply", right, outcome, language)
            offered = tuple(Ground(choice) for need in needs if need.name == "ground" for choice in need.choices)
            special = _GROUNDS if outcome is Outcome.REFUSED else ()
            for ground in (*offered, *special) or (None,):
                yield sample_item(renderer, right, outcome, language, ground)


def _to_data_subjects(renderer: Renderer, controller: Controller) -> Iterator[dict[str, str | None]]:
    for language in (*LANGUAGES, OTHER):
        facts = sample_facts(renderer, controller, language)
        mark = "" if language in LANGUAGES else "+fi"
        for item in every_item(renderer, language):
            ground = f"/{item.ground}" if item.ground else ""
            name = f"reply/{item.right}-{item.outcome}{ground}{mark}"
            text = renderer.reply(language, [item], facts)
            yield _entry(name, language, "data_subject", text, item.right.value, item.outcome.value)
        text = renderer.reply(language, _several(renderer, language), facts)
        yield _entry(f"reply/several{mark}", language, "data_subject", text)
        for kind in LETTERS:
            values = sample_values(renderer, renderer.needs(kind, None, None, language), language)
            asked = (ReplyItem(right=Right.ERASURE), ReplyItem(right=Right.OBJECTION))
            text = renderer.letter(kind, language, {**facts, "items": asked[: 1 if kind in AS_REPLY else 2], **values})
            yield _entry(f"letters/{kind}{mark}", language, "data_subject", text)
    for language in LANGUAGES:
        subject = controller.notice_name.of(language)
        text = Text(subject=subject, body=renderer.register_description(controller, language))
        yield _entry("register_description", language, "data_subject", text, Right.REGISTER_DESCRIPTION.value)


def _several(renderer: Renderer, language: str) -> tuple[ReplyItem, ...]:
    """Access before erasure (law 13)."""
    return (
        sample_item(renderer, Right.RECTIFICATION, Outcome.FULFILLED, language),
        sample_item(renderer, Right.ACCESS, Outcome.FULFILLED, language),
        sample_item(renderer, Right.ERASURE, Outcome.PARTLY_FULFILLED, language),
    )


def _to_staff(renderer: Renderer, controller: Controller) -> Iterator[dict[str, str | None]]:
    for language in LANGUAGES:
        facts = {**sample_facts(renderer, controller, language), **_staff_facts(renderer, controller, language)}
        for name in STAFF:
            yield _entry(f"staff/{name}", language, "staff", renderer.staff(name, language, facts))
        for name, more in _notices(renderer, language).items():
            yield _entry(
                f"staff/notice/{name}", language, "staff", renderer.staff("notice", language, {**facts, **more})
            )
        late = {**facts, "overdue": True, "days_left": -2}
        yield _entry("staff/reminder/overdue", language, "staff", renderer.staff("reminder", language, late))
        well = {**facts, "recovered": True, "details": (), "tickets": ()}
        yield _entry("staff/alarm/recovered", language, "staff", renderer.staff("alarm", language, well))


def _notices(renderer: Renderer, language: str) -> dict[str, dict[str, Any]]:
    """The notice in its other shapes: what differs from the first one."""
    words = renderer.words(language)["staff"]
    open_draft = {"ready": False, "offers": ("no_data", "ask_identity", "not_a_request")}
    taken_back = {"headline": words["headlines"]["withdrawal"], "news": (words["news"]["withdrawal"],)}
    return {
        "needs": {**open_draft, "needs": renderer.needs("reply", Right.ACCESS, Outcome.FULFILLED, language)},
        "withdrawal": {**taken_back, "offers": ("withdrawn", "approve")},
        "triage": {
            "one_line": words["triage"], "drafts": (), "checklist": (), "offers": ("reclassify", "not_a_request"),
        },
    }  # fmt: skip


def _staff_facts(renderer: Renderer, controller: Controller, language: str) -> dict[str, Any]:
    samples: Mapping[str, Any] = renderer.words(language)["samples"]["staff"]
    facts = sample_facts(renderer, controller, language)
    item = ReplyItem(right=Right.ERASURE)
    reply = renderer.reply(language, [item], facts)
    draft = SimpleNamespace(
        title=samples["draft_title"], to="aino.esimerkki@example.com", subject=reply.subject, text=reply.body,
        attachments=(), ready=True, changes="",
    )  # fmt: skip
    ticket = SimpleNamespace(
        reference=facts["reference"], one_line=samples["one_line"], due_on=facts["due_on"], line=samples["line"]
    )
    return {
        **{key: value for key, value in samples.items() if key not in ("draft_title", "line")},
        "explanation": samples["explanation"],
        "target_on": date(2026, 11, 17),
        "checklist": renderer.checklist(controller, [item], language),
        "ready": True,
        "offers": ("approve", "no_data", "partly", "ask_identity", "not_a_request"),
        "drafts": (draft,),
        "token": "sample-code-1234",
        "days_left": 3,
        "overdue": (),
        "due": (ticket,),
        "waiting": (ticket,),
        "to": "aino.esimerkki@example.com",
        "subject": reply.subject,
        "text": reply.body,
        "sent_at": datetime(2026, 11, 9, 10, 4),  # noqa: DTZ001 -- a local wall-clock time, as people read it
        "final": True,
        "silent_since": date(2026, 11, 20),
        "root": "3f9a 0c71 5be2 d884",
    }


def _entry(
    template: str, language: str, audience: str, text: Text, right: str | None = None, outcome: str | None = None
) -> dict[str, str | None]:
    return {
        "template": template,
        "language": language if language in LANGUAGES else "en",
        "audience": audience,
        "right": right,
        "outcome": outcome,
        "subject": text.subject,
        "text": text.body,
    }
