"""config.toml: parsed once at the edge, refused with the key's name when it is wrong, trusted inside.

Later wins: config.toml < secret files < environment (`DIGEST_SMTP__PORT=2525`). A file without `[sources]` uses the
packaged ones, so an operator's file need only hold what differs.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import date, time
from decimal import Decimal
from importlib import resources
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from digest.errors import ConfigError

_assets_open = ExitStack()


def asset(name: str) -> Path:
    """The path of a packaged file or folder: `templates`, `data` or `config.toml`.

    Found inside an installed wheel, else at the top of a checkout.
    """
    packaged = resources.files("digest") / "_assets" / name
    if packaged.is_file() or packaged.is_dir():
        return _assets_open.enter_context(resources.as_file(packaged))
    return Path(__file__).parents[2] / name


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _one_line(text: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError("holds a control character")
    return text


def _address(text: str) -> str:
    if text and not re.fullmatch(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+", text):
        raise ValueError("is no mail address, such as news@example.org")
    return text


def _web_address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/<>\"']+(/[^\s<>\"']*)?", text):
        raise ValueError("is no web address, such as https://example.org")
    return text


def _interface(text: str) -> str:
    address = urlsplit(_web_address(text))
    if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("is not https: the token and every reader's address go there")
    return text.rstrip("/")


def _hook(text: str) -> str:
    if not text:
        return text
    try:
        address = urlsplit(_web_address(text))
        host, _port = address.hostname or "", address.port
    except ValueError as error:
        raise ValueError("is no web address, such as https://example.org/hook") from error
    if address.scheme != "https" and not _is_here(host):
        raise ValueError("is not https: what is told there is nobody else's to read")
    return text


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _domain(text: str) -> str:
    labels = text.split(".") if text else []
    if len(text) > 253 or not all(
        re.fullmatch(r"[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?", one, re.ASCII) for one in labels
    ):
        raise ValueError("is no domain, such as example.org")
    return text.lower()


Line = Annotated[str, AfterValidator(_one_line)]
ShortLine = Annotated[Line, Field(max_length=100)]
Address = Annotated[ShortLine, AfterValidator(_address)]
WebAddress = Annotated[Line, AfterValidator(_web_address)]
Interface = Annotated[Line, AfterValidator(_interface)]
HookAddress = Annotated[Line, AfterValidator(_hook)]
Domain = Annotated[Line, AfterValidator(_domain)]


class Level(Strict):
    """One step down to the rows: every element of `each` is visited."""

    each: str = "@"
    as_: str | None = Field(None, alias="as")
    key_as: str | None = None


class Column(Strict):
    """What one column measures. `low`, `high`, `stderr` and `n` name the columns that hold its uncertainty."""

    benchmark: str | None = None
    title: Line = ""
    unit: str = "%"
    higher_is_better: bool = True
    scale: Decimal = Field(Decimal(1), gt=0)
    strip: str = ""
    low: str | None = None
    high: str | None = None
    stderr: str | None = None
    n: str | None = None
    margin: Decimal | None = Field(None, ge=0)
    zero_is_missing: bool = False
    self_reported: bool | None = None


class LongForm(Column):
    """One score a row: `name` is the field with the benchmark's name, `value` the field with its figure."""

    name: str
    value: str


class Prices(Strict):
    """Fields of an offer. `scale` turns the source's money into USD per million tokens.

    `details` is an expression for further prices: every number inside it is one, named by the way to it. An object of
    `above` and `price` is the price of a tier, named by its threshold; an object with a `when` is named by that.
    `zero_is_missing` says that the source writes 0 for what it does not know; elsewhere a price of 0 is free.
    """

    input: str | None = None
    output: str | None = None
    context: str | None = None
    max_output: str | None = None
    host: str | None = None
    details: str | None = None
    zero_is_missing: bool = False
    scale: Decimal = Field(Decimal(1), gt=0)


class CategoryMap(Strict):
    """Which benchmarks make up which category, in force from `from` until `until`, both included."""

    from_: date | None = Field(None, alias="from")
    until: date | None = None
    categories: dict[str, Annotated[list[str], Field(min_length=1)]]

    def in_force(self, on: date) -> bool:
        return (self.from_ is None or self.from_ <= on) and (self.until is None or on <= self.until)


