"""Who did what that others may ask about later."""

from collections.abc import Mapping
from datetime import datetime

from attrs import Factory, frozen

from lms_core.domain.ids import UserId


@frozen(kw_only=True)
class AuditRow:
    """One act; *actor* of `None` is the platform itself. Rows are only added.

    *details* hold what changed, never secrets and never what a learner wrote.
    """

    id: str
    at: datetime
    actor: UserId | None
    action: str
    subject: str
    details: Mapping[str, str] = Factory(dict)
