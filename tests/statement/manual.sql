-- Every form of the backup and restore surface, and the command it stands for.
-- A statement ends with `;` at the end of a line; the lines `--> ...` after it hold the expected command as Python,
-- fields that have their default left out. A statement without such a line stands for the same command as the one before.

-- ==== log archive destination ====

ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=file:///data/1/sh_archive BINDING=Optional PIECE_SWITCH_INTERVAL=1d' TENANT = mysql_tenant;
ALTER SYSTEM SET log_archive_dest "LOCATION=file:///data/1/sh_archive BINDING=Optional PIECE_SWITCH_INTERVAL=1d" TENANT mysql_tenant;
alter system log_archive_dest = 'LOCATION=file:///data/1/sh_archive BINDING=Optional PIECE_SWITCH_INTERVAL=1d' tenant = `mysql_tenant`;
--> SetLogArchiveDest(text='LOCATION=file:///data/1/sh_archive BINDING=Optional PIECE_SWITCH_INTERVAL=1d', tenants=('mysql_tenant',))
ALTER SYSTEM SET LOG_ARCHIVE_DEST='LOCATION=oss://b/p?host=h&access_id=i&access_key=k';
--> SetLogArchiveDest(text='LOCATION=oss://b/p?host=h&access_id=i&access_key=k')
ALTER SYSTEM SET LOG_ARCHIVE_DEST='';
--> SetLogArchiveDest(text='')
ALTER SYSTEM SET LOG_ARCHIVE_DEST_1='LOCATION=file:///a' TENANT='t';
--> SetLogArchiveDest(text='LOCATION=file:///a', slot=1, tenants=('t',))
ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE='ENABLE' TENANT = t;
--> SetLogArchiveDestState(text='ENABLE', tenants=('t',))
ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE='DEFER';
ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE=DEFER;
--> SetLogArchiveDestState(text='DEFER')
ALTER SYSTEM SET LOG_ARCHIVE_DEST_STATE_8='DEFER';
--> SetLogArchiveDestState(text='DEFER', slot=8)

-- ==== data backup destination ====

ALTER SYSTEM SET DATA_BACKUP_DEST='file:///data/1/sh_databackup' TENANT = mysql_tenant;
ALTER SYSTEM SET DATA_BACKUP_DEST 'file:///data/1/sh_databackup' TENANT 'mysql_tenant';
--> SetDataBackupDest(text='file:///data/1/sh_databackup', tenants=('mysql_tenant',))
ALTER SYSTEM SET DATA_BACKUP_DEST='';
--> SetDataBackupDest(text='')

-- ==== log restore source ====

ALTER SYSTEM SET LOG_RESTORE_SOURCE ='LOCATION=file:///data/1/sh_archive' TENANT = standby;
--> SetLogRestoreSource(text='LOCATION=file:///data/1/sh_archive', tenants=('standby',))
ALTER SYSTEM SET LOG_RESTORE_SOURCE ='SERVICE=10.0.0.1:2881;10.0.0.2:2881 USER=rep_user@mysql PASSWORD=***';
--> SetLogRestoreSource(text='SERVICE=10.0.0.1:2881;10.0.0.2:2881 USER=rep_user@mysql PASSWORD=***')

-- ==== credentials and locality of a used path ====

ALTER SYSTEM CHANGE EXTERNAL_STORAGE_DEST PATH='oss://b/p?host=h' SET ACCESS_INFO='access_id=i&access_key=k';
ALTER SYSTEM ALTER EXTERNAL_STORAGE_DEST PATH 'oss://b/p?host=h' ACCESS_INFO 'access_id=i&access_key=k';
--> ChangeExternalStorage(path='oss://b/p?host=h', access_info='access_id=i&access_key=k')
ALTER SYSTEM MODIFY EXTERNAL_STORAGE_DEST PATH='file:///a' SET ATTRIBUTE='zone=z1,z2;z3';
--> ChangeExternalStorage(path='file:///a', attribute='zone=z1,z2;z3')

-- ==== log archiving ====

