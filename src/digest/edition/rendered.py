"""An edition as mail, with slots for what differs by reader."""

from collections.abc import Mapping

from digest.edition.facts import Fact


class Fragment(Fact):
    """A story as it stands in a reader's watch list, in both parts of the mail."""

    html: str
    text: str


class Frame(Fact):
    """The box of a watch list with slots for what stands in it: `row` is a story of the reader's own, `note` what holds
    still, `more` says how many stories are not in the mail but on the web, at `page`. `room` is what it may take, in
    bytes of HTML."""

    html: str
    row: str
    note: str
    more: str
    page: str
    room: int


class Extra(Fact):
    """What a region's rules add: `label` before the subject, lines of the footer in both parts."""

    label: str = ""
    html: str = ""
    text: str = ""


class Rendered(Fact):
    """An edition as mail: whole parts with slots for what differs by reader (`rendering/templates.py` names them) and
    marks around the sections that a reader may leave out.

    `fragments` holds every story that a reader may follow, by the story's id, and `frame` what stands around them.
    `rest` says that sections were left out, `keep` that a consent lapses soon. `regimes` holds what each region's rules
    add, by the regime's code. `translations` holds the same edition in each further language, by its tag.
    """

    subject: str
    preheader: str
    html: str
    text: str
    frame: Frame | None = None
    fragments: Mapping[str, Fragment] = {}
    rest: Fragment = Fragment(html="", text="")
    keep: Fragment = Fragment(html="", text="")
    regimes: Mapping[str, Extra] = {}
    translations: Mapping[str, "Rendered"] = {}

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subject in each language."""
        return (self.subject, *(one.subject for one in self.translations.values()))

    def in_language(self, locale: str) -> "Rendered":
        """The edition in this language, else in English."""
        return self.translations.get(locale, self)
