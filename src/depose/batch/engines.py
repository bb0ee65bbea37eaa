"""Who makes the rows: processes of this machine, or a Ray cluster (extra `[ray]`); the same functions in both.

An engine yields (order, bytes of its row) as rows are done, in any order. Workers are spawned, hold one thread each,
and read the base from mapped files or from Ray's object store.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from depose.batch import base as bases
from depose.batch import rows
from depose.batch.rows import Order
from depose.case.population import Population
from depose.errors import AnalysisError, UsageError
from depose.features import workers
from depose.scoring.counting import Counted

Name = Literal["process", "ray"]
Done = tuple[Order, bytes]
Engine = Callable[[Path, Sequence[Order], int], Iterator[Done]]


@contextmanager
def working(count: int) -> Iterator[ProcessPoolExecutor]:
    """Open worker processes; drop what waits where something goes wrong."""
    with workers.pool(count) as running:
        try:
            yield running
        except BrokenProcessPool as error:
            raise AnalysisError(
                "a worker process died, perhaps for want of memory",
                hint="rows that are done are kept; run the command again, with fewer --workers",
            ) from error
        except BaseException:
            running.shutdown(wait=False, cancel_futures=True)
            raise


def counted(slices: Sequence[Population], count: int) -> list[Counted]:
    """Count the features of every slice of a population."""
    if count == 1:
        return [bases.count(one) for one in slices]
    with working(min(count, len(slices))) as running:
        return list(running.map(bases.count, slices))


def processes(folder: Path, orders: Sequence[Order], count: int) -> Iterator[Done]:
    """Make rows on processes of this machine; one worker is this process itself."""
    if count == 1 or len(orders) == 1:
        for order in orders:
            yield order, rows.make(folder, order)
        return
    with working(min(count, len(orders))) as running:
        waiting = {running.submit(rows.make, folder, order): order for order in orders}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def ray(folder: Path, orders: Sequence[Order], count: int) -> Iterator[Done]:
    """Make rows on a Ray cluster: the one that RAY_ADDRESS names, else one on this machine.

    The base goes into the object store once; each actor makes it ready once.
    """
    try:
        import ray as cluster
    except ImportError as error:
        raise UsageError("--engine ray: ray is not installed", hint="pip install 'depose[ray]'") from error
    started = not cluster.is_initialized()
    if started:
        local: dict[str, Any] = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": count}
        cluster.init(include_dashboard=False, log_to_driver=False, configure_logging=False, **local)
    try:
        found = bases.load(folder)
        held = cluster.put((bases.named(found), bases.arrays(found)))
        actor = cluster.remote(num_cpus=1)(Worker)
        actors = [actor.remote(held) for _ in range(min(count, len(orders)))]
        left = list(reversed(orders))
        running = {}
        for one in actors:
            order = left.pop()
            running[one.row.remote(order)] = (one, order)
        while running:
            ready, _ = cluster.wait(list(running), num_returns=1)
            one, order = running.pop(ready[0])
            data = cluster.get(ready[0])
            if left:
                following = left.pop()
                running[one.row.remote(following)] = (one, following)
            yield order, data
    except cluster.exceptions.RayError as error:
        first = str(error).strip().splitlines()
        raise AnalysisError(
            f"--engine ray: {first[-1] if first else type(error).__name__}",
            hint="rows that are done are kept; run the command again, or with --engine process",
        ) from error
    finally:
        if started:
            cluster.shutdown()


class Worker:
    """Makes rows from a base in Ray's object store."""

    def __init__(self, base: tuple[bases.Named, dict[str, Any]]) -> None:
        named, arrays = base
        self._bench = rows.Bench(bases.assembled(named, arrays.__getitem__))

    def row(self, order: Order) -> bytes:
        """Make a row."""
        return self._bench.row(order)


ENGINES: dict[Name, Engine] = {"process": processes, "ray": ray}
