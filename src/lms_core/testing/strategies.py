"""Values for property tests.

One block a topic; every strategy yields what its value type accepts, extremes
included.
"""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lms_core.domain.ids import ObjectKey
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
