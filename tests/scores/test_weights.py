"""The packaged weights, and one sentence for each thing that can be wrong with such a file."""

from pathlib import Path

import pytest

from digest.errors import ConfigError
from digest.scores.weights import load_weights, packaged_weights

GOOD = 'coverage = 80\n[categories.Coding]\nweight = 20\nbenchmarks = { "SWE-bench Pro" = 45 }\n'


def test_the_packaged_weights_of_the_categories_make_a_hundred() -> None:
    categories = packaged_weights().categories.values()
    assert sum(category.weight for category in categories) == 100
    assert {sum(category.benchmarks.values()) for category in categories} == {100}


def test_a_benchmark_belongs_to_one_category() -> None:
    names = [name.casefold() for category in packaged_weights().categories.values() for name in category.benchmarks]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("coverage = ", "cannot be read"),
        ("coverage = 0\n" + GOOD.partition("\n")[2], "coverage: input should be greater than 0"),
        (GOOD.replace("20", "-1"), "categories.Coding.weight: input should be greater than or equal to 0"),
        (GOOD.replace("weight = 20\n", ""), "categories.Coding.weight: field required"),
        (GOOD.replace("45", "0"), 'the category "Coding" has no benchmark that counts'),
        (GOOD.replace("20", "0"), "no category has a weight that counts"),
        (GOOD + "[extra]\n", "extra: extra inputs are not permitted"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "benchmarks.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_weights(file)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_weights(tmp_path / "none.toml")
