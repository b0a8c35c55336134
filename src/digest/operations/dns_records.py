"""What the DNS says of the sender: SPF, DKIM, DMARC, who takes returned mail, and the relay's reverse name.

Only what receivers look at, and only as far as it can be known from here: see docs/deliverability.md.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Literal

import dns.exception
import dns.resolver
import dns.reversename
from dns.rdtypes.txtbase import TXTBase

from digest.config.settings import Settings
from digest.delivery import signing
from digest.operations.findings import Finding

Record = Literal["TXT", "MX", "A", "AAAA", "PTR"]
Lookup = Callable[[str, Record], Sequence[str]]
"""The values that a name has, none if there is no such name; of MX the hosts, of TXT the strings put together. Raises
UnansweredError."""

_SECONDS = 5.0


class UnansweredError(Exception):
    """No server of names could be asked, or it has no answer."""


def ask(name: str, kind: Record) -> Sequence[str]:
    """A `Lookup` by the machine's own resolver."""
    try:
        answer = dns.resolver.resolve(name, kind, lifetime=_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except (dns.exception.DNSException, OSError) as error:
        raise UnansweredError(type(error).__name__) from error
    return [_text(one) for one in answer]


def _text(record: object) -> str:
    if isinstance(record, TXTBase):
        return b"".join(record.strings).decode("ascii", "replace")
    return str(getattr(record, "exchange", record)).rstrip(".").lower()


def examine(settings: Settings, lookup: Lookup) -> Iterator[Finding]:
    """One finding for each record that the sender needs; of what goes into a Maildir there is nothing to look at."""
    transport, mail = settings.delivery.transport, settings.mail
    if transport == "maildir":
        yield Finding("DNS", "note", "not checked: nothing is mailed by the maildir transport.")
        return
    senders = _domains(mail.from_address, mail.letters_address)
    if transport == "smtp":
        for domain in _domains(mail.bounce_address) or senders:
            yield _looked("SPF", domain, _spf, lookup)
        for key in signing.signers(settings.dkim):
            yield _looked("DKIM", f"{key.selector}._domainkey.{key.domain}", partial(_dkim, key.record), lookup)
    for domain in senders:
        yield _looked("DMARC", domain, _dmarc, lookup)
    for domain in _domains(mail.bounce_address, mail.reply_to or mail.from_address):
        yield _looked("MX", domain, _mx, lookup)
    if transport == "smtp":
        yield _looked("reverse name", settings.smtp.host, _reverse, lookup)


def _domains(*addresses: str) -> list[str]:
    return list(dict.fromkeys(one.rpartition("@")[2].lower() for one in addresses if one))


def _looked(what: str, name: str, look: Callable[[str, Lookup], Finding], lookup: Lookup) -> Finding:
    if not _is_address(name) and ("." not in name.strip(".") or name.endswith((".localdomain", ".localhost"))):
        return Finding(what, "note", f"not checked: {name} is a name of this machine's alone.")
    try:
        return look(name, lookup)
    except UnansweredError:
        return Finding(what, "note", f"not checked: no network, or no answer about {name}.")


def _spf(domain: str, lookup: Lookup) -> Finding:
    """RFC 7208: one record (section 3.2), which names who may send and says what of all others (section 5.1)."""
    found = [text for text in lookup(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        said = f'{domain} has no SPF record: publish TXT "v=spf1 ip4:<your relay\'s address> -all".'
        return Finding("SPF", "fail", said)
    if len(found) > 1:
        said = f"{domain} has {len(found)} SPF records, so receivers heed none: put them into one."
        return Finding("SPF", "fail", said)
    terms = found[0].lower().split()[1:]
    if {"all", "+all"} & set(terms):
        return Finding("SPF", "fail", f'{domain} lets everybody send: end its SPF record in "-all" or "~all".')
    if not {"-all", "~all"} & set(terms) and not any(term.startswith("redirect=") for term in terms):
        return Finding(
            "SPF", "warn", f'{domain} says nothing of other senders: end its SPF record in "-all" or "~all".'
        )
    return Finding("SPF", "ok", f"{domain}: {found[0]}")


def _dkim(expected: str, name: str, lookup: Lookup) -> Finding:
    """RFC 6376 section 3.6.1: the published key has to be the one that signs; other tags are the publisher's own."""
    published = [_tags(text) for text in lookup(name, "TXT")]
    if not published:
        return Finding("DKIM", "fail", f"{name} has no TXT record: publish {expected}")
    if not any(_key(tags) == _key(_tags(expected)) for tags in published):
        return Finding("DKIM", "fail", f"{name} publishes another key than the one that signs: publish {expected}")
    return Finding("DKIM", "ok", f"{name} publishes the key that signs.")


def _key(tags: dict[str, str]) -> tuple[str, bytes]:
    try:
        return tags.get("k", "rsa"), base64.b64decode(tags.get("p", ""))
    except binascii.Error:
        return "", b""


def _dmarc(domain: str, lookup: Lookup) -> Finding:
    """RFC 7489 section 6.6.3: the record of the domain itself, else of one above it."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        above = ".".join(labels[start:])
        found = [text for text in lookup(f"_dmarc.{above}", "TXT") if text.replace(" ", "").startswith("v=DMARC1")]
        if len(found) > 1:
            said = f"_dmarc.{above} has {len(found)} records, so receivers heed none: keep one."
            return Finding("DMARC", "fail", said)
        if found:
            tags = _tags(found[0])
            policy = tags.get("sp", tags.get("p", "")) if start else tags.get("p", "")
            return _of_policy(domain, above, policy.lower(), "rua" in tags)
    said = f'{domain} has no DMARC record: publish TXT "v=DMARC1; p=none; rua=mailto:…" at _dmarc.{domain}.'
    return Finding("DMARC", "fail", said)


def _of_policy(domain: str, above: str, policy: str, reports: bool) -> Finding:
    if policy not in ("none", "quarantine", "reject"):
        return Finding("DMARC", "fail", f"_dmarc.{above} has no policy that counts: none, quarantine or reject.")
    if policy == "none" and not reports:
        return Finding("DMARC", "warn", f"{domain}: p=none without rua tells nobody anything: add rua=mailto:….")
    if policy == "none":
        return Finding("DMARC", "note", f"{domain}: p=none; once the reports show that all mail passes, p=quarantine.")
    return Finding("DMARC", "ok", f"{domain}: p={policy}, by _dmarc.{above}.")


def _mx(domain: str, lookup: Lookup) -> Finding:
    """Whether mail to the domain arrives anywhere: RFC 5321 section 5.1, and RFC 7505 for a domain that wants none."""
    hosts = lookup(domain, "MX")
    if not any(hosts):
        why = "says by its MX that it takes no mail" if hosts else "has no MX"
        said = f"{domain} {why}: returned mail and answers get lost. Publish the MX of the host that takes them."
        return Finding("MX", "fail", said)
    if not any(lookup(host, "A") or lookup(host, "AAAA") for host in hosts):
        return Finding("MX", "fail", f"none of the hosts of {domain}'s MX has an address: {', '.join(hosts)}.")
    return Finding("MX", "ok", f"{domain}: {', '.join(hosts)}")


def _reverse(host: str, lookup: Lookup) -> Finding:
    """Whether each public address of the relay has a name that leads back to it (RFC 8601 section 2.7.3)."""
    addresses = [host] if _is_address(host) else [*lookup(host, "A"), *lookup(host, "AAAA")]
    public = [str(address) for address in map(ip_address, addresses) if address.is_global]
    if not public:
        said = f"not checked: {host} has no public address, so the one that it sends from is not known here."
        return Finding("reverse name", "note", said)
    for address in public:
        names = lookup(dns.reversename.from_address(address).to_text(), "PTR")
        if not any(address in (*lookup(name, "A"), *lookup(name, "AAAA")) for name in names):
            has = f"has a reverse name that leads elsewhere ({names[0]})" if names else "has no reverse name"
            said = f"{host} {has}: if it also sends from there, ask its host to set one."
            return Finding("reverse name", "warn", said)
    return Finding("reverse name", "ok", f"each public address of {host} has a name that leads back to it.")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _tags(text: str) -> dict[str, str]:
    """A tag list of RFC 6376 section 3.2."""
    pairs = (one.partition("=") for one in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs if name.strip()}
