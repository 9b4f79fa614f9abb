# shellcheck shell=bash
# Apache Cassandra from Maven Central: its jars, an archive of its classes, and nodes. Read by scripts/services.
# shellcheck disable=SC2154 # $parts, $cache, $data and $nodes are that script's.

heap=768m

cassandra_version() {
    sed -n 's|.*<cassandra.version>\(.*\)</cassandra.version>.*|\1|p' "$parts/pom.xml"
}

# Cassandra 5.0 runs on Java 17 (and 11), and not on newer ones.
find_java() {
    local candidate
    for candidate in java /usr/lib/jvm/java-17-*/bin/java; do
        if "$candidate" -version 2>&1 | grep -q ' version "17\.'; then
            java=$candidate
            return 0
        fi
    done
    return 1
}

find_jars() {
    [[ -n $(compgen -G "$jars/cassandra-all-*.jar") ]]
}

# Once a machine: what stays in the cache is taken from there.
fetch_cassandra() {
    find_java || install "Java 17" openjdk-17-jdk-headless
    find_java || stop "Java 17 is missing and Debian did not bring it: Cassandra 5.0 needs it"
    find_jars && return 0
    command -v mvn >/dev/null || install "Maven" maven
    say "fetching Apache Cassandra $(cassandra_version) (90 MB, once)"
    rm -rf "$jars" "$jars.new"
    mvn --quiet --batch-mode --file "$parts/pom.xml" -Djars="$jars.new" package >&2 ||
        stop "Maven could not fetch Cassandra"
    # What is for other systems, and a driver that a server does not need.
    rm -f "$jars.new"/*-{osx,windows}-* "$jars.new"/cassandra-driver-core-*
    mv "$jars.new" "$jars"
}

# Two thirds of a start are reading classes; an archive of them, made by running a node once, saves most of it.
archive_classes() {
    [[ ! -e $archive ]] || return 0
    say "archiving Cassandra's classes (once)"
    local folder port
    folder=$(mktemp -d)
    port=$(free_port 127.0.0.1)
    launch_node "$folder" 127.0.0.1 "$port" 127.0.0.1 "-XX:ArchiveClassesAtExit=$archive.new"
    if wait_until "node_is_ready '$folder' 0" "$folder/pid"; then
        end_process "$folder/pid" 60
    fi
    end_process "$folder/pid" 0
    if [[ -s $archive.new ]]; then
        mv "$archive.new" "$archive"
    else
        # A slower start is no reason to fail, and no reason to try each time.
        : >"$archive"
    fi
    rm -rf "$folder"
}

# The modules that Cassandra's own start script opens for Java 17.
module_flags() {
    local name
    for name in java.base/jdk.internal.misc java.base/java.lang.ref java.base/sun.nio.ch \
        java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server \
        java.sql/java.sql jdk.unsupported/sun.misc jdk.attach/sun.tools.attach; do
        printf '%s\n' --add-exports "$name=ALL-UNNAMED"
    done
    for name in java.base/java.lang java.base/java.lang.module java.base/java.lang.reflect java.base/java.io \
        java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/jdk.internal.loader \
        java.base/jdk.internal.ref java.base/jdk.internal.reflect java.base/jdk.internal.math \
        java.base/jdk.internal.module java.base/jdk.internal.util.jar java.base/sun.nio.ch \
        jdk.management/com.sun.management.internal; do
        printf '%s\n' --add-opens "$name=ALL-UNNAMED"
    done
}

# Small, and quick to start: no waiting for gossip to settle, no second compiler, the simplest collector.
server_flags() {
    printf '%s\n' -Djdk.attach.allowAttachSelf=true -Dio.netty.tryReflectionSetAccessible=true \
        -Dio.netty.allocator.useCacheForAllThreads=true -Dio.netty.allocator.numDirectArenas=2 \
        -Djava.net.preferIPv4Stack=true -Djava.awt.headless=true -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError -XX:MaxDirectMemorySize=160m -Xss256k -Xms96m "-Xmx$heap" \
        -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.gossip_settle_min_wait_ms=0 \
        -Dcassandra.ring_delay_ms=2000 -Dcassandra.consistent.rangemovement=false \
        -Dcassandra.superuser_setup_delay_ms=0 -Dcassandra.shutdown_announce_in_ms=200 -Dcassandra-foreground=yes
}

# launch_node FOLDER ADDRESS PORT SEEDS [FLAG...]: starts a node; between nodes the port after PORT is used.
launch_node() {
    local folder=$1 address=$2 port=$3 seeds=$4 unlocked=() flags class_path
    shift 4
    # In full and always in the same order: the archive holds for exactly this one.
    class_path=$(IFS=: && set -- "$jars"/*.jar && printf "%s" "$*")
    mkdir -p "$folder"/{conf,log,tmp,data,commitlog}
    sed -e "s|@SEEDS@|$seeds|; s|@IP@|$address|; s|@CQL_PORT@|$port|; s|@STORAGE_PORT@|$((port + 1))|" \
        -e "s|@DATA@|$folder|" "$parts/cassandra.yaml" >"$folder/conf/cassandra.yaml"
    cp "$parts/logback.xml" "$folder/conf/logback.xml"
    rm -f "$folder/log/system.log"
    mapfile -t flags < <(module_flags && server_flags)
    if [[ $# = 0 ]]; then
        # An agent would spoil the archive while it is made.
        flags+=("-javaagent:$(compgen -G "$jars/jamm-*.jar")")
        [[ ! -s $archive ]] || flags+=("-XX:SharedArchiveFile=$archive" -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off)
    fi
    # Root may lock memory, and Java would lock the whole heap.
    if [[ $(id -u) = 0 ]] && setpriv --bounding-set=-ipc_lock true 2>/dev/null; then
        unlocked=(setpriv --bounding-set=-ipc_lock)
    fi
    setsid "${unlocked[@]}" "$java" "${flags[@]}" "$@" \
        "-Dcassandra.config=file://$folder/conf/cassandra.yaml" \
        "-Dlogback.configurationFile=file://$folder/conf/logback.xml" \
        "-Dcassandra.logdir=$folder/log" "-Dcassandra.storagedir=$folder" "-Djava.io.tmpdir=$folder/tmp" \
        -cp "$class_path" org.apache.cassandra.service.CassandraDaemon \
        </dev/null >"$folder/log/output.log" 2>&1 9>&- &
    note_process "$folder/pid" $!
}

# node_is_ready FOLDER PEERS: it answers, and has seen so many others come up.
node_is_ready() {
    local log=$1/log/system.log
    grep -q 'Starting listening for CQL clients' "$log" 2>/dev/null || return 1
    [[ $2 = 0 || $(grep -o 'InetAddress /[0-9.:]* is now UP' "$log" | sort -u | wc -l) -ge $2 ]]
}

# Every node is a seed, so that all may start at the same moment; those that run already are left alone.
launch_cassandra() {
    local node seeds port address addresses=()
    for ((node = 1; node <= nodes; node++)); do addresses+=("127.0.0.$node"); done
    seeds=$(IFS=, && printf '%s' "${addresses[*]}")
    for ((node = 1; node <= nodes; node++)); do
        if runs "$data/cassandra/node$node/pid"; then continue; fi
        address=127.0.0.$node
        if [[ ! -e $data/cassandra/port ]]; then
            mkdir -p "$data/cassandra"
            free_port "${addresses[@]}" >"$data/cassandra/port"
        fi
        port=$(<"$data/cassandra/port")
        # The nodes know each other by it, so it stays as long as their data.
        if ! free_at "$port" "$address"; then
            stop "something else has taken $address:$port, which the data in $data belongs to: end it, or begin anew with \`down --delete\`"
        fi
        launch_node "$data/cassandra/node$node" "$address" "$port" "$seeds"
    done
}

wait_for_cassandra() {
    local node folder
    for ((node = 1; node <= nodes; node++)); do
        folder=$data/cassandra/node$node
        wait_until "node_is_ready '$folder' $((nodes - 1))" "$folder/pid" && continue
        tail -n 15 "$folder/log/system.log" "$folder/log/output.log" >&2 || true
        stop "node $node of Cassandra did not start"
    done
}

# The addresses of the nodes, as a driver takes them.
cassandra_addresses() {
    local node list=()
    for ((node = 1; node <= nodes; node++)); do list+=("127.0.0.$node:$(<"$data/cassandra/port")"); done
    (IFS=, && printf '%s\n' "${list[*]}")
}
