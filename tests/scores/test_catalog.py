"""What a published name means: rules by shape, traps one by one, and properties that hold for any text."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import ConfigError
from digest.scores.catalog import ModelName, load_catalog, packaged_catalog, resolve

MODELS = sorted(packaged_catalog().models)
# Letters that begin no word of any rule, family, host or maker.
UNKNOWN_WORD = st.text("qxzj", min_size=3, max_size=8).map(lambda word: f"zq{word}")
PIECES = [
    "/",
    "-",
    " + ",
    "(",
    ")",
    ",",
    ":",
    "@",
    ".",
    "-v1",
    ":0",
    "high",
    "thinking",
    "gpt",
    "us",
    "2025",
    "ft:",
    "é",
]
PRODUCTS = ["mini", "nano", "pro", "codex", "chat", "lite", "air", "v", "exp", "preview", "beta", "instruct", "simpo"]


def read(raw: str) -> tuple[str, dict[str, str], str | None]:
    name = resolve(raw)
    return name.model, name.variant, name.host


@pytest.mark.parametrize(
    ("raw", "model", "variant", "host"),
    [
        ("gpt-5.9-mini-2026-11-02-xhigh", "gpt-5.9-mini", {"effort": "xhigh", "date": "2026-11-02"}, None),
        ("openai/gpt-6-low-2027-01-09", "gpt-6", {"effort": "low", "date": "2027-01-09"}, None),
        ("o7-mini (high)", "o7-mini", {"effort": "high"}, None),
        ("gpt-6.1-2027-03-04-nothinking", "gpt-6.1", {"effort": "none", "date": "2027-03-04"}, None),
        ("vertex_ai/claude-opus-5@20270101", "claude-opus-5", {"date": "2027-01-01"}, "vertex_ai"),
        ("us.anthropic.claude-opus-6-20280101-v1:0", "claude-opus-6", {"date": "2028-01-01"}, "us.; bedrock"),
        ("bedrock/eu-west-1/minimax.minimax-m9", "minimax-m9", {}, "bedrock; eu-west-1"),
        ("Claude 5.5 Opus (32k thinking tokens)", "claude-opus-5-5", {"thinking": "32k"}, None),
        ("claude-sonnet-7-thinking-64k-max-effort", "claude-sonnet-7", {"effort": "max", "thinking": "64k"}, None),
        ("claude-opus-5-20270101-base", "claude-opus-5", {"thinking": "off", "date": "2027-01-01"}, None),
        ("grok-7-fast-non-reasoning", "grok-7-fast", {"thinking": "off"}, None),
        ("deepseek-v5.1-thinking", "deepseek-v5.1", {"thinking": "on"}, None),
        ("gemini-4-pro-preview-03-2027-high", "gemini-4-pro-preview", {"effort": "high", "date": "2027-03"}, None),
        ("openrouter/qwen/qwen9-72b-instruct", "qwen9-72b-instruct", {}, "openrouter"),
        ("fireworks_ai/accounts/fireworks/models/glm-7p2", "glm-7.2", {}, "fireworks_ai"),
        ("meta-llama/Llama-9-80B-Instruct-FP8", "llama-9-80b-instruct", {}, "precision fp8"),
        ("mistral-5-large-2712", "mistral-large-2712", {}, None),
        ("xai/grok-8-latest", "grok-8", {}, None),
        ("openrouter/anthropic/claude-opus-7.5:thinking", "claude-opus-7-5", {"thinking": "on"}, "openrouter"),
    ],
)
def test_a_new_name_of_a_known_shape_resolves_without_an_entry(
    raw: str, model: str, variant: dict[str, str], host: str | None
) -> None:
    assert read(raw) == (model, variant, host)
    assert resolve(raw).how == "rule"
    assert model not in packaged_catalog().models


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-5.4-mini", "gpt-5.4"),
        ("deepseek-v3.2-exp", "deepseek-v3.2"),
        ("qwen2.5-coder-32b-instruct", "qwen2.5-72b-instruct"),
        ("o3-pro", "o3"),
        ("o3-mini", "o3"),
        ("gpt-5.2-codex", "gpt-5.2"),
        ("gpt-5.1-codex-max", "gpt-5.1-codex"),
        ("gemini-2.5-flash-lite", "gemini-2.5-flash"),
        ("yi-lightning-lite", "yi-lightning"),
        ("glm-4.6v", "glm-4.6"),
        ("grok-3-beta", "grok-3"),
        ("kimi-k2-thinking", "kimi-k2-instruct"),
        ("kimi-k2-thinking-turbo", "kimi-k2-thinking"),
        ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        ("qwen3-235b-a22b-thinking-2507", "qwen3-235b-a22b-instruct-2507"),
        ("gemma-2-9b-it-simpo", "gemma-2-9b-it"),
        ("mistral/mistral-medium-3", "mistral/mistral-medium"),
        ("azure/o1-preview", "azure/o1"),
        ("deepseek.v3-v1:0", "deepseek/deepseek-v3"),
        ("openrouter/thedrummer/llama-3-8b-instruct", "openrouter/meta-llama/llama-3-8b-instruct"),
    ],
)
def test_names_that_look_alike_stay_apart(one: str, other: str) -> None:
    assert resolve(one).model != resolve(other).model


@pytest.mark.parametrize(
    ("raw", "model"),
    [
        ("deepseek.v3-v1:0", "deepseek-v3.1"),
        ("nvidia.nemotron-super-3-120b", "nemotron-3-super-120b-a12b"),
        ("openai/gpt-5.3", "gpt-5.3-chat"),
        ("Gemini 2.5 Pro exp-03-25", "gemini-2.5-pro-preview-03-25"),
        ("mistral-medium", "mistral-medium-2312"),
    ],
)
def test_what_no_rule_can_say_an_alias_says(raw: str, model: str) -> None:
    assert (resolve(raw).model, resolve(raw).how) == (model, "alias")


def test_an_effort_word_that_is_part_of_a_name_is_no_effort() -> None:
    names = ["qwen3.7-max", "gpt-5.1-codex-max", "mistral-medium-2505", "phi-3-medium-4k-instruct", "devstral-medium"]
    assert [resolve(raw).variant for raw in names] == [{}] * 5


def test_the_effort_of_a_size_is_still_said_in_brackets_or_with_the_word() -> None:
    assert read("mistral-medium-2811 (medium)") == ("mistral-medium-2811", {"effort": "medium"}, None)
    assert read("phi-9-medium-effort") == ("phi-9", {"effort": "medium"}, None)


def test_a_pair_is_never_the_single_model() -> None:
    pair, single = resolve("o3 (high) + gpt-4.1"), resolve("o3 (high)")
    assert (pair.model, pair.effort, pair.pair) == ("o3", "high", "architect o3 (high) + editor gpt-4.1")
    assert pair.title == "o3 + gpt-4.1"
    assert pair.identity != single.identity


def test_a_pair_with_an_unknown_half_is_one_unresolved_name() -> None:
    name = resolve("zqxj-1 + gpt-4.1")
    assert (name.model, name.pair, name.how) == ("zqxj-1 + gpt-4.1", None, "unresolved")


def test_the_host_of_another_makers_model_is_named() -> None:
    assert read("google/claude-opus-4-6") == ("claude-opus-4-6", {}, "vertex_ai")
    assert read("perplexity/anthropic/claude-opus-4-5") == ("claude-opus-4-5", {}, "perplexity")


def test_a_known_model_is_shown_by_its_id_and_a_new_one_as_it_is_spelled() -> None:
    assert resolve("DeepSeek V3 (0324)").title == "deepseek-v3-0324"
    assert resolve("deepseek-ai/DeepSeek-V9.9 (no think)").title == "DeepSeek-V9.9"


def test_an_unresolved_name_stays_itself() -> None:
    assert resolve("ZQ-Thing-7B (high)") == ModelName("ZQ-Thing-7B (high)", "zq-thing-7b (high)", "ZQ-Thing-7B (high)")


def test_rules_still_hold_when_every_alias_is_gone() -> None:
    rules = replace(packaged_catalog(), aliases={})
    assert resolve("vertex_ai/claude-3-5-haiku@20241022", rules).model == "claude-3-5-haiku"
    assert resolve("nvidia.nemotron-super-3-120b", rules).model == "nemotron-super-3-120b"


def test_every_alias_says_why_and_where_it_was_seen() -> None:
    assert all(alias.why and alias.seen for alias in packaged_catalog().aliases.values())


@pytest.mark.parametrize("model", MODELS)
def test_every_id_of_the_catalogue_is_itself_and_states_nothing(model: str) -> None:
    listed = {"mistral-medium": "mistral-medium-2312"}  # lmarena's name for the first release, by an alias
    name = resolve(model)
    assert (name.model, name.variant) == (listed.get(model, model), {})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[rules", "cannot be read"),
        ("", "lacks places"),
        ('[[aliases]]\nwhy = "x"\nseen = "y"\nnames = { "a" = "zq-unlisted" }', "leads to zq-unlisted"),
    ],
)
def test_a_bad_catalogue_is_refused_in_a_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "models.toml"
    whole = (Path(__file__).parents[2] / "data" / "models.toml").read_text(encoding="utf-8")
    path.write_text(text + "\n" + whole if text.startswith("[[") else text, encoding="utf-8")
    with pytest.raises(ConfigError, match=complaint) as caught:
        load_catalog(path)
    assert str(path) in str(caught.value)


def test_a_missing_catalogue_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_catalog(tmp_path / "models.toml")


@settings(derandomize=True, deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_resolving_never_raises_and_keeps_the_raw_name(raw: str) -> None:
    assert resolve(raw).raw == raw


@settings(derandomize=True, deadline=None)
@given(st.sampled_from(MODELS), UNKNOWN_WORD, st.sampled_from("-_ /:@."), st.integers(0, 12))
def test_an_unknown_word_keeps_a_name_apart(model: str, word: str, joint: str, place: int) -> None:
    words = model.split("-")
    words.insert(min(place, len(words)), word)
    longer = "-".join(words).replace(f"-{word}", f"{joint}{word}").replace(f"{word}-", f"{word}{joint}")
    assert resolve(longer).model not in packaged_catalog().models


@settings(derandomize=True, deadline=None)
@given(
    st.sampled_from(MODELS),
    st.sampled_from(PRODUCTS),
)
def test_a_word_of_a_product_is_never_dropped(model: str, word: str) -> None:
    assert resolve(f"{model}-{word}").model != model


@settings(derandomize=True, deadline=None)
@given(st.sampled_from(MODELS), st.sampled_from(["low", "high", "xhigh", "minimal"]))
def test_a_variant_is_stated_only_where_the_name_states_it(model: str, effort: str) -> None:
    if model != "mistral-medium":
        assert resolve(model).variant == {}
        assert read(f"{model} ({effort})") == (model, {"effort": effort}, None)
