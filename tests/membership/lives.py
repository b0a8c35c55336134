"""A reader's life as plain Python, kept beside the real one: who agreed to what, and what may be mailed to whom.

Nothing here asks the program. Rules are written down anew, so that a fault of the fold, of routing or of a query shows.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Result = Literal["done", "already", "expired", "unknown"]
Purpose = Literal["confirm", "keep", "unsubscribe", "preferences", "my-data", "forget"]

PEOPLE = {
    "ada": ("ada@example.org", "ADA@Example.ORG", "Ada@example.org"),
    "bob": ("bob@bücher.example", "BOB@xn--bcher-kva.example"),
    "zoé": ("zoé@example.net", "ZOÉ@example.net", "zoe\u0301@example.net"),
    "dan": ("dan@example.com",),
}
"""Each person with the ways in which they write their address."""

REGIONS: dict[str | None, tuple[str, int | None, str, str]] = {
    None: ("ZZ", 24, "consent", "UTC"),
    "DE": ("DE", None, "", "Europe/Berlin"),
    "FR": ("FR", 36, "activity", "Europe/Paris"),
    "KR": ("KR", 24, "consent", "Asia/Seoul"),
    "NZ": ("NZ", None, "", "Pacific/Auckland"),
    "BE": ("EU", None, "", "UTC"),
}
"""Country -> whose rules, months after which a consent lapses, counted from what, where the reader's night is."""

DAY, MONTH = timedelta(days=1), timedelta(days=30)


class Mailed(NamedTuple):
    """A link that somebody holds: `life` says in which of their lives they got it, `made_at` when it was signed, or of
    one that confirms, the request that it answers."""

    purpose: Purpose
    token: str = ""
    life: int = 0
    made_at: datetime | None = None


class Sent(NamedTuple):
    week: str
    quiet: bool
    stirred: bool


