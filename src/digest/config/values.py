"""The kinds of values in config.toml, each parsed once and refused in a few words where it is wrong."""

import re
from datetime import time
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


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


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError("is no network, such as 10.0.0.0/8 or 2001:db8::/32") from error
    return text


Line = Annotated[str, AfterValidator(_one_line)]
ShortLine = Annotated[Line, Field(max_length=100)]
Address = Annotated[ShortLine, AfterValidator(_address)]
WebAddress = Annotated[Line, AfterValidator(_web_address)]
Interface = Annotated[Line, AfterValidator(_interface)]
HookAddress = Annotated[Line, AfterValidator(_hook)]
Domain = Annotated[Line, AfterValidator(_domain)]
Network = Annotated[str, AfterValidator(_network)]


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
