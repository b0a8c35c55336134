"""Mail to a relay by SMTP (RFC 5321) over several sessions at once, pipelined where the relay offers it (RFC 2920).

The commands before the bodies of the first messages are answered; then the sender commits that these, and a few more
for each session, are about to be handed over; then go, session by session, the body, its final dot and the commands of
the session's next message. So a message costs one round trip and a part of a transaction, and a crash leaves only those
few in doubt.
"""

import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import NamedTuple, Self

from digest.config import sections
from digest.delivery.outcomes import Outcome, lost
from digest.delivery.transports import Advance, Envelope
from digest.delivery.transports.smtp_session import NOTHING_LOST, Session
from digest.errors import DeliveryError

_Done = list[tuple[int, Outcome]]

# A transaction costs as much as making some ten messages, so where the relay is quick one is for several on a session.
_A_SESSION = 3
_AT_LEAST = 8  # in all
_IN_DOUBT = 0.1  # seconds that what one transaction allows should take to go
_TICK = 0.001  # less than this no clock tells apart


class _Begun(NamedTuple):
    """A message of which the relay waits for the body."""

    session: Session
    envelope: Envelope


class _Handed(NamedTuple):
    """A message whose dot went to the relay, and the session's next one, which went with it as far as that could."""

    session: Session
    envelope: Envelope
    following: Envelope | None


