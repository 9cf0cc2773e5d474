"""What it costs to read one text of a client's: every question the gateway asks of it, in milliseconds of processor time.

    python -m bench.texts --kib 1024

One row per shape, the dearest first. `all` is what a text of root@sys costs that names a view, which meets every question.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from holdfast.errors import HoldfastError
from holdfast.gateway.reads import may_write
from holdfast.gateway.sys_trap import concerns
from holdfast.statement.common_table import has_common_table, may_have_common_table
from holdfast.statement.gate import is_plain, ownership
from holdfast.statement.own_objects import may_touch, touched
from holdfast.statement.parser import parse
from holdfast.statement.split import split
from holdfast.statement.views import schemas_named, substitute_views

_VIEWS = frozenset({"DBA_OB_BACKUP_JOBS", "CDB_OB_BACKUP_JOBS"})
# (beginning, what is repeated, end)
_SHAPES = (
    ("select 1", ",a.b", ""),
    ("select * from oceanbase.DBA_OB_BACKUP_JOBS where job_id in (1", ",2", ")"),
    ("show columns from DBA_OB_BACKUP_JOBS from oceanbase where a in (1", ",1", ")"),
    ("insert into t values (1,'a')", ",(1,'abc')", ""),
    ("insert into t values ('system;')", ",(1,'abc')", ""),
    ("update t set a='__all_'", ",a=1", ""),
    ("load data infile '__all_' into table t", ",a", ""),
    ("with x as (select __all_", ",1", ") select 1"),
    ("", "/**/", "select 1"),
    ("", "#\n", "select 1"),
    ("/*", "*", ""),
    ("alter system set a=1", ",a=1", ""),
    ("alter system set", " a", ""),
    ("alter system backup database '", "x", "'"),
    ("alter system restore t from ", "x ", ""),
    ("grant select on `__holdfast_` to u", ",u", ""),
    ("grant select on '__holdfast_\\' to u", ",'u\\'", ""),
    ("set a=1", ",a=1", ""),
    ("set secure_file_priva=1", ",a=1", ""),
    ("set a='system'", ";set a=1", ""),
    ("system", ";", ""),
    ("kill 1", ";a", ""),
    ("prepare s from 'alter system set a=1", ",a=1", "'"),
    ("prepare s from ", "'a' ", ""),
    ("prepare s from '", "\\a", "'"),
    ("create procedure p() begin ", "alter system set a=1; ", "end"),
    ("create procedure p() system ", "create procedure p() ", ""),
    ("create view v as select __all_", ",a", ""),
    ("create table t(a int", ",a int", ")"),
    ("select '", "''", ""),
    ("select '", "a", ""),
    ("select ", "`a`,", ""),
    ("select 0x", "ab", ""),
    ("/*! */alter system set", " a=1,", ""),
    ("", "/*!40101 a */", " system"),
    ("select ", "*/", ""),
)  # fmt: skip


def _questions(data: bytes) -> Iterator[tuple[str, Callable[[], object]]]:
    text = data.decode("latin-1")
    yield "plain", lambda: is_plain(data)
    yield "ownership", lambda: ownership(data, _VIEWS)
    yield "may_write", lambda: may_write(data)
    yield "split", lambda: split(text)
    yield "concerns", lambda: concerns(data, "latin-1", set())
    yield "with", lambda: may_have_common_table(data) and has_common_table(text)
    yield "touched", lambda: may_touch(data) and touched(text, _VIEWS)
    yield "views", lambda: (substitute_views(text, _VIEWS, "t1002", "oceanbase"), schemas_named(text))
    yield "parse", lambda: parse(text)


def _milliseconds(question: Callable[[], object]) -> float:
    begun = time.process_time()
    with suppress(HoldfastError):  # a text that is refused has been read
        question()
    return (time.process_time() - begun) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description="processor time of reading one text, by its shape")
    parser.add_argument("--kib", type=int, default=256)
    size_bytes = parser.parse_args().kib << 10
    rows = []
    for head, unit, tail in _SHAPES:
        count = (size_bytes - len(head) - len(tail)) // len(unit)
        spent = {name: _milliseconds(question) for name, question in _questions((head + unit * count + tail).encode())}
        rows.append((sum(spent.values()), f"{head[:24]!s} {unit[:12]!r}", spent))
    rows.sort(reverse=True)
    print(f"{'':<40} {'all':>8}" + "".join(f"{name:>10}" for name in rows[0][2]))
    for total, shape, spent in rows:
        print(f"{shape:<40} {total:>8.0f}" + "".join(f"{value:>10.1f}" for value in spent.values()))


if __name__ == "__main__":
    main()
