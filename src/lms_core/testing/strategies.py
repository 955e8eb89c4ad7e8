"""Values for property tests.

One block a topic; every strategy yields what its value type accepts, extremes
included.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lms_core.domain.commerce.order import Order, Transaction, TransactionKind
from lms_core.domain.ids import CourseId, ObjectKey, OrderId, UserId
from lms_core.domain.money import Money

# Object keys ------------------------------------------------------------------

_PARTS = st.one_of(
    st.sampled_from(["a", "a-b", "a.b", "A", "b", "é", "e\u0301", "\U0001f600", "~"]),
    st.text("ab-.~Z\uffee\U00010000", min_size=1, max_size=3),
    st.integers(76, 84).map(lambda n: "x" * n),
    st.just("ü" * 130),
).filter(lambda part: part not in {".", ".."})


def object_keys() -> SearchStrategy[ObjectKey]:
    """Object keys that collide with, nest in and sort close to one another."""
    return st.lists(_PARTS, min_size=1, max_size=3).map("/".join).map(ObjectKey)


# Money ------------------------------------------------------------------------


def money(currency: str = "EUR") -> SearchStrategy[Money]:
    """Amounts of *currency*, negative and large ones included."""
    return st.integers(-(10**12), 10**12).map(lambda minor: Money(minor, currency))


# Orders -----------------------------------------------------------------------

_PLACED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_PRICE = 5000


def transactions(currency: str = "EUR") -> SearchStrategy[Transaction]:
    """Facts about a price of 50.00, with amounts around it and few instants."""
    return st.builds(
        Transaction,
        reference=st.sampled_from(["a", "b", "c"]),
        kind=st.sampled_from(TransactionKind),
        amount=st.sampled_from([0, 1, 2000, 3000, 4999, _PRICE, 5001, 10**9]).map(
            lambda minor: Money(minor, currency)
        ),
        at=st.integers(0, 3).map(lambda days: _PLACED_AT + timedelta(days=days)),
    )


def ledgers(currency: str = "EUR") -> SearchStrategy[list[Transaction]]:
    """Facts that do not contradict one another, in no order."""
    return st.lists(
        transactions(currency),
        max_size=8,
        unique_by=lambda entry: (entry.kind, entry.reference),
    )


def orders(currency: str = "EUR") -> SearchStrategy[Order]:
    """Fresh orders, free ones included."""
    return st.sampled_from([0, 1, _PRICE]).map(
        lambda minor: Order.place(
            OrderId("order-1"),
            UserId("user-1"),
            CourseId("baking"),
            Money(minor, currency),
            at=_PLACED_AT,
        )[0]
    )
