"""Every figure of an edition leads to both captures, by an id that the edition's own document holds."""

from decimal import Decimal

from tests.edition.weeks import BEFORE, composed
from tests.snapshots import MONDAY, a_board, a_price_list, an_offer

from digest.edition.content import Edition
from digest.edition.receipts import figure_id, ids_of
from digest.scores.snapshot import Snapshot

COLUMNS = {"main": 0, "Coding": 1}


def board(**figures: int) -> Snapshot:
    on = BEFORE if "fox" in figures else MONDAY
    table = {name: {row: figure + more for row, figure in figures.items()} for name, more in COLUMNS.items()}
    return a_board(table, on=on, margin=Decimal(1))


def prices(on: bool, **asked: str) -> Snapshot:
    offers = {model: an_offer(price, price) for model, price in asked.items()}
    return a_price_list(offers, on=MONDAY if on else BEFORE)


def an_edition() -> Edition:
    """A new model takes the lead and the pick for coding from one that left; a price is halved."""
    boards = board(ada=60, fox=90), board(ada=70, bob=80)
    return composed(boards, (prices(False, ada="4"), prices(True, ada="2", bob="3")))


def test_every_id_that_a_fact_names_has_its_receipt() -> None:
    edition = an_edition()
    assert any(pick.change for pick in edition.picks), "so that figures of the week before are told"
    assert set(ids_of(edition)) == {receipt.id for receipt in edition.receipts}


def test_a_receipt_holds_both_captures_with_row_value_and_hash() -> None:
    edition, after = an_edition(), board(ada=70, bob=80)
    place = next(place for place in edition.boards[0].places if place.name.raw == "ada")
    assert place.score.receipt == figure_id(after.capture, "ada", "main")
    receipt = next(it for it in edition.receipts if it.id == place.score.receipt)
    assert receipt.previous is not None
    assert receipt.current is not None
    assert (receipt.previous.value, receipt.current.value) == (Decimal(60), Decimal(70))
    assert receipt.current.sha256 == after.capture.sha256


def test_a_price_that_changed_leads_to_what_both_lists_said() -> None:
    edition = an_edition()
    priced = next(it for it in edition.prices[0].priced if it.what == "changed")
    receipt = next(it for it in edition.receipts if it.id == priced.change)
    assert receipt.previous is not None
    assert receipt.current is not None
    assert (receipt.previous.value, receipt.current.value) == (Decimal(4), Decimal(2))
    assert receipt.unit == "USD per 1M tokens"


def test_an_id_names_one_figure_of_one_capture() -> None:
    before, after = board(ada=60, fox=90), board(ada=60, bob=90)
    ids = {figure_id(it.capture, key, name) for it in (before, after) for name in COLUMNS for key in it.rows}
    assert len(ids) == 8
