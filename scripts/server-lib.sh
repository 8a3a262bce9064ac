# shellcheck shell=bash disable=SC2154
# What scripts/elasticsearch and scripts/opensearch have in common: verbs, options and the life of a
# node. Sourced by them, never run. The script that sources it sets
#   kind, product      elasticsearch, Elasticsearch: in names of files, and for people
#   own, theirs        beginnings of names of variables: ours (WHERRY_ES) and the server's (ES)
#   zip_group          Maven group of the distribution for integration tests
#   newest, secured    default versions, without and with --security
#   first_port, secure_port  where ports begin, without and with --security
#   admin              user:password of who may do everything on a node with --security
# and defines
#   pinned_sum ZIP     prints the beginning of the SHA-256 of a zip of that name
#   java_range         prints the first and the last major version of Java that $version runs on
#   unpacked_name      prints the name of the directory of the unpacked server
#   extend_server HOME adds to the server that was just unpacked there
#   security_lines     prints the lines of the configuration for $security, 0 or 1
#   write_users        makes the users of a node with --security
# and calls server_main with its arguments.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

server_user=wherry-es
NOT_HERE=4
umask 022

usage() {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "scripts/$kind"
}

# This machine lacks what the server needs: another exit status than a failure has.
not_here() {
    printf '%s: %s\n' "$kind" "$*" >&2
    exit $NOT_HERE
}

# ---- where things are ----

# Sets the directory of all nodes; refuses one that somebody else has put there.
find_dir() {
    local default=/var/tmp/wherry-$kind variable=${own}_DIR
    [ "$(id -u)" = 0 ] || default=$default-$(id -u)
    dir=${!variable:-$default}
    mkdir -p "$dir" || die "cannot make $dir"
    if [ ! -O "$dir" ] || [ -L "$dir" ]; then
        die "$dir belongs to somebody else; set $variable"
    fi
    dir=$(cd "$dir" && pwd)
    node=$dir/nodes/$name
    marker=-Dwherry.node=$node
}

# Prints what the last start noted about the node: version, port or scheme.
noted() {
    sed -n "s/^$1=//p" "$node/noted" 2>/dev/null || true
}

# Prints the PID of the server if it runs. The marker on its command line guards against a reused
# PID in a stale file.
server_pid() {
    local pid
    pid=$(cat "$node/logs/node.pid" 2>/dev/null) || return 1
    grep -qzxF -e "$marker" "/proc/$pid/cmdline" 2>/dev/null || return 1
    printf '%s\n' "$pid"
}

scheme() {
    if [ "$security" = 1 ]; then echo https; else echo http; fi
}

url() {
    printf '%s://127.0.0.1:%s\n' "$(noted scheme)" "$(noted port)"
}

# Is the node up, with its data recovered?
healthy() {
    local auth=() answer
    [ "$(noted scheme)" = http ] || auth=(--cacert "$node/config/certs/ca.crt" -u "$admin")
    answer=$(curl -fs --noproxy '*' -m 5 "${auth[@]}" \
        "$(url)/_cluster/health?filter_path=status") || return 1
    case $answer in *yellow* | *green*) ;; *) return 1 ;; esac
}

port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Sets port to the one asked for, or with "auto" to the first that is free.
choose_port() {
    local first=$first_port try
    [ "$security" = 0 ] || first=$secure_port
    case ${port:=$first} in
    auto)
        for try in $(seq "$first" $((first + 49))); do
            if ! port_taken "$try" && ! port_taken $((try + 100)); then
                port=$try
                return
            fi
        done
        die "no free port in $first..$((first + 49))"
        ;;
    *[!0-9]*) die "--port takes a number or auto, not '$port'" ;;
    esac
    for try in "$port" $((port + 100)); do
        ! port_taken "$try" ||
            die "port $try is used by another program; choose with --port, or --port auto"
    done
}

# ---- getting the server ----

