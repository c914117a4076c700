#!/usr/bin/env bash
# A member leaves home for a job in another city (流动党员). Both branches see what they
# should, each does its part offline, the member checks in in a basement with no signal,
# moves on, loses a phone, and is transferred in the end; nothing is lost, leaked or
# counted twice. Every claim that is printed is checked; the first one that does not hold
# ends the demo with exit status 1.
#
#   tests/demo/migrant.sh PATH_TO_ZHIBU [--keep]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
readonly home_branch=云溪镇青石村党支部 host_branch=云溪镇驻滨海市流动党支部 next_branch=云溪镇柳湾村党支部
readonly home_secretary=甲青石 host_secretary=滨海党员01 next_secretary=柳湾党员01 migrant=丙滨海

refused() { # WHAT REASON HOME COMMAND… : the command says no, and why
  local what=$1 reason=$2 home=$3 said status=0
  shift 3
  said=$("$zhibu" --json device --home "$work/$home" "$@") || status=$?
  [[ $status == 1 ]] || fail "$what: exit status $status: $said"
  same "$what" "$reason" "$(jq -r .error.reason <<<"$said")"
}

returned() { # HOME → the reasons of what has come back to it
  device "$1" set-aside | jq -c '[.[].reason]'
}

sync() { for home in "$@"; do device "$home" sync >/dev/null; done; }

sees() { # HOME TYPE → how many
  device "$1" list "$2" | jq length
}

has_migrant() { # HOME → whether the member's record is there
  device "$1" list Member --where "name=$migrant" | jq 'length == 1'
}

migrant_is_here() { [[ "$(has_migrant "$1")" == true ]] && echo 看得到 sees || echo 看不到 does not see; }

# =============================================================================

echo "${bold}支部 Zhibu：流动党员${plain}  a member who goes away to work"

step "流出地、流入地支部和党员各有一台设备" "The home branch, a host branch and the member have a device each"
admin init >/dev/null
admin import "$roster" >/dev/null
start_server 0
admin grant "$home_secretary" "$home_branch" >/dev/null
admin grant "$host_secretary" "$host_branch" >/dev/null
admin grant "$next_secretary" "$next_branch" >/dev/null
enrol home "$home_secretary"
enrol host "$host_secretary"
enrol next "$next_secretary"
enrol phone "$migrant"
know_members home
home_id=$(device home list Organisation --where "name=$home_branch" | jq -r '.[0].id')
host_id=$(device host list Organisation --where "name=$host_branch" | jq -r '.[0].id')
next_id=$(device next list Organisation --where "name=$next_branch" | jq -r '.[0].id')
member_id=${id_of[$migrant]}
host_members=$(sees host Member)
same "the host knows its own members only" "16 false" "$host_members $(has_migrant host)"
tell "流出地 home ${home_branch}，流入地 host ${host_branch}：$(migrant_is_here host) ${migrant}"

step "出发前：支部发活动证，${migrant}报告外出，都在没有信号的村里" \
  "Before leaving, in a village without signal: home issues a pass, the member reports the stay"
stop_server
today=$(TZ=Asia/Shanghai date +%F)
next_year=$(TZ=Asia/Shanghai date -d "$today + 1 year" +%F)
device home pass issue "$migrant" --number "青石-001" --until "$next_year" >/dev/null
device phone flow report --host "$host_id" --back "$next_year" --reason 务工 --destination 滨海市 >/dev/null
start_server "$port"
sync home phone home host
same "the host sees the stay, and not yet the member's record" "false REPORTED" \
  "$(has_migrant host) $(device host flow list | jq -r '.[0].state')"
same "and whose it is" "$migrant $home_branch" "$(device host flow list | jq -r '.[0] | "\(.member) \(.home)"')"
same "the host sees no member more and no private detail of theirs" "$host_members 0" \
  "$(sees host Member) $(device host list PrivateDetail --where "memberId=$member_id" | jq length)"
tell "流入地支部 the host: $(migrant_is_here host) ${migrant}，看不到身份证号和电话 no identity number, no telephone"

step "公示：不出现号码；关于党员的，只公开谁都可以看的" \
  "A notice: no number in it, and of a member only what anybody may see"
notice=$(jq -n --arg branch "$home_id" --arg member "$member_id" --arg from "$today" --arg until "$next_year" \
  '{branchId: $branch, title: "流动党员名单", from: $from, until: $until, subjectType: 2, subjectId: $member}')
refused "a telephone number is not made public" HOLDS_CONTACT home \
  put Notice "$(jq '. + {text: "有意见请电 138 0013 8000"}' <<<"$notice")"
notice=$(put home Notice "$(jq '. + {text: "有意见请向支部反映"}' <<<"$notice")")
sync home phone
shown=$(device phone list Notice | jq -r --arg id "$notice" '.[] | select(.id == $id) | .record.shown')
same "the name is shown, and no birth date, sex or schooling" "1 0" \
  "$(grep -c "姓名: $migrant" <<<"$shown") $(grep -c '出生日期\|性别\|学历' <<<"$shown")"
