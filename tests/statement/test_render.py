"""What is rendered reads back as the same command, and shows no secret unless asked to."""

import string
import typing
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statement_manual import MANUAL

from holdfast.statement import commands as c
from holdfast.statement.mask import mask_secrets
from holdfast.statement.parser import parse
from holdfast.statement.render import render
from holdfast.values.destination import DestinationKind
from holdfast.values.tenant import TenantRole

KEYWORDS = (
    "tenant",
    "FROM",
    "restore",
    "if",
    "set",
    "until",
    "with",
    "description",
    "all",
    "*",
    "`",
    "a.b",
    "0x1",
    "1e5",
    "t'",
)
texts = st.text(max_size=12) | st.sampled_from(
    ["'", "\\", "\\%", "a\\_b", "''", '"', "\n", "\0", "*/", "-- x", "\\\\%", "名前"]
)
filled_texts = texts.filter(bool)
names = st.text(min_size=1, max_size=8) | st.sampled_from(KEYWORDS) | st.text(string.ascii_letters, min_size=1)
tenant_lists = st.lists(names, max_size=3).map(tuple)
paths = st.text(max_size=10).filter(lambda path: "," not in path).map(str.strip).filter(bool)
path_lists = st.lists(paths, min_size=1, max_size=3, unique=True).map(tuple)
numbers = st.integers(0, 2**63 - 1)
ids = st.lists(numbers, min_size=1, max_size=3).map(tuple)
untils = st.builds(c.UntilTime, text=texts) | st.builds(c.UntilScn, scn=numbers)
option_text = st.text(max_size=6).filter(lambda text: not set(text) & set("&=")).map(str.strip)
option_pairs = st.lists(st.tuples(option_text.map(str.lower).map(str.strip).filter(bool), option_text), max_size=3).map(
    tuple
)
option_pairs = option_pairs.filter(lambda pairs: all(key == key.lower() for key, _ in pairs))
lower_names = st.text(string.ascii_lowercase + "_`. 名", min_size=1, max_size=8) | st.just("ha_low_thread_score")
constants = texts
maybe = lambda strategy: st.none() | strategy  # noqa: E731
sizes = st.integers(0, 10**18 - 1)
cores = st.decimals(0, 999999999, places=2).map(lambda number: number.quantize(Decimal("0.01")))
described = {"tenants": tenant_lists, "description": texts}
with_clauses = {
    "sources": st.just(()) | path_lists,
    "until": maybe(untils),
    "options": option_pairs,
    "password": maybe(texts),
    "key_source": maybe(texts),
    "sts_credential": maybe(texts),
    "description": texts,
}
assignments = st.builds(
    c.Assignment,
    name=lower_names,
    value=constants,
    comment=texts,
    scope=maybe(st.sampled_from(c.Scope)),
    zone=maybe(names),
    tenants=tenant_lists,
)
encryptions = st.builds(
    c.Assignment, name=st.just("backup_encryption"), value=constants, password=maybe(texts), tenants=tenant_lists
)
table_items = st.builds(c.TableItem, database=names.filter(lambda n: n != "*"), table=names, partitions=tenant_lists)
remap_tables = st.builds(
    c.RemapTable, database=names.filter(lambda n: n != "*"), table=names, to_database=maybe(names), to_table=names
)
renames = st.lists(st.tuples(names, names), max_size=2).map(tuple)
pools = st.lists(names, max_size=2).map(tuple)
RESET = st.builds(
    c.ParameterReset,
    name=lower_names,
    scope=maybe(st.sampled_from(c.Scope)),
    tenants=st.lists(names, max_size=1).map(tuple),
)

