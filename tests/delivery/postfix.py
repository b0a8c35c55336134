"""A real Postfix on loopback, with a certificate and a log-in, that delivers to one Maildir and to nowhere else."""

import datetime as dt
import ipaddress
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.delivery.relay import free_port

SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"
USER, PASSWORD = "digest@localhost", "a long password"

MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
multi_instance_enable = yes
multi_instance_name = postfix-digest-{port}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks =
alias_maps =
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_tls_cert_file = {root}/certificate.pem
smtpd_tls_key_file = {root}/key.pem
smtpd_sasl_auth_enable = yes
cyrus_sasl_config_path = {root}/config/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
virtual_mailbox_domains = example.test
virtual_mailbox_base = {root}
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
default_transport = error:loopback only
"""

SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {root}/sasldb2
mech_list: PLAIN LOGIN
"""


class Postfix(NamedTuple):
    """`inbox` holds what was delivered; `certificate` is to be trusted; `log` says what the relay did."""

    port: int
    inbox: Path
    certificate: Path
    log: Path


def absent() -> str:
    """The first program of a real relay that is not installed, or what else keeps it from being started."""
    missing = [name for name in ("postfix", "saslpasswd2") if shutil.which(name, path=SBIN) is None]
    if missing:
        return f"{missing[0]} is not installed"
    return "" if os.geteuid() == 0 else "Postfix is started by root alone"


@contextmanager
def postfix(root: Path) -> Iterator[Postfix]:
    """Start it in a new folder that it may enter, and stop it."""
    port = free_port()
    for name in ("queue", "data", "config/sasl", "inbox/new", "inbox/cur", "inbox/tmp"):
        (root / name).mkdir(parents=True)
    for folder in (root, *root.parents):
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o011)
    for path in (root / "inbox").rglob("*"):
        shutil.chown(path, 65534, 65534)
    shutil.chown(root / "inbox", 65534, 65534)
    shutil.chown(root / "data", "postfix")
    make_certificate(root)
    config = root / "config"
    (config / "main.cf").write_text(MAIN.format(root=root, port=port))
    services = Path("/etc/postfix/master.cf.proto").read_text()
    services = services.replace("\nsmtp      inet  n       -       y ", f"\n127.0.0.1:{port} inet n - n ", 1)
    lines = [without_chroot(line) for line in services.splitlines()]
    (config / "master.cf").write_text("\n".join(lines) + "\n")
    (config / "sasl" / "smtpd.conf").write_text(SASL.format(root=root))
    user, realm = USER.split("@")
    command = ["saslpasswd2", "-p", "-c", "-f", str(root / "sasldb2"), "-u", realm, user]
    run(command, PASSWORD)
    shutil.chown(root / "sasldb2", "postfix")
    run(["postfix", "-c", str(config), "start"])
    try:
        yield Postfix(port, root / "inbox", root / "certificate.pem", root / "mail.log")
    finally:
        run(["postfix", "-c", str(config), "stop"])


def without_chroot(line: str) -> str:
    fields = line.split(None, 7)
    if len(fields) < 8 or line.startswith(("#", " ")) or fields[4] != "y":
        return line
    return " ".join([*fields[:4], "n", *fields[5:]])


def run(command: list[str], given: str = "") -> None:
    done = subprocess.run(command, input=given, text=True, capture_output=True, env={"PATH": SBIN}, check=False)
    assert done.returncode == 0, done.stderr


def wait_for(inbox: Path, count: int, seconds: float = 30) -> list[Path]:
    """The mails in a Maildir, once there are so many; a relay takes a moment to deliver what it took."""
    until = time.monotonic() + seconds
    while len(mails := list((inbox / "new").iterdir())) < count and time.monotonic() < until:
        time.sleep(0.05)
    return mails


def make_certificate(root: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (root / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (root / "key.pem").write_bytes(private)
    (root / "key.pem").chmod(0o600)
