"""The suite of Transcoder notices transcoders that break a clause."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

import pytest
from attrs import evolve

from lms_core.domain.ids import ObjectKey
from lms_core.errors import LmsError
from lms_core.ports.transcoder import (
    TranscodeRequest,
    TranscodeState,
    TranscodeStatus,
)
from lms_core.testing.transcoder import DESTINATION, SOURCE, TranscoderConformance
from lms_local.memory.object_store import MemoryObjectStore
from lms_local.memory.system import FixedClock
from lms_local.memory.transcoder import MemoryTranscoder

CLAUSES = {name for name in vars(TranscoderConformance) if name.startswith("test_")}


class Sound(MemoryTranscoder):
    """The transcoder that the broken ones differ from."""


class TellsNoProgress(Sound):
    def status(self, job: str) -> TranscodeStatus:
        return TranscodeStatus(
            state=super().status(job).state, result=super().status(job).result
        )


class After(Sound):
    """Does its harm once a job is done."""

    def submit(self, request: TranscodeRequest) -> None:
        super().submit(request)
        if self.status(request.job).state is TranscodeState.DONE:
            self.harm(request)

    def harm(self, request: TranscodeRequest) -> None:
        raise NotImplementedError


class ListsSmallestFirst(After):
    def harm(self, request: TranscodeRequest) -> None:
        done = self._jobs[request.job]
        assert done.result is not None
        turned = evolve(done.result, renditions=done.result.renditions[::-1])
        self._jobs[request.job] = evolve(done, result=turned)


class LosesSegments(After):
    def harm(self, request: TranscodeRequest) -> None:
        self.objects.delete(ObjectKey(f"{request.destination}/480p/seg.m4s"))


class LosesThePoster(After):
    def harm(self, request: TranscodeRequest) -> None:
        self.objects.delete(ObjectKey(f"{request.destination}/poster.jpg"))


class KeepsSubRip(After):
    def harm(self, request: TranscodeRequest) -> None:
        for number, caption in enumerate(request.captions):
            with self.objects.open(caption.key) as reader:
                self.objects.put(
                    ObjectKey(f"{request.destination}/captions/{number}.vtt"),
                    b"".join(reader),
                )


class PublishesFailures(Sound):
    def submit(self, request: TranscodeRequest) -> None:
        self.objects.put(request.destination / "master.m3u8", b"#EXTM3U")
        super().submit(request)


class HopesForTheBest(Sound):
    def status(self, job: str) -> TranscodeStatus:
        return evolve(super().status(job), permanent=False)


class BearsAGrudge(Sound):
    def submit(self, request: TranscodeRequest) -> None:
        if request.job not in self._jobs:
            super().submit(request)


class Repeats(Sound):
    def submit(self, request: TranscodeRequest) -> None:
        self._jobs.pop(request.job, None)
        super().submit(request)


class CallsCancelledFailed(Sound):
    def cancel(self, job: str) -> None:
        failed = TranscodeStatus(state=TranscodeState.FAILED)
        if job in self._jobs:
            self._jobs[job] = failed


class InventsJobs(Sound):
    def status(self, job: str) -> TranscodeStatus:
        return self._jobs.get(job, TranscodeStatus(state=TranscodeState.QUEUED))


PAIRS: Mapping[str, tuple[type[Sound], ...]] = {
    "test_a_job_ends_done_with_a_result": (TellsNoProgress,),
    "test_renditions_stand_in_the_playlist_largest_first": (ListsSmallestFirst,),
    "test_everything_the_playlists_name_is_there": (LosesSegments,),
    "test_companions_are_there_with_their_types": (LosesThePoster,),
    "test_captions_become_webvtt": (KeepsSubRip,),
    "test_unreadable_media_fails_for_good": (PublishesFailures, HopesForTheBest),
    "test_a_missing_source_fails": (PublishesFailures,),
    "test_a_failed_job_starts_anew": (BearsAGrudge,),
    "test_a_job_asked_for_twice_is_done_once": (Repeats,),
    "test_a_cancelled_job_ends_and_may_start_anew": (CallsCancelledFailed,),
    "test_cancelling_a_finished_job_changes_nothing": (CallsCancelledFailed,),
    "test_an_unknown_job_has_no_status_and_can_be_cancelled": (InventsJobs,),
}


def run(kind: type[Sound], clause: str) -> None:
    """Run one clause as pytest would."""
    objects = MemoryObjectStore(FixedClock())
    supplied: dict[str, Any] = {
        "objects": objects,
        "transcoder": kind(objects),
        "good_source": b"video:1280x720:2000",
        "unreadable_source": b"video:eternity",
    }
    test = getattr(TranscoderConformance(), clause)
    wanted = signature(test).parameters
    if "request_" in wanted:
        objects.put(SOURCE, supplied["good_source"])
        supplied["request_"] = TranscodeRequest(
            job="Vidéo 7/../take 2", source=SOURCE, destination=DESTINATION
        )
    test(**{name: supplied[name] for name in wanted})


@pytest.mark.parametrize("clause", sorted(CLAUSES))
def test_a_sound_transcoder_keeps_the_clause(clause: str) -> None:
    run(Sound, clause)


@pytest.mark.parametrize(
    ("broken", "clause"),
    [
        pytest.param(broken, clause, id=f"{broken.__name__}-{clause}")
        for clause, kinds in PAIRS.items()
        for broken in kinds
    ],
)
def test_a_broken_transcoder_is_noticed(broken: type[Sound], clause: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, LmsError)):
        run(broken, clause)


def test_every_clause_notices_something() -> None:
    assert set(PAIRS) == CLAUSES