class Aggregates(Strict):
    """Category means as `category:<name>` and their mean as `overall`: the publisher's by `maps`, each only where it is
    complete, or ours by the weights of `data/benchmarks.toml`."""

    overall: str = "overall"
    weighted: bool = False
    maps: list[CategoryMap] = []

    @model_validator(mode="after")
    def _made_one_way(self) -> Self:
        if self.weighted is bool(self.maps):
            raise ValueError("wants either maps or weighted = true: say how the aggregates are made")
        return self

    def in_force(self, on: date) -> Mapping[str, list[str]]:
        """The categories in force on a day; none when no map covers it."""
        return next((known.categories for known in self.maps if known.in_force(on)), {})


class Source(Strict):
    """A declared source. `docs/adding-a-source.md` explains every key with an example."""

    title: Line
    url: Line
    home: Line = ""
    licence: Line = "none stated"
    enabled: bool = True
    kind: Literal["scores", "offers"]
    format: Literal["json", "yaml", "csv", "markdown"]
    rows: Annotated[list[Level], Field(min_length=1)] = [Level()]
    model: str
    key: str | None = None
    skip: list[str] = []
    columns: dict[str, Column] = {}
    ignore: list[str] = []
    missing: list[str] = []
    long: LongForm | None = None
    prices: Prices | None = None
    aggregates: Aggregates | None = None
    lead: str | None = None
    margin: Decimal | None = Field(None, ge=0)
    relative: bool = False
    self_reported: bool = False
    stale_after_days: PositiveInt = 45

    @model_validator(mode="after")
    def _measures_something(self) -> Self:
        if not (self.columns or self.long or self.prices):
            raise ValueError("declares neither columns, long nor prices: say what is to be read")
        if self.kind == "scores" and self.lead is None:
            raise ValueError("has kind scores but no lead: name the benchmark that ranks it")
        if self.kind == "offers" and self.prices is None:
            raise ValueError("has kind offers but no [prices]: say where the prices are")
        return self


class Series(Strict):
    title: Annotated[ShortLine, Field(min_length=1)] = "Digest"
    tagline: ShortLine = "Weekly LLM benchmarks"
    timezone: str = "UTC"
    base_url: WebAddress = "http://127.0.0.1:8000"
    postal_address: Line = ""
    contact: Line = ""
    commercial: bool = False
    notes: Path = Path("notes")

    @model_validator(mode="after")
    def _zone_exists(self) -> Self:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f'has timezone "{self.timezone}", which is no IANA zone such as Europe/Berlin') from error
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Database(Strict):
    url: str = Field("sqlite:///digest.db", repr=False)


LONGEST_BOUNCE_NAME = 15
"""Octets; a "+" and a token of 48 digits follow, and a local part has at most 64 (RFC 5321 section 4.5.3.1.1)."""


class Mail(Strict):
    from_name: ShortLine = "Digest"
    from_address: Annotated[Address, Field(min_length=3)] = "digest@localhost.localdomain"
    letters_address: Address = ""
    reply_to: Address = ""
    bounce_address: Address = ""
    list_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")] = "digest.localhost.localdomain"

    @model_validator(mode="after")
    def _leaves_room_for_a_token(self) -> Self:
        local = self.bounce_address.rpartition("@")[0]
        if len(local) > LONGEST_BOUNCE_NAME or not self.bounce_address.isascii():
            raise ValueError(
                f"has a bounce_address whose name is longer than {LONGEST_BOUNCE_NAME} letters, or no ASCII"
            )
        return self


class Delivery(Strict):
    transport: Literal["maildir", "smtp", "postmark", "mailgun"] = "maildir"
    maildir: Path = Path("outbox")
    lease_seconds: PositiveInt = 60
    give_up_after_hours: PositiveInt = 72
    from_hour: int = Field(0, ge=0, le=23)
    until_hour: int = Field(24, ge=1, le=24)
    senders: int = Field(1, ge=1, le=32)
    per_second: PositiveFloat | None = None
    warm_up: list[PositiveInt] = []

    @model_validator(mode="after")
    def _some_hours(self) -> Self:
        if self.from_hour >= self.until_hour:
            raise ValueError("has a from_hour that is not before until_hour: no mail could ever go out")
        return self


