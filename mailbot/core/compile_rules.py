"""Rule tables as read from a file to `LanguageRules`: grammar of patterns and phrases, references, checks.

A pattern is literal letters and `*` only, so matching is linear in the word and no rule file can slow the reader down.
What can never fire is an error here, not a silent nothing later. Knows no file: problems carry the text to look for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailbot.core.phrases import Item, Phrase, Rule
from mailbot.core.rule_grammar import (
    GAP,
    GROUP,
    MOST_FORMS,
    REFERENCE,
    choices,
    faults,
    impossible,
    parts_of,
    written_out,
)
from mailbot.core.rulebook import LanguageRules, WordPattern
from mailbot.core.word_forms import fits
from mailbot.core.words import BUILT_IN, fold

Element = str | Sequence[str]

_LEAST_TYPO_STEM = 7  # letters; a slip in a shorter stem makes another word


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong, and a piece of the file by which the line is found."""

    what: str
    near: str


@dataclass(kw_only=True)
class _Compiler:
    language: str
    concepts: Mapping[str, Sequence[str]]
    typos: Sequence[str]
    problems: list[Problem] = field(default_factory=list)
    names: list[str] = field(default_factory=lambda: list(BUILT_IN))
    numbers: dict[str, int] = field(default_factory=lambda: {shape: n for n, shape in enumerate(BUILT_IN)})
    patterns: list[WordPattern] = field(default_factory=list)
    implied: dict[int, set[int]] = field(default_factory=dict)
    phrases: dict[int, list[Phrase]] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)  # made once: thousands are alike
    open: list[str] = field(default_factory=list)  # concepts being compiled, to find circles

    def slot(self, name: str) -> int:
        """The number of a name; a new one when it is not known yet."""
        if name not in self.numbers:
            self.numbers[name] = len(self.names)
            self.names.append(name)
        return self.numbers[name]

    def complain(self, what: str, near: str) -> None:
        self.problems.append(Problem(what=what, near=near))

    # concepts

    def concept(self, name: str, user: str) -> int:
        """The slot of a concept, compiled when it is first asked for."""
        shape = f"<{name}>"
        if shape in self.numbers:
            return self.numbers[shape]
        if name in self.open:
            self.complain(f"concept {name} refers to itself", user)
            return 0
        if name not in self.concepts:
            self.complain(f"concept {name} is not defined", user)
            return 0
        self.open.append(name)
        inner = self._alternatives(shape, self.concepts[name])
        self.open.remove(name)
        return inner

    def _alternatives(self, name: str, sources: Sequence[str]) -> int:
        """A slot that any of the sources makes: words, phrases or other concepts; "!" marks an exception."""
        compiled: list[tuple[str, int | Phrase | None]] = []
        for source in sources:
            text = source.removeprefix("!")
            if reference := REFERENCE.fullmatch(text):
                compiled.append((source, self.concept(reference[1], source)))
            elif " " in text or ".." in text or "|" in GROUP.sub("", text) or "^" in text or "$" in text:
                compiled.append((source, self.phrase(text)))
            else:
                compiled.append((source, None))
        slot, before = self.slot(name), len(self.patterns)
        for source, inner in compiled:
            if source.startswith("!") and inner is not None:
                self.complain(f"an exception must be one word: {source}", source)
            elif isinstance(inner, Phrase):
                self.phrases.setdefault(slot, []).append(inner)
            elif isinstance(inner, int):
                self._imply(inner, slot)
            else:
                self._word(source, slot)
        self._check_exceptions(self.patterns[before:], sources)
        return slot

    def _imply(self, inner: int, outer: int) -> None:
        for slot in {inner} | {number for number, implied in self.implied.items() if inner in implied}:
            self.implied.setdefault(slot, set()).add(outer)
        if inner in self.phrases:
            reference = Item(slots=frozenset({inner}))
            self.phrases.setdefault(outer, []).append(Phrase(items=(reference,), alias=inner))

    # words

    def _word(self, source: str, slot: int) -> None:
        text = source.removeprefix("!")
        forms = written_out(text)
        if not forms or len(forms) > MOST_FORMS:
            self.complain(f"pattern {text!r} has no or more than {MOST_FORMS} forms", source)
            return
        for form in forms:
            if why := impossible(form):
                self.complain(f"pattern {text!r} can never fire or is too costly: {why}", source)
                return
            self.patterns.append(WordPattern(slot=slot, parts=parts_of(form), exception=source.startswith("!")))

    def _check_exceptions(self, own: Sequence[WordPattern], sources: Sequence[str]) -> None:
        """Every pattern must be able to fire beside the exceptions."""
        denied = [pattern.parts for pattern in own if pattern.exception]
        for pattern in own if denied else ():
            samples = ["".join(pattern.parts), "x".join(pattern.parts)]
            if not pattern.exception and any(all(fits(other, sample) for sample in samples) for other in denied):
                text = "*".join(pattern.parts)
                self.complain(f"pattern {text!r} can never fire: an exception covers it", sources[0])

    # phrases

    def phrase(self, source: str) -> Phrase:
        """Items divided by spaces."""
        items = tuple(self._item(text, source) for text in source.split())
        if items and (items[-1].gap or items[0].gap or not any(item.slots and not item.optional for item in items)):
            self.complain(f"phrase {source!r} needs a word at its beginning and its end", source)
        return Phrase(items=items)

    def _item(self, text: str, source: str) -> Item:
        known = self.items.get(text)
        if known is None:
            known = self.items[text] = self._new_item(text, source)
        return known

    def _new_item(self, text: str, source: str) -> Item:
        if text in {"^", "$"}:
            return Item(edge=text)
        if gap := GAP.fullmatch(text):
            return Item(gap=int(gap[1] or 3))
        slots = frozenset(self._item_slot(part, source) for part in choices(text.removesuffix("?")))
        return Item(slots=slots, optional=text.endswith("?"))

    def _item_slot(self, text: str, source: str) -> int:
        if reference := REFERENCE.fullmatch(text):
            return self.concept(reference[1], source)
        if text in self.numbers:
            return self.numbers[text]
        slot = self.slot(text)
        self._word(text, slot)
        return slot

    # rules

    def element(self, element: Element) -> int:
        """The slot of one element of a rule."""
        sources = [element] if isinstance(element, str) else list(element)
        if len(sources) == 1 and (reference := REFERENCE.fullmatch(sources[0])):
            return self.concept(reference[1], sources[0])
        name = " / ".join(sources)
        return self.numbers[name] if name in self.numbers else self._alternatives(name, sources)

    def rule(self, table: Mapping[str, Any], kind: str) -> Rule | None:
        """One rule, counter or flag; None when it is wrong."""
        name = str(table.get("name", ""))
        marker = f'name = "{name}"' if name else f"[[{kind}]]"
        for why in faults(table, kind):
            self.complain(f"{kind} {name or '(without a name)'}: {why}", marker)
            return None
        when = tuple(self.element(element) for element in table["when"])
        unless = tuple(self.element(element) for element in table.get("unless", ()))
        without = tuple(self.element(element) for element in table.get("without", ()))
        if set(when) & set(unless + without):
            self.complain(f"{kind} {name} can never fire: it forbids what it needs", marker)
        return Rule(
            name=f"{self.language}.{name}",
            right=str(table.get("right", "")),
            weight=float(table.get("weight", 0.0)),
            when=when,
            near=int(table.get("near", 8)),
            across=int(table.get("across", 0)),
            ordered=bool(table.get("ordered", False)),
            where=str(table.get("where", "any")),
            with_=tuple(self.element(element) for element in table.get("with", ())),
            unless=unless,
            without=without,
            negatable=table.get("negation", "stops" if kind == "rule" else "ignored") == "stops",
            flag=str(table.get("flag", "")),
            factor=float(table.get("factor", 1.0)),
            rights=tuple(table.get("rights", ())),
            scope=str(table.get("scope", "mail")),
            yes=tuple(table.get("yes", ())),
            no=tuple(table.get("no", ())),
        )