STRATEGIES: dict[type, st.SearchStrategy[c.Command]] = {
    c.SetLogArchiveDest: st.builds(c.SetLogArchiveDest, text=texts, slot=st.integers(0, 8), tenants=tenant_lists),
    c.SetLogArchiveDestState: st.builds(
        c.SetLogArchiveDestState, text=texts, slot=st.integers(0, 8), tenants=tenant_lists
    ),
    c.SetDataBackupDest: st.builds(c.SetDataBackupDest, text=texts, tenants=tenant_lists),
    c.SetLogRestoreSource: st.builds(c.SetLogRestoreSource, text=texts, tenants=tenant_lists),
    c.ChangeExternalStorage: st.builds(c.ChangeExternalStorage, path=texts, access_info=texts, attribute=maybe(texts)),
    c.Archivelog: st.builds(c.Archivelog, **described),
    c.Noarchivelog: st.builds(c.Noarchivelog, **described),
    c.Backup: st.builds(
        c.Backup, incremental=st.booleans(), to=maybe(texts), plus_archivelog=st.booleans(), **described
    )
    | st.builds(c.Backup, database=st.just(True), to=maybe(texts), plus_archivelog=st.booleans(), description=texts),
    c.CancelBackup: st.builds(c.CancelBackup, tenants=tenant_lists),
    c.SetEncryption: st.builds(c.SetEncryption, password=texts),
    c.SetDecryption: st.builds(c.SetDecryption, passwords=st.lists(texts, min_size=1, max_size=3).map(tuple)),
    c.BackupKey: st.builds(c.BackupKey, tenants=tenant_lists, to=maybe(texts), password=maybe(texts)),
    c.BackupClusterParameters: st.builds(c.BackupClusterParameters, to=texts, password=maybe(texts)),
    c.AddDeletePolicy: st.builds(
        c.AddDeletePolicy,
        name=texts,
        recovery_window=maybe(texts),
        redundancy=maybe(numbers),
        backup_copies=maybe(numbers),
        tenants=tenant_lists,
    ),
    c.DropDeletePolicy: st.builds(c.DropDeletePolicy, name=texts, tenants=tenant_lists),
    c.DeleteObsolete: st.builds(c.DeleteObsolete, **described),
    c.DeleteBackupset: st.builds(c.DeleteBackupset, ids=ids, **described),
    c.DeleteArchivelogPiece: st.builds(c.DeleteArchivelogPiece, ids=ids, **described),
    c.DeleteBackupAll: st.builds(c.DeleteBackupAll, kind=st.sampled_from(DestinationKind), path=texts, **described),
    c.CancelDelete: st.builds(c.CancelDelete, **described),
    c.PreviewObsolete: st.builds(c.PreviewObsolete, tenants=tenant_lists),
    c.RenewServerIdentity: st.builds(c.RenewServerIdentity),
    c.PinBackupset: st.builds(c.PinBackupset, backup_set_id=numbers, note=texts, tenants=tenant_lists),
    c.UnpinBackupset: st.builds(c.UnpinBackupset, backup_set_id=numbers, tenants=tenant_lists),
    c.Validate: st.builds(
        c.Validate,
        kind=st.sampled_from(c.ValidateKind),
        ids_text=maybe(texts),
        dest_kind=st.sampled_from(DestinationKind),
        path=texts,
        level=maybe(texts),
        **described,
    ),
    c.CancelValidate: st.builds(c.CancelValidate, tenants=tenant_lists),
    c.Restore: st.builds(c.Restore, tenant=names, **with_clauses),
    c.RestorePreview: st.builds(c.RestorePreview, sources=path_lists, until=maybe(untils), key_source=maybe(texts)),
    c.ShowRestorePreview: st.builds(c.ShowRestorePreview),
    c.AddRestoreSource: st.builds(c.AddRestoreSource, sources=path_lists),
    c.ClearRestoreSource: st.builds(c.ClearRestoreSource),
    c.CancelRestore: st.builds(c.CancelRestore, tenant=names),
    c.RecoverStandby: st.builds(
        c.RecoverStandby, point=maybe(untils | st.sampled_from(c.RecoverPoint)), tenants=tenant_lists
    ),
    c.ActivateStandby: st.builds(c.ActivateStandby, tenants=tenant_lists, verify=st.booleans()),
    c.Switchover: st.builds(
        c.Switchover,
        to=st.sampled_from([TenantRole.PRIMARY, TenantRole.STANDBY]),
        tenants=tenant_lists,
        verify=st.booleans(),
    ),
    c.RunUpgradeJob: st.builds(c.RunUpgradeJob, job=texts, tenants=tenant_lists),
    c.RecoverTable: st.builds(
        c.RecoverTable,
        items=st.lists(table_items, min_size=1, max_size=3).map(tuple),
        target=maybe(names),
        remap_tables=st.lists(remap_tables, max_size=2).map(tuple),
        remap_tablegroups=renames,
        remap_tablespaces=renames,
        preview=st.booleans(),
        **with_clauses,
    ),
    c.CancelRecoverTable: st.builds(c.CancelRecoverTable, tenant=names),
    c.ParameterAssignments: st.builds(
        c.ParameterAssignments, assignments=st.lists(assignments | encryptions, min_size=1, max_size=3).map(tuple)
    ),
    c.ResetParameters: st.builds(c.ResetParameters, resets=st.lists(RESET, min_size=1, max_size=3).map(tuple)),
    c.ShowParameters: st.builds(c.ShowParameters, like=maybe(texts), tenant=maybe(names))
    | st.builds(c.ShowParameters, where=st.sampled_from(["a = 1", "name LIKE 'x;y' or 1"]), tenant=maybe(names)),
    c.CreateResourceUnit: st.builds(
        c.CreateResourceUnit,
        name=names,
        if_not_exists=st.booleans(),
        max_cpu=maybe(cores),
        min_cpu=maybe(cores),
        memory_size_bytes=maybe(sizes),
        log_disk_size_bytes=maybe(sizes),
        data_disk_size_bytes=maybe(sizes),
        max_iops=maybe(sizes),
        min_iops=maybe(sizes),
        iops_weight=maybe(sizes),
    ),
    c.CreateResourcePool: st.builds(
        c.CreateResourcePool,
        name=names,
        if_not_exists=st.booleans(),
        unit=maybe(names),
        unit_num=maybe(numbers),
        zones=pools,
    ),
    c.DropResourceUnit: st.builds(c.DropResourceUnit, name=names, if_exists=st.booleans()),
    c.DropResourcePool: st.builds(c.DropResourcePool, name=names, if_exists=st.booleans()),
    c.CreateTenant: st.builds(
        c.CreateTenant,
        name=names,
        if_not_exists=st.booleans(),
        charset=maybe(texts),
        collation=maybe(texts),
        locality=maybe(texts),
        primary_zone=maybe(texts),
        unit=maybe(texts),
        pools=pools,
        zones=pools,
        comment=texts,
        other=st.just(()) | st.just((("replica_num", "1"), ("read", "only"))),
        variables=st.lists(st.tuples(lower_names, texts), max_size=2).map(tuple),
    ),
    c.DropTenant: st.builds(c.DropTenant, name=names, if_exists=st.booleans(), mode=maybe(st.sampled_from(c.DropMode))),
    c.ShowTenants: st.builds(c.ShowTenants),
    c.NotOurs: st.sampled_from([command for _, command in MANUAL if isinstance(command, c.NotOurs)]),
}


