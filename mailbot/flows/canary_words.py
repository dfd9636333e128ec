"""What the test mail says, and how its alarms are worded. Nobody but the controller's own people ever reads this.

For each trouble: what it is, as a phrase inside a sentence, and `_cure`, what to look at. A name with a dot is a thing
that runs out.
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
        "unopened": "osaa kansioista ei voida lukea",
        "unopened_cure": "Kansio on ehkä nimetty uudelleen tai poistettu. Korjaa imap.folders tai kansion nimi: "
        "siellä olevia pyyntöjä ei lueta.",
        "undone": "pyynnöksi tunnistettuja viestejä ei voida merkitä, kopioida tai siirtää",
        "undone_cure": "Tarkista imap.keyword, imap.copy_to ja imap.move_to. Pyynnöt itse on luettu.",
        "ending": "{thing} on vanhenemassa",
        "ending_cure": "Uusi se ajoissa: sen jälkeen postia ei lueta tai vastauksia ei lähde.",
        "last_moment": "Voimassa {moment} asti",
        "imap.certificate": "IMAP-palvelimen varmenne",
        "imap.authority": "IMAP-palvelimen varmentajan varmenne (imap.ca_file)",
        "imap.token": "IMAP-tilin OAuth-lupa",
        "imap.secret": "IMAP-tilin salasana tai sovelluksen salaisuus",
        "smtp.certificate": "SMTP-palvelimen varmenne",
        "smtp.authority": "SMTP-palvelimen varmentajan varmenne (smtp.ca_file)",
        "smtp.token": "SMTP-tilin OAuth-lupa",
        "smtp.secret": "SMTP-tilin salasana tai sovelluksen salaisuus",
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
        "unopened": "alla mappar kan inte läsas",
        "unopened_cure": "En mapp har kanske bytt namn eller tagits bort. Rätta imap.folders eller mappens namn: "
        "begäranden som ligger där blir inte lästa.",
        "undone": "meddelanden som blivit ärenden kan inte märkas, kopieras eller flyttas",
        "undone_cure": "Kontrollera imap.keyword, imap.copy_to och imap.move_to. Själva begärandena är lästa.",
        "ending": "{thing} går snart ut",
        "ending_cure": "Förnya i tid: därefter läses ingen post eller går inga svar i väg.",
        "last_moment": "Gäller till {moment}",
        "imap.certificate": "IMAP-serverns certifikat",
        "imap.authority": "certifikatet för IMAP-serverns utfärdare (imap.ca_file)",
        "imap.token": "IMAP-kontots OAuth-tillstånd",
        "imap.secret": "IMAP-kontots lösenord eller applikationens hemlighet",
        "smtp.certificate": "SMTP-serverns certifikat",
        "smtp.authority": "certifikatet för SMTP-serverns utfärdare (smtp.ca_file)",
        "smtp.token": "SMTP-kontots OAuth-tillstånd",
        "smtp.secret": "SMTP-kontots lösenord eller applikationens hemlighet",
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
        "unopened": "some folders can not be read",
        "unopened_cure": "A folder may have been renamed or removed. Correct imap.folders or the folder's name: "
        "requests that lie there are not read.",
        "undone": "messages that became tickets can not be marked, copied or moved",
        "undone_cure": "Check imap.keyword, imap.copy_to and imap.move_to. The requests themselves have been read.",
        "ending": "{thing} is about to run out",
        "ending_cure": "Renew it in time: afterwards no mail is read, or no reply leaves.",
        "last_moment": "Valid until {moment}",
        "imap.certificate": "the certificate of the IMAP server",
        "imap.authority": "the certificate of the IMAP server's authority (imap.ca_file)",
        "imap.token": "the OAuth permission of the IMAP account",
        "imap.secret": "the password of the IMAP account or its application secret",
        "smtp.certificate": "the certificate of the SMTP server",
        "smtp.authority": "the certificate of the SMTP server's authority (smtp.ca_file)",
        "smtp.token": "the OAuth permission of the SMTP account",
        "smtp.secret": "the password of the SMTP account or its application secret",
    },
}
