"""Where a run is written down: each question before it is sent, each attempt as it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from depose.answers.settle import of_reply
from depose.asking.desk import Came, Ended
from depose.endpoints.wire_values import whole
from depose.errors import NoCanonicalForm
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.ledger import key
from depose.evidence.log import Log
from depose.evidence.records import Asking, Key
from depose.model import Ask, Exchange, Reply


def record(log: Log, ask: Ask, reply: Reply, started: str, ended: str, kind: str = "exchange") -> Exchange:
    """Append what came of one question, with the bytes that it names."""
    for raw in reply.kept:
        log.store(raw)
    reply = of_reply(reply)
    exchange = Exchange(
        model=ask.model,
        prompt=ask.prompt,
        sample=ask.sample,
        replicate=ask.replicate,
        outcome=reply.outcome,
        text=whole(reply.text),
        finish=whole(reply.finish),
        reason=whole(reply.reason),
        request=log.store(reply.request),
        response=log.store(reply.response),
        source=reply.source,
        started=started,
        ended=ended,
        wire=reply.wire,
        status=reply.status,
        reasoning=whole(reply.reasoning),
    )
    try:
        log.append(kind, exchange)
    except NoCanonicalForm as error:  # an answer is data: it fails alone, and never the run
        exchange = msgspec.structs.replace(
            exchange,
            outcome="failed",
            status="failed",
            text="",
            finish="",
            reasoning="",
            source="",
            reason=f"what came cannot be written down: {error.message}",
            wire=None,
        )
        log.append(kind, exchange)
    return exchange


class Book:
    """Writes a run down: each question before it is sent, each attempt as it ends, checkpoints between."""

    def __init__(
        self,
        log: Log,
        live: set[str],
        checkpoints: Checkpoints,
        tell: Callable[[int, int], None],
        kind: str = "exchange",
        failed: Callable[[str, str], None] = lambda model, reason: None,
    ) -> None:
        self._log, self._live, self._checkpoints, self._tell = log, live, checkpoints, tell
        self._kind, self._failed = kind, failed
        self._heard: set[str] = set()
        self._ended: list[Ended] = []
        self._open: set[Key] = set()
        self.recorded: list[Exchange] = []
        self.answered = self.failed = 0

    def take(self, came: list[Came], ended: list[Ended]) -> None:
        """Append what came, and which questions are done with unanswered."""
        for one in came:
            self.recorded.append(record(self._log, one.ask, one.reply, one.started, one.ended, self._kind))
            if one.reply.outcome == "failed" and one.ask.model in self._live - self._heard:
                self._heard.add(one.ask.model)
                self._failed(one.ask.model, self.recorded[-1].reason)
            if one.reply.again is None:
                self._open.discard(key(one.ask))
        left = tuple(key(ask) for end in ended for ask in end.batch if key(ask) in self._open)
        if left:
            self._log.append("left", Asking(asks=left))
            self._open.difference_update(left)
        self._ended += ended

    def commit(self, asks: Sequence[Ask]) -> None:
        """Append which questions are about to be sent to a live model; then one fsync for all that was appended."""
        sent = tuple(key(ask) for ask in asks if ask.model in self._live)
        if sent:
            self._log.append("asking", Asking(asks=sent))
            self._open.update(sent)
        self._checkpoints.look(self._log)
        self._log.sync()
        ended, self._ended = self._ended, []
        for end in ended:
            self.answered, self.failed = self.answered + end.answered, self.failed + end.failed
            self._tell(end.answered, end.failed)
