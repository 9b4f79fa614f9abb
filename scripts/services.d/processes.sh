# shellcheck shell=bash
# Processes by their ids, and ports that nobody has. Read by scripts/services and scripts/cluster.

# note_process FILE ID: keeps the id together with its start time, as ids are given again.
note_process() {
    printf '%s %s\n' "$2" "$(start_time "$2")" >"$1"
}

# The 22nd field of stat; the name before it may hold anything, up to the last bracket.
start_time() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# runs FILE: whether that very process is there, and more than a corpse.
runs() {
    local id start
    read -r id start 2>/dev/null <"$1" || return 1
    [[ -n $start && $(start_time "$id") = "$start" ]] && ! grep -q '^State:.Z' "/proc/$id/status" 2>/dev/null
}

# process_id FILE
process_id() {
    cut -d ' ' -f 1 "$1"
}

# end_process FILE SECONDS [SIGNAL]: asks it to end, and after so many seconds ends it.
end_process() {
    local file=$1 until=$((SECONDS + $2)) signal=${3:-TERM}
    if runs "$file"; then
        [[ $2 = 0 ]] || kill -s "$signal" "$(process_id "$file")"
        while runs "$file" && [[ $SECONDS -lt $until ]]; do sleep 0.05; done
        ! runs "$file" || kill -s KILL "$(process_id "$file")"
        while runs "$file"; do sleep 0.05; done
    fi
    rm -f "$file"
}

# wait_until CONDITION FILE: fails when the process of the file ends, or after two minutes.
wait_until() {
    local until=$((SECONDS + 120))
    until eval "$1"; do
        runs "$2" && [[ $SECONDS -lt $until ]] || return 1
        sleep 0.05
    done
}

# taken PORT ADDRESS: whether somebody listens there, or on every address.
taken() {
    local port address
    printf -v port '%04X' "$1"
    # shellcheck disable=SC2046,SC2183 # The parts of the address are the four arguments.
    printf -v address '%02X%02X%02X%02X' $(tac -s . <<<"$2." | tr '.\n' '  ')
    awk -v any="00000000:$port" -v own="$address:$port" -v port=":$port$" \
        '$4 == "0A" && ($2 == any || $2 == own || (length($2) > 13 && $2 ~ port)) { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# free_port ADDRESS...: a port that with the one after it is free at each of them, below those that the kernel gives to clients.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 6000 * 2))
        if free_at "$port" "$@"; then break; fi
    done
    printf '%s\n' "$port"
}

# free_at PORT ADDRESS...
free_at() {
    local port=$1 address
    shift
    for address in "$@"; do
        if taken "$port" "$address" || taken "$((port + 1))" "$address"; then return 1; fi
    done
}
