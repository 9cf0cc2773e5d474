from holdfast.engine_format.checksum import Bytes


def decode_data_version(buffer: Bytes) -> str:
    """Return the engine's data version, such as "1.4.0.0"."""
    raise NotImplementedError