ALTER SYSTEM ARCHIVELOG;
alter /*+ hint */ system archivelog
;
--> Archivelog()
ALTER SYSTEM ARCHIVELOG TENANT = ALL;
ALTER SYSTEM ARCHIVELOG TENANT ALL;
--> Archivelog(tenants=('ALL',))
ALTER SYSTEM ARCHIVELOG TENANT = t1, `t 2`, 't3' DESCRIPTION = 'nightly';
--> Archivelog(tenants=('t1', 't 2', 't3'), description='nightly')
ALTER SYSTEM NOARCHIVELOG;
--> Noarchivelog()
ALTER SYSTEM NOARCHIVELOG TENANT = mysql_tenant DESCRIPTION 'stop';
--> Noarchivelog(tenants=('mysql_tenant',), description='stop')

-- ==== backup ====

ALTER SYSTEM BACKUP DATABASE;
--> Backup(database=True)
ALTER SYSTEM BACKUP DATABASE PLUS ARCHIVELOG;
--> Backup(database=True, plus_archivelog=True)
ALTER SYSTEM BACKUP INCREMENTAL DATABASE;
--> Backup(incremental=True, database=True)
ALTER SYSTEM BACKUP INCREMENTAL DATABASE PLUS ARCHIVELOG DESCRIPTION = 'inc';
--> Backup(incremental=True, database=True, plus_archivelog=True, description='inc')
ALTER SYSTEM BACKUP TENANT = t1, t2;
ALTER SYSTEM BACKUP TENANT t1, t2;
--> Backup(tenants=('t1', 't2'))
ALTER SYSTEM BACKUP TENANT = mysql_tenant PLUS ARCHIVELOG;
ALTER SYSTEM BACKUP PLUS ARCHIVELOG TENANT = mysql_tenant;
--> Backup(tenants=('mysql_tenant',), plus_archivelog=True)
ALTER SYSTEM BACKUP INCREMENTAL TENANT = t1, t2 PLUS ARCHIVELOG;
--> Backup(incremental=True, tenants=('t1', 't2'), plus_archivelog=True)
ALTER SYSTEM BACKUP TENANT = t TO = 'file:///elsewhere' PLUS ARCHIVELOG DESCRIPTION='named path';
ALTER SYSTEM BACKUP TENANT = t PLUS ARCHIVELOG TO 'file:///elsewhere' DESCRIPTION 'named path';
--> Backup(tenants=('t',), to='file:///elsewhere', plus_archivelog=True, description='named path')
ALTER SYSTEM BACKUP DATABASE TO 'file:///elsewhere';
--> Backup(database=True, to='file:///elsewhere')
ALTER SYSTEM BACKUP PLUS ARCHIVELOG;
--> Backup(plus_archivelog=True)
ALTER SYSTEM BACKUP;
--> Backup()
ALTER SYSTEM CANCEL BACKUP;
--> CancelBackup()
ALTER SYSTEM CANCEL BACKUP TENANT = t1, t2;
--> CancelBackup(tenants=('t1', 't2'))

-- ==== encryption, keys, cluster parameters ====

SET ENCRYPTION ON IDENTIFIED BY 'password' ONLY;
set encryption on identified by "password" only;
--> SetEncryption(password='password')
SET DECRYPTION IDENTIFIED BY 'pw1', 'pw2';
--> SetDecryption(passwords=('pw1', 'pw2'))
ALTER SYSTEM BACKUP KEY;
--> BackupKey()
ALTER SYSTEM BACKUP KEY TENANT = t1, t2 TO = 'file:///keys' ENCRYPTED BY 'pw';
--> BackupKey(tenants=('t1', 't2'), to='file:///keys', password='pw')
ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file:///params';
--> BackupClusterParameters(to='file:///params')
ALTER SYSTEM BACKUP CLUSTER PARAMETERS TO 'file:///params' ENCRYPTED BY 'pw';
--> BackupClusterParameters(to='file:///params', password='pw')

-- ==== cleanup ====

