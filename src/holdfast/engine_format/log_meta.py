from holdfast.engine_format.checksum import Bytes
from holdfast.values.lsn import Lsn


def base_lsn(meta_file_bytes: Bytes) -> Lsn | None:
    """Return the base LSN in the last valid page of a `log_stream/meta` file, None if it holds no page yet."""
    raise NotImplementedError
