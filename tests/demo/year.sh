#!/usr/bin/env bash
# A township's year: 30 branches, 700 members, all kinds of records. It is lived through by the
# production code of both sides on a clock of its own (tests/demo/year), which begins 365 days ago
# and ends now; three secretaries have no signal for weeks. Then the real program goes on with what
# is left: whether all of it is there, what the year comes to, its dossier, what is due, what is not
# as the rules have it. Every claim that is printed is checked; the first one that does not hold ends
# the demo with exit status 1.
#
#   SEED=2026 tests/demo/year.sh PATH_TO_ZHIBU [--keep]
set -euo pipefail
# So many small writes are for memory, where the system has such.
[[ -n "${TMPDIR:-}" || ! -w /dev/shm ]] || export TMPDIR=/dev/shm
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
readonly township=中共云溪镇委员会 seed=${SEED:-2026}
lived=$(dirname "$zhibu")/zhibu_year
[[ -x "$lived" ]] || { echo "demo: no program at $lived" >&2; exit 2; }

year() { jq -r "$1" "$work/year.json"; } # FILTER of what the year tells

yuan() { printf '%d.%02d' $(($1 / 100)) $(($1 % 100)); } # FEN, not negative

# What only the server makes, and only where somebody gives cause for it; and what is made below.
declare -A no_cause=(
  [LedgerExport]="台账在下面导出 a ledger is written out below"
  [HeldEdit]="无人离任或转出后仍有未送达的修改 nobody's office ended while they had work unsent"
  [DuplicatePerson]="花名册没有重复登记的人 nobody stands in the roster twice"
  [TemporaryAccess]="无人申请临时查阅 nobody opened a member's records"
)

below() { # TYPE → its records in the township, as the server shows them to its leader
  device town query "$1" --under "$township" --most 1000000
}

due_of() { # HOME → what is due on that phone, without a link
  device "$1" due
}

show_due() { # DUE LINES
  jq -r --argjson lines "$2" '.due | .[:$lines][]
    | "\({OVERDUE: "逾期", DUE: "应办", QUESTION: "待核实", COMING: "将到期"}[.standing])  \(.last)  \(.words)\(if .period then " " + .period else "" end)：\(.name)"' <<<"$1" |
    sed 's/^/   /'
}

counts_of() { # DUE KEY STANDING → how many
  jq --arg key "$2" --arg standing "$3" '[.due[] | select(.key == $key and .standing == $standing)] | length' <<<"$1"
}

# =============================================================================

echo "${bold}支部 Zhibu：一个乡镇的一年${plain}  a township's year, from a seed"

step "一年在一个虚拟时钟下过去：导入花名册、授权、登记设备，每周同步" \
  "A year passes on a clock of its own: a roster, offices, devices, a sync a week"
"$lived" "$work" --seed "$seed" >"$work/year.json" 2>"$work/year.log" ||
  fail "the year does not come to its end: $(tail -5 "$work/year.log")"
same "branches and members" "30 700" "$(year '"\(.branches | length) \(.members)"')"
tell "$(year '"\(.from) – \(.until)，种子 seed \(.seed)：党支部 branches \(.branches | length)，党员 members \(.members)，设备 devices \(.devices | length)"')"
tell "$(year '"修改 edits \(.edits)，记录 records \(.records)，同步 syncs \(.syncs)"')"
same "secretaries without a link, twice each, for five to seven weeks" "[3,2,35,49]" \
  "$(year '.offline | [(map(.secretary) | unique | length), (group_by(.secretary) | map(length) | unique[0]), (map(.days) | min, max)]' | jq -c .)"
while read -r secretary branch days edits; do
  tell "${branch}书记${secretary}：离线 offline ${days} 天 days，回来带回 brings ${edits} 笔修改 edits"
done < <(year '.offline[] | "\(.secretary) \(.branch) \(.days) \(.edits)"')

step "各类记录都有：每种至少一条" "All kinds of records: at least one of each"
missing=$(year '[.types | to_entries[] | select(.value.records == 0) | .key] | sort | join(" ")')
same "types without a record" "$(printf '%s\n' "${!no_cause[@]}" | LC_ALL=C sort | paste -sd' ')" "$missing"
for type in $missing; do
  [[ $type == LedgerExport ]] ||
    same "whether only the server makes a $type" true "$(year ".types.$type.byServer")"
  tell "$type: 没有 none: ${no_cause[$type]}"
