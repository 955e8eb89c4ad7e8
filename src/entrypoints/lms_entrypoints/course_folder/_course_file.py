"""The fields of ``course.yaml``."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.documents import dump
from lms_core.domain.grading.policy import Category, GradingPolicy
from lms_core.domain.money import Money, decimals_of
from lms_core.errors import Fault
from lms_entrypoints.course_folder._keys import shortest
from lms_entrypoints.course_folder._nodes import Node

_ROOT_FIELDS = {field.name for field in attrs.fields(Category)}


def read_course(node: Node, faults: list[Fault]) -> Node:
    """Return the document of the course, without its modules."""
    fields = node.fields
    fields.pop("key", None)
    if "prices" in fields:
        fields["prices"] = _read_prices(fields["prices"], faults)
    if "grading" in fields and fields["grading"].fields:
        fields["grading"] = _read_grading(fields["grading"])
    if "modules" in fields:
        message = "modules are folders like 01-basics"
        faults.append(fields.pop("modules").spot.fault(message, "unknown-field"))
    return node.holding(fields)


def _read_prices(node: Node, faults: list[Fault]) -> Node:
    if not isinstance(node.value, dict):
        faults.append(node.spot.fault("must be amounts by currency, as EUR: 29.00"))
        return node.holding(())
    prices: list[Node] = []
    for currency, amount in node.fields.items():
        digits = decimals_of(currency)
        value = amount.value
        if type(value) is Decimal or type(value) is int:
            minor = Fraction(value) * 10**digits
            if minor.denominator == 1:
                money = {
                    "minor": amount.holding(int(minor)),
                    "currency": amount.holding(currency),
                }
                prices.append(amount.holding(money))
                continue
        message = f"must be an amount with at most {digits} digits after the point"
        faults.append(amount.spot.fault(message))
    return node.holding(tuple(prices))


def _read_grading(node: Node) -> Node:
    fields = node.fields
    root = {name: fields.pop(name) for name in list(fields) if name in _ROOT_FIELDS}
    letters = fields.get("letters")
    if letters is not None and letters.fields:
        fields["letters"] = letters.holding(
            tuple(
                share.holding({"letter": share.holding(letter), "from_share": share})
                for letter, share in letters.fields.items()
            )
        )
    if root:
        default = dump(GradingPolicy().root, compact=True)
        root.setdefault("key", node.holding(default["key"]))
        root.setdefault("title", node.holding(default["title"]))
        root.setdefault("aggregation", node.holding(default["aggregation"]["type"]))
        fields["root"] = _read_category(node.holding(root))
    return node.holding(fields)


def _read_category(node: Node) -> Node:
    fields = node.fields
    if "aggregation" in fields and fields["aggregation"].text is not None:
        name = fields["aggregation"]
        fields["aggregation"] = name.holding({"type": name})
    categories = fields.get("categories")
    if categories is not None and isinstance(categories.value, tuple):
        fields["categories"] = categories.holding(
            tuple(
                _read_category(each) if each.fields else each
                for each in categories.value
            )
        )
    return node.holding(fields)


def write_course(course: str, content: CourseContent) -> dict[str, Any]:
    """Return the fields of ``course.yaml``, without the description."""
    fields: dict[str, Any] = dump(content, compact=True)
    fields.pop("modules", None)
    fields.pop("description", None)
    if content.prices:
        fields["prices"] = {each.currency: _amount(each) for each in content.prices}
    if "grading" in fields:
        fields["grading"] = _write_grading(content.grading)
    return {"key": course, **fields}


def _amount(price: Money) -> Decimal | int:
    digits = price.decimals
    return Decimal(price.minor).scaleb(-digits) if digits else price.minor


def _write_grading(policy: GradingPolicy) -> dict[str, Any]:
    fields: dict[str, Any] = dump(policy, compact=True)
    fields.pop("root", None)
    letters = [each.letter for each in policy.letters]
    if letters and len(set(letters)) == len(letters):
        fields["letters"] = {
            each["letter"]: each["from_share"] for each in fields["letters"]
        }
    root, default = _write_category(policy.root), _write_category(GradingPolicy().root)
    if policy.root.aggregation != GradingPolicy().root.aggregation:
        root.setdefault("aggregation", dump(policy.root.aggregation)["type"])
    kept = {name: item for name, item in root.items() if default.get(name) != item}
    return {**fields, **kept}


def _write_category(category: Category) -> dict[str, Any]:
    fields: dict[str, Any] = dump(category, compact=True)
    if list(fields.get("aggregation", ())) == ["type"]:
        fields["aggregation"] = fields["aggregation"]["type"]
    if "weight" in fields:
        fields["weight"] = shortest(fields["weight"])
    if "categories" in fields:
        fields["categories"] = [_write_category(each) for each in category.categories]
    return fields
