"""The name of every object in a destination, and back. OceanBase's names where it has one.

Names are relative to the destination's root. A `..._root` is the name of a folder, the first argument of the functions
that name what lies in it. Tags are `Scn.tag(zone)`: local time, for people; nothing is ever decided by them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from holdfast.values.backup_set import BackupType
from holdfast.values.scn import Scn

FORMAT_FILE = "format.obbak"
WRITER_FILE = "writer.obbak"
CHECK_FOLDER = "check_file"
SETS_FOLDER = "backup_sets"
ROUNDS_FOLDER = "rounds"
PIECES_FOLDER = "pieces"

_TAG = r"\d{8}T\d{6}"
_SET = r"[1-9]\d{0,9}"
_ID = r"[1-9]\d{0,17}"
_NUMBER = r"\d{1,18}"
"""What is beyond fits into no column, and no writer of ours has counted so far."""
SET_ID_MAX = 2**32 - 1
"""What a chunk header holds."""
_SET_ROOT = re.compile(rf"backup_set_({_SET})_(full|inc)", re.ASCII)
_SET_PLACEHOLDER = re.compile(
    rf"backup_sets/backup_set_({_SET})_(full|inc)_(start|end_success|end_failed)(?:_({_TAG}))?\.obbak", re.ASCII
)
_DATA = re.compile(r"(?:.*/)?data/(\d{6,18})", re.ASCII)
_PIECE_ROOT = re.compile(rf"piece_d({_NUMBER})r({_ID})p({_ID})", re.ASCII)
_PIECE_PLACEHOLDER = re.compile(rf"pieces/piece_d({_NUMBER})r({_ID})p({_ID})_(start|end)_({_TAG})\.obarc", re.ASCII)
_ROUND_PLACEHOLDER = re.compile(rf"rounds/round_d({_NUMBER})r({_ID})_(start|end)\.obarc", re.ASCII)
_CLUSTER_PARAMETERS = re.compile(r"cluster_parameters\.\d{20}\.obbak", re.ASCII)
_LOG = re.compile(rf"(?:.*/)?(piece_d{_NUMBER}r{_ID}p{_ID})/logstream_1/log/({_NUMBER})\.obarc", re.ASCII)


KEYS_FILE = "keys.obbak"
"""The key object of a destination, see `key_record`."""


def cluster_parameters_name(scn: Scn) -> str:
    """Return the name of the object BACKUP CLUSTER PARAMETERS wrote at this moment; later ones sort behind."""
    return f"cluster_parameters.{scn.text()}.obbak"


def is_cluster_parameters_name(name: str) -> bool:
    return _CLUSTER_PARAMETERS.fullmatch(name) is not None


def check_file(tenant_id: int, tag: str) -> str:
    """Return the name of the object that proves a destination can be written and read back."""
    return f"{CHECK_FOLDER}/{tenant_id}_connect_file_{tag}.obbak"


# --- data destination


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRef:
    """Which set a name belongs to."""

    set_id: int
    type: BackupType


class SetEvent(StrEnum):
    START = "start"
    SUCCESS = "end_success"
    FAILED = "end_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPlaceholder:
    """A placeholder in `backup_sets/`. `tag`: of MIN_RESTORE_SCN, empty at the start."""

    set: SetRef
    event: SetEvent
    tag: str = ""


def set_root(set_id: int, backup_type: BackupType) -> str:
    """Return the folder of a backup set, `backup_set_1_full`."""
    return f"backup_set_{set_id}_{backup_type.lower()}"


def parse_set_root(folder: str) -> SetRef | None:
    """Return the set whose folder this is, None when it is no set's."""
    match = _SET_ROOT.fullmatch(folder)
    return _set_ref(match) if match else None


def _set_ref(match: re.Match[str]) -> SetRef | None:
    set_id = int(match[1])
    return SetRef(set_id=set_id, type=BackupType(match[2].upper())) if set_id <= SET_ID_MAX else None


def manifest_name(root: str) -> str:
    return f"{root}/manifest.json"


def set_claim_name(root: str) -> str:
    """Return the name of the object that says who makes the set of this folder."""
    return f"{root}/owner.json"


def index_name(root: str) -> str:
    return f"{root}/index"


def data_folder(root: str) -> str:
    return f"{root}/data"


def data_name(root: str, number: int) -> str:
    """Return the name of data object `number`, from 1. Six digits: listings sort up to 100 TB of 128 MiB objects."""
    return f"{root}/data/{number:06d}"


def parse_data_name(name: str) -> int | None:
    """Return the number of a data object, None when the name is not one's."""
    match = _DATA.fullmatch(name)
    return int(match[1]) if match else None


def meta_folder(root: str) -> str:
    return f"{root}/meta"


def meta_name(root: str, file_name: str) -> str:
    """Return the name of a small file; `file_name` is its path below the engine's directory."""
    return f"{root}/meta/{file_name}"


