"""Many questions under way at once: order, pace and retries.

One thread hands out questions in the order of the plan and receives what comes back; only that thread writes. A
question waits until its model has room, so that no model runs ahead of the others. Endpoints that answer in batches
share one thread and are handed one batch at a time.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Protocol

import stamina
from stamina.instrumentation import set_on_retry_hooks

from depose.answers.settle import of_reply
from depose.asking.pace import Pace
from depose.case.budget import Budget, bound, used
from depose.endpoints import Endpoint, Live
from depose.errors import PluginError
from depose.evidence.log import Clock
from depose.model import Ask, ModelSpec, Reply

HOPELESS_IN_A_ROW = 3
"""A model is given up in this run after as many failures in a row that any other question would share."""

FAILED_IN_A_ROW = 5
"""A model asked over a network is given up in this run after so many questions in a row that failed for good."""
AILING = 3
"""After as many failed attempts in a row the questions of a model no longer hold up those of the others."""

Batch = tuple[Ask, ...]


class Book(Protocol):
    """Where a run is written down, by the one thread that called `Desk.run`."""

    def take(self, came: list[Came], ended: list[Ended]) -> None:
        """Note what came of attempts, and which questions are done with in this run."""
        ...

    def commit(self, asks: Sequence[Ask]) -> None:
        """Note that these questions are about to be sent, and have all that was noted on disk before returning."""
        ...


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of one attempt at one question."""

    ask: Ask
    reply: Reply
    started: str
    ended: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Questions that are done with in this run."""

    lane: Lane
    batch: Batch
    answered: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class _Broken:
    """Something that no run can go on after."""

    error: Exception


def batched(asks: Iterable[Ask], endpoints: Mapping[str, Endpoint]) -> Iterator[Batch]:
    """Walk through the order and hand out a batch whenever a model has enough questions waiting."""
    waiting: dict[str, list[Ask]] = {}
    for ask in asks:
        queue = waiting.setdefault(ask.model, [])
        queue.append(ask)
        if len(queue) >= endpoints[ask.model].batch:
            yield tuple(waiting.pop(ask.model))
    for queue in waiting.values():
        yield tuple(queue)


class _Again(Exception):
    """This attempt failed and another may not."""

    def __init__(self, pause: float) -> None:
        self.pause = pause


def _when(error: Exception) -> bool | float:
    """Tell stamina how long to wait: what the provider asked for, or else a growing pause."""
    return isinstance(error, _Again) and (error.pause or True)


class Lane:
    """The threads that ask one model, or the one thread that asks all models that answer in batches."""

    def __init__(self, desk: Desk, spec: ModelSpec | None) -> None:
        self._desk = desk
        self._width = spec.concurrency if spec else 1
        self._attempts = spec.attempts if spec else 1
        self._pace = Pace(spec.rpm if spec else None, spec.tpm if spec else None, desk.stopped)
        self._room = 2 * self._width if spec else 1
        self.load = 0
        self._inbox: SimpleQueue[tuple[Endpoint, Batch] | None] = SimpleQueue()
        self._threads = 0

    @property
    def has_room(self) -> bool:
        """Whether another batch may be put here."""
        return self.load < self._room

    def put(self, endpoint: Endpoint, batch: Batch) -> None:
        """Hand over questions, counted in `load` before, and start a thread where one more is of use."""
        self._inbox.put((endpoint, batch))
        if self._threads < min(self.load, self._width):
            self._threads += 1
            threading.Thread(target=self._work, name="depose-ask", daemon=True).start()

    def close(self) -> None:
        """Let the threads go once they have done what was put here."""
        for _ in range(self._threads):
            self._inbox.put(None)

    def _work(self) -> None:
        while (task := self._inbox.get()) is not None:
            endpoint, batch = task
            answered = failed = 0
            try:
                if isinstance(endpoint, Live):
                    told = [self._ask(endpoint, ask) for ask in batch]
                else:
                    told = self._ask_all(endpoint, batch)
                answered, failed = told.count(True), told.count(False)
            except Exception as error:  # a plugin may raise anything; the thread that waits raises it again
                self._desk.inbox.put(_Broken(error=error))
            self._desk.inbox.put(Ended(lane=self, batch=batch, answered=answered, failed=failed))

    def _ask_all(self, endpoint: Endpoint, batch: Batch) -> list[bool | None]:
        desk = self._desk
        if not desk.begin(batch[0], 1):
            return []
        try:
            return desk.ask_all(endpoint, batch)
        finally:
            desk.end()

    def _ask(self, endpoint: Live, ask: Ask) -> bool | None:
        """Ask until there is an answer or no sense in going on; None where nothing was sent."""
        number, tokens = 0, sum(bound(ask))
        waits = {"wait_initial": 0.5, "wait_max": 60.0, "wait_jitter": 0.5}
        with contextlib.suppress(_Again):  # the last attempt failed too, and is recorded
            for attempt in stamina.retry_context(on=_when, attempts=self._attempts, timeout=None, **waits):
                with attempt:
                    self._pace.wait(tokens)
                    if not self._desk.begin(ask, number + 1):
                        return False if number else None
                    number += 1
                    reply = self._attempt(endpoint, ask, number)
                    if reply.wire and reply.wire.input_tokens is not None and reply.wire.output_tokens is not None:
                        self._pace.settle(tokens, sum(used(bound(ask), reply.wire)))
                    if reply.again is not None:
                        self._pace.hold(reply.again)
                        raise _Again(reply.again)
                    return reply.outcome != "failed"
        return False

    def _attempt(self, endpoint: Live, ask: Ask, number: int) -> Reply:
        desk = self._desk
        try:
            started = desk.clock()
            reply = of_reply(endpoint.attempt(ask, number, desk.clock))
            desk.inbox.put(Came(ask=ask, reply=reply, started=started, ended=desk.clock()))
            return reply
        finally:
            desk.end()


class Desk:
    """Hands out questions and receives answers."""

    def __init__(self, specs: Iterable[ModelSpec], endpoints: Mapping[str, Endpoint], budget: Budget, clock: Clock):
        self._endpoints = endpoints
        self._budget = budget
        self.clock = clock
        self.inbox: SimpleQueue[Came | Ended | _Broken | None] = SimpleQueue()
        self.stopped = threading.Event()
        self.given_up: dict[str, str] = {}
        """Models that are asked no more in this run, and the last reason."""
        self._lock = threading.Lock()
        self._busy = 0
        self._error: Exception | None = None
        self._hopeless: Counter[str] = Counter()
        self._failing: Counter[str] = Counter()
        """Attempts of each model that failed, since the last that did not."""
        self._lost: Counter[str] = Counter()
        """Questions likewise."""
        self._last: dict[str, str] = {}
        self._postponed: deque[Batch] = deque()
        shared = Lane(self, None)
        self._lanes = {
            spec.code: Lane(self, spec) if isinstance(endpoints[spec.code], Live) else shared
            for spec in specs
            if spec.code in endpoints
        }

    def run(self, batches: Iterator[Batch], book: Book, waiting: Callable[[int], None]) -> None:
        """Ask all of it; `book` hears of every question before it is sent, and of every attempt as it ends.

        The first interrupt ends the handing out, tells `waiting` how many requests are under way, hears those out and
        is then raised; a second one is raised at once.
        """
        set_on_retry_hooks(())  # every retry is a record of its own; a line of logging would say no more
        try:
            with _first_interrupt(self._stop):
                self._loop(batches, book, waiting)
        finally:
            for lane in self._lanes.values():
                lane.close()
        if self._error is not None:
            raise self._error
        if self.stopped.is_set():
            raise KeyboardInterrupt

    def _loop(self, batches: Iterator[Batch], book: Book, waiting: Callable[[int], None]) -> None:
        following, told = next(batches, None), False
        while True:
            chosen: list[Batch] = []
            for _ in range(0 if self.stopped.is_set() else len(self._postponed)):
                batch = self._postponed.popleft()
                if not self._choose(batch, chosen):
                    self._postponed.append(batch)
            while following is not None and not self.stopped.is_set():
                if not self._choose(following, chosen):
                    if self._failing[following[0].model] < AILING:
                        break
                    self._postponed.append(following)
                following = next(batches, None)
            book.commit([ask for batch in chosen for ask in batch])
            for batch in chosen:
                self._lanes[batch[0].model].put(self._endpoints[batch[0].model], batch)
            if self.stopped.is_set():
                if not self._busy:
                    break
                if not told:
                    waiting(self._busy)
                    told = True
            elif following is None and not self._postponed and not self._under_way():
                break
            self._take(book, [self.inbox.get(), *self._emptied()])
        self._take(book, self._emptied())
        book.commit(())

    def _under_way(self) -> bool:
        return any(lane.load for lane in self._lanes.values())

    def _choose(self, batch: Batch, chosen: list[Batch]) -> bool:
        """Choose a batch to be handed out, as far as the budget goes; False where there is no room yet."""
        model = batch[0].model
        lane = self._lanes[model]
        if not lane.has_room:
            return False
        if len(batch) == 1 and self._under_way() and not self._budget.fits(batch[0]):
            return False  # it may fit once it is known what those under way took
        allowed = () if model in self.given_up else tuple(takewhile(self._budget.allows, batch))
        if allowed:
            lane.load += 1
            chosen.append(allowed)
        return True

    def _emptied(self) -> list[Came | Ended | _Broken | None]:
        found = []
        with contextlib.suppress(Empty):
            while True:
                found.append(self.inbox.get_nowait())
        return found

    def _take(self, book: Book, found: list[Came | Ended | _Broken | None]) -> None:
        came = [one for one in found if isinstance(one, Came)]
        ended = [one for one in found if isinstance(one, Ended)]
        for one in came:
            self._budget.settle(one.ask, one.reply.wire)
            self._count_hopeless(one)
        for end in ended:
            end.lane.load -= 1
            self._count_lost(end)
        book.take(came, ended)
        for broken in (one for one in found if isinstance(one, _Broken)):
            self._error = self._error or broken.error
            self._stop()

    def _count_lost(self, end: Ended) -> None:
        """Give a model up that nobody gets an answer from; one whose answers stand in a file fails nobody."""
        model = end.batch[0].model
        if not isinstance(self._endpoints[model], Live) or not (end.answered or end.failed):
            return
        self._lost[model] = 0 if end.answered else self._lost[model] + end.failed
        if self._lost[model] >= FAILED_IN_A_ROW:
            self.given_up.setdefault(model, f"{self._lost[model]} questions in a row: {self._last.get(model, '')}")

    def _count_hopeless(self, came: Came) -> None:
        model = came.ask.model
        failed = came.reply.outcome == "failed"
        self._failing[model] = self._failing[model] + 1 if failed else 0
        if failed:
            self._last[model] = came.reply.reason
        self._hopeless[model] = self._hopeless[model] + 1 if came.reply.hopeless else 0
        if self._hopeless[model] >= HOPELESS_IN_A_ROW:
            self.given_up.setdefault(model, came.reply.reason)

    def _stop(self) -> None:
        self.stopped.set()
        self.inbox.put(None)

    def begin(self, ask: Ask, number: int) -> bool:
        """Start an attempt, unless the run is stopping, the model given up or the budget spent."""
        with self._lock:
            if self.stopped.is_set() or ask.model in self.given_up:
                return False
            if number > 1 and not self._budget.allows(ask):
                return False
            self._busy += 1
            return True

    def end(self) -> None:
        """End an attempt: what came of it is in the inbox."""
        with self._lock:
            self._busy -= 1
        if self.stopped.is_set():
            self.inbox.put(None)

    def ask_all(self, endpoint: Endpoint, batch: Batch) -> list[bool | None]:
        """Ask a batch at once and tell of each question whether it was answered."""
        started = self.clock()
        replies = tuple(map(of_reply, endpoint.ask(batch)))
        ended = self.clock()
        if len(replies) != len(batch):
            raise PluginError(
                f"the provider of {batch[0].model} gave {len(replies)} replies to {len(batch)} questions",
                hint="it is broken; report it to its maker",
            )
        for ask, reply in zip(batch, replies, strict=True):
            self.inbox.put(Came(ask=ask, reply=reply, started=started, ended=ended))
        return [reply.outcome != "failed" for reply in replies]


@contextlib.contextmanager
def _first_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first SIGINT call `stop` instead of raising, so that no record is cut in half."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def once(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
