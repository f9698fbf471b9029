#!/bin/sh
# Recovery to any minute for the PostgreSQL of docker-compose.yml: a proved copy of the whole server each week, from which
# its archived log of changes is replayed. The server itself archives that log, by archive-segment.sh.
#
#   watch                        look every ten minutes whether a copy is due; what the service `archive` runs
#   now                          make a copy now
#   list                         to what moments one can go back
#   restore "2026-11-20 10:15"   the server as it was then, in household time (TZ); the present one is kept beside it
#
#   /archive/wal/NAME.gz         the log, segment by segment
#   /archive/base-SECONDS/       a copy; from that second (Unix time) on any moment can be recovered
#   /archive/state               when this last looked, the newest copy, the last failure: Mordomo reads it
#   /archive/timelines           since when (Unix time) the server lives on which timeline
set -u
umask 077
ARCHIVE=${ARCHIVE:-/archive}
SCRIPTS=${SCRIPTS:-/etc/postgresql}
KEEP_BASES=${KEEP_BASES:-2}
PGSOCKETS=${PGSOCKETS:-/var/run/postgresql}
PLACE=${PGDATA%/*}
WAITING_BYTES=1073741824
WEEK_S=601200 # less an hour: the look may come a little earlier than last time
MOST_S=691200
RETRY_S=1800
LOOK_S=600
export PGHOST="$PGSOCKETS" PGDATABASE=postgres LC_ALL=C

fail() {
    echo "$*" >&2
    exit 1
}

alone() { # no other copy or recovery may be under way
    exec 9> "$ARCHIVE/.lock" && flock -n 9 || fail 'Outra cópia ou restauração está em curso. Espere que termine.'
}

bases() { # the seconds of all copies, the newest first
    for folder in "$ARCHIVE"/base-*; do
        seconds=${folder##*/base-}
        case $seconds in '' | *[!0-9]*) ;; *) echo "$seconds" ;; esac
    done | sort -rn
}

newest() { bases | head -n 1; }

local_time() { date -d "@$1" '+%d/%m/%Y %H:%M:%S'; }

state() { sed -n "s/^$1=//p" "$ARCHIVE/state" 2>/dev/null; }

note() { # FAILED WHY: write the state down, readable for Mordomo, which is another user
    printf 'looked=%s\nbase=%s\nfailed=%s\nwhy=%s\n' "$(date +%s)" "$(newest)" "$1" "$2" > "$ARCHIVE/.state" &&
        chmod 711 "$ARCHIVE" && chmod 644 "$ARCHIVE/.state" && mv "$ARCHIVE/.state" "$ARCHIVE/state"
}

# A server beside the house's. serve FOLDER SETTINGS: start it and wait until it takes connections.
serve() {
    sockets=$(mktemp -d /tmp/keeper-XXXXXX)
    served=$1
    # What ALTER SYSTEM once set must not disturb the proof, nor be lost.
    [ ! -e "$1/postgresql.auto.conf" ] || mv "$1/postgresql.auto.conf" "$1/auto.aside"
    echo 'local all all trust' > "$1/keeper-hba.conf"
    cat > "$1/keeper.conf" <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$sockets'
hba_file = '$1/keeper-hba.conf'
hot_standby = off
shared_buffers = 32MB
logging_collector = off
lc_messages = 'C'
$2
SETTINGS
    pg_ctl start -D "$1" -w -t 86400 -l "$PLACE/keeper.log" -o "-c 'config_file=$1/keeper.conf'" > /dev/null 2>&1 9>&- ||
        return 1
    # pg_ctl is content with a server that still recovers.
    until PGHOST=$sockets pg_isready -q; do
        [ -e "$1/postmaster.pid" ] || return 1
        sleep 0.2
    done
}

unserve() { # stop it, and take away what serve put there
    [ -n "${served:-}" ] || return 0
    pg_ctl stop -D "$served" -m fast -w -t 600 > /dev/null 2>&1
    rm -rf "$sockets"
    rm -f "$served/keeper.conf" "$served/keeper-hba.conf"
    [ ! -e "$served/auto.aside" ] || mv "$served/auto.aside" "$served/postgresql.auto.conf"
    served=
}

why() { # the end of what the last server said, on one line
    tail -n 3 "$PLACE/keeper.log" 2>/dev/null | tr '\n' ' '
}

unpack() { # COPY FOLDER: unpack and compare every file with what the server said of it
    mkdir "$2" && tar -xzf "$1/base.tar.gz" -C "$2" && tar -xzf "$1/pg_wal.tar.gz" -C "$2/pg_wal" &&
        pg_verifybackup -q -m "$1/backup_manifest" "$2" 2> "$PLACE/keeper.log"
}

