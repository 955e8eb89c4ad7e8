"""Wiring: every use case gets what its fields name."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import attrs
import pytest

import lms_core.application
from lms_entrypoints.bootstrap import Platform


def use_cases() -> Iterator[type]:
    """Find the classes that begin transactions: they are what is wired."""
    package = lms_core.application
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for found in vars(import_module(module.name)).values():
            is_own = getattr(found, "__module__", "") == module.name
            if is_own and isinstance(found, type) and attrs.has(found):
                fields: Any = attrs.fields(found)
                if "start" in {field.name for field in fields}:
                    yield found


USE_CASES = sorted(use_cases(), key=lambda kind: kind.__qualname__)


def test_use_cases_are_found() -> None:
    assert {kind.__name__ for kind in USE_CASES} > {"EnrollLearner", "Sweep", "SignIn"}


@pytest.mark.parametrize("kind", USE_CASES, ids=lambda kind: kind.__name__)
def test_every_use_case_can_be_wired(platform: Platform, kind: type) -> None:
    made: object = platform.use(kind)

    assert isinstance(made, kind)
    assert platform.use(kind) is made
