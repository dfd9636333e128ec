"""The Finnish rules on what people tell without the statute's words: stories, agents, second wishes and look-alikes."""

from functools import cache

import pytest

from mailbot.core.classify import Kind, Verdict
from mailbot.flows.understand import Understanding
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.rulebook import load_rulebook


@cache
def understanding() -> Understanding:
    """The shipped rules alone, without the second reader."""
    return Understanding(rulebook=load_rulebook(shipped("rules")), patterns=load_reading_patterns(shipped("rules")))


def judged(body: str) -> Verdict:
    """The verdict of the rules."""
    return understanding().judge_text("", body)


def assert_seen(body: str, rights: str) -> None:
    """The rules name exactly these rights, each with words of the mail, and somebody sees the mail."""
    verdict = judged(body)
    assert verdict.kind is not Kind.NOT_REQUEST
    assert " ".join(sorted(verdict.rights)) == rights
    assert {item.right for item in verdict.evidence} >= set(verdict.rights)
    assert all(item.text and item.text in f"\n{body}" for item in verdict.evidence)


@pytest.mark.parametrize(
    "body",
    [
        "Menin naimisiin, mutta kortissa olen vieläkin Laine. Laittakaa se oikein.",
        "Kirjastokortissani sukunimi on vielä entisen mieheni. Erosimme 2022. Voisiko sen muuttaa takaisin Virtaseksi?",
        "Moi, mun nimi on Aleksi, ei Alexi. Ei iso asia mut ärsyttää joka viestissä.",
        "terve, mun syntymäaika on teillä 1.1.1970. Oikea 14.6.1989",
        "Vakuutushakemukseen on merkattu että tupakoin. En ole tupakoinut ikinä. Tämä pitää saada oikein.",
        "Jäsenrekisterissä olen merkitty eronneeksi. En ole eronnut.",
        "Työnantajakseni on laitettu Nokia. Olen ollut eläkkeellä kuusi vuotta.",
        "Hoitosuunnitelmaani on kirjoitettu oikea polvi. Se on vasen.",
        "Osoitteen postinumero on teillä pielessä, yksi nolla liikaa. Siksi mikään ei tule perille.",
        "Mun numero on teillä väärin, viestit menee vanhaan. Laittakaa 050 000 1111 tilalle.",
        "Teillä on minut sekoitettu toiseen Kari Niemeen. Erottakaa meidät, olen syntynyt 1980.",
        "Puhutte minusta rouvana. En ole rouva, en neiti enkä herra. Riittää pelkkä nimi.",
        "Postiosoitteeni on vanhentunut, pyydän saattamaan merkinnän ajan tasalle.",
    ],
)
def test_a_record_that_is_wrong_is_rectification(body: str) -> None:
    """Old names, wrong ages and mixed-up people need no word for "correct"."""
    assert_seen(body, "rectification")


@pytest.mark.parametrize(
    "body",
    [
        "Kaikki tuntuvat tietävän minusta enemmän kuin minä. Mitä teidän papereissanne minusta seisoo?",
        "Myyjänne tiesi lapseni nimen. En ole sitä kertonut. Kuka on?",
        "Mihin kaikkialle numeroni on levinnyt teidän kauttanne?",
        "Kenellä kaikilla on ollut pääsy sairauskertomukseeni",
        "Montako kertaa ja milloin joku teillä on avannut minun potilaskertomukseni?",
        "moi saanko kaikki viestit mitä oon lähettäny teidän aspaan, mulla ei oo niitä enää",
        "Minusta tehtiin kuulemma luokitus. Mikä se on?",
        "Etätuki kävi koneellani. Jäikö siitä jotain talteen? Lähettäkää se minulle.",
        "Tyohakemukseni hylattiin automaattisesti. Milla perusteella? Haluan nahda pisteytyksen.",
    ],
)
def test_curiosity_about_oneself_is_access(body: str) -> None:
    """Who knows, who told, who looked and what is kept of me is the right of access, with or without dots."""
    assert_seen(body, "access")


