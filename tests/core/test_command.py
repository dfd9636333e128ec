"""What staff write is understood, and doubt never approves."""

import json
import random
import re
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mailbot.core.command import SENTENCES, Action, Commands, Why, understand
from mailbot.core.command_words import LANGUAGES, CommandWords, fold, one_slip
from mailbot.errors import ConfigurationError
from mailbot.gateway.command_rules import load_commands
from mailbot.gateway.resources import shipped

CORPUS = Path(__file__).parent.parent / "corpus"
WORDS = load_commands(shipped("rules"))


def rows(name: str) -> list[dict[str, Any]]:
    """The lines of a table of replies."""
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


TABLE = rows("staff_replies.jsonl")
UNSEEN = rows("staff_replies_unseen.jsonl")
ALL = TABLE + UNSEEN
DOUBTFUL = rows("staff_replies_doubtful.jsonl")


def said(text: str, *attachments: str) -> Commands:
    """What a reply does."""
    return understand(text, attachments, words=WORDS)


def actions(text: str, *attachments: str) -> list[str]:
    """The names of what a reply does."""
    return [command.action.value for command in said(text, *attachments).commands]


# ------------------------------------------------------------------------------------------------------- the tables


def test_tables_are_large_enough() -> None:
    """At least 220 replies were written beside the grammar and 100 after it, in every language."""
    assert len(TABLE) >= 220
    assert len(UNSEEN) >= 100
    assert all(sum(row["lang"] == language for row in ALL) >= 60 for language in LANGUAGES)
    assert len({row["id"] for row in ALL}) == len(ALL)


def test_no_false_approval_at_all() -> None:
    """No reply that approves nothing is taken for an approval."""
    false = [row["text"] for row in ALL if "approve" not in row["expect"] and "approve" in _got(row)]
    assert false == []


def test_true_approvals_are_found() -> None:
    """At least 95 % of the true approvals are found."""
    true = [row for row in ALL if "approve" in row["expect"]]
    missed = [row["text"] for row in true if "approve" not in _got(row)]
    assert len(missed) <= 0.05 * len(true), missed


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.APPROVE])
def test_other_orders_are_found(action: Action) -> None:
    """Every other order is found where it stands in the tables, and nowhere else."""
    wanted = [row["id"] for row in ALL if action in row["expect"]]
    heard = [row["id"] for row in ALL if action in _got(row)]
    assert len(wanted) >= 4, "the tables must hold examples of every order"
    assert len(set(wanted) ^ set(heard)) <= 0.05 * len(wanted), set(wanted) ^ set(heard)


@pytest.mark.parametrize("row", [row for row in ALL if "args" in row], ids=lambda row: row["id"])
def test_arguments_are_read(row: dict[str, Any]) -> None:
    """What belongs to an order is read with it."""
    commands = said(row["text"], *row["attachments"]).commands
    assert [json.loads(json.dumps(command.args)) for command in commands] == row["args"]


def _got(row: dict[str, Any]) -> list[str]:
    return _read(row["text"], tuple(row["attachments"]))


@cache
def _read(text: str, attachments: tuple[str, ...]) -> list[str]:
    return actions(text, *attachments)


# ------------------------------------------------------------------------------------------------------- doubt

APPROVALS = ["Hyväksyn", "Lähetä", "Godkänner", "Skicka", "Approved", "Please send"]
DOUBTS = [
    "jos Matti on samaa mieltä", "mutta nimi on väärä", "huomenna", "vasta maanantaina", "ehkä", "kunhan se on luettu",
    "om Matti håller med", "men namnet är fel", "imorgon", "när det är klart", "kanske", "först efter lunch",
    "if legal agrees", "but the name is wrong", "tomorrow", "once it is fixed", "maybe", "after lunch",
]  # fmt: skip


@pytest.mark.parametrize("approval", APPROVALS)
@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubt_beside_an_approval_wins(approval: str, doubt: str) -> None:
    """Whatever stands before or behind an approval and doubts it keeps it from approving."""
    for joint in (" ", ", ", ". ", "\n", "\n\n", " - "):
        assert "approve" not in actions(f"{approval}{joint}{doubt}"), (approval, joint, doubt)
        assert "approve" not in actions(f"{doubt}{joint}{approval.lower()}"), (doubt, joint, approval)


@pytest.mark.parametrize("approval", APPROVALS)
def test_a_question_never_approves(approval: str) -> None:
    """A question mark behind an approval, or a question in the same mail, keeps it from approving."""
    for text in (f"{approval}?", f"{approval} tämän?", f"{approval}. Onko nimi oikein?", f"{approval}!?"):
        assert "approve" not in actions(text), text


