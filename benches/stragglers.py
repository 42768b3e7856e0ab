"""A simulation of conversions on many machines: slow nodes, lost nodes, and what second tasks are worth.

``python benches/stragglers.py [--nodes 1000] [--clips 1000000000]``. docs/scale.md explains what it models and prints.
Nothing is decoded and Ray is not used: tasks take times drawn from distributions, on as many processors as there are.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """The machines, and how they fail."""

    nodes: int
    processors: int
    #: Seconds of a processor for one clip, and for starting a task.
    clip_seconds: float
    task_seconds: float
    #: The share of nodes that are slow, and how many times as long they take.
    slow_share: float
    slow_factor: float
    #: Seconds until a node is lost, on average, and until a new one has taken its place.
    seconds_to_loss: float
    seconds_to_replace: float
    #: Tasks a second that one driver hands over.
    driver_rate: float


@dataclass
class Outcome:
    """What a simulated conversion took."""

    seconds: float
    ideal: float
    tasks: int
    second_tasks: int
    lost_tasks: int
    wasted: float


def simulate(cluster: Cluster, clips: int, clips_per_task: int, second_tasks: bool, seed: int) -> Outcome:
    """Runs all tasks and returns what it took.

    The driver hands tasks over at its rate, to the processor that is free first. A lost node takes along the tasks that
    run on it; they run again elsewhere. When no task is left, a free processor runs a second copy of one that takes
    more than three times the usual time, if that is asked for; the first copy to end counts.
    """
    chance = random.Random(seed)
    speed = [cluster.slow_factor if chance.random() < cluster.slow_share else 1.0 for _ in range(cluster.nodes)]
    num_tasks = -(-clips // clips_per_task)
    usual = cluster.task_seconds + clips_per_task * cluster.clip_seconds
    # Tasks vary as the lengths of their clips do: by a fifth for one clip of 64, less for more.
    spread = 0.2 * (64 / clips_per_task) ** 0.5
    # When each node is lost next. It comes back empty.
    loss = [chance.expovariate(1 / cluster.seconds_to_loss) for _ in range(cluster.nodes)]
    free = [(0.0, slot % cluster.nodes) for slot in range(cluster.nodes * cluster.processors)]
    heapq.heapify(free)
    again: list[tuple[float, int]] = []
    running: list[tuple[float, float, int]] = []
    ends = [0.0] * num_tasks
    next_task = lost = 0
    busy = wasted = handed_over = 0.0
    while next_task < num_tasks or again:
        start, node = heapq.heappop(free)
        while loss[node] + cluster.seconds_to_replace <= start:
            loss[node] += cluster.seconds_to_replace + chance.expovariate(1 / cluster.seconds_to_loss)
        if start > loss[node]:
            heapq.heappush(free, (loss[node] + cluster.seconds_to_replace, node))
            continue
        if again and again[0][0] <= start:
            _, task = heapq.heappop(again)
        elif next_task < num_tasks:
            task = next_task
            next_task += 1
        else:
            # Only tasks are left that will be lost at a known time.
            when, task = heapq.heappop(again)
            start = max(start, when)
        handed_over = max(handed_over + 1 / cluster.driver_rate, start)
        seconds = usual * speed[node] * max(0.3, chance.gauss(1, spread))
        end = handed_over + seconds
        if loss[node] < end:
            lost += 1
            wasted += max(0.0, loss[node] - handed_over)
            heapq.heappush(again, (loss[node], task))
            heapq.heappush(free, (loss[node] + cluster.seconds_to_replace, node))
            continue
        busy += seconds
        ends[task] = end
        running.append((end, handed_over, task))
        heapq.heappush(free, (end, node))
        if len(running) > 4 * len(free):
            running = [each for each in running if each[0] > start]
    copies = 0
    if second_tasks:
        for end, begun, task in sorted(running, reverse=True):
            start, node = heapq.heappop(free)
            # The driver notices a task that is late after three times the usual time.
            start = max(start, begun + 3 * usual)
            copy_end = start + usual * speed[node] * max(0.3, chance.gauss(1, spread))
            if start >= end:
                heapq.heappush(free, (max(start, end), node))
                continue
            copies += 1
            wasted += min(copy_end, end) - start
            ends[task] = min(end, copy_end)
            heapq.heappush(free, (ends[task], node))
    ideal = clips * cluster.clip_seconds / (cluster.nodes * cluster.processors)
    return Outcome(max(ends), ideal, num_tasks, copies, lost, wasted / (busy or 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000)
    parser.add_argument("--processors", type=int, default=32)
    parser.add_argument("--clips", type=int, default=1_000_000_000)
    parser.add_argument("--clip-ms", type=float, default=50.0, help="milliseconds of a processor for a clip")
    parser.add_argument("--slow", type=float, default=0.02, help="the share of nodes that are slow")
    parser.add_argument("--slow-factor", type=float, default=5.0)
    parser.add_argument("--hours-to-loss", type=float, default=200.0, help="of a node, on average")
    parser.add_argument("--driver-rate", type=float, default=500.0, help="tasks a second that the driver hands over")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cluster = Cluster(
        options.nodes, options.processors, options.clip_ms / 1000, 0.02, options.slow, options.slow_factor,
        3600 * options.hours_to_loss, 300.0, options.driver_rate,
    )  # fmt: skip
    print(f"{options.nodes} nodes of {options.processors} processors, {options.clips} clips of {options.clip_ms} ms")
    print("clips a task    tasks  second tasks   minutes   of the ideal  lost tasks  copies  wasted")
    for clips_per_task in (1_024, 4_096, 16_384):
        for second_tasks in (False, True):
            found = simulate(cluster, options.clips, clips_per_task, second_tasks, options.seed)
            print(
                f"{clips_per_task:12} {found.tasks:8} {'yes' if second_tasks else 'no':>13} {found.seconds / 60:9.2f} "
                f"{found.seconds / found.ideal:13.2f}x {found.lost_tasks:11} {found.second_tasks:7} {found.wasted:7.2%}"
            )


if __name__ == "__main__":
    sys.exit(main())
