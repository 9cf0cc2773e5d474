"""From ACTIVATE STANDBY to the first write that is taken: `python -m bench.promotion [--rounds N]`.

A standby at rest where its restore ended, one that follows a source that writes, and one whose log ends inside a transaction, which the
promotion rolls back (decision 39). The clock runs from the statement to the end of an INSERT through the gateway, in a session that was
open before; if the promotion has ended that one, in a new one.
"""

import argparse
import statistics
import threading
import time

import pymysql

from bench.rig import table, workspace
from server_rig import Client, Server, archive, backup, restore, running_server, wait_archived, wait_for

_FIRST = "insert into test.t(pad) values ('the first of its own')"
_DIGITS = "(" + " union ".join(f"select {digit} n" for digit in range(10)) + ")"
_MANY = "insert into test.long select repeat('x', 300) from " + ", ".join(f"{_DIGITS} d{place}" for place in range(5))
_FLUSHED = "select max(flushed_log_size) from oceanbase.__all_virtual_trans_stat"
_POINT = "select READABLE_SCN from oceanbase.DBA_OB_TENANTS where TENANT_NAME = %s"


def _promote(server: Server, client: Client, name: str, *, following: bool) -> tuple[float, float]:
    """Return the seconds until ACTIVATE STANDBY returned, and until a write was taken; the tenant is dropped."""
    if following:
        begun = int(client.one(_POINT, (name,)))
        client.run(f"ALTER SYSTEM RECOVER STANDBY TENANT = {name} UNTIL UNLIMITED")
        wait_for(lambda: int(client.one(_POINT, (name,))), lambda scn: scn > begun)
    with server.client(f"root@{name}") as user:
        user.one("select count(*) from test.t")
        began = time.monotonic()
        client.run(f"ALTER SYSTEM ACTIVATE STANDBY TENANT = {name}")
        activated = time.monotonic() - began
        try:
            user.run(_FIRST)
        except pymysql.OperationalError:
            with server.client(f"root@{name}") as again:
                again.run(_FIRST)
        written = time.monotonic() - began
    client.run(f"DROP TENANT {name} FORCE")
    return activated, written


def _moment_inside_a_transaction(server: Server, client: Client) -> int:
    """Return an SCN, archived, at which 30 MB of a transaction's rows are in the log of the source, and its end is not."""
    with server.client("root@source") as user:
        user.run("create table test.long(pad varchar(300))")
        user.run("begin")
        user.run(_MANY)
        wait_for(lambda: int(user.one(_FLUSHED) or 0), lambda size: size > 1 << 20)
        scn = int(user.one("select current_scn()"))
        time.sleep(
            1
        )  # only commits are strictly behind an SCN that was read before: a rollback right now may lie below it
        user.run("rollback")
        wait_archived(client, int(user.one("select current_scn()")))
    return scn


def _measure(rounds: int) -> list[tuple[object, ...]]:
    with workspace("promotion") as home, running_server(home / "base") as server, server.client() as client:
        client.run("CREATE TENANT source")
        archive(client, "source", home / "place")
        over = threading.Event()
        with server.client("root@source") as user:
            user.run("create table test.t(id bigint primary key auto_increment, pad varchar(100))")

            def write() -> None:
                while not over.wait(0.01):
                    user.run("insert into test.t(pad) values (repeat('x', 80))")

            writer = threading.Thread(target=write)
            writer.start()
            try:
                assert backup(client, "source") == ("COMPLETED", 0, "")
                inside = _moment_inside_a_transaction(server, client)
                found: dict[str, list[tuple[float, float]]] = {
                    "at rest": [],
                    "following": [],
                    "inside a transaction": [],
                }
                for number in range(rounds):
                    for kind, times in found.items():
                        name = f"standby{number}{kind[0]}"
                        until = f"UNTIL SCN = {inside}" if kind.startswith("inside") else ""
                        status, comment = restore(client, name, home / "place", until)
                        assert status == "SUCCESS", comment
                        assert not until or "rolls them back" in comment, comment
                        times.append(_promote(server, client, name, following=kind == "following"))
            finally:
                over.set()
                writer.join()
    rows: list[tuple[object, ...]] = []
    for kind, times in found.items():
        activated, written = ([pair[index] for pair in times] for index in (0, 1))
        rows.append(
            (
                kind,
                f"{statistics.median(activated):.2f}",
                f"{statistics.median(written):.2f}",
                f"{max(written):.2f}",
            )
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    heads = ("standby", "statement, median s", "to the first write, median s", "slowest s")
    print(table("Promotion", heads, _measure(options.rounds), f"python -m bench.promotion --rounds {options.rounds}"))


if __name__ == "__main__":
    main()
