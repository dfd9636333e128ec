"""The schema's history. Runs on SQLite and PostgreSQL alike; a migrated schema equals a fresh one (tested)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def upgrade(engine: Engine) -> None:
    """Applies every migration that is missing; does nothing when none is."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
