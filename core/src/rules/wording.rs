//! What the courier reads when a rule says no, in both languages: what is wrong, and what to do.
//!
//! The typed refusals are for code; these words are for a person at a door with a parcel under the arm.
//! They hold no personal data and no ids.

use super::coded::Text;
use super::codes::{CodeRefusal, NotAParcel, ScanFault};
use super::consent::{ConsentFault, ConsentRefusal, Standing};
use super::contact::NoContact;
use super::duty::DutyRefusal;
use super::position::PositionFault;
use super::remedy::{Barred, ReportFault};
use super::ruleset::{Unmet, UnmetWhy};
use super::transitions::{Correction, EventKind, Flag, WhyNot};

/// Something that can be said to a courier.
pub trait Wording {
    /// The words.
    fn text(&self) -> Text;
}

impl Wording for ConsentRefusal {
    fn text(&self) -> Text {
        match self {
            Self::DoorRequired => Text::new(
                "运单注明送货上门,不能投柜或入站",
                "The waybill says door delivery: no locker and no station",
            ),
            Self::NobodyToCheck => Text::new(
                "有年龄限制的商品须当面核验,不能无人交付",
                "Goods with an age limit need a person who can be checked",
            ),
            Self::Missing { handoff, .. } => Text::new(
                format!("{}须先征得客户同意", handoff.zh()),
                format!("{}: ask the customer first", handoff.en()),
            ),
            Self::NoLongerValid { standing, .. } => match standing {
                Standing::Withdrawn => Text::new(
                    "客户已撤回同意,请重新联系",
                    "The customer has withdrawn the consent; ask again",
                ),
                Standing::NotYetGiven => Text::new(
                    "同意的时间晚于当前时间,请检查手机时间",
                    "The consent is dated later than now; check the phone's clock",
                ),
                Standing::Expired | Standing::Valid => Text::new(
                    "客户的同意已过期,请重新联系",
                    "The consent has expired; ask again",
                ),
            },
            Self::WrongGiver { .. } => Text::new(
                "同意不是由应当同意的人作出",
                "The consent was not given by the right person",
            ),
            Self::ChannelInsufficient { .. } => Text::new(
                "现有记录不足以证明客户同意,请致电或请客户在页面确认",
                "The record does not show the customer's consent; call, or have it confirmed on the page",
            ),
            Self::SomebodyElse { .. } => Text::new(
                "签收人不是客户指定的代收人",
                "This is not the person the customer named",
            ),
        }
    }
}

impl Wording for ConsentFault {
    fn text(&self) -> Text {
        match self {
            Self::EmptyScope => Text::new(
                "请选择客户同意的交付方式",
                "Choose what the customer agrees to",
            ),
            Self::NoParcel => Text::new("请选择包裹", "Choose the parcels"),
            Self::NobodyNamed => {
                Text::new("请填写客户指定的代收人姓名", "Say whom the customer named")
            }
            Self::EndsBeforeItBegins | Self::EndlessPreference => {
                Text::new("同意的有效期不正确", "The end of the consent is not right")
            }
            Self::NoConversation => Text::new(
                "电话未接通或过短,不能作为同意",
                "The call was not answered or too short to agree on anything",
            ),
            Self::Id | Self::EvidenceElsewhere | Self::EmptyEvidence => {
                Text::new("同意的凭证不完整", "What shows the consent is not complete")
            }
        }
    }
}

impl Wording for NoContact {
    fn text(&self) -> Text {
        match self {
            Self::CallFirst { needed, made } => Text::new(
                format!("请先联系客户:需 {needed} 次,已 {made} 次"),
                format!("Call the customer first: {made} of {needed} tries made"),
            ),
            Self::NotReached => Text::new(
                "须由客户本人确认,请拨通电话或请客户在页面选择",
                "The customer must say so: by phone or on the page",
            ),
            Self::Contradiction => Text::new(
                "通话记录显示已接通,与“无法联系”不符",
                "A call was answered, so the customer was reached",
            ),
        }
    }
}

