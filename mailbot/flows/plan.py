"""What a version of a draft will be: outcomes, facts, what it needs, and what to do before approving it.

Facts that staff gave for an earlier version go on in the next unless the outcome they belong to has changed. A fact is
known by its name, or by "right.name" where several rights ask for the same. Nothing is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailbot.core.draft import DraftKind, Need, NeedKind
from mailbot.core.letter import CheckLine, ReplyItem
from mailbot.core.rights import Ground, Outcome, Right
from mailbot.errors import BadInputError, Reason
from mailbot.flows.office import Office
from mailbot.store.drafts import Draft, File
from mailbot.store.tickets import Ticket


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants a new version to be. What is not said goes on as it was."""

    kind: DraftKind = DraftKind.REPLY
    outcomes: Mapping[Right, Outcome] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    text: str | None = None  # replaces the words
    fresh: bool = False  # True: nothing of the earlier version goes on


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Outcomes, facts, needs and checklist of the version to be made."""

    outcomes: dict[Right, Outcome]
    values: dict[str, str]
    items: tuple[ReplyItem, ...]
    needs: tuple[Need, ...]
    checklist: tuple[CheckLine, ...]


def plan_of(office: Office, ticket: Ticket, wish: Wish, before: Draft | None) -> Plan:
    language = office.controller.language  # questions and checklist are for staff
    if wish.kind is not DraftKind.REPLY:
        values = {**(before.values if before else {}), **wish.values}
        needs = office.texts.needs(wish.kind.value, None, None, language)
        _known(
            wish.values,
            needs,
            extra={need.name for need in office.texts.optional(wish.kind.value, None, None, language)},
        )
        return Plan(outcomes={}, values=values, items=(), needs=needs, checklist=())
    outcomes = _outcomes(office, ticket, wish, before)
    if not outcomes:
        raise BadInputError(
            Reason(f"{ticket.reference} has no rights yet", "no_rights"),
            f"Say which: mailbot ticket reclassify {ticket.reference} --right …",
        )
    kept = before.values if before and before.outcomes == outcomes else _still_fitting(before, outcomes)
    values = {**kept, **wish.values}
    several = _clashing(office, outcomes, language)
    items = items_of(outcomes, values)
    needs = tuple(need for item in items for need in _needs(office, item, several, language))
    _known(wish.values, needs, extra=_optional_names(office, items, language))
    return Plan(
        outcomes=outcomes,
        values=values,
        items=items,
        needs=needs,
        checklist=office.texts.checklist(office.controller, items, language),
    )


def _outcomes(office: Office, ticket: Ticket, wish: Wish, before: Draft | None) -> dict[Right, Outcome]:
    earlier = before.outcomes if before else {}
    found: dict[Right, Outcome] = {}
    for request in ticket.requests:
        if request.status != "open" and request.outcome is not None and request.right not in wish.outcomes:
            continue  # answered before, in part
        proposed = wish.outcomes.get(request.right) or earlier.get(request.right) or Outcome.FULFILLED
        possible = office.texts.outcomes(request.right)
        if proposed not in possible:
            what = Reason(f"{request.right} can not end as {proposed}", "no_such_outcome")
            raise BadInputError(what, f"Choose one of {', '.join(possible)}.")
        found[request.right] = proposed
    strange = set(wish.outcomes) - set(ticket.rights)
    if strange:
        raise BadInputError(
            f"{ticket.reference} holds no request for {', '.join(sorted(strange))}", "Reclassify the ticket first."
        )
    return found


def _still_fitting(before: Draft | None, outcomes: Mapping[Right, Outcome]) -> dict[str, str]:
    """Facts of rights whose outcome is as it was; plain names stay only where no outcome changed."""
    if before is None:
        return {}
    same = {right.value for right, outcome in outcomes.items() if before.outcomes.get(right) is outcome}
    return {name: value for name, value in before.values.items() if "." in name and name.split(".")[0] in same}


def _clashing(office: Office, outcomes: Mapping[Right, Outcome], language: str) -> frozenset[str]:
    """Names of needs that more than one of the rights has: those are written "right.name"."""
    seen: list[str] = []
    for right, outcome in outcomes.items():
        seen += {need.name for need in office.texts.needs("reply", right, outcome, language)}
    return frozenset(name for name in seen if seen.count(name) > 1)


def items_of(outcomes: Mapping[Right, Outcome], values: Mapping[str, str]) -> tuple[ReplyItem, ...]:
    return tuple(_item(right, outcome, values) for right, outcome in outcomes.items())


def _item(right: Right, outcome: Outcome, values: Mapping[str, str]) -> ReplyItem:
    own = {name: value for name, value in values.items() if "." not in name}
    prefix = f"{right.value}."
    own |= {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    ground = own.pop("ground", "")
    try:
        named = Ground(ground) if ground else None
    except ValueError as error:
        known = ", ".join(Ground)
        what = Reason(f"{ground!r} is no ground", "no_such_choice", name=ground, known=known)
        raise BadInputError(what, f"Choose one of {known}.") from error
    return ReplyItem(right=right, outcome=outcome, ground=named, values=own)


def _needs(office: Office, item: ReplyItem, several: frozenset[str], language: str) -> tuple[Need, ...]:
    found = office.texts.needs("reply", item.right, item.outcome, language, item.ground)
    return tuple(
        Need(
            name=f"{item.right.value}.{need.name}" if need.name in several else need.name,
            kind=NeedKind(need.kind),
            question=need.question,
            choices=tuple(need.choices),
        )
        for need in found
    )


def _optional_names(office: Office, items: Sequence[ReplyItem], language: str) -> set[str]:
    """Facts that can be given though nothing waits for them, plainly or as "right.name"."""
    found: set[str] = set()
    for item in items:
        names = {"ground", "registers", "told", "law_id"}
        names |= {n.name for n in office.texts.optional("reply", item.right, item.outcome, language, item.ground)}
        names |= {need.name for need in office.texts.needs("reply", item.right, item.outcome, language, item.ground)}
        found |= names | {f"{item.right.value}.{name}" for name in names}
    return found


def by_any_name(values: Mapping[str, str]) -> dict[str, str]:
    """Facts also by their plain name, where they were given as "right.name" and one right alone asks for them."""
    return {**{name.rpartition(".")[2]: value for name, value in values.items()}, **values}


def _known(given: Mapping[str, str], needs: Sequence[Need], *, extra: set[str]) -> None:
    known = {need.name for need in needs if need.kind is not NeedKind.ATTACHMENT} | extra
    for name, value in given.items():
        if name not in known:
            wanted = ", ".join(sorted(need.name for need in needs if need.kind is not NeedKind.ATTACHMENT))
            what = Reason(
                f"this draft asks for no fact called {name!r}", "no_such_fact", name=name, known=wanted or "–"
            )
            raise BadInputError(what, f"It asks for: {wanted or 'none'}.")
        need = next((need for need in needs if need.name in (name, name.rpartition(".")[2])), None)
        if need and need.kind is NeedKind.CHOICE and need.choices and value not in need.choices:
            offered = ", ".join(need.choices)
            what = Reason(f"{value!r} is no choice for {name}", "no_such_choice", name=value, known=offered)
            raise BadInputError(what, f"Choose one of {offered}.")


def checklist_in(office: Office, draft: Draft, language: str) -> tuple[CheckLine, ...]:
    """The checklist of a reply draft in another language of staff."""
    return office.texts.checklist(office.controller, items_of(draft.outcomes, draft.values), language)


def needs_in(office: Office, draft: Draft, language: str) -> tuple[Need, ...]:
    """What a draft still needs, asked in another language of staff."""
    if draft.kind is DraftKind.REPLY:
        several = _clashing(office, draft.outcomes, language)
        items = items_of(draft.outcomes, draft.values)
        asked = tuple(need for item in items for need in _needs(office, item, several, language))
    else:
        asked = office.texts.needs(draft.kind.value, None, None, language)
    missing = {need.name for need in draft.needs}
    return tuple(need for need in asked if need.name in missing)
