"""From ACTIVATE STANDBY to the first write that is taken: `python -m bench.promotion [--rounds N]`.

A standby at rest where its restore ended, and one that follows a source that writes. The clock runs from the statement to the end of
an INSERT through the gateway, in a session that was open before.
"""

import argparse
import statistics
import threading
import time

from bench.rig import table, workspace
from server_rig import Client, Server, archive, backup, restore, running_server, wait_for

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
        user.run("insert into test.t(pad) values ('the first of its own')")
        written = time.monotonic() - began
    client.run(f"DROP TENANT {name} FORCE")
    return activated, written


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
                found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
                for number in range(rounds):
                    for following, times in found.items():
                        name = f"standby{number}{'f' if following else 'r'}"
                        assert restore(client, name, home / "place")[0] == "SUCCESS"
                        times.append(_promote(server, client, name, following=following))
            finally:
                over.set()
                writer.join()
    rows: list[tuple[object, ...]] = []
    for following, times in found.items():
        activated, written = ([pair[index] for pair in times] for index in (0, 1))
        rows.append(
            (
                "following" if following else "at rest",
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