# Fetches one zip unless it is there; what does not have the pinned sum is thrown away.
# fetch MAVEN-GROUP ARTIFACT VERSION
fetch() {
    local zip=$dir/zips/$2-$3.zip pin sum log=$dir/fetch.log
    pin=$(pinned_sum "$2-$3")
    mkdir -p "$dir/zips"
    if [ ! -f "$zip" ]; then
        say "fetching $2 $3"
        (cd "$dir" && mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
            "-Dartifact=$1:$2:$3:zip" "-DoutputDirectory=$dir/zips") >"$log" 2>&1 </dev/null || {
            tail -n 20 "$log" >&2
            die "Maven could not fetch $2 $3 (log: $log)"
        }
    fi
    sum=$(sha256sum "$zip" | cut -c 1-16)
    [ "$sum" = "$pin" ] && return
    rm -f "$zip"
    die "the zip of $2 $3 has checksum $sum..., not $pin...: removed"
}

# Holds off other processes that install, until release_installer.
lock_installer() {
    exec 8>"$dir/install.lock"
    flock -w 600 8 || die "another process has been installing the server for ten minutes"
}

release_installer() {
    exec 8>&-
}

# Makes $home hold the unpacked server; safe against a second caller and against being interrupted.
install_server() {
    home=$dir/$(unpacked_name)
    [ ! -d "$home" ] || return 0
    lock_installer
    if [ ! -d "$home" ]; then
        need_packages maven unzip
        fetch "$zip_group" "$kind" "$version"
        rm -rf "$home.part"
        mkdir "$home.part"
        unzip -q "$dir/zips/$kind-$version.zip" -d "$home.part"
        extend_server "$home.part/$kind-$version"
        chmod -R a+rX "$home.part/$kind-$version"
        mv "$home.part/$kind-$version" "$home"
        rmdir "$home.part"
    fi
    release_installer
}

