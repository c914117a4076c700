#!/usr/bin/env bash
# A day of one village branch: three devices record offline what overlaps, and
# end up with the same records. Every claim that is printed is checked; the
# first one that does not hold ends the demo with exit status 1.
#
#   tests/demo/demo.sh PATH_TO_ZHIBU [--keep]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
readonly branch=云溪镇青石村党支部 secretary=甲青石 deputy=乙青石 migrant=丙滨海

# =============================================================================

meeting_of() { device "$1" get Meeting "$meeting"; }

echo "${bold}支部 Zhibu：离线记录，联网归并${plain}  written offline, reconciled on reconnect"

step "导入云溪镇花名册，启动服务器" "The township's roster is imported, the server starts"
admin init >/dev/null
imported=$(admin import "$roster")
same "members in the roster" 120 "$(jq .members <<<"$imported")"
same "bad rows in the roster" 0 "$(jq '.badRows // [] | length' <<<"$imported")"
start_server 0
tell "组织 organisations $(jq .organisations <<<"$imported")，党员 members $(jq .members <<<"$imported")，端口 port $port"

step "书记${secretary}、副书记${deputy}、外出务工的${migrant}各登记一台设备" \
  "The secretary, the deputy and a migrant member enrol a device each"
admin grant "$secretary" "$branch" >/dev/null
admin grant "$deputy" "$branch" --office deputy >/dev/null
enrol secretary "$secretary"
enrol deputy "$deputy"
enrol member "$migrant"
know_members secretary
branch_id=$(device secretary list Organisation --where "name=$branch" | jq -r '.[0].id')
declare -A private
for home in secretary deputy member; do
  private[$home]=$(device "$home" list PrivateDetail | jq length)
  tell "$home: 党员 members $(device "$home" list Member | jq length)，隐私信息 private details ${private[$home]}"
done
same "private details on the secretary's device" 32 "${private[secretary]}"
same "a member sees no private detail but the own one" 1 "${private[member]}"

step "书记安排七月党员大会，三台设备同步" "The secretary plans July's meeting; all three devices sync"
meeting=$(put secretary Meeting "$(jq -n --arg branch "$branch_id" --arg chair "${id_of[$secretary]}" \
  '{branchId: $branch, kind: "MEMBERS", topic: "七月党员大会", place: "村委会",
    startsAt: "2026-07-01T09:00:00Z", chairId: $chair, state: "PLANNED"}')")
for home in secretary deputy member; do device "$home" sync >/dev/null; done
for home in deputy member; do
  same "$home has the meeting" "$(view secretary Meeting)" "$(view "$home" Meeting)"
done
tell "七月党员大会，村委会：三台设备一致 the same on all three"

step "信号中断：服务器停止，三人各自离线记录" \
  "No signal: the server is stopped, all three go on recording offline"
stop_server
if "$zhibu" --json device --home "$work/secretary" sync >"$work/offline.json"; then
  fail "a sync without a server says that it succeeded"
fi
same "why there is no sync" UNAVAILABLE "$(jq -r .error.code "$work/offline.json")"
tell "secretary: $(jq -r .error.words "$work/offline.json")"

secretary_place=村文化礼堂
secretary_adds=("$secretary" 青石党员04 青石党员05)
arguments=()
for name in "${secretary_adds[@]}"; do arguments+=(--add "present=${id_of[$name]}"); done
device secretary edit Meeting "$meeting" "{\"place\":\"$secretary_place\",\"state\":\"HELD\"}" \
  "${arguments[@]}" >/dev/null
attend() { # MEMBER STATE REASON
  put secretary Attendance "$(jq -n --arg meeting "$meeting" --arg member "${id_of[$1]}" \
    --arg branch "$branch_id" --arg state "$2" --arg reason "$3" \
    '{meetingId: $meeting, memberId: $member, branchId: $branch, state: $state, knownBy: "点名"}
     + if $reason == "" then {} else {reason: $reason} end')" >/dev/null
}
attend 青石党员04 PRESENT ""
attend 青石党员05 PRESENT ""
attend 青石党员08 LEAVE "在县医院陪护"
tell "${secretary}：改地点为「${secretary_place}」，到会 $(IFS=、; echo "${secretary_adds[*]}")，考勤 3 条（1 人请假）"
tell "${dim}secretary: another place, 3 present, 3 attendance records, one on leave${plain}"

