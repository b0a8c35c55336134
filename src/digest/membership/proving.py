"""The proof of a consent: the log of one reader, the words that were agreed to, and whether it can be believed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.membership.addresses import email_key
from digest.membership.leaving import proof_of
from digest.membership.listing import nobody
from digest.subscribers import store
from digest.subscribers.consent import KINDS, WORDINGS, Consent, ConsentEvent, Link, State, broken, fold, hash_of

HASHED_OVER = (
    "Each hash is sha256 over the JSON text [the hash before or an empty string, the number, the facts], in UTF-8, "
    "without spaces; the facts are all keys of an event but number, hash and wording_text, sorted, moments in UTC with "
    "microseconds."
)
"""How anybody can make the hashes of a proof again."""


class Standing(NamedTuple):
    """What a reader's row says of the log: the state that follows from it, number and hash of its newest event."""

    consent: Consent
    number: int
    hash: str


class Proof(NamedTuple):
    """A consent log for a regulator. `events` are as `leaving.proof_of` gives them, `faults` why not to believe it."""

    state: State
    faults: tuple[str, ...]
    events: list[dict[str, Any]]


def proof(engine: Engine, settings: Settings, email: str, now: datetime) -> Proof:
    """The proof for an address, also for one that was erased, whose log is found by the keyed hash of it.

    Raises UsageError for an address that is nobody's.
    """
    key = email_key(email)
    number = number_of(engine, settings, key, now)
    if number is None:
        raise nobody()
    with reading(engine) as connection:
        links = store.log(connection, number)
        known, head = store.get(connection, [number]).get(number), store.head(connection, number)
        standing = Standing(known.consent, *head) if known and head else None
        faults = tuple(faults_of(links, standing))
        state: State = "none" if faults else fold(link.event for link in links).state
        return Proof(state, faults, proof_of(connection, number))


def number_of(engine: Engine, settings: Settings, key: str, now: datetime) -> int | None:
    """The number of the log of an address in the form in which it is compared: a reader's, or an erased one's."""
    with writing(engine) as connection:  # it makes the key of the hashes where there is none yet
        keys = store.link_keys(connection, settings.links, now)
        known = store.find(connection, key)
        return known.id if known else store.refused(connection, [key], keys).get(key)


def faults_of(links: Sequence[Link], standing: Standing | None) -> Iterator[str]:
    """Why a log is not to be believed; nothing where it is. `standing` is that of the reader's row, None if erased.

    Told in the order of what matters: a broken chain first, and then nothing of what follows from it.
    """
    if not links:
        yield "there is no event in it"
        return
    at = broken(links)
    if at is not None:
        yield f"event {at} was changed, or one before it was taken away"
        return
    if any(link.event.kind not in KINDS for link in links):
        yield "it holds an event of a kind that there is not"
        return
    last, consent = links[-1], fold(link.event for link in links)
    for link in links:
        if not _words_stand(link.event):
            yield f"the words agreed to in event {link.number} are not those that its hash was made from"
    if standing is None:
        if last.event.kind not in ("erased", "expired"):
            yield "the reader's row is gone, but nothing says that they were erased"
    elif (standing.number, standing.hash) != (last.number, last.hash):
        yield f"it ends with event {last.number}, but the reader's row knows event {standing.number} as another"
    elif standing.consent != consent:
        kept, follows = asdict(standing.consent), asdict(consent)
        names = [name for name, value in follows.items() if kept[name] != value]
        yield f"the reader's row says otherwise in {', '.join(names)}"


def _words_stand(event: ConsentEvent) -> bool:
    return not event.wording_hash or event.wording_hash == hash_of(WORDINGS.get(event.wording, event.wording))
