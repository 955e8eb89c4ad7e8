"""Every code that the domain refuses with has a sentence."""

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lms_core
from lms_core.domain.assessment.answers import Outcome
from lms_core.domain.assessment.quiz import Combine, ShowAnswers
from lms_core.domain.commerce.order import OrderStatus
from lms_core.domain.enrollment.enrollment import EnrollmentStatus
from lms_core.domain.media.asset import MediaStatus
from lms_core.errors import Reason
from lms_entrypoints.portal import words

CORE = Path(lms_core.__file__).parent
REASONS = {"Reason", "Refused"}


def _texts(node: ast.AST) -> set[str]:
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def _codes_of_call(call: ast.Call) -> set[str]:
    name = call.func
    called = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
    found: set[str] = set()
    if called in REASONS:
        for argument in call.args[: 1 if called == "Reason" else None]:
            if isinstance(argument, ast.Constant):
                found |= _texts(argument)
    if called == "unless":
        found |= {
            keyword.arg.replace("_", "-") for keyword in call.keywords if keyword.arg
        }
    if called == "Fault" and len(call.args) > 2:
        found |= _texts(call.args[2])
    for keyword in call.keywords:
        if keyword.arg in {"why", "code"} and isinstance(keyword.value, ast.Constant):
            found |= _texts(keyword.value)
    return found


def _codes(source: Path) -> set[str]:
    """Return the codes that a module spells."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call):
            found |= _codes_of_call(node)
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "code"
            for target in node.targets
        ):
            found |= {text for part in _outcomes(node.value) for text in _texts(part)}
    return {code for code in found if code}


def _outcomes(value: ast.expr) -> tuple[ast.expr, ...]:
    if isinstance(value, ast.IfExp):
        return (*_outcomes(value.body), *_outcomes(value.orelse))
    return (value,) if isinstance(value, ast.Constant) else ()


DOMAIN_CODES = sorted(
    {code for source in (CORE / "domain").rglob("*.py") for code in _codes(source)}
)
# Base classes are never shown: whatever is raised is one of their subclasses.
BASES = {"error", "configuration", "refused", "port"}
ERROR_CODES = sorted(_codes(CORE / "errors.py") - BASES)
# The contract of the transcoder names these.
MEDIA_CODES = (
    "unreadable-media",
    "no-video-stream",
    "media-too-long",
    "media-too-large",
    "transcoder-failed",
)


def test_the_search_finds_codes_of_every_form() -> None:
    assert {
        "not-enrolled",
        "course-is-full",
        "score-missing",
        "order-is-settled",
        "not-a-number",
        "circular-access",
        "max-deliveries",
    } - set(DOMAIN_CODES) == {"max-deliveries"}


@pytest.mark.parametrize("code", [*DOMAIN_CODES, *ERROR_CODES, *MEDIA_CODES])
def test_every_code_has_words(code: str) -> None:
    said = words.explain_code(code)

    assert words.knows(code)
    assert said.sentence.endswith(".")
    assert said.remedy.endswith(".")
    assert code not in said.sentence or "-" not in code


def test_an_unknown_code_is_admitted_and_shown() -> None:
    said = words.explain_code("moon-is-full")

    assert "moon-is-full" in said.sentence
    assert said.remedy


def test_titles_stand_in_for_keys_and_the_remedy_leads_there() -> None:
    reason = Reason("score-too-low", {"lesson": "check", "percent": "80"})

    said = words.explain(reason, names={"check": "Check yourself"}, course="sql")

    assert said.sentence == "Your score in “Check yourself” is below 80 %."
    assert said.href == "/learn/sql/check"


def test_facts_are_data_and_never_a_format() -> None:
    reason = Reason("lesson-unfinished", {"lesson": "{course} {0} {lesson.__class__}"})

    said = words.explain(reason)

    assert "{course} {0} {lesson.__class__}" in said.sentence


def test_the_opening_is_kept() -> None:
    opens = datetime(2027, 1, 1, tzinfo=UTC)

    assert words.explain(Reason("not-open-yet", {}, opens)).opens_at == opens


def test_every_state_of_the_domain_has_words() -> None:
    assert set(words.ENROLLMENT_STATUS) == set(EnrollmentStatus)
    assert set(words.ORDER_STATUS) == set(OrderStatus)
    assert set(words.MEDIA_STATUS) == {*MediaStatus, "missing"}
    assert set(words.OUTCOME) == set(Outcome)
    assert set(words.COMBINE) == set(Combine)
    assert set(words.SHOW_ANSWERS) == set(ShowAnswers)