def parse_meta_name(root: str, name: str) -> str | None:
    """Return the path below the engine's directory of the small file `name`, None when it is not one of this set."""
    start = f"{root}/meta/"
    return name.removeprefix(start) if name.startswith(start) and name != start else None


def set_log_root(root: str) -> str:
    """Return the folder of a PLUS ARCHIVELOG set's own log. It holds pieces as an archive destination does."""
    return f"{root}/log"


def set_summary_name(root: str, start_replay_tag: str, min_restore_tag: str) -> str:
    """Return the name of the object that tells a person which time a set covers."""
    return f"{root}/{root.rpartition('/')[2]}_{start_replay_tag}_{min_restore_tag}.obbak"


def set_placeholder(placeholder: SetPlaceholder) -> str:
    tail = f"_{placeholder.tag}" if placeholder.tag else ""
    root = set_root(placeholder.set.set_id, placeholder.set.type)
    return f"{SETS_FOLDER}/{root}_{placeholder.event}{tail}.obbak"


def parse_set_placeholder(name: str) -> SetPlaceholder | None:
    match = _SET_PLACEHOLDER.fullmatch(name)
    ref = _set_ref(match) if match else None
    if match is None or ref is None:
        return None
    return SetPlaceholder(set=ref, event=SetEvent(match[3]), tag=match[4] or "")


# --- archive destination


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRef:
    """Which piece a name belongs to."""

    dest_id: int
    round_id: int
    piece_id: int


class Edge(StrEnum):
    """Which end of a round or piece a placeholder marks."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class PiecePlaceholder:
    piece: PieceRef
    edge: Edge
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlaceholder:
    dest_id: int
    round_id: int
    edge: Edge


def piece_root(dest_id: int, round_id: int, piece_id: int) -> str:
    """Return the folder of a piece, `piece_d1001r1p1`."""
    return f"piece_d{dest_id}r{round_id}p{piece_id}"


def parse_piece_root(folder: str) -> PieceRef | None:
    """Return the piece whose folder this is, None when it is no piece's."""
    match = _PIECE_ROOT.fullmatch(folder)
    return PieceRef(dest_id=int(match[1]), round_id=int(match[2]), piece_id=int(match[3])) if match else None


def log_folder(root: str) -> str:
    return f"{root}/logstream_1/log"


def log_name(root: str, block_id: int) -> str:
    """Return the name of the frames of one log block in the piece at `root`."""
    return f"{root}/logstream_1/log/{block_id}.obarc"


def parse_log_name(name: str) -> tuple[PieceRef, int] | None:
    """Return the piece and the block id of a log object, None when the name is not one's."""
    match = _LOG.fullmatch(name)
    if match is None:
        return None
    ref = parse_piece_root(match[1])
    assert ref is not None
    return ref, int(match[2])


def checkpoint_name(root: str) -> str:
    """Return the name of an active piece's record."""
    return f"{root}/checkpoint/checkpoint_info.0.obarc"


def piece_info_name(root: str) -> str:
    """Return the name of a frozen piece's record."""
    return f"{root}/single_piece_info.obarc"


def piece_infos_name(root: str) -> str:
    """Return the name of the records of all pieces frozen before this one."""
    return f"{root}/tenant_archive_piece_infos.obarc"


def piece_summary_name(root: str, start_tag: str, end_tag: str) -> str:
    """Return the name of the object that tells a person which time a piece covers."""
    return f"{root}/{root.rpartition('/')[2]}_{start_tag}_{end_tag}.obarc"


def piece_placeholder(placeholder: PiecePlaceholder) -> str:
    piece = placeholder.piece
    root = piece_root(piece.dest_id, piece.round_id, piece.piece_id)
    return f"{PIECES_FOLDER}/{root}_{placeholder.edge}_{placeholder.tag}.obarc"


def parse_piece_placeholder(name: str) -> PiecePlaceholder | None:
    match = _PIECE_PLACEHOLDER.fullmatch(name)
    if match is None:
        return None
    ref = PieceRef(dest_id=int(match[1]), round_id=int(match[2]), piece_id=int(match[3]))
    return PiecePlaceholder(piece=ref, edge=Edge(match[4]), tag=match[5])


def round_placeholder(placeholder: RoundPlaceholder) -> str:
    """Return the name of a round's placeholder; its content is the RoundRecord."""
    return f"{ROUNDS_FOLDER}/round_d{placeholder.dest_id}r{placeholder.round_id}_{placeholder.edge}.obarc"


def parse_round_placeholder(name: str) -> RoundPlaceholder | None:
    match = _ROUND_PLACEHOLDER.fullmatch(name)
    if match is None:
        return None
    return RoundPlaceholder(dest_id=int(match[1]), round_id=int(match[2]), edge=Edge(match[3]))
