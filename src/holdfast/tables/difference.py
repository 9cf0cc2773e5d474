"""How many rows of two tables of one name differ, without moving the rows that are equal.

Both engines put their rows into the same buckets, by a hash of the key, and give a count and a fingerprint of each bucket. Only
buckets that differ are read: keys and a checksum of each row, from both, in the order of the buckets. So the cost is two scans
and a sort on either side, however much differs, and what travels are the differing buckets; memory is one bucket.

A table without a primary key has rows for keys: a changed row then counts as one that only the backup has and one that only the
live table has.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from holdfast.engine.session import Session
from holdfast.errors import CorruptionError
from holdfast.tables.plan import TableName
from holdfast.tables.values import RowForm, row_form

_BUCKETS = 4096
_BATCH_ROWS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Rows by what became of them since the moment of the backup."""

    only_in_backup: int = 0
    only_live: int = 0
    changed: int = 0

    @property
    def is_none(self) -> bool:
        return not (self.only_in_backup or self.only_live or self.changed)


def key_columns(session: Session, name: TableName) -> tuple[str, ...]:
    """Return the columns of the primary key in order; empty when there is none."""
    rows = session.query(
        "SELECT column_name FROM information_schema.statistics WHERE table_schema = %s AND table_name = %s"
        " AND index_name = 'PRIMARY' ORDER BY seq_in_index",
        (name.database, name.table),
    )
    return tuple(str(row[0]) for row in rows)


def difference(
    backup: Session, live: Session, name: TableName, rows: RowForm, keys: tuple[str, ...], *, check: Callable[[], None]
) -> Difference:
    """Return how the live table differs from the backup's. `rows`: of all columns, the same on both sides.

    `check` is called between buckets and may raise.
    """
    chosen = [column for column in rows.columns if column.name in keys]
    has_key = bool(keys) and len(chosen) == len(keys)  # a generated column of a key is not among the rows' columns
    key_text = row_form(chosen).text_expression if has_key else rows.text_expression
    bucket = f"CRC32({key_text}) % {_BUCKETS}"
    row_crc = rows.crc_expression
    summary = f"SELECT {bucket}, COUNT(*), BIT_XOR({row_crc}), SUM({row_crc}) FROM {name.quoted} GROUP BY 1"
    ours = {row[0]: row[1:] for row in backup.query(summary)}
    _check_count(backup, name, sum(int(one[0]) for one in ours.values()))
    check()
    theirs = {row[0]: row[1:] for row in live.query(summary)}
    differing = sorted(int(one) for one in ours.keys() | theirs.keys() if ours.get(one) != theirs.get(one))
    found = Difference()
    if not differing:
        return found
    listed = ", ".join(map(str, differing))
    read = f"SELECT {bucket}, {key_text}, {row_crc} FROM {name.quoted} WHERE {bucket} IN ({listed}) ORDER BY 1"
    before, now = _buckets(backup, read), _buckets(live, read)
    mine, other = next(before, None), next(now, None)
    for number in differing:
        check()
        rows_before: list[tuple[str, int]] = []
        rows_now: list[tuple[str, int]] = []
        if mine is not None and mine[0] == number:
            rows_before, mine = mine[1], next(before, None)
        if other is not None and other[0] == number:
            rows_now, other = other[1], next(now, None)
        if len(rows_before) != int(ours[number][0] if number in ours else 0):
            raise CorruptionError(f"a bucket of {name.text} in the backup has other rows read than counted")
        one = _of_bucket(rows_before, rows_now, has_key=has_key)
        found = Difference(
            only_in_backup=found.only_in_backup + one.only_in_backup,
            only_live=found.only_live + one.only_live,
            changed=found.changed + one.changed,
        )
    return found


def _check_count(backup: Session, name: TableName, counted: int) -> None:
    """Raise CorruptionError unless the buckets hold all rows: a list of buckets that was cut short looks like rows that are gone."""
    count = int(backup.query(f"SELECT COUNT(*) FROM {name.quoted}")[0][0])
    if count != counted:
        raise CorruptionError(f"{name.text} has {count} rows in the backup, its buckets have {counted}")


def _buckets(session: Session, sql: str) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Yield (bucket, its rows as (key, checksum)) in the order of the buckets."""
    rows = (row for batch in session.stream(sql, _BATCH_ROWS) for row in batch)
    for number, group in groupby(rows, key=lambda row: int(row[0])):
        yield number, [(str(key), int(crc)) for _, key, crc in group]


def _of_bucket(backup: list[tuple[str, int]], live: list[tuple[str, int]], *, has_key: bool) -> Difference:
    """Return the differences of one bucket, whose rows come as (key, checksum)."""
    if not has_key:
        ours, theirs = Counter(backup), Counter(live)
        return Difference(only_in_backup=(ours - theirs).total(), only_live=(theirs - ours).total())
    before, now = dict(backup), dict(live)
    both = before.keys() & now.keys()
    return Difference(
        only_in_backup=len(before.keys() - both),
        only_live=len(now.keys() - both),
        changed=sum(before[key] != now[key] for key in both),
    )
