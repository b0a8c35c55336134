"""What the doctor says of the sender's records in the DNS."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from tests.delivery.test_signing import ED25519, written

from digest.config.settings import Settings
from digest.delivery import signing
from digest.operations.dns_records import Lookup, Record, UnansweredError, ask, examine

GOOD: Mapping[tuple[str, str], Sequence[str]] = {
    ("back.example", "TXT"): ("v=spf1 ip4:192.0.2.10 -all", "another=record"),
    ("_dmarc.digest.example", "TXT"): ("v=DMARC1; p=reject; rua=mailto:dmarc@digest.example",),
    ("back.example", "MX"): ("mx.back.example",),
    ("mx.back.example", "A"): ("192.0.2.11",),
    ("digest.example", "MX"): ("mx.back.example",),
    ("relay.example", "A"): ("8.8.4.4",),
    ("4.4.8.8.in-addr.arpa.", "PTR"): ("relay.example",),
}


@pytest.fixture
def sender(settings: Settings) -> Settings:
    return changed(
        settings,
        delivery={"transport": "smtp"},
        smtp={"host": "relay.example"},
        mail={"bounce_address": "bounce@back.example"},
    )


def changed(settings: Settings, **sections: dict[str, Any]) -> Settings:
    made = {name: getattr(settings, name).model_copy(update=values) for name, values in sections.items()}
    return settings.model_copy(update=made)


def telling(**others: Sequence[str]) -> Lookup:
    """A DNS with the good records, some of them replaced: `TXT_back_example=()`."""
    known = dict(GOOD)
    for name, values in others.items():
        kind, _, host = name.partition("_")
        known[host.replace("__", "\0").replace("_", ".").replace("\0", "_"), kind] = values

    def lookup(name: str, kind: Record) -> Sequence[str]:
        return known.get((name, kind), ())

    return lookup


def about(what: str, settings: Settings, lookup: Lookup) -> tuple[str, str]:
    """Level and words of the one finding."""
    (found,) = [one for one in examine(settings, lookup) if one.what == what and "digest.example:" not in one.said[:4]]
    return found.level, found.said


def test_a_sender_whose_records_are_right_is_told_so(sender: Settings) -> None:
    found = list(examine(sender, telling()))
    assert {one.level for one in found} == {"ok"}
    assert [one.what for one in found] == ["SPF", "DMARC", "MX", "MX", "reverse name"]


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ((), "fail", "back.example has no SPF record: publish TXT"),
        (("v=spf1 -all", "v=spf1 mx -all"), "fail", "back.example has 2 SPF records"),
        (("v=spf1 mx +all",), "fail", "back.example lets everybody send"),
        (("v=spf1 all",), "fail", "back.example lets everybody send"),
        (("v=spf1 mx ?all",), "warn", "back.example says nothing of other senders"),
        (("v=spf1 redirect=_spf.example",), "ok", "back.example: v=spf1 redirect=_spf.example"),
        (("v=spf10 mx -all",), "fail", "back.example has no SPF record"),
    ],
)
def test_spf(sender: Settings, records: Sequence[str], level: str, words: str) -> None:
    found, said = about("SPF", sender, telling(TXT_back_example=records))
    assert (found, said[: len(words)]) == (level, words)


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ((), "fail", "digest.example has no DMARC record"),
        (("v=DMARC1; p=none; rua=mailto:a@b.example",), "note", "digest.example: p=none; once the reports"),
        (("v=DMARC1; p=none",), "warn", "digest.example: p=none without rua"),
        (("v=DMARC1; p=strict",), "fail", "_dmarc.digest.example has no policy that counts"),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), "fail", "_dmarc.digest.example has 2 records"),
        (("v=DMARC1;p=quarantine",), "ok", "digest.example: p=quarantine, by _dmarc.digest.example."),
    ],
)
def test_dmarc(sender: Settings, records: Sequence[str], level: str, words: str) -> None:
    found, said = about("DMARC", sender, telling(TXT___dmarc_digest_example=records))
    assert (found, said[: len(words)]) == (level, words)


def test_dmarc_of_a_domain_below_is_the_policy_for_those_below(sender: Settings) -> None:
    below = changed(sender, mail={"from_address": "news@weekly.digest.example"})
    record = ("v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example",)
    assert about("DMARC", below, telling(TXT___dmarc_digest_example=record))[0] == "note"


def test_dkim_is_the_key_that_signs_however_its_record_is_written(sender: Settings, tmp_path: Path) -> None:
    key = written(tmp_path / "key.pem", ED25519)
    signed = changed(sender, dkim={"domain": "digest.example", "keys": {"2026": key}})
    (signer,) = signing.signers(signed.dkim)
    shown = signer.record.replace("; ", " ;  ") + "; t=s"
    name = "TXT_2026.__domainkey_digest_example"
    assert about("DKIM", signed, telling(**{name: (shown,)}))[0] == "ok"
    assert about("DKIM", signed, telling())[1].endswith(signer.record)
    assert "another key" in about("DKIM", signed, telling(**{name: ("v=DKIM1; k=ed25519; p=AAAA",)}))[1]
    assert "another key" in about("DKIM", signed, telling(**{name: ("v=DKIM1; p=",)}))[1]


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((), "back.example has no MX"),
        (("",), "back.example says by its MX that it takes no mail"),
        (("nowhere.example",), "none of the hosts of back.example's MX has an address"),
    ],
)
def test_mail_that_comes_back_has_to_arrive_somewhere(sender: Settings, records: Sequence[str], words: str) -> None:
    found = [one for one in examine(sender, telling(MX_back_example=records)) if one.what == "MX"]
    assert (found[0].level, found[0].said[: len(words)]) == ("fail", words)
    assert found[1].level == "ok"


def test_a_relay_without_a_name_that_leads_back_is_a_warning(sender: Settings) -> None:
    assert about("reverse name", sender, telling(A_relay_example=("8.8.8.8",)))[0] == "warn"
    elsewhere = {"PTR_4.4.8.8.in-addr.arpa.": ("other.example",)}
    assert "leads elsewhere (other.example)" in about("reverse name", sender, telling(**elsewhere))[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "fd00::1"])
def test_a_relay_inside_says_nothing_of_where_mail_comes_from(sender: Settings, host: str) -> None:
    level, said = about("reverse name", changed(sender, smtp={"host": host}), telling())
    assert (level, said[:12]) == ("note", "not checked:")


def test_without_a_network_each_line_says_so(sender: Settings) -> None:
    def nobody(name: str, kind: Record) -> Sequence[str]:
        raise UnansweredError

    found = list(examine(sender, nobody))
    assert {one.level for one in found} == {"note"}
    assert all(one.said.startswith("not checked: no network") for one in found)


def test_of_a_provider_only_what_is_the_senders_own_is_looked_at(sender: Settings) -> None:
    over_http = changed(sender, delivery={"transport": "postmark"}, mail={"bounce_address": ""})
    assert [one.what for one in examine(over_http, telling())] == ["DMARC", "MX"]


def test_nobody_is_asked_about_a_maildir_or_a_machines_own_name(settings: Settings, sender: Settings) -> None:
    def asked(name: str, kind: Record) -> Sequence[str]:
        raise AssertionError(name)

    assert [one.level for one in examine(settings, asked)] == ["note"]
    local = changed(
        sender, mail={"from_address": "a@localhost.localdomain", "bounce_address": ""}, smtp={"host": "relay"}
    )
    assert {one.level for one in examine(local, asked)} == {"note"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A server of names on loopback that the machine's resolver is pointed at; told the answer's records."""
    told: list[str] = []
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                asked, who = listening.recvfrom(4096)
            except OSError:
                return
            if len(asked) < 12:
                return
            answer = dns.message.make_response(dns.message.from_wire(asked))
            answer.answer = [dns.rrset.from_text("digest.example.", 60, "IN", *line.split(" ", 1)) for line in told]
            answer.set_rcode(dns.rcode.NOERROR if told else dns.rcode.NXDOMAIN)
            listening.sendto(answer.to_wire(), who)

    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], listening.getsockname()[1]
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    thread = threading.Thread(target=serve)
    thread.start()
    with closing(listening):
        yield told.append
        listening.sendto(b"end", listening.getsockname())
        thread.join()


def test_the_machines_resolver_is_asked(server: Callable[[str], None]) -> None:
    server('TXT "v=spf1 ip4:192.0.2.10" " -all"')
    assert ask("digest.example", "TXT") == ["v=spf1 ip4:192.0.2.10 -all"]


def test_hosts_are_told_without_their_rank(server: Callable[[str], None]) -> None:
    server("MX 10 MX.Back.example.")
    assert ask("digest.example", "MX") == ["mx.back.example"]


def test_a_name_that_is_not_there_has_no_records(server: Callable[[str], None]) -> None:
    assert ask("digest.example", "TXT") == ()


def test_a_resolver_that_cannot_be_reached_has_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = []
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    with pytest.raises(UnansweredError):
        ask("digest.example", "TXT")
