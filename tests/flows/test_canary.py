"""The test mail proves the address or people hear of it, once; on a real SQLite file."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.core.staff import Role, StaffMember
from mailbot.errors import ConfigurationError, TryLaterError
from mailbot.flows import canary as flow
from mailbot.flows.canary import Round, canary
from mailbot.flows.canary_words import WORDS
from mailbot.flows.duties import POLLED, REMINDED, STUCK, Plan
from mailbot.flows.office import Office, Options
from mailbot.gateway.deadline_rules import shipped_rules
from mailbot.gateway.profiles import load_profile
from mailbot.gateway.reading_rules import load_reading_patterns
from mailbot.gateway.resources import shipped
from mailbot.gateway.templates import Renderer
from mailbot.gateway.working_days import WorkingDays
from mailbot.mail.own import Origin, origin
from mailbot.mail.parse import read_message
from mailbot.store import audit, cursors, outbox
from mailbot.store.database import Database
from mailbot.store.outbox import Outgoing

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PLAN = Plan(enabled=True, address="privacy@example.com", interval=24 * HOUR, wait=HOUR)
OFF = Plan()
KEY = b"k" * 32


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Everything of an office but its memory."""
    rules = shipped_rules()
    controller = load_profile("jalo-it", shipped("rules"))
    person = StaffMember(name="Anna Approver", address="anna@example.com", roles=frozenset({Role.APPROVER}))
    return Office(
        database=Database(f"sqlite:///{tmp_path_factory.mktemp('unused') / 'none.db'}"),
        controller=controller,
        staff=(person,),
        sender="Jalo IT Oy <privacy@example.com>",
        own_addresses=frozenset({"privacy@example.com"}),
        texts=Renderer([shipped("templates")]),
        calendar=WorkingDays(controller.country, rules.policy.eves_as_holidays, rules=rules),
        policy=rules.policy,
        key=KEY,
        options=Options(alarm_address="admin@other-domain.example"),
    )


@pytest.fixture
def office(made_once: Office, tmp_path: Path) -> Iterator[Office]:
    database = Database(f"sqlite:///{tmp_path / 'memory.db'}")
    database.prepare()
    yield replace(made_once, database=database)
    database.close()


def look(office: Office, after: timedelta, plan: Plan = PLAN, awake_since: datetime | None = None) -> Round:
    return canary(office, plan, now=NOW + after, awake_since=awake_since)


def queued(office: Office, audience: str, at: datetime = NOW + 10_000 * HOUR) -> list[Outgoing]:
    with office.database.write() as connection:
        due = [mail.id for mail in outbox.due(connection, at) if mail.audience == audience]
        return [outbox.by_id(connection, number) for number in due]


def leaves(office: Office, after: timedelta) -> Origin:
    """The newest test mail is taken by a server and lies in the mailbox; what its mark says."""
    mail = queued(office, "canary")[-1]
    assert mail.raw is not None
    with office.database.write() as connection:
        outbox.accepted(connection, mail, NOW + after)
    found = origin(KEY, read_message(mail.raw, load_reading_patterns(shipped("rules"))))
    assert found is not None
    return found


def arrives(office: Office, found: Origin, after: timedelta) -> bool:
    with office.database.write() as connection:
        return flow.arrived(connection, found, NOW + after)


def names(done: Round) -> list[tuple[str, bool]]:
    return [(told.name, told.recovered) for told in done.told]


def events(office: Office) -> list[str]:
    with office.database.read() as connection:
        return [told.entry.event for told in audit.chain(connection)]


def test_nothing_is_sent_until_it_is_switched_on(office: Office) -> None:
    """Without the configuration's word no test mail is queued and no alarm is raised."""
    assert look(office, HOUR, OFF) == Round()
    assert queued(office, "canary") == queued(office, "alarm") == []


def test_a_test_mail_is_sent_to_the_public_address_with_our_mark(office: Office) -> None:
    """It goes through the outbox, says that it is automatic, and is recognised by its HMAC as a canary."""
    assert look(office, 0 * HOUR).sent
    (mail,) = queued(office, "canary")
    assert (mail.recipient, mail.ticket_id, mail.approval_id) == ("privacy@example.com", None, None)
    assert mail.raw is not None
    assert b"Auto-Submitted: auto-generated" in mail.raw
    message = read_message(mail.raw, load_reading_patterns(shipped("rules")))
    assert origin(KEY, message) == Origin(kind="canary", message_id=mail.message_id, rewritten=False)
    assert origin(b"x" * 32, message) is None


def test_one_travels_at_a_time_and_the_next_waits_its_interval(office: Office) -> None:
    """Looks between send nothing, also once it has arrived; after the interval the next is sent."""
    look(office, 0 * HOUR)
    assert not look(office, 10 * MINUTE).sent
    arrives(office, leaves(office, MINUTE), 2 * MINUTE)
    assert [look(office, after).sent for after in (HOUR, 23 * HOUR, 24 * HOUR, 25 * HOUR)] == [
        False,
        False,
        True,
        False,
    ]


