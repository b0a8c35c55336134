"""Which rules a reader's region adds, to a mail and to a consent; and that no region makes them weaker."""

import csv
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config.assets import asset
from digest.edition.renditions import Duty
from digest.errors import ConfigError
from digest.subscribers.regimes import (
    BASE,
    Regime,
    Regimes,
    duties,
    explained,
    load_regimes,
    packaged_regimes,
    reconfirm_by,
    said,
)

RESEARCH = Path(__file__).parents[3] / "shared" / "research" / "consent_regimes.csv"
DOCS = Path(__file__).parents[2] / "docs" / "consent.md"
ALL = packaged_regimes()
CODES = sorted(ALL.by_code)
MOMENT = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
HEAD = 'version = "1"\n[regions.ZZ]\nname = "nowhere"\n'
countries = st.one_of(st.none(), st.text(max_size=8), st.from_regex(r"\A[A-Z]{2}(-[A-Z0-9]{1,3})?\Z"))


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def with_own(folder: Path, text: str) -> Regimes:
    return load_regimes(override=written(folder, text))


def above(code: str) -> Regime | None:
    """The row that a row adds to, found by the name it gives."""
    within = ALL.by_code[code].within
    return next((regime for regime in ALL.by_code.values() if regime.name == within), None)


@pytest.mark.recorded
@pytest.mark.skipif(not RESEARCH.is_file(), reason="the table of consent regimes is not beside the checkout")
def test_every_region_that_was_read_up_has_a_row_of_the_same_confidence() -> None:
    with RESEARCH.open(encoding="utf-8", newline="") as file:
        read_up = {row["code"]: row["confidence"] for row in csv.DictReader(file)}
    assert {code: regime.confidence for code, regime in ALL.by_code.items()} == read_up


def test_every_row_says_where_and_when_it_was_read() -> None:
    assert [code for code, regime in ALL.by_code.items() if not regime.checked] == []
    assert [code for code, regime in ALL.by_code.items() if not regime.source] == ["ZZ"]
    assert "not legal advice" in ALL.note


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("DE", "DE"), ("SE", "EU"), ("LI", "EU"), ("EU", "EU"), ("NO", "NO"), ("GB", "GB"), ("KR", "KR"),
        ("US", "US"), ("US-CA", "US-CA"), ("US-NY", "US"), ("DE-BY", "DE"), ("SE-AB", "EU"),
        (None, "ZZ"), ("", "ZZ"), ("ZZ", "ZZ"), ("XX", "ZZ"), ("T1", "ZZ"), ("TH", "ZZ"), ("de", "ZZ"),
    ],
)  # fmt: skip
def test_a_country_has_its_own_rules_or_its_unions_or_the_strictest(country: str | None, code: str) -> None:
    assert ALL.of(country).code == code


@given(countries)
def test_any_text_for_a_country_has_rules_that_hold_the_base(country: str | None) -> None:
    regime = ALL.of(country)
    assert regime.duties[: len(BASE)] == BASE
    assert regime.code == "ZZ" or (country or "")[:2] in (regime.code[:2], *ALL.unions)


@pytest.mark.parametrize("code", [code for code in CODES if above(code)])
def test_a_row_is_never_weaker_than_what_it_adds_to(code: str) -> None:
    own, parent = ALL.by_code[code], above(code)
    assert parent is not None
    assert set(parent.duties) <= set(own.duties)
    assert (own.minors_age or 0) >= (parent.minors_age or 0)
    assert (own.keep_proof_years or 0) >= (parent.keep_proof_years or 0)
    assert (own.link_must_work_days or 0) >= (parent.link_must_work_days or 0)
    assert (own.reconfirm_months or 999) <= (parent.reconfirm_months or 999)


def test_members_add_to_their_union_and_a_state_to_its_country() -> None:
    inside = {code for code in CODES if above(code)}
    assert inside == {"DE", "FR", "AT", "NL", "IT", "ES", "PL", "NO", "IS", "US-CA"}


