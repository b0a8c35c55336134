"""The API does what its description says, whatever is sent to it."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, positive_data_acceptance
from schemathesis.core.result import Ok
from tests.web.visitors import Site

from digest.operations.keys import add_key
from digest.web import subscribers_api
from digest.web.app import create_app

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

# What has the form of an address may still be none that mail can be sent to, and 422 says so.
NOT_ASKED = [positive_data_acceptance]


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES, ids=["what it takes", "what it refuses"])
@pytest.mark.filterwarnings("ignore:Using `httpx` with")
def test_no_answer_is_a_fault_or_other_than_described(
    site: Site, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers_api, "A_MINUTE", 1_000_000)
    load_all_checks()
    site.reader("ann@example.org")
    key = add_key(site.engine, "tests", ["subscribe", "read", "write"], site.now)
    schema = schemathesis.openapi.from_asgi(
        "/api/openapi.json", create_app(site.engine, site.settings, lambda: site.now)
    )
    schema.config.generation.update(with_security_parameters=False)  # each request has the key
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == 10
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not operation.body and not list(operation.iter_parameters()):
            continue  # it takes nothing that could be wrong

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        def ask(case: Case[Any]) -> None:
            assume([] not in case.query.values())  # an address cannot say it, and it would be no fault in what is sent
            case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=NOT_ASKED)

        ask()
