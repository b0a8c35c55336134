"""Mail to a relay by SMTP (RFC 5321) over several sessions at once, pipelined where the relay offers it (RFC 2920).

A batch has one message a session. The commands before its body are answered first; then the sender commits; then go
the body, its final dot and the commands of the session's next message. So a message costs one round trip, and a crash
leaves only those in doubt for which the relay may really have said yes.
"""

from collections import deque
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from digest import config
from digest.delivery.outcomes import Outcome, lost
from digest.delivery.transports import Advance, Envelope
from digest.delivery.transports.smtp_session import NOTHING_LOST, Session
from digest.errors import DeliveryError

_Done = list[tuple[int, Outcome]]


class _Begun(NamedTuple):
    """A message of which the relay waits for the body."""

    session: Session
    envelope: Envelope


class Smtp:
    repeatable = False

    def __init__(self, settings: config.Smtp) -> None:
        self._settings = settings
        self._relays = [settings, settings.fallback] if settings.fallback else [settings]
        self._sessions: list[Session] = []
        self.width = settings.sessions

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
        while waiting or begun:
            self._begin(waiting, begun, tried, done)
            turn = advance([message.envelope.delivery_id for message in begun])
            waiting.extend(turn.following)
            begun = self._hand_over(begun, turn.allowed, waiting, tried, done)

    def _begin(self, waiting: deque[Envelope], begun: list[_Begun], tried: set[int], done: _Done) -> None:
        """Begin messages on the sessions that are free: the commands of all, then the answers to all."""
        busy = [message.session for message in begun]
        started = []
        while waiting and len(busy) < self.width:
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
        self, begun: Sequence[_Begun], allowed: Collection[int], waiting: deque[Envelope], tried: set[int], done: _Done
    ) -> list[_Begun]:
        """The bodies and dots of what is allowed, with the beginnings of what comes next, then the answers to all."""
        handed = []
        for session, envelope in begun:
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
                continue
            following = waiting.popleft() if waiting and session.pipelines and session.may_go_on_twice else None
            session.say_end(following)
            handed.append((session, envelope, following))
        next_begun: list[_Begun] = []
        for session, envelope, following in handed:
            done.append((envelope.delivery_id, session.hear_end(envelope)))
            if following is not None:
                self._hear_beginning(session, following, waiting, next_begun, tried, done)
        return next_begun

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
                self.width = len(busy)
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
        self.width = self._settings.sessions
        return session