done
tell "$(year '"记录种类 types \([.types[] | select(.records > 0)] | length)：会议 meetings \(.made.Meeting)，考勤 attendance \(.made.Attendance)，请假 leave \(.made.Leave)，党费 payments \(.made.DuesPayment)，评议 appraisals \(.made.MemberAppraisal)，"')" \
  "$(year '"发展党员步骤 steps \(.made.DevelopmentStep)，上级审批 decided above \(.numbers.agreed)，流动 stays \(.made.Flow)，联系 contacts \(.made.Contact)，四议两公开 sheets \(.made.MatterSheet) …"')"
tell "$(year '"发展党员 on the way: 积极分子 \(.numbers["stage.ACTIVIST"])，发展对象 \(.numbers["stage.CANDIDATE"])，待审批 \(.numbers["stage.ACCEPTED"])，预备党员 \(.numbers["stage.PROBATIONARY"])，已转正 \(.numbers["stage.CONFIRMED"])"')"
same "everybody on the way" 30 "$(year '[.numbers | to_entries[] | select(.key | startswith("stage.")) | .value] | add')"
same "the stages that are met with, five at least" true \
  "$(year '[.numbers | keys[] | select(startswith("stage."))] | length >= 5')"

step "真实的服务器接着运行：镇党委查看全镇" "The real server goes on: the township looks at all of it"
start_server "$(year .port)"
audit=$(admin audit verify) || fail "the audit does not verify: $audit"
checks=$((checks + 1))
tell "审计校验通过 audit verified：$(jq -r .edits <<<"$audit") 条修改 edits"
for type in Meeting DevelopmentStep Flow Grading; do
  below "$type" >"$work/$type.json"
  same "$type below the township" "$(year ".made.$type")" "$(jq length "$work/$type.json")"
done
below DuesPayment >"$work/dues.json"
same "payments" "$(year .made.DuesPayment)" "$(jq length "$work/dues.json")"
dues=$(jq '[.[].record.amountFen | tonumber] | add' "$work/dues.json")
same "dues in fen" "$(year .numbers.duesFen)" "$dues"
reversed=$(jq '[.[] | select(.record.reversesId)] | length' "$work/dues.json")
same "one slip was reversed" 1 "$reversed"
tell "会议 meetings $(year .made.Meeting)，党费 dues $(yuan "$dues") 元 yuan，其中冲正 reversed ${reversed} 笔（$(year .words.slip)）"
conflicts=$(admin conflicts)
same "conflict notes: two places of one meeting, in three branches" "$(year .numbers.conflicts) place" \
  "$(jq -r '"\(.conflicts | length) \([.conflicts[].field] | unique | join(","))"' <<<"$conflicts")"
tell "书记和副书记对同一次会议各写了地点：$(jq -r '.conflicts[0] | "\(.kept | fromjson) / \(.lost | fromjson)"' <<<"$conflicts")，待人处理 open conflicts $(year .numbers.conflicts)"

step "全新的设备与用了一年的设备一致" "A brand-new device shows what one shows that lived through the year"
readonly absent=secretary17 # twice without a link
owner=$(year ".devices[] | select(.home == \"$absent\") | .owner")
enrol fresh "$owner"
records=0
types=0
for type in $(year '.types | to_entries[] | select(.value.records > 0) | .key'); do
  # Of the new device itself.
  [[ $type != Device && $type != AccessLog && $type != OperatorAct ]] || continue
  expected=$(view "$absent" "$type")
  same "$type on a fresh device of $owner" "$expected" "$(view fresh "$type")"
  records=$((records + $(jq length <<<"$expected")))
  types=$((types + 1))
done
tell "$(year '.branches[17]')：${types} 种 types、${records} 条记录一致 records the same"
step "一年的汇总：镇党委一张表" "The year's summary, for the township as a whole"
calendar=$(TZ=Asia/Shanghai date -d "$(year .until) - 182 days" +%Y) # the year of which most was lived through
first=$(year '.branches[0]')
admin report --organisation "$township" --period "$calendar" >"$work/report.json"
admin report --organisation "$first" --period "$calendar" >"$work/report0.json"
amount() { jq -r --arg key "$2" '.report.lines[] | select(.key == $key) | .amount // 0' "$work/$1.json"; } # REPORT KEY
counted() { jq --arg year "$calendar" "$2" "$work/$1.json"; } # TYPE FILTER of the records themselves
same "meetings held" "$(counted Meeting '[.[].record | select((.state == "HELD" or .state == "CLOSED") and (.startsAt | startswith($year)))] | length')" \
  "$(amount report meeting.held)"
same "dues paid, in fen" "$(counted dues '[.[].record | select(.month | startswith($year)) | .amountFen | tonumber] | add // 0')" \
  "$(amount report dues.paid)"
