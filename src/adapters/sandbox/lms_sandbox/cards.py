"""Card numbers that stand for what can happen to a payment."""

from datetime import timedelta

from attrs import field, frozen

from lms_core.domain.commerce.order import TransactionKind

_DELAY = timedelta(seconds=30)


@frozen(kw_only=True)
class Card:
    """A test card: what happens to the money, and which news go out in what order.

    *news* are positions in *happens*. *declined* is what the buyer is told.
    """

    number: str
    effect: str
    happens: tuple[TransactionKind, ...] = (TransactionKind.PAYMENT,)
    news: tuple[int, ...] = field()
    news_after: timedelta = timedelta(0)
    declined: str = ""

    @news.default
    def _in_order(self) -> tuple[int, ...]:
        return tuple(range(len(self.happens)))

    @property
    def grouped(self) -> str:
        """The number as it stands on a card."""
        return " ".join(self.number[at : at + 4] for at in range(0, 16, 4))


CARDS = {
    card.number: card
    for card in (
        Card(number="4242424242424242", effect="Pays."),
        Card(
            number="4000000000000002",
            effect="Is declined.",
            happens=(TransactionKind.FAILURE,),
            declined="The bank declined this card. Nothing was charged.",
        ),
        Card(
            number="4000000000009995",
            effect="Is declined: insufficient funds.",
            happens=(TransactionKind.FAILURE,),
            declined="There is not enough money on this card. Nothing was charged.",
        ),
        Card(
            number="4000000000000077",
            effect=f"Pays; the news comes {_DELAY.seconds} seconds late.",
            news_after=_DELAY,
        ),
        Card(
            number="4000000000003220",
            effect="Pays at the second try; the news comes twice and out of order.",
            happens=(TransactionKind.FAILURE, TransactionKind.PAYMENT),
            news=(1, 0, 1),
        ),
        Card(
            number="4000000000000259",
            effect="Pays; the bank of the buyer takes the money back at once.",
            happens=(TransactionKind.PAYMENT, TransactionKind.CHARGEBACK),
        ),
    )
}