def test_one_that_arrives_in_time_says_nothing(office: Office) -> None:
    """No alarm and no all-clear: nothing was wrong."""
    look(office, 0 * HOUR)
    assert arrives(office, leaves(office, MINUTE), 5 * MINUTE)
    assert names(look(office, 2 * HOUR)) == []
    assert queued(office, "alarm") == []
    assert events(office) == []


def test_a_missing_one_is_an_alarm_once(office: Office) -> None:
    """When the wait is over people hear of it; later looks say nothing again."""
    look(office, 0 * HOUR)
    leaves(office, MINUTE)
    assert look(office, 60 * MINUTE).waiting
    assert names(look(office, 61 * MINUTE)) == [("canary", False)]
    assert names(look(office, 3 * HOUR)) == []
    (mail,) = queued(office, "alarm")
    assert mail.recipient == "admin@other-domain.example"
    assert events(office) == ["alarm_raised"]


def test_the_alarm_says_whether_it_had_left(office: Office) -> None:
    """A test mail that no server took is a fault of sending, one that was taken is a fault of receiving."""
    language = office.controller.language
    look(office, 0 * HOUR)
    (unsent,) = look(office, 2 * HOUR).told
    assert WORDS[language]["canary_unsent"] in unsent.text.subject
    look(office, 24 * HOUR)
    arrives(office, leaves(office, 24 * HOUR), 24 * HOUR + MINUTE)
    look(office, 48 * HOUR)
    look(office, 48 * HOUR + 2 * MINUTE)
    leaves(office, 48 * HOUR + MINUTE)
    (lost,) = look(office, 50 * HOUR).told
    assert WORDS[language]["canary_lost"] in lost.text.subject


def test_well_again_is_said_once(office: Office) -> None:
    """After an alarm the next test mail that arrives ends it, and that is told once."""
    look(office, 0 * HOUR)
    leaves(office, MINUTE)
    look(office, 2 * HOUR)
    look(office, 24 * HOUR)
    arrives(office, leaves(office, 24 * HOUR), 24 * HOUR + MINUTE)
    assert names(look(office, 24 * HOUR + 10 * MINUTE)) == [("canary", True)]
    assert names(look(office, 24 * HOUR + 20 * MINUTE)) == []
    assert events(office) == ["alarm_raised", "alarm_ended"]
    assert len(queued(office, "alarm")) == 2


def test_one_that_comes_late_ends_its_alarm(office: Office) -> None:
    """The mail that was missed arrives after all: the address works again."""
    look(office, 0 * HOUR)
    found = leaves(office, MINUTE)
    look(office, 2 * HOUR)
    arrives(office, found, 3 * HOUR)
    assert names(look(office, 4 * HOUR)) == [("canary", True)]


def test_a_long_outage_is_one_alarm(office: Office) -> None:
    """A week of missing test mails is told once."""
    told = [name for hour in range(0, 24 * 7, 2) for name in names(look(office, hour * HOUR))]
    assert told == [("canary", False)]


def test_a_copy_of_an_older_one_proves_nothing(office: Office) -> None:
    """Only the one that is waited for counts, and an old one does not hide it."""
    look(office, 0 * HOUR)
    old = leaves(office, MINUTE)
    arrives(office, old, 2 * MINUTE)
    look(office, 24 * HOUR)
    new = leaves(office, 24 * HOUR)
    assert not arrives(office, old, 24 * HOUR + MINUTE)
    assert names(look(office, 26 * HOUR)) == [("canary", False)]
    assert arrives(office, new, 26 * HOUR)
    assert not arrives(office, old, 27 * HOUR)
    assert names(look(office, 28 * HOUR)) == [("canary", True)]


def test_other_mail_of_ours_is_no_canary(office: Office) -> None:
    """A notice with the same Message-ID but another kind proves nothing."""
    look(office, 0 * HOUR)
    assert not arrives(office, replace(leaves(office, MINUTE), kind="notice"), MINUTE)


@pytest.mark.parametrize(
    ("found", "may"),
    [
        (None, False),
        (Origin(kind="notice", message_id="<1@example.com>", rewritten=False), False),
        (Origin(kind="canary", message_id="<1@example.com>", rewritten=True), False),
        (Origin(kind="canary", message_id="<1@example.com>", rewritten=False), True),
    ],
)
def test_only_the_very_mail_may_be_deleted(found: Origin | None, may: bool) -> None:
    """Clean-up touches nothing but a canary under its own Message-ID."""
    assert flow.may_be_deleted(found) is may


def test_a_machine_that_was_off_raises_no_false_alarm(office: Office) -> None:
    """After a week off, the wait counts from the moment it woke up."""
    look(office, 0 * HOUR)
    leaves(office, MINUTE)
    woke = NOW + 168 * HOUR
    assert names(look(office, 168 * HOUR + MINUTE, awake_since=woke)) == []
    assert names(look(office, 170 * HOUR, awake_since=woke)) == [("canary", False)]


def test_a_clock_set_back_does_not_stop_the_test_mails(office: Office) -> None:
    """A test mail that seems to have been sent in the future is followed by a new one."""
    look(office, 1000 * HOUR)
    arrives(office, leaves(office, 1000 * HOUR), 1000 * HOUR)
    assert look(office, 0 * HOUR).sent


