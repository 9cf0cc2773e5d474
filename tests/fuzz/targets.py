"""What takes bytes from outside: each with valid captures and with the way it is called."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from pathlib import Path
from random import Random

from engine_format import test_noise as engine
from engine_format.samples import OLD_ENGINE, golden
from fuzz import captures, crafted, mutations
from fuzz.mutations import Mutate, blind
from holdfast.backup_format import names
from holdfast.backup_format.chunk import CHUNK_HEADER_BYTES, ChunkOpener, open_file, walk_chunks
from holdfast.backup_format.cluster_parameters import decode_cluster_parameters
from holdfast.backup_format.digest import DataKey
from holdfast.backup_format.index import BLOCK_COUNT_MAX, decode_index
from holdfast.backup_format.key_record import decode_key_record
from holdfast.backup_format.log_frame import FRAME_HEADER_BYTES, open_frame, scan_frames
from holdfast.backup_format.manifest import check_authentic, decode_manifest
from holdfast.backup_format.owner_record import decode_placeholder, decode_set_claim
from holdfast.backup_format.piece_record import (
    decode_format_file,
    decode_piece_record,
    decode_piece_records,
    decode_round_record,
)
from holdfast.backup_format.writer_record import decode_writer_record
from holdfast.engine_format.log_cut import cut
from holdfast.engine_format.log_group import decode_entries, decode_group_header
from holdfast.engine_format.log_meta import base_lsn
from holdfast.engine_format.log_walk import groups, walk
from holdfast.engine_format.log_wire import FetchRequest, decode_request, encode_request
from holdfast.engine_format.macro_block import MACRO_BLOCK_BYTES, decode_block_head, is_block_whole
from holdfast.engine_format.slog import walk_slog
from holdfast.engine_format.super_block import decode_super_block
from holdfast.errors import CorruptionError, RefusedError, StatementError, UnknownVersionError
from holdfast.jobs.destinations import check_attribute
from holdfast.jobs.parameters import CRON, DEFINITIONS
from holdfast.jobs.restores import check_options
from holdfast.mysql.conversation import Command, Conversation
from holdfast.mysql.fields import MalformedPacketError
from holdfast.mysql.flags import Capability, Status
from holdfast.mysql.framing import PacketReader, frame
from holdfast.mysql.login import split_login_name
from holdfast.mysql.packets import (
    decode_change_user,
    decode_error,
    decode_greeting,
    decode_handshake_response,
    decode_prepare_ok,
    encode_handshake_response,
    response_for_engine,
    status_of,
    with_status,
)
from holdfast.mysql.response import ResponseParser
from holdfast.mysql.resultset import decode_text_row
from holdfast.statement.archive_dest import parse_archive_dest
from holdfast.statement.gate import ownership, refusal_of_prepared
from holdfast.statement.kill import read_kill
from holdfast.statement.lexer import Kind, quoted, string_value, tokens
from holdfast.statement.mask import engine_words, mask_secrets, mask_values
from holdfast.statement.parser import parse
from holdfast.statement.render import render
from holdfast.statement.restore_options import option_pairs, read_options
from holdfast.statement.split import split
from holdfast.statement.views import schemas_named, substitute_views, views_named
from holdfast.values.capacity import capacity_bytes_from_text, time_us_from_text
from holdfast.values.destination import parse_uri
from holdfast.values.lsn import Lsn
from holdfast.values.object_name import check_name
from holdfast.values.schedule import Plan, next_us
from holdfast.values.scn import Scn, scn_from_timestamp, zone_from_text

GOLDEN = Path(__file__).parents[1] / "golden" / "backup"
KEY = DataKey(bytes(range(32)))
VIEWS = frozenset({"CDB_OB_BACKUP_JOBS", "DBA_OB_BACKUP_JOBS", "DBA_OB_BACKUP_SET_FILES"})
CAPABILITIES = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH | Capability.CONNECT_ATTRS


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that takes bytes. `run` gives them to it as its caller does, and lets out what it raises."""

    name: str
    run: Callable[[bytes], object]
    samples: tuple[bytes, ...]
    mutate: Mutate = blind
    weight: int = 1


def _v1(name: str) -> bytes:
    return (GOLDEN / "v1" / name).read_bytes()


def _owned(name: str) -> bytes:
    return (GOLDEN / "v1_owned" / name).read_bytes()


