"""Charts as inline SVG: facts of a board -> marks on a wide and on a narrow sheet -> markup.

A page shows the sheet that fits (`.chart` in templates/web/style.css); both say the same to who cannot see them. The
colours are the style sheet's, by class, so they follow the reader's scheme; there is no style attribute and no script.
No mark needs its colour: lines and dots are labelled, and dots differ in size and in being filled.
"""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from markupsafe import Markup

from digest.edition import frontier, history
from digest.edition.frontier import ScoreByPrice
from digest.edition.history import RankHistory
from digest.language import spoken
from digest.rendering.drawing import NARROW, WIDE, Form, Sheet
from digest.rendering.price_chart import price_sheet
from digest.rendering.rank_chart import rank_sheet
from digest.rendering.templates import fill

Facts = TypeVar("Facts", bound=tuple[object, ...])


def rank_history_svg(facts: RankHistory) -> Markup:
    """The places of a board's top models, one line a model, one column a week."""
    return _markup(facts, rank_sheet, history.finding(facts), history.told(facts))


def score_by_price_svg(facts: ScoreByPrice) -> Markup:
    """The models of a board by score and price, and the frontier that nothing beats on both."""
    return _markup(facts, price_sheet, frontier.finding(facts), frontier.told(facts))


def content_key(facts: tuple[object, ...]) -> str:
    """A name for what a picture says, the same for the same facts in the same language: 16 hexadecimal digits of a
    sha256.

    It does not know how the picture is drawn: what is kept by it is kept no longer than this version of the program.
    """
    return hashlib.sha256(f"{type(facts).__name__}{facts!r}{spoken()}".encode()).hexdigest()[:16]


def _markup(facts: Facts, draw: Callable[[Facts, Form], Sheet], finding: str, told: str) -> Markup:
    known = {"key": content_key(facts), "title": f"{finding}.", "told": told}
    drawn = (fill("web/charts/chart.svg", {**known, "sheet": draw(facts, form)}) for form in (WIDE, NARROW))
    return Markup(f'<div class="chart">\n{"".join(drawn)}</div>')  # noqa: S704 (the template escapes)