ALTER SYSTEM ADD DELETE BACKUP POLICY='default' RECOVERY_WINDOW='7d' TENANT=t;
ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '7d' TENANT t;
--> AddDeletePolicy(name='default', recovery_window='7d', tenants=('t',))
ALTER SYSTEM ADD DELETE BACKUP POLICY='default' RECOVERY_WINDOW='7d' REDUNDANCY=1 BACKUP_COPIES 2;
--> AddDeletePolicy(name='default', recovery_window='7d', redundancy=1, backup_copies=2)
ALTER SYSTEM DROP DELETE BACKUP POLICY='default' TENANT = t;
--> DropDeletePolicy(name='default', tenants=('t',))
ALTER SYSTEM DELETE OBSOLETE BACKUP;
--> DeleteObsolete()
ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = t DESCRIPTION = 'd';
--> DeleteObsolete(tenants=('t',), description='d')
ALTER SYSTEM DELETE BACKUPSET 1, 2 , 3 TENANT = t DESCRIPTION 'd';
--> DeleteBackupset(ids=(1, 2, 3), tenants=('t',), description='d')
ALTER SYSTEM DELETE BACKUPSET 12;
--> DeleteBackupset(ids=(12,))
ALTER SYSTEM DELETE ARCHIVELOG_PIECE 4,5 TENANT = t;
--> DeleteArchivelogPiece(ids=(4, 5), tenants=('t',))
ALTER SYSTEM DELETE BACKUP ALL DATA_BACKUP_DEST='file:///old' TENANT = t;
--> DeleteBackupAll(kind=DestinationKind.BACKUP_DATA, path='file:///old', tenants=('t',))
ALTER SYSTEM DELETE BACKUP ALL LOG_ARCHIVE_DEST 'file:///old' DESCRIPTION='d';
--> DeleteBackupAll(kind=DestinationKind.ARCHIVE_LOG, path='file:///old', description='d')
ALTER SYSTEM CANCEL DELETE BACKUP;
--> CancelDelete()
ALTER SYSTEM CANCEL DELETE BACKUP TENANT = t DESCRIPTION = 'd';
--> CancelDelete(tenants=('t',), description='d')

-- ==== cleanup, Holdfast's own ====

ALTER SYSTEM DELETE OBSOLETE BACKUP PREVIEW;
--> PreviewObsolete()
ALTER SYSTEM DELETE OBSOLETE BACKUP PREVIEW TENANT = t;
--> PreviewObsolete(tenants=('t',))
ALTER SYSTEM PIN BACKUPSET 3;
--> PinBackupset(backup_set_id=3)
ALTER SYSTEM PIN BACKUPSET 3 NOTE = 'audit 2026' TENANT = t;
ALTER SYSTEM PIN BACKUPSET 3 NOTE 'audit 2026' TENANT t;
--> PinBackupset(backup_set_id=3, note='audit 2026', tenants=('t',))
ALTER SYSTEM RENEW SERVER IDENTITY;
--> RenewServerIdentity()
ALTER SYSTEM UNPIN BACKUPSET 3 TENANT = t;
--> UnpinBackupset(backup_set_id=3, tenants=('t',))
ALTER SYSTEM UNPIN BACKUPSET 3;
--> UnpinBackupset(backup_set_id=3)

-- ==== validation ====

ALTER SYSTEM VALIDATE BACKUP;
--> Validate(kind=ValidateKind.DATABASE)
ALTER SYSTEM VALIDATE BACKUP LEVEL = 'basic' TENANT = t1, t2 DESCRIPTION 'd';
ALTER SYSTEM VALIDATE BACKUP TENANT t1, t2 LEVEL 'basic' DESCRIPTION = 'd';
--> Validate(kind=ValidateKind.DATABASE, level='basic', tenants=('t1', 't2'), description='d')
ALTER SYSTEM VALIDATE BACKUPSET = '1,2' DATA_BACKUP_DEST = 'file:///d' LEVEL 'physical' TENANT = t;
--> Validate(kind=ValidateKind.BACKUPSET, ids_text='1,2', dest_kind=DestinationKind.BACKUP_DATA, path='file:///d', level='physical', tenants=('t',))
ALTER SYSTEM VALIDATE ARCHIVELOG_PIECE = '1' LOG_ARCHIVE_DEST 'file:///a';
--> Validate(kind=ValidateKind.ARCHIVELOG_PIECE, ids_text='1', dest_kind=DestinationKind.ARCHIVE_LOG, path='file:///a')
ALTER SYSTEM VALIDATE BACKUPSET;
--> Validate(kind=ValidateKind.BACKUPSET)
ALTER SYSTEM CANCEL VALIDATE BACKUP TENANT = t;
--> CancelValidate(tenants=('t',))
ALTER SYSTEM CANCEL VALIDATE BACKUP;
--> CancelValidate()

