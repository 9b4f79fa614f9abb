# shellcheck shell=bash
# The nodes: their files, ports, settings and processes. Read by scripts/cluster.
# shellcheck disable=SC2154 # $data, $binary and $count are that script's.

folder_of() { printf '%s\n' "$data/nodes/node-$1"; }

# port_of NODE public|admin|cluster: as they stand in the file, in this order.
port_of() {
    local ports
    read -r -a ports <"$(folder_of "$1")/ports"
    case $2 in
    public) printf '%s\n' "${ports[0]}" ;;
    admin) printf '%s\n' "${ports[1]}" ;;
    cluster) printf '%s\n' "${ports[2]}" ;;
    esac
}

# What all nodes share: who vouches for them, the secret, the operators' token.
prepare_cluster() {
    mkdir -p "$data/nodes" "$data/logs"
    [[ -e $data/authority ]] || "$binary" cluster init --out "$data/authority" --name "$(noted name | tr _ -)" >/dev/null
    [[ -e $data/admin.token ]] || note admin.token "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
}

# prepare_node NODE: its certificate, and its ports, which stay unless somebody else has taken them.
prepare_node() {
    local folder
    folder=$(folder_of "$1")
    mkdir -p "$folder"
    [[ -e $folder/identity ]] ||
        "$binary" cluster node --ca "$data/authority" --id "node-$1" --host 127.0.0.1 --out "$folder/identity" >/dev/null
    if runs "$folder/pid"; then return 0; fi
    if [[ ! -e $folder/ports ]] || ! are_free "$(port_of "$1" public)" "$(port_of "$1" cluster)"; then
        rm -f "$folder/ports"
        choose_ports >"$folder/ports.new"
        mv "$folder/ports.new" "$folder/ports"
    fi
}

# are_free PORT...: each and the one after it, for TCP, and for UDP, where nodes gossip.
are_free() {
    local port
    for port; do
        if taken "$port" 127.0.0.1 || taken "$((port + 1))" 127.0.0.1 || taken_by_gossip "$port"; then return 1; fi
    done
}

# taken_by_gossip PORT: whether somebody has it for UDP.
taken_by_gossip() {
    local port
    printf -v port '%04X' "$1"
    awk -v port=":$port\$" '$2 ~ port { found = 1 } END { exit !found }' /proc/net/udp /proc/net/udp6 2>/dev/null
}

# Three ports that nobody has, and that no other node of the cluster was given.
choose_ports() {
    local public cluster
    while :; do
        public=$(free_port 127.0.0.1)
        cluster=$(free_port 127.0.0.1)
        [[ $public != "$cluster" ]] || continue
        if grep -qwE "$public|$cluster" "$data"/nodes/*/ports "$data/front/port" 2>/dev/null; then continue; fi
        ! are_free "$public" "$cluster" || break
    done
    printf '%s %s %s\n' "$public" "$((public + 1))" "$cluster"
}

# write_settings NODE: every other node is a seed, so that all may start at the same moment.
write_settings() {
    local folder other seeds=()
    folder=$(folder_of "$1")
    for ((other = 1; other <= $(size); other++)); do
        [[ $other = "$1" ]] || seeds+=("\"127.0.0.1:$(port_of "$other" cluster)\"")
    done
    (
        umask 077
        cat >"$folder/rookery.toml" <<END
# Written by scripts/cluster at every start; what stands in the environment (ROOKERY_SECTION__KEY) wins.

[server]
listen = "127.0.0.1:$(port_of "$1" public)"
admin_listen = "127.0.0.1:$(port_of "$1" admin)"
data = '$folder/data'

[auth]
admin_token_file = '$data/admin.token'

[store]
kind = "cluster"
postgres_file = '$data/postgres.url'
cql = ["$(noted cql | sed 's/,/", "/g')"]
keyspace = "$(noted name)"
replication = $(noted replication)

[cluster]
node = "node-$1"
listen = "127.0.0.1:$(port_of "$1" cluster)"
seeds = [$(IFS=, && printf '%s' "${seeds[*]}")]
authority = '$folder/identity/authority.pem'
certificate = '$folder/identity/certificate.pem'
key = '$folder/identity/key.pem'
secret_file = '$folder/identity/secret'

[media]
folder = '$data/media'

[log]
format = "human"
END
    )
}

# launch NODE: starts it, or lets it go on; one that runs is left alone.
launch() {
    local folder
    folder=$(folder_of "$1")
    if runs "$folder/pid"; then
        kill -s CONT "$(process_id "$folder/pid")"
        return 0
    fi
    setsid "$binary" serve --config "$folder/rookery.toml" </dev/null >>"$data/logs/node-$1.log" 2>&1 9>&- &
    note_process "$folder/pid" $!
}

is_paused() {
    grep -q '^State:.T' "/proc/$(process_id "$(folder_of "$1")/pid")/status" 2>/dev/null
}

# ask PORT PATH: what an HTTP server on loopback answers; nothing where it is silent for a second.
ask() {
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' "$2" "$(noted admin.token)" >&3
        while IFS= read -r -t 1 -u 3 line; do printf '%s\n' "$line"; done
    ) 2>/dev/null
}

# is_ready PORT
is_ready() {
    [[ $(ask "$1" /readyz | sed -n 1p) = 'HTTP/1.1 200 '* ]]
}

# is_whole NODE: it sees every node, and has a link to every other.
is_whole() {
    local metrics all
    all=$(size)
    metrics=$(ask "$(port_of "$1" admin)" /metrics) || return 1
    grep -qx "rookery_members $all.\?" <<<"$metrics" || return 1
    [[ $all = 1 ]] || grep -qx "rookery_links $((all - 1)).\?" <<<"$metrics"
}

wait_until_ready() {
    wait_until "is_ready '$(port_of "$1" public)'" "$(folder_of "$1")/pid" || has_not_come_up "$1" "is not ready"
}

wait_until_whole() {
    wait_until "is_whole '$1'" "$(folder_of "$1")/pid" || has_not_come_up "$1" "does not see the other nodes"
}

has_not_come_up() {
    tail -n 15 "$data/logs/node-$1.log" >&2 || true
    stop "node-$1 $2; the whole log is $data/logs/node-$1.log"
}
