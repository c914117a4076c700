#!/usr/bin/env bash
# The phone screen: a small township is made, then a server runs and each of its people has a
# screen in a browser: a secretary, a deputy, a member who works away, a member at home, and
# the secretary of the branch that takes the migrant in. Ends with Ctrl-C.
#
#   tests/demo/phone.sh PATH_TO_ZHIBU_PHONE [--keep]
#   ZHIBU_DEMO_WORK=DIR tests/demo/phone.sh PATH_TO_ZHIBU_PHONE --keep --made   only make it there
set -euo pipefail
only_made=false
arguments=()
for argument in "$@"; do
  if [[ "$argument" == --made ]]; then only_made=true; else arguments+=("$argument"); fi
done
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh" "${arguments[@]}"
readonly branch=云溪镇青石村党支部 host_branch=云溪镇驻滨海市流动党支部
readonly homes=(secretary deputy migrant member host)
declare -A owner=([secretary]=甲青石 [deputy]=乙青石 [migrant]=丙滨海 [member]=青石党员04 [host]=滨海党员01)

sync() { for home in "$@"; do device "$home" sync >/dev/null; done; }
day() { TZ=Asia/Shanghai date -d "$1" +%F; } # WHAT, as date has it
at() { echo "$(day "$1")T$2:00+08:00"; }     # WHAT HOUR:MINUTE
meeting() { # HOME BRANCH KIND TOPIC PLACE AT STATE → id
  put "$1" Meeting "$(jq -n --arg b "$2" --arg k "$3" --arg t "$4" --arg p "$5" --arg a "$6" --arg s "$7" \
    '{branchId: $b, kind: $k, topic: $t, place: $p, startsAt: $a, state: $s}')"
}
dues() { # HOME NAME FEN MONTH
  put "$1" DuesPayment "$(jq -n --arg m "${id_of[$2]}" --arg b "$branch_id" --argjson f "$3" --arg o "$4" \
    '{memberId: $m, branchId: $b, amountFen: $f, month: $o, method: "TRANSFER"}')" >/dev/null
}

make_people() {
  admin init >/dev/null
  admin import "$roster" >/dev/null
  start_server 0
  admin grant "${owner[secretary]}" "$branch" >/dev/null
  admin grant "${owner[deputy]}" "$branch" --office deputy >/dev/null
  admin grant "${owner[host]}" "$host_branch" >/dev/null
  admin grant 青石党员06 "$branch" --office committee >/dev/null
  for home in "${homes[@]}"; do enrol "$home" "${owner[$home]}"; done
  enrol former 青石党员06
  know_members secretary
  branch_id=$(device secretary list Organisation --where "name=$branch" | jq -r '.[0].id')
  host_id=$(device host list Organisation --where "name=$host_branch" | jq -r '.[0].id')
}

make_meetings() {
  held=$(meeting secretary "$branch_id" MEMBERS 十月党员大会 村委会 "$(at '35 days ago' 09:00)" HELD)
  meeting secretary "$branch_id" THEME_DAY 主题党日：修水渠 水渠边 "$(at today 19:30)" PLANNED >/dev/null
  meeting secretary "$branch_id" LECTURE 党课：农村基层治理 村委会 "$(at '9 days' 09:00)" PLANNED >/dev/null
  meeting host "$host_id" THEME_DAY 滨海主题党日 工会活动室 "$(at '3 days' 19:00)" PLANNED >/dev/null
  sync secretary deputy host
  local name
  for name in "${owner[secretary]}" "${owner[deputy]}" 青石党员05 青石党员08; do
    put secretary Attendance "$(jq -n --arg m "$held" --arg p "${id_of[$name]}" --arg b "$branch_id" \
      '{meetingId: $m, memberId: $p, branchId: $b, state: "PRESENT", knownBy: "点名"}')" >/dev/null
  done
  # Two who have not seen each other's.
  device secretary edit Meeting "$held" '{"place": "村文化礼堂"}' >/dev/null
  device deputy edit Meeting "$held" '{"place": "青石小学二楼"}' >/dev/null
}

make_dues() {
  local month
  for month in "$(TZ=Asia/Shanghai date -d "$(day today | cut -c1-7)-15 - 1 month" +%Y-%m)" "$(day today | cut -c1-7)"; do
    dues secretary 青石党员05 1200 "$month"
    dues secretary 青石党员08 800 "$month"
  done
  dues migrant "${owner[migrant]}" 1850 "$(day today | cut -c1-7)"
}

make_stays() {
  device secretary pass issue "${owner[migrant]}" --number 青石-001 --until "$(day '1 year')" >/dev/null
  device migrant flow report --host "$host_id" --left "$(day '150 days ago')" --back "$(day '12 days')" --reason 务工 --destination 滨海市 >/dev/null
  device member flow report --host "$host_id" --back "$(day '200 days')" --reason 务工 --destination 滨海市 >/dev/null
  sync secretary migrant member host
  local stay
  stay=$(device host flow list | jq -r --arg name "${owner[migrant]}" '.[] | select(.member == $name) | .id')
  device host flow accept "$stay" --contact "陈书记 000-0000-2000" >/dev/null
  sync host migrant secretary
}

# What comes back, and what waits for the secretary.
make_decisions() {
  put deputy Transfer "$(jq -n --arg m "${id_of[青石党员07]}" --arg b "$branch_id" --arg t "$host_id" \
    '{memberId: $m, fromBranchId: $b, toBranchId: $t, reason: "随子女", state: "REQUESTED"}')" >/dev/null
  meeting former "$branch_id" GROUP 卸任前的小组会 青石党员06家 "$(at '2 days ago' 20:00)" HELD >/dev/null
  admin revoke 青石党员06 "$branch" --office committee >/dev/null
  sync former
}

make_people
make_meetings
make_dues
make_stays
make_decisions
sync "${homes[@]}" secretary deputy
if $only_made; then
  kill -TERM "$server_pid" && wait "$server_pid" || true
  server_pid=""
  rm -f "$work/ready"
  jq -n --arg port "$port" '{port: ($port | tonumber)}' >"$work/township.json"
  exit 0
fi

echo "${bold}支部 Zhibu：手机页面${plain}  the phone screen；$(day today)"
echo "每个地址用一个浏览器窗口打开（各用一次）Open each address in a window of its own, once:"
screens=()
end_screens() { kill "${screens[@]}" 2>/dev/null || true; }
trap 'end_screens; leave' EXIT
for home in "${homes[@]}"; do
  mkfifo "$work/$home.address"
  "$zhibu" --json device --home "$work/$home" screen --idle 1h >"$work/$home.address" 2>"$work/$home.log" &
  screens+=($!)
  exec 4<"$work/$home.address"
  read -r -t 20 line <&4 || fail "$home: $(cat "$work/$home.log")"
  printf '   %-10s %s  %s\n' "$home" "${owner[$home]}" "$(jq -r .address <<<"$line")"
done
echo "停止服务器再试试：kill $server_pid   Stop the server and go on: kill $server_pid；Ctrl-C 结束 ends it"
wait