def test_a_question_needs_no_mark() -> None:
    """The order of words makes a question of what stands before an approval."""
    asked = ["Is it ready, send", "Is this fine. Approved", "Är det bra, skicka", "Onko se hyvä, lähetä"]
    for text in [*asked, "Går det bra att skicka"]:
        assert "approve" not in actions(text), text


def test_an_approval_with_an_unknown_word_beside_it_is_unclear() -> None:
    """A word that is not known, before or behind the approving word of a true approval, keeps it from approving."""
    tried = 0
    for row in TABLE:
        keys = [token for token in WORDS.tokens(row["text"]) if token.folded in WORDS.spelling.keys]
        if row["expect"] != ["approve"] or len(keys) != 1 or ">" in row["text"]:
            continue
        start, end = keys[0].start, keys[0].end
        for text in (
            f"{row['text'][:start]}zyxolmi {row['text'][start:]}",
            f"{row['text'][:end]} zyxolmi{row['text'][end:]}",
        ):
            tried += 1
            assert "approve" not in actions(text), text
    assert tried > 150


def test_an_approval_may_be_polite_in_any_case() -> None:
    """Case and diacritics never matter."""
    for row in TABLE:
        named = re.search(r" [A-ZÅÄÖ][a-zåäö]+ [A-ZÅÄÖ]", row["text"])
        if row["expect"] == ["approve"] and "\n" not in row["text"] and "args" not in row and not named:
            assert actions(row["text"].lower()) == ["approve"], row["text"]
            assert actions(fold(row["text"])) == ["approve"], row["text"]


def test_a_bare_ok_is_not_an_approval() -> None:
    """ "ok", "kyllä" and a thumb may only say that the notice was read, and the answer says how to approve."""
    for text in ("ok", "Kyllä.", "ja", "Yes!", "👍", "kiitos"):
        result = said(text)
        assert result.commands == ()
        assert result.unclear is not None
    assert said("ok").why is Why.ONLY_POLITENESS


# ------------------------------------------------------------------------- behind a signature, and work told beside it

FRAMES = {
    "whole": {language: ["{}"] for language in LANGUAGES},
    "ending": {
        "fi": ["Hyväksyn\n\nT. Anna\n\n{}", "Hyväksyn.\n\nTerveisin Anna\n{}",
               "Lähetä\n\nYstävällisin terveisin\nAnna Ahola\nToimitusjohtaja\n\n{}"],
        "sv": ["Godkänner\n\nMvh Anna\n\n{}", "Skicka\n\nAnna\n{}",
               "Godkänns.\n\nMed vänlig hälsning\nAnna Ek\nEkonomichef\n\n{}"],
        "en": ["Approve\n\nAnna\n\n{}", "Please send\n\nRegards, Anna\n{}",
               "Approved.\n\nBest regards\nAnna Ahola\nHead of Sales\n\n{}"],
    },
    "report": {
        "fi": ["Hyväksyn. {}", "{}. Hyväksyn", "Hyväksyn.\n{}", "Hyväksyn\n\nT. Anna\n\n{}"],
        "sv": ["Godkänner. {}", "{}. Godkänner", "Godkänner.\n{}", "Godkänner\n\nMvh Anna\n\n{}"],
        "en": ["Approve. {}", "{}. Approve", "Approve.\n{}", "Approve\n\nRegards\nAnna\n\n{}"],
    },
}  # fmt: skip
SIGNATURES = [
    "Terveisin\nAnna Ahola\nTietosuojavastaava\nJalo IT Oy\nKauppakatu 1 A 3, 20100 Turku\n+358 40 000 0000\n"
    "anna.ahola@example.com | www.example.com\nY-tunnus 1234567-8\nAvoinna ma–pe 9–16",
    "Mvh\nErik Ek\nVD, Exempel Ab\nStorgatan 3, 65100 Vasa\nTfn 06 000 0000\nÖppet mån–fre 8–16\n\nDetta meddelande är "
    "konfidentiellt och avsett endast för mottagaren. Om du har fått det av misstag, radera det.",
    "Kind regards\nJane Doe\nChief Operating Officer\nLake Ltd\n1 Market Street, London\nOffice: +44 20 0000 0000"
    "\nOpen Mon-Fri 9-17\n\nThis e-mail and any attachments are confidential and intended only for the recipient. If "
    "you are not the intended recipient, please delete it.",
    "T. Anna\n\nHyvää viikonloppua!", "Anna\n\nThanks!", "Anna\n\nSent from my iPhone",
    "Hälsningar\nAnna\nAnna Ek\nEkonomichef", "Anna\nMyynti\nLake\nanna@lake.example", "terv. maija m.",
]  # fmt: skip
NAMES = "Anna Lisa Liisa Visa Kalle Ville Pekka Matti Åsa Erik Karin Mia Satu Onni Toivo Kari Päivi Olli Pasi Meri Tea"


