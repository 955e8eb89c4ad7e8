"""Aggregations: from several results to one, and which results to drop.

An aggregation is one class here. Add one by subclassing `Aggregation` under a
`variant` name.
"""

from collections.abc import Sequence
from fractions import Fraction

from attrs import frozen

from lms_core.domain.documents import open_set, variant


@frozen(kw_only=True)
class Entry:
    """Something to aggregate: an item, or a category with its own result."""

    key: str
    earned: Fraction
    possible: Fraction
    weight: Fraction = Fraction(1)

    @property
    def share(self) -> Fraction:
        """What was earned, of one; nothing possible counts as nothing."""
        return self.earned / self.possible if self.possible else Fraction(0)


@open_set
@frozen(kw_only=True)
class Aggregation:
    """Makes one result of several."""

    def combine(self, entries: Sequence[Entry]) -> Fraction | None:
        """Return the share of one, or `None` where the entries allow none."""
        raise TypeError(f"{type(self).__name__} does not combine")

    def weights(self, entries: Sequence[Entry]) -> tuple[Fraction, ...]:
        """Return the part of the result that each entry makes up."""
        raise TypeError(f"{type(self).__name__} does not weigh")

    def kept(
        self, entries: Sequence[Entry], drop: int, *, always: Sequence[Entry] = ()
    ) -> tuple[Entry, ...]:
        """Return what stays when *drop* entries leave, to the learner's best.

        *always* stays besides, and may change which choice is best. The lowest
        shares leave; of equal ones, the first. Right for every aggregation in
        which each entry's share counts the same.
        """
        del always
        by_share = sorted(range(len(entries)), key=lambda i: (entries[i].share, i))
        left = set(by_share[:drop])
        return tuple(entry for i, entry in enumerate(entries) if i not in left)


@variant("mean")
@frozen(kw_only=True)
class Mean(Aggregation):
    """The mean of the shares, whatever their points (Open edX, Sakai)."""

    def combine(self, entries: Sequence[Entry]) -> Fraction | None:
        """Divide the sum of the shares by their number."""
        if not entries:
            return None
        shares = sum((entry.share for entry in entries), Fraction(0))
        return shares / len(entries)

    def weights(self, entries: Sequence[Entry]) -> tuple[Fraction, ...]:
        """Weigh all alike."""
        return (Fraction(1, len(entries) or 1),) * len(entries)


@variant("weighted-mean")
@frozen(kw_only=True)
class WeightedMean(Aggregation):
    """The mean by weight, over those that have a result.

    Weights are normalised: 40, 40, 20 mean the same as 2, 2, 1, and an empty
    category leaves its weight to the others. Without any weight there is no
    result.
    """

    def combine(self, entries: Sequence[Entry]) -> Fraction | None:
        """Divide the weighted sum by the sum of the weights."""
        weight = sum((entry.weight for entry in entries), Fraction(0))
        if not weight:
            return None
        shares = sum((entry.weight * entry.share for entry in entries), Fraction(0))
        return shares / weight

    def weights(self, entries: Sequence[Entry]) -> tuple[Fraction, ...]:
        """Normalise the weights to one."""
        weight = sum((entry.weight for entry in entries), Fraction(0))
        return tuple(
            entry.weight / weight if weight else Fraction(0) for entry in entries
        )


@variant("points")
@frozen(kw_only=True)
class Points(Aggregation):
    """Points earned over points possible (Canvas)."""

    def combine(self, entries: Sequence[Entry]) -> Fraction | None:
        """Divide the sums; with nothing possible there is no result."""
        possible = sum((entry.possible for entry in entries), Fraction(0))
        if not possible:
            return None
        return sum((entry.earned for entry in entries), Fraction(0)) / possible

    def weights(self, entries: Sequence[Entry]) -> tuple[Fraction, ...]:
        """Weigh by what is possible."""
        possible = sum((entry.possible for entry in entries), Fraction(0))
        return tuple(
            entry.possible / possible if possible else Fraction(0) for entry in entries
        )

    def kept(
        self, entries: Sequence[Entry], drop: int, *, always: Sequence[Entry] = ()
    ) -> tuple[Entry, ...]:
        """Keep the set whose ratio, with *always*, is highest, exactly.

        Dropping the lowest shares is wrong when points differ. Dinkelbach's
        iteration: for a ratio q, the best set keeps the largest earned - q *
        possible; its own ratio is the next q, and the largest q is reached in a
        few rounds (Kane and Kane, "The drop the lowest grades problem"). Of
        equal sets, the one that drops earlier entries. Work for which nothing is
        possible cannot make up a result alone, so it never displaces the rest.
        """
        if drop <= 0:
            return tuple(entries)
        needs = not any(entry.possible for entry in always)
        ratio = Fraction(0)
        while True:
            gains = [entry.earned - ratio * entry.possible for entry in entries]
            order = sorted(range(len(entries)), key=lambda i: (gains[i], i))
            chosen = order[drop:]
            if chosen and needs and not any(entries[i].possible for i in chosen):
                counts = [i for i in order[:drop] if entries[i].possible]
                chosen[0] = counts[-1] if counts else chosen[0]
            best = tuple(entries[i] for i in sorted(chosen))
            better = self.combine((*always, *best))
            if better is None or better <= ratio:
                return best
            ratio = better
