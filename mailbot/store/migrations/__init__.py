"""The schema's history. Runs on SQLite and PostgreSQL alike; a migrated schema equals a fresh one (tested).

The only part of the house, with the tables' own description, that needs sqlalchemy; an ordinary start never loads it.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event

from mailbot.store.drivers import BUSY_TIMEOUT_MS


def upgrade(url: str) -> None:
    """Applies every migration that is missing; does nothing when none is."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _settings(raw: Any, _record: Any) -> None:
            raw.isolation_level = None  # we say BEGIN ourselves, below
            raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    engine.dispose()