tell "$(tr -s '\n ' ' ' <<<"$shown")"

step "不是自己的步骤办不了：党员不能自己接收自己" "Whose step it is: the member cannot accept the stay in the host's place"
device phone flow accept "$migrant" >/dev/null
sync phone
same "the member's own acceptance comes back" '["NOT_YOUR_STEP"]' "$(returned phone)"
tell "$(device phone set-aside | jq -r '.[0].words')"
device phone discard "$(device phone set-aside | jq -r '.[0].place')" >/dev/null

step "流入地支部没有信号也能核验活动证，并接收${migrant}" \
  "With no signal the host verifies the pass on the member's phone, and accepts the stay"
sync phone
stop_server
pass_text=$(device phone pass show | jq -r .text)
checked=$(device host pass verify "$pass_text")
same "the pass, verified offline" "VALID $migrant $home_branch" "$(jq -r '"\(.standing) \(.name) \(.issuer)"' <<<"$checked")"
tell "$(jq -r '"\(.words): \(.name)，\(.issuer)，\(.number)，\(.from) – \(.until)"' <<<"$checked")"
altered=${pass_text:0:40}$([[ ${pass_text:40:1} == A ]] && echo B || echo A)${pass_text:41}
same "the same with one character changed" FORGED "$(device host pass verify "$altered" | jq -r .standing)"
tell "改动一个字：$(device host pass verify "$altered" | jq -r .words)"
device host flow accept "$migrant" --contact "${host_secretary}，临港街道 3 号" >/dev/null

step "地下室里的主题党日：双方手机都没有信号，扫码签到；三方各自记录" \
  "A theme day in a basement, no signal for anybody: a check-in by code; all three go on recording"
meeting=$(put host Meeting "$(jq -n --arg branch "$host_id" \
  '{branchId: $branch, kind: "THEME_DAY", topic: "十一月主题党日", place: "地下一层活动室", state: "HELD"}')")
code=$(device host check-in show --activity "$meeting" --once | jq -r .text)
check_in=$(device phone check-in scan "$code" | jq -r .id)
device phone check-in scan "$code" >/dev/null # twice is once
same "scanned twice, it is one edit" 1 "$(device phone status | jq .unsent)"
device home flow contact "$migrant" --how 电话 --said 已平安到达 >/dev/null
put phone DuesPayment "$(jq -n --arg member "$member_id" --arg branch "$home_id" --arg month "${today:0:7}" \
  '{memberId: $member, branchId: $branch, amountFen: "1850", month: $month, method: "TRANSFER"}')" >/dev/null
tell "host: 接收、活动、签到码；home: 电话联系；phone: 扫码签到、交党费 18.50 元"
same "unsent on the three" "2 1 2" \
  "$(for home in host home phone; do device "$home" status | jq .unsent; done | paste -sd' ')"

step "党员的手机仍没有信号：流入地书记把记录捎到能联网的地方" \
  "The phone still has no signal: the host's secretary carries its records to where there is one"
device phone courier export "$work/parcel" >/dev/null
device host courier carry "$work/parcel" >/dev/null
start_server "$port"
carried=$(device host sync)
sync home host
same "the check-in, judged at the server" VERIFIED "$(device host get CheckIn "$check_in" | jq -r .record.standing)"
same "it is seen at home too, and so are the dues" "VERIFIED 1850" \
  "$(device home get CheckIn "$check_in" | jq -r .record.standing) $(device home list DuesPayment | jq -r '.[0].record.amountFen')"
device phone courier receive "$(jq -r '.courier[0].receipts' <<<"$carried")" >/dev/null
same "the phone has heard that all was delivered" "2 2" "$(device phone status | jq -r '"\(.unsent) \(.delivered)"')"
same "the host does not see the dues" 0 "$(sees host DuesPayment)"
sync phone
same "carried and then synced, it counts once" "1 1 0" \
  "$(sees home DuesPayment) $(sees home CheckIn) $(device phone status | jq .unsent)"
tell "流出地看到 at home: 签到已核验 check-in verified，党费 dues 18.50 元，各一次 each once"

step "延期：党员申请，流出地同意，都是离线" "A longer stay: asked for by the member, agreed to at home, both offline"
stop_server
longer=$(TZ=Asia/Shanghai date -d "$today + 2 years" +%F)
device phone flow ask-extension "$migrant" "$longer" >/dev/null
device host flow contact "$migrant" --how 走访 --said 表现很好 >/dev/null
start_server "$port"
sync phone host home
stop_server
device home flow extend "$migrant" >/dev/null
start_server "$port"
sync home host phone
for home in home host phone; do
  same "the stay on $home" "EXTENDED $longer" "$(device "$home" flow list | jq -r '.[0] | "\(.state) \(.expectedBack)"')"
  same "both contacts on $home" 2 "$(sees "$home" Contact)"
done
same "nobody's contact is in conflict" 0 "$(sees home ConflictNote)"
tell "三方一致：已延期至 ${longer}，两次联系 the same on all three: extended, two contacts"