-- ==== restore ====

ALTER SYSTEM RESTORE t2 FROM 'file:///backup/data,file:///backup/archive' UNTIL TIME='2026-11-23 10:00:00' WITH 'pool_list=p1,p2&locality=F@z1&concurrency=10';
--> Restore(tenant='t2', sources=('file:///backup/data', 'file:///backup/archive'), until=UntilTime(text='2026-11-23 10:00:00'), options=(('pool_list', 'p1,p2'), ('locality', 'F@z1'), ('concurrency', '10')))
ALTER SYSTEM RESTORE t2 FROM 'file:///d' UNTIL SCN=1700000000000000000 WITH 'pool_list=p' WITH KEY FROM 'file:///k' ENCRYPTED BY 'pw' DESCRIPTION='r';
--> Restore(tenant='t2', sources=('file:///d',), until=UntilScn(scn=1700000000000000000), options=(('pool_list', 'p'),), key_source='file:///k', key_password='pw', description='r')
ALTER SYSTEM RESTORE t2 FROM 'file:///d , file:///d' WITH 'pool_list=p' ENCRYPTED BY 'pw' WITH TENANT_STS_CREDENTIAL 'sts';
--> Restore(tenant='t2', sources=('file:///d',), options=(('pool_list', 'p'),), password='pw', sts_credential='sts')
ALTER SYSTEM RESTORE t2 FROM 'file:///d' WITH KEY FROM 'file:///k';
--> Restore(tenant='t2', sources=('file:///d',), key_source='file:///k')
ALTER SYSTEM RESTORE t2 FROM 'file:///d';
--> Restore(tenant='t2', sources=('file:///d',))
ALTER SYSTEM RESTORE t2 FROM '';
--> Restore(tenant='t2', sources=('',))
ALTER SYSTEM RESTORE t2 UNTIL SCN=5 WITH 'pool_list=p';
--> Restore(tenant='t2', until=UntilScn(scn=5), options=(('pool_list', 'p'),))
ALTER SYSTEM RESTORE t2 WITH 'pool_list=p&KMS_ENCRYPT=true&flag';
--> Restore(tenant='t2', options=(('pool_list', 'p'), ('kms_encrypt', 'true'), ('flag', '')))
ALTER SYSTEM RESTORE `from` FROM 'file:///d';
ALTER SYSTEM RESTORE from FROM 'file:///d';
--> Restore(tenant='from', sources=('file:///d',))
ALTER SYSTEM RESTORE FROM 'file:///d,file:///a' UNTIL TIME='2026-11-23 10:00:00.123456' PREVIEW;
--> RestorePreview(sources=('file:///d', 'file:///a'), until=UntilTime(text='2026-11-23 10:00:00.123456'))
ALTER SYSTEM RESTORE FROM 'file:///d' PREVIEW;
--> RestorePreview(sources=('file:///d',))
ALTER SYSTEM RESTORE FROM 'file:///d' UNTIL SCN = 5 WITH KEY FROM 'file:/key' PREVIEW;
--> RestorePreview(sources=('file:///d',), until=UntilScn(scn=5), key_source='file:/key')
SHOW RESTORE PREVIEW;
--> ShowRestorePreview()
ALTER SYSTEM ADD RESTORE SOURCE 'file:///d/backup_set_1_full,file:///a/piece_d1001r1p1';
--> AddRestoreSource(sources=('file:///d/backup_set_1_full', 'file:///a/piece_d1001r1p1'))
ALTER SYSTEM CLEAR RESTORE SOURCE;
--> ClearRestoreSource()
ALTER SYSTEM CANCEL RESTORE t2;
--> CancelRestore(tenant='t2')

-- ==== standby tenants ====