# Prints the major version of the Java of a JDK; nothing if it is none.
java_major() {
    local told
    [ -x "$1/bin/java" ] || return 0
    told=$("$1/bin/java" -version 2>&1 || true)
    [[ ! $told =~ version\ \"([0-9]+) ]] || printf '%s\n' "${BASH_REMATCH[1]}"
}

# Sets java to a JDK that the version runs on, and java_first to the least version of Java that it
# needs. The variables of the caller come first, then Java 17, of which Debian has one.
find_java() {
    local theirs_home=${theirs}_JAVA_HOME range last candidate major
    range=$(java_range)
    java_first=${range% *} last=${range#* }
    for candidate in ${!theirs_home:+"${!theirs_home}"} ${JAVA_HOME:+"$JAVA_HOME"} \
        /usr/lib/jvm/*-17-* /usr/lib/jvm/* /opt/java/* /opt/*jdk*; do
        major=$(java_major "$candidate")
        if [ "${major:-0}" -ge "$java_first" ] && [ "$major" -le "$last" ]; then
            java=$candidate
            return 0
        fi
    done
    [ "$java_first" = 17 ] ||
        not_here "$product $version needs a JDK $java_first or newer, and none was found below" \
            "/usr/lib/jvm or /opt: set $theirs_home"
    [ -z "${1:-}" ] || die "no Java 17 found below /usr/lib/jvm: set $theirs_home"
    need_packages openjdk-17-jre-headless
    find_java again
}

# ---- configuration ----

# Sets server_env: the variables of the server and of its tools, and no others.
set_environment() {
    server_env=("PATH=$PATH" "HOME=$node" "LC_ALL=$LC_ALL" "${theirs}_PATH_CONF=$node/config"
        "${theirs}_JAVA_HOME=$java" "${theirs}_TMPDIR=$node/tmp")
}

# Sets run_as: the words before a command of the server, which refuses to run as root, and which
# finds its disk only if a mount point is above it. In a plain chroot there is none, so there it gets
# a mount namespace whose root is one. That root is mounted below /proc since /proc can be made
# private: elsewhere the mount could spread to the host and stay.
find_user() {
    # shellcheck disable=SC2016  # for the inner shell
    local rooted=1 new_root='mount --make-private /proc && mount --rbind / /proc/driver &&
        exec chroot /proc/driver "$@"'
    run_as=()
    awk '$2 == "/" { found = 1 } END { exit !found }' /proc/self/mounts || rooted=0
    if [ "$(id -u)" != 0 ]; then
        [ $rooted = 1 ] || die "/ is not a mount point here, as Java needs it: start this as root"
        return
    fi
    id "$server_user" >/dev/null 2>&1 ||
        useradd -r -M -d /nonexistent -s /usr/sbin/nologin "$server_user" 2>/dev/null ||
        id "$server_user" >/dev/null || die "cannot make the user $server_user"
    [ $rooted = 1 ] ||
        run_as=(unshare --mount --propagation unchanged sh -c "$new_root" new_root)
    run_as+=(setpriv "--reuid=$server_user" "--regid=$server_user" --clear-groups)
    "${run_as[@]}" test -x "$node" ||
        die "cannot run as the user $server_user in $node: it must be open to all (${own}_DIR)"
}

# Runs a program of the unpacked server as its user, for this node.
server_tool() {
    local program=$1
    shift
    (cd "$node" && env -i "${server_env[@]}" "${run_as[@]}" "$home/$program" "$@")
}

# A CA and a server certificate of our own, made once per node.
write_certificates() {
    local certs=$node/config/certs
    [ ! -f "$certs/server.crt" ] || return 0
    rm -rf "$certs"
    mkdir "$certs"
    (
        cd "$certs"
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n' >san
        openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=wherry test CA" \
            -keyout ca.key -out ca.crt
        openssl req -newkey rsa:2048 -nodes -subj "/CN=server" -keyout server.key -out server.csr
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
            -extfile san -out server.crt.new
        mv server.crt.new server.crt
    ) >"$node/certs.log" 2>&1 || {
        tail "$node/certs.log" >&2
        die "openssl could not make the certificates"
    }
}

write_config() {
    local setting
    mkdir -p "$node/config" "$node/data" "$node/logs" "$node/tmp"
    if [ ! -f "$node/config/jvm.options" ]; then
        cp -R "$home/config/." "$node/config/"
        sed -i '/gc\.log/d' "$node/config/jvm.options"
    fi
    mkdir -p "$node/config/jvm.options.d"
    printf -- '-Xms512m\n-Xmx512m\n' >"$node/config/jvm.options.d/heap.options"
    {
        printf '%s\n' "cluster.name: wherry-$name" "node.name: $name" \
            "discovery.type: single-node" "network.host: 127.0.0.1" "http.port: $port" \
            "transport.port: $((port + 100))" "path.data: $node/data" "path.logs: $node/logs" \
            "cluster.routing.allocation.disk.threshold_enabled: false"
        security_lines
        for setting in "${settings[@]}"; do
            printf '%s: %s\n' "${setting%%=*}" "${setting#*=}"
        done
    } >"$node/config/$kind.yml"
    [ "$security" = 0 ] || write_certificates
    chown_node
    if [ "$security" = 1 ]; then
        write_users
        chown_node
    fi
}

chown_node() {
    [ "$(id -u)" != 0 ] ||
        chown -R "$server_user:$server_user" "$node/config" "$node/data" "$node/logs" "$node/tmp"
}

# ---- verbs ----

lock_node() {
    mkdir -p "$node"
    exec 9>"$node/lock"
    flock -w 600 9 || die "another process has held the lock of node $name for ten minutes"
}

# Starts the server; sets launched to the PID of its launcher. Every descriptor of the caller is
# closed: whoever waits for the end of a pipe must not wait for the server.
launch() {
    rm -f "$node/logs/node.pid"
    [ ! -f "$node/server.log" ] || mv "$node/server.log" "$node/server.log.1"
    : >"$node/server.log"
    (
        exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        cd "$node"
        exec env -i "${server_env[@]}" \
            "${theirs}_JAVA_OPTS=-XX:TieredStopAtLevel=1 -XX:-AlwaysPreTouch $marker" \
            "${run_as[@]}" setsid "$home/bin/$kind" -p "$node/logs/node.pid" \
            >>"$node/server.log" 2>&1 </dev/null
    ) &
    launched=$!
    trap abandon EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Ends a server whose start failed or was interrupted, with its launcher: one process group.
abandon() {
    kill -KILL -- "-$launched" 2>/dev/null || kill -KILL "$launched" 2>/dev/null || true
}

# Waits until the node answers, as long as the process given lives.
await() {
    local begin=$SECONDS variable=${own}_TIMEOUT process=$1
    local limit=${!variable:-120}
    until server_pid >/dev/null && healthy; do
        if ! kill -0 "$process" 2>/dev/null; then
            tail -n 30 "$node/server.log" >&2
            die "node $name ended while starting (log: $node/server.log)"
        fi
        if [ $((SECONDS - begin)) -ge "$limit" ]; then
            tail -n 30 "$node/server.log" >&2
            die "node $name did not answer within $limit s (log: $node/server.log)"
        fi
        sleep 0.2
    done
}

start() {
    local begin=$SECONDS pid
    need_packages curl
    lock_node
    if pid=$(server_pid); then
        [ "$(noted version)" = "$version" ] ||
            die "node $name runs version $(noted version), not $version: stop it first"
        [ -z "$port" ] || [ "$port" = auto ] || [ "$(noted port)" = "$port" ] ||
            die "node $name runs on port $(noted port), not $port: stop it first"
        [ "$(noted scheme)" = "$(scheme)" ] ||
            die "node $name runs with another --security: stop it first"
        await "$pid"
        say "node $name already runs: $product $version at $(url)"
        return
    fi
    [ "$security" = 0 ] || need_packages openssl
    find_java
    choose_port
    install_server
    [ "$data" = keep ] || rm -rf "$node/data"
    # A node of another version or security understands neither the old configuration nor its data.
    if [ -f "$node/noted" ] &&
        [ "$(noted version) $(noted scheme)" != "$version $(scheme)" ]; then
        rm -rf "$node/config" "$node/data"
    fi
    set_environment
    find_user
    write_config
    printf '%s\n' "version=$version" "port=$port" "scheme=$(scheme)" >"$node/noted"
    launch
    await "$launched"
    trap - EXIT INT TERM
    say "node $name started in $((SECONDS - begin)) s: $product $version at $(url)"
}

# Ends the server with a signal; after 30 s with SIGKILL.
end_node() {
    local signal=$1 pid begin=$SECONDS
    lock_node
    if ! pid=$(server_pid); then
        say "node $name does not run"
        return
    fi
    kill "-$signal" "$pid"
    # Its command line goes before its sockets do, so wait for the PID itself.
    while [ -e "/proc/$pid" ]; do
        if [ $((SECONDS - begin)) -ge 30 ] && [ "$signal" != KILL ]; then
            say "node $name did not end within 30 s: SIGKILL"
            signal=KILL
            kill -KILL "$pid" 2>/dev/null || true
        fi
        sleep 0.1
    done
    rm -f "$node/logs/node.pid"
    say "node $name ended ($signal)"
}

status() {
    if server_pid >/dev/null && healthy; then
        say "node $name runs: $product $(noted version) at $(url), PID $(server_pid)"
    elif server_pid >/dev/null; then
        say "node $name runs (PID $(server_pid)) but does not answer"
        exit 3
    else
        say "node $name does not run"
        exit 3
    fi
}

# Takes the value of an option.
value_of() {
    [ -n "${2:-}" ] || die "$1 needs a value"
    printf '%s\n' "$2"
}

# Reads the options and does what the verb says.
server_main() {
    verb=${1:-help}
    name='' port='' version='' data=keep security=0 settings=()
    [ $# -eq 0 ] || shift
    while [ $# -gt 0 ]; do
        case $1 in
        --name | --port | --version | --data | --setting) value=$(value_of "$@") ;;&
        --name) name=$value ;;
        --port) port=$value ;;
        --version) version=$value ;;
        --data) data=$value ;;
        --setting) settings+=("$value") ;;
        --security) security=1 ;;
        *) die "unknown option $1; see scripts/$kind help" ;;
        esac
        case $1 in
        --security) shift ;;
        *) shift 2 ;;
        esac
    done
    if [ "$security" = 1 ]; then
        : "${name:=secure}" "${version:=$secured}"
    else
        : "${name:=main}" "${version:=$newest}"
    fi
    case $name in *[!a-z0-9-]*) die "--name takes small letters, digits and -, not '$name'" ;; esac
    case $data in keep | wipe) ;; *) die "--data takes keep or wipe, not '$data'" ;; esac

    need_proc
    case $verb in
    start | stop | kill | status | url | ca | log) find_dir ;;
    esac
    case $verb in
    start) start ;;
    stop) end_node TERM ;;
    kill) end_node KILL ;;
    status) status ;;
    url) server_pid >/dev/null && url || exit 3 ;;
    ca) [ -f "$node/config/certs/ca.crt" ] && say "$node/config/certs/ca.crt" || exit 3 ;;
    log) tail -n 200 "$node/server.log" ;;
    help | --help | -h) usage ;;
    *) die "unknown verb $verb; see scripts/$kind help" ;;
    esac
}
