"""Several pollers, senders, reminders and deciders at once, on SQLite and on PostgreSQL: nothing happens twice."""

from pathlib import Path

import pytest
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink
from story.desk import STAFF

from crash import checks
from crash.run import Figures, Story, clean_end, verify
from crash.workshop import Forge, Workshop
from mailbot.core.draft import DraftKind
from mailbot.store import drafts, tickets
from mailbot.store.database import Database

TRY_LATER = 75


@pytest.fixture(params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, dovecot: Dovecot, smtp_sink: SmtpSink, tmp_path: Path, forge: Forge) -> Story:
    """A controller with an empty mailbox, on each kind of database."""
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    shop = Workshop.make(tmp_path, dovecot, smtp_sink, forge, 1, url)
    return Story(shop=shop, figures=Figures(seed=1))


def _url(story: Story) -> str:
    text = (story.shop.desk.folder / "mailbot.toml").read_text()
    url = text.split('url = "')[1].split('"')[0]
    return url if url.startswith("postgresql") else f"sqlite:///{story.shop.desk.folder / 'var' / 'test.db'}"


def _at_once(story: Story, *commands: tuple[str, ...]) -> list[int]:
    """Starts all of them together; their exit codes."""
    started = [story.shop.start(*command) for command in commands]
    return [one.end() for one in started]


@pytest.mark.server
@pytest.mark.slow
def test_a_crowd_does_everything_once(story: Story) -> None:
    """Two pollers, three senders and two reminders at the same moment: no ticket, mail or reminder is doubled."""
    for _ in range(2):
        for _ in range(4):
            story.something_arrives()
        story.staff_answer()
        codes = _at_once(
            story,
            *[("poll", "--once")] * 2,
            *[("deliver", "--once")] * 3,
            *[story.remind()] * 2,
        )
        assert set(codes) <= {0, TRY_LATER}, codes
        assert 0 in codes[:2], "no poller came through"
        assert codes[5:] == [0, 0], "a reminder waits for the other and finds nothing left to say"
        story.day += 3
    clean_end(story)
    verify(story, _url(story))
    assert story.figures.repeats == 0, "nobody died, so nothing may have been sent twice"
    assert story.figures.approved > 0


@pytest.mark.server
@pytest.mark.slow
def test_many_senders_share_the_work(story: Story) -> None:
    """Mail that waits is sent once, whoever of four senders takes it; on PostgreSQL none of them is turned away."""
    for _ in range(6):
        story.request_arrives()
    story.shop.must("poll", "--once")
    codes = _at_once(story, *[("deliver", "--once")] * 4)
    if _url(story).startswith("postgresql"):
        assert codes == [0] * 4
    else:
        assert set(codes) <= {0, TRY_LATER}
    story.shop.must("deliver", "--once")
    assert len(story.shop.desk.smtp.accepted) == 6


@pytest.mark.server
@pytest.mark.slow
def test_two_people_can_not_approve_the_same_reply_twice(story: Story) -> None:
    """Both approve at the same moment: one does, the other is told that it is approved; one reply leaves."""
    story.request_arrives()
    story.shop.must("poll", "--once")
    database = Database(_url(story))
    with database.read() as connection:
        (ticket,) = tickets.find(connection)
        (reply,) = drafts.pending(connection, ticket.id, DraftKind.REPLY)
    approve = ("ticket", "approve", ticket.reference, "--by", STAFF, "--fingerprint", reply.fingerprint)
    codes = _at_once(story, *[approve] * 3)
    assert sorted(codes) == [0, 65, 65]
    _at_once(story, *[("deliver", "--once")] * 2)
    story.shop.must("deliver", "--once")
    with database.read() as connection:
        assert checks.one_message_id_for_each(connection, story.shop.desk.smtp, story.requesters) == 0
        checks.chain_whole(connection)
    database.close()
