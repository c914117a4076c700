// $branch, $town, $host_town: organisations; $me: whoever writes; $m0, $m1 …: members of the
// branch, the secretary first; $applicant; $every: ids of all branches.
// $day, $day+30, $day-7: that day, or so many before or after; $month; $year, $last_year.
// $all, $most: how many members there are, and nine tenths of them. $r10_50: a number by chance.
// $name, $village, $official: words. $the_visit: the record that the branch calls visit;
// $town_campaign: that the township calls so.
#include "tests/demo/year/acts.h"

namespace zhibu::year {
namespace {

constexpr size_t kOnce = 30;

const Act kActs[] = {
    // ---- 党组织, 班子 ----
    {6, kSecretary, 1, "Appointment", "", R"(member_id: $m0 branch_id: $branch duty: SECRETARY from: $day-400)"},
    {6, kSecretary, 1, "Appointment", "", R"(member_id: $m1 branch_id: $branch duty: DEPUTY_SECRETARY from: $day-400)"},
    {18, kSecretary, 3, "FoundingRequest", "founding", R"(branch_id: $branch name: "果蔬合作社党支部" kind: BRANCH unit_name: "果蔬合作社" nature: ENTERPRISE headcount: 46 full_members: 8 probationary_members: 1 reason: "党员满三人，便于开展组织生活" committee_seats: 3 request_number: "请1" requested_on: $day state: REQUESTED)"},
    {35, kTown, 3, "", "founding", R"(state: APPROVED approval_number: "云委复1" approved_on: $day decided_by_id: $me answer: "同意")"},
    {10, kSecretary, 3, "Coverage", "", R"(organisation_id: $branch unit_name: "果蔬合作社" nature: ENTERPRISE status: PREPARED way: BY_AREA covering_organisation_id: $branch headcount: $r20_60 members: $r3_9 under_thirty_five: 11 instructor: "镇组织委员" counted_on: $day)"},
    {44, kSecretary, kOnce, "AffiliationChange", "affiliation", R"(organisation_id: $branch new_parent_id: $host_town reason: "多数党员已迁往城区" members: $all requested_on: $day state: REQUESTED)"},
    {60, kTown, kOnce, "", "affiliation", "state: REFUSED"},
    {33, kSecretary, 6, "Election", "election", R"(branch_id: $branch term_number: 9 kind: GENERAL method: BY_COMMITTEE years: 5 seats: 5 from: $day+42 until: $term state: PLANNED)"},
    {40, kSecretary, 6, "", "election", R"(state: REQUESTED request_number: "换届请1")"},
    {52, kTown, 6, "", "election", R"(state: AGREED reply_number: "云委复换1" answer: "同意换届")"},
    {75, kSecretary, 6, "", "election", R"(state: HELD held_on: $day entitled: $all present: $all ballots { issued: $all returned: $all valid: $all } $candidates tellers: $m8 counters: $m9 report: "三年来的工作报告")"},
    {77, kSecretary, 6, "", "election", R"(state: REPORTED report_number: "换届报1")"},
    {90, kTown, 6, "", "election", R"(state: APPROVED approval_number: "云委批换1" approved_on: $day)"},

    // ---- 发展党员, 党员 ----
    {200, kSecretary, 15, "HandOverNote", "", R"(member_id: $applicant branch_id: $branch handed_over_on: $day text: "外出期间由流入地党支部协助培养" papers: "培养考察登记表")"},
    {50, kSecretary, 10, "AnnualReview", "", R"(member_id: $m4 year: $last_year branch_id: $branch findings { item: DUES met: true } findings { item: ORGANISATIONAL_LIFE met: true } result: PASSED reviewed_on: $day)"},
    {26, kSecretary, 5, "Assessment", "assessment", R"(member_id: $m5 branch_id: $branch occasion: YEAR from: $day-365 until: $day group_opinion: "表现良好" branch_opinion: "同意小组意见" assessed_on: $day state: WRITTEN)"},
    {40, kMember, kOnce, "", "assessment", R"(state: SIGNED self_summary: "完成了年初的承诺")"},
    {24, kMember, kOnce, "SelfAnalysis", "", R"(member_id: $me year: $last_year branch_id: $branch analysis: "对照检查，学习还不够主动" points { number: 1 problem: "学习不够主动" cause: "工学矛盾" remedy: "每周自学两小时" due: $day+120 })"},
    {14, kSecretary, 2, "TargetCard", "card", R"(member_id: $m3 year: $year branch_id: $branch goals { field: SERVICE text: "联系五户困难户" weight: 30 } goals { field: POST text: "带头发展产业" weight: 70 } state: DRAFTED)"},
    {30, kSecretary, 2, "", "card", "state: AGREED"},
    {200, kSecretary, 2, "", "card", "state: CHECKED"},
    {340, kSecretary, 2, "", "card", R"(state: SCORED branch_scores { field: SERVICE points: $r20_30 } branch_scores { field: POST points: $r50_70 } grade: "良好")"},
    {11, kSecretary, 5, "Commendation", "honour", R"(member_id: $m3 branch_id: $branch title: EXCELLENT_MEMBER level: TOWNSHIP basis: "带领村民改种果树" state: PROPOSED)"},
    {215, kSecretary, 5, "", "honour", R"(state: AWARDED awarded_by: "云溪镇党委" awarded_on: $day document_number: "云委表1")"},
    {90, kSecretary, kOnce, "Disciplinary", "discipline", R"(member_id: $m9 branch_id: $branch kind: WARNING facts: "违规操办酒席" basis: "纪律处分条例" vote { entitled: $all present: $most in_favour: $most } state: PROPOSED)"},
    {105, kTown, kOnce, "", "discipline", R"(state: APPROVED approved_by: "云溪镇纪委" from: $day influence_until: $day+365)"},
    {95, kSecretary, kOnce, "Disposal", "disposal", R"(member_id: $m10 branch_id: $branch measure: CORRECTION facts: "长期不参加组织生活" help_given: "书记谈话两次" state: PROPOSED)"},
    {100, kSecretary, kOnce, "", "disposal", "state: TOLD_SUPERIOR told_superior_on: $day"},
    {110, kSecretary, kOnce, "", "disposal", "state: INVESTIGATED"},
    {120, kSecretary, kOnce, "", "disposal", "state: VOTED voted_on: $day vote { entitled: $all present: $most in_favour: $most }"},
    {135, kTown, kOnce, "", "disposal", "state: APPROVED approved_on: $day correction_until: $day+180"},
    {85, kSecretary, 15, "AdmonishingTalk", "", R"(member_id: $m7 branch_id: $branch held_on: $day held_by: "书记" facts: "公示不及时" due: $day+60 state: HELD)"},
    {86, kSecretary, kOnce, "Inquiry", "inquiry", R"(member_id: $m4 branch_id: $branch opened_on: $day facts: "项目监管不力" basis: "问责条例" state: OPENED)"},
    {115, kSecretary, kOnce, "", "inquiry", R"(state: DECIDED decision: "责令书面检查" decided_on: $day)"},
    {40, kSecretary, 1, "HeartTalk", "", R"(first_member_id: $m0 second_member_id: $m3 branch_id: $branch kind: CARE held_on: $day place: "家中" content: "家庭和工作情况" promise: "帮助联系技术员")"},
    {190, kSecretary, 1, "Training", "", R"(member_id: $m0 branch_id: $branch kind: SECRETARY course: "村党组织书记轮训班" organiser: "县委组织部" level: COUNTY from: $day-5 until: $day days: 5 hours: 40 certificate_number: "训1" score: "合格")"},

    // ---- 服务 ----
    {30, kSecretary, 1, "Visit", "visit", R"(branch_id: $branch visited_on: $day visitors: $m0 whom: "困难户" place: "三组" issue: "危房改造" promise: "报镇里核查" due: $day+30 responsible_id: $m1 state: OPEN)"},
    {55, kSecretary, 1, "", "visit", R"(state: DONE answer: "已列入改造计划" satisfied: true)"},
    {58, kSecretary, 1, "", "visit", "state: ANSWERED"},
    {210, kSecretary, 1, "Visit", "", R"(branch_id: $branch visited_on: $day visitors: $m0 visitors: $m2 whom: "老党员" place: "一组" issue: "慰问" state: DONE answer: "送去慰问品" satisfied: true)"},
    {345, kSecretary, kOnce, "Visit", "", R"(branch_id: $branch visited_on: $day visitors: $m1 whom: "种植户" place: "五组" issue: "灌溉渠破损" promise: "一周内组织维修" due: $day+10 responsible_id: $m1 state: OPEN)"},
    {70, kSecretary, 2, "Reception", "reception", R"(branch_id: $branch received_on: $day receivers: $m0 visitor: "村民" issue: "宅基地纠纷" promise: "十日内答复" due: $day+10 responsible_id: $m0 state: OPEN)"},
    {79, kSecretary, 2, "", "reception", R"(state: DONE answer: "已实地丈量" satisfied: true)"},
    {82, kSecretary, 2, "Opinion", "opinion", R"(branch_id: $branch found_on: $day source: "意见箱" kind: OPINION level: ORDINARY people: 12 text: "希望增设路灯" due: $day+20 state: REGISTERED)"},
    {95, kSecretary, 2, "", "opinion", R"(state: HANDLED reply: "已列入年度计划" closed_on: $day)"},
    {99, kSecretary, 2, "", "opinion", "state: TOLD"},
    {140, kSecretary, 3, "Dispute", "dispute", R"(branch_id: $branch found_on: $day parties: "甲户" parties: "乙户" cause: "地界" mediator: "调解委员" state: FOUND)"},
    {150, kSecretary, 3, "", "dispute", "state: MEDIATED"},
    {165, kSecretary, 3, "", "dispute", R"(state: SETTLED result: "双方签订协议" settled_on: $day)"},
    {28, kSecretary, 1, "Post", "", R"(member_id: $m3 branch_id: $branch kind: POST name: "政策宣传岗" duties: "宣传惠农政策" from: $day until: $day+365)"},
    {28, kSecretary, 1, "Post", "", R"(member_id: $m4 branch_id: $branch kind: AREA name: "三组责任区" area: "三组" households: $r5_20 from: $day until: $day+365)"},
    {45, kSecretary, 2, "Pledge", "pledge", R"(member_id: $m3 branch_id: $branch year: $year text: "年内带动三户发展果园" due: $day+270 campaign_id: $town_campaign state: PROMISED)"},
    {50, kSecretary, 2, "", "pledge", "state: SHOWN"},
    {300, kSecretary, 2, "", "pledge", R"(state: KEPT done: "带动四户" ratings { grade: GOOD ballots: $r15_30 })"},
    {60, kSecretary, 1, "ServiceProject", "project", R"(branch_id: $branch name: "清洁家园" place: "村道" from: $day until: $day+200 leader_id: $m2 text: "每月一次清扫" places: 20 served: 300)"},
    {68, kSecretary, 1, "ServiceHour", "", R"(project_id: $the_project member_id: $m5 served_on: $day branch_id: $branch minutes: $r60_240 what: "清扫村道" state: CHECKED checked_by_id: $me)"},
    {65, kSecretary, 2, "Pairing", "", R"(member_id: $m2 branch_id: $branch with: HOUSEHOLD partner: "困难户一" from: $day until: $day+300 measures: "技术指导" result: "增收两千元")"},
    {75, kSecretary, 2, "Aid", "", R"(member_id: $m5 branch_id: $branch kind: HARDSHIP need: "患病住院" help: "慰问金" amount_fen: 50000 source: "党费" given_on: $day)"},

    // ---- 四议两公开, 上级指示 ----
    {100, kSecretary, 3, "Matter", "matter", R"(branch_id: $branch title: "修建村道" origin: FROM_PEOPLE because: "群众反映出行难" text: "硬化三组村道八百米" state: PROPOSED proposed_on: $day)"},
    {100, kSecretary, 3, "MatterSheet", "", R"(matter_id: $the_matter sheet: PROPOSAL branch_id: $branch body: BRANCH_COMMITTEE held_on: $day place: "村委会" vote { entitled: 5 present: 5 in_favour: 5 } content: "提议修建村道" signed_by: $m0)"},
    {104, kSecretary, 3, "", "matter", "state: DISCUSSED"},
    {104, kSecretary, 3, "MatterSheet", "", R"(matter_id: $the_matter sheet: DISCUSSION branch_id: $branch body: BOTH_COMMITTEES held_on: $day vote { entitled: 9 present: 8 in_favour: 8 } content: "商议方案" township: "包村干部")"},
    {112, kSecretary, 3, "", "matter", "state: REVIEWED"},
    {112, kSecretary, 3, "MatterSheet", "", R"(matter_id: $the_matter sheet: REVIEW branch_id: $branch body: MEMBERS_MEETING held_on: $day sent_ahead_on: $day-4 vote { entitled: $all present: $most in_favour: $most } content: "审议通过")"},
    {120, kSecretary, 3, "", "matter", "state: RESOLVED"},
    {120, kSecretary, 3, "MatterSheet", "", R"(matter_id: $the_matter sheet: RESOLUTION branch_id: $branch body: REPRESENTATIVES_MEETING held_on: $day vote { entitled: 45 present: 38 in_favour: 33 against: 3 abstained: 2 } content: "决议通过")"},
    {122, kSecretary, 3, "", "matter", "state: PUBLISHED"},
    {122, kSecretary, 3, "MatterSheet", "", R"(matter_id: $the_matter sheet: RESOLUTION_PUBLISHED branch_id: $branch notice_from: $day notice_until: $day+7 feedback: "无异议")"},
    {240, kSecretary, 3, "", "matter", R"(state: CARRIED_OUT outcome: "已完工验收")"},
    {250, kSecretary, 3, "", "matter", "state: RESULT_PUBLISHED"},
    {250, kSecretary, 3, "MatterSheet", "", R"(matter_id: $the_matter sheet: RESULT_PUBLISHED branch_id: $branch notice_from: $day notice_until: $day+7 result: "支出十二万元")"},
    {16, kTown, kOnce, "Directive", "directive", R"(organisation_id: $town addressee_ids: $every number: "云委发1" title: "关于开展环境整治的通知" text: "各支部组织党员参加环境整治" issued_on: $day due: $day+60 passed_on_to: "全体党员" state: ISSUED)"},
    {30, kSecretary, 1, "Progress", "progress", R"(branch_id: $branch directive_id: $town_directive number: "云委发1" from: "云溪镇党委" received_on: $day responsible_id: $m1 due: $day+46 state: RECEIVED)"},
    {60, kSecretary, 1, "", "progress", R"(state: DONE plan: "分组包片" done: "清理垃圾三处" done_on: $day reply: "已完成")"},
    {80, kTown, 1, "", "progress", R"(state: ACCEPTED answer: "情况属实")"},

    // ---- 党务公开, 制度, 创建活动 ----
    {88, kSecretary, 1, "Notice", "notice", R"(branch_id: $branch title: "季度党费收缴公示" text: "本季度党费已全部上缴。" from: $day until: $day+7 catalogue_item: "党费" audience: WITHIN_PARTY way: BOARD duration: PERIODIC state: PUBLISHED)"},
    {92, kMember, kOnce, "NoticeFeedback", "feedback", R"(notice_id: $the_notice branch_id: $branch member_id: $me kind: OPINION text: "建议同时公开经费支出" state: SAID)"},
    {108, kSecretary, kOnce, "", "feedback", R"(state: ANSWERED answer: "下季度起一并公开" answered_on: $day)"},
    {13, kSecretary, 1, "BranchRule", "rule", R"(branch_id: $branch title: "主题党日制度" text: "每月五日为主题党日" state: DRAFTED)"},
    {34, kSecretary, 1, "", "rule", "state: ADOPTED from: $day vote { entitled: $all present: $most in_favour: $most }"},
    {15, kTown, kOnce, "Campaign", "campaign", R"(organisation_id: $town addressee_ids: $every name: "创先争优" from: $day until: $day+330 items { number: 1 text: "公开承诺" } items { number: 2 text: "领导点评" } summary: "各支部积极参加")"},
    {72, kSecretary, 2, "CampaignTag", "", R"(campaign_id: $town_campaign branch_id: $branch record_type: 76 record_id: $the_project note: "志愿服务项目")"},

    // ---- 责任制, 分类定级 ----
    {12, kSecretary, 1, "DutyList", "duties", R"(organisation_id: $branch year: $year title: "书记抓党建责任清单" duties { number: 1 text: "每月主题党日" responsible_id: $m0 due: $day+300 } duties { number: 2 text: "发展党员" responsible_id: $m1 due: $day+300 })"},
    {22, kSecretary, 1, "WorkReport", "report", R"(branch_id: $branch year: $last_year reported_by: $m0 done: "抓学习、抓服务" shortfalls: "流动党员管理不够" plan: "建好服务站" state: WRITTEN)"},
    {29, kSecretary, 1, "", "report", "state: HEARD_BY_MEMBERS heard_on: $day"},
    {48, kTown, 1, "", "report", R"(state: HEARD_BY_BOTH comment: "成绩明显，短板找得准")"},
    {50, kSecretary, 1, "Review", "", R"(report_id: $the_report group: MEMBERS branch_id: $branch rated_on: $day issued: $all returned: $all ratings { grade: GOOD ballots: $most } ratings { grade: FAIRLY_GOOD ballots: $rest })"},
    {58, kTown, 1, "YearAssessment", "", R"(organisation_id: $town assessed_id: $branch assessed_name: $name year: $last_year level: VILLAGE grade: GOOD note: "综合评价好" assessed_on: $day)"},
    {21, kTown, kOnce, "RegularSession", "", R"(organisation_id: $town held_on: $day place: "镇会议室" present: "各村书记" items { number: 1 text: "换届准备" settled: "三月底前完成" })"},
    {19, kSecretary, 1, "Survey", "", R"(branch_id: $branch year: $year surveyed_on: $day findings { check: ORGANISATION sound: true } findings { check: FUNDS_AND_PREMISES sound: true note: "场所达标" } problem: "年轻党员少")"},
    {25, kSecretary, 1, "Grading", "grading", R"(branch_id: $branch year: $year own_marks { good: LEADERSHIP points: $r80_98 } own_marks { good: RESULTS points: $r75_98 } public_marks { good: PEOPLE_SATISFIED points: $r80_99 } state: MARKED own_grade: FAIRLY_FINE next_grade: FINE)"},
    {50, kTown, 1, "", "grading", R"(superior_marks { good: LEADERSHIP points: $r75_95 } state: GRADED grade: FAIRLY_FINE graded_by_id: $me graded_on: $day answer: "同意自评")"},
    {62, kSecretary, 2, "Rectification", "rectification", R"(branch_id: $branch year: $year problem: "活动室设备陈旧" goal: "更新设备" measure: "申请经费" responsible_id: $m1 leader: "镇组织委员" due: $day+90 state: LISTED)"},
    {130, kSecretary, 2, "", "rectification", R"(state: DONE result: "已更新")"},
    {150, kTown, 2, "", "rectification", R"(state: STRUCK_OFF checked: "现场核查" struck_off_on: $day)"},
    {310, kSecretary, kOnce, "Rectification", "", R"(branch_id: $branch year: $year problem: "会议记录不规范" goal: "记录完整" measure: "专人记录" responsible_id: $m1 due: $day+35 state: LISTED)"},
    {17, kTown, kOnce, "FirstSecretary", "", R"(organisation_id: $town name: "驻村第一书记" unit_name: "县农业局" branch_id: $branch from: $day until: $day+730 tasks: "建强班子、发展产业")"},
    {20, kTown, 3, "ContactPoint", "point", R"(organisation_id: $town official: "镇党委委员" office: "组织委员" branch_id: $branch from: $day until: $day+365 visits_planned: 4)"},
    {98, kTown, 3, "OfficialVisit", "", R"(point_id: $the_point organisation_id: $town visited_on: $day problem: "产业路未通" measure: "协调项目")"},
    {270, kTown, 3, "OfficialVisit", "", R"(point_id: $the_point organisation_id: $town visited_on: $day problem: "缺技术" measure: "派技术员" solved_on: $day)"},

    // ---- 经费, 阵地, 党费减免 ----
    {32, kSecretary, 1, "FundEntry", "", R"(branch_id: $branch booked_on: $day source: BUDGET amount_fen: 1200000 what: "年度工作经费" voucher_number: "收1")"},
    {125, kSecretary, 1, "FundEntry", "", R"(branch_id: $branch booked_on: $day use: TRAINING amount_fen: -180000 what: "党员培训" voucher_number: "支1" meeting_id: $the_committee)"},
    {8, kSecretary, 1, "Premises", "premises", R"(branch_id: $branch name: "党员活动室" place: "村委会二楼" square_metres: $r40_120 holding: OWN equipment: "投影仪" meets_standard: true opening: "周一至周五")"},
    {205, kSecretary, 1, "", "premises", R"(uses { used_on: $day what: "七一活动" people: $most })"},
    {46, kSecretary, 10, "DuesReduction", "reduction", R"(member_id: $m11 branch_id: $branch reason: "家庭困难" monthly_due_fen: 20 from: $month until: $month+6 state: PROPOSED)"},
    {63, kTown, 10, "", "reduction", R"(state: APPROVED approved_on: $day answer: "同意")"},
};

}  // namespace

absl::Span<const Act> Acts() { return kActs; }

}  // namespace zhibu::year
