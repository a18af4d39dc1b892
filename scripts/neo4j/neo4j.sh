#!/usr/bin/env bash
# A Neo4j Community server on this machine, without Docker or root: the jars come from
# Maven Central (pom.xml beside this file) and stay in a cache.
#
#   neo4j.sh start HOME     start a server that keeps its data in the folder HOME; print its address
#   neo4j.sh stop HOME      stop it and wait for its end
#   neo4j.sh kill HOME      end it with SIGKILL, as a crash would
#   neo4j.sh admin HOME …   neo4j-admin on HOME (the server must be stopped for an import)
#
# Environment: NEO4J_PASSWORD (of the user neo4j, 8 characters or more, set when HOME is new;
# without it the server asks for no login), NEO4J_BOLT_PORT (7687), NEO4J_HTTP_PORT (7474, the
# browser is at /browser/), NEO4J_HEAP (1g), NEO4J_JARS (the cache). Needs Java 17 or 21, and
# Maven the first time.
set -euo pipefail

fail() {
	echo "neo4j.sh: $*" >&2
	exit 1
}

[ $# -ge 2 ] || fail "call it as: neo4j.sh start|stop|kill|admin HOME"
command=$1
home=$(realpath -m -- "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
bolt=${NEO4J_BOLT_PORT:-7687}
http=${NEO4J_HTTP_PORT:-7474}
heap=${NEO4J_HEAP:-1g}
# Another pom, another folder.
jars=${NEO4J_JARS:-${XDG_CACHE_HOME:-$HOME/.cache}/keci/neo4j-$(cksum <"$here/pom.xml" | cut -d' ' -f1)}

fetch() {
	[ -d "$jars" ] && return
	command -v mvn >/dev/null || fail "Maven (mvn) is needed to fetch the server"
	mkdir -p "$(dirname "$jars")"
	local partial
	partial=$(mktemp -d "$jars.XXXXXX")
	echo "neo4j.sh: fetching the server into $jars" >&2
	mvn --batch-mode --quiet --file "$here/pom.xml" dependency:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$partial" >&2 || {
		rm -rf "$partial"
		fail "Maven could not fetch the server"
	}
	mv -T "$partial" "$jars" 2>/dev/null || rm -rf "$partial" # another start was faster
}

run_java() {
	java "-Xmx$heap" -Dfile.encoding=UTF-8 -Dlog4j2.disable.jmx=true \
		--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
		--add-opens=java.base/sun.nio.ch=ALL-UNNAMED -cp "$jars/*" "$@"
}

configure() {
	mkdir -p "$home"/{conf,data,import,logs,plugins,run}
	cat >"$home/conf/neo4j.conf" <<-CONF
		server.default_listen_address=127.0.0.1
		server.bolt.listen_address=:$bolt
		server.bolt.advertised_address=:$bolt
		server.http.listen_address=:$http
		server.http.advertised_address=:$http
		server.memory.pagecache.size=512m
		dbms.security.auth_enabled=$([ -n "${NEO4J_PASSWORD:-}" ] && echo true || echo false)
		dbms.usage_report.enabled=false
		client.allow_telemetry=false
		db.tx_log.preallocate=false
		db.tx_log.rotation.retention_policy=1 files
		${NEO4J_SETTINGS:-}
	CONF
}

admin() { NEO4J_HOME=$home NEO4J_CONF=$home/conf run_java org.neo4j.cli.AdminTool "$@"; }

# The process of the server, if it runs; a number that another program has got since does not count.
process() {
	local id
	id=$(cat "$home/server.pid" 2>/dev/null) || return 1
	grep -qzF -- "--home-dir=$home" "/proc/$id/cmdline" 2>/dev/null && echo "$id"
}

answers() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start() {
	command -v java >/dev/null || fail "Java 17 or 21 is needed"
	process >/dev/null && fail "a server runs in $home already"
	if answers "$bolt" || answers "$http"; then fail "port $bolt or $http is taken (NEO4J_BOLT_PORT, NEO4J_HTTP_PORT)"; fi
	fetch
	configure
	if [ -n "${NEO4J_PASSWORD:-}" ] && [ ! -d "$home/data/databases/system" ]; then
		admin dbms set-initial-password "$NEO4J_PASSWORD" >/dev/null
	fi
	run_java org.neo4j.server.CommunityEntryPoint "--home-dir=$home" "--config-dir=$home/conf" \
		</dev/null >"$home/logs/console.log" 2>&1 &
	# run_java is a function: its subshell is the parent of the server.
	local shell=$! waited=0
	disown
	until answers "$bolt" && answers "$http"; do
		sleep 0.5
		waited=$((waited + 1))
		if [ $waited -ge 360 ] || ! kill -0 "$shell" 2>/dev/null; then
			tail -n 20 "$home/logs/console.log" >&2
			fail "the server did not start; see $home/logs"
		fi
	done
	pgrep -P "$shell" >"$home/server.pid" || echo "$shell" >"$home/server.pid"
	echo "bolt://127.0.0.1:$bolt"
}

stop() {
	local id
	id=$(process) || return 0
	kill "-$1" "$id" 2>/dev/null || true
	while kill -0 "$id" 2>/dev/null; do sleep 0.2; done
	rm -f "$home/server.pid"
}

case $command in
start) start ;;
stop) stop TERM ;;
kill) stop KILL ;;
admin)
	fetch
	[ -f "$home/conf/neo4j.conf" ] || configure
	admin "$@"
	;;
*) fail "unknown command $command" ;;
esac