def test_an_unsent_one_is_replaced_not_piled_up(office: Office) -> None:
    """While nothing can be sent, one test mail waits at most."""
    for day in range(5):
        look(office, day * 24 * HOUR)
    assert len(queued(office, "canary")) == 1


def test_switching_off_ends_the_waiting(office: Office) -> None:
    """What was on its way is forgotten: no alarm then, none when it is switched on again."""
    look(office, 0 * HOUR)
    assert names(look(office, 5 * HOUR, OFF)) == []
    assert queued(office, "canary") == []
    again = look(office, 500 * HOUR)
    assert (again.sent, names(again)) == (True, [])


def test_switched_on_without_an_address_is_a_matter_of_configuration(office: Office) -> None:
    """One line names the key."""
    with pytest.raises(ConfigurationError, match=r"canary\.address"):
        canary(office, replace(PLAN, address=""), now=NOW)


def test_without_an_alarm_address_the_caller_still_hears_of_it(office: Office) -> None:
    """The command line can run the administrator's command with the text."""
    silent = replace(office, options=Options())
    look(silent, 0 * HOUR)
    (told,) = look(silent, 2 * HOUR).told
    assert told.text.body
    assert queued(office, "alarm") == []


@pytest.mark.parametrize(("name", "limit"), [(POLLED, HOUR), (REMINDED, 26 * HOUR)])
def test_a_duty_that_stopped_is_told_once_and_its_recovery_too(office: Office, name: str, limit: timedelta) -> None:
    """The last good round is too long ago: alarm; a new round: well again."""
    plan = Plan(limits={name: limit})
    _note(office, name, 0 * HOUR)
    assert names(look(office, limit, plan)) == []
    assert names(look(office, limit + MINUTE, plan)) == [(name, False)]
    assert names(look(office, limit + 2 * MINUTE, plan)) == []
    _note(office, name, limit + HOUR)
    assert names(look(office, limit + HOUR + MINUTE, plan)) == [(name, True)]
    assert names(look(office, limit + HOUR + 2 * MINUTE, plan)) == []


def _note(office: Office, name: str, after: timedelta) -> None:
    with office.database.write() as connection:
        cursors.note_state(connection, name, "ok", NOW + after)


def test_a_duty_that_never_ran_is_not_said_to_have_stopped(office: Office) -> None:
    """A fresh installation raises no alarm."""
    plan = Plan(limits={POLLED: HOUR, STUCK: HOUR, REMINDED: 26 * HOUR})
    assert names(look(office, 1000 * HOUR, plan)) == []


def test_mail_that_nobody_tries_to_send_is_told(office: Office) -> None:
    """A queued mail whose time passed an hour ago means that no sender lives; once it has left, all is well."""
    look(office, 0 * HOUR)
    watched = replace(PLAN, limits={STUCK: 2 * HOUR})
    assert (STUCK, False) in names(look(office, 3 * HOUR, watched))
    leaves(office, 3 * HOUR)
    for mail in queued(office, "alarm"):
        with office.database.write() as connection:
            outbox.accepted(connection, mail, NOW + 3 * HOUR)
    assert (STUCK, True) in names(look(office, 4 * HOUR, watched))


def test_mail_that_is_tried_and_put_off_is_not_stuck(office: Office) -> None:
    """A server that asks for patience is no dead sender."""
    look(office, 0 * HOUR)
    (mail,) = queued(office, "canary")
    with office.database.write() as connection:
        outbox.defer(connection, mail.id, NOW + 5 * HOUR, answered_failure=True)
    assert names(look(office, 4 * HOUR, Plan(limits={STUCK: HOUR}))) == []


@pytest.mark.parametrize("language", ["fi", "sv", "en", "de"])
def test_alarms_speak_the_controllers_language(office: Office, language: str) -> None:
    """Where there are no words of ours, English is spoken; no text has an empty place."""
    speaking = replace(office, controller=replace(office.controller, language=language))
    look(speaking, 0 * HOUR)
    (told,) = look(speaking, 2 * HOUR).told
    words = WORDS.get(language, WORDS["en"])
    assert words["canary_unsent"] in told.text.subject
    assert words["canary_unsent_cure"].split()[0] in told.text.body
    assert "3.11.2026 11:00" in told.text.body  # local time of the controller


def test_every_language_has_every_word() -> None:
    """The same keys in all, and a cure for each trouble."""
    assert {frozenset(words) for words in WORDS.values()} == {frozenset(WORDS["en"])}
    for name in (POLLED, STUCK, REMINDED, "canary_lost", "canary_unsent"):
        assert {name, f"{name}_cure"} <= WORDS["en"].keys()


def test_two_looks_at_once_send_one(office: Office) -> None:
    """While one round runs another is turned away, and only one test mail is queued."""
    refused: list[BaseException] = []

    def other() -> None:
        try:
            look(office, 0 * HOUR)
        except TryLaterError as error:
            refused.append(error)

    with office.database.exclusively("canary"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(timeout=10)
    assert len(refused) == 1
    look(office, 0 * HOUR)
    assert len(queued(office, "canary")) == 1
