# shellcheck shell=bash
# PostgreSQL from Debian's packages, in a folder of its own. Read by scripts/services.
# shellcheck disable=SC2154 # $data is that script's.

find_postgres() {
    local found
    found=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)
    if [[ -n $found ]]; then
        programs=${found%/initdb}
    elif command -v initdb pg_ctl createdb >/dev/null; then
        programs=$(dirname "$(command -v initdb)")
    else
        return 1
    fi
}

fetch_postgres() {
    find_postgres && return 0
    if [[ $(id -u) = 0 && ! -e /etc/postgresql-common/createcluster.conf ]]; then
        # Else the package starts a server of its own on the usual port.
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    install "PostgreSQL" postgresql
    find_postgres || stop "PostgreSQL is missing and Debian did not bring it"
}

# PostgreSQL refuses to run as root, so there it runs as the user that its package made.
as_postgres=()
[[ $(id -u) != 0 ]] || as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups --)

# Where the data lies: in our folder if its user may go there, else in one that it may.
postgres_folder() {
    local place=$data/postgres/place folder
    if [[ ! -e $place ]]; then
        folder=$data/postgres/server
        mkdir -p "$folder"
        [[ $(id -u) != 0 ]] || chown postgres: "$folder"
        if ! "${as_postgres[@]}" test -w "$folder"; then
            rmdir "$folder"
            folder=$(mktemp -d -t rookery-postgres.XXXXXX)
            chown postgres: "$folder"
        fi
        printf '%s\n' "$folder" >"$place"
    fi
    cat "$place"
}

# Where its user may read it too.
postgres_secret() {
    printf '%s/password\n' "$(postgres_folder)"
}

# The password crosses loopback as it is: proving it by SCRAM takes a test's unoptimised client longer than all else.
make_postgres() {
    local folder=$1 secret
    secret=$(postgres_secret)
    (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$secret")
    [[ $(id -u) != 0 ]] || chown postgres: "$secret"
    if ! "${as_postgres[@]}" "$programs/initdb" --pgdata "$folder/data" --username rookery --pwfile "$secret" \
        --auth password --encoding UTF8 --locale C.UTF-8 --no-sync >"$data/postgres/initdb.log" 2>&1; then
        cat "$data/postgres/initdb.log" >&2
        stop "initdb failed"
    fi
}

# Tests and developers need no power cuts survived: without fsync what was written is still kept when the server is killed.
launch_postgres() {
    mkdir -p "$data/postgres"
    local folder port
    if runs "$data/postgres/pid"; then return 0; fi
    folder=$(postgres_folder)
    [[ -e $folder/data/PG_VERSION ]] || make_postgres "$folder"
    port=$(cat "$data/postgres/port" 2>/dev/null || free_port 127.0.0.1)
    ! taken "$port" 127.0.0.1 || port=$(free_port 127.0.0.1)
    printf '%s\n' "$port" >"$data/postgres/port"
    rm -f "$folder/data/postmaster.pid"
    (
        cd "$folder" || exit
        setsid "${as_postgres[@]}" "$programs/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 \
            -c unix_socket_directories= -c fsync=off -c shared_buffers=64MB -c max_connections=300 \
            </dev/null >"$data/postgres/server.log" 2>&1 9>&- &
        note_process "$data/postgres/pid" $!
    )
}

postgres_answers() {
    "$programs/pg_isready" --quiet --host 127.0.0.1 --port "$(<"$data/postgres/port")"
}

wait_for_postgres() {
    if ! wait_until postgres_answers "$data/postgres/pid"; then
        tail -n 15 "$data/postgres/server.log" >&2
        stop "PostgreSQL did not start"
    fi
    local url
    url=$(postgres_url postgres)
    if [[ -z $("$programs/psql" "$url" -Atc "SELECT 1 FROM pg_database WHERE datname = 'rookery'") ]]; then
        "$programs/psql" "$url" --quiet -c 'CREATE DATABASE rookery'
    fi
}

# postgres_url DATABASE
postgres_url() {
    printf 'postgres://rookery:%s@127.0.0.1:%s/%s\n' "$(<"$(postgres_secret)")" "$(<"$data/postgres/port")" "$1"
}
