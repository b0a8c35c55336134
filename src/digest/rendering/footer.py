"""What the rules of a reader's region add to a mail. Every mail carries who sends it, from where and the way out."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from digest.edition.numbers import shown
from digest.edition.rendered import Extra
from digest.edition.renditions import Duty
from digest.language import _
from digest.rendering.templates import CONSENT_SLOT, without_slots
from digest.rendering.text import wrap

_LABEL_ROOM = 40
_NOTICE_ROOM = 2_000


def line(duty: Duty, contact: str) -> str:
    """The line of the footer that a duty asks for; none for a label, and none for what every footer holds anyway."""
    match duty.kind:
        case "complaints":
            return _("Complaints: %(contact)s", contact=shown(contact, 120))
        case "consent":
            return CONSENT_SLOT
        case "notice":
            return str(without_slots(shown(duty.text, _NOTICE_ROOM)))
        case "identity" | "address" | "unsubscribe" | "label":
            return ""
        case other:
            assert_never(other)


def lines(duties: Mapping[str, Sequence[Duty]], contact: str) -> list[str]:
    """Every line that any regime asks for, once each."""
    wanted = (line(duty, contact) for code in sorted(duties) for duty in duties[code])
    return [one for one in dict.fromkeys(wanted) if one]


def extras(duties: Mapping[str, Sequence[Duty]], contact: str, pieces: Mapping[str, str]) -> Mapping[str, Extra]:
    """What each regime adds, by its code; `pieces` holds the HTML of each line."""
    return {code: _extra(duties[code], contact, pieces) for code in sorted(duties)}


def _extra(duties: Sequence[Duty], contact: str, pieces: Mapping[str, str]) -> Extra:
    wanted = [one for one in dict.fromkeys(line(duty, contact) for duty in duties) if one]
    labels = dict.fromkeys(str(without_slots(shown(duty.text, _LABEL_ROOM))) for duty in duties if duty.kind == "label")
    return Extra(
        label=" ".join(labels),
        html="\n".join(pieces[one] for one in wanted),
        text="".join(f"{wrap(one)}\n" for one in wanted),
    )