class Relay(Strict):
    """Where a relay is and how to log in."""

    host: Line = "127.0.0.1"
    port: int = Field(25, ge=1, le=65535)
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: SecretStr = SecretStr("")


class Smtp(Relay):
    """`fallback` is the relay that is used while this one cannot be reached or lets nobody in."""

    timeout_seconds: PositiveFloat = 30
    messages_per_connection: PositiveInt = 100
    sessions: int = Field(4, ge=1, le=64)
    fallback: Relay | None = None


class Postmark(Strict):
    url: Interface = "https://api.postmarkapp.com"
    token: SecretStr = SecretStr("")
    stream: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")] = "broadcast"
    timeout_seconds: PositiveFloat = 30


class Mailgun(Strict):
    url: Interface = "https://api.mailgun.net"
    domain: Domain = ""
    token: SecretStr = SecretStr("")
    timeout_seconds: PositiveFloat = 30


class Dkim(Strict):
    """What signs every mail (RFC 6376): for each selector of `domain` the file of its private key (PEM). Without any,
    the relay signs."""

    domain: Domain = ""
    keys: dict[Annotated[Domain, Field(min_length=1)], Path] = {}

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.domain) is not bool(self.keys):
            raise ValueError("wants both domain and keys: name the domain that signs, and a key file for its selector")
        return self


class Imap(Strict):
    """A folder on an IMAP server (RFC 9051)."""

    host: Line = ""
    port: int = Field(993, ge=1, le=65535)
    tls: Literal["none", "starttls", "tls"] = "tls"
    user: str = ""
    password: SecretStr = SecretStr("")
    folder: Annotated[str, Field(pattern=r"^[ -~]{1,200}$")] = "INBOX"
    timeout_seconds: PositiveFloat = 30


class Bounces(Strict):
    """Where returned mail is read: a Maildir, an IMAP folder (one that names a host), or neither."""

    maildir: Path | None = None
    imap: Imap = Imap()

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.maildir and self.imap.host:
            raise ValueError("names both a maildir and an imap host: returned mail is read in one place")
        return self


class Webhooks(Strict):
    """What the events of each provider are checked with; one that is empty is not listened to."""

    postmark: SecretStr = SecretStr("")
    mailgun: SecretStr = SecretStr("")
    sendgrid: SecretStr = SecretStr("")
    ses: SecretStr = SecretStr("")


class Alerts(Strict):
    """Who is told what needs a person."""

    mail_to: list[Address] = []


class Backups(Strict):
    """Where `digest serve` puts a copy of the database each day, nowhere if there is no folder; and for how long."""

    folder: Path | None = None
    keep_days: PositiveInt = 30


class Hooks(Strict):
    """Addresses that are told by a signed POST: `alerts` what needs a person, `editions` each new edition."""

    alerts: HookAddress = ""
    editions: HookAddress = ""
    secret: SecretStr = SecretStr("")


class Web(Strict):
    host: Line = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    metrics: bool = False


class Links(Strict):
    keys: list[SecretStr] = []

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if any(len(key.get_secret_value()) < 32 for key in self.keys):
            raise ValueError("has a key of less than 32 characters: make one with `openssl rand -hex 32`")
        return self


class Consent(Strict):
    """`regimes` is a file of the operator's own rows, in the form of data/consent_regimes.toml."""

    regimes: Path | None = None


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError("is no network, such as 10.0.0.0/8 or 2001:db8::/32") from error
    return text


class Location(Strict):
    """Where a reader's country comes from when none is declared. The header counts only from `trusted_proxies`."""

    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = []
    country_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,60}$")] = ""
    address_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,60}$")] = "X-Forwarded-For"
    database: Path = Path("country.mmdb")


class Captcha(Strict):
    """A service that tells people from programs: `field` of the form goes to `verify_url` together with `secret`."""

    verify_url: WebAddress | None = None
    field: Line = "captcha"
    secret: SecretStr = SecretStr("")