class Smtp:
    repeatable = False

    def __init__(self, settings: sections.Smtp) -> None:
        self._settings = settings
        self._relays = [settings, settings.fallback] if settings.fallback else [settings]
        self._sessions: list[Session] = []
        self._most = settings.sessions
        self.width = max(_A_SESSION * settings.sessions, _AT_LEAST)
        self._took = _IN_DOUBT  # seconds for one message on each session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions:
            if error is None:
                session.quit()
            else:
                session.drop()
        self._sessions = []

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: _Done) -> None:
        waiting, begun, tried = deque(batch), list[_Begun](), set[int]()
        allowed = set[int]()
        coming: Iterator[Envelope] = iter(())
        try:
            while waiting or begun:
                self._begin(waiting, begun, tried, done)
                if any(map(_is_about_more, done)):
                    _withhold(waiting, {one.delivery_id for one in waiting}, done)
                if not begun or not allowed.issuperset(message.envelope.delivery_id for message in begun):
                    coming = self._ask(begun, waiting, allowed, advance, done)
                begun = self._hand_over(begun, allowed, waiting, coming, tried, done)
                waiting.extend(coming)
        finally:
            _withhold(waiting, allowed, done)

    def _ask(
        self, begun: Sequence[_Begun], waiting: deque[Envelope], allowed: set[int], advance: Advance, done: _Done
    ) -> Iterator[Envelope]:
        """Ask leave for what is begun, and for as much of what waits as will have gone soon; what comes after that."""
        known = [message.envelope.delivery_id for message in begun] + [one.delivery_id for one in waiting]
        soon = len(begun) * max(int(_IN_DOUBT / max(self._took, _TICK)), 1)
        room = min(self.width, soon) - sum(number in allowed for number in known)
        asked = [number for number in known if number not in allowed][: max(room, 0)]
        turn = advance(asked)
        allowed &= set(known)
        allowed |= set(turn.allowed)
        _withhold(waiting, set(asked) - allowed, done)
        return iter(turn.following)

    def _begin(self, waiting: deque[Envelope], begun: list[_Begun], tried: set[int], done: _Done) -> None:
        """Begin messages on the sessions that are free: the commands of all, then the answers to all."""
        busy = [message.session for message in begun]
        started = []
        while waiting and len(busy) < self._most:
            session = self._free_session(busy)
            if session is None:
                break
            busy.append(session)
            started.append((session, waiting.popleft()))
        for session, envelope in started:
            session.say_beginning(envelope)
        for session, envelope in started:
            self._hear_beginning(session, envelope, waiting, begun, tried, done)

    def _hear_beginning(
        self,
        session: Session,
        envelope: Envelope,
        waiting: deque[Envelope],
        begun: list[_Begun],
        tried: set[int],
        done: _Done,
    ) -> None:
        """A message is begun, or it is done: the relay will not have it. One that a session ended before is tried on
        another: as often as it was an old session that ended, and once where it was a new one."""
        answer = session.hear_beginning(envelope)
        if answer == "ready":
            begun.append(_Begun(session, envelope))
        elif answer == "ended" and (session.has_carried or envelope.delivery_id not in tried):
            if not session.has_carried:
                tried.add(envelope.delivery_id)
            waiting.appendleft(envelope)
        else:
            done.append((envelope.delivery_id, lost("MAIL") if answer == "ended" else answer))

    def _hand_over(
        self,
        begun: Sequence[_Begun],
        allowed: Collection[int],
        waiting: deque[Envelope],
        coming: Iterator[Envelope],
        tried: set[int],
        done: _Done,
    ) -> list[_Begun]:
        """All that is allowed, each body and dot with the beginning of the session's next message. A session whose
        answers are heard goes on at once, so that each waits for the relay while the others are served, and messages
        are made meanwhile. What is begun then and wants leave."""
        started, count = time.monotonic(), 0
        ready, handed, unasked = deque(begun), deque[_Handed](), list[_Begun]()
        while ready or handed:
            if ready:
                one = self._say(ready.popleft(), allowed, waiting, done)
                if one is not None:
                    handed.append(one)
                    count += 1
                    waiting.extend(islice(coming, 1))
                continue
            session, envelope, following = handed.popleft()
            outcome = session.hear_end(envelope)
            done.append((envelope.delivery_id, outcome))
            if _is_about_more(done[-1]):
                _withhold(waiting, allowed, done)
            if following is not None:
                self._hear_beginning(session, following, waiting, unasked, tried, done)
                if unasked and unasked[-1].envelope.delivery_id in allowed:
                    ready.append(unasked.pop())
        if count:
            self._took = (time.monotonic() - started) * len(begun) / count
        return unasked

    def _say(self, message: _Begun, allowed: Collection[int], waiting: deque[Envelope], done: _Done) -> _Handed | None:
        """The body and the dot of one message, if it is allowed and the session still stands."""
        session, envelope = message
        failure: Outcome | None = None
        if envelope.delivery_id not in allowed:
            session.drop()  # a message without its final dot is none (RFC 5321 section 4.1.1.4)
            failure = Outcome("withheld")
        elif not session.say_body(envelope):
            failure = lost("DATA")
        elif session.has_spoken():
            failure = session.hear_early(envelope)
        if failure is not None:
            done.append((envelope.delivery_id, failure))
            return None
        following = waiting.popleft() if waiting and session.pipelines and session.may_go_on_twice else None
        session.say_end(following)
        return _Handed(session, envelope, following)

    def _free_session(self, busy: Sequence[Session]) -> Session | None:
        """An open session that nothing is begun on; None where the relay lets us have no more than are busy."""
        for session in [one for one in self._sessions if one not in busy]:
            if session.may_go_on and not session.has_spoken():
                return session
            session.quit()
            self._sessions.remove(session)
        try:
            session = Session(self._relays[0], self._settings)
        except DeliveryError as error:
            if busy:
                self._most = len(busy)
                return None
            session = self._fall_over(error)
        self._sessions.append(session)
        return session

    def _fall_over(self, error: DeliveryError) -> Session:
        """A session with the other relay, which from now on is the first to be asked, until it fails in its turn."""
        if len(self._relays) == 1:
            raise error
        try:
            session = Session(self._relays[1], self._settings)
        except DeliveryError as another:
            raise DeliveryError(f"{str(error).removesuffix(NOTHING_LOST)} And {another}") from None
        self._relays.reverse()
        self._most = self._settings.sessions
        return session


def _is_about_more(done: tuple[int, Outcome]) -> bool:
    """Whether an answer may hold for other messages: these are then looked at anew before they go."""
    _number, outcome = done
    return outcome.kind in ("refused", "content") or outcome.pace != "keep"


def _withhold(waiting: deque[Envelope], withheld: Collection[int], done: _Done) -> None:
    """Take out of what waits what will not be handed over."""
    taken = [one.delivery_id for one in waiting if one.delivery_id in withheld]
    left = [one for one in waiting if one.delivery_id not in withheld]
    waiting.clear()
    waiting.extend(left)
    done += [(number, Outcome("withheld")) for number in taken]