@pytest.mark.parametrize(
    "body",
    [
        "Hain teille keväällä töihin. Hakemukseni ja testin tulokset sais jo hävittää.",
        "Passistani otettiin kopio kun vuokrasin koneen. Kone on palautettu, joten kopion voi tuhota.",
        "En halua että cv ja haastattelun muistiinpanot jäävät teille lojumaan.",
        "Vein auton romuttamolle, joten minua ei tarvitse enää pitää teillä kirjoilla.",
        "hei voisitteko ottaa mun naaman pois teidän instasta, en tiennyt et kuvasitte",
        "Isäni kuoli keväällä. Hänen profiilinsa on yhä siellä, voisitteko sulkea sen.",
        "Haluan kadota teidän järjestelmistänne.",
        "Toivon että pyyhitte pois sen, mitä kerroin terveydestäni puhelimessa.",
    ],
)
def test_what_has_served_its_purpose_may_go(body: str) -> None:
    """Copies, applications and memories that may go are erasure."""
    assert_seen(body, "erasure")


@pytest.mark.parametrize(
    "body",
    [
        "Olen valittanut arviosta. Sen ei pidä lähteä kenellekään ennen kuin valitus on ratkaistu.",
        "Väitätte minun rikkoneen laitteen. Ennen kuin asiantuntija on katsonut sen, väitettä ei kerrota eteenpäin.",
        "Piilottakaa kommenttini mutta älkää poistako, juristi tarvitsee sen.",
        "Pankaa ne sairaustiedot lukkojen taakse siksi ajaksi, kun selvitätte kuka ne sinne kirjoitti.",
        "Merkintä minusta on riitautettu. Siihen saakka kun tutkitte, sitä ei luovuteta kenellekään.",
    ],
)
def test_hands_off_meanwhile_is_restriction(body: str) -> None:
    """ "Not to be used until it is settled" is restriction in many words."""
    assert_seen(body, "restriction")


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (
            "Missä kerrotaan, mitä tietoja asiakkaista talletetaan ja kuinka kauan niitä pidetään?",
            "register_description",
        ),
        ("voisitteks laittaa sen tietosuojajutun mulle meiliin", "register_description"),
        ("Toimittakaa tietosuoja-asetuksen 13 artiklan mukainen informaatio.", "register_description"),
        ("Miten kauan hakemuksia säilytetään teillä ja missä siitä lukee?", "register_description"),
        ("Näitä kyselyitä tulee joka viikko. Minun puolestani voitte lopettaa.", "objection"),
        ("Minulle ei myydä mitään puhelimessa.", "objection"),
        ("En halua olla mukana siinä teidän asiakasanalyysissä.", "objection"),
        ("Mun osalta ei saa enää laskea sitä ostopistettä.", "objection"),
        ("Sanoin puhelimessa, että nauhoitus sopii. Ei sovi enää.", "consent_withdrawal"),
        ("Osallistuin tutkimukseen. Haluan vetäytyä siitä.", "consent_withdrawal"),
        ("Lapseni kuvauslupa: muutan vastaukseni kielteiseksi.", "consent_withdrawal"),
        (
            "Vaihdan pankkia. Tarvitsen tilitapahtumani sellaisessa muodossa, että uusi pankki osaa ne lukea.",
            "portability",
        ),
        ("Saanko juoksulenkkini gpx-tiedostoina toista palvelua varten?", "portability"),
    ],
)
def test_the_rarer_rights_have_everyday_words_too(body: str, right: str) -> None:
    """Papers about data, tired readers, second thoughts and moving elsewhere name their right."""
    assert_seen(body, right)


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ("Lähettäkää ensin kopio kaikesta, mitä minusta on tallessa. Sen jälkeen poistakaa loput.", "access erasure"),
        ("Mistä saitte numeroni? Ja lopettakaa mainospuhelut.", "access objection"),
        ("Poistakaa tilini. Lisäksi pyydän tietosuojaselosteenne.", "erasure register_description"),
        ("Haluan treenini csv-tiedostona toiseen palveluun, ja sen jälkeen poistakaa tilini.", "erasure portability"),
        ("Perun luvan kuvieni käyttöön. Poistakaa kuvat.", "consent_withdrawal erasure"),
        (
            "Merkintä maksuhäiriöstä on väärä, olen maksanut kaiken. Korjatkaa se, ja siihen saakka sitä ei luovuteta.",
            "rectification restriction",
        ),
    ],
)
def test_a_second_wish_in_the_same_mail_is_named_as_well(body: str, rights: str) -> None:
    """Two rights are two names."""
    assert_seen(body, rights)


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("Asianajajana ja päämieheni Liisa Kallion puolesta pyydän jäljennökset häntä koskevista tiedoista.", "access"),
        ("Äitini valtuuttamana pyydän, että hänen tietonsa poistetaan rekisteristänne.", "erasure"),
        ("Edunvalvojana pyydän, että hänen osoitteensa korjataan: merkintä on väärä.", "rectification"),
    ],
)
def test_who_acts_for_another_asks_for_a_right(body: str, right: str) -> None:
    """An attorney's or a guardian's letter names the right of the person and carries the flag."""
    verdict = judged(body)
    assert right in verdict.rights
    assert "agent" in verdict.flags


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ("Älkää poistako tietojani vaan korjatkaa nimeni, se on Saarela.", "rectification"),
        ("Ette saa poistaa tiliäni, mutta osoitteeni on väärin: oikea on Koivutie 2.", "rectification"),
    ],
)
def test_a_forbidden_act_names_no_right_of_its_own(body: str, rights: str) -> None:
    """ "Not this but that" asks for that alone, and is no restriction."""
    assert_seen(body, rights)


