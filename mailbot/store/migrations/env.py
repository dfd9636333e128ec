"""How alembic reaches the database: through the engine it was handed, in one transaction."""

from alembic import context

from mailbot.store.schema import METADATA

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection, target_metadata=METADATA, render_as_batch=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
