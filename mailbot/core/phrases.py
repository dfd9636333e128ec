"""Phrases and rules as values. What they mean and how the files look is told at the head of `rules/fi.toml`.

A *slot* is a number that stands for a set of word forms, a concept, or one element of a rule.
"""

from dataclasses import dataclass

Slots = frozenset[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One place in a phrase: a word (or concept) of these slots, or a gap of up to `gap` words."""

    slots: Slots = frozenset()
    gap: int = 0
    optional: bool = False
    edge: str = ""  # "^" the beginning of a sentence, "$" its end


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Phrase:
    """Items that follow each other within one sentence."""

    items: tuple[Item, ...]
    alias: int = -1  # the slot that it is another name of, when it is only that


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Words that together tell something."""

    name: str
    right: str  # a Right, `rulebook.ANY`, or "" for counters and flags
    weight: float = 0.0  # 0..1: how often it is right where it fires
    when: tuple[int, ...]  # every slot, near the first one
    near: int = 8  # words between an element and the first one
    across: int = 0  # sentence ends between them
    ordered: bool = False
    where: str = "any"  # any, subject, body
    with_: tuple[int, ...] = ()  # every slot somewhere in the text
    unless: tuple[int, ...] = ()  # none of the slots in the same sentences
    without: tuple[int, ...] = ()  # none of the slots in the text
    negatable: bool = True  # a negation of the first element stops the rule
    flag: str = ""  # flags: which
    factor: float = 1.0  # counters: what is left of the scores
    rights: tuple[str, ...] = ()  # counters: only these; () all
    scope: str = "mail"  # counters: mail, or sentence
    yes: tuple[str, ...] = ()  # sentences in which it must fire
    no: tuple[str, ...] = ()  # sentences in which it must not
