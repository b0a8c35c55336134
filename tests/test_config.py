"""config.toml, secret files and the environment: what wins, and one sentence for what is wrong, without a secret."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.errors import ConfigError

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"
SOURCE = """
[sources.sample]
title = "Sample"
url = "https://sample.example/"
kind = "scores"
format = "csv"
model = "model"
lead = "score"
columns.score.unit = "points"
"""


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable, secret or config.toml but the test's own."""
    for name in [name for name in os.environ if name.upper().startswith("DIGEST_")]:
        monkeypatch.delenv(name)
    (tmp_path / "secrets").mkdir()
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Settings]:
    def load(text: str = "", **secrets: str) -> Settings:
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        for name, secret in secrets.items():
            (tmp_path / "secrets" / name).write_text(secret)
        return load_settings(tmp_path / "config.toml")

    return load


@pytest.fixture
def refused(load: Callable[..., Settings]) -> Callable[..., str]:
    """The one sentence with which settings are refused; it holds no secret."""

    def refused(text: str = "", **secrets: str) -> str:
        with pytest.raises(ConfigError) as caught:
            load(text, **secrets)
        assert SECRET not in f"{caught.value} {caught.value!r}"
        assert "\n" not in str(caught.value)
        return str(caught.value).removeprefix(f"{Path.cwd()}/")

    return refused


Load = Callable[..., Settings]
Refused = Callable[..., str]


# Where settings come from


def test_the_packaged_settings_are_the_defaults_of_every_key() -> None:
    packaged, bare = load_settings(), Settings()
    assert packaged.model_copy(update={"sources": {}}) == bare


def test_the_packaged_settings_have_six_sources_and_each_is_on() -> None:
    names = ["livebench", "aider", "lmarena_text", "vectara", "litellm", "genai_prices"]
    assert list(load_settings().enabled_sources) == names


def test_a_file_without_sources_uses_the_packaged_ones(load: Load) -> None:
    assert load('[series]\ntitle = "Mine"\n').sources == load_settings(asset("config.toml")).sources


def test_a_file_with_sources_has_those_alone(load: Load) -> None:
    assert list(load(SOURCE).sources) == ["sample"]


def test_a_source_that_is_switched_off_is_known_but_not_enabled(load: Load) -> None:
    chosen = load(SOURCE + "\n[sources.sample.columns.other]\n[sources.sample.columns.more]\n")
    assert list(chosen.sources["sample"].columns) == ["score", "other", "more"]
    assert load(SOURCE.replace("title", "enabled = false\ntitle")).enabled_sources == {}


def test_the_file_in_the_folder_is_used_unless_another_is_named(tmp_path: Path, load: Load) -> None:
    load("[web]\nport = 1111\n")
    (tmp_path / "other.toml").write_text("[web]\nport = 2222\n")
    assert load_settings().web.port == 1111
    assert load_settings(tmp_path / "other.toml").web.port == 2222