same "meetings of which the day is not known" 0 "$(jq '[.report.lines[] | select(.key == "meeting.held") | .notKnown // "0" | tonumber] | add' "$work/report.json")"
same "members admitted" "$(counted DevelopmentStep '[.[].record | select(.step == "APPROVAL" and (.doneOn | startswith($year)))] | length')" \
  "$(amount report dev.admitted)"
same "rules that go wrong in it" 0 "$(jq '.report.faults // [] | length' "$work/report.json")"
same "what the balance of members is open by" 0 "$(jq '[.report.balances[].difference // "0" | tonumber] | add' "$work/report.json")"
"$zhibu" admin --data "$work/server" report --organisation "$township" --period "$calendar" |
  grep -E '^(  [^ ]|党员数量变化|    期初|  [+=-] )' | grep -Ev ' 0(\.00)?( [^ ]+)?$' | sed 's/^/ /'
device secretary0 report --year "$calendar" >"$work/own.json"
for key in meeting.held dues.paid dev.admitted; do
  same "$key of the first branch, on its phone and at the server" "$(amount report0 "$key")" \
    "$(jq -r --arg key "$key" '(.report // .).lines[] | select(.key == $key) | .amount // 0' "$work/own.json")"
done
tell "${first}：手机离线算出的与服务器一致 the phone comes to the same by itself"

step "一年的档案：写成工作簿，谁导出的有记录，本人看得到" \
  "The year's dossier as a workbook: who wrote it out is on record, and seen by whom it is about"
dossier=$(device secretary0 ledger --dossier --year "$calendar" --out "$work/dossier.xlsx")
same "a workbook" PK "$(head -c 2 "$work/dossier.xlsx")"
same "ledgers and rows in it" "true true" "$(jq -r '"\(.ledgers > 5) \(.rows > 100)"' <<<"$dossier")"
device secretary0 sync >/dev/null
device member sync >/dev/null
same "a member is told who wrote what of theirs into a file" true \
  "$(device member accesses | jq --arg name "$(year '.devices[] | select(.home == "secretary0") | .owner')" 'any(.[].record; .readerName == $name and (.exports // 0) > 0)')"
tell "$(jq -r '"\(.ledgers) 张台账 ledgers，\(.rows) 行 rows"' <<<"$dossier")，$(stat -c %s "$work/dossier.xlsx") 字节 bytes；导出记录 exports on record $(device secretary0 list LedgerExport | jq length)"
admin due --organisation "$first" >"$work/due0.json"
admin due --organisation "$township" >"$work/due.json"
stop_server

step "今天该办什么？三部手机，没有信号" "What is due today? Three phones, no signal"
mine=$(due_of secretary0)
tell "${bold}$(year '.branches[0]')书记 the secretary${plain}：$(jq '.due | length' <<<"$mine") 项 items"
show_due "$mine" 8
same "a promise of a visit and a problem that are overdue" "1 1" \
  "$(counts_of "$mine" visit.promise OVERDUE) $(counts_of "$mine" rectification OVERDUE)"
readonly standings='[("OVERDUE", "DUE", "QUESTION", "COMING") as $one | map(select(.standing == $one)) | length]'
same "what is due at the first branch, by rule, on its phone and at the server" \
  "$(jq -c ".due | group_by(.key) | map([.[0].key, $standings])" <<<"$mine")" \
  "$(jq -c '[.report.rules[] | [.key, [.all | .overdue // 0, .due // 0, .questions // 0, .coming // 0]]] | sort' "$work/due0.json")"
same "organisations that the server looks at for the township" "$(year '.branches | length + 1')" "$(jq .report.organisations "$work/due.json")"
tell "服务器上的全镇应办 at the server, of all: $(jq -c '[.report.rules[].all] | [(map(.overdue // 0) | add), (map(.due // 0) | add)]' "$work/due.json") 已逾期 overdue，应办 due"
debtor=$(year .words.debtor)
months=$(year '[.words.unpaidFrom, .words.unpaidUntil] | join(" ")')
theirs=$(due_of debtor)
tell "${bold}${debtor}（欠交党费 behind with the dues）${plain}：$(jq '.due | length' <<<"$theirs") 项 items"
show_due "$theirs" 4
for month in $months; do
  same "dues of $month are due to $debtor" 1 \
    "$(jq --arg month "$month" '[.due[] | select(.key == "dues.month" and .period == $month)] | length' <<<"$theirs")"