def compile_language(
    language: str,
    *,
    concepts: Mapping[str, Sequence[str]],
    rules: Sequence[Mapping[str, Any]],
    counters: Sequence[Mapping[str, Any]],
    flags: Sequence[Mapping[str, Any]],
    negation: Mapping[str, Any],
    abbreviations: Sequence[str] = (),
    typos: Sequence[str] = (),
) -> tuple[LanguageRules, list[Problem]]:
    """The rules of one language, and everything that is wrong with them."""
    compiler = _Compiler(language=language, concepts=concepts, typos=typos)
    for name in concepts:
        compiler.concept(name, name)
    compiled = {
        kind: [rule for table in tables if (rule := compiler.rule(table, kind))]
        for kind, tables in (("rule", rules), ("counter", counters), ("flag", flags))
    }
    before, after, barriers = (_optional(compiler, negation.get(key, ())) for key in ("before", "after", "barriers"))
    _check_names([*compiled["rule"], *compiled["counter"], *compiled["flag"]], compiler)
    result = LanguageRules(
        language=language,
        patterns=tuple(compiler.patterns),
        implied={slot: tuple(sorted(outer)) for slot, outer in compiler.implied.items()},
        typos=_typo_stems(compiler),
        rules=tuple(compiled["rule"]),
        counters=tuple(compiled["counter"]),
        flags=tuple(compiled["flag"]),
        negators=before,
        negators_after=after,
        barriers=barriers,
        negation_reach=int(negation.get("reach", 4)),
        abbreviations=frozenset(abbreviations),
        phrases={slot: tuple(phrases) for slot, phrases in compiler.phrases.items()},
    )
    return result, compiler.problems


def _optional(compiler: _Compiler, sources: Sequence[str]) -> int:
    return compiler.element(list(sources)) if sources else -1


def _check_names(rules: Sequence[Rule], compiler: _Compiler) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            compiler.complain(f"two rules are called {rule.name}", f'name = "{rule.name.split(".", 1)[1]}"')
        seen.add(rule.name)


def _typo_stems(compiler: _Compiler) -> tuple[tuple[str, int], ...]:
    """Long literal stems of the concepts that tolerate one slip of the finger."""
    stems: set[tuple[str, int]] = set()
    for name in compiler.typos:
        if f"<{name}>" not in compiler.numbers:
            compiler.complain(f"typos names a concept that is not defined: {name}", name)
            continue
        slot = compiler.numbers[f"<{name}>"]
        for pattern in compiler.patterns:
            owned = pattern.slot == slot or slot in compiler.implied.get(pattern.slot, ())
            if owned and not pattern.exception and len(pattern.parts[0]) >= _LEAST_TYPO_STEM:
                stems.add((fold(pattern.parts[0]), slot))
    return tuple(sorted(stems))
