"""The schema: fresh and migrated are the same, and what is not ours is refused."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fresh import FOLDER, KINDS, script
from sqlalchemy import Boolean, Date, create_engine, inspect

from mailbot.errors import ConfigurationError
from mailbot.store import migrations
from mailbot.store.connection import FLAGS, JSON
from mailbot.store.database import SCHEMA_VERSION, Database
from mailbot.store.schema import METADATA, Json, Moment

# SQLAlchemy can not read an index over an expression back from SQLite; PostgreSQL shows that it is alike.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipped unsupported reflection:sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression:UserWarning"),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    return f"sqlite:///{tmp_path / 'fresh.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")


def _shape(database: Database) -> dict[str, Any]:
    """Everything the database says of its tables."""
    engine = create_engine(database.url)
    asked = inspect(engine)
    shape: dict[str, Any] = {}
    for name in sorted(set(asked.get_table_names()) - {"alembic_version"}):
        columns = [(c["name"], str(c["type"]), c["nullable"]) for c in asked.get_columns(name)]
        keys = sorted(
            (tuple(k["constrained_columns"]), k["referred_table"], tuple(k["referred_columns"]))
            for k in asked.get_foreign_keys(name)
        )
        checks = sorted((str(c["name"]), str(c["sqltext"])) for c in asked.get_check_constraints(name))
        unique = sorted(tuple(u["column_names"]) for u in asked.get_unique_constraints(name))
        indexes = sorted((str(i["name"]), tuple(i["column_names"]), bool(i["unique"])) for i in asked.get_indexes(name))
        primary = asked.get_pk_constraint(name)["constrained_columns"]
        shape[name] = (columns, primary, keys, checks, unique, indexes)
    engine.dispose()
    return shape


def test_the_migrated_schema_is_the_fresh_one(url: str) -> None:
    """Columns, keys, checks and indexes made by the migrations are those of the script and of the tables."""
    migrations.upgrade(url)
    migrated = Database(url)
    assert migrated.version() == SCHEMA_VERSION
    made = _shape(migrated)
    engine = create_engine(url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        METADATA.drop_all(connection)
    with migrated.write() as writing:
        writing.run("DROP TABLE alembic_version")
    migrated.prepare()
    assert made == _shape(migrated)
    assert set(made) == set(METADATA.tables)
    engine.dispose()
    migrated.close()


@pytest.mark.parametrize("kind", KINDS)
def test_the_script_of_an_empty_database_is_what_the_tables_say(kind: str) -> None:
    """`python tests/store/fresh.py` would change nothing."""
    assert (FOLDER / f"fresh_{kind}.sql").read_text(encoding="utf-8") == script(kind)


def test_the_name_of_a_column_tells_what_it_holds() -> None:
    """Moments are `at` or end in `_at`, days end in `_on`, and flags and JSON are those that the connection knows."""
    every = [column for table in METADATA.tables.values() for column in table.columns]
    moments = {c.name for c in every if isinstance(c.type, Moment)}
    days = {c.name for c in every if isinstance(c.type, Date)}
    assert moments == {c.name for c in every if c.name == "at" or c.name.endswith("_at")}
    assert days == {c.name for c in every if c.name.endswith("_on")}
    assert {c.name for c in every if isinstance(c.type, Boolean)} == {c.name for c in every if c.name in FLAGS} == FLAGS
    assert {c.name for c in every if isinstance(c.type, Json)} == {c.name for c in every if c.name in JSON} == JSON
    assert not [c for c in every if not isinstance(c.type, (Json, Boolean, Moment, Date)) and c.name in JSON | FLAGS]


def test_an_upgrade_can_be_repeated(url: str) -> None:
    """The second upgrade changes nothing, and the version is the one this program needs."""
    database = Database(url)
    database.upgrade()
    shape = _shape(database)
    database.upgrade()
    assert database.version() == SCHEMA_VERSION
    assert _shape(database) == shape
    database.close()


@pytest.mark.parametrize(("version", "cure"), [("0000", "mailbot db upgrade"), ("9999", "install the newer mailbot")])
def test_another_version_is_refused_with_its_cure(database: Database, version: str, cure: str) -> None:
    """Neither an older nor a newer schema is worked on."""
    with database.write() as connection:
        connection.run("UPDATE alembic_version SET version_num = :v", {"v": version})
    try:
        with pytest.raises(ConfigurationError, match=cure):
            database.prepare()
    finally:
        with database.write() as connection:
            connection.run("UPDATE alembic_version SET version_num = :v", {"v": SCHEMA_VERSION})


def test_the_database_of_another_program_is_left_alone(url: str) -> None:
    """Tables that are not ours are named as somebody else's, and no table of ours joins them."""
    database = Database(url)
    with database.write() as connection:
        connection.run("CREATE TABLE invoices (number INTEGER)")
    with pytest.raises(ConfigurationError, match="another program"):
        database.prepare()
    with database.read() as connection:
        assert connection.column(database.driver.tables) == ["invoices"]
    database.close()


def _prepare(url: str, barrier: Any, answers: Any) -> None:
    barrier.wait()
    try:
        database = Database(url)
        database.prepare()
        answers.put(database.version())
        database.close()
    except Exception as error:  # noqa: BLE001 - handed to the test
        answers.put(repr(error))


def test_several_processes_may_make_the_same_database_at_once(url: str) -> None:
    """On the first start the poller and the sender both find nothing; both end with the whole schema."""
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(4), fork.Queue()
    processes = [fork.Process(target=_prepare, args=(url, barrier, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=60) for _ in processes] == [SCHEMA_VERSION] * 4
    for process in processes:
        process.join(30)
