"""The OpenAPI document tried out: no answer is an error of ours, or differs from the document."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.support.installation import ANN, QUARANTINE
from tests.web.conftest import running

CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)


@pytest.fixture
def hasty_site(tmp_path, free_port):
    """A site that takes as many requests as there are."""
    yield from running(tmp_path, free_port(), free_port(), "requests_per_minute = 0\n")


@pytest.fixture
def tried(hasty_site):
    """(document, headers) of a site of its own: senders will be blocked, people added."""
    site = hasty_site
    site.person("chief@home.example", "--admin")
    for n in range(3):
        site.send_found(QUARANTINE, ANN, subject=f"for the document {n}")
    scopes = [
        word for s in ("read", "bodies", "act", "figures", "admin", "account") for word in ("--scope", s)
    ]
    token = site.output("user", "token", "chief@home.example", *scopes).strip()
    document = schemathesis.openapi.from_url(f"{site.origin}/api/v1/openapi.json")
    return document, {"Authorization": f"Bearer {token}"}


def test_no_answer_is_an_error_of_ours_or_differs_from_the_document(tried):
    document, headers = tried
    operations = [found.ok() for found in document.get_all_operations()]
    answered = set()
    for operation in operations:

        @settings(
            max_examples=settings.default.max_examples // 4,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def attempt(case):
            response = case.call(headers=headers)
            case.validate_response(response, checks=CHECKS)
            answered.add((case.operation.label, response.status_code))

        attempt()

    assert {operation.label for operation in operations} == {label for label, _ in answered}
    assert {200, 404} <= {status for _, status in answered}
