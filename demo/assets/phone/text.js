// Every word of the page that does not come from the core, in Chinese and English.

const words = {
  zh: {
    title: "今日派送", airplane: "飞行模式", language: "English", next: "下一站", later: "后续", done: "已完成",
    parcels: (n) => `${n} 件`, stops: (done, all) => `已完成 ${done}/${all} 站`,
    sync_nothing: "未操作", sync_local: "仅在本机", sync_sending: "正在发送", sync_received: "已送达,照片待传", sync_lost: "已送达,照片已丢失", sync_synced: "已同步",
    queue_empty: "全部已同步", queue: (e, p) => `待上传:${e} 条记录,${p} 份凭证`, lost_proofs: (n) => `${n} 张照片已丢失`,
    oldest: (age) => `最早 ${age} 前`, retry: (age) => `${age} 后重试`, contact: (age) => `${age} 前与服务器联系`,
    blocking_network: "无法连接服务器", blocking_bad_answer: "服务器应答异常", blocking_refused: "服务器拒绝了本机,请联系站点", blocking_hub_contradicts: "服务器的记录前后矛盾,请联系站点",
    left: (age) => `剩余 ${age}`, late: (age) => `已超时 ${age}`,
    back: "返回", show: "显示联系方式", contact_note: "查看记录会写入日志",
    how: "交付方式", locked: "不可用", checklist: "交付清单", required: "必需", optional: "可选",
    consent_ok: "客户已同意", matches: (m) => `${m}:一致`, take: "拍照", choose: "从相册选择", clear: "重签", sign_here: "请在此签名", as_hub: "服务器上显示的签名", sign_again: "请再签一次,或照此提交", disclaimer: "签名即确认收到所选快件,并已被提示当面验收。",
    which: "本次交付的快件", name: "姓名", relation: "请选择", note: "备注",
    complete: "完成交付", fail: "无法交付", reason: "原因", action: "后续处理", record_fail: "记录未交付", choose_reason: "请选择原因",
    rate_title: "请客户扫码评价", rate_note: "无需网络即可生成;客户用自己的手机扫描。", finish: "完成", show_code: "评价二维码",
    waiting: "正在领取路线…", enrolling: "正在登记本机…", refused: "邀请码无效或已使用,请向站点索取新的邀请码。", empty: "今天没有派送任务。",
    plan: "规划顺序", map_before: "原顺序", map_after: "新顺序",
    planned: (before, after) => `${before} 公里 → ${after} 公里`, sooner: (time) => `预计提前 ${time} 完成`, less_late: "紧急件优先,减少超时", kept: (kept, all) => `保留 ${kept}/${all} 个相邻站点`, eta: (from, to) => `预计 ${from}–${to}`, will_be_late: "可能迟到", will_be_late_by: (time) => `预计迟到 ${time}`,
    replan: "重新规划", delayed: "延误 15 分钟", do_first: "先送这站", set_aside: "暂不派送", bring_back: "恢复派送", left_out: "未列入当前路线。",
    arrival: (at) => `${at} 到达`, wait: (time) => `等待 ${time}`, service: (time) => `停留约 ${time}`, slack: (time) => `余量 ${time}`, lateness: (time) => `迟到 ${time}`,
    change_added: (n) => `新增 ${n} 站`, change_dropped: (n) => `去除 ${n} 站`, change_moved: (n) => `调整 ${n} 站`, change_newly_late: (n) => `新增 ${n} 站可能迟到`, change_no_longer_late: (n) => `${n} 站不再迟到`,
    recorded: "已安全保存在本机。", offline: "离线", photo_ok: "照片已加密保存",
    stars: (n) => `客户评价 ${n} 星`, door: "须送货上门", attempts: (n) => `第 ${n} 次派送后`,
    Dark: "照片偏暗", Blurry: "照片模糊", Tiny: "照片像素过少", EndMissing: "照片可能不完整", Glare: "照片反光", Screen: "像是翻拍屏幕", OrientationDoubtful: "照片方向存疑", Repeated: "此照片此前已用过",
    required_with_reason: "必需,可说明原因跳过", skip: "跳过并说明原因", yes: "是", no: "否", scan: "扫描或输入单号", temperature_note: "读数来自温度计,随交付记录", position_note: "定位由手机提供,仅作记录",
    locker: "快递柜编号", slot: "格口取件码", receipt: "驿站收件凭证", code: "验证码", item_label: "内件", item_accepted: "签收数量", item_of: "应有数量", item_more: "再加一项",
    handed_over: "已交付", not_now: "暂不处理", damaged: "外包装有破损", get_consent: (how) => `征得客户同意:${how}`, consent_how: "客户如何表示同意", consent_none: "现场无法征得有效同意。", record_consent: "记录客户同意",
    consent_call: "请致电客户,说明快件将放在何处,并得到明确同意。", consent_sms: "客户以短信表示同意;仅保存文字的摘要。", consent_signature: "请客户本人在此签名表示同意。", consent_code: "请客户报出其验证码。",
    call_length: "通话时长(秒)", message_words: "短信原文", named_person: "客户指定的代收人", consent_place: "约定的位置", consents: (n) => `已有同意记录 ${n} 条`, withdraw: "客户撤回", withdrawn: "已撤回",
    log_call: "记录通话", calls_logged: (n) => `已记录 ${n} 次联系`, report: "异常上报", send_report: "一键上报", remedies: "可向客户提供:",
    history: "记录", why: "说明原因", corrected: "更正已另行记录,原记录保留。", correct_undo: "撤销", correct_reopen: "重新打开", correct_wrong_reason: "更正原因", correct_reason: "更正原因", late_photo: "补拍照片", taken_back: "已撤回", no_effect: "无效,仅留存",
    my_day: "我的一天", shift: "班次", on_duty: (age) => `已上班 ${age}`, off_duty: "未上班", start_shift: "开始上班", end_shift: "下班", figures: "我的指标", over_line: "超过警戒线", earnings: "今日收入", estimate: "仅为估算,以结算为准", clocks: "时效", load_check: "装车核对", scan_go: "核对", load_rest: (on, missing, wrong) => `已装 ${on},缺 ${missing},须交回 ${wrong}`,
    appeal: "我要申诉", appeal_words: "这条评价哪里不对?", send_appeal: "提交申诉", appeal_kept: "申诉已保存,联网后送达。", appealed: (words) => `已申诉:${words}`, case: (number) => `编号 ${number}`, answer: (words) => `答复:${words}`, words_hidden: (why) => `留言已隐藏:${why}`,
    item_rated: (what, n) => `${what} ${n}/5`, rated_0: "时效", rated_1: "态度", rated_2: "信息", tag_polite: "礼貌", tag_proactive: "主动", tag_patient: "耐心", tag_inspection_offered: "提醒验货", tag_to_address: "送到地址",
    s: "秒", min: "分钟", h: "小时", d: "天",
  },
  en: {
    title: "Today's round", airplane: "Airplane mode", language: "中文", next: "Next stop", later: "After that", done: "Done",
    parcels: (n) => (n === 1 ? "1 parcel" : `${n} parcels`), stops: (done, all) => `${done} of ${all} stops done`,
    sync_nothing: "Nothing recorded", sync_local: "On this phone only", sync_sending: "Sending", sync_received: "Record received, photo to come", sync_lost: "Record received, a photo is lost", sync_synced: "Synced",
    queue_empty: "Everything is synced", queue: (e, p) => `On this phone only: ${e} ${e === 1 ? "record" : "records"}, ${p} ${p === 1 ? "proof" : "proofs"}`, lost_proofs: (n) => `${n} ${n === 1 ? "photo is" : "photos are"} lost`,
    oldest: (age) => `oldest ${age} ago`, retry: (age) => `next try in ${age}`, contact: (age) => `last contact ${age} ago`,
    blocking_network: "the hub cannot be reached", blocking_bad_answer: "the hub gives no useful answer", blocking_refused: "the hub refuses this phone; call your station", blocking_hub_contradicts: "the hub contradicts its own log; call your station",
    left: (age) => `${age} left`, late: (age) => `${age} late`,
    back: "Back", show: "Show contact", contact_note: "Showing it is recorded",
    how: "How it is handed over", locked: "Not possible here", checklist: "What this handoff needs", required: "required", optional: "optional",
    consent_ok: "The customer has agreed", matches: (m) => `${m}: matches`, take: "Take a photo", choose: "Choose a picture", clear: "Sign again", sign_here: "Sign here", as_hub: "As the hub will show it", sign_again: "sign once more, or hand in as it is", disclaimer: "By signing I confirm that I received the parcels chosen above and was asked to inspect them.",
    which: "Parcels handed over now", name: "Name", relation: "Please choose", note: "Note",
    complete: "Complete", fail: "Could not deliver", reason: "Reason", action: "What happens next", record_fail: "Record the failed attempt", choose_reason: "Choose a reason",
    rate_title: "Ask the customer to scan and rate", rate_note: "Made without a network. The customer scans it with their own phone.", finish: "Done", show_code: "Rating code",
    waiting: "Waiting for the route…", enrolling: "Registering this phone…", refused: "The invite is not valid or was used. Ask your station for a new one.", empty: "No stops today.",
    plan: "Plan the order", map_before: "before", map_after: "planned",
    planned: (before, after) => `${before} km → ${after} km`, sooner: (time) => `done ${time} earlier`, less_late: "what is urgent comes first", kept: (kept, all) => `${kept} of ${all} next stops kept`, eta: (from, to) => `expected ${from}–${to}`, will_be_late: "will probably be late", will_be_late_by: (time) => `about ${time} late`,
    replan: "Plan again", delayed: "15 min delay", do_first: "Do this first", set_aside: "Not now", bring_back: "Bring back", left_out: "Not in this plan.",
    arrival: (at) => `arrive ${at}`, wait: (time) => `wait ${time}`, service: (time) => `stay about ${time}`, slack: (time) => `${time} to spare`, lateness: (time) => `${time} late`,
    change_added: (n) => `${n} added`, change_dropped: (n) => `${n} gone`, change_moved: (n) => `${n} moved`, change_newly_late: (n) => `${n} more may be late`, change_no_longer_late: (n) => `${n} no longer late`,
    recorded: "Safe on this phone.", offline: "Offline", photo_ok: "Photo stored, encrypted",
    stars: (n) => (n === 1 ? "Rated 1 star" : `Rated ${n} stars`), door: "Door delivery only", attempts: (n) => `after attempt ${n}`,
    Dark: "The photo is dark", Blurry: "The photo is blurred", Tiny: "The photo has few pixels", EndMissing: "The photo may be cut off", Glare: "The photo has glare", Screen: "Looks like a photo of a screen", OrientationDoubtful: "Which way is up is unclear", Repeated: "The same picture was used before",
    required_with_reason: "required, or say why not", skip: "Leave out and say why", yes: "Yes", no: "No", scan: "Scan or type the number", temperature_note: "Readings come from the thermometer and go with the handoff", position_note: "Given by the phone; recorded, never in the way",
    locker: "Number of the locker", slot: "Code of the slot", receipt: "Receipt of the station", code: "Code", item_label: "Item", item_accepted: "Kept", item_of: "In the parcel", item_more: "One more item",
    handed_over: "Handed over", not_now: "Leave for later", damaged: "The package looks damaged", get_consent: (how) => `Ask the customer: ${how}`, consent_how: "How the customer agrees", consent_none: "No consent that counts can be had here.", record_consent: "Record the consent",
    consent_call: "Call the customer, say where the parcel will be, and get a clear yes.", consent_sms: "The customer agreed in a message; only a digest of its words is kept.", consent_signature: "The customer signs here to agree.", consent_code: "Ask the customer for the code.",
    call_length: "Length of the call in seconds", message_words: "Words of the message", named_person: "Person the customer named", consent_place: "Place agreed on", consents: (n) => (n === 1 ? "1 consent on record" : `${n} consents on record`), withdraw: "Withdrawn", withdrawn: "withdrawn",
    log_call: "Log a call", calls_logged: (n) => (n === 1 ? "1 try logged" : `${n} tries logged`), report: "Report a problem", send_report: "Report now", remedies: "You can offer the customer:",
    history: "History", why: "Why", corrected: "Recorded as a correction; the first record stays.", correct_undo: "Undo", correct_reopen: "Open again", correct_wrong_reason: "Other reason", correct_reason: "Correct the reason", late_photo: "Add a late photo", taken_back: "taken back", no_effect: "kept, without effect",
    my_day: "My day", shift: "Shift", on_duty: (age) => `On duty for ${age}`, off_duty: "Off duty", start_shift: "Start the shift", end_shift: "End the shift", figures: "My figures", over_line: "over the line", earnings: "Earned today", estimate: "An estimate; the payroll decides", clocks: "Promises", load_check: "Load check", scan_go: "Check", load_rest: (on, missing, wrong) => `${on} loaded, ${missing} missing, ${wrong} to hand back`,
    appeal: "Appeal", appeal_words: "What is wrong about this rating?", send_appeal: "Send the appeal", appeal_kept: "Safe on this phone; goes out with the next sync.", appealed: (words) => `You appealed: ${words}`, case: (number) => `case ${number}`, answer: (words) => `answer: ${words}`, words_hidden: (why) => `Words hidden: ${why}`,
    item_rated: (what, n) => `${what} ${n}/5`, rated_0: "Timeliness", rated_1: "Attitude", rated_2: "Information", tag_polite: "Polite", tag_proactive: "Proactive", tag_patient: "Patient", tag_inspection_offered: "Inspection offered", tag_to_address: "To the address",
    s: "s", min: "min", h: "h", d: "d",
  },
};

let language = localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
document.documentElement.lang = language === "zh" ? "zh-CN" : "en";

export const lang = () => language;

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** A word of the page; a code it has no word for is shown as it is. */
export function t(key, ...values) {
  const word = words[language][key] ?? key;
  return typeof word === "function" ? word(...values) : word;
}

/** The words of something from the core that comes in both languages. */
export const of = (both) => both[language];

/** A length of time as people say it. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} ${t("s")}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} ${t("min")}`;
  if (minutes >= 48 * 60) return `${Math.floor(minutes / 1440)} ${t("d")}`;
  return `${Math.floor(minutes / 60)} ${t("h")} ${minutes % 60} ${t("min")}`;
}
