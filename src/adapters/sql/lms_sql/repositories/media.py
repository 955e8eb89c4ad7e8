"""Lectures."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Connection, update

from lms_core.domain.ids import CourseId, MediaId
from lms_core.domain.media.asset import MediaAsset, MediaStatus
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import MediaAssets
from lms_sql import tables
from lms_sql._kept import Kept, Kind, read_page
from lms_sql._values import micros

_T = tables.media
_IN_WORK = (MediaStatus.QUEUED, MediaStatus.TRANSCODING)


def _asset(asset: MediaAsset) -> dict[str, Any]:
    return {
        "id": asset.id,
        "course_id": asset.course,
        "status": asset.status,
        "created_at": micros(asset.created_at),
        "changed_at": micros(asset.created_at),
    }


MEDIA = Kind(MediaAsset, _T, _asset)


@frozen
class SqlMediaAssets:
    """`MediaAssets` in a table that also notes when a row was changed."""

    _connection: Connection
    _clock: Clock

    @property
    def _kept(self) -> Kept[MediaAsset]:
        return Kept(self._connection, MEDIA)

    def get(self, media: MediaId) -> MediaAsset:
        return self._kept.get(id=media)

    def several(self, media: Iterable[MediaId]) -> dict[MediaId, MediaAsset]:
        found = self._kept.all(MEDIA.rows.where(_T.c.id.in_(set(media))))
        return {asset.id: asset for asset in found}

    def add(self, asset: MediaAsset) -> None:
        self._kept.add(asset)
        self._touch(asset)

    def save(self, asset: MediaAsset) -> None:
        self._kept.save(asset)
        self._touch(asset)

    def _touch(self, asset: MediaAsset) -> None:
        now = micros(self._clock.now())
        touched = update(_T).where(_T.c.id == asset.id).values(changed_at=now)
        self._connection.execute(touched)

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[MediaAsset]:
        query = MEDIA.rows.where(_T.c.course_id == course)
        order = [_T.c.created_at, _T.c.id]
        return read_page(self._kept, query, order, page, latest_first=True)

    def stuck(self, before: datetime, limit: int) -> tuple[MediaAsset, ...]:
        query = MEDIA.rows.where(
            _T.c.status.in_(_IN_WORK), _T.c.changed_at < micros(before)
        )
        return self._kept.all(query.order_by(_T.c.changed_at, _T.c.id).limit(limit))


if TYPE_CHECKING:
    _conforms: type[MediaAssets] = SqlMediaAssets
