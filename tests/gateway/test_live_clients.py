"""The clients people use. What they do on connecting, and how they read answers, no test of ours would think of."""

import shutil
import subprocess
import time
from pathlib import Path

import mysql.connector
import pytest
import sqlalchemy
from door_rig import Door

pytestmark = pytest.mark.live

_CLI = shutil.which("mariadb") or shutil.which("mysql")
_JDBC = Path("/usr/share/java/mariadb-java-client.jar")
_JAVAC = shutil.which("javac")

needs_cli = pytest.mark.skipif(_CLI is None, reason="no mariadb or mysql command line installed")
needs_jdbc = pytest.mark.skipif(
    not _JDBC.exists() or _JAVAC is None, reason="no MariaDB JDBC driver (libmariadb-java) or no javac installed"
)


def cli(
    door: Door, *arguments: str, user: str = "root@t1", script: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command line client; its output is tab separated unless told otherwise."""
    command = [str(_CLI), "--no-defaults", "-h127.0.0.1", f"-P{door.port}", f"-u{user}", "--skip-ssl", *arguments]
    return subprocess.run(command, input=script, capture_output=True, text=True, timeout=30, check=False)


# --- the command line


@needs_cli
def test_cli_shows_rows_of_ours_and_the_engines(door: Door) -> None:
    done = cli(door, "-N", "-e", "select 1; show tenants; select 2")
    assert done.stdout.splitlines() == [
        "1",
        "1\tsys\tNULL",
        "1002\tt1\tNULL",
        "1004\tt2\tNULL",
        "1006\tgone\tNULL",
        "2",
    ]


@needs_cli
def test_cli_vertical_output_of_a_view_and_of_ours(door: Door) -> None:
    done = cli(door, script="use oceanbase\nselect job_id, status from DBA_OB_BACKUP_JOBS\\G\nshow tenants\\G\n")
    assert done.stderr == ""
    assert "job_id: 1\nstatus: COMPLETED" in done.stdout
    assert "  TENANT_ID: 1002\nTENANT_NAME: t1\n    COMMENT: NULL" in done.stdout


@needs_cli
def test_cli_shows_warnings_and_errors(door: Door) -> None:
    done = cli(door, "-vvv", "--show-warnings", "-e", "alter system archivelog")
    assert "Query OK, 3 rows affected, 2 warnings" in done.stdout
    assert "Warning (Code 9040): first\nWarning (Code 9041): second" in done.stdout
    done = cli(door, "-e", "alter system set data_backup_dest='x'")
    told = "ERROR 9040 (HY000) at line 1: backup can not start, because the reason (do this)"
    assert done.stderr.splitlines()[-1] == told


@needs_cli
def test_cli_that_asks_for_compression_works(door: Door) -> None:
    assert cli(door, "--compress", "-N", "-e", "select 1; show tenants").stdout.startswith("1\n1\tsys")


@needs_cli
def test_cli_loads_a_local_file(door: Door, tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("1\tone\n2\ttwo\n")
    done = cli(
        door,
        "--local-infile=1",
        "-N",
        "-e",
        f"create table if not exists test.cli_loaded(i int primary key, v varchar(20)); delete from test.cli_loaded;"
        f" load data local infile '{tmp_path}/rows' into table test.cli_loaded; select count(*) from test.cli_loaded",
    )
    assert (done.stdout, done.stderr) == ("2\n", "")


@needs_cli
def test_cli_with_a_delimiter_sends_scripts(door: Door) -> None:
    """The client does not split, so the gateway must."""
    done = cli(door, "-N", script="delimiter //\nset @a = 5; show tenants; select @a //\n")
    assert done.stderr == ""
    assert done.stdout.splitlines()[-2:] == ["1006\tgone\tNULL", "5"]


@needs_cli
def test_cli_interrupted_by_ctrl_c_kills_its_query(door: Door) -> None:
    """It opens a second connection and sends KILL QUERY with the id of its greeting."""
    started = time.monotonic()
    process = subprocess.Popen(
        [
            str(_CLI),
            "--no-defaults",
            "-h127.0.0.1",
            f"-P{door.port}",
            "-uroot@t1",
            "--skip-ssl",
            "-e",
            "select sleep(15)",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    time.sleep(1)
    process.send_signal(2)
    output, _ = process.communicate(timeout=10)
    assert time.monotonic() - started < 8, output


# --- Python


@pytest.mark.filterwarnings("ignore::UserWarning")  # the connector raises what it reads by SHOW WARNINGS as such
def test_connector_python_reads_warnings_prepares_and_changes_user(door: Door) -> None:
    connection = mysql.connector.connect(
        host="127.0.0.1", port=door.port, user="root@t1", use_pure=True, database="test", get_warnings=True
    )
    cursor = connection.cursor()
    cursor.execute("show tenants")
    assert cursor.fetchall()[1] == (1002, "t1", None)
    cursor.execute("alter system archivelog")
    assert cursor.rowcount == 3
    assert cursor.warnings == [("Warning", 9040, "first"), ("Warning", 9041, "second")]
    prepared = connection.cursor(prepared=True)
    for number, word in ((1, "one"), (2, "two")):
        prepared.execute("select v from own where i = %s", (number,))
        assert prepared.fetchall() == [(word,)]
    prepared.execute("show tenants")
    assert prepared.fetchall()[0] == (1, "sys", None)
    prepared.execute("select status from oceanbase.DBA_OB_BACKUP_JOBS where job_id = %s", (1,))
    assert prepared.fetchall() == [("COMPLETED",)]
    prepared.execute("alter system archivelog")
    assert prepared.rowcount == 3
    prepared.close()
    connection.cmd_change_user(username="plain@t2", password="secret", database="test")
    cursor = connection.cursor()
    cursor.execute("select substring_index(user(), '@', 1)")
    assert cursor.fetchall() == [("plain",)]
    connection.cmd_reset_connection()
    connection.ping()
    connection.close()


def test_connector_python_runs_a_script(door: Door) -> None:
    connection = mysql.connector.connect(host="127.0.0.1", port=door.port, user="root@t1", use_pure=True)
    cursor = connection.cursor()
    cursor.execute("select 1; show tenants; alter system archivelog")
    found = []
    while True:
        if cursor.with_rows:
            found.append(cursor.fetchall())
        if not cursor.nextset():
            break
    assert found == [[(1,)], [(1, "sys", None), (1002, "t1", None), (1004, "t2", None), (1006, "gone", None)]]
    connection.close()


def test_sqlalchemy_pools_and_pings(door: Door) -> None:
    engine = sqlalchemy.create_engine(
        f"mysql+pymysql://root%40t1@127.0.0.1:{door.port}/test", pool_pre_ping=True, pool_size=2
    )
    for _ in range(3):
        with engine.begin() as connection:
            assert connection.execute(sqlalchemy.text("show tenants")).mappings().first() == {
                "TENANT_ID": 1,
                "TENANT_NAME": "sys",
                "COMMENT": None,
            }
            view = sqlalchemy.text("select status from oceanbase.DBA_OB_BACKUP_JOBS where job_id = :job")
            assert connection.execute(view, {"job": 1}).scalar() == "COMPLETED"
            assert connection.execute(sqlalchemy.text("select count(*) from own where i < 3")).scalar() == 2
    assert sqlalchemy.inspect(engine).get_columns("own")[0]["name"] == "i"
    engine.dispose()


# --- Java


@pytest.fixture(scope="module")
def doors_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("java")
    source = Path(__file__).with_name("Doors.java")
    subprocess.run([str(_JAVAC), "-d", str(folder), str(source)], check=True, timeout=120, capture_output=True)
    return folder


@needs_jdbc
@pytest.mark.parametrize(
    "options",
    [
        "useServerPrepStmts=false&useBatchMultiSend=false",
        "useServerPrepStmts=true",
        "useServerPrepStmts=true&useBatchMultiSend=true&usePipelineAuth=true&rewriteBatchedStatements=true",
        "useCompression=true&useServerPrepStmts=true",
    ],
)
def test_jdbc_in_its_text_prepared_pipelined_and_compressed_modes(door: Door, doors_class: Path, options: str) -> None:
    command = ["java", "-Xmx128m", "-cp", f"{doors_class}:{_JDBC}", "Doors", str(door.port), options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "relayed two",
        "text 1002 t1 null",
        "updated 3",
        "warning 9040 first",
        "warning 9041 second",
        "refused 9040 HY000 true",
        *["prepared rows 1 sys"] * 4,
        *["prepared update 3"] * 2,
        "prepared refused 9040",
        "view COMPLETED 1",
        "view empty",
        "bare view 1",
        "batch 500",
        "mixed batch 1 3 1",
        "columns 2",
        "timeout kept",
        "after 502",
        "valid true",
    ]
