"""Do what happens in the background: events, lectures, webhooks, sweeps."""

import json
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic
from types import FrameType
from typing import Self

from attrs import define, field, frozen

from lms_core.application.reactions.react import React
from lms_core.application.relay_outbox import RelayOutbox, from_message
from lms_core.application.sweep import Sweep
from lms_core.application.transcode_media import TranscodeMedia
from lms_core.domain.documents import load
from lms_core.domain.events import MediaUploaded
from lms_core.errors import InvalidValue, LmsError, NotFound
from lms_core.ports.message_queue import Delivery
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.consuming import LEASE_S, Consumer, Outcome, reason_of
from lms_sandbox.payment_gateway import SandboxPaymentGateway
from lms_sandbox.webhooks import WebhookSender

REACTORS = 2
"""Threads that react to events."""

TRANSCODERS = 1
"""Threads that see a lecture through: one ffmpeg keeps every core busy."""

SWEEP_EVERY_S = 30.0
_RELAY_EVERY_S = 0.2
_WEBHOOKS_EVERY_S = 0.3
_LOOK_EVERY_S = 1.0
_EXTEND_EVERY_S = LEASE_S / 4
_AFTER_TROUBLE_S = (1.0, 30.0)

_log = logging.getLogger("lms.worker")


@frozen
class Loop:
    """Does *step* over and over; a step returns how long to wait for the next.

    What it raises is told, and waited for longer each time; it never ends the
    loop. Every step is safe to repeat.
    """

    name: str
    stop: Event
    step: Callable[[], float]

    def __call__(self) -> None:
        """Run until *stop* is set."""
        first, longest = _AFTER_TROUBLE_S
        trouble = first
        while not self.stop.is_set():
            try:
                wait = self.step()
                trouble = first
            except Exception as exc:  # noqa: BLE001 - a loop has no caller to tell
                known = isinstance(exc, LmsError)
                facts = {"loop": self.name, "reason": reason_of(exc), "in_s": trouble}
                _log.warning(
                    "trouble", exc_info=None if known else exc, extra={"facts": facts}
                )
                wait, trouble = trouble, min(trouble * 2, longest)
            self.stop.wait(wait)


@define(eq=False)
class Worker:
    """Everything that happens in the background, in threads of this process.

    Any number of them may run beside one another. One that is stopped finishes
    the event it is at, and hands the rest back; one that is killed loses
    nothing, since whatever it held is delivered again.
    """

    platform: Platform
    stopping: Event = field(factory=Event)
    _threads: list[Thread] = field(factory=list, init=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Open what the loops need, and start them.

        Raises:
            ConfigurationError: something is wired wrongly; nothing was started.
        """
        for loop in self.loops():
            thread = Thread(target=loop, name=loop.name, daemon=True)
            self._threads.append(thread)
        for thread in self._threads:
            thread.start()
        _log.info("started", extra={"facts": {"loops": len(self._threads)}})

    def stop(self) -> None:
        """Hand back what is held, and return when every loop has ended."""
        self.stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        _log.info("stopped")

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; call it in the main thread."""
        with stopped_by_signals(self.stopping), self:
            self.stopping.wait()

    def loops(self) -> tuple[Loop, ...]:
        """Return the loops; everything they need is opened here."""
        stop, platform = self.stopping, self.platform
        steps: list[tuple[str, Callable[[], float]]] = [
            ("relay", self._relay()),
            ("sweep", self._sweep()),
        ]
        steps += [(f"events-{n + 1}", _taking(self.events())) for n in range(REACTORS)]
        steps += [
            (f"transcode-{n + 1}", _taking(self.lectures())) for n in range(TRANSCODERS)
        ]
        gateway = platform.gateway
        if isinstance(gateway, SandboxPaymentGateway):
            steps.append(("webhooks", self._webhooks(gateway)))
        return tuple(Loop(name, stop, step) for name, step in steps)

    def events(self) -> Consumer:
        """Return what reacts to events."""
        react = self.platform.use(React)

        def handle(delivery: Delivery) -> Outcome:
            react(from_message(delivery.message))
            return Outcome.DONE

        return Consumer(
            queue=self.platform.events_queue, stop=self.stopping, handle=handle
        )

    def lectures(self) -> Consumer:
        """Return what sees lectures through transcoding."""
        queue = self.platform.transcode_queue
        transcode = self.platform.use(TranscodeMedia)

        def handle(delivery: Delivery) -> Outcome:
            work = read_transcode_message(delivery)
            pause = _Pause(
                self.stopping, lambda: queue.extend(delivery, lease_s=LEASE_S)
            )
            transcode(work.media, work.generation, pause=pause)
            return Outcome.HANDED_BACK if pause.left else Outcome.DONE

        def give_up(delivery: Delivery, reason: str) -> None:
            work = read_transcode_message(delivery)
            transcode.give_up(work.media, work.generation, reason.partition(":")[0])

        return Consumer(
            queue=queue, stop=self.stopping, handle=handle, give_up=give_up, limit=1
        )

    def _relay(self) -> Callable[[], float]:
        relay = self.platform.use(RelayOutbox)
        return lambda: 0.0 if relay() else _RELAY_EVERY_S

    def _sweep(self) -> Callable[[], float]:
        sweep = self.platform.use(Sweep)

        def step() -> float:
            swept = sweep()
            if swept.attempts or swept.enrollments or swept.orders or swept.media:
                facts = {
                    "attempts": swept.attempts,
                    "enrollments": swept.enrollments,
                    "orders": swept.orders,
                    "media": swept.media,
                }
                _log.info("swept", extra={"facts": facts})
            return SWEEP_EVERY_S

        return step

    def _webhooks(self, gateway: SandboxPaymentGateway) -> Callable[[], float]:
        url = f"{self.platform.settings.base_url}/api/v1/payments/webhook"
        sender, clock = WebhookSender.of(gateway, url), self.platform.clock

        def step() -> float:
            return 0.0 if sender.deliver_due(clock.now()) else _WEBHOOKS_EVERY_S

        return step


@define
class _Pause:
    """Waits between two looks at a job, and keeps the lease of its message."""

    stop: Event
    extend: Callable[[], None]
    left: bool = False
    _extended_at: float = field(factory=monotonic, init=False)

    def __call__(self) -> bool:
        """Return whether to go on."""
        if self.stop.wait(_LOOK_EVERY_S):
            self.left = True
            return False
        now = monotonic()
        if now - self._extended_at >= _EXTEND_EVERY_S:
            self._extended_at = now
            try:
                self.extend()
            except NotFound:
                # Somebody else has the message by now, and sees the job through.
                self.left = True
                return False
        return True


def read_transcode_message(delivery: Delivery) -> MediaUploaded:
    """Read which lecture to transcode.

    Raises:
        InvalidValue: the message does not say.
    """
    try:
        document = json.loads(delivery.message.body)
    except (ValueError, RecursionError) as exc:
        raise InvalidValue("not JSON") from exc
    return load(MediaUploaded, document)


def _taking(consumer: Consumer) -> Callable[[], float]:
    def step() -> float:
        consumer()
        return 0.0

    return step


@contextmanager
def stopped_by_signals(stopping: Event) -> Iterator[None]:
    """Set *stopping* on SIGTERM and SIGINT; a second signal ends at once."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
