# shellcheck shell=bash
# The stores: own ones by scripts/services, or those that were given; in them a schema and a keyspace. Read by scripts/cluster.
# shellcheck disable=SC2154 # $root, $data, $cache, $store_nodes, $postgres and $cql are that script's.

services() {
    "$root/scripts/services" "$@" --data "$data/services" --cache "$cache"
}

# Whether the stores were given; else they are the cluster's own.
were_given() { [[ -s $data/postgres && ! -e $data/services ]]; }

# Starts them if they do not run, and notes where they are: own ones may have other ports than last time.
start_stores() {
    local addresses
    [[ -s $data/name ]] || note name "cluster_$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')"
    if [[ -n $postgres ]]; then
        [[ ! -e $data/services ]] || stop "this cluster has stores of its own: begin anew with \`down --delete\`"
        addresses=${cql//[^,]/}
        note replication "${store_nodes:-$((${#addresses} >= 2 ? 3 : 1))}"
    elif were_given; then
        postgres=$(noted postgres) cql=$(noted cql)
    else
        store_nodes=${store_nodes:-$(noted store-nodes 1)}
        services up --nodes "$store_nodes"
        note store-nodes "$store_nodes"
        note replication "$store_nodes"
        addresses=$(services env)
        postgres=$(sed -n 's/^ROOKERY_TEST_POSTGRES=//p' <<<"$addresses")
        cql=$(sed -n 's/^ROOKERY_TEST_CQL=//p' <<<"$addresses")
    fi
    note postgres "$postgres"
    note cql "$cql"
    sql "CREATE SCHEMA IF NOT EXISTS $(noted name)" || stop "the schema cannot be made in PostgreSQL"
    local joint='?'
    [[ $postgres != *\?* ]] || joint='&'
    note postgres.url "$postgres${joint}options[search_path]=$(noted name)"
}

# sql STATEMENT
sql() {
    local psql
    psql=$(command -v psql || compgen -G '/usr/lib/postgresql/*/bin/psql' | sort -V | tail -n 1)
    [[ -n $psql ]] || stop "psql is missing; on Debian: apt-get install postgresql-client"
    PGOPTIONS='-c client_min_messages=warning' "$psql" "$(noted postgres)" --quiet --no-psqlrc -c "$1"
}

# Own ones end with the cluster.
stop_stores() {
    [[ ! -e $data/services ]] || services down
}

# Own ones go whole; in others only what is the cluster's.
forget_stores() {
    if [[ -e $data/services ]]; then
        services down --delete
        rm -rf "$data/services"
    elif were_given; then
        sql "DROP SCHEMA IF EXISTS $(noted name) CASCADE" || stop "the schema $(noted name) could not be dropped"
        drop_keyspace "$(noted name)" || stop "the keyspace $(noted name) could not be dropped"
    fi
}

# drop_keyspace NAME: by the first server that takes it. There is no other client of CQL here than this.
drop_keyspace() {
    local address
    for address in $(noted cql | tr ',' ' '); do
        if (cql "${address%:*}" "${address##*:}" "DROP KEYSPACE IF EXISTS $1"); then return 0; fi
    done
    return 1
}

# cql HOST PORT STATEMENT: version 4 of the native protocol: STARTUP, READY, QUERY at ONE, and what comes back.
cql() {
    exec 3<>"/dev/tcp/$1/$2" || return 1
    printf '\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0' >&3
    cql_answer 02 || return 1
    printf '\x04\x00\x00\x00\x07%b%b%s\x00\x01\x00' "$(four_bytes $((${#3} + 7)))" "$(four_bytes ${#3})" "$3" >&3
    cql_answer 08
}

# four_bytes NUMBER, as printf's %b takes them.
four_bytes() {
    printf '%08x' "$1" | sed 's/../\\x&/g'
}

# cql_answer OPCODE: whether the answer is of this kind; what it says if not.
cql_answer() {
    local header length
    read -r -a header <<<"$(timeout 30 head -c 9 <&3 | od -An -tx1)"
    [[ ${#header[@]} = 9 ]] || return 1
    length=$((16#${header[5]}${header[6]}${header[7]}${header[8]}))
    if [[ ${header[4]} != "$1" ]]; then
        timeout 5 head -c "$length" <&3 | tr -cd '[:print:]' >&2
        printf '\n' >&2
        return 1
    fi
    timeout 5 head -c "$length" <&3 >/dev/null
}