ALTER SYSTEM RECOVER STANDBY TENANT = t UNTIL TIME='2026-11-23 10:00:00';
ALTER SYSTEM RECOVER STANDBY UNTIL TIME='2026-11-23 10:00:00' TENANT = t;
--> RecoverStandby(point=UntilTime(text='2026-11-23 10:00:00'), tenants=('t',))
ALTER SYSTEM RECOVER STANDBY TENANT = t UNTIL SCN=17;
--> RecoverStandby(point=UntilScn(scn=17), tenants=('t',))
ALTER SYSTEM RECOVER STANDBY UNTIL UNLIMITED;
--> RecoverStandby(point=RecoverPoint.UNLIMITED)
ALTER SYSTEM RECOVER STANDBY TENANT t CANCEL;
--> RecoverStandby(point=RecoverPoint.CANCEL, tenants=('t',))
ALTER SYSTEM RECOVER STANDBY;
--> RecoverStandby()
ALTER SYSTEM ACTIVATE STANDBY;
--> ActivateStandby()
ALTER SYSTEM ACTIVATE STANDBY TENANT = t VERIFY;
--> ActivateStandby(tenants=('t',), verify=True)
ALTER SYSTEM SWITCHOVER TO PRIMARY TENANT = t;
--> Switchover(to=TenantRole.PRIMARY, tenants=('t',))
ALTER SYSTEM SWITCHOVER TO STANDBY VERIFY;
--> Switchover(to=TenantRole.STANDBY, verify=True)
ALTER SYSTEM RUN UPGRADE JOB "UPGRADE_ALL" TENANT = t;
--> RunUpgradeJob(job='UPGRADE_ALL', tenants=('t',))

-- ==== table recovery ====

ALTER SYSTEM RECOVER TABLE db.tb TO TENANT = t FROM 'file:///d,file:///a' UNTIL SCN=9 WITH 'pool_list=p';
ALTER SYSTEM RECOVER TABLE db.tb TO t FROM 'file:///d,file:///a' UNTIL SCN=9 WITH 'pool_list=p';
ALTER SYSTEM RECOVER TABLE `db`.`tb` TO TENANT t FROM 'file:///d,file:///a' UNTIL SCN=9 WITH 'pool_list=p';
--> RecoverTable(items=(TableItem(database='db', table='tb'),), target='t', sources=('file:///d', 'file:///a'), until=UntilScn(scn=9), options=(('pool_list', 'p'),))
ALTER SYSTEM RECOVER TABLE a.b, c.*, *.* TO tenant FROM 'file:///d' WITH 'pool_list=p' WITH KEY FROM 'file:///k' ENCRYPTED BY 'pw' REMAP TABLE a.b:b2, a.b:d2.b, a.b:d2.b2, c.`*`:c2.`*` REMAP TABLEGROUP g:g2, h:h2 REMAP TABLESPACE s:s2 DESCRIPTION='d';
--> RecoverTable(items=(TableItem(database='a', table='b'), TableItem(database='c', table='*'), TableItem(database='*', table='*')), target='tenant', sources=('file:///d',), options=(('pool_list', 'p'),), key_source='file:///k', key_password='pw', remap_tables=(RemapTable(database='a', table='b', to_database=None, to_table='b2'), RemapTable(database='a', table='b', to_database='d2', to_table='b'), RemapTable(database='a', table='b', to_database='d2', to_table='b2'), RemapTable(database='c', table='*', to_database='c2', to_table='*')), remap_tablegroups=(('g', 'g2'), ('h', 'h2')), remap_tablespaces=(('s', 's2'),), description='d')
ALTER SYSTEM RECOVER TABLE db.tb PARTITION (p0, p1) FROM 'file:///d' WITH 'pool_list=p';
--> RecoverTable(items=(TableItem(database='db', table='tb', partitions=('p0', 'p1')),), sources=('file:///d',), options=(('pool_list', 'p'),))
ALTER SYSTEM CANCEL RECOVER TABLE t;
--> CancelRecoverTable(tenant='t')

-- ==== parameters ====