impl Wording for WhyNot {
    fn text(&self) -> Text {
        match self {
            Self::IllegalStep { from, step } => Text::new(
                format!("包裹当前为“{}”,不能“{}”", from.zh(), step.zh()),
                format!(
                    "Not possible now. Parcel: {}. Step: {}",
                    from.en(),
                    step.en()
                ),
            ),
            Self::IllegalPair { reason, action } => Text::new(
                format!("“{}”不能选择“{}”", reason.zh(), action.zh()),
                format!("{} does not allow: {}", reason.en(), action.en()),
            ),
            Self::UnknownEvent | Self::NothingToCorrect => {
                Text::new("没有可更正的记录", "There is nothing to correct")
            }
            Self::NotTheLastStep => Text::new(
                "之后已有新记录,只能更正最后一步",
                "Something was recorded since; only the last step can be corrected",
            ),
            Self::TooLateToUndo { .. } => Text::new(
                "已超过撤销时间,请改用“重新打开”",
                "Too late to undo; open it again instead",
            ),
            Self::NotAFailure => Text::new(
                "该记录没有可更正的原因",
                "This record has no reason to correct",
            ),
            Self::WordsMissing => Text::new("请填写更正原因", "Say why it is corrected"),
        }
    }
}

/// What a line of a parcel's history says happened: a failure's reason, what was corrected, else the step.
impl Wording for EventKind {
    fn text(&self) -> Text {
        match *self {
            Self::Failed { reason, .. } => Text::new(reason.zh(), reason.en()),
            Self::Corrected { correction, .. } => match correction {
                Correction::Undo => Text::new("撤销", "Undone"),
                Correction::Reopen => Text::new("重新打开", "Opened again"),
                Correction::LateProof => Text::new("补交凭证", "Late proof"),
                Correction::WrongParcel { .. } => {
                    Text::new("更正:另一件快件", "It was another parcel")
                }
                Correction::WrongReason { reason, .. } => Text::new(
                    format!("更正原因:{}", reason.zh()),
                    format!("Reason corrected: {}", reason.en()),
                ),
            },
            other => other
                .step()
                .map_or_else(|| Text::new("", ""), |step| Text::new(step.zh(), step.en())),
        }
    }
}

impl Wording for Flag {
    fn text(&self) -> Text {
        match self {
            Self::CancelledAfterHandover { .. } => Text::new(
                "网点撤单时包裹已签收,以签收为准",
                "Cancelled after it was handed over; the handover stands",
            ),
            Self::HandedOverDespiteCancel { .. } => Text::new(
                "签收时手机尚未收到撤单,以签收为准",
                "Handed over before the phone heard of the cancellation; the handover stands",
            ),
            Self::SecondHandover { .. } => Text::new(
                "同一包裹有两次签收记录,以先发生的为准",
                "Recorded as handed over twice; the earlier one stands",
            ),
            Self::ClockMovedBack { .. } => Text::new(
                "手机时间曾被调回,按记录先后排序",
                "The phone's clock was set back; the order of the log counts",
            ),
        }
    }
}

impl Wording for CodeRefusal {
    fn text(&self) -> Text {
        match self {
            Self::Locked => Text::new(
                "验证码已试满次数,请改用其他凭证",
                "No tries left; use another proof",
            ),
            Self::Expired => Text::new(
                "验证码已过期,请客户重新获取",
                "The code has expired; the customer can get a new one",
            ),
            Self::NotTheForm => Text::new("验证码格式不对", "This is not such a code"),
        }
    }
}

impl Wording for NotAParcel {
    fn text(&self) -> Text {
        match self {
            Self::RatingLink => Text::new(
                "这是评价二维码,不是包裹码",
                "This is a rating code and not a parcel's",
            ),
            Self::OtherSatchelCode => Text::new("这不是包裹码", "This is not a parcel's code"),
            Self::GoodsLink => Text::new(
                "这是商品码,请扫运单",
                "This is the code of the goods; scan the waybill",
            ),
            Self::OtherLink => Text::new(
                "这是网页链接,请扫运单",
                "This is a link to a page; scan the waybill",
            ),
        }
    }
}