def test_every_command_has_a_strategy() -> None:
    assert set(STRATEGIES) == set(typing.get_args(c.Command))


@given(st.one_of(*STRATEGIES.values()))
@settings(max_examples=1200, deadline=None)
def test_rendered_command_reads_back_as_itself(command: c.Command) -> None:
    assert parse(render(command, reveal=True)) == command


@pytest.mark.parametrize(("text", "command"), MANUAL, ids=[text for text, _ in MANUAL])
def test_statement_of_the_manual_survives_render_and_parse(text: str, command: c.Command) -> None:
    assert parse(render(command, reveal=True)) == command


@pytest.mark.parametrize(("text", "command"), MANUAL, ids=[text for text, _ in MANUAL])
def test_masked_text_of_a_command_still_parses(text: str, command: c.Command) -> None:
    assert type(parse(render(command))) is type(command)


SECRET = "hunter2"
KEYS = f"access_id={SECRET}&access_key={SECRET}"


@pytest.mark.parametrize(
    ("command", "masked"),
    [
        (c.SetEncryption(password=SECRET), "SET ENCRYPTION ON IDENTIFIED BY '***' ONLY"),
        (c.SetDecryption(passwords=(SECRET, SECRET)), "SET DECRYPTION IDENTIFIED BY '***', '***'"),
        (
            c.SetDataBackupDest(text=f"s3://b/p?host=h&{KEYS}&delete_mode=tagging"),
            "ALTER SYSTEM SET DATA_BACKUP_DEST = 's3://b/p?host=h&access_id=***&access_key=***&delete_mode=tagging'",
        ),
        (
            c.SetLogArchiveDest(text=f"LOCATION=s3://b/p?host=h&{KEYS} BINDING=Mandatory"),
            "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=s3://b/p?host=h&access_id=***&access_key=*** BINDING=Mandatory'",
        ),
        (
            c.SetLogRestoreSource(text=f"SERVICE=h:1 USER=u@t PASSWORD={SECRET}"),
            "ALTER SYSTEM SET LOG_RESTORE_SOURCE = 'SERVICE=h:1 USER=u@t PASSWORD=***'",
        ),
        (
            c.ChangeExternalStorage(path="s3://b/p?host=h", access_info=KEYS),
            "ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST PATH = 's3://b/p?host=h' SET ACCESS_INFO = '***'",
        ),
        (
            c.Restore(
                tenant="t", sources=(f"s3://b/p?{KEYS}", "file:///a"), options=(("pool_list", "p"),),
                password=SECRET, key_source=f"s3://k?new_option={SECRET}", key_password=SECRET, sts_credential=SECRET,
            ),
            (
                "ALTER SYSTEM RESTORE t FROM 's3://b/p?access_id=***&access_key=***,file:///a' WITH 'pool_list=p' "
                "ENCRYPTED BY '***' WITH KEY FROM 's3://k?new_option=***' ENCRYPTED BY '***' "
                "WITH TENANT_STS_CREDENTIAL '***'"
            ),
        ),
        (
            c.ParameterAssignments(assignments=(c.Assignment(name="external_kms_info", value=SECRET),)),
            "ALTER SYSTEM SET external_kms_info = '***'",
        ),
        (
            c.ParameterAssignments(
                assignments=(c.Assignment(name="backup_encryption", value="password", password=SECRET, tenants=("t",)),)
            ),
            "ALTER SYSTEM SET backup_encryption = '***' IDENTIFIED BY '***' TENANT = t",
        ),
        (
            c.ParameterAssignments(
                assignments=(c.Assignment(name="backup_encryption", value=f"command:/bin/vault {SECRET}"),)
            ),
            "ALTER SYSTEM SET backup_encryption = '***'",
        ),
        (
            c.Restore(tenant="t", sources=("file:///a",), key_source=f"command:/bin/vault {SECRET}"),
            "ALTER SYSTEM RESTORE t FROM 'file:///a' WITH KEY FROM '***'",
        ),
        (c.BackupKey(to="file:///k", password=SECRET), "ALTER SYSTEM BACKUP KEY TO = 'file:///k' ENCRYPTED BY '***'"),
    ],
)  # fmt: skip
def test_secrets_are_masked_and_the_rest_stays_readable(command: c.Command, masked: str) -> None:
    assert render(command) == masked
    assert SECRET in render(command, reveal=True)
    assert SECRET not in repr(command)


@pytest.mark.parametrize(
    "text",
    [
        f"alter system set backup_encryption = 'password' identified by '{SECRET}'",
        f"ALTER SYSTEM SET backup_encryption='command:/bin/vault {SECRET}' TENANT = t",
        f"ALTER SYSTEM SET BACKUP_ENCRYPTION 'command:/bin/vault {SECRET}",
        f"ALTER SYSTEM RESTORE t FROM 'file:///a' WITH KEY FROM 'command:/bin/vault {SECRET}'",
    ],
)
def test_a_backup_key_is_masked_in_any_text(text: str) -> None:
    assert SECRET not in mask_secrets(text)
