"""Region -> what a mail must carry and how long a consent stands. Pure; the data is data/consent_regimes.toml.

A region's duties are those of every mail, of the union its country belongs to, of its country, and its own: they are
added, never removed. Hiding a country makes no rule weaker: a reader whose country is unknown, or has no row, gets
the strictest of all rows.
"""

import difflib
import re
import tomllib
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, assert_never, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, PositiveInt, ValidationError, model_validator

from digest.config.assets import asset
from digest.config.values import Line, ShortLine, Strict, WebAddress
from digest.edition.numbers import several, shown
from digest.edition.renditions import Duty, DutyKind
from digest.errors import ConfigError

OptIn = Literal["express", "implied", "opt-out"]
"""What a law asks for at least, the strictest first; here every reader has agreed, whatever the law would allow."""

ReconfirmFrom = Literal["consent", "activity"]
"""What a time is counted from, the stricter first: the last consent alone, or the reader's own last act."""

Confidence = Literal["primary", "secondary", "unverified", "by design"]
Mail = Literal["edition", "letter"]
"""An edition, or a letter: a mail to one reader about the subscription itself, such as the one that asks to confirm."""

UNKNOWN = "ZZ"
"""The code of a reader whose country is unknown or has no row: user-assigned in ISO 3166-1, so no country's."""

BASE: tuple[Duty, ...] = (Duty("identity"), Duty("address"), Duty("unsubscribe"))
"""What every mail to everybody carries. No file can take it away."""

_KINDS: tuple[DutyKind, ...] = get_args(DutyKind)
_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")  # ISO 3166-1 alpha-2, ISO 3166-2


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is no IANA zone such as Europe/Berlin") from error
    return name


