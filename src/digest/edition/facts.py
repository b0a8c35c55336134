"""What every part of an edition is made of: frozen facts, serialisable and hashed."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(Fact):
    """A model as it is shown: title and variant; `model` is the canonical id, `raw` the publisher's own name."""

    model: str
    title: str
    raw: str
    effort: str | None = None
    thinking: str | None = None
    date: str | None = None
    host: str | None = None


class Figure(Fact):
    """A value with its rank and interval where it has them. `receipt` is its receipt's id, where no change tells it."""

    value: Decimal | None = None
    rank: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    receipt: str | None = None


class Proof(Fact):
    """Where a source's figures come from: the capture's day and the sha256 of its bytes."""

    on: date
    sha256: str


class Variant(Fact):
    """Another variant of a model, with its figure's receipt."""

    name: Name
    rank: int | None
    value: Decimal | None
    receipt: str = ""


class Said(Fact):
    source: str
    title: str
    value: Decimal
    on: date


class Disagreement(Fact):
    """One fact that two sources tell differently, beyond both uncertainties. Told once."""

    change: str
    fact: str
    name: Name
    measure: str
    unit: str
    said: tuple[Said, Said]
