import re

import pytest

from lms_sandbox.page import STYLE

# Text on its ground, and what marks an input on its ground (WCAG 2.2, 1.4.3, 1.4.11).
TEXT = [
    ("text", "ground"),
    ("text", "surface"),
    ("quiet", "ground"),
    ("quiet", "surface"),
    ("accent", "surface"),
    ("accent", "ground"),
    ("on-accent", "accent"),
    ("wrong", "surface"),
    ("text", "wrong-ground"),
    ("on-banner", "banner"),
]
MARKS = [("line", "surface"), ("wrong", "surface"), ("accent", "surface")]


def palettes() -> list[dict[str, str]]:
    """Return the colours of the light and of the dark scheme."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE.body.decode(), re.DOTALL)
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block)) for block in blocks]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(palette: dict[str, str], one: str, other: str) -> float:
    low, high = sorted((luminance(palette[one]), luminance(palette[other])))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_page_can_be_read(scheme: int) -> None:
    palette = palettes()[scheme]
    text = {pair: contrast(palette, *pair) for pair in TEXT}
    marks = {pair: contrast(palette, *pair) for pair in MARKS}

    assert {pair for pair, ratio in text.items() if ratio < 4.5} == set()
    assert {pair for pair, ratio in marks.items() if ratio < 3} == set()


def test_both_schemes_name_the_same_colours() -> None:
    light, dark = palettes()

    assert light.keys() == dark.keys()
