"""How a resolved model name is shown in an edition."""

from digest.edition.content import Name
from digest.scores.catalog import ModelName


def shown_name(name: ModelName) -> Name:
    """A resolved name as a fact of the edition."""
    return Name(
        model=name.model,
        title=name.title,
        raw=name.raw,
        effort=name.effort,
        thinking=name.thinking,
        host=name.host,
    )
