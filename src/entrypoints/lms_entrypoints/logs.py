"""Log lines: one each, machines read them and people can."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO


class Lines(logging.Formatter):
    """``time level logger: message name=value …``, or one JSON object a line.

    Facts come as ``extra={"facts": {...}}``. Line breaks in them are escaped, so
    that nothing from outside can forge a line.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as one line, a traceback included."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat("T", "milliseconds")
        facts = dict(getattr(record, "facts", {}))
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        if self.as_json:
            told = {
                "at": at,
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
                **facts,
            }
            return json.dumps(told, ensure_ascii=False, default=str)
        head = f"{at} {record.levelname.lower()} {record.name}: {record.getMessage()!s}"
        words = [f"{name}={_shown(value)}" for name, value in facts.items()]
        return " ".join([_one_line(head), *words])


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _shown(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and " " not in text and '"' not in text and text != ""
    return text if plain else json.dumps(text, ensure_ascii=False)


def start_logging(
    *,
    as_json: bool = False,
    level: int = logging.INFO,
    stream: TextIO | None = None,
) -> None:
    """Send log lines to *stream*, or to the error output."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(as_json=as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Migration and HTTP client libraries tell every step at this level.
    for chatty in ("alembic", "httpx", "httpcore", "pyhanko", "fontTools"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