ALTER SYSTEM SET ha_low_thread_score = 10 TENANT = all_user;
ALTER SYSTEM SET ha_low_thread_score = '10' TENANT = all_user;
ALTER SYSTEM SET ha_low_thread_score 10 TENANT all_user;
ALTER SYSTEM ha_low_thread_score = 10 TENANT = all_user;
--> ParameterAssignments(assignments=(Assignment(name='ha_low_thread_score', value='10', tenants=('all_user',)),))
ALTER SYSTEM SET ha_low_thread_score = 10;
--> ParameterAssignments(assignments=(Assignment(name='ha_low_thread_score', value='10'),))
ALTER SYSTEM SET archive_lag_target = '60s' COMMENT 'why' SCOPE = SPFILE SERVER = '127.0.0.1:2882' TENANT = t;
--> ParameterAssignments(assignments=(Assignment(name='archive_lag_target', value='60s', comment='why', scope=Scope.SPFILE, server='127.0.0.1:2882', tenants=('t',)),))
ALTER SYSTEM SET a = true, b = -1.5 ZONE z1 TENANT = t, u, c = 2G, DATA_BACKUP_DEST = 'file:///d';
--> ParameterAssignments(assignments=(Assignment(name='a', value='true'), Assignment(name='b', value='-1.5', zone='z1', tenants=('t', 'u')), Assignment(name='c', value='2G'), Assignment(name='data_backup_dest', value='file:///d')))
ALTER SYSTEM RESET ha_low_thread_score;
--> ResetParameters(resets=(ParameterReset(name='ha_low_thread_score'),))
ALTER SYSTEM RESET a SCOPE = BOTH TENANT = t, b;
--> ResetParameters(resets=(ParameterReset(name='a', scope=Scope.BOTH, tenants=('t',)), ParameterReset(name='b')))
SHOW PARAMETERS;
--> ShowParameters()
SHOW PARAMETERS LIKE 'ha\_low%';
--> ShowParameters(like='ha\\_low%')
SHOW PARAMETERS LIKE 'ha%' TENANT = t;
--> ShowParameters(like='ha%', tenant='t')
SHOW PARAMETERS WHERE name = 'x' AND (scope LIKE 'T%') TENANT = t;
SHOW PARAMETERS WHERE name = 'x' AND (scope LIKE 'T%') TENANT t;
--> ShowParameters(where="name = 'x' AND (scope LIKE 'T%')", tenant='t')
SHOW PARAMETERS WHERE edit_level = 'x' OR tenant = 't';
--> ShowParameters(where="edit_level = 'x' OR tenant = 't'")
SHOW PARAMETERS TENANT = t;
--> ShowParameters(tenant='t')

-- ==== resources and tenants ====

CREATE RESOURCE UNIT IF NOT EXISTS u MAX_CPU = 2, MEMORY_SIZE = '5G', MIN_CPU 1.5, LOG_DISK_SIZE '6G', MAX_IOPS 10000, MIN_IOPS=1024, IOPS_WEIGHT = 0;
--> CreateResourceUnit(name='u', if_not_exists=True, max_cpu=Decimal('2'), min_cpu=Decimal('1.5'), memory_size_bytes=5 << 30, log_disk_size_bytes=6 << 30, max_iops=10000, min_iops=1024, iops_weight=0)
CREATE RESOURCE UNIT u MAX_CPU '2', MEMORY_SIZE 5G;
CREATE RESOURCE UNIT u MAX_CPU 2, MEMORY_SIZE 5368709120;
--> CreateResourceUnit(name='u', max_cpu=Decimal('2'), memory_size_bytes=5 << 30)
CREATE RESOURCE POOL IF NOT EXISTS p UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('z1', 'z2');
CREATE RESOURCE POOL IF NOT EXISTS p ZONE_LIST ('z1', z2), UNIT u, UNIT_NUM 1;
--> CreateResourcePool(name='p', if_not_exists=True, unit='u', unit_num=1, zones=('z1', 'z2'))
CREATE RESOURCE POOL p UNIT='u';
--> CreateResourcePool(name='p', unit='u')
CREATE TENANT mysql_tenant;
--> CreateTenant(name='mysql_tenant')
CREATE TENANT IF NOT EXISTS t CHARSET = utf8mb4 COLLATE utf8mb4_bin LOCALITY = 'F@z1' PRIMARY_ZONE = 'z1', RESOURCE_POOL_LIST = ('p') SET ob_tcp_invited_nodes = '%', ob_compatibility_mode = 'mysql';
CREATE TENANT IF NOT EXISTS t RESOURCE_POOL_LIST('p'), PRIMARY_ZONE z1, DEFAULT CHARACTER SET 'utf8mb4' COLLATE='utf8mb4_bin', LOCALITY 'F@z1' FORCE SET VARIABLES ob_tcp_invited_nodes := '%', @@global.ob_compatibility_mode = mysql;
--> CreateTenant(name='t', if_not_exists=True, charset='utf8mb4', collation='utf8mb4_bin', locality='F@z1', primary_zone='z1', pools=('p',), variables=(('ob_tcp_invited_nodes', '%'), ('ob_compatibility_mode', 'mysql')))
CREATE TENANT t UNIT = u REPLICA_NUM = 1 READ WRITE COMMENT 'c' ZONE_LIST=('z1');
--> CreateTenant(name='t', unit='u', zones=('z1',), comment='c', other=(('replica_num', '1'), ('read', 'write')))
CREATE TENANT if;
--> CreateTenant(name='if')
DROP TENANT t;
--> DropTenant(name='t')
DROP TENANT IF EXISTS t FORCE;
--> DropTenant(name='t', if_exists=True, mode=DropMode.FORCE)
DROP TENANT t PURGE;
--> DropTenant(name='t', mode=DropMode.PURGE)
DROP RESOURCE POOL IF EXISTS p;
--> DropResourcePool(name='p', if_exists=True)
DROP RESOURCE UNIT u;
--> DropResourceUnit(name='u')
SHOW TENANTS;
SHOW TENANT;
--> ShowTenants()

