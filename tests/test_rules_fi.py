"""The Finnish rules on sentences as people write them, and on the labelled mails."""

from functools import cache
from pathlib import Path

import pytest

from mailbot.core.classify import Kind, Verdict
from mailbot.flows.rules_report import Report, evaluate, lines
from mailbot.flows.understand import Understanding
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook

WRITTEN = Path(__file__).parent / "corpus" / "written"


@cache
def understanding() -> Understanding:
    """The shipped rules alone, without the second reader."""
    return Understanding(rulebook=load_rulebook(shipped("rules")), patterns=load_reading_patterns(shipped("rules")))


@cache
def report() -> Report:
    """Two short and flat batches of labelled mails."""
    return evaluate([WRITTEN / "g3.jsonl", WRITTEN / "g4.jsonl"], understanding(), language="fi")


def judged(body: str, subject: str = "") -> Verdict:
    """The verdict of the rules."""
    return understanding().judge_text(subject, body)


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ("mitä te minusta tiedätte", "access"),
        ("Mitä tietoja teillä on minusta?", "access"),
        ("haluun nähä kaikki mitä teil on must tallessa", "access"),
        ("Mie haluaisin tietää mitä tietoja teillä on miusta.", "access"),
        ("Pyydän jäljennöksen minua koskevista henkilötiedoista tietosuoja-asetuksen 15 artiklan nojalla.", "access"),
        ("Mistä olette saaneet numeroni?", "access"),
        ("Poistakaa tietoni.", "erasure"),
        ("voisitteks poistaa mun tilin kiitti", "erasure"),
        ("POISTAKAA MINUT REKISTERISTÄNNE", "erasure"),
        ("Ottakaa minut pois kirjoista.", "erasure"),
        ("poistakaas mun tiedot sielt", "erasure"),
        ("Nimeni on väärin, korjatkaa se asiakastietoihin.", "rectification"),
        ("sahkopostini muuttui, muuttakaa tietoihini uusi@example.net", "rectification"),
        ("Pyydän rajoittamaan tietojeni käsittelyä, kunnes asia on selvitetty.", "restriction"),
        ("Älkää poistako tietojani vielä, tarvitsen niitä oikeudessa.", "restriction"),
        ("Lähettäisittekö minulle rekisteriselosteenne?", "register_description"),
        ("Haluan tietoni csv-tiedostona, vien ne toiseen palveluun.", "portability"),
        ("Kiellän suoramarkkinoinnin.", "objection"),
        ("En halua enää mainoksia teiltä.", "objection"),
        ("Peruutan antamani suostumuksen.", "consent_withdrawal"),
        ("Korjatkaa nimeni Juhani Palviainen tai poistakaa tietoni kokonaan.", "erasure rectification"),
        ("Ensin kopio tiedoistani, sitten poistakaa kaikki tietoni.", "access erasure"),
    ],
)
def test_a_request_is_known_by_its_words(body: str, rights: str) -> None:
    """Plain, spoken, loud and dotless Finnish names its right, with evidence."""
    verdict = judged(body)
    assert verdict.kind is Kind.REQUEST
    assert " ".join(sorted(verdict.rights)) == rights
    assert {item.right for item in verdict.evidence} >= set(verdict.rights)


@pytest.mark.parametrize(
    "body",
    [
        "Poistakaa rivi 3 tilauksesta.",
        "Miten poistan tietoni vanhalta koneelta?",
        "Korjaatteko laskun summan, se on väärin.",
        "Mitä tietoja tarvitsette meiltä tarjousta varten?",
        "Tulostin ei toimi, voitteko käydä katsomassa?",
        "Rekisterinumero on ABC-123, milloin auton voi tuoda?",
        "Oma sovellus kaatuu, kun poistan tiedoston.",
        "Rajoittakaa oppilaskoneiden nettikäyttöä klo 22 jälkeen.",
        "Autamme yrityksiä vastaamaan tietopyyntöihin. Varaa maksuton kartoitus!",
        "Perun poistopyynnön. Pitäkää tili.",
    ],
)
def test_what_only_looks_like_a_request_opens_no_ticket(body: str) -> None:
    """Rows, invoices, printers, number plates and sellers are no requests."""
    assert judged(body).kind is not Kind.REQUEST


def test_a_negated_act_gives_way_to_the_other() -> None:
    """ "Do not erase but correct" asks for rectification alone."""
    verdict = judged("Älkää poistako tietojani, vaan korjatkaa nimeni: se on Ylönen eikä Ylänen.")
    assert "rectification" in verdict.rights
    assert "erasure" not in verdict.rights


def test_quoted_history_decides_nothing() -> None:
    """A thank-you over a quoted request is no request."""
    body = "Kiitos, asia selvä!\n\n> Hei, poistakaa kaikki tietoni.\n> Kalervo"
    assert judged(body, "Re: Tietojen poisto").kind is not Kind.REQUEST


def test_a_subject_alone_is_enough() -> None:
    """The whole request may stand in the subject."""
    assert judged("", "poistakaa tilini ja tietoni heti").rights == ("erasure",)


@pytest.mark.parametrize(
    ("body", "flag"),
    [
        ("Tyttäreni tiedot pitää poistaa teidän rekisteristä, olen huoltaja.", "child"),
        ("Tietoni ovat vuotaneet teiltä, näin ne netissä.", "breach"),
        ("Teen asiasta kantelun tietosuojavaltuutetulle.", "complaint"),
        ("Pyysin jo kesällä poistamaan tietoni.", "earlier_request"),
        ("Äitini kuoli keväällä, hänen tilinsä on vielä auki.", "deceased"),
    ],
)
def test_what_staff_should_mind_is_flagged(body: str, flag: str) -> None:
    """Flags stand beside the rights."""
    assert flag in judged(body).flags


def test_the_figures_on_short_mails_do_not_fall() -> None:
    """On two batches the rules alone keep macro-F1, misses and false tickets where they were."""
    found = report()
    requests = found.count(lambda item: item.mail.request)
    others = found.count(lambda item: not item.mail.request)
    assert found.macro_f1() >= 0.87
    assert found.count(lambda item: item.missed) / requests <= 0.06
    assert found.count(lambda item: item.false) / others <= 0.08
    assert found.share(lambda item: item.unsure, lambda _: True) <= 0.1


def test_the_report_names_every_error() -> None:
    """Each missed, false or otherwise named mail is a line with its id."""
    found = report()
    text = "\n".join(lines(found, errors=True))
    assert all(item.mail.id in text for item in found.errors())
    assert "macroF1" in text
