"""Backups that were restored once before they count, and the log of changes from which any minute can be recovered.

folder.py        where they lie, and the manifest beside each
contents.py      what a database holds: rows and a checksum of each table
programs.py      PostgreSQL's programs, which fit which server, and what their failures mean
source.py        the database that is kept safe, and one view of it
dumps.py         one dump and its contents, in one snapshot
cluster.py       a server beside the household's, to prove or to recover with
verification.py  a dump counts once it was restored and holds what it held
restoring.py     a dump back in the place of the database, which is kept under another name
rotation.py      which ones are kept
wal.py           the server's log of changes, segment by segment, into the archive
base.py          weekly copies of the whole server, from which the archived log is replayed
recovery.py      the server as it was at a moment, in the place of the present one, which is kept beside it
routine.py       all of it in the order of a night
"""