-- ==== names that are keywords ====

ALTER SYSTEM BACKUP TENANT = tenant, restore, plus, description DESCRIPTION='d';
--> Backup(tenants=('tenant', 'restore', 'plus', 'description'), description='d')
ALTER SYSTEM CANCEL RESTORE cancel;
--> CancelRestore(tenant='cancel')

-- ==== comments, case, blanks ====

/* why */ aLtEr -- because
  SyStEm # and
  BACKUP/**/DATABASE /*!50000 PLUS ARCHIVELOG */;
--> Backup(database=True, plus_archivelog=True)

-- ==== known to the old grammar, not ours ====

ALTER SYSTEM BACKUP BACKUPSET ALL TENANT = t BACKUP_BACKUP_DEST = 'file:///b';
--> NotOurs(feature='BACKUP BACKUPSET')
ALTER SYSTEM BACKUP BACKUPPIECE 1 WITH ACTIVE;
--> NotOurs(feature='BACKUP BACKUPPIECE')
ALTER SYSTEM START BACKUP ARCHIVELOG;
--> NotOurs(feature='START BACKUP ARCHIVELOG')
ALTER SYSTEM STOP BACKUP ARCHIVELOG;
--> NotOurs(feature='STOP BACKUP ARCHIVELOG')
ALTER SYSTEM SUSPEND BACKUP;
--> NotOurs(feature='SUSPEND BACKUP')
ALTER SYSTEM RESUME BACKUP;
--> NotOurs(feature='RESUME BACKUP')
ALTER SYSTEM CANCEL BACKUP BACKUPSET;
--> NotOurs(feature='CANCEL BACKUP BACKUPSET')
ALTER SYSTEM CANCEL BACKUP BACKUPPIECE;
--> NotOurs(feature='CANCEL BACKUP BACKUPPIECE')
ALTER SYSTEM CANCEL ALL BACKUP FORCE;
--> NotOurs(feature='CANCEL ALL BACKUP FORCE')
ALTER SYSTEM VALIDATE DATABASE COPY 1;
--> NotOurs(feature='VALIDATE DATABASE')
ALTER SYSTEM VALIDATE BACKUPSET 1;
--> NotOurs(feature='VALIDATE BACKUPSET 1')
ALTER SYSTEM CANCEL VALIDATE 1;
--> NotOurs(feature='CANCEL VALIDATE')
ALTER SYSTEM DELETE EXPIRED BACKUP COPY 1;
--> NotOurs(feature='DELETE EXPIRED BACKUP')
ALTER SYSTEM DELETE BACKUPROUND 1;
--> NotOurs(feature='DELETE BACKUPROUND')
ALTER SYSTEM DELETE BACKUPSET 1 COPY 2;
--> NotOurs(feature='DELETE BACKUPSET 1 COPY')
ALTER SYSTEM DELETE BACKUPPIECE 1;
--> NotOurs(feature='DELETE BACKUPPIECE')