def test_enough_doubtful_replies_were_written() -> None:
    """At least 40 remarks behind a signature and 40 doubtful reports were written in every language."""
    for kind in ("ending", "report"):
        for language in LANGUAGES:
            assert sum(row["class"] == kind and row["lang"] == language for row in DOUBTFUL) >= 40


@pytest.mark.parametrize("row", DOUBTFUL, ids=lambda row: row["id"])
def test_a_remark_or_a_doubtful_report_never_approves(row: dict[str, Any]) -> None:
    """What takes back behind a name, or tells of work not done, done in part, by hearsay or on others, stops it."""
    for frame in FRAMES[row["class"]][row["lang"]]:
        assert "approve" not in actions(frame.format(row["text"])), frame


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_takes_no_approval_back(signature: str) -> None:
    """Titles, firms, streets, numbers, links, opening hours, wishes and disclaimers leave an approval as it is."""
    for approval in ("Hyväksyn", "Godkänner", "Approve"):
        assert actions(f"{approval}\n\n{signature}") == ["approve"]


@pytest.mark.parametrize("name", NAMES.split())
def test_a_name_is_no_remark(name: str) -> None:
    """Common names are names, however they look like a word."""
    for text in (f"Hyväksyn\n\nTerveisin\n{name}", f"Godkänner\n\n{name}", f"Approve, {name}"):
        assert actions(text) == ["approve"], text


# ------------------------------------------------------------------------------------------------- what does not count

NOTICE = "Uusi pyyntö\nVastaa hyväksyn, jos luonnos on kunnossa.\nhyväksyn\n"
QUOTES = [
    "".join(f"> {line}\n" for line in NOTICE.splitlines()),
    f"pe 20. marrask. 2026 klo 9.14 Esimerkki Oy (privacy@example.com) kirjoitti:\n\n{NOTICE}",
    f"On Fri, Nov 20, 2026 at 9:14 AM Example Ltd <\nprivacy@example.com> wrote:\n\n{NOTICE}",
    f"Den fre 20 nov. 2026 kl 09:14 skrev Exempel Ab <privacy@example.com>:\n\n{NOTICE}",
    f"Lähettäjä: Esimerkki Oy\nLähetetty: perjantai 20. marraskuuta 2026\nVastaanottaja: Maija\nAihe: Uusi\n\n{NOTICE}",
    f"**Från:** Exempel Ab\n**Skickat:** den 20 november\n**Till:** Anna\n**Ämne:** Ny\n\n{NOTICE}",
    f"-----Alkuperäinen viesti-----\n{NOTICE}",
    f"---- Original Message ----\n{NOTICE}",
    f"________________________________\n{NOTICE}",
    f"Lähetetty iPhonesta\n\n{NOTICE}",
    f"Get Outlook for Android\n{NOTICE}",
]


@pytest.mark.parametrize("quote", QUOTES)
def test_quoted_text_never_counts(quote: str) -> None:
    """A command in quoted history does nothing; a command above it does its work."""
    assert actions(quote) == []
    assert actions(f"Kiitos!\n\n{quote}") == []
    assert actions(f"hylkään: vanha nimi\n\n{quote}") == ["reject"]
    assert actions(f"Hyväksyn\n\n{quote}") == ["approve"]


def test_what_was_cut_off_never_counts() -> None:
    """The quoted part handed over beside the visible text is not read."""
    assert understand("Kiitos", [], "hyväksyn", words=WORDS).commands == ()


def test_an_ending_takes_nothing_back_and_gives_nothing() -> None:
    """Names, titles and numbers below a greeting change nothing; a sentence that takes back does."""
    ending = "\n\nTerveisin\nMaija Mallinen\nToimitusjohtaja\n"
    assert actions("Hyväksyn" + ending) == ["approve"]
    assert actions("Kiitos" + ending + "Hyväksyn\n") == []
    assert actions("Hyväksyn" + ending + "Älä kuitenkaan lähetä\n") == []
    assert actions("Hyväksyn" + ending + "PS. odota maanantaihin\n") == []


# ------------------------------------------------------------------------------------------------------- several orders


