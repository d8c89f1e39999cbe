"""Several engines on one database: who lives, who is woken, in which order things are seen."""

from __future__ import annotations

import subprocess
import sys
import threading
from time import sleep

import psycopg
import pytest

from core.errors import Conflict
from core.host.records import Refused
from core.host.seam import LogLine, Metric
from core.host.views import OutputFilter
from core.model.messages import ROOT
from core.testing.record_story import ACME, ENGINE, OTHER, Story
from tailrace_records_postgres.beats import Beats
from tailrace_records_postgres.database import PostgresDatabase
from tailrace_records_postgres.store import PostgresRecords, open_records
from tests.waiting import until

OWNS = """
import sys, time
from tailrace_records_postgres.store import open_records
store = open_records(sys.argv[1], 7)
store.register_engine("doomed", 1)
print(store.claim("e1", "doomed").fence, flush=True)
while True:
    store.beat("doomed")
    time.sleep(0.05)
"""


class TestBeats:
    def test_an_engine_that_was_not_seen_before_is_alive(self) -> None:
        assert Beats().is_alive("a", 5, 100.0)

    def test_a_beat_that_stands_still_for_the_lease_is_that_of_the_dead(self) -> None:
        beats = Beats()
        looks = [beats.is_alive("a", 5, float(moment)) for moment in (100, 104, 108, 109, 110, 111)]
        assert looks == [True, True, True, True, False, False]

    def test_a_beat_that_moves_again_is_that_of_the_living(self) -> None:
        beats = Beats()
        looks = [beats.is_alive("a", beat, moment) for beat, moment in ((5, 0.0), (5, 5.0), (6, 10.0), (6, 15.0))]
        assert looks == [True] * 4
        assert not beats.is_alive("a", 6, 20.0)

    def test_one_that_said_goodbye_is_dead_at_once(self) -> None:
        beats = Beats()
        assert [beats.is_alive("a", 5, 0.0), beats.is_alive("a", None, 0.0)] == [True, False]

    def test_an_observer_that_slept_looks_again(self) -> None:
        beats = Beats()
        assert [beats.is_alive("a", 5, 0.0), beats.is_alive("a", 5, 60.0), beats.is_alive("a", 5, 66.0)] == [
            True, True, False,
        ]  # fmt: skip