step "转往他处：原流入地不再看到${migrant}" "The member moves on: the first host does not see them any longer"
device phone flow move-on "$migrant" --host "$next_id" --reason 换工作 >/dev/null
sync phone home host next
device next flow accept "$migrant" --contact "$next_secretary" >/dev/null
sync next home phone
same "who sees the member now" "true false true" "$(has_migrant home) $(has_migrant host) $(has_migrant next)"
same "the first host keeps its own contact, and not home's" "走访" "$(device host list Contact | jq -r '.[].record.how')"
same "and has no pass of the member" "0 1" "$(sees host Pass) $(sees next Pass)"
tell "${host_branch}：$(migrant_is_here host)；${next_branch}：$(migrant_is_here next)"

step "换手机，旧手机丢失：清空，未发送的记录由书记采纳" \
  "A new phone, and the old one is lost: it is wiped at its next contact; what it had not sent waits for a decision"
contact=$(device phone flow contact "$migrant" --how 短信 --said 换号码了 | jq -r .id)
device phone courier export "$work/last" >/dev/null
enrol phone2 "$migrant"
lost=$(admin devices | jq '[.devices[] | select(.name == "phone")][0].number')
admin revoke --device "$lost" --wipe >/dev/null
refused "whoever has found the lost phone" DEVICE_WIPED phone sync
same "and there is nothing on it" "0 0" "$(device phone list Member | jq length) $(device phone status | jq .unsent)"
device phone2 courier deliver "$work/last" >/dev/null
sync home
held=$(device home held)
same "what the lost phone had not sent waits for the home branch" '["OF_REVOKED_DEVICE"]' "$(jq -c '[.[].reason]' <<<"$held")"
device home take "$(jq -r '.[0].id' <<<"$held")" >/dev/null
sync home phone2 home
same "taken, it is there once, also on the new phone" "短信 短信" \
  "$(for home in home phone2; do device "$home" get Contact "$contact" | jq -r .record.how; done | paste -sd' ')"
for type in DuesPayment CheckIn Pass Flow; do
  same "$type on the new phone and at home" \
    "$(device home list "$type" | jq -c --arg member "$member_id" '[.[] | select(.record.memberId == $member)]')" \
    "$(device phone2 list "$type" | jq -c --arg member "$member_id" '[.[] | select(.record.memberId == $member)]')"
done
tell "新手机上一切都在；旧手机已清空 all is on the new phone; the old one is empty"

step "组织关系转接：开具介绍信；收到之前仍由原支部负责" \
  "Membership is transferred: a letter; until it is received home stays responsible"
device home transfer issue --member "$migrant" --to "$next_id" --letter 云组介-17 --days 30 >/dev/null
sync home next phone2
belongs() { device phone2 list Placement --where "memberId=$member_id" | jq -r '.[0].record.branchId'; }
same "the member still belongs to the home branch" "$home_id" "$(belongs)"
stop_server
device next transfer receive 云组介-17 >/dev/null
device home edit Member "$member_id" '{"education":"大学本科"}' >/dev/null # home does not know yet
start_server "$port"
sync next home phone2 next
same "the member belongs to the new branch" "$next_id" "$(belongs)"
same "the former home has let go of the register" "false 0" \
  "$(has_migrant home) $(device home list PrivateDetail --where "memberId=$member_id" | jq length)"
same "what it wrote meanwhile waits for the new branch" "MOVED_AWAY" "$(device next held | jq -r '.[0].reason')"
device next take "$(device next held | jq -r '.[0].id')" >/dev/null
sync next
same "and is not lost" "大学本科" "$(device next get Member "$member_id" | jq -r .record.education)"
device home transfer close 云组介-17 >/dev/null
sync home phone2 next
tell "回执归档 receipt filed；${next_branch} 接手 is in charge now"

step "逐项核对" "Checked: who holds what, what counts, and the audit"
same "dues at home, once" 1850 "$(device home list DuesPayment | jq -r '[.[].record.amountFen | tonumber] | add')"
same "the transfer" CLOSED "$(device next transfer list --all | jq -r '.[0].state')"
for home in home host next phone2; do
  same "unsent on $home" 0 "$(device "$home" status | jq .unsent)"
done
enrol fresh "$next_secretary"
for type in Member Placement PrivateDetail Flow Transfer Pass Contact HeldEdit; do
  same "$type on a fresh device of the new branch" "$(view next "$type")" "$(view fresh "$type")"
done
same "the first host has nothing of the member's but its own work" "false 0 0 1 1" \
  "$(has_migrant host) $(sees host Pass) $(sees host Transfer) $(sees host Flow) $(sees host Contact)"
audit=$(admin audit verify) || fail "the audit does not verify: $audit"
checks=$((checks + 1))
stop_server
end_step

printf '\n%s完成：核对 %d 项，审计 %s 条修改，用时 %s%s\n' \
  "$bold" "$checks" "$(jq -r .edits <<<"$audit")" "$(elapsed_since "$began")" "$plain"
printf 'Verified: %d checks; one check-in, one payment, two hosts, one transfer; %s audited edits.\n' \
  "$checks" "$(jq -r .edits <<<"$audit")"
