"""The words of the measured mailbox: paragraphs of ordinary business mail, and requests, in three languages.

{number}, {amount} and {day} are filled in for each mail.
"""

NAMES = {
    "fi": ("Aino Mallikas", "Eero Esimerkki", "Päivi Pöytä", "Jorma Järvi", "Satu Sorsa", "Väinö Vähälä"),
    "sv": ("Sven Ström", "Åsa Ek", "Göran Granqvist", "Lena Lind", "Örjan Öberg", "Karin Kvist"),
    "en": ("Alice Sample", "Bob Placeholder", "Carol Mockford", "Dave Instance", "Erin Field", "Frank Token"),
}

SUBJECTS = {
    "fi": ("Tilaus", "Lasku", "Palaverin ajankohta", "Kysymys toimituksesta", "Tarjouspyyntö", "Hei"),
    "sv": ("Beställning", "Faktura", "Mötestid", "Fråga om leveransen", "Offertförfrågan", "Hej"),
    "en": ("Order", "Invoice", "Time of the meeting", "Question about the delivery", "Request for a quote", "Hello"),
}

DULL = {
    "fi": (
        "Hei, tilasimme teiltä viime viikolla kaksi lavallista pakkauslaatikoita. Tilausnumero on {number}. "
        "Milloin kuljetus lähtee varastosta, ja ehtiikö se perille ennen {day}. päivää?",
        "Lasku {number}, {amount} euroa, on maksettu tänään. Viitenumero jäi ensin pois, mutta pankki lisäsi "
        "sen jälkikäteen. Toivottavasti suoritus kohdistui oikein.",
        "Siirretäänkö torstain palaveri kello kymmeneen? Neuvotteluhuone on aamulla varattu ja projektori on "
        "korjattavana. Kahvi tarjotaan kuten ennenkin.",
        "Tarvitsisimme tarjouksen toimiston siivouksesta. Pinta-ala on {amount} neliötä ja siivous tehtäisiin "
        "kaksi kertaa viikossa iltaisin.",
        "Pyörän takavaihtaja rahisee edelleen huollon jälkeen. Voisinko tuoda sen uudelleen katsottavaksi "
        "jonakin iltana ensi viikolla?",
        "Kiitos nopeasta vastauksesta. Asia selvisi, eikä teidän tarvitse tehdä enää mitään. Palaan asiaan, "
        "jos tulee lisää kysyttävää.",
        "Lähetys {number} saapui, mutta yksi pullo oli rikki. Kuljettaja kirjasi vaurion rahtikirjaan. Kuinka "
        "uusi pullo toimitetaan?",
        "Muistutus: lukitsemme portin lomien ajaksi {day}. päivästä alkaen. Avaimen saa huoltomieheltä, joka "
        "päivystää arkisin.",
    ),
    "sv": (
        "Hej, vi beställde två pallar kartonger förra veckan. Beställningsnumret är {number}. När går "
        "transporten från lagret, och hinner den fram före den {day}?",
        "Fakturan {number} på {amount} euro betalades i dag. Referensnumret föll först bort, men banken lade "
        "till det efteråt. Jag hoppas att betalningen hamnade rätt.",
        "Kan vi flytta torsdagens möte till klockan tio? Konferensrummet är upptaget på morgonen och "
        "projektorn är på lagning. Kaffe serveras som vanligt.",
        "Vi skulle behöva en offert på städning av kontoret. Ytan är {amount} kvadratmeter och städningen "
        "sker två kvällar i veckan.",
        "Cykelns bakväxel skrapar fortfarande efter servicen. Kan jag lämna in den på nytt någon kväll nästa vecka?",
        "Tack för det snabba svaret. Saken är utredd och ni behöver inte göra något mer. Jag återkommer om "
        "det dyker upp fler frågor.",
        "Leverans {number} kom fram, men en flaska var trasig. Chauffören antecknade skadan på fraktsedeln. "
        "Hur får vi en ny flaska?",
        "Påminnelse: grinden hålls låst under semestern från och med den {day}. Nyckeln finns hos "
        "vaktmästaren på vardagar.",
    ),
    "en": (
        "Hello, we ordered two pallets of packing boxes last week. The order number is {number}. When does "
        "the transport leave the warehouse, and will it be here before the {day}th?",
        "Invoice {number} over {amount} euros was paid today. The reference number was missing at first, but "
        "the bank added it afterwards. I hope the payment ended up in the right place.",
        "Could we move Thursday's meeting to ten o'clock? The conference room is taken in the morning and the "
        "projector is being repaired. Coffee will be served as usual.",
        "We would need a quote for cleaning our office. The floor is {amount} square metres, and cleaning is "
        "done two evenings a week.",
        "The rear derailleur of the bicycle still rattles after the service. May I bring it in again one "
        "evening next week?",
        "Thank you for the quick answer. The matter is settled and there is nothing more for you to do. I "
        "will be back if there are further questions.",
        "Shipment {number} arrived, but one bottle was broken. The driver noted the damage on the waybill. "
        "How do we get a new bottle?",
        "A reminder: the gate stays locked over the holidays from the {day}th on. The key is with the "
        "caretaker on working days.",
    ),
}

REQUESTS = {
    "fi": (
        "Hei, pyydän teitä poistamaan kaikki minua koskevat henkilötiedot rekistereistänne. Asiakasnumeroni "
        "oli {number}.",
        "Haluan tietää, mitä tietoja teillä on minusta. Lähettäkää kopio kaikista henkilötiedoistani.",
        "Osoitteeni on teillä väärin. Korjatkaa henkilötietoihini uusi osoite, Esimerkkikatu {day}.",
    ),
    "sv": (
        "Hej, jag ber er radera alla personuppgifter som ni har om mig. Mitt kundnummer var {number}.",
        "Jag vill veta vilka uppgifter ni har om mig. Skicka en kopia av alla mina personuppgifter.",
        "Ni har fel adress till mig. Rätta mina personuppgifter, den nya adressen är Exempelgatan {day}.",
    ),
    "en": (
        "Hello, please erase all the personal data you hold about me. My customer number was {number}.",
        "I want to know what data you have about me. Please send me a copy of all my personal data.",
        "You have my address wrong. Please correct my personal data: the new address is Example Road {day}.",
    ),
}

HISTORY = {
    "fi": "ma 2.11.2026 klo 10.15 {who} <lahettaja@customer.example> kirjoitti:\n{quoted}\n",
    "sv": "Den mån 2 nov. 2026 kl 10:15 skrev {who} <avsandare@customer.example>:\n{quoted}\n",
    "en": "On Mon, 2 Nov 2026 at 10:15, {who} <sender@customer.example> wrote:\n{quoted}\n",
}