deputy_place=青石小学二楼
deputy_adds=("$deputy" 青石党员06 青石党员07)
arguments=(--add 'agenda={"number":1,"topic":"发展党员票决"}')
for name in "${deputy_adds[@]}"; do arguments+=(--add "present=${id_of[$name]}"); done
device deputy edit Meeting "$meeting" "{\"place\":\"$deputy_place\"}" >/dev/null
device deputy edit Meeting "$meeting" '{"minutes":"审议通过修建村道的方案。"}' "${arguments[@]}" >/dev/null
tell "${deputy}：改地点为「${deputy_place}」，到会 $(IFS=、; echo "${deputy_adds[*]}")，会议记录和一项议程"
tell "${dim}deputy: yet another place, 3 others present, the minutes and an agenda item${plain}"

migrant_id=${id_of[$migrant]}
code=$(device secretary check-in show --activity "$meeting" --once | jq -r .text)
device member check-in scan "$code" >/dev/null
pay() { # FEN MONTH [REVERSED]
  put member DuesPayment "$(jq -n --arg member "$migrant_id" --arg branch "$branch_id" \
    --argjson fen "$1" --arg month "$2" --arg reverses "${3:-}" \
    '{memberId: $member, branchId: $branch, amountFen: $fen, month: $month, method: "TRANSFER"}
     + if $reverses == "" then {} else {reversesId: $reverses} end')"
}
pay 1850 2026-06 >/dev/null
mistaken=$(pay 18500 2026-07)
pay -18500 2026-07 "$mistaken" >/dev/null
pay 1850 2026-07 >/dev/null
put member Flow "$(jq -n --arg member "$migrant_id" --arg branch "$branch_id" \
  '{memberId: $member, homeBranchId: $branch, left: "2026-02-20", expectedBack: "2027-01-25",
    reason: "务工", destination: "滨海市", state: "REPORTED"}')" >/dev/null
tell "${migrant}：扫书记手机上的签到码，交两个月党费（输错一笔，已冲正），报告外出"
tell "${dim}member: scans the code on the secretary's phone, pays two months of dues (one slip, reversed), reports the stay away${plain}"
declare -A unsent=([secretary]=4 [deputy]=2 [member]=6)
for home in secretary deputy member; do
  status=$(device "$home" status)
  same "unsent edits of $home" "${unsent[$home]}" "$(jq .unsent <<<"$status")"
  tell "$home: 未发送 unsent $(jq .unsent <<<"$status")"
done

step "信号恢复：服务器重启，逐台同步" "The signal is back: the server starts again, each device syncs"
start_server "$port"
for home in secretary deputy member secretary deputy; do
  status=$(device "$home" sync)
  tell "$home: 未发送 unsent $(jq .unsent <<<"$status")，已接收 received $(jq .recordsReceived <<<"$status")"
done

