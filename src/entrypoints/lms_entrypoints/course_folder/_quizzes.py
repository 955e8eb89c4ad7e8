"""Quizzes as authors write them: options say themselves that they are right."""

from typing import Any

from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.documents import dump
from lms_core.errors import Fault
from lms_entrypoints.course_folder._keys import (
    key_for,
    read_duration,
    shortest,
    write_duration,
)
from lms_entrypoints.course_folder._nodes import Node

_DURATIONS = {"time_limit": "time_limit_s", "grace": "grace_s"}
_NUMBERS = ("points", "value", "tolerance")
_SINGLE, _MULTIPLE = "single-choice", "multiple-choice"


def read_quiz(fields: dict[str, Node], at: Node, faults: list[Fault]) -> Node:
    """Return the document of the quiz that *fields* write."""
    quiz = dict(fields)
    for short, stored in _DURATIONS.items():
        if short in quiz:
            quiz[stored] = _read_duration(quiz.pop(short), faults)
    questions = quiz.get("questions")
    if questions is not None and isinstance(questions.value, tuple):
        quiz["questions"] = questions.holding(
            tuple(_read_question(each, faults) for each in questions.value)
        )
    return at.holding(quiz)


def _read_duration(node: Node, faults: list[Fault]) -> Node:
    if node.value is None:
        return node
    seconds = read_duration(node.raw)
    if seconds is None:
        faults.append(node.spot.fault("must be a time like 90 s, 10 min or 1 h 30 min"))
        return node.holding(1)
    return node.holding(seconds)


def _read_question(node: Node, faults: list[Fault]) -> Node:
    fields = node.fields
    if not fields:
        return node
    prompt = fields.get("prompt")
    if "key" not in fields and prompt is not None and prompt.text:
        fields["key"] = prompt.holding(key_for(prompt.text))
    kind = fields["type"].text if "type" in fields else None
    if kind in {_SINGLE, _MULTIPLE}:
        _read_options(fields, node, faults, single=kind == _SINGLE)
    accepted = fields.get("accepted")
    if kind == "short-answer" and accepted is not None and accepted.entries:
        fields["accepted"] = accepted.holding(
            tuple(
                each if each.fields else each.holding({"text": each})
                for each in accepted.entries
            )
        )
    return node.holding(fields)


def _read_options(
    fields: dict[str, Node], node: Node, faults: list[Fault], *, single: bool
) -> None:
    options = fields.get("options")
    if options is None or not isinstance(options.value, tuple):
        return
    right: list[Node] = []
    read: list[Node] = []
    for option in options.value:
        parts = option.fields or {"text": option}
        text, mark = parts.get("text"), parts.pop("correct", None)
        if "key" not in parts and text is not None and text.text:
            parts["key"] = text.holding(key_for(text.text))
        if mark is not None and type(mark.value) is not bool:
            faults.append(mark.spot.fault("must be true or false"))
        elif mark is not None and mark.value and "key" in parts:
            right.append(parts["key"])
        read.append(option.holding(parts))
    fields["options"] = options.holding(tuple(read))
    if "correct" in fields and right:
        message = "must stand either here or at the options"
        faults.append(fields["correct"].spot.fault(message))
    elif "correct" not in fields and single:
        if len(right) == 1:
            fields["correct"] = right[0]
        else:
            message = f"one option must be correct: true, not {len(right)}"
            faults.append(options.spot.fault(message, "correct-option"))
            # Named after a fault was noted, so that it is not found again.
            fields["correct"] = next(
                (each.fields["key"] for each in read if "key" in each.fields), node
            )
    elif "correct" not in fields:
        fields["correct"] = options.holding(tuple(right))


def write_quiz(quiz: Quiz) -> dict[str, Any]:
    """Return what an author would write for *quiz*."""
    fields: dict[str, Any] = dump(quiz, compact=True)
    for short, stored in _DURATIONS.items():
        if fields.get(stored) is not None:
            fields[short] = write_duration(fields.pop(stored))
    # The questions are long, and the rules of taking them are soon forgotten.
    questions = fields.pop("questions")
    fields["questions"] = [_write_question(each) for each in questions]
    return fields


def _write_question(document: dict[str, Any]) -> dict[str, Any]:
    fields = dict(document)
    if fields["key"] == key_for(fields["prompt"]):
        del fields["key"]
    for name in _NUMBERS:
        if name in fields:
            fields[name] = shortest(fields[name])
    if fields["type"] in {_SINGLE, _MULTIPLE}:
        _write_options(fields)
    if fields["type"] == "short-answer":
        fields["accepted"] = [
            each["text"] if len(each) == 1 else each for each in fields["accepted"]
        ]
    explanation = fields.pop("explanation", None)
    return fields if explanation is None else {**fields, "explanation": explanation}


def _write_options(fields: dict[str, Any]) -> None:
    correct = fields["correct"]
    right = [correct] if isinstance(correct, str) else correct
    inline = [each["key"] for each in fields["options"] if each["key"] in right]
    options = []
    for option in fields["options"]:
        parts = dict(option)
        if parts["key"] == key_for(parts["text"]):
            del parts["key"]
        if inline == right and option["key"] in right:
            parts["correct"] = True
        options.append(parts["text"] if list(parts) == ["text"] else parts)
    if inline == right:
        del fields["correct"]
    fields["options"] = options
