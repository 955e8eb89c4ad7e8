"""YAML as authors like to read it, written so that reading gives the same back."""

import re
from decimal import Decimal
from typing import Any

import yaml

from lms_entrypoints.course_folder._yaml_in import BOOL, DECIMAL, NULL, WHOLE

_NAME = "tag:yaml.org,2002:"
# Other readers of YAML break lines at these, or take them away at the start.
_ESCAPED = re.compile("[\x85\u2028\u2029\ufeff]")


class _Dumper(yaml.SafeDumper):
    """Writes lists inside their field, and quotes what would read as no text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name; it copies before it adds

    def increase_indent(
        self,
        flow: bool = False,  # noqa: FBT001, FBT002 - PyYAML's signature
        indentless: bool = False,  # noqa: FBT001, FBT002 - PyYAML's signature
    ) -> None:
        """Indent lists as everything else."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write the same value twice rather than refer to it."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if _ESCAPED.search(text) or text.startswith(("\n", " ")) or text.endswith("\n\n"):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar(f"{_NAME}str", text, style=style)


def _decimal(dumper: _Dumper, number: Decimal) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_NAME}float", f"{number:f}")


for _tag, _pattern, _first in (
    ("null", NULL, ["~", "n", "N", ""]),
    ("bool", BOOL, list("tTfF")),
    ("int", WHOLE, list("-0123456789")),
    ("float", DECIMAL, list("-0123456789")),
):
    _whole = re.compile(f"(?:{_pattern.pattern})\\Z")
    _Dumper.add_implicit_resolver(f"{_NAME}{_tag}", _whole, _first)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(Decimal, _decimal)


def to_yaml(data: Any) -> str:
    """Return *data* as YAML that `read_yaml` reads back as the same."""
    return str(
        yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=88)
    )
