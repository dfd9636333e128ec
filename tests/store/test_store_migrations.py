"""The schema: fresh and migrated are the same, and what is not ours is refused."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from mailbot.errors import ConfigurationError
from mailbot.store.database import SCHEMA_VERSION, Database
from mailbot.store.schema import METADATA

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
    asked = inspect(database.engine)
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
    return shape


def test_the_migrated_schema_is_the_fresh_one(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Columns, keys, checks and indexes made by the migrations are those that the tables name."""
    migrated = Database(url)
    migrated.prepare()
    made = _shape(migrated)
    with migrated.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        connection.execute(text("DROP TABLE alembic_version"))
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    assert made == _shape(migrated)
    assert set(made) == set(METADATA.tables)
    migrated.close()


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
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    try:
        with pytest.raises(ConfigurationError, match=cure):
            database.prepare()
    finally:
        with database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": SCHEMA_VERSION})


def test_the_database_of_another_program_is_left_alone(url: str) -> None:
    """Tables that are not ours are named as somebody else's, and no table of ours joins them."""
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE invoices (number INTEGER)"))
    with pytest.raises(ConfigurationError, match="another program"):
        database.prepare()
    assert inspect(database.engine).get_table_names() == ["invoices"]
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
