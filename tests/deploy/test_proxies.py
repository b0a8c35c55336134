"""The examples of reverse proxies keep no network address and pass the visitor's on as the program expects it."""

import re
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
CADDY = (DEPLOY / "caddy" / "Caddyfile").read_text()
NGINX = (DEPLOY / "nginx" / "digest.conf").read_text()


def directives(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_nginx_writes_neither_who_asked_nor_what_for() -> None:
    servers = NGINX.count("\nserver {")
    assert (
        directives(NGINX).count("access_log off;") == directives(NGINX).count("error_log stderr emerg;") == servers == 2
    )


def test_nginx_passes_on_whom_it_spoke_to_and_nothing_that_a_visitor_wrote() -> None:
    assert re.findall(r"X-Forwarded-For (\S+);", NGINX) == ["$remote_addr"]
    assert "proxy_add_x_forwarded_for" not in NGINX


def test_caddy_writes_no_access_log_and_takes_the_visitor_out_of_its_error_log() -> None:
    site = CADDY.partition("\nnews.example.org {")[2]
    assert not [line for line in directives(site) if line.startswith("log")]
    taken_out = re.findall(r"request>(\S+) delete", CADDY)
    assert set(taken_out) == {"remote_ip", "remote_port", "client_ip", "uri", "headers"}


def test_what_is_for_operators_is_not_open_to_the_world() -> None:
    assert "@inside path /metrics /readyz" in directives(CADDY)
    assert [line for line in directives(NGINX) if line.endswith("{ return 404; }")] == [
        "location = /metrics { return 404; }",
        "location = /readyz { return 404; }",
    ]
