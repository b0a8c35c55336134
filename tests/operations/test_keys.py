"""Keys are shown once, kept as a hash, and open what their scopes say until they are revoked."""

from datetime import datetime

import pytest
from sqlalchemy import Engine

from digest.database import metadata
from digest.errors import UsageError
from digest.operations.keys import add_key, list_keys, opened_by, revoke_key


def test_a_key_opens_its_scopes_until_it_is_revoked(engine: Engine, now: datetime) -> None:
    key = add_key(engine, "shop", ["read", "subscribe"], now)
    found = opened_by(engine, key)
    assert found is not None
    assert (found.name, found.scopes) == ("shop", ("subscribe", "read"))
    revoke_key(engine, "shop", now)
    assert opened_by(engine, key) is None
    assert [one.revoked_at for one in list_keys(engine)] == [now]


@pytest.mark.parametrize("key", ["", "dk_", "dk_ü", "dk_" + "A" * 43, "\0"])
def test_what_is_no_key_of_ours_opens_nothing(engine: Engine, now: datetime, key: str) -> None:
    add_key(engine, "shop", ["read"], now)
    assert opened_by(engine, key) is None


def test_the_database_holds_no_key(engine: Engine, now: datetime) -> None:
    key = add_key(engine, "shop", ["read"], now)
    with engine.connect() as connection:
        (row,) = connection.execute(metadata.tables["api_key"].select())
    assert key not in repr(row)
    assert key.removeprefix("dk_") not in repr(row)
    assert len(key) == 46


def test_two_keys_never_share_a_name(engine: Engine, now: datetime) -> None:
    add_key(engine, "shop", ["read"], now)
    revoke_key(engine, "shop", now)
    with pytest.raises(UsageError, match="there is, or was, a key shop"):
        add_key(engine, "shop", ["read"], now)
    with pytest.raises(UsageError, match='no key "shop" is open'):
        revoke_key(engine, "shop", now)


def test_a_key_wants_a_name_and_a_scope(engine: Engine, now: datetime) -> None:
    with pytest.raises(UsageError, match="a key's name"):
        add_key(engine, "our shop\n", ["read"], now)
    for scopes in ([], ["read", "everything"]):
        with pytest.raises(UsageError, match="name at least one scope, of subscribe, read, write"):
            add_key(engine, "shop", scopes, now)
