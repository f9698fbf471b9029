# archive_command: sh archive-segment.sh %p %f ARCHIVE BYTES
# Keeps one finished segment of the server's log of changes in the folder ARCHIVE: written aside, on the disk, renamed,
# never overwritten. Past so many BYTES of waiting segments it lets them go and notes the gap beside the server's data.
set -u
umask 077
kept=$3/$2.gz
part=$3/.$2.part
give_up() {
    why=$1
    rm -f -- "$part"
    set -- pg_wal/archive_status/*.ready
    if [ $(($# * bytes_each)) -gt "$most_bytes" ]; then
        [ -e ../archive-gap ] || date -u +%Y-%m-%dT%H:%M:%SZ > ../archive-gap
        exit 0
    fi
    echo "$why" >&2
    exit 1
}
[ -e ../archive-off ] && exit 0
most_bytes=$4
bytes_each=$(wc -c < "$1")
if [ -e "$kept" ]; then
    gzip -dc < "$kept" | cmp -s - "$1" && exit 0
    give_up "another segment is archived as $kept"
fi
rm -f -- "$part"
gzip -1 -n -c < "$1" > "$part" || give_up "cannot write $part"
sync "$part" || give_up "cannot sync $part"
mv -- "$part" "$kept" || give_up "cannot rename $part"
sync "$3" || exit 1