read_all() { PGHOST=$sockets pg_dumpall --no-role-passwords > /dev/null 2>> "$PLACE/keeper.log"; }

# take: copy the server, have a server rise from the copy, read its every row, and let old copies go.
take() {
    part=$ARCHIVE/base.part
    proof=$PLACE/proof
    rm -rf "$part" "$proof"
    mkdir -p "$ARCHIVE/wal" || return 1
    if ! pg_basebackup -D "$part" -Ft -z -X stream --checkpoint=fast --no-password --manifest-checksums=SHA256 \
        2> "$PLACE/keeper.log"; then
        reason="não consegui copiar o servidor: $(why)"
        rm -rf "$part"
        return 1
    fi
    seconds=$(($(date +%s) + 1))
    psql -qAt -c 'SELECT pg_switch_wal()' > /dev/null
    if ! unpack "$part" "$proof"; then
        reason="a cópia do servidor não voltou igual: $(why)"
        rm -rf "$proof" "$part"
        return 1
    fi
    sed -n 's/^START WAL LOCATION: .*(file \(.*\))$/\1/p' "$proof/backup_label" > "$part/first"
    du -sk "$proof" | cut -f 1 > "$part/kilobytes"
    if serve "$proof" "$(printf 'archive_mode = off\nfsync = off\nautovacuum = off')" && read_all; then
        proved=yes
    else
        proved=
    fi
    reason="nenhum servidor se ergueu da cópia: $(why)"
    unserve
    rm -rf "$proof"
    if [ -z "$proved" ]; then
        rm -rf "$part"
        return 1
    fi
    sync "$part"/*
    mv "$part" "$ARCHIVE/base-$seconds" && sync "$ARCHIVE" || return 1
    rm -f "$PLACE/archive-gap"
    prune
}

prune() { # all but the newest copies, and the log that only the others needed
    for seconds in $(bases | tail -n "+$((KEEP_BASES + 1))"); do
        rm -rf "$ARCHIVE/base-$seconds"
    done
    oldest=$(bases | tail -n 1)
    pg_archivecleanup -x .gz "$ARCHIVE/wal" "$(cat "$ARCHIVE/base-$oldest/first")"
    find "$ARCHIVE/wal" -name '*.backup.gz' ! -newer "$ARCHIVE/base-$oldest/first" -exec rm -f {} +
}

due() {
    last=$(newest)
    failed=$(state failed)
    now=$(date +%s)
    [ -z "$failed" ] || [ $((now - failed)) -ge $RETRY_S ] || [ "$failed" -gt "$now" ] || return 1
    [ -n "$last" ] && [ ! -e "$PLACE/archive-gap" ] && [ -z "$failed" ] || return 0
    age=$((now - last))
    [ $age -ge $MOST_S ] || { [ $age -ge $WEEK_S ] && [ "$(date +%H)" = 03 ]; }
}

try() { # take a copy, and note how it went
    if take; then
        note '' ''
    else
        note "$(date +%s)" "$reason"
        echo "$reason" >&2
        return 1
    fi
}

look() {
    mkdir -p "$ARCHIVE/wal"
    if due; then
        try
    else
        note "$(state failed)" "$(state why)"
    fi
}

# The last copy that was whole by then, and the timeline that was lived at that moment.
base_for() { for seconds in $(bases); do [ "$seconds" -le "$1" ] && echo "$seconds" && return; done; }

timeline_at() { # COPY MOMENT FOLDER
    living=$(pg_controldata "$3" | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
    while read -r since timeline; do
        [ "$1" -lt "$since" ] && [ "$since" -le "$2" ] && living=$timeline
    done 2>/dev/null < "$ARCHIVE/timelines"
    echo "$living"
}

recovered() { # FOLDER MOMENT COPY: replay the log up to the moment
    line=$(timeline_at "$3" "$2" "$1")
    rest=
    for folder in "$PGDATA" "$PGDATA"-before-*; do
        rest="$rest \"$folder/pg_wal\""
    done
    common="archive_mode = on
archive_command = 'sh \"$SCRIPTS/archive-segment.sh\" %p %f \"$ARCHIVE/wal\" $WAITING_BYTES'
restore_command = 'sh \"$SCRIPTS/fetch-segment.sh\" %f %p \"$ARCHIVE/wal\"$rest'
recovery_target_timeline = $line"
    touch "$1/recovery.signal"
    target="recovery_target_time = '$(date -u -d "@$2" '+%Y-%m-%d %H:%M:%S')+00'
recovery_target_action = promote"
    : > "$PLACE/keeper.log"
    serve "$1" "$common
$target" && return
    grep -q 'recovery ended before configured recovery target was reached' "$PLACE/keeper.log" || return 1
    unserve
    echo 'O registro de mudanças termina antes desse momento: volto até onde ele vai.'
    serve "$1" "$common"
}

archive_rest() { # what a killed server had finished and not archived: later recoveries need it too
    cd "$PGDATA" 2> /dev/null || return 0
    for ready in pg_wal/archive_status/*.ready; do
        name=$(basename "$ready" .ready)
        [ ! -e "pg_wal/$name" ] ||
            sh "$SCRIPTS/archive-segment.sh" "pg_wal/$name" "$name" "$ARCHIVE/wal" "$WAITING_BYTES"
    done
    cd /
}

restore() {
    alone
    pg_isready -q
    [ $? -eq 2 ] || fail 'O servidor está ligado. Desligue-o antes: docker compose stop mordomo postgres archive'
    at=$(date -d "$1" +%s 2>/dev/null) || fail "Não entendi o momento \"$1\". Escreva assim: \"2026-11-20 10:15\"."
    now=$(date +%s)
    [ "$at" -le "$now" ] || fail 'Esse momento ainda não chegou. Escolha um que já passou.'
    base=$(base_for "$at")
    first=$(bases | tail -n 1)
    [ -n "$first" ] || fail "Não há cópia do servidor inteiro em $ARCHIVE."
    [ -n "$base" ] || fail "Só consigo voltar a momentos depois de $(local_time "$first")."
    copy=$ARCHIVE/base-$base
    needed=$(($(cat "$copy/kilobytes") + 65536))
    free=$(df -Pk "$PLACE" | awk 'END { print $4 }')
    [ "$free" -gt "$needed" ] || fail "Preciso de $((needed / 1024)) MB livres em $PLACE, e há $((free / 1024))."
    fresh=$PLACE/recovered
    before=$PGDATA-before-$now
    while [ -e "$before" ]; do before=$before-; done
    rm -rf "$fresh"
    archive_rest
    trap 'unserve; rm -rf "$fresh"' EXIT
    unpack "$copy" "$fresh" || fail "A cópia $copy está corrompida: $(why) Nada foi mudado."
    recovered "$fresh" "$at" "$base" || fail "Não consegui voltar a esse momento: $(why) Nada foi mudado."
    read_all || fail "O que voltou não se lê por inteiro: $(why) Nada foi mudado."
    unserve
    line=$(pg_controldata "$fresh" | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
    rm -f "$fresh/recovery.signal" "$fresh/backup_label.old" "$fresh/tablespace_map.old"
    sync
    # Between these two the image would make an empty server: start nothing meanwhile.
    [ ! -e "$PGDATA" ] || mv "$PGDATA" "$before"
    mv "$fresh" "$PGDATA"
    trap - EXIT
    echo "$(date +%s) $line" >> "$ARCHIVE/timelines" # the new one begins with the next start
    sync
    echo "Pronto: o servidor é o de $(local_time "$at"). Ligue tudo de novo: docker compose up -d"
    [ ! -e "$before" ] || echo "O que havia antes está em $before; apague essa pasta quando não precisar mais dela."
}

list() {
    [ -n "$(newest)" ] || fail "Ainda não há cópia do servidor inteiro em $ARCHIVE."
    for seconds in $(bases); do
        echo "cópia de $(local_time "$seconds"), restaurada e lida por inteiro"
    done
    last=$({ find "$ARCHIVE/wal" -name '*.gz' -exec stat -c %Y {} + && newest; } | sort -n | tail -n 1)
    echo "A qualquer segundo de $(local_time "$(bases | tail -n 1)") a $(local_time "$last") se volta."
}

if [ "$(id -u)" = 0 ]; then # a new volume is root's; the server's user keeps it
    chown postgres "$ARCHIVE" "$PLACE" && exec gosu postgres sh "$0" "$@"
fi
case ${1:-} in
    watch)
        trap "exit 0" INT TERM
        while :; do
            (alone && look) &
            wait $!
            sleep "$LOOK_S" &
            wait $!
        done
        ;;
    now)
        alone
        try
        ;;
    health) [ $(($(date +%s) - $(state looked))) -lt $((3 * LOOK_S)) ] ;;
    list) list ;;
    restore) restore "${2:-}" ;;
    *) fail 'Use: watch, now, list, ou restore "2026-11-20 10:15"' ;;
esac
