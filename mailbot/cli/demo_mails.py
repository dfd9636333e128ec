"""The mails of the demo: invented people, example domains, ordinary words."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

CONTACT = "privacy@example.com"
ANNA = "anna@example.org"
STRANGER = "stranger@example.net"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One mail, and what must come of it."""

    key: str
    name: str
    address: str
    subject: str
    text: str
    about: str  # for the reader of the demo
    rights: tuple[str, ...] = ()
    language: str = ""
    sign: str = ""  # words that show the reply's language
    headers: tuple[tuple[str, str], ...] = ()
    long_id: bool = False

    @property
    def message_id(self) -> str:
        """Its Message-ID; one is as long as Outlook writes them (85 characters)."""
        local = f"{self.key}.{'0123456789abcdef' * 4}"[:66] if self.long_id else self.key
        return f"<{local}@{'mail.example.net' if not self.long_id else 'outlook.example.net'}>"

    def raw(self, moment: datetime) -> bytes:
        """The bytes, dated `moment`."""
        mail = EmailMessage(policy=SMTP.clone(max_line_length=998))
        mail["From"], mail["To"] = f"{self.name} <{self.address}>", CONTACT
        mail["Subject"], mail["Date"] = self.subject, format_datetime(moment)
        mail["Message-ID"] = self.message_id
        for name, value in self.headers:
            mail[name] = value
        mail.set_content(self.text)
        return mail.as_bytes()


LETTERS = (
    Letter(
        key="access", name="Matti Mallikas", address="matti@example.net", subject="Tietopyyntö",
        text="Hei,\n\nhaluaisin tietää, mitä tietoja teillä on minusta. Lähettäisittekö kopion?\n\nMatti Mallikas\n",
        about="Finnish: what do you know about me?",
        rights=("access",), language="fi", sign="Hei Matti", long_id=True,
    ),
    Letter(
        key="rectification", name="Liisa Laine", address="liisa@example.net", subject="uusi numero",
        text="Moi! Puhelinnumeroni on vaihtunut. Korjatkaa se tietoihini: vanha 050 000 1111, uusi 040 000 2222."
        "\n\nLiisa\n",
        about="Finnish: my number is wrong",
        rights=("rectification",), language="fi", sign="Hei Liisa",
    ),
    Letter(
        key="erasure", name="Sven Ström", address="sven@example.net", subject="Ta bort mig",
        text="Hej,\n\njag vill att ni raderar mina personuppgifter ur kundregistret.\n\nMed vänlig hälsning\n"
        "Sven Ström\n",
        about="Swedish: erase me",
        rights=("erasure",), language="sv", sign="Hej Sven",
    ),
    Letter(
        key="restriction", name="Joan Doe", address="joan@example.net", subject="My data",
        text="Hello,\n\nplease restrict the processing of my personal data until you have checked that it is accurate."
        "\n\nJoan Doe\n",
        about="English: stop using it for now",
        rights=("restriction",), language="en", sign="Dear Joan",
    ),
    Letter(
        key="both", name="Karin Ek", address="karin@example.net", subject="Mina uppgifter",
        text="Hej!\n\nSkicka mig en kopia av mina personuppgifter, och radera dem sedan.\n\nKarin Ek\n",
        about="Swedish: a copy, then erase (two rights)",
        rights=("access", "erasure"), language="sv", sign="Hej Karin",
    ),
    Letter(
        key="register_description", name="Olli Oja", address="olli@example.net", subject="Rekisteriseloste",
        text="Hei, pyydän asiakasrekisterinne rekisteriselosteen.\n\nOlli Oja\n",
        about="Finnish: the register description",
        rights=("register_description",), language="fi", sign="Hei Olli",
    ),
    Letter(
        key="sales", name="Myynti Oy", address="myynti@example.net", subject="Tarjous: tietosuoja kuntoon",
        text="Hei!\n\nTiesitkö, että asiakkaasi voi pyytää tietojensa poistamista? Autamme yrityksiä vastaamaan "
        "tietopyyntöihin. Varaa maksuton esittely ensi viikolle.\n\nMyyntitiimi\n",
        about="a sales mail that talks of GDPR",
    ),
    Letter(
        key="away", name="Pekka Poissa", address="pekka@example.net", subject="Poissa: Re: Tarjous",
        text="Olen lomalla 1.12. asti enkä lue sähköpostia. Kiireellisissä asioissa ota yhteys vaihteeseen.\n",
        about="an out-of-office note", headers=(("Auto-Submitted", "auto-replied"),),
    ),
    Letter(
        key="private", name="Ville Veli", address="ville@example.net", subject="lauantai",
        text="Moro! Tuletko lauantaina saunalle? Poista se vanha tiedosto jaetusta kansiosta ennen sitä.\n\nVille\n",
        about="a private mail that says “delete”",
    ),
)  # fmt: skip
