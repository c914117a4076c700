# What the demos stand on: the program's arguments, a folder that goes with them, a
# server and devices that are real processes, telling and checking. To be sourced.
usage="usage: $(basename "$0") PATH_TO_ZHIBU [--keep]"
program=""
keep=false
for argument in "$@"; do
  case "$argument" in
    --keep) keep=true ;;
    -*) echo "$usage" >&2; exit 2 ;;
    *) program=$argument ;;
  esac
done
[[ -n "$program" ]] || { echo "$usage" >&2; exit 2; }
[[ -x "$program" ]] || { echo "demo: no program at $program" >&2; exit 2; }
command -v jq >/dev/null || { echo "demo: jq is needed (apt-get install jq)" >&2; exit 2; }
zhibu=$(realpath "$program")
roster=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../data/township.csv")

# Whoever sets ZHIBU_DEMO_WORK keeps what is made there.
work=${ZHIBU_DEMO_WORK:-$(mktemp -d "${TMPDIR:-/tmp}/zhibu-demo.XXXXXX")}
server_pid=""

leave() {
  local status=$?
  if [[ -n "$server_pid" ]]; then
    kill -KILL "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  if $keep; then
    echo "保留在 kept in $work"
  else
    rm -rf "$work"
  fi
  exit "$status"
}
trap leave EXIT
trap 'exit 130' INT TERM

# ---- Telling ----------------------------------------------------------------

dim="" bold="" plain=""
if [[ -t 1 ]]; then dim=$'\e[2m' bold=$'\e[1m' plain=$'\e[0m'; fi
began=$EPOCHREALTIME
step_began=$began
step_number=0

elapsed_since() { # TIME → seconds with one decimal
  local us=$((${EPOCHREALTIME/./} - ${1/./}))
  printf '%d.%d s' $((us / 1000000)) $((us % 1000000 / 100000))
}

end_step() {
  [[ $step_number == 0 ]] || printf '   %s(%s)%s\n' "$dim" "$(elapsed_since "$step_began")" "$plain"
}

step() { # CHINESE ENGLISH
  end_step
  step_began=$EPOCHREALTIME
  step_number=$((step_number + 1))
  printf '\n%s%d. %s%s\n   %s%s%s\n' "$bold" "$step_number" "$1" "$plain" "$dim" "$2" "$plain"
}

tell() { printf '   %s\n' "$@"; }

# ---- Checking ---------------------------------------------------------------

checks=0

fail() {
  printf '\n不符 FAILED: %s\n' "$*" >&2
  exit 1
}

same() { # WHAT EXPECTED FOUND
  [[ "$2" == "$3" ]] || fail "$1
  expected: $2
  found:    $3"
  checks=$((checks + 1))
}

# ---- Doing ------------------------------------------------------------------

admin() { "$zhibu" --json admin --data "$work/server" "$@"; }

device() { # HOME COMMAND…
  local home=$1
  shift
  "$zhibu" --json device --home "$work/$home" "$@" || fail "$home: zhibu device $*"
}

start_server() { # PORT
  rm -f "$work/ready"
  mkfifo "$work/ready"
  exec 3<>"$work/ready"
  "$zhibu" --json serve --data "$work/server" --listen "127.0.0.1:$1" >&3 2>"$work/server.log" &
  server_pid=$!
  local line
  read -r -t 20 line <&3 || fail "the server does not get ready: $(cat "$work/server.log")"
  port=$(jq -e .port <<<"$line") || fail "the server says: $line"
}

stop_server() {
  kill -TERM "$server_pid"
  local status=0
  wait "$server_pid" || status=$?
  server_pid=""
  same "the server ends cleanly on SIGTERM" 0 "$status"
}

enrol() { # HOME MEMBER
  device "$1" enrol "$(admin enrol "$2" | jq -r .code)" --name "$1" >/dev/null
  device "$1" sync >/dev/null
}

put() { device "$1" put "$2" "$3" | jq -r .id; } # HOME TYPE JSON → id

# Read once, by know_members.
declare -A id_of
names='{}' # id → name

know_members() { # HOME
  local id name
  names=$(device "$1" list Member | jq -c --argjson known "$names" '$known + (map({(.id): .record.name}) | add)')
  while read -r id name; do id_of[$name]=$id; done < <(jq -r 'to_entries[] | "\(.key) \(.value)"' <<<"$names")
}

# Ids as a JSON array on stdin → names.
names_of() { jq -r --argjson name "$names" 'map($name[.] // .) | sort | join("、")'; }

# The same records give the same bytes: fields and records come sorted.
view() { device "$1" list "$2"; }