done
same "nobody else of the branch is behind with a month that has been paid" "$debtor" \
  "$(jq -r --arg until "$(year .words.unpaidUntil)" '[.due[] | select(.key == "dues.month" and .period <= $until) | .name] | unique | join(" ")' <<<"$mine")"
above=$(due_of town)
tell "${bold}镇党委 the township${plain}：$(jq '.due | length' <<<"$above") 项 items"
show_due "$above" 4
same "an admission waits for the township beyond three months" "1 $(year '.words["waiting.branch"]')" \
  "$(counts_of "$above" dev.approval OVERDUE) $(jq -r '[.due[] | select(.key == "dev.approval") | .name] | join(" ")' <<<"$above")"
silent=$(due_of secretary6)
same "whether somebody is lost is a question, for people to decide" true \
  "$(jq --arg name "$(year .words.silent)" '[.due[] | select(.key == "flow.lost_question") | "\(.standing) \(.name)"] | index("QUESTION \($name)") != null' <<<"$silent")"
tell "${dim}$(year '.branches[6]')：是否失去联系 is contact lost? $(year .words.silent)，由人决定 people decide${plain}"

step "补录的纸质材料：不合规，有原因；当天想做，手机当场拒绝" \
  "Late paper: irregular, with its reason; as a new act the phone had refused it"
tell "${dim}$(year .words.refused)${plain}"
found=$(device secretary3 checks)
same "what is irregular at the branch" "1 dev.observed true $(year .words.latePaper)" \
  "$(jq -r '.checks | "\(length) \(.[0].key) \(.[0].hard) \(.[0].name)"' <<<"$found")"
because=$(jq -r '.checks[0].because' <<<"$found")
[[ "$because" == 纸质材料补录* ]] || fail "the reason is: $because"
checks=$((checks + 1))
tell "$(jq -r '.checks[0] | "\(.day) \(.name)：\(.words)"' <<<"$found")" "说明 because：${because}"

step "旧规则管旧事：2014 年细则与 2026 年 5 月修订各判各的" \
  "A superseded rule judges what was done under it: the table of 2014, and that of May 2026"
for way in oldTable newTable; do
  examined=$(year ".words[\"$way.examined\"]") met=$(year ".words[\"$way.met\"]")
  days=$((($(date -ud "$met" +%s) - $(date -ud "$examined" +%s)) / 86400))
  [[ $days -gt 31 ]] || fail "$way: the meeting is $days days after the pre-examination"
  phone=secretary1 expected=0
  [[ $way == oldTable ]] || phone=secretary2 expected=1
  found=$(device "$phone" checks)
  same "findings of the meeting on $met" "$expected" \
    "$(jq '[.checks[] | select(.key == "dev.meeting_in_time")] | length' <<<"$found")"
  same "and no other" "$expected" "$(jq '.checks | length' <<<"$found")"
  verdict="符合当时规则 as the rules of then have it"
  [[ $expected == 0 ]] || verdict=$(jq -r '.checks[0].words' <<<"$found")
  tell "$(year ".words.$way")：预审 examined ${examined}，大会 met ${met}，${days} 天 days：${verdict}"
done
same "the two days lie on either side of the change" "true true" \
  "$(year '"\(.words["oldTable.met"] < "2026-05-18") \(.words["newTable.examined"] > "2026-05-18")"')"

step "逐项核对：没有未发送的，没有被搁置的，没有别的不合规" \
  "Checked on every device: nothing is unsent, nothing was set aside, nothing else is irregular"
irregular=()
for phone in $(year '.devices[].home'); do
  same "unsent and set aside on $phone" "[0,0]" "$(device "$phone" status | jq -c '[.unsent, .setAside]')"
  [[ $phone == secretary* ]] || continue
  found=$(device "$phone" checks)
  same "rules that go wrong on $phone" "[]" "$(jq -c .faults <<<"$found")"
  [[ $(jq '.checks | length' <<<"$found") == 0 ]] || irregular+=("$phone")
done
same "where something is irregular" "secretary2 secretary3" "${irregular[*]}"
tell "$(year '.devices | length') 台设备 devices，$(year '.branches | length') 个支部 branches"
end_step

printf '\n%s完成：核对 %d 项，%s 条记录，%s 笔修改，用时 %s%s\n' \
  "$bold" "$checks" "$(year .records)" "$(year .edits)" "$(elapsed_since "$began")" "$plain"
printf 'Verified: %d checks; a year of %s branches and %s members: %s records, %s edits, %s syncs; seed %s.\n' \
  "$checks" "$(year '.branches | length')" "$(year .members)" "$(year .records)" "$(year .edits)" "$(year .syncs)" "$seed"