impl Wording for ScanFault {
    fn text(&self) -> Text {
        match self {
            Self::Empty => Text::new("没有扫到内容", "Nothing was read"),
            Self::TooLong | Self::NotANumber => Text::new("这不是单号", "This is no parcel number"),
            Self::S10CheckDigit | Self::SsccCheckDigit => Text::new(
                "校验位不符,请重扫或核对单号",
                "The check digit is wrong; scan again or compare the number",
            ),
            Self::DamagedLabel => Text::new(
                "标签受损,请手工录入单号并拍照",
                "The label is damaged; type the number and photograph it",
            ),
        }
    }
}

impl Wording for DutyRefusal {
    fn text(&self) -> Text {
        match self {
            Self::NotTrained => Text::new(
                "尚未通过上岗培训,不能开始派送",
                "The training has not been passed; no shift can start",
            ),
            Self::TrainingExpired => Text::new(
                "培训资格已过期,请完成复训",
                "The training has run out; take it again",
            ),
            Self::AlreadyOn => Text::new("已在班", "The shift has already started"),
            Self::NotOn => Text::new("当前不在班", "There is no shift to end"),
        }
    }
}

impl Wording for PositionFault {
    fn text(&self) -> Text {
        match self {
            Self::UnknownDatum => Text::new(
                "定位坐标系未知,未采用该定位,可继续",
                "The position's datum is unknown, so it was left out; you can go on",
            ),
            Self::NotAPosition => Text::new(
                "定位数据无效,未采用,可继续",
                "The position is not valid and was left out; you can go on",
            ),
        }
    }
}

impl Wording for Barred {
    fn text(&self) -> Text {
        match self {
            Self::DoorRequired => ConsentRefusal::DoorRequired.text(),
            Self::NobodyToCheck => ConsentRefusal::NobodyToCheck.text(),
        }
    }
}

impl Wording for ReportFault {
    fn text(&self) -> Text {
        match self {
            Self::WordsMissing => Text::new("请填写说明", "Say in words what happened"),
        }
    }
}

impl Wording for Unmet {
    fn text(&self) -> Text {
        let item = self.item;
        match self.why {
            UnmetWhy::Missing { needed, given } if needed > 1 => Text::new(
                format!("{}:需 {needed},已有 {given}", item.zh()),
                format!("{}: {given} of {needed}", item.en()),
            ),
            UnmetWhy::Missing { .. } => Text::new(
                format!("缺少:{}", item.zh()),
                format!("Missing: {}", item.en()),
            ),
            UnmetWhy::MayNotBeSkipped => Text::new(
                format!("不可跳过:{}", item.zh()),
                format!("May not be skipped: {}", item.en()),
            ),
            UnmetWhy::SkipNeedsNote => Text::new(
                format!("跳过“{}”须填写说明", item.zh()),
                format!("Say why this is skipped: {}", item.en()),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use satchel_protocol::taxonomy::HandoffKind;

    use super::*;
    use crate::rules::consent::channels;
    use crate::rules::ruleset::Item;

    #[test]
    fn a_locked_handoff_is_named_in_both_languages() {
        let refusal = ConsentRefusal::Missing {
            handoff: HandoffKind::Locker,
            channels: channels(HandoffKind::Locker),
        };
        assert_eq!(refusal.text().zh, "智能快件箱须先征得客户同意");
        assert_eq!(refusal.text().en, "Parcel locker: ask the customer first");
    }

    #[test]
    fn a_withdrawn_consent_reads_otherwise_than_an_expired_one_and_shows_no_id() {
        let refusal = |standing| {
            ConsentRefusal::NoLongerValid {
                id: "k-1".into(),
                standing,
            }
            .text()
        };
        assert_ne!(refusal(Standing::Withdrawn), refusal(Standing::Expired));
        assert!(!refusal(Standing::Withdrawn).en.contains("k-1"));
    }

    #[test]
    fn missing_photos_are_counted_for_the_courier() {
        let unmet = Unmet {
            item: Item::Photo,
            why: UnmetWhy::Missing {
                needed: 2,
                given: 1,
            },
        };
        assert_eq!(unmet.text().en, "Photo of the handoff: 1 of 2");
    }
}
