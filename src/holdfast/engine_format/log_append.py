"""A log group of our own behind the last one of a log."""

from collections.abc import Sequence

from holdfast.engine_format.checksum import Bytes, raw_crc
from holdfast.engine_format.log_group import GroupHeader, encode_entry, encode_group_header
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
    entries, checksum, scn = bytearray(), 0, position.scn
    for content in contents:
        scn = Scn(scn + 1)
        entries += encode_entry(scn, content)
        checksum = raw_crc(raw_crc(content).to_bytes(8, "little"), checksum)
    header = GroupHeader(
        size_bytes=len(entries),
        committed_end_lsn=position.lsn,
        max_scn=scn,
        accumulated=raw_crc(checksum.to_bytes(8, "little"), position.accumulated),
        log_id=position.log_id + 1,
    )
    group = encode_group_header(header) + bytes(entries)
    assert walk(group, position).size_bytes == len(group), "the group must continue the log"
    return group
