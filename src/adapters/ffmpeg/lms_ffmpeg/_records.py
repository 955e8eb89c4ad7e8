"""What outlives the process: records of jobs, and results.

A record under ``transcodes/`` says where a job's outputs go and how it fares, so
that any process can tell. The result stands last below the destination itself:
where the outputs are removed, so is the claim that they are there.
"""

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from attrs import asdict, frozen

from lms_core.domain.ids import ObjectKey
from lms_core.domain.media.rendition import Rendition
from lms_core.domain.percent import NONE, Percent
from lms_core.errors import NotFound, Reason
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.transcoder import CaptionTrack, TranscodeResult, TranscodeState

_RESULT = "result.json"
_PARTS = 10_000


@frozen(kw_only=True)
class JobRecord:
    """How a job fared at *beat_at*, and where its outputs go."""

    destination: ObjectKey
    state: TranscodeState
    beat_at: datetime
    progress: Percent = NONE
    failure: Reason | None = None
    permanent: bool = False


@frozen
class Records:
    """Job records and results in one object store."""

    objects: ObjectStore

    def write(
        self, job: str, record: JobRecord, *, if_match: str | None = None
    ) -> None:
        """Keep *record*; with *if_match*, only over the record that has this etag."""
        document = {
            "job": job,
            "destination": str(record.destination),
            "state": record.state,
            "beat_at": record.beat_at.isoformat(),
            "progress": int(record.progress.of_one * _PARTS),
            "failure": asdict(record.failure) if record.failure else None,
            "permanent": record.permanent,
        }
        self._put(_record_key(job), document, if_match=if_match)

    def read(self, job: str) -> tuple[JobRecord, str] | None:
        """Return the record of *job* and its etag, if there is one."""
        try:
            document, etag = self._get(_record_key(job))
        except NotFound:
            return None
        failure = document["failure"]
        record = JobRecord(
            destination=ObjectKey(document["destination"]),
            state=TranscodeState(document["state"]),
            beat_at=datetime.fromisoformat(document["beat_at"]),
            progress=Percent.of(document["progress"], _PARTS),
            failure=Reason(failure["code"], failure["about"]) if failure else None,
            permanent=document["permanent"],
        )
        return record, etag

    def write_result(
        self, job: str, destination: ObjectKey, result: TranscodeResult
    ) -> None:
        """Claim that everything *result* names is in its place."""
        self._put(destination / _RESULT, {"job": job, "result": asdict(result)})

    def read_result(self, job: str, destination: ObjectKey) -> TranscodeResult | None:
        """Return what *job* made below *destination*, if it is still there."""
        try:
            document, _ = self._get(destination / _RESULT)
        except NotFound:
            return None
        if document["job"] != job:
            return None
        made = document["result"]
        captions = tuple(CaptionTrack(**track) for track in made.pop("captions"))
        renditions = tuple(Rendition(**rung) for rung in made.pop("renditions"))
        return TranscodeResult(captions=captions, renditions=renditions, **made)

    def _put(
        self, key: ObjectKey, document: dict[str, Any], *, if_match: str | None = None
    ) -> None:
        data = json.dumps(document, ensure_ascii=False).encode()
        self.objects.put(key, data, content_type="application/json", if_match=if_match)

    def _get(self, key: ObjectKey) -> tuple[dict[str, Any], str]:
        with self.objects.open(key) as reader:
            document: dict[str, Any] = json.loads(b"".join(reader))
            return document, reader.info.etag


def _record_key(job: str) -> ObjectKey:
    return ObjectKey(f"transcodes/{quote(job, safe='')}.json")