class Signup(Strict):
    """How many requests to sign up are taken in an hour from one network (/24 or /64), for one domain, and in all."""

    per_network: PositiveInt = 20
    per_domain: PositiveInt = 200
    in_all: PositiveInt = 500
    captcha: Captcha = Captcha()


class Approval(Strict):
    """Who approves an edition, and what happens where nobody did when it is due. No names: anybody."""

    required: bool = True
    approvers: tuple[str, ...] = ()
    needed: PositiveInt = 1
    at_deadline: Literal["hold", "send_if_checked"] = "hold"

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.approvers and self.needed > len(set(self.approvers)):
            raise ValueError(f"needed is {self.needed}, but approvers has {len(set(self.approvers))} names")
        return self


class WeekTime(NamedTuple):
    """A time of a week: the weekday, 0 for Monday, and the time of that day."""

    weekday: int
    at: time


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _week_time(given: Any) -> Any:
    """`mon 06:00` -> its weekday and time; what is parsed already stays."""
    if not isinstance(given, str):
        return given
    day, _, at = given.strip().lower().partition(" ")
    if day not in _WEEKDAYS:
        raise ValueError('is no time of a week such as "mon 06:00"')
    return WeekTime(_WEEKDAYS.index(day), _day_time(at))


def _day_time(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", given.strip(), re.ASCII):
        raise ValueError('is no time of the day such as "06:00"')
    hour, minute = given.strip().split(":")
    return time(int(hour), int(minute))


TimeOfWeek = Annotated[WeekTime, BeforeValidator(_week_time)]
TimeOfDay = Annotated[time, BeforeValidator(_day_time)]


class Schedule(Strict):
    """When the stages of a week are, in the series' zone, and how late an edition goes out without a person's word."""

    snapshot: TimeOfWeek = WeekTime(0, time(6))
    draft: TimeOfWeek = WeekTime(0, time(7))
    approval: TimeOfWeek = WeekTime(1, time(9))
    send: TimeOfWeek = WeekTime(1, time(10))
    late_by_hours: PositiveInt = 24
    retention: TimeOfDay = time(3, 30)
    backup: TimeOfDay = time(4)
    bounces_minutes: int = Field(5, ge=1, le=1440)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.snapshot <= self.draft <= self.approval <= self.send:
            raise ValueError("has stages out of order: a week goes from snapshot to draft, approval and send")
        return self


class Fetch(Strict):
    connect_seconds: PositiveFloat = 10
    total_seconds: PositiveFloat = 120
    retries: int = Field(3, ge=0, le=10)
    max_megabytes: PositiveInt = 64
    allow_http: bool = False
    allow_private_addresses: bool = False


class Policy(Strict):
    """How far apart two figures must be before they are told as different."""

    disagree_price_percent: Decimal = Field(Decimal(1), ge=0)
    disagree_context_percent: Decimal = Field(Decimal(5), ge=0)
    flip_flop_weeks: PositiveInt = 4
    rows_per_section: PositiveInt = 7
    rows_in_a_quiet_week: PositiveInt = 3


class Verdicts(Strict):
    """How large a difference must be before a side by side makes something of it."""

    clear_lead: Decimal = Field(Decimal(5), ge=1)
    price_ratio: Decimal = Field(Decimal("1.5"), ge=1)
    context_ratio: Decimal = Field(Decimal("1.5"), ge=1)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="DIGEST_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        secrets_dir_missing="ok",
        secrets_nested_delimiter="__",
    )

    series: Series = Series()
    database: Database = Database()
    mail: Mail = Mail()
    delivery: Delivery = Delivery()
    smtp: Smtp = Smtp()
    postmark: Postmark = Postmark()
    mailgun: Mailgun = Mailgun()
    dkim: Dkim = Dkim()
    bounces: Bounces = Bounces()
    webhooks: Webhooks = Webhooks()
    alerts: Alerts = Alerts()
    backups: Backups = Backups()
    hooks: Hooks = Hooks()
    web: Web = Web()
    links: Links = Links()
    consent: Consent = Consent()
    location: Location = Location()
    signup: Signup = Signup()
    approval: Approval = Approval()
    schedule: Schedule = Schedule()
    fetch: Fetch = Fetch()
    policy: Policy = Policy()
    verdicts: Verdicts = Verdicts()
    sources: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")], Source] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the library's signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's signature)
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, NestedSecretsSettingsSource(file_secret_settings, secrets_prefix=""), init_settings

    @property
    def enabled_sources(self) -> dict[str, Source]:
        return {name: source for name, source in self.sources.items() if source.enabled}


