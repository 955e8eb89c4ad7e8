"""What the sandbox's webhooks say."""

import json
from datetime import datetime
from typing import Any

from lms_core.domain.commerce.order import Transaction, TransactionKind
from lms_core.domain.ids import OrderId
from lms_core.domain.money import Money
from lms_core.errors import InvalidValue
from lms_core.ports.payment_gateway import WebhookEvent

_TYPE = "transaction.recorded"
_LONGEST_ID = 255


def event_body(transaction: Transaction, *, checkout: str, order: OrderId) -> bytes:
    """Return the webhook that tells of *transaction*, always the same bytes."""
    document = {
        "id": f"evt-{transaction.reference}",
        "type": _TYPE,
        "sandbox": True,
        "data": {
            "checkout": checkout,
            "order": order,
            "transaction": {
                "reference": transaction.reference,
                "kind": transaction.kind.value,
                "minor": transaction.amount.minor,
                "currency": transaction.amount.currency,
                "at": transaction.at.isoformat(),
            },
        },
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _text(document: Any, name: str) -> str:
    value = document[name]
    if type(value) is not str or not 0 < len(value) <= _LONGEST_ID:
        raise InvalidValue("not a name", place=name)
    return value


def _transaction(document: Any) -> Transaction:
    return Transaction(
        reference=_text(document, "reference"),
        kind=TransactionKind(_text(document, "kind")),
        amount=Money(document["minor"], _text(document, "currency")),
        at=datetime.fromisoformat(_text(document, "at")),
    )


def read_event(body: bytes) -> WebhookEvent:
    """Return what *body* says; of types unknown here, only its id.

    Raises:
        InvalidValue: it is not an event.
    """
    try:
        document = json.loads(body)
        id_ = _text(document, "id")
        if _text(document, "type") != _TYPE:
            return WebhookEvent(id=id_, order=None, transaction=None)
        data = document["data"]
        return WebhookEvent(
            id=id_,
            order=OrderId(_text(data, "order")),
            transaction=_transaction(data["transaction"]),
        )
    except (ValueError, TypeError, LookupError, RecursionError) as exc:
        raise InvalidValue("the webhook is signed, but not an event") from exc
