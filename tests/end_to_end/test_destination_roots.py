"""What a tenant's root reaches of the machine's file system through the statements that take a path: nothing but its own place.

One server, first without a destination root, then with one by the parameter, then by the option; the tests run in their order.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_rig import run

from server_rig import Client, Server, archive, backup, running_server, wait_doing, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

SETTING = {
    "archive": "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{path}'",
    "data": "ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{path}'",
    "data among parameters": "ALTER SYSTEM SET ha_low_thread_score = 3, DATA_BACKUP_DEST = 'file://{path}'",
    "archive without SET": "ALTER SYSTEM log_archive_dest_1 = 'LOCATION=file://{path} BINDING=Optional'",
}
READING = {
    "validate sets": "ALTER SYSTEM VALIDATE BACKUPSET DATA_BACKUP_DEST = 'file://{path}'",
    "validate pieces": "ALTER SYSTEM VALIDATE ARCHIVELOG_PIECE LOG_ARCHIVE_DEST = 'file://{path}'",
    "drill": "ALTER SYSTEM VALIDATE BACKUPSET DATA_BACKUP_DEST = 'file://{path}' LEVEL = 'restore'",
    "one set": "ALTER SYSTEM VALIDATE BACKUPSET DATA_BACKUP_DEST = 'file://{path}/backup_set_1_full'",
}
BACKING_UP = {
    "backup to": "ALTER SYSTEM BACKUP DATABASE TO 'file://{path}'",
    "increment to": "ALTER SYSTEM BACKUP INCREMENTAL DATABASE TO 'file://{path}' PLUS ARCHIVELOG",
}
OF_WHAT_IS_KNOWN = {
    "delete all data": "ALTER SYSTEM DELETE BACKUP ALL DATA_BACKUP_DEST = 'file://{path}'",
    "delete all log": "ALTER SYSTEM DELETE BACKUP ALL LOG_ARCHIVE_DEST = 'file://{path}'",
    "change storage": "ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST PATH = 'file://{path}' SET ATTRIBUTE = 'zone=zone1'",
}
OF_SYS = {
    "restore": "ALTER SYSTEM RESTORE t9 FROM 'file://{path}'",
    "preview": "ALTER SYSTEM RESTORE FROM 'file://{path}' UNTIL TIME = '2030-01-01 00:00:00' PREVIEW",
    "restore source": "ALTER SYSTEM ADD RESTORE SOURCE 'file://{path}'",
    "recover table": "ALTER SYSTEM RECOVER TABLE test.t TO TENANT mine FROM 'file://{path}'",
    "cluster parameters": "ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file://{path}'",
}


@dataclass(slots=True)
class Scene:
    server: Server
    sys: Client
    mine: Client
    home: Path
    paths: dict[str, str]

    def refused(self, client: Client, statements: dict[str, str], code: int, *paths: str) -> None:
        for what, statement in statements.items():
            for path in paths or tuple(self.paths):
                number, text = client.refused(statement.format(path=self.paths[path]))
                assert number == code, f"{what}, {path}: {number} {text}"

    def outside(self) -> list[str]:
        found = [path for path in ("/etc/x", "/root/backup", "/dev/shm/backup", "/usr/lib/x") if os.path.lexists(path)]
        return found + sorted(str(path) for path in (self.home / "outside").rglob("*"))

    def health(self) -> str:
        sql = (
            "select ROOTS_COMMENT from oceanbase.CDB_OB_TENANT_HEALTH h join oceanbase.DBA_OB_TENANTS t"
            " on t.TENANT_ID = h.TENANT_ID where t.TENANT_NAME = 'mine'"
        )
        return str(self.sys.one(sql))


def hostile(home: Path, base: Path) -> dict[str, str]:
    (home / "outside" / "full").mkdir(parents=True)
    (home / "outside" / "full" / "file").touch()
    (home / "outside" / "given").mkdir()
    if os.geteuid() == 0:
        os.chown(home / "outside" / "given", 12345, 12345)
    else:
        (home / "outside" / "given" / "file").touch()
    (home / "roots").mkdir()
    (home / "roots" / "link").symlink_to(home / "outside" / "given")
    (home / "roots" / "to_etc").symlink_to("/etc")
    (home / "roots" / "memory").symlink_to("/dev/shm")
    (home / "roots" / "working").symlink_to("/proc/self/cwd")
    return {
        "etc": "/etc/x",
        "root's home": "/root",
        "below it": "/root/backup",
        "programs": "/usr/lib",
        "cron": "/var/spool/cron",
        "memory": "/dev/shm",
        "in memory": "/dev/shm/backup",
        "the working directory": "/proc/self/cwd",
        "spelled otherwise": "//etc//./x/",
        "upwards": f"{home}/roots/../outside/full",
        "not there": f"{home}/outside/new/deep",
        "not empty": f"{home}/outside/full",
        "another account's": f"{home}/outside/given",
        "link": f"{home}/roots/link",
        "below a link": f"{home}/roots/link/new",
        "link to etc": f"{home}/roots/to_etc",
        "below a link to etc": f"{home}/roots/to_etc/x",
        "link to memory": f"{home}/roots/memory",
        "link to the working directory": f"{home}/roots/working",
        "base directory": str(base),
        "in the base directory": f"{base}/tenants/x",
        "above the base directory": str(home),
    }


KERNEL = ("memory", "in memory", "the working directory", "link to memory")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = Path(os.path.realpath(tmp_path_factory.mktemp("roots")))
    with running_server(home / "base", roots=()) as server, server.client() as sys:
        paths = hostile(home, home / "base")
        sys.run("CREATE TENANT mine")
        sys.run("CREATE TENANT neighbour")
        with server.client("root@mine") as mine:
            yield Scene(server, sys, mine, home, paths)


def test_without_a_root_a_tenant_sets_and_reads_nothing_hostile(scene: Scene) -> None:
    before = scene.outside()
    scene.refused(scene.mine, {**SETTING, **READING}, 9026)
    scene.refused(scene.mine, OF_WHAT_IS_KNOWN, 4018, *(path for path in scene.paths if path != "upwards"))
    scene.refused(scene.mine, OF_WHAT_IS_KNOWN, 9026, "upwards")
    number, text = scene.mine.refused(SETTING["data"].format(path=scene.paths["cron"]))
    assert (number, "--destination-root" in text) == (9026, True), text
    assert scene.outside() == before


def test_statements_of_sys_stay_its_own_and_reach_no_device(scene: Scene) -> None:
    for what, statement in OF_SYS.items():
        number, text = scene.mine.refused(statement.format(path="/etc/x"))
        assert number in (1227, 4179), f"{what}: {text}"
    scene.refused(scene.sys, OF_SYS, 9026, *KERNEL)
    scene.refused(scene.sys, {what: f"{text} TENANT = mine" for what, text in SETTING.items()}, 9026, *KERNEL)
    scene.refused(scene.sys, {what: f"{text} TENANT = mine" for what, text in READING.items()}, 9026, *KERNEL)


def test_without_a_root_a_tenant_takes_what_was_prepared_for_it(scene: Scene) -> None:
    """And that again, now that it is its own; the neighbour may neither take nor read it, whatever lies above or below it."""
    prepared = scene.home / "prepared"
    for name in ("data", "archive", "elsewhere"):
        (prepared / name).mkdir(parents=True)
    for _ in range(2):
        scene.mine.run(SETTING["archive"].format(path=prepared / "archive"))
        scene.mine.run(SETTING["data"].format(path=prepared / "data"))
    with scene.server.client("root@neighbour") as neighbour:
        theirs = {"data": prepared / "data", "parent": prepared, "child": prepared / "data" / "checks"}
        for statements in (SETTING, READING):
            for statement in statements.values():
                for path in theirs.values():
                    assert neighbour.refused(statement.format(path=path))[0] == 9026
    scene.sys.run("ALTER SYSTEM SET archive_lag_target = '0ms' TENANT = mine")
    scene.mine.run("ALTER SYSTEM ARCHIVELOG")
    wait_doing(scene.sys, "mine")
    before = scene.outside()
    scene.refused(scene.mine, BACKING_UP, 9026)
    assert scene.outside() == before
    assert backup(scene.sys, "mine")[0] == "COMPLETED"
    assert validated(scene.mine, READING["one set"].format(path=prepared / "data")) == "COMPLETED"
    assert validated(scene.mine, READING["validate pieces"].format(path=prepared / "archive")) == "COMPLETED"


def validated(client: Client, statement: str) -> str:
    history = "select STATUS from oceanbase.DBA_OB_BACKUP_VALIDATE_JOB_HISTORY order by JOB_ID desc"
    before = client.rows(history)
    client.run(statement)
    return str(wait_for(lambda: client.rows(history), lambda rows: len(rows) > len(before))[0][0])


def test_the_parameter_binds_tenants_and_tells_sys(scene: Scene) -> None:
    roots, before = scene.home / "roots", scene.outside()
    assert scene.mine.refused("ALTER SYSTEM SET backup_destination_roots = '/'")[0] == 1227
    assert scene.sys.refused("ALTER SYSTEM SET backup_destination_roots = '/dev/shm'")[0] == 4147
    scene.sys.run("create user operator identified by 'secret'")
    scene.sys.run("grant super, alter system on *.* to operator")
    with scene.server.client("operator@sys", "secret") as operator:
        for statement in ("SET backup_destination_roots = '/'", "RESET backup_destination_roots"):
            number, text = operator.refused(f"ALTER SYSTEM {statement}")
            assert (number, "root@sys alone" in text) == (1227, True), text
    scene.sys.run(f"ALTER SYSTEM SET backup_destination_roots = '{roots}'")
    assert scene.sys.rows("SHOW PARAMETERS LIKE 'backup_destination_roots'")[0][6] == str(roots)
    with scene.server.client("root@neighbour") as neighbour:
        scene.refused(neighbour, {**SETTING, **READING}, 9026)
        neighbour.run(SETTING["data"].format(path=roots / "neighbour" / "data"))
        scene.refused(scene.mine, BACKING_UP, 9026)
        for statement in BACKING_UP.values():
            assert scene.mine.refused(statement.format(path=roots / "neighbour" / "data"))[0] == 9081
            assert scene.mine.refused(statement.format(path=roots / "neighbour"))[0] == 9080
        for statement in READING.values():
            assert scene.mine.refused(statement.format(path=roots / "neighbour" / "data"))[0] == 9081
        scene.sys.run(SETTING["archive"].format(path=scene.home / "outside_of_roots") + " TENANT = neighbour")
        ((level, number, text),) = scene.sys.rows("show warnings")
        assert (level, number) == ("Warning", 9026)
        assert "lies outside the destination roots" in text
        scene.sys.run(SETTING["archive"].format(path=roots / "neighbour" / "archive") + " TENANT = neighbour")
        assert scene.sys.rows("show warnings") == []
    assert scene.outside() == before
    # What was set before goes on: its owner may set it again and have it read, and everybody is told.
    scene.mine.run(SETTING["data"].format(path=scene.home / "prepared" / "data"))
    assert validated(scene.mine, READING["validate sets"].format(path=scene.home / "prepared" / "data")) == "COMPLETED"
    assert scene.mine.refused(SETTING["data"].format(path=scene.home / "prepared" / "elsewhere"))[0] == 9026
    prepared = scene.home / "prepared"
    assert scene.health() == (
        f"file://{prepared}/archive, file://{prepared}/data lie outside the destination roots"
    ) or scene.health() == (f"file://{prepared}/data, file://{prepared}/archive lie outside the destination roots")
    found = run(scene.server.port, "check", "--json", "--tenant", "mine").document["findings"]
    assert [one["rule"] for one in found] == ["destination-outside"]


def test_an_archive_set_before_the_option_goes_on_over_a_restart_with_it(scene: Scene) -> None:
    scene.sys.run("ALTER SYSTEM RESET backup_destination_roots")
    assert scene.health() == ""
    scene.sys.close()
    scene.mine.close()
    scene.server.kill()
    scene.server.options = (f"--destination-root={scene.home / 'roots'}",)
    scene.server.start()
    scene.sys, scene.mine = scene.server.client(), scene.server.client("root@mine")
    wait_doing(scene.sys, "mine")
    assert "outside the destination roots" in scene.health()
    assert backup(scene.sys, "mine")[0] == "COMPLETED"
    scene.refused(scene.mine, {**READING, **BACKING_UP, "data": SETTING["data"]}, 9026)


def test_a_destination_that_becomes_a_link_gets_nothing_until_it_is_put_back(scene: Scene) -> None:
    """A round that archives, a backup and a validation: each finds at once that the path leads to another place."""
    scene.sys.run("CREATE TENANT swapped")
    place = scene.home / "roots" / "swapped"
    away = scene.home / "outside" / "target"
    away.mkdir()
    with scene.server.client("root@swapped") as swapped:
        swapped.run(SETTING["archive"].format(path=place / "archive"))
        swapped.run(SETTING["data"].format(path=place / "data"))
        swapped.run("ALTER SYSTEM SET archive_lag_target = '0ms'")
        swapped.run("ALTER SYSTEM ARCHIVELOG")
        wait_doing(scene.sys, "swapped")
        assert backup(scene.sys, "swapped")[0] == "COMPLETED"
        place.rename(place.with_name("swapped.away"))
        for name in ("archive", "data"):
            (away / name).mkdir()
        place.symlink_to(away)
        comment = "select COMMENT from oceanbase.DBA_OB_ARCHIVELOG"
        waiting = wait_for(lambda: swapped.one(comment), bool)
        assert "leads to another place than when it was set" in waiting, waiting
        status, result, why = backup(scene.sys, "swapped")
        assert (status, result) != ("COMPLETED", 0), why
        assert "leads to another place" in why
        for statement in READING.values():
            swapped.refused(statement.format(path=place / "data"))
        assert sorted(away.rglob("*")) == [away / "archive", away / "data"]
        place.unlink()
        place.with_name("swapped.away").rename(place)
        wait_for(lambda: swapped.one(comment), lambda text: not text)
        assert backup(scene.sys, "swapped")[0] == "COMPLETED"


def test_sys_sets_where_it_wants_also_for_a_tenant(scene: Scene) -> None:
    archive(scene.sys, "neighbour", scene.home / "anywhere")
    assert backup(scene.sys, "neighbour")[0] == "COMPLETED"
    with scene.server.client("root@neighbour") as neighbour:
        assert validated(neighbour, "ALTER SYSTEM VALIDATE BACKUP") == "COMPLETED"
