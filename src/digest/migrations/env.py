"""How Alembic reaches the database: through the connection that database.open_database hands over."""

from alembic import context

import digest.delivery.tables
import digest.edition.store
import digest.operations.store
import digest.scores.tables
import digest.subscribers.tables
import digest.weekly.store  # noqa: F401 (the import registers the tables)
from digest.database import metadata

with_connection = context.config.attributes["connection"]
context.configure(
    connection=with_connection,
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