def test_the_environment_wins_over_a_secret_file_and_that_over_the_file(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[smtp]\nport = 1111\nuser = "file"\nhost = "file"\n'
    monkeypatch.setenv("DIGEST_SMTP__USER", "environment")
    smtp = load(text, smtp__user="secret file", smtp__host="secret file").smtp
    assert (smtp.port, smtp.host, smtp.user) == (1111, "secret file", "environment")


@pytest.mark.parametrize("name", ["DIGEST_SMTP__PORT", "digest_smtp__port", "Digest_Smtp__Port"])
def test_a_variable_sets_one_key_and_leaves_its_section(load: Load, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "2525")
    smtp = load('[smtp]\nhost = "relay.example"\nport = 25\n').smtp
    assert (smtp.host, smtp.port) == ("relay.example", 2525)


def test_a_list_in_the_environment_is_json(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_LINKS__KEYS", f'["{SECRET}"]')
    assert [key.get_secret_value() for key in load().links.keys] == [SECRET]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_secret_file_may_end_with_a_line_end(load: Load, end: str) -> None:
    assert load(smtp__password=SECRET + end).smtp.password.get_secret_value() == SECRET


def test_secrets_as_kubernetes_mounts_them_are_read_once(tmp_path: Path, load: Load) -> None:
    data = tmp_path / "secrets" / "..2026_05_04"
    data.mkdir()
    (data / "smtp__password").write_text(SECRET)
    (tmp_path / "secrets" / "smtp__password").symlink_to(data / "smtp__password")
    assert load().smtp.password.get_secret_value() == SECRET


def test_a_folder_of_secrets_that_is_not_there_is_no_fault(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SECRETS_DIR", "/nowhere/at/all")
    assert load().smtp.password.get_secret_value() == ""


# What is refused


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[smpt]\nport = 1\n", 'config.toml: has no key "smpt"; did you mean "smtp"?'),
        ("[smtp]\nprot = 1\n", 'config.toml: [smtp] has no key "prot"; did you mean "port"?'),
        ("[fetch]\nx = 1\n", 'config.toml: [fetch] has no key "x"; known are allow_http, allow_private_addresses, '),
        (SOURCE + "led = 1\n", 'config.toml: [sources.sample] has no key "led"; did you mean "lead"?'),
        (
            SOURCE + "columns.score.n_ = 1\n",
            'config.toml: [sources.sample.columns.score] has no key "n_"; did you',
        ),
        (
            SOURCE + "rows = [{ eac = 1 }]\n",
            'config.toml: [sources.sample.rows.0] has no key "eac"; did you mean "each"?',
        ),
        (
            SOURCE + "prices.inptu = 1\n",
            'config.toml: [sources.sample.prices] has no key "inptu"; did you mean "input"?',
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(refused: Refused, text: str, sentence: str) -> None:
    assert refused(text).startswith(sentence)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "DIGEST_SMPT__PORT",
            "the environment variable DIGEST_SMPT__PORT names no section of config.toml; did you mean",
        ),
        ("DIGEST_SMTP_PORT", "the environment variable DIGEST_SMTP_PORT names no section of config.toml; did you mean"),
        ("DIGEST_X", "the environment variable DIGEST_X names no section of config.toml; known are"),
        ("DIGEST_SMTP__PROT", 'config.toml: [smtp] has no key "prot"; did you mean "port"?'),
    ],
)
def test_an_unknown_variable_is_refused(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, name: str, sentence: str
) -> None:
    monkeypatch.setenv(name, SECRET)
    assert refused().startswith(sentence)


def test_a_secret_file_with_an_unknown_key_is_refused(refused: Refused) -> None:
    assert refused(smtp__pasword=SECRET) == 'config.toml: [smtp] has no key "pasword"; did you mean "password"?'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[smtp]\nport = "mail"\n', '[smtp] key "port": input should be a valid integer'),
        ("[smtp]\nport = 70000\n", '[smtp] key "port": input should be less than or equal to 65535, not 70000.'),
        ('[smtp]\ntls = "ssl"\n', "[smtp] key \"tls\": input should be 'none', 'starttls' or 'tls', not 'ssl'."),
        ("[fetch]\nretries = -1\n", '[fetch] key "retries": input should be greater than or equal to 0'),
        ("[smtp]\nsessions = 0\n", '[smtp] key "sessions": input should be greater than or equal to 1'),
        ("[approval]\nrequired = 7\n", '[approval] key "required": input should be a valid boolean'),
        ('[series]\ntimezone = "Mars/Olympus"\n', 'has timezone "Mars/Olympus", which is no IANA zone'),
        ('[series]\ntitle = "Digest\\nBcc: all"\n', "[series.title] holds a control character."),
        ("[sources.sample]\n", '[sources.sample] wants a key "title", which is not there.'),
        (SOURCE.replace("lead", "licence"), "has kind scores but no lead"),
        (SOURCE.replace('"scores"', '"offers"'), "has kind offers but no [prices]"),
        (SOURCE.replace("columns.score.unit", "licence"), "declares neither columns, long nor prices"),
        (SOURCE + "aggregates.maps = [{ categories = { All = [] } }]\n", "at least 1 item"),
        ("sources = 7\n", 'key "sources": input should be a valid dictionary'),
        ('[delivery]\ntransport = "mailgum"\n', "input should be 'maildir', 'smtp', 'postmark' or 'mailgun', not"),
        ("[smtp.fallback]\nport = 0\n", '[smtp.fallback] key "port": input should be greater than or equal to 1'),
        ("[smtp.fallback]\nsessions = 1\n", '[smtp.fallback] has no key "sessions"; known are host, password, port,'),
        ('[postmark]\nurl = "http://api.example"\n', "[postmark.url] is not https: the token and every reader's"),
        ('[postmark]\nurl = "http://localhost.evil.example"\n', "[postmark.url] is not https"),
        ('[postmark]\nstream = "a stream"\n', '[postmark] key "stream": string should match pattern'),
        ('[mailgun]\ndomain = "digest.example/../other"\n', "[mailgun.domain] is no domain, such as example.org"),
        ('[dkim]\ndomain = "digest.example"\n', "[dkim] wants both domain and keys"),
        ('[dkim.keys]\nmain = "key.pem"\n', "[dkim] wants both domain and keys"),
        ('[dkim]\ndomain = "a_b;d=x"\n[dkim.keys]\nmain = "key.pem"\n', "[dkim.domain] is no domain"),
        ('[dkim]\ndomain = "a.example"\n[dkim.keys]\n"x; y" = "key.pem"\n', "is no domain"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_key(refused: Refused, text: str, named: str) -> None:
    sentence = refused(text)
    assert sentence.startswith("config.toml: ")
    assert named in sentence


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"[smtp]\nport = \n", "config.toml is not valid TOML: Invalid value (at line 2, column 8)."),
        (b"[smtp]\n[smtp]\n", "config.toml is not valid TOML: Cannot declare ('smtp',) twice (at line 2, column 6)."),
        (b'[series]\ntitle = "\xff"\n', "config.toml is not UTF-8 at byte 18; save it as UTF-8."),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_its_place(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "config.toml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value) == sentence


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file or directory; name another"):
        load_settings(Path("none.toml"))


# Where mail goes


def test_an_interface_on_this_machine_needs_no_tls(load: Load) -> None:
    assert load('[postmark]\nurl = "http://127.0.0.1:8025/"\n').postmark.url == "http://127.0.0.1:8025"
    assert load('[mailgun]\nurl = "http://[::1]:8025"\n').mailgun.url == "http://[::1]:8025"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://[::1", "is no web address, such as https://example.org/hook."),
        ("https://ops.example:port/x", "is no web address, such as https://example.org/hook."),
        ("ops.example/x", "is no web address, such as https://example.org/hook."),
        ("http://ops.example/x", "is not https: what is told there is nobody else's to read."),
    ],
)
@pytest.mark.parametrize("key", ["alerts", "editions"])
def test_a_hook_that_nothing_can_be_told_to_is_refused_in_a_sentence(
    refused: Refused, key: str, url: str, sentence: str
) -> None:
    assert refused(f'[hooks]\n{key} = "{url}"\n') == f"config.toml: [hooks.{key}] {sentence}"


