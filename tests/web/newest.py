"""What the tests of boards, sides by side, receipts and the public API share: captures and an approved edition."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine
from tests import builders as b
from tests.captures import declared
from tests.snapshots import a_board, a_price_list, an_offer
from tests.web.visitors import NOW

from digest.config.settings import Settings
from digest.database import writing
from digest.edition import store
from digest.edition.content import Captured, Edition, Receipt
from digest.edition.rendered import Rendered
from digest.scores import store as scores
from digest.scores.snapshot import Snapshot

WEEK = "2026-W18"
BEFORE, AFTER = date(2026, 4, 20), date(2026, 4, 27)
ID = "0123456789abcdef"

BOARD = {
    "main": {"gpt-5.5-xhigh": "80.7", "gpt-5.4-xhigh": "80.3", "claude-opus-4.7": "76.9", "zeta": "50"},
    "coding": {"gpt-5.5-xhigh": "82.5", "gpt-5.4-xhigh": "77.5", "claude-opus-4.7": "84"},
}


def with_sources(settings: Settings, **titles: str) -> Settings:
    known = {"board": "Sample board", "prices": "Sample prices", **titles}
    return settings.model_copy(update={"sources": {name: declared(title=title) for name, title in known.items()}})


def capture(engine: Engine, *snapshots: Snapshot) -> None:
    with writing(engine) as connection:
        for snapshot in snapshots:
            scores.add_snapshot(connection, snapshot, b"bytes")


def a_week(engine: Engine, figures: Any = None, on: date = AFTER, **about: Any) -> None:
    """A capture of the board with a margin of one point, and of the price list."""
    offers = {"gpt-5.5": an_offer(5, 30, 1_050_000), "gpt-5.4": an_offer("2.5", 15, 1_050_000)}
    board = a_board(figures or BOARD, on=on, **{"margin": Decimal(1), **about})
    capture(engine, board, a_price_list(offers, on=on))


def a_receipt(**changes: Any) -> Receipt:
    sides = {
        "previous": Captured(on=BEFORE, at=NOW, sha256="a" * 64, key="row-1", raw="GPT 5.5", value=Decimal("79.25")),
        "current": Captured(on=AFTER, at=NOW, sha256="b" * 64, key="row-2", raw="gpt-5.5", value=Decimal("80.71")),
    }
    facts = {"id": ID, "source": "board", "title": "Sample board", "url": "https://board.example/data.csv",
             "licence": "CC BY 4.0", "measure": "main", "unit": "%"}  # fmt: skip
    return Receipt(**{**facts, **sides, **changes})


def publish(engine: Engine, receipts: Sequence[Receipt] = (), *, approve: bool = True, **changes: Any) -> Edition:
    edition = b.an_edition(**{"week": WEEK, "receipts": tuple(receipts), **changes})
    envelope = store.Envelope(
        series="Digest", base_url="https://digest.example", from_name="Digest", from_address="news@digest.example",
        reply_to="", list_id="weekly.digest.example",
    )  # fmt: skip
    rendered = Rendered(subject=f"Subject {edition.week}", preheader="", html="", text="")
    with writing(engine) as connection:
        drafted = store.save_draft(connection, edition, rendered, envelope, NOW)
        if approve:
            store.save_approval(connection, edition.week, drafted.content_hash, NOW)
    return edition