class _Row(Strict):
    """One region as it stands in the file; data/consent_regimes.toml says what the keys mean."""

    name: Annotated[ShortLine, Field(min_length=1)]
    members: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    opt_in: OptIn | None = None
    duties: tuple[Literal["complaints", "consent"], ...] = ()
    notices: tuple[Annotated[Line, Field(min_length=1, max_length=2000)], ...] = ()
    label: Annotated[Line, Field(max_length=30)] = ""
    unsubscribe_within: Annotated[str, Field(pattern=r"^(at once|[1-9]\d? business days)$")] | None = None
    link_must_work_days: PositiveInt | None = None
    reconfirm_months: Annotated[int, Field(ge=1, le=120)] | None = None
    reconfirm_from: ReconfirmFrom = "consent"
    keep_proof_years: Annotated[int, Field(ge=1, le=100)] | None = None
    minors_age: Annotated[int, Field(ge=1, le=30)] | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    operator_note: Line = ""
    confidence: Confidence = "unverified"
    source: tuple[WebAddress, ...] = ()
    checked: Annotated[str, Field(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")] = ""

    @model_validator(mode="after")
    def _counted_from(self) -> Self:
        if "reconfirm_from" in self.model_fields_set and self.reconfirm_months is None:
            raise ValueError("has reconfirm_from but no reconfirm_months: say after how many months")
        return self

    def added(self) -> tuple[Duty, ...]:
        """What the row adds to the duties of every mail."""
        label = (Duty("label", self.label),) if self.label else ()
        return (*(Duty(kind) for kind in self.duties), *(Duty("notice", text) for text in self.notices), *label)


class _File(Strict):
    version: Annotated[Line, Field(max_length=40)] = ""
    note: Line = ""
    regions: Annotated[Mapping[str, Mapping[str, Any]], Field(default_factory=dict)]


@dataclass(frozen=True, slots=True)
class Regime:
    """The rules for readers of one region, those it inherits included.

    `duties` holds all of them, labels and the base too; `duties()` says which a mail carries. `within` names what the
    region's rules add to, empty for nothing. A figure is None where no law with one was found.
    """

    code: str
    name: str
    within: str
    duties: tuple[Duty, ...]
    opt_in: OptIn
    unsubscribe_within: str | None
    link_must_work_days: int | None
    reconfirm_months: int | None
    reconfirm_from: ReconfirmFrom | None
    keep_proof_years: int | None
    minors_age: int | None
    zone: str | None
    operator_notes: tuple[str, ...]
    confidence: Confidence
    source: tuple[str, ...]
    checked: str


@dataclass(frozen=True, slots=True)
class Regimes:
    """All regimes by code, in the file's order. `unions` says by country which union's row it belongs to.

    `version` is the file's, with `+` and eight hex digits of the operator's own file if there is one: it stands beside
    every consent, so that one can tell later by which rules it was taken.
    """

    version: str
    note: str
    by_code: Mapping[str, Regime]
    unions: Mapping[str, str]

    def of(self, country: str | None) -> Regime:
        """The regime of an ISO 3166-1 country or 3166-2 subdivision: its own row, its country's, its union's, or ZZ."""
        codes = _lineage(country or UNKNOWN, self.unions)
        return next((self.by_code[code] for code in codes if code in self.by_code), self.by_code[UNKNOWN])


def load_regimes(path: Path | None = None, override: Path | None = None) -> Regimes:
    """Read `path`, or the packaged file, and over it the rows of `override`, whose keys replace or add to a row's own.

    Raises ConfigError naming file, row, key and reason, with the nearest known key for an unknown one.
    """
    path = path or asset("data") / "consent_regimes.toml"
    file, _ = _read(path)
    if not file.version:
        raise ConfigError(f'{path}: wants a key "version", such as "2026-11"; it stands beside every consent.')
    rows = _rows(path, file.regions, {})
    unions = _unions(path, rows)
    version = file.version
    if override is not None:
        own, digest = _read(override)
        rows = _rows(override, own.regions, rows)
        unions = _unions(override, rows)
        version = f"{version}+{digest[:8]}"
    return Regimes(version, file.note, {code: _regime(code, rows, unions) for code in rows}, unions)


@cache
def packaged_regimes(override: Path | None = None) -> Regimes:
    """The regimes that come with the program, with the operator's own rows ([consent] regimes); read once a process."""
    return load_regimes(override=override)


def duties(regime: Regime, mail: Mail, commercial: bool) -> tuple[Duty, ...]:
    """What a mail to a reader of this region carries, in the order of DutyKind.

    A label only where the series is declared commercial; a letter, which advertises nothing, carries the base alone.
    """
    if mail == "letter":
        return BASE
    return tuple(duty for duty in regime.duties if duty.kind != "label" or commercial)


def reconfirm_by(regime: Regime, at: datetime, own_act: bool) -> datetime | None:
    """Until when a consent given at `at` stands, or with `own_act` one whose reader did something else at `at`.

    None where that sets no date: nothing has to be renewed, or only a consent renews it. The later of the two dates
    counts. A month too short for the day ends on its last: the date is never later than the law's.
    """
    if regime.reconfirm_months is None or (own_act and regime.reconfirm_from == "consent"):
        return None
    year, month = divmod(at.year * 12 + at.month - 1 + regime.reconfirm_months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def said(duty: Duty, regime: Regime) -> str:
    """A duty as a sentence to a reader of this region."""
    where = _where(regime)
    match duty.kind:
        case "identity":
            return "Every mail says who sends it."
        case "address":
            return "Every mail gives the sender's postal address."
        case "unsubscribe":
            return "Every mail has a way to leave that is easy to see."
        case "complaints":
            return f"{where} an edition names a contact for complaints."
        case "consent":
            return f"{where} an edition says when and how you agreed to get it."
        case "notice":
            return f"{where} an edition quotes this notice: “{duty.text}”"
        case "label":
            return f"{where} the subject of an edition that advertises begins with “{duty.text}”."
        case other:
            assert_never(other)


def explained(regime: Regime) -> tuple[str, ...]:
    """The rules as sentences to a reader: where they come from, what a mail carries, leaving, renewing, proof, age."""
    consent = {
        "express": "your consent comes before the first mail.",
        "implied": "the law lets some mail come unasked; ours comes only with your consent.",
        "opt-out": "the law lets mail come until you refuse it; ours comes only with your consent.",
    }[regime.opt_in]
    return (
        _whence(regime),
        f"{_where(regime)} {consent}",
        *(said(duty, regime) for duty in regime.duties),
        *_leaving(regime),
        *_renewing(regime),
        *_proof_and_age(regime),
        *_read_where(regime),
    )


def _where(regime: Regime) -> str:
    return "By the strictest rules" if regime.code == UNKNOWN else f"In {regime.name}"


def _whence(regime: Regime) -> str:
    if regime.code == UNKNOWN:
        return "Because we do not know your country, or have no rules for it, the strictest rules apply."
    added = f", added to those of {regime.within}" if regime.within else ""
    return f"The rules of {regime.name} apply{added}."


def _leaving(regime: Regime) -> Iterable[str]:
    if regime.unsubscribe_within in (None, "at once"):
        yield "When you leave, mail stops at once."
    else:
        yield f"{_where(regime)} mail must stop within {regime.unsubscribe_within} of your leaving; ours stops at once."
    if regime.link_must_work_days:
        days = several(regime.link_must_work_days, "day", words=True)
        yield f"{_where(regime)} a mail's link to leave must work for {days}; ours works for ever."


def _renewing(regime: Regime) -> Iterable[str]:
    months = regime.reconfirm_months
    if months is None:
        return
    span = several(months, "month", words=True) if months % 12 else several(months // 12, "year", words=True)
    if regime.reconfirm_from == "consent":
        yield f"{_where(regime)} a consent must be given again after {span}; without that, mail stops."
    else:
        yield f"{_where(regime)} we ask again when you did nothing here for {span}; without an answer, mail stops."


def _proof_and_age(regime: Regime) -> Iterable[str]:
    if regime.keep_proof_years:
        years = several(regime.keep_proof_years, "year", words=True)
        yield f"{_where(regime)} the proof of your consent is kept for {years} after the last mail."
    if regime.minors_age:
        yield f"We ask that readers below {regime.minors_age} sign up with a parent."


def _read_where(regime: Regime) -> Iterable[str]:
    read = {
        "primary": "read in the law or on its regulator's pages",
        "secondary": "read in guides to the law",
        "unverified": "not yet verified",
        "by design": "",
    }[regime.confidence]
    if read:
        yield f"These rules were {read}{f' ({regime.checked})' if regime.checked else ''} and are no legal advice."


def _lineage(code: str, unions: Mapping[str, str]) -> tuple[str, ...]:
    """Where rules for a code are looked for, the nearest first: US-CA -> US-CA, US.   SE -> SE, EU."""
    country = code.partition("-")[0]
    union = unions.get(country)
    return tuple(dict.fromkeys((code, country, union) if union else (code, country)))


def _regime(code: str, rows: Mapping[str, _Row], unions: Mapping[str, str]) -> Regime:
    """A row and all it adds to, made one: duties together, of figures the stricter."""
    row, *above = (rows[step] for step in _lineage(code, unions) if step in rows)
    if code == UNKNOWN:
        # What only one state's law words (a label, a notice, its register) would be wrong for everybody else.
        worded = {"label": "", "notices": (), "zone": None, "operator_note": ""}
        above = [other.model_copy(update=worded) for key, other in rows.items() if key != UNKNOWN]
    chain = (row, *above)
    reconfirming = [step for step in chain if step.reconfirm_months is not None]
    return Regime(
        code=code,
        name=row.name,
        within=above[0].name if above and code != UNKNOWN else "",
        duties=_together(chain),
        opt_in=min((step.opt_in for step in chain if step.opt_in), key=get_args(OptIn).index, default="express"),
        unsubscribe_within=min((step.unsubscribe_within for step in chain if step.unsubscribe_within), key=_days,
                               default=None),
        link_must_work_days=max(_known(step.link_must_work_days for step in chain), default=None),
        reconfirm_months=min(_known(step.reconfirm_months for step in reconfirming), default=None),
        reconfirm_from=min((step.reconfirm_from for step in reconfirming), key=get_args(ReconfirmFrom).index,
                           default=None),
        keep_proof_years=max(_known(step.keep_proof_years for step in chain), default=None),
        minors_age=max(_known(step.minors_age for step in chain), default=None),
        zone=next((step.zone for step in chain if step.zone), None),
        operator_notes=tuple(step.operator_note for step in chain if step.operator_note),
        confidence=row.confidence,
        source=row.source,
        checked=row.checked,
    )  # fmt: skip


def _together(chain: Sequence[_Row]) -> tuple[Duty, ...]:
    """The base and what each row adds, once each, in the order of DutyKind."""
    every = dict.fromkeys((*BASE, *(duty for row in reversed(chain) for duty in row.added())))
    return tuple(sorted(every, key=lambda duty: _KINDS.index(duty.kind)))


def _known(figures: Iterable[int | None]) -> list[int]:
    return [figure for figure in figures if figure is not None]


def _days(within: str) -> int:
    return 0 if within == "at once" else int(within.split()[0])


def _read(path: Path) -> tuple[_File, str]:
    """A file's rows as they stand, and the sha256 of its bytes in hex."""
    try:
        data = path.read_bytes()
        values = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; [consent] regimes names such a file.") from error
    except (UnicodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is no valid TOML: {error}; correct it.") from error
    return _valid(_File, values, f"{path}:"), sha256(data).hexdigest()


def _rows(path: Path, regions: Mapping[str, Mapping[str, Any]], before: Mapping[str, _Row]) -> dict[str, _Row]:
    """The rows before, each with the keys that this file gives it, and the file's new ones."""
    rows = dict(before)
    for code, keys in regions.items():
        if not _CODE.fullmatch(code):
            raise ConfigError(f"{path}: [regions.{shown(code)}] is no ISO 3166 code such as DE or US-CA; correct it.")
        known = before[code].model_dump(exclude_unset=True) if code in before else {}
        rows[code] = _valid(_Row, {**known, **keys}, f"{path}: [regions.{code}]")
    if UNKNOWN not in rows:
        raise ConfigError(f"{path}: wants a row [regions.{UNKNOWN}] for readers whose country is not known.")
    return rows


def _unions(path: Path, rows: Mapping[str, _Row]) -> dict[str, str]:
    """The union of each country that belongs to one. Two levels, no more: so no row can come to inherit from itself."""
    unions: dict[str, str] = {}
    for code, row in rows.items():
        for member in row.members:
            if member in unions or member == UNKNOWN or (member in rows and rows[member].members):
                reason = f"is a member of {unions[member]} already" if member in unions else "can be no member"
                raise ConfigError(f'{path}: [regions.{code}] key "members": {member} {reason}; leave it out.')
            unions[member] = code
    return unions


Parsed = TypeVar("Parsed", bound=Strict)


def _valid(form: type[Parsed], values: Mapping[str, Any], where: str) -> Parsed:
    try:
        return form.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{where} {_reason(error, form.model_fields)}") from error


def _reason(error: ValidationError, known: Iterable[str]) -> str:
    """The first fault of a row, for the person who wrote it."""
    fault = error.errors()[0]
    if not fault["loc"]:
        return f"{fault['ctx']['error']}."
    key = shown(str(fault["loc"][0]))
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        return f'has no key "{key}"; ' + (f'did you mean "{near[0]}"?' if near else f"known are {', '.join(known)}.")
    if fault["type"] == "missing":
        return f'wants a key "{key}", which is not there.'
    said = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else fault["msg"][0].lower() + fault["msg"][1:]
    return f'key "{key}": {said}, not {shown(repr(fault["input"]))}.'