def test_an_unknown_country_has_the_strictest_of_everything() -> None:
    unknown, others = ALL.of(None), [regime for code, regime in ALL.by_code.items() if code != "ZZ"]
    assert unknown.minors_age == max(regime.minors_age or 0 for regime in others) == 18
    assert unknown.keep_proof_years == max(regime.keep_proof_years or 0 for regime in others) == 3
    assert unknown.link_must_work_days == max(regime.link_must_work_days or 0 for regime in others) == 60
    assert unknown.reconfirm_months == min(regime.reconfirm_months or 999 for regime in others) == 24
    assert (unknown.reconfirm_from, unknown.opt_in, unknown.unsubscribe_within) == ("consent", "express", "at once")


def test_an_unknown_country_has_every_duty_but_what_one_states_law_words() -> None:
    every = {duty for regime in ALL.by_code.values() for duty in regime.duties}
    assert set(ALL.of(None).duties) == {duty for duty in every if duty.kind not in ("label", "notice")}
    assert ALL.of(None).operator_notes == ()


PLAIN = ("identity", "address", "unsubscribe")


@pytest.mark.parametrize(
    ("country", "added", "label"),
    [
        ("DE", (), None),
        ("FR", (), None),
        ("US-CA", (), None),
        ("SG", (), None),
        ("JP", ("complaints",), None),
        ("IN", ("complaints",), None),
        ("KR", ("consent",), "(광고)"),
        ("CN", (), "AD"),
        ("IL", (), "פרסומת"),
        (None, ("complaints", "consent"), None),
        ("XX", ("complaints", "consent"), None),
    ],
)
def test_an_edition_carries_exactly_its_regions_duties(
    country: str | None, added: tuple[str, ...], label: str | None
) -> None:
    regime = ALL.of(country)
    assert tuple(duty.kind for duty in duties(regime, "edition", commercial=False)) == PLAIN + added
    labelled = (Duty("label", label),) if label else ()
    assert duties(regime, "edition", commercial=True)[len(PLAIN + added) :] == labelled


@pytest.mark.parametrize("code", CODES)
def test_a_letter_carries_the_base_alone_even_where_the_series_advertises(code: str) -> None:
    assert duties(ALL.by_code[code], "letter", commercial=True) == BASE


def test_labels_are_wanted_in_three_countries_and_only_of_advertisements() -> None:
    labelled = {code for code in CODES for duty in duties(ALL.by_code[code], "edition", True) if duty.kind == "label"}
    assert labelled == {"KR", "CN", "IL"}
    assert not [duty for code in CODES for duty in duties(ALL.by_code[code], "edition", False) if duty.kind == "label"]


@pytest.mark.parametrize(
    ("country", "own_act", "until"),
    [
        ("KR", False, datetime(2026, 2, 28, 12, 0, tzinfo=UTC)),
        ("KR", True, None),
        ("FR", False, datetime(2027, 2, 28, 12, 0, tzinfo=UTC)),
        ("FR", True, datetime(2027, 2, 28, 12, 0, tzinfo=UTC)),
        (None, False, datetime(2026, 2, 28, 12, 0, tzinfo=UTC)),
        (None, True, None),
        ("DE", False, None),
        ("US", True, None),
    ],
)
def test_a_consent_stands_as_long_as_the_region_says(
    country: str | None, own_act: bool, until: datetime | None
) -> None:
    assert reconfirm_by(ALL.of(country), MOMENT, own_act) == until


def test_a_consent_stands_to_the_same_day_of_the_month_where_there_is_one() -> None:
    at = datetime(2025, 12, 31, 8, 30, tzinfo=UTC)
    assert reconfirm_by(ALL.of("KR"), at, own_act=False) == at.replace(year=2027)


@given(st.datetimes(max_value=MOMENT.replace(tzinfo=None), timezones=st.just(UTC)), st.sampled_from(CODES))
def test_a_consent_stands_nowhere_shorter_than_where_the_country_is_unknown(at: datetime, code: str) -> None:
    unknown, here = (reconfirm_by(ALL.of(country), at, own_act=False) for country in (None, code))
    assert unknown is not None
    assert at < unknown <= (here or unknown)


