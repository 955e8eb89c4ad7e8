"""What the API answers is what its description says, whatever is sent."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lms_entrypoints.http.edge import RateLimiter

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_KEY = "Authorization"
KNOWN = {
    "course_id": "streaming",
    "lesson_id": "streaming.intro",
    "quiz_id": "streaming.quiz",
    "media_id": "lecture-of-streaming",
    "user_id": "ada",
    "language": "en",
    "name": "events",
    "number": "1",
    "place": "0",
}


@pytest.fixture
def open_api(api: Any) -> Any:
    """Return an API that slows nobody down, with a course to act on."""
    api.course()
    api.lecture()
    api.learner()
    for name in list(api.app.state.limiters):
        api.app.state.limiters[name] = RateLimiter(per_minute=10**6, burst=10**6)
    return api


@pytest.mark.parametrize("who", ["ada", "teacher-of-streaming"])
def test_no_request_breaks_the_api_or_its_description(open_api: Any, who: str) -> None:
    person = open_api.sign_in(who)
    statuses: set[int] = set()
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", open_api.app)

    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # a fault would raise
        if operation.path.endswith("/auth/logout"):
            continue  # It would end the session that all others use.

        @given(case=operation.as_strategy())
        @settings(
            max_examples=4,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def fuzz(case: Any) -> None:
            # What is there is found only by name; the rest stays as generated.
            for name in case.path_parameters:
                case.path_parameters[name] = KNOWN.get(name, "nothing-there")
            headers = {_KEY: f"Bearer {person.token}"}
            response = case.call_and_validate(headers=headers, checks=CHECKS)
            statuses.add(response.status_code)

        fuzz()
    assert {200, 403, 404, 422} <= statuses