@dataclass
class Life:
    """One person. `life` counts how often they became known; `state` is "none" where nobody knows them."""

    name: str
    life: int = 0
    state: str = "none"
    country: str | None = None
    asked: list[datetime] = field(default_factory=list)
    answered: set[datetime] = field(default_factory=set)
    agreed: datetime | None = None
    lapses: datetime | None = None
    paused: datetime | None = None
    ended: datetime | None = None
    left: tuple[datetime, datetime | None, datetime | None] | None = None
    has_left: bool = False
    withdrew: datetime | None = None
    quiet: str = "note"
    watches: bool = False
    refused: bool = False
    barred: bool = False
    links: list[Mailed] = field(default_factory=list)
    editions: list[str] = field(default_factory=list)

    def live(self, now: datetime) -> bool:
        return self.state == "confirmed" and (self.lapses is None or self.lapses > now)

    def resting(self, now: datetime) -> bool:
        return self.paused is not None and self.paused > now

    def awake(self, now: datetime, hours: tuple[int, int]) -> bool:
        return hours[0] <= now.astimezone(ZoneInfo(REGIONS[self.country][3])).hour < hours[1]

    def may_get(self, edition: Sent, now: datetime) -> bool:
        """Whether an edition may be handed over now: agreed, not paused, never twice, never after a later one."""
        unwanted = edition.quiet and self.quiet == "skip" and not (self.watches and edition.stirred)
        in_order = all(week < edition.week for week in self.editions)
        return self.live(now) and not self.resting(now) and in_order and not unwanted

    def may_be_asked(self, now: datetime) -> bool:
        """Once in a day and three times in a month, and never who complained, has no mailbox, or said no to it."""
        if self.refuses() or self.live(now):
            return False
        return all(now - at >= DAY for at in self.asked) and sum(now - at < MONTH for at in self.asked) < 3

    def refuses(self) -> bool:
        return self.state in ("complained", "bounced") or (self.state == "withdrawn" and self.agreed is None)

    def gets_letter(self, kind: str, now: datetime) -> bool:
        """Whether a letter may be handed over now: a confirmation answers one request, and each is answered once."""
        if kind == "preferences":
            return self.state in ("confirmed", "expired", "withdrawn")
        return self.state == "requested" and self.asked[-1] not in self.answered and now - self.asked[-1] < 2 * DAY

    def ask(self, now: datetime, country: str | None) -> None:
        if self.barred:
            return
        if self.state == "none":
            self._begin()
        elif not self.may_be_asked(now):
            return
        if self.state == "confirmed":  # it lapsed
            self._end("expired", now)
        left = self.left
        self.asked.append(now)
        self._event("requested", country)
        self.left = left  # a stranger may have asked

    def add(self, proof_at: datetime, now: datetime, country: str | None) -> bool:
        """An operator's import of one: brings back who left only by a consent given after leaving."""
        lapses = _lapses(country, proof_at)
        if (lapses is not None and lapses <= now) or self.state in ("confirmed", "complained"):
            return False
        if self.state == "none" and self.refused:
            return False
        if self.ended is not None and proof_at <= self.ended:
            return False
        if self.state == "none":
            self._begin()
        self._agree(proof_at, lapses, country)
        return True

    def bring(self, proof_at: datetime, now: datetime, country: str | None) -> bool:
        """An import of a file leaves alone whoever is known."""
        return self.state == "none" and self.add(proof_at, now, country)

    def confirm(self, link: Mailed, now: datetime) -> Result:
        if link.life != self.life or self.state == "none":
            return "expired"
        if link.purpose == "keep":
            return self._keep(now)
        if not self.asked or link.made_at != self.asked[-1]:
            return "expired"
        if self.state == "confirmed":
            return "already"
        if self.state != "requested" or not timedelta(minutes=-5) <= now - self.asked[-1] <= 2 * DAY:
            return "expired"
        self._agree(now, _lapses(self.country, now), self.country)
        return "done"

    def _keep(self, now: datetime) -> Result:
        """Only a consent that lapsed, or is about to, is kept: one that was withdrawn is not."""
        near = self.lapses is not None and now < self.lapses <= now + 2 * MONTH
        lapsed = self.state == "expired" and self.agreed is not None and not self.has_left
        lapsed = lapsed or (self.state == "confirmed" and not self.live(now))
        if lapsed or (self.state == "confirmed" and near):
            self._agree(now, _lapses(self.country, now), self.country)
            return "done"
        return "already" if self.state == "confirmed" else "expired"

    def leave(self, link: Mailed, now: datetime) -> Result:
        if link.life != self.life or self.state in ("none", "withdrawn", "complained"):
            return "already"
        was = (now, self.lapses, self.paused) if self.state == "confirmed" else None
        self._withdraw(now)
        self.left = was
        return "done"

    def undo(self, link: Mailed, now: datetime) -> Result:
        if link.life != self.life or self.state == "none":
            return "expired"
        if self.state == "confirmed":
            return "already"
        if self.left is None or now - self.left[0] > MONTH or (self.left[1] is not None and self.left[1] <= now):
            return "expired"
        pause = self.left[2]
        self._agree(now, self.left[1], self.country)
        self.paused = pause if pause is not None and pause > now else None
        return "done"

    def pause(self, link: Mailed, until: datetime | None, now: datetime) -> Result:
        if not self.works(link, now):
            return "expired"
        if self.state != "confirmed":
            return "already"
        if until is not None and self.paused is not None and self.paused > until - DAY:
            return "done"
        self._event("confirmed", self.country)
        self.paused = until
        return "done"

    def works(self, link: Mailed, now: datetime) -> bool:
        timely = link.made_at is None or timedelta(minutes=-5) <= now - link.made_at <= DAY
        return timely and link.life == self.life and self.state != "none"

    def change(self, country: str | None, quiet: str, watches: bool, now: datetime) -> None:
        """Choosing counts as an act where the law counts from one; who moves goes by the rules of the new country."""
        if (country, quiet, watches) == (self.country, self.quiet, self.watches):
            return
        self.quiet, self.watches, moved = quiet, watches, country != self.country
        self._event(self.state, country)
        if self.live(now):
            acted = _lapses(country, now) if REGIONS[country][2] == "activity" else None
            given = _lapses(country, self.agreed) if moved and self.agreed else None
            lapses = acted or given or self.lapses
            self.lapses = max(lapses, now + 2 * MONTH) if lapses and moved else lapses

    def end(self, kind: str, now: datetime) -> None:
        """A complaint, or a mailbox that is gone; the second says nothing of who had ended it already."""
        if kind == "complained" or self.state in ("confirmed", "requested"):
            self._end(kind, now)
        elif self.state != "none":
            self._event(self.state, self.country)

    def remove(self, now: datetime) -> bool:
        if self.state in ("withdrawn", "complained"):
            return False
        self._withdraw(now)
        return True

    def forget(self) -> None:
        kept = Life(self.name, self.life, refused=True, links=self.links, editions=self.editions)
        kept.barred = self.refuses()
        self.__dict__.update(kept.__dict__)

    def clear(self, now: datetime) -> None:
        """The nightly clearing: a month for a request, for a no to one, and for a consent that lapsed."""
        if self.state == "requested" and now - self.asked[-1] > MONTH:
            if self.agreed is None and not self.has_left:
                refused, barred = self.refused, self.barred
                self.forget()
                self.refused, self.barred = refused, barred
            else:
                self._end("expired", now)
        elif self.state == "withdrawn" and self.agreed is None:
            if self.withdrew is not None and now - self.withdrew > MONTH:
                self.forget()
        elif self.state == "confirmed" and not self.live(now):
            self._end("expired", now)
        elif self.state == "expired" and self.ended is not None and now - self.ended > MONTH:
            self.forget()

    def _withdraw(self, now: datetime) -> None:
        self._end("bounced" if self.state == "bounced" else "withdrawn", now)
        self.has_left, self.withdrew = True, now

    def _begin(self) -> None:
        self.life += 1

    def _agree(self, at: datetime, lapses: datetime | None, country: str | None) -> None:
        self._event("confirmed", country)
        self.agreed, self.lapses, self.paused, self.has_left = at, lapses, None, False

    def _end(self, state: str, now: datetime) -> None:
        self._event(state, self.country)
        self.lapses = self.paused = None
        self.ended = now if self.ended is None else max(now, self.ended)

    def _event(self, state: str, country: str | None) -> None:
        self.state, self.country, self.left = state, country, None


def _lapses(country: str | None, at: datetime) -> datetime | None:
    months = REGIONS[country][1]
    if months is None:
        return None
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