@pytest.mark.parametrize(
    "body",
    [
        "Postissa tuli toisen asiakkaan lasku, nimi ja osoite näkyvissä.",
        "Sain jonkun toisen ihmisen palkkalaskelman sähköpostiini.",
        "Kirjauduin sisään ja näen muiden asiakkaiden tilaukset.",
        "Kaikkien sähköpostiosoitteet olivat viestissä näkyvissä.",
    ],
)
def test_a_strangers_papers_are_a_breach_and_no_request(body: str) -> None:
    """What came to the wrong person is flagged and shown to staff, without a right."""
    verdict = judged(body)
    assert "breach" in verdict.flags
    assert verdict.kind is Kind.UNSURE
    assert verdict.rights == ()


@pytest.mark.parametrize(
    "body",
    [
        "Tilasin kaiverretun lahjan ja kirjoitin vahingossa vanhan nimen, laittakaa oikein.",
        "Nimikyltissä pitäisi lukea Korhonen eikä Korhola. Painakaa uusi.",
        "Uusi numero ovikoodiin, kiitos. Vanhan tietää koko kylä.",
        "Pyysin viime viikolla tietojani poistettavaksi. Ei tarvitse enää, jatkan asiakkaana.",
        "Pyysin eilen tietojani poistettavaksi. Perun sen, kaikki saa jäädä.",
        "Poistin vahingossa lapsen syntymäpäiväkuvat puhelimesta. Saako ne takaisin?",
        "Haluan siirtää numeroni teille nykyiseltä operaattorilta.",
        "Siirryn teille toisesta palvelusta, luetteko csv-tiedostoja?",
        "Lisätietoja tarjouksesta? Haluaisin nähdä hinnaston.",
        "Täyttäkää oheinen toimittajakysely tietosuojasta perjantaihin mennessä.",
        "Tarvitsen käyttöoikeuden tietokantaan, voitteko antaa pääsyn?",
        "Poistakaa testikäyttäjät ja vanhat lisenssit järjestelmästä.",
        "Yrityksemme tiedot muuttuivat, uusi laskutusosoite liitteenä.",
        "Haen avointa asentajan paikkaa, olen työskennellyt rekisterien ylläpidossa ja poistanut vanhoja tietoja.",
        "Paljonko maksaa vanhojen koneiden tyhjennys ja todistus siitä?",
        "Meidän mainoskampanjan budjetti on syöty, lopettakaa mainos perjantaina.",
        "Voisiko teilläkin olla sellainen ominaisuus, että sovellus vie lukupäiväkirjan taulukkoon?",
        "Päämieheni Paja Oy:n puolesta pyydän sopimuksen 17 kohdan nojalla jäljennökset huoltoraporteista.",
        "Lasku on riitautettu, ja siihen saakka sitä ei makseta.",
        "Älkää soittako ovikelloa, vauva nukkuu. Jättäkää paketti kuistille.",
        "Kollegani Sari on lopettanut. Poistakaa hänen tunnuksensa ja siirtäkää lisenssi minulle.",
    ],
)
def test_shops_orders_devices_and_dropped_wishes_open_no_ticket(body: str) -> None:
    """Orders, own typing, services bought, changes of supplier and wishes taken back are no requests."""
    assert judged(body).kind is not Kind.REQUEST
