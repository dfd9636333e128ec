"""The tables of an empty database as SQL, one script for each kind: `python tests/store/fresh.py` writes them anew.

They are made from the tables in `mailbot/store/schema.py`; tests hold them equal to those and to what the migrations
make.
"""

from pathlib import Path

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, create_mock_engine

import mailbot.store
from mailbot.store.schema import METADATA

FOLDER = Path(mailbot.store.__file__).parent
KINDS = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def script(kind: str) -> str:
    """Every statement, each ended by a semicolon at the end of a line."""
    said: list[str] = []

    def note(statement: object, *_: object, **__: object) -> None:
        lines = str(statement.compile(dialect=engine.dialect)).replace("\t", "  ").splitlines()  # type: ignore[attr-defined]
        said.append("\n".join(line.rstrip() for line in lines if line.strip()) + ";\n")

    engine = create_mock_engine(KINDS[kind], note)
    METADATA.create_all(engine, checkfirst=False)
    _VERSION.create(engine, checkfirst=False)
    return "\n".join(sorted(said, key=lambda one: one if "INDEX" in one.split(" ON ")[0] else ""))  # tables first


if __name__ == "__main__":
    for kind in KINDS:
        (FOLDER / f"fresh_{kind}.sql").write_text(script(kind), encoding="utf-8")
