"""Privacy: what is kept of a person with their consent, what they get of it, and how it is erased for good.

clips.py      the sound of what was said, kept for those who allow it, for some days
erasing.py    an erasure from the first row to the last file, and its check
backups.py    backups that hold what was erased, replaced by one that does not
receipts.py   receipts beside the backups, by which a restored one is cleaned
upkeep.py     the service that finishes what was begun and lets old sound go
exporting.py  all that is somebody's, in one ZIP
"""
