# shellcheck shell=bash
# The one address for clients, before all nodes. Read by scripts/cluster.
# shellcheck disable=SC2154 # $data and $binary are that script's.

front_url() { printf 'http://127.0.0.1:%s\n' "$(noted front/port)"; }

# Starts it, and starts it again when the nodes are not those any more that it knows.
start_front() {
    local node nodes=() port
    for ((node = 1; node <= $(size); node++)); do nodes+=(--node "http://127.0.0.1:$(port_of "$node" public)"); done
    if runs "$data/front/pid"; then
        [[ $(noted front/nodes) != "${nodes[*]}" ]] || return 0
        end_front
    fi
    mkdir -p "$data/front"
    port=$(noted front/port)
    if [[ -z $port ]] || ! are_free "$port"; then
        read -r port _ <<<"$(choose_ports)"
        note front/port "$port"
    fi
    setsid "$binary" front --listen "127.0.0.1:$port" "${nodes[@]}" </dev/null >>"$data/logs/front.log" 2>&1 9>&- &
    note_process "$data/front/pid" $!
    note front/nodes "${nodes[*]}"
    if ! wait_until "is_ready '$port'" "$data/front/pid"; then
        tail -n 15 "$data/logs/front.log" >&2 || true
        stop "no node can be reached by the one address; the whole log is $data/logs/front.log"
    fi
}

end_front() {
    [[ ! -e $data/front/pid ]] || end_process "$data/front/pid" 10
}

front_as_json() {
    if runs "$data/front/pid"; then printf '"%s"\n' "$(front_url)"; else echo null; fi
}

front_status() {
    if runs "$data/front/pid"; then
        printf '%-8s %-10s pid %-8s %s\n' clients '' "$(process_id "$data/front/pid")" "$(front_url)"
    else
        printf '%-8s down\n' clients
    fi
}
