"""How a resolved model name and a capture are shown in an edition."""

from digest.edition.content import Name, Proof
from digest.scores.catalog import ModelName
from digest.scores.snapshot import Capture


def shown_name(name: ModelName, *, offer: bool = False) -> Name:
    """A resolved name as a fact of the edition. Where it is served is said of an offer only: a score is the model's."""
    return Name(
        model=name.model,
        title=name.title,
        raw=name.raw,
        effort=name.effort,
        thinking=name.thinking,
        date=name.date,
        host=name.host if offer else None,
    )


def proof_of(capture: Capture) -> Proof:
    return Proof(on=capture.on, sha256=capture.sha256)