@pytest.mark.postgres
class TestEngines:
    def test_an_engine_that_was_killed_loses_its_work_after_the_lease(self, database: str) -> None:
        store = PostgresRecords(PostgresDatabase(database, "watching"), lease=0.5)
        story = Story(store, claimed=False)
        owner = subprocess.Popen([sys.executable, "-c", OWNS, database], stdout=subprocess.PIPE, text=True)
        assert owner.stdout is not None
        fence = int(owner.stdout.readline())
        for _ in range(20):
            assert (store.abandoned(ACME, ENGINE), store.claimable(ENGINE, 10**18)) == ((), ())
            sleep(0.05)
        owner.kill()
        owner.communicate()
        with pytest.raises(Conflict):
            store.claim("e1", ENGINE)
        until(lambda: store.claimable(ENGINE, 10**18) == ((ACME, "e1"),))
        assert store.abandoned(ACME, ENGINE) == ("e1",)
        assert store.claim("e1", ENGINE).fence == fence + 1
        story.fence = fence
        assert story.commit() == (Refused("e1", "the execution has another owner"),)
        store.close()

    def test_the_others_are_woken_by_a_message_and_by_an_end(self, database: str) -> None:
        store, second = open_records(database, 1), open_records(database, 2)
        story = Story(store)
        assert second.changed()
        assert not second.changed()
        story.run("a", 1)
        sleep(0.1)
        assert not second.changed()  # nobody waits for that
        store.send("e1", "kill", "{}", 1)
        until(second.changed)
        story.move("SUCCESS")
        until(second.changed)
        until(store.changed)  # its own message
        sleep(0.5)
        store.changed()  # the end, if it came by itself
        assert not store.changed()
        store.close()
        second.close()

    def test_who_listens_is_woken_again_after_a_lost_connection(self, database: str, server: str) -> None:
        store, second = open_records(database, 1), open_records(database, 2)
        Story(store)
        store.changed()
        with psycopg.connect(server, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        until(store.changed)  # what was said meanwhile is not known
        until(lambda: not store.changed())
        sleep(1.2)
        store.changed()
        second.send("e1", "kill", "{}", 1)
        until(store.changed)
        store.close()
        second.close()

    def test_who_follows_the_feed_misses_nothing(self, database: str) -> None:
        """Four stores write at once; another one reads on from the last event it saw."""
        stores = [open_records(database, number) for number in range(5)]
        done = threading.Event()
        seen: list[int] = []

        def write(number: int) -> None:
            story = Story(stores[number], f"e{number}", organization=ACME if number < 3 else OTHER)
            for task in range(40):
                story.run(f"t{task}", task)

        def follow() -> None:
            while True:
                last = done.is_set()
                events = stores[4].product.events(ACME, seen[-1] if seen else 0, 7)
                seen.extend(event.seq for event in events)
                if last and not events:
                    return

        follower = threading.Thread(target=follow)
        follower.start()
        writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for one in writers:
            one.start()
        for one in writers:
            one.join()
        done.set()
        follower.join()
        everything = [event.seq for event in stores[4].product.events(ACME, 0, 10_000)]
        assert len(everything) == 3 * (1 + 2 * 40)
        assert seen == everything
        for store in stores:
            store.close()

    def test_lists_by_date_pass_over_blocks_of_other_dates(self, database: str, server: str) -> None:
        """The rows of two organizations alternate, and lie in blocks of 1 024 `seq`."""
        store = open_records(database, 1)
        stories = [Story(store, "e1"), Story(store, "e2", organization=OTHER)]
        dates: dict[str, list[int]] = {ACME: [], OTHER: []}
        with psycopg.connect(server, autocommit=True) as owner:
            for block in range(4):
                owner.execute("SELECT setval('tailrace.task_executions_seq_seq', %s)", (1024 * (block + 5) - 2,))
                for number in range(6):  # the first of them still belongs to the block before
                    story = stories[number % 2]
                    story.at = 1_000_000 * (3 - block) + number * 1000  # later rows are older
                    story.run(f"t{block}-{number}", 1)
                    dates[story.identity.organization_id].append(story.at - 10)
            found = owner.execute("SELECT organization_id, block, created_from, created_to FROM tailrace.time_spans"
                                  " WHERE rows_of = 'task_executions' ORDER BY 1, 2").fetchall()  # fmt: skip
        assert [(name, block) for name, block, _, _ in found] == [
            (name, block) for name in (ACME, OTHER) for block in ((4, 5, 6, 7) if name == ACME else (5, 6, 7))
        ]
        for name, all_of in dates.items():
            for after in range(0, 4_000_000, 500_000):
                for before in (after + 500_000, 5_000_000):
                    which = OutputFilter(created_after=after, created_before=before)
                    views = store.outputs(name, which).data
                    assert sorted(view.created_at for view in views) == sorted(
                        at for at in all_of if after <= at < before
                    )
        store.close()

    def test_many_lines_are_written_at_once_in_their_order(self, database: str) -> None:
        store = open_records(database, 1)
        story = Story(store)
        key = story.open("a")
        story.log(key, ("INFO", "first"))
        story.log(key, *((level, f"{number} \0") for number in range(500) for level in ("INFO", "ERROR")))
        metric = Metric(story.identity_of(key).attempt_id, 5, "m", "counter", 1.5)
        story.commit(metrics=[(story.identity_of(key), metric)] * 3, logs=[(ROOT, None, LogLine("", 7, "WARN", "own"))])
        lines = store.logs(ACME, "e1", None, ("INFO", "ERROR", "WARN"), 0, 2000)
        assert [line.seq for line in lines] == list(range(1, 1003))
        assert [line.message for line in lines] == ["first", *(f"{number // 2} \0" for number in range(1000)), "own"]
        assert lines[-1].task_name is None
        assert store.weight_of(ACME, ["e1"]) == (1002, 3, 0)
        store.close()