@pytest.mark.parametrize("url", ["", "https://ops.example/x?y=1", "http://localhost:9/x", "http://[::1]:9"])
def test_a_hook_is_asked_by_https_or_on_this_machine(load: Load, url: str) -> None:
    assert load(f'[hooks]\nalerts = "{url}"\n').hooks.alerts == url


def test_a_second_relay_is_there_only_where_it_is_named(load: Load) -> None:
    assert load().smtp.fallback is None
    fallback = load('[smtp.fallback]\nhost = "relay2.example"\n', smtp__fallback__password=SECRET).smtp.fallback
    assert fallback is not None
    assert (fallback.host, fallback.tls, fallback.password.get_secret_value()) == ("relay2.example", "starttls", SECRET)


def test_keys_for_signing_are_named_by_their_selector(load: Load) -> None:
    dkim = load('[dkim]\ndomain = "Digest.example"\n[dkim.keys]\n"2026-rsa" = "a.pem"\n"x.y" = "b.pem"\n').dkim
    assert (dkim.domain, dkim.keys["2026-rsa"]) == ("digest.example", Path("a.pem"))


# Secrets


def test_no_secret_is_in_what_settings_print(load: Load) -> None:
    text = f'[database]\nurl = "postgresql://ada:{SECRET}@db.example/digest"\n[links]\nkeys = ["{SECRET}"]\n'
    chosen = load(text, smtp__password=SECRET)
    assert chosen.smtp.password.get_secret_value() == SECRET
    assert SECRET not in f"{chosen!r} {chosen} {chosen.smtp!r} {chosen.links!r} {chosen.database!r}"


@pytest.mark.parametrize(
    "text",
    [
        f'database = "postgresql://ada:{SECRET}@db.example/digest"\n',
        f'[database]\nurl = ["postgresql://ada:{SECRET}@db.example/digest"]\n',
        f'links = "{SECRET}"\n',
        f'[links]\nkeys = "{SECRET}"\n',
        f'[links]\nkeys = ["{SECRET[:20]}"]\n',
        f'[links]\nkeys = [["{SECRET}"]]\n',
        f'smtp = "{SECRET}"\n',
        f'[smtp]\npassword = ["{SECRET}"]\n',
        f'[smtp]\npasswort = "{SECRET}"\n',
        f'[[smtp]]\npassword = "{SECRET}"\n',
        f'[smtp]\nfallback = "{SECRET}"\n',
        f'[smtp.fallback]\npassword = ["{SECRET}"]\n',
        f'[postmark]\ntoken = ["{SECRET}"]\n',
        f'[mailgun]\ntokn = "{SECRET}"\n',
    ],
)
def test_no_secret_is_in_a_refusal(refused: Refused, text: str) -> None:
    assert SECRET[:20] not in refused(text)


@pytest.mark.parametrize("name", ["DIGEST_DATABASE", "DIGEST_SMTP", "DIGEST_LINKS__KEYS", "DIGEST_LINKS"])
def test_no_secret_of_the_environment_is_in_a_refusal(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, SECRET)
    assert "write lists and tables as JSON" in refused()
