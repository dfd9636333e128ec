"""`database`: the same test on a real SQLite file and on a real PostgreSQL, each with fresh tables."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.store.database import Database
from mailbot.store.schema import METADATA


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    made = Database(f"sqlite:///{path}")
    made.prepare()
    made.close()
    return path


@pytest.fixture(scope="session")
def postgres_ready(postgres_cluster: Any) -> Iterator[Database]:
    """A migrated PostgreSQL database, emptied between tests."""
    url = postgres_cluster.database()
    made = Database(url)
    made.prepare()
    yield made
    made.close()
    postgres_cluster.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with its tables, on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        made = Database(f"sqlite:///{path}")
        yield made
        made.close()
        return
    ready: Database = request.getfixturevalue("postgres_ready")
    with ready.write() as connection:
        names = ", ".join(f'"{table.name}"' for table in METADATA.tables.values())
        connection.run(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    yield ready


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database with its tables."""
    path = tmp_path / "test.db"
    shutil.copy(sqlite_template, path)
    made = Database(f"sqlite:///{path}")
    yield made
    made.close()