step "书记和副书记看到同一次会议" "The secretary and the deputy see the same meeting"
show_meeting() { # HOME
  local now
  now=$(meeting_of "$1")
  echo "【$1】"
  jq -r '.record | "地点 \(.place)", "状态 \(.state)", "议程 \(.agenda[0].topic)", "记录 \(.minutes)"' <<<"$now"
  echo "到会 $(jq '.record.present | length' <<<"$now") 人"
  jq -c .record.present <<<"$now" | names_of | sed 's/、/\n/g' | sed 's/^/  /'
}
show_meeting secretary >"$work/left"
show_meeting deputy >"$work/right"
# Chinese is three bytes a character and two columns wide, which pr does not know.
while IFS= read -r left <&4 && IFS= read -r right <&5; do
  ascii=${left//[^ -~]/}
  printf '   %s%*s%s\n' "$left" $((40 - 2 * ${#left} + ${#ascii})) "" "$right"
done 4<"$work/left" 5<"$work/right"

step "两个地点都没有丢：一条冲突记录，等人处理" "Neither place is lost: one conflict note, for people to settle"
for home in secretary deputy; do
  note=$(device "$home" conflicts | jq -c '.[0].record')
  kept_by=$(jq -c '[.keptById]' <<<"$note" | names_of)
  lost_by=$(jq -c '[.lostById]' <<<"$note" | names_of)
  tell "$home: $(jq -r .field <<<"$note") 保留 kept $(jq -r .kept <<<"$note")（$kept_by），" \
    "        另一个 the other $(jq -r .lost <<<"$note")（$lost_by）"
  same "the two places and their authors on $home" \
    "$(jq -cnS --arg p "$secretary_place" --arg q "$deputy_place" --arg a "$secretary" --arg b "$deputy" \
      '{($p): $a, ($q): $b}')" \
    "$(jq -cS --arg a "$kept_by" --arg b "$lost_by" \
      '{(.kept | fromjson): $a, (.lost | fromjson): $b}' <<<"$note")"
done

step "党费和签到已在书记的设备上" "The dues and the check-in are on the secretary's device"
yuan() { printf '%d.%02d' $(($1 / 100)) $(($1 % 100)); } # FEN, not negative
dues=$(device secretary list DuesPayment)
while read -r month fen; do
  tell "$month  $([[ $fen -ge 0 ]] && yuan "$fen" || echo "冲正 reversal -$(yuan "${fen#-}")") 元 yuan"
done < <(jq -r 'sort_by(.record.month, .id)[].record | "\(.month) \(.amountFen)"' <<<"$dues")
dues_fen=$(jq '[.[].record.amountFen | tonumber] | add' <<<"$dues")
check_ins=$(device secretary list CheckIn)
tell "合计 in all $(yuan "$dues_fen") 元；签到 check-ins: $(jq -c '[.[].record.memberId]' <<<"$check_ins" | names_of)"
same "what the server makes of the scanned code" '["VERIFIED"]' "$(jq -c '[.[].record.standing]' <<<"$check_ins")"

step "逐项核对：设备、服务器、一台全新的设备" "Checked: devices, server, and a brand-new device"
readonly types=(Meeting Attendance CheckIn DuesPayment ConflictNote Flow)
enrol fresh "$deputy"
records=0
for type in "${types[@]}"; do
  expected=$(view secretary "$type")
  count=$(jq length <<<"$expected")
  [[ "$count" -gt 0 ]] || fail "there is no $type"
  records=$((records + count))
  same "$type on secretary and deputy" "$expected" "$(view deputy "$type")"
  same "$type on a fresh device" "$expected" "$(view fresh "$type")"
done
for type in Organisation Member Placement PrivateDetail; do
  same "$type on a fresh device" "$(view deputy "$type")" "$(view fresh "$type")"
done
device member sync >/dev/null
for type in Meeting CheckIn DuesPayment Flow; do
  same "$type on secretary and member" "$(view secretary "$type")" "$(view member "$type")"
done
same "who was present" \
  "$(printf '%s\n' "${secretary_adds[@]}" "${deputy_adds[@]}" | LC_ALL=C sort | paste -sd' ')" \
  "$(meeting_of secretary | jq -c .record.present | names_of | sed 's/、/\n/g' | LC_ALL=C sort | paste -sd' ')"
same "the deputy's minutes and agenda, the secretary's state" "审议通过修建村道的方案。 发展党员票决 HELD" \
  "$(meeting_of fresh | jq -r '.record | "\(.minutes) \(.agenda[].topic) \(.state)"')"
same "who is on leave" "在县医院陪护" \
  "$(device deputy list Attendance --where state=LEAVE | jq -r '.[].record.reason')"
conflicts=$(admin conflicts)
same "conflicts on the server" 1 "$(jq '.conflicts | length' <<<"$conflicts")"
same "the two places in the server's conflict" \
  "$(jq -cn --arg a "$secretary_place" --arg b "$deputy_place" '[$a, $b] | sort')" \
  "$(jq -c '.conflicts[0] | [.kept, .lost | fromjson] | sort' <<<"$conflicts")"
same "the place that stands" "$(jq -r '.conflicts[0].kept | fromjson' <<<"$conflicts")" \
  "$(meeting_of fresh | jq -r .record.place)"
same "open conflicts on the devices" '["OPEN"]' \
  "$(device secretary conflicts | jq -c '[.[].record.state]')"
same "dues in fen" 3700 "$dues_fen"
for home in secretary deputy member fresh; do
  same "unsent and set aside on $home" "[0,0]" "$(device "$home" status | jq -c '[.unsent, .setAside]')"
  same "edits of $home set aside" "[]" "$(device "$home" set-aside)"
done
audit=$(admin audit verify) || fail "the audit does not verify: $audit"
checks=$((checks + 1))
stop_server
end_step

printf '\n%s完成：核对 %d 项，4 台设备与服务器的 %d 条记录一致，审计 %s 条修改，用时 %s%s\n' \
  "$bold" "$checks" "$records" "$(jq -r .edits <<<"$audit")" "$(elapsed_since "$began")" "$plain"
printf 'Verified: %d checks; %d records the same on 4 devices and the server; 6 present, 1 open conflict, %s fen of dues, %s audited edits.\n' \
  "$checks" "$records" "$dues_fen" "$(jq -r .edits <<<"$audit")"