def load_settings(path: Path | None = None) -> Settings:
    """Read `path`, else `./config.toml`, else the packaged default.

    Raises ConfigError naming file, section and key, with the nearest known key for an unknown one.
    """
    if path is None and Path("config.toml").is_file():
        path = Path("config.toml")
    default = asset("config.toml")
    shown = str(path) if path else "the packaged config.toml"
    values = _read_toml(path or default, shown)
    values.setdefault("sources", _read_toml(default, "the packaged config.toml")["sources"])
    _refuse_unknown_environment()
    try:
        # The folder is the one that containers and systemd mount secrets at; both name it in the environment.
        return Settings(_secrets_dir=os.environ.get("DIGEST_SECRETS_DIR", "/run/secrets/digest"), **values)
    except ValidationError as error:
        raise ConfigError(_sentence(error, shown)) from error
    except ValueError as error:  # a list or table given as text in the environment
        raise ConfigError(f"a DIGEST_ variable cannot be read: {error}; write lists and tables as JSON.") from error


def _read_toml(path: Path, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{shown} cannot be read: {error.strerror}; name another with --config.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{shown} is not valid TOML: {error}.") from error


def _refuse_unknown_environment() -> None:
    known = {name.upper() for name in Settings.model_fields} | {"SECRETS_DIR"}
    for name in os.environ:
        section = name.upper().removeprefix("DIGEST_").split("__")[0]
        if name.upper().startswith("DIGEST_") and section not in known:
            hint = _nearest(section, known)
            raise ConfigError(f"the environment variable {name} names no section of config.toml{hint}")


def _sentence(error: ValidationError, shown: str) -> str:
    """The first fault of a validation, as one sentence for the person who wrote the file."""
    fault = error.errors()[0]
    parts = [str(part) for part in fault["loc"]]
    where = f"[{'.'.join(parts[:-1])}] " if len(parts) > 1 else ""
    if fault["type"] == "extra_forbidden":
        hint = _nearest(parts[-1], _keys_at(fault["loc"][:-1]))
        return f'{shown}: {where}has no key "{parts[-1]}"{hint}'
    if fault["type"] == "missing":
        return f'{shown}: {where}wants a key "{parts[-1]}", which is not there.'
    if fault["type"] == "value_error":
        return f"{shown}: [{'.'.join(parts)}] {fault['ctx']['error']}."
    # A whole section may hold a secret, too.
    secret = len(parts) == 1 or not {"password", "keys", "url", "secret", "token", "fallback"}.isdisjoint(parts)
    given = "" if secret else f", not {fault['input']!r:.80}"
    return f'{shown}: {where}key "{parts[-1]}": {fault["msg"][0].lower()}{fault["msg"][1:]}{given}.'


def _nearest(word: str, known: Iterable[str]) -> str:
    options = sorted(known)
    match = difflib.get_close_matches(word, options, n=1, cutoff=0.5)
    return f'; did you mean "{match[0]}"?' if match else f"; known are {', '.join(options)}." if options else "."


def _keys_at(location: tuple[int | str, ...]) -> set[str]:
    """The keys that are known at a place of the settings, read off the types."""
    here: Any = Settings
    for part in location:
        if get_origin(here) in (list, dict):
            here = get_args(here)[-1]
        else:
            here = {info.alias or name: info.annotation for name, info in here.model_fields.items()}[str(part)]
        if get_origin(here) is UnionType:
            here = next(choice for choice in get_args(here) if choice is not NoneType)
    return {info.alias or name for name, info in here.model_fields.items()}
