"""Owners for tests: one server, another one, and one that is nobody's affair."""

import json
from collections.abc import Callable

from holdfast.backup_format import manifest, names, owner_record, piece_record
from holdfast.jobs.destinations import OpenStore
from holdfast.jobs.tenure import Tenures
from holdfast.store.store import Store
from holdfast.values.owner import JobKind, Lineage, Opening, Owner

SERVER, TOKEN, STRANGE_TOKEN = "a" * 32, "b" * 32, "c" * 32


def owner(
    *, kind: JobKind = JobKind.BACKUP, job_id: int = 1, token: str = TOKEN, server_id: str = SERVER, generation: int = 1
) -> Owner:
    return Owner(
        server_id=server_id,
        generation=generation,
        job_kind=kind,
        job_id=job_id,
        token=token,
        time_us=1_795_424_400_000_000,
    )


def lineage(*tokens: str) -> Lineage:
    return Lineage(openings=tuple(Opening(server_id=SERVER, token=token) for token in tokens or (TOKEN,)))


class OnlyWriter:
    """A tenure that nobody contests."""

    def owner(self, kind: JobKind, job_id: int) -> Owner:
        return owner(kind=kind, job_id=job_id)

    def made(self, found: Owner | None) -> bool:
        return lineage().made(found)

    def take(self, store: Store, *, watches: bool = False) -> None:
        pass

    def keep(self, store: Store) -> None:
        pass


class Unarchived(Tenures):
    """Tenures where no follower runs, so that nobody ever holds an archive."""

    def await_archive(
        self, tenant_id: int, open_store: OpenStore, rest: Callable[[float], None], *, removes: bool = False
    ) -> None:
        pass


def unowned(store: Store) -> list[str]:
    """Return the objects of which nothing says who made them: neither they themselves, nor what names them.

    Left out: check files, which prove that a destination answers, are nobody's work and are never looked for.
    """
    found, named, opaque = [], set(), []
    for item in store.list():
        if item.name.startswith(f"{names.CHECK_FOLDER}/"):
            continue
        content = store.get(item.name)
        if not content.startswith(b"{\n"):
            opaque.append(item.name)
            continue
        document = json.loads(content)
        if "owner" not in document:
            found.append(item.name)
            continue
        root = item.name.rpartition("/")[0]
        match document["kind"]:
            case manifest.KIND:
                named |= {f"{root}/{one['name']}" for one in document["objects"]}
            case piece_record.PIECE_KIND:
                root = root.removesuffix("/checkpoint")
                named |= {names.log_name(root, block["block_id"]) for block in document["blocks"]}
            case owner_record.SET_CLAIM_KIND if store.stat(names.manifest_name(root)) is None:
                named |= {one.name for one in store.list(f"{root}/")}
    return sorted([*found, *(name for name in opaque if name not in named)])
