"""What the test mail says, and how its alarms are worded. Nobody but the controller's own people ever reads this.

For each trouble: what it is, as a phrase inside a sentence, and `_cure`, what to look at.
"""

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "fi": {
        "subject": "Testiviesti: tietosuojapostin osoite toimii",
        "body": "Tämä viesti on mailbotin testi. Se todistaa, että tietosuoja-asioiden osoitteeseen tuleva posti\n"
        "kulkee perille. Sinun ei tarvitse tehdä mitään, ja voit poistaa viestin.\n",
        "canary_lost": "testiviesti ei ole tullut perille",
        "canary_lost_cure": "Palvelin otti testiviestin vastaan, mutta sitä ei ole löytynyt luettavista kansioista. "
        "Tarkista osoite, edelleenlähetykset ja roskapostikansio: tietosuojapyynnöt eivät ehkä tule perille.",
        "canary_unsent": "testiviestiä ei ole saatu lähetettyä",
        "canary_unsent_cure": "Tarkista lähettävä palvelu (mailbot-deliver) ja sähköpostipalvelin: "
        "myöskään vastaukset eivät ehkä lähde.",
        "polled": "postilaatikon lukeminen on pysähtynyt",
        "polled_cure": "Tarkista lukeva palvelu (mailbot-poll) ja sähköpostitilin kirjautuminen. Määräajat juoksevat.",
        "sending": "viestien lähettäminen on pysähtynyt",
        "sending_cure": "Tarkista lähettävä palvelu (mailbot-deliver) ja sähköpostipalvelin.",
        "reminded": "muistuttaminen on pysähtynyt",
        "reminded_cure": "Tarkista muistutusten ajastus (mailbot-remind).",
    },
    "sv": {
        "subject": "Testmeddelande: dataskyddspostens adress fungerar",
        "body": "Det här är ett test från mailbot. Det visar att post till adressen för dataskyddsärenden kommer\n"
        "fram. Du behöver inte göra något och kan radera meddelandet.\n",
        "canary_lost": "testmeddelandet har inte kommit fram",
        "canary_lost_cure": "Servern tog emot testmeddelandet, men det finns inte i de mappar som läses. Kontrollera "
        "adressen, vidarebefordringar och skräppostmappen: dataskyddsbegäranden kommer kanske inte fram.",
        "canary_unsent": "testmeddelandet har inte kunnat skickas",
        "canary_unsent_cure": "Kontrollera tjänsten som skickar (mailbot-deliver) och e-postservern: "
        "svaren går kanske inte heller i väg.",
        "polled": "läsningen av postlådan har stannat",
        "polled_cure": "Kontrollera tjänsten som läser (mailbot-poll) och inloggningen till e-postkontot. "
        "Tidsfristerna löper.",
        "sending": "sändningen av meddelanden har stannat",
        "sending_cure": "Kontrollera tjänsten som skickar (mailbot-deliver) och e-postservern.",
        "reminded": "påminnelserna har stannat",
        "reminded_cure": "Kontrollera påminnelsernas tidtabell (mailbot-remind).",
    },
    "en": {
        "subject": "Test mail: the data-protection address works",
        "body": "This is a test by mailbot. It proves that mail to the data-protection address arrives.\n"
        "You need not do anything, and may delete it.\n",
        "canary_lost": "the test mail has not arrived",
        "canary_lost_cure": "The server took the test mail, but it is in none of the folders that are read. Check the "
        "address, forwarding and the junk folder: requests may not be arriving either.",
        "canary_unsent": "the test mail could not be sent",
        "canary_unsent_cure": "Check the sender (mailbot-deliver) and the mail server: "
        "replies may not be leaving either.",
        "polled": "reading the mailbox has stopped",
        "polled_cure": "Check the reader (mailbot-poll) and the login of the mail account. Due dates are running.",
        "sending": "sending mail has stopped",
        "sending_cure": "Check the sender (mailbot-deliver) and the mail server.",
        "reminded": "reminding has stopped",
        "reminded_cure": "Check the timer of the reminders (mailbot-remind).",
    },
}
