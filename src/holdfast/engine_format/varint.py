"""Numbers of 7 bits a byte, low ones first, bit 7 on all but the last byte: in the engine's records and in protocol buffers."""


def encode_varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