def _read(stored: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, size_bytes: stored[offset : offset + size_bytes]


# --- objects


def _manifest(data: bytes) -> None:
    manifest = decode_manifest(data, name="file:///backup/backup_set_1_full/manifest.json")
    with suppress(CorruptionError):
        check_authentic(manifest, KEY, name="manifest")


def _data_object(key: DataKey | None, stored: bytes) -> None:
    opener = ChunkOpener(key=key)
    for header in walk_chunks(_read(stored), len(stored), set_id=2, object_number=1, name="data/000001"):
        body = stored[header.place.offset + CHUNK_HEADER_BYTES : header.end_offset]
        opener.open(header, body, place=header.place)
        opener.open_used(header, body, place=header.place)


def _log_object(key: DataKey | None, stored: bytes) -> None:
    for durable in (0, len(stored), len(stored) // 2, len(stored) + 1):
        with suppress(CorruptionError):
            scan = scan_frames(_read(stored), len(stored), durable_size_bytes=durable, key=key)
            for item in scan.frames:
                open_frame(item.header, stored[item.offset + FRAME_HEADER_BYTES : item.end_offset], key=key)


def _index(stored: bytes) -> None:
    if 1 << 16 < int.from_bytes(stored[24:32], "little") <= BLOCK_COUNT_MAX:
        return  # allowed, and up to 1 GiB: too much for a test
    table = decode_index([stored]).table
    assert len(list(table)) == len(list(table.in_object_order())) == len(table)


def _names(data: bytes) -> None:
    name = data.decode("utf-8", "surrogateescape")
    with suppress(ValueError):
        check_name(name)
    numbers: list[object] = [
        names.parse_set_root(name),
        names.parse_set_placeholder(name),
        names.parse_data_name(name),
        names.parse_meta_name("backup_set_1_full", name),
        names.parse_piece_root(name),
        names.parse_piece_placeholder(name),
        names.parse_round_placeholder(name),
        names.parse_log_name(name),
        names.is_cluster_parameters_name(name),
    ]
    assert all(len(repr(number)) < 1000 + len(name) * 8 for number in numbers)


_RECORDS: tuple[tuple[str, Callable[[bytes], object], tuple[bytes, ...]], ...] = (
    ("manifest", _manifest, (_v1("manifest.json"), _owned("manifest.json"))),
    ("piece record", decode_piece_record, (_v1("single_piece_info.obarc"), _owned("single_piece_info.obarc"))),
    ("piece records", decode_piece_records, (_v1("tenant_archive_piece_infos.obarc"),)),
    ("round record", decode_round_record, (_v1("round.obarc"), _owned("round.obarc"))),
    ("format file", decode_format_file, (_v1("format.obbak"), _owned("format.obbak"))),
    (
        "cluster parameters",
        decode_cluster_parameters,
        (_v1("cluster_parameters.obbak"), _owned("cluster_parameters.obbak")),
    ),
    ("set claim", decode_set_claim, (_owned("owner.json"),)),
    ("writer record", decode_writer_record, (_owned("writer.obbak"),)),
    ("placeholder", decode_placeholder, (_owned("placeholder.obbak"), b"holdfast\n")),
    ("key record", decode_key_record, (captures.KEY_RECORD,)),
    ("sealed piece record", decode_piece_record, (captures.SEALED_PIECE,)),
    ("sealed manifest", decode_manifest, (captures.SEALED_MANIFEST,)),
    ("manifest of two logins", decode_manifest, ((GOLDEN / "v3" / "manifest.json").read_bytes(),)),
    ("piece record of two logins", decode_piece_record, ((GOLDEN / "v3" / "single_piece_info.obarc").read_bytes(),)),
)

_NAMES = tuple(
    name.encode()
    for name in (
        "backup_set_12_full",
        "backup_sets/backup_set_1_inc_end_success_20261123T100000.obbak",
        "backup_set_1_full/data/000001",
        "backup_set_1_full/meta/meta.db",
        "piece_d1001r1p1",
        "pieces/piece_d1001r1p1_start_20261123T100000.obarc",
        "rounds/round_d1001r1_end.obarc",
        "piece_d1001r1p1/logstream_1/log/17.obarc",
        "cluster_parameters.01795424400000000000.obbak",
        "backup_set_4294967296_full",
        "backup_sets/backup_set_9999999999_inc_start.obbak",
    )
)

OBJECTS: tuple[Target, ...] = (
    *(
        Target(name=name, run=run, samples=samples, mutate=mutations.document, weight=3)
        for name, run, samples in _RECORDS
    ),
    Target(name="names", run=_names, samples=_NAMES),
    Target(name="index", run=_index, samples=(_v1("index"),), mutate=mutations.index, weight=2),
    *(
        Target(
            name=f"data{kind}",
            run=partial(_data_object, key),
            samples=(_v1(f"data{kind}"),),
            mutate=mutations.headers(96, 36),
        )
        for kind, key in (("", None), ("_encrypted", KEY))
    ),
    Target(
        name="data without a key",
        run=partial(_data_object, None),
        samples=(_v1("data"), _v1("data_encrypted")),
        mutate=mutations.headers(96, 36),
    ),
    Target(
        name="small file",
        run=lambda data: open_file(data, set_id=2, file_number=3, opener=ChunkOpener(), name="file"),
        samples=(_v1("file"),),
        mutate=mutations.headers(96, 36),
    ),
    *(
        Target(
            name=f"log{kind}",
            run=partial(_log_object, key),
            samples=(_v1(f"log{kind}.obarc"),),
            mutate=mutations.headers(128, 84),
            weight=2,
        )
        for kind, key in (("", None), ("_encrypted", KEY))
    ),
)

# --- the engine's bytes


def _groups(data: bytes) -> None:
    reads: tuple[Callable[[bytes], object], ...] = (
        lambda log: walk(log, crafted.AT),
        lambda log: list(groups(log, crafted.AT)),
        lambda log: cut(log, crafted.AT, Scn(101)),
        lambda log: list(decode_entries(log[48:])),
        lambda log: list(decode_entries(log[56:])),
        decode_group_header,
    )
    for read in reads:
        with suppress(CorruptionError, UnknownVersionError):
            read(data)


def _block(head: bytes) -> None:
    block = head.ljust(MACRO_BLOCK_BYTES, b"\0")[:MACRO_BLOCK_BYTES]
    for block_id in (0, 2):
        with suppress(CorruptionError, UnknownVersionError):
            found = decode_block_head(block_id, block[:4096], engine.KINDS)
            is_block_whole(found, block)
            is_block_whole(found, head)


ENGINE: tuple[Target, ...] = (
    *(Target(name=name, run=run, samples=(good,)) for name, (run, good) in engine.DECODERS.items()),
    Target(name="crafted groups", run=_groups, samples=(b"",), mutate=crafted.log_groups, weight=8),
    Target(name="crafted slog", run=walk_slog, samples=(b"",), mutate=crafted.slog, weight=5),
    Target(name="crafted super block", run=decode_super_block, samples=(b"",), mutate=crafted.super_block, weight=4),
    Target(
        name="crafted log meta",
        run=base_lsn,
        samples=(golden("log_meta.bin"), golden("log_meta.bin", OLD_ENGINE)),
        mutate=crafted.log_meta,
        weight=3,
    ),
    Target(
        name="block",
        run=_block,
        samples=(golden("macro_block_type_1.bin")[:4096], golden("super_block.bin"), bytes(4096)),
    ),
    Target(
        name="log request",
        run=decode_request,
        samples=(encode_request(FetchRequest(start_lsn=Lsn(1 << 40), max_bytes=1 << 20)),),
    ),
)

# --- packets


def _login(data: bytes) -> None:
    response = decode_handshake_response(data)
    user = split_login_name(response.user.decode("latin-1")).user.encode("latin-1")
    greeting = decode_greeting(captures.GREETING)
    rebuilt = response_for_engine(
        response, engine_capabilities=greeting.capabilities, user=user, auth=response.auth[:255], plugin=greeting.plugin
    )
    again = decode_handshake_response(encode_handshake_response(rebuilt))
    assert again.user == user
    assert not any(name.startswith(b"__") for name, _ in again.attributes)


def _framed(data: bytes) -> None:
    reader = PacketReader(payload_bytes_max=1 << 17)
    for at in range(0, len(data), 97):
        reader.feed(data[at : at + 97])
        while reader.next_packet() is not None:
            pass


def _conversation(data: bytes) -> None:
    conversation = Conversation(wants_whole=lambda head: bool(head[:1] == b"\x03"))
    for at in range(0, len(data), 61):
        conversation.feed(data[at : at + 61])
        while (event := conversation.next_event()) is not None:
            if isinstance(event, Command):
                ownership(event.payload[1:], VIEWS)
                read_kill(event.payload)


def _answer(command: int, data: bytes) -> None:
    parser = ResponseParser(command)
    for at in range(0, len(data), 53):
        for received in parser.feed(data[at : at + 53]):
            if received.payload[:1] == b"\xff":
                decode_error(received.payload)
    parser.rest()


def _short(data: bytes) -> None:
    """Read one payload as each of the short answers."""
    for read in (decode_error, decode_prepare_ok, decode_greeting):
        with suppress(MalformedPacketError):
            read(data)
    if data[:1] in (b"\x00", b"\xfe"):
        status = status_of(data)
        assert status_of(with_status(data, Status.MORE_RESULTS)) & Status.MORE_RESULTS or len(data) < 3, status
    decode_text_row(data, 3)


PACKETS: tuple[Target, ...] = (
    Target(name="login", run=_login, samples=captures.LOGINS, weight=4),
    Target(
        name="change user",
        run=lambda data: decode_change_user(data, CAPABILITIES),
        samples=captures.CHANGE_USERS,
        weight=2,
    ),
    Target(name="framing", run=_framed, samples=tuple(frame(0, one) for one in captures.LOGINS)),
    Target(name="conversation", run=_conversation, samples=captures.CONVERSATIONS, weight=4),
    Target(name="short answers", run=_short, samples=captures.SHORT_ANSWERS, weight=2),
    *(
        Target(name=f"answer to {command.name}", run=partial(_answer, command), samples=samples)
        for command, samples in captures.ANSWERS.items()
    ),
)

# --- texts


def _statement(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for token in tokens(text):
        assert text[token.start : token.end] == token.text or token.text == "*"
    ownership(data, VIEWS)
    refusal_of_prepared(data)
    for piece in split(text):
        with suppress(StatementError, RefusedError):
            command = parse(piece.text)
            assert parse(render(command, reveal=True)) == command
            render(command)


def _masked(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    mask_secrets(text)
    mask_values(text)
    engine_words(text)
    for token in tokens(text):
        if token.kind is Kind.STRING:
            string_value(token)
            quoted(text)


def _view_query(data: bytes) -> None:
    text = data.decode("latin-1")
    schemas_named(text)
    views_named(text, VIEWS)
    substitute_views(text, VIEWS, "t1002", "oceanbase")


def _destination(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(RefusedError):
        assert len(parse_uri(text).identity) <= 1032
    with suppress(RefusedError):
        check_attribute(text)
    parse_archive_dest(text)


def _restore_options(data: bytes) -> None:
    pairs = option_pairs(data.decode("utf-8", "replace"))
    check_options(pairs, read_options(pairs))


def _parameters(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for definition in DEFINITIONS:
        with suppress(RefusedError):
            value = definition.check(text)
            assert -(2**63) <= definition.value_of(value) < 2**63
            if definition.kind is CRON and value:
                next_us(Plan(words=value, done_us=1_795_424_400_000_000), UTC, 1002)


def _time(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with suppress(ValueError):
        zone = zone_from_text(text)
        zone.utcoffset(None)
    with suppress(ValueError):
        scn = scn_from_timestamp(text, UTC)
        assert Scn.parse(scn.text()) == scn
        scn.display()
    for read in (Scn.parse, Lsn.parse, time_us_from_text, capacity_bytes_from_text):
        with suppress(ValueError):
            assert 0 <= read(text) < 2**63


TEXTS: tuple[Target, ...] = (
    Target(name="statement", run=_statement, samples=captures.STATEMENTS, weight=12),
    Target(name="masked text", run=_masked, samples=captures.STATEMENTS, weight=2),
    Target(name="view query", run=_view_query, samples=captures.VIEW_QUERIES, weight=3),
    Target(name="destination", run=_destination, samples=captures.DESTINATIONS, weight=3),
    Target(name="restore options", run=_restore_options, samples=captures.RESTORE_OPTIONS),
    Target(name="parameters", run=_parameters, samples=captures.PARAMETERS, weight=2),
    Target(name="times and sizes", run=_time, samples=captures.TIMES),
)

FAMILIES: dict[str, tuple[Target, ...]] = {"objects": OBJECTS, "engine": ENGINE, "packets": PACKETS, "texts": TEXTS}


def cases(family: Iterable[Target], seed: int, count: int) -> Iterable[tuple[int, Target, bytes]]:
    """Yield (number of the case, target, changed bytes); the same for the same seed and number, whatever the count."""
    targets = [target for target in family for _ in range(target.weight)]
    for number in range(count):
        random = Random(f"{seed}/{number}")
        target = targets[number % len(targets)]
        yield number, target, target.mutate(random.choice(target.samples), random)
