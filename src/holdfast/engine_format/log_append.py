"""A log group of our own behind the last one of a log."""

from collections.abc import Sequence

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.engine_format.log_group import GroupHeader, accumulate, encode_entry, encode_group_header
from holdfast.engine_format.log_walk import Position, walk
from holdfast.errors import RefusedError
from holdfast.values.scn import Scn


def group_behind(position: Position, contents: Sequence[Bytes]) -> bytes:
    """Return a group of version 3 that continues the log at `position`, with an entry for each of `contents`.

    Their SCNs are the ones that follow the log's last one: nothing has been committed at those, for nothing comes behind the end.
    Raises RefusedError if `position` does not know the chain before it.
    """
    if position.accumulated is None or position.log_id is None:
        raise RefusedError(f"log to go on at lsn {position.lsn}: the chain before it is unknown")
    first_scn = position.scn + 1
    entries = b"".join(encode_entry(Scn(scn), content) for scn, content in enumerate(contents, first_scn))
    header = GroupHeader(
        size_bytes=len(entries),
        committed_end_lsn=position.lsn,
        max_scn=Scn(position.scn + len(contents)),
        accumulated=accumulate(position.accumulated, map(raw_crc, contents)),
        log_id=position.log_id + 1,
    )
    group = encode_group_header(header) + entries
    assert walk(group, position).size_bytes == len(group), "the group must continue the log"
    return group
