//! Every string a person reads, in both languages, in one table: a string without its twin does not
//! compile.

/// The languages of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// Simplified Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The wish in the address, else the browser's, else Chinese: the parcels are delivered there.
    pub(crate) fn pick(wish: Option<&str>, accept_language: Option<&str>) -> Self {
        match wish {
            Some(w) if w.starts_with("zh") => return Self::Zh,
            Some(w) if w.starts_with("en") => return Self::En,
            _ => {}
        }
        let Some(accepted) = accept_language else {
            return Self::Zh;
        };
        let mut best = (0.0, Self::En);
        for part in accepted.split(',') {
            let mut fields = part.trim().split(';');
            let tag = fields
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            let weight = fields
                .find_map(|f| f.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            let lang = match tag.get(..2) {
                Some("zh") => Self::Zh,
                Some("en") => Self::En,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// The tag for `lang` attributes and links.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The other language, for the switch.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::Zh => &ZH,
            Self::En => &EN,
        }
    }

    /// The strings of the customer's pages.
    pub(crate) const fn care(self) -> &'static Care {
        match self {
            Self::Zh => &care::ZH,
            Self::En => &care::EN,
        }
    }
}

macro_rules! texts {
    ($table:ident; $( $name:ident: $zh:literal, $en:literal; )+) => {
        /// The strings of one language.
        #[derive(Debug)]
        pub(crate) struct $table {
            $( pub(crate) $name: &'static str, )+
        }

        pub(super) const ZH: $table = $table { $( $name: $zh, )+ };
        pub(super) const EN: $table = $table { $( $name: $en, )+ };

        #[cfg(test)]
        pub(super) const PAIRS: &[(&str, &str, &str)] = &[ $( (stringify!($name), $zh, $en), )+ ];
    };
}

mod care;

pub(crate) use care::Care;

texts! {
    Texts;
    lang_switch: "English", "中文";
    // Rating page (A069–A070, A152).
    rate_title: "评价本次派送", "Rate this delivery";
    rate_waybill: "运单尾号", "Waybill ending in";
    rate_courier: "派送员", "Courier";
    rate_promise: "时效承诺", "Promised";
    rate_promised_by: "不晚于", "by";
    rate_overall: "总体满意度", "Overall";
    rate_timeliness: "配送时效", "On time";
    rate_attitude: "服务态度", "Attitude";
    rate_information: "信息反馈", "Keeping you informed";
    rate_optional: "选填", "optional";
    rate_star_1: "1 星,很不满意", "1 star, very poor";
    rate_star_2: "2 星,不满意", "2 stars, poor";
    rate_star_3: "3 星,一般", "3 stars, fair";
    rate_star_4: "4 星,满意", "4 stars, good";
    rate_star_5: "5 星,非常满意", "5 stars, very good";
    rate_scale_low: "很不满意", "Very poor";
    rate_scale_high: "非常满意", "Very good";
    rate_tags: "哪些符合本次派送?", "What was true of this delivery?";
    tag_polite: "礼貌用语", "Polite";
    tag_proactive: "主动服务", "Took the initiative";
    tag_patient: "耐心", "Patient";
    tag_inspection_offered: "提醒开箱验货", "Offered to open and inspect";
    tag_to_address: "按地址送达", "Delivered to the address";
    rate_comment: "想说的话", "Anything else?";
    rate_comment_hint: "请勿填写电话、证件号等个人信息", "Please leave out phone and document numbers";
    rate_send: "提交评价", "Send rating";
    rate_privacy: "无需登录。评价由派送员及其公司查看。", "No login needed. Your rating is seen by the courier and the carrier.";
    rate_need_stars: "请先选择总体星级。", "Please choose the overall stars first.";
    rate_too_long: "留言过长,请精简后再提交。", "The comment is too long; please shorten it.";
    rate_complain_link: "遇到问题?我要投诉", "Something wrong? Complain";
    thanks_title: "感谢评价", "Thank you";
    thanks_body: "您的评价已收到。", "Your rating has been received.";
    help_title: "投诉与申诉", "Complaints and appeals";
    help_first: "请先向承运企业投诉,并说明运单号。企业应在 7 日内处理并答复您。", "Please complain to the carrier first and give the waybill number. The carrier has to deal with it and answer within 7 days.";
    help_contact: "承运企业联系方式", "Contact of the carrier";
    help_no_contact: "联系方式见您的运单或承运企业的公示信息。", "The contact is on your waybill and in the carrier's public notices.";
    help_appeal: "对处理结果不满意或逾期未获答复的,可以向邮政管理部门申诉,申诉电话 12305。", "If the answer does not satisfy you or does not come in time, you may appeal to the postal administration; in mainland China its telephone number is 12305.";
    dead_title: "此链接无法使用", "This link cannot be used";
    dead_body: "链接无效、已过期或已使用过。如需帮助,请联系承运企业。", "The link is not valid, has expired or has been used. If you need help, please contact the carrier.";
    // Board.
    board_title: "派送看板", "Delivery board";
    board_parcels: "包裹", "Parcels";
    board_ratings: "评价", "Ratings";
    board_alarms: "告警", "Alarms";
    board_doubts: "疑点", "Doubts";
    doubts_note: "疑点只是问题,不是结论:系统不会因此扣分或停单。派送员能看到并回答,由人判断并说明理由,全部留痕。", "A doubt is a question and no verdict: nothing is marked down because of it. The courier sees it and may answer, a person judges with a reason, and all of that stays on record.";
    col_doubt: "疑点", "Doubt";
    col_compared: "对比", "Compared with";
    col_answer: "派送员的回答", "Courier's answer";
    col_verdict: "结论", "Verdict";
    col_why: "理由", "Reason";
    board_logout: "退出", "Log out";
    board_times: "时间均为", "All times are";
    count_parcels: "包裹总数", "Parcels";
    count_done: "已签收", "Delivered";
    count_failed: "未成功", "Not delivered";
    count_open: "待派送", "Open";
    count_proofs: "凭证 已收/应收", "Proofs held/expected";
    count_ratings: "评价数 / 均分", "Ratings / mean";
    count_low: "低分待跟进", "Low ratings";
    count_alarms: "待处理告警", "Open alarms";
    col_waybill: "运单", "Waybill";
    col_recipient: "收件人", "Recipient";
    col_round: "线路 / 派送员", "Round / courier";
    col_state: "状态", "State";
    col_occurred: "发生时间", "Happened";
    col_received: "上传延迟", "Received after";
    col_proofs: "凭证", "Proofs";
    col_rating: "评价", "Rating";
    col_hash: "记录哈希", "Entry hash";
    col_device: "设备", "Device";
    col_kind: "类型", "Kind";
    col_time: "时间", "Time";
    col_comment: "留言", "Comment";
    state_open: "待派送", "Open";
    proof_missing: "待上传", "not yet here";
    proof_want: "请手机立即上传", "Ask the phone for it now";
    proof_wanted: "已请手机上传", "the phone was asked";
    proof_lost: "手机上已丢失", "lost on the phone";
    proof_gave_way: "本站曾签收,手机上已清理", "was received here, then gone from the phone";
    proof_unbound: "未绑定", "not bound";
    proof_mock: "模拟定位", "mock location";
    rating_pending: "待派送记录到达", "waiting for the attempt";
    rating_bound: "已对应派送记录", "bound to the attempt";
    rating_follow_up: "需跟进", "follow up";
    rating_class_present: "仅扫码(展示,不计入报酬)", "scanned only (shown, not paid)";
    rating_class_verified: "已核实(计入报酬)", "verified (counts in pay)";
    rating_class_flagged: "已搁置待核查", "set aside for a look";
    rating_hidden: "留言已隐藏", "words hidden";
    rating_hide: "隐藏留言", "Hide the words";
    rating_show: "恢复留言", "Show the words again";
    rating_lift: "解除搁置", "Take back into the list";
    rating_why: "理由(必填,留档)", "Reason (needed, kept)";
    rating_appeal: "派送员申诉", "Courier's appeal";
    board_cases: "工单", "Cases";
    case_words: "告知客户的内容", "What the customer is told";
    detail_attempt: "第几次派送", "Attempt no.";
    detail_seq: "日志序号", "Log position";
    detail_handoff: "交付方式", "Handoff";
    detail_reason: "原因", "Reason";
    detail_action: "后续处理", "Next action";
    detail_relation: "签收人关系", "Signer is";
    detail_inspection: "验货", "Inspection";
    detail_identity: "身份核对", "Identity check";
    detail_matched: "一致", "matched";
    detail_not_matched: "不一致", "did not match";
    detail_received: "收到时间", "Received";
    detail_distance: "距目的地", "Distance to the door";
    detail_none: "还没有派送记录。", "No attempt yet.";
    detail_promised: "承诺时限", "Promised by";
    detail_late: "超时", "late";
    alarm_log_fork: "日志分叉:同一设备出现两份历史,该设备已隔离", "Log fork: two histories of one device; the device is set aside";
    alarm_bad_entry: "条目校验失败,该位置待补,其余照常接收", "An entry does not verify; its place stands open and the rest goes on";
    alarm_foreign_parcel: "派送记录与分配的包裹不符", "An attempt does not fit the parcels given to the device";
    alarm_wrong_ink: "派送记录引用了另一次上门的签名", "An attempt names a signature that was drawn at another visit";
    alarm_unbound_proof: "派送记录引用了未绑定的凭证", "An attempt names a proof that its entry does not bind";
    board_reports: "异常上报", "Reports";
    story_consent: "同意", "Consent";
    consent_withdrawn: "撤回于", "withdrawn";
    story_correction: "更正", "Correction";
    correction_undo: "撤销误操作", "Taken back as a slip";
    correction_reopen: "重新打开", "Opened again";
    correction_late_proof: "补传凭证", "A late proof";
    correction_wrong_parcel: "记错包裹", "Recorded on the wrong parcel";
    correction_wrong_reason: "原因更正为", "The true reason";
    story_call: "联系", "Call";
    story_report: "异常上报", "Report";
    story_answer: "回复", "Answer";
    report_answered: "已回复", "answered";
    report_left: "剩余", "left";
    report_late: "已超时", "overdue by";
    report_owes_photo: "待补照片", "a photo is owed";
    report_answer: "发送回复", "Send the answer";
    story_temperature: "温度", "Temperature";
    story_code: "取件码", "Code";
    code_by_hub: "由系统判定", "judged by the hub";
    code_by_phone: "由手机判定", "judged by the phone";
    code_unjudged: "无法判定", "no code to compare with";
    story_pickup: "揽收", "Pickup";
    story_load: "装车扫描", "Load scan";
    story_reminder: "送达前提醒,预计", "Reminder due, expected";
    story_step: "环节", "Step";
    step_cancel: "撤销", "Cancel";
    step_collected: "客户已自取", "Collected";
    step_redeliver: "改送上门", "To the door";
    step_reopen: "重新打开", "Open again";
    step_unfit: "该操作与当前状态不符,未执行。", "This does not fit where things are; nothing was done.";
    alarm_no_consent: "未经收件人同意的交付(第28条)", "Handed over without a consent that held at that time (Art 28)";
    alarm_door_required: "注明须上门投递的包裹被放入快件箱或驿站", "Door delivery was noted, but it was put in a locker or station";
    alarm_nobody_to_check: "有年龄限制的物品无人查验即放置", "Goods with an age limit were left where nobody was checked";
    alarm_second_handover: "同一包裹重复签收,以先发生的为准", "Handed over twice; the earlier one stands";
    alarm_cancelled_after: "签收后才撤销,仍视为已签收", "Cancelled after it was handed over; it stays handed over";
    alarm_despite_cancel: "撤销后仍被签收", "Handed over although it was cancelled";
    alarm_clock_moved_back: "设备时钟曾被调回", "The clock of a phone was set back";
    alarm_code_wrong: "取件码核对不符", "The recipient's code was wrong";
    alarm_log_shorter: "该手机称见过更长的透明日志。若恢复过旧备份,或多部手机都这样报告,请运行 tlog anew;否则请检查这部手机", "This phone says it has seen a longer transparency log. If a backup was restored, or several phones say so, run tlog anew; if not, look at this phone";
    alarm_time_outside: "设备时间超出可证区间(早于其引用的回执或晚于当前)", "The phone's time lies outside of what others vouch for";
    alarm_no_outcome: "已派给设备的包裹在当日结束后无任何记录", "Given to a phone, its day is over, and nobody said what came of it";
    alarm_ruleset_refused: "设备拒绝了规则集,沿用原有规则", "A phone refused the rules and kept its own";
    alarm_unreported: "客户已扫码,但派送记录 24 小时内未上报", "Shown to the customer, but not reported within 24 hours";
    none_yet: "暂无。", "Nothing yet.";
    page_prev: "上一页", "Previous";
    page_next: "下一页", "Next";
    page_of: "页", "Page";
    login_title: "请使用登录链接", "A login link is needed";
    login_body: "在服务器上运行 satchel-hub login-link 获取一次性链接。", "Run satchel-hub login-link on the server to get a link that works once.";
    fault_title: "出错了", "Something went wrong";
    fault_body: "请稍后再试。", "Please try again later.";
    unit_s: "秒", "s";
    unit_min: "分钟", "min";
    unit_h: "小时", "h";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_has_a_translation_and_each_is_in_its_language() {
        let han = |s: &str| s.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for (name, zh, en) in PAIRS.iter().chain(care::PAIRS) {
            assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{name}");
            if *name != "lang_switch" {
                assert!(han(zh), "{name}: {zh}");
                assert!(!han(en), "{name}: {en}");
            }
        }
    }

    #[test]
    fn the_language_is_the_wish_then_the_browser_s_then_chinese() {
        assert_eq!(Lang::pick(Some("en"), Some("zh-CN")), Lang::En);
        assert_eq!(Lang::pick(None, Some("en-GB,en;q=0.9,zh;q=0.8")), Lang::En);
        assert_eq!(Lang::pick(None, Some("en;q=0.3, zh-CN;q=0.9")), Lang::Zh);
        assert_eq!(Lang::pick(None, Some("fr")), Lang::En);
        assert_eq!(Lang::pick(None, None), Lang::Zh);
        assert_eq!(Lang::pick(Some("xx"), None), Lang::Zh);
    }
}
