"""The sections of config.toml, but for the sources."""

from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, model_validator

from digest.config.values import (
    Address,
    Domain,
    HookAddress,
    Interface,
    Line,
    Network,
    ShortLine,
    Strict,
    TimeOfDay,
    TimeOfWeek,
    WebAddress,
    WeekTime,
)


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


class Location(Strict):
    """Where a reader's country comes from when none is declared. The header counts only from `trusted_proxies`."""

    trusted_proxies: list[Network] = []
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
