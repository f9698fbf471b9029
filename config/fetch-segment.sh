# restore_command: sh fetch-segment.sh %f %p ARCHIVE REST...
# Gives a recovery one segment of the log of changes: from ARCHIVE, or from a REST, the pg_wal of a server that was
# replaced before it could archive all. A status above 125 ends the recovery; 1 means that there is no such segment.
set -u
name=$1
target=$2
kept=$3/$1.gz
shift 3
[ -e "$kept" ] && gzip -dc < "$kept" > "$target" && exit 0
for rest; do
    if [ -e "$rest/$name" ]; then
        cp -- "$rest/$name" "$target" || exit 200
        exit 0
    fi
done
[ -e "$kept" ] || exit 1
echo "the archived $name is damaged" >&2
exit 200