def test_a_change_takes_the_approval_with_it() -> None:
    """Where the same mail changes the draft, the approval is dropped: nobody has seen the new draft."""
    result = said("korjattu: 040 → 050\nhyväksyn")
    assert [command.action for command in result.commands] == [Action.FACTS]
    assert result.dropped == (Action.APPROVE,)


@pytest.mark.parametrize(
    "text",
    ["hyväksyn / hylkään", "hylkään, hyväksyn", "Approved. Not a request.", "godkänner. avslår", "Reject. No, approve"],
)
def test_contradictions_do_nothing(text: str) -> None:
    """Two orders against each other do nothing, and the answer says why."""
    result = said(text)
    assert result.commands == ()
    assert result.unclear


def test_a_reference_is_reported() -> None:
    """A ticket the writer names is reported, so that it can be compared with the token's."""
    assert said("Hyväksyn JALO-2026-0014").references == ("JALO-2026-0014",)


def test_the_text_of_an_edit_is_kept_whole() -> None:
    """Every line below "muokkaa:" is the new text, greeting and ending included, and no command in it counts."""
    text = "Hei Matti,\n\nhyväksyn pyyntösi. Onko nimi oikein?\n\nTerveisin\nEsimerkki Oy"
    result = said(f"muokkaa:\n{text}\n\nLähetetty iPhonesta")
    assert [command.args for command in result.commands] == [{"text": text}]


def test_every_reason_has_a_sentence() -> None:
    """Each code of unclearness has its line of explanation."""
    assert set(SENTENCES) == set(Why)


# ------------------------------------------------------------------------------------------------------- robustness


def test_any_text_is_answered() -> None:
    """No text makes the grammar fail, and noise orders nothing that needs approval."""
    random.seed(7)
    alphabet = ["hyväksyn", "godkänner", "approve", "merkitse", "korjattu", "muokkaa", "ja", "mutta", "JALO-2026-0014"]
    alphabet += list("?.,:→=\n>-()[]/👍\x00\ud83d")
    for _ in range(3000):
        text = " ".join(random.choices(alphabet, k=random.randrange(12)))
        assert said(text).commands or said(text).unclear


@pytest.mark.parametrize(
    "text",
    ["hyväksyn " * 30_000, "On Mon 1 wrote\n" * 20_000, "a=" * 100_000, "→" * 100_000, "jatka " * 30_000,
     "x\n" * 80_000, "luokittele " * 30_000, "t, " * 60_000, " " * 300_000 + "→ x",
     "merkitse: " * 20_000, "terveisin " * 20_000, "hylkään, " * 20_000],
)  # fmt: skip
def test_long_text_is_read_in_linear_time(text: str) -> None:
    """Hostile text of hundreds of kilobytes is answered within seconds of the processor."""
    begun = time.process_time()
    said(text)
    assert time.process_time() - begun < 5


def test_one_slip_is_forgiven_and_no_more() -> None:
    """One letter missing, added, changed or swapped is a slip; other forms of the word are not."""
    assert all(one_slip(word, "hyväksyn") for word in ("hyväskyn", "hyvksyn", "hyväkksyn", "hyvaksyn"))
    assert not one_slip("hyväksyn", "hyväksyn")
    assert not one_slip("hyäskyn", "hyväksyn")
    for other in ("hyväksyin", "hyväksyt", "hyväksyi", "hyväksyy", "godkände", "approves", "approver"):
        assert actions(other) == [], other


# ------------------------------------------------------------------------------------------------------- the words


def test_words_of_each_language_exist_for_every_action() -> None:
    """Every order can be given in every language."""
    for language in LANGUAGES:
        known = {
            phrase.meaning
            for phrases in WORDS.commands.by_word.values()
            for phrase in phrases
            if phrase.language == language
        }
        assert {action.value for action in Action} <= known


def test_a_broken_file_tells_every_mistake(tmp_path: Path) -> None:
    """Unknown actions, missing sections and bad phrases are told together, with the file."""
    text = (shipped("rules") / "commands.toml").read_text(encoding="utf-8")
    broken = text.replace("[fi.commands]\n", '[fi.commands]\nfly = "lennä"\n').replace('between = """', 'betwen = """')
    (tmp_path / "commands.toml").write_text(broken, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_commands(tmp_path)
    told = str(caught.value)
    assert all(part in told for part in ("commands.toml", "'fly'", "'betwen'", "'between' is missing"))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A folder without the file is a mistake of the configuration."""
    with pytest.raises(ConfigurationError, match=r"commands\.toml"):
        load_commands(tmp_path)


def test_loading_is_repeatable() -> None:
    """The same file gives the same words."""
    again: CommandWords = load_commands(shipped("rules"))
    assert again.commands == WORDS.commands