def test_zones_are_real_and_those_of_one_country_with_one_zone() -> None:
    zones = {code: regime.zone for code, regime in ALL.by_code.items()}
    assert all(ZoneInfo(zone) for zone in zones.values() if zone)
    assert {code for code, zone in zones.items() if zone is None} == {"EU", "CA", "US", "AU", "BR", "MX", "ZZ"}


@pytest.mark.parametrize("code", CODES)
def test_every_duty_of_every_region_is_explained_in_a_sentence(code: str) -> None:
    regime = ALL.by_code[code]
    sentences = explained(regime)
    assert {said(duty, regime) for duty in regime.duties} <= set(sentences)
    assert all(sentence[0].isupper() and sentence.endswith(".") and "None" not in sentence for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(
    ("country", "sentence"),
    [
        (None, "Because we do not know your country, or have no rules for it, the strictest rules apply."),
        ("FR", "The rules of France apply, added to those of the European Union and the EEA."),
        ("KR", "In South Korea a consent must be given again after two years; without that, mail stops."),
        ("KR", "In South Korea the subject of an edition that advertises begins with “(광고)”."),
        ("KR", "In South Korea an edition says when and how you agreed to get it."),
        ("JP", "In Japan an edition names a contact for complaints."),
        ("FR", "In France we ask again when you did nothing here for three years; without an answer, mail stops."),
        ("CA", "In Canada mail must stop within 10 business days of your leaving; ours stops at once."),
        ("DE", "When you leave, mail stops at once."),
        ("US", "In the United States the law lets mail come until you refuse it; ours comes only with your consent."),
    ],
)
def test_the_rules_are_told_in_words(country: str | None, sentence: str) -> None:
    assert sentence in explained(ALL.of(country))


def test_the_guide_tells_the_operator_every_task_that_a_region_leaves_to_them() -> None:
    guide = DOCS.read_text(encoding="utf-8")
    notes = {note for regime in ALL.by_code.values() for note in regime.operator_notes}
    assert len(notes) > 10
    assert [note for note in notes if note not in guide] == []


def test_an_operators_row_replaces_the_keys_it_gives_and_leaves_the_others(tmp_path: Path) -> None:
    own = with_own(tmp_path, '[regions.JP]\nkeep_proof_years = 5\nlabel = "[PR]"\n')
    assert own.of("JP").keep_proof_years == 5
    assert own.of("JP").duties == (*ALL.of("JP").duties, Duty("label", "[PR]"))
    assert own.of("JP").name == "Japan"
    assert own.of("KR") == ALL.of("KR")


def test_an_operators_row_that_is_stricter_makes_an_unknown_country_stricter(tmp_path: Path) -> None:
    own = with_own(tmp_path, '[regions.MY]\nname = "Malaysia"\nreconfirm_months = 6\nminors_age = 21\nlabel = "[X]"\n')
    assert own.of("MY").duties == (*BASE, Duty("label", "[X]"))
    assert (own.of(None).reconfirm_months, own.of(None).minors_age) == (6, 21)
    assert Duty("label", "[X]") not in own.of(None).duties


def test_an_operators_notice_is_for_its_region_alone(tmp_path: Path) -> None:
    own = with_own(tmp_path, '[regions.AR]\nnotices = ["One.", "Two."]\n')
    quoted = (Duty("notice", "One."), Duty("notice", "Two."))
    assert duties(own.of("AR"), "edition", commercial=False) == (*BASE, *quoted)
    assert own.of(None).duties == ALL.of(None).duties
    assert "In Argentina an edition quotes this notice: “One.”" in explained(own.of("AR"))


def test_a_new_row_adds_to_its_country_and_its_union_by_itself(tmp_path: Path) -> None:
    text = '[regions.EU]\nduties = ["complaints"]\n[regions.DE-BY]\nname = "Bavaria"\n[regions.SE]\nname = "Sweden"\n'
    own = with_own(tmp_path, text)
    assert [own.of(code).duties for code in ("DE-BY", "SE", "FR")] == [(*BASE, Duty("complaints"))] * 3
    assert own.of("DE-BY").zone == "Europe/Berlin"


def test_a_row_that_would_be_laxer_than_its_country_changes_nothing(tmp_path: Path) -> None:
    lax = 'unsubscribe_within = "12 business days"\nlink_must_work_days = 5\nminors_age = 7\n'
    own = with_own(tmp_path, f'[regions.US-NY]\nname = "New York"\n{lax}')
    here, country = own.of("US-NY"), own.of("US")
    assert here.unsubscribe_within == country.unsubscribe_within == "10 business days"
    assert (here.link_must_work_days, here.minors_age) == (country.link_must_work_days, country.minors_age) == (30, 13)


@pytest.mark.parametrize("code", CODES)
def test_no_file_takes_the_base_away(tmp_path: Path, code: str) -> None:
    own = with_own(tmp_path, f"[regions.{code}]\nduties = []\nnotices = []\n")
    assert duties(own.of(code), "edition", commercial=False)[: len(BASE)] == BASE


def test_the_version_tells_an_operators_file_from_another(tmp_path: Path) -> None:
    one = with_own(tmp_path, "[regions.DE]\nminors_age = 17\n").version
    other = with_own(tmp_path, "[regions.DE]\nminors_age = 18\n").version
    assert one.startswith(f"{ALL.version}+")
    assert len(one) == len(ALL.version) + 9
    assert len({one, other, ALL.version}) == 3


def test_regimes_do_not_change_once_read() -> None:
    with pytest.raises(FrozenInstanceError):
        ALL.of("DE").minors_age = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[regions.KR]\nlabl = "x"\n', r'mine\.toml: \[regions\.KR\] has no key "labl"; did you mean "label"\?$'),
        ('[KR]\nlabel = "x"\n', r'mine\.toml: has no key "KR"; known are version, note, regions\.$'),
        ('[regions.Korea]\nlabel = "x"\n', r"\[regions\.Korea\] is no ISO 3166 code such as DE or US-CA"),
        ('[regions.MY]\nlabel = "x"\n', r'\[regions\.MY\] wants a key "name"'),
        ('[regions.KR]\nduties = ["identify"]\n', r'\[regions\.KR\] key "duties": input should be .*identify'),
        ('[regions.KR]\nlabel = "a\\nBcc: b"\n', r'\[regions\.KR\] key "label": holds a control character'),
        (
            "[regions.KR]\nreconfirm_months = 0\n",
            r'\[regions\.KR\] key "reconfirm_months": .*greater than or equal to 1',
        ),
        ('[regions.DE]\nreconfirm_from = "consent"\n', r"\[regions\.DE\] has reconfirm_from but no reconfirm_months"),
        ('[regions.DE]\nzone = "Europe/Bonn"\n', r'\[regions\.DE\] key "zone": is no IANA zone such as'),
        ('[regions.DE]\nunsubscribe_within = "soon"\n', r'\[regions\.DE\] key "unsubscribe_within": string should'),
        ('[regions.GB]\nmembers = ["DE"]\n', r'\[regions\.GB\] key "members": DE is a member of EU already'),
        ('[regions.GB]\nmembers = ["EU"]\n', r'\[regions\.GB\] key "members": EU can be no member'),
        ("regions = 3\n", r'mine\.toml: key "regions": input should be a valid'),
        ("[regions\n", r"mine\.toml is no valid TOML: "),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_by_row_key_and_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        with_own(tmp_path, text)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml cannot be read: .* \[consent\] regimes names such a file"):
        load_regimes(override=Path("absent.toml"))


def test_a_whole_file_wants_a_version_and_a_row_for_unknown_countries(tmp_path: Path) -> None:
    assert load_regimes(written(tmp_path, HEAD)).of("DE").duties == BASE
    with pytest.raises(ConfigError, match='wants a key "version"'):
        load_regimes(written(tmp_path, HEAD.removeprefix('version = "1"')))
    with pytest.raises(ConfigError, match=r"wants a row \[regions\.ZZ\]"):
        load_regimes(written(tmp_path, HEAD.replace("ZZ", "DE")))


def test_the_packaged_rules_are_those_of_the_data_file() -> None:
    assert load_regimes(asset("data") / "consent_regimes.toml") == ALL
