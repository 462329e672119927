//! The page of a bundle: everything the evidence says, in Chinese and English, for a person with a browser
//! and nothing else. No script, nothing loaded from elsewhere, the same bytes for the same evidence.

use core::fmt::Write as _;
use std::collections::BTreeSet;

use data_encoding::HEXLOWER;

use super::file::{EVIDENCE_OPEN, Photos, evidence, photo};
use super::when::{local, utc};
use super::{Bundle, BundledEntry, attempt_of, correction_of, lost_of};
use crate::attempt::{AttemptBody, Fix};
use crate::doorstep::CorrectionBody;
use crate::entry::Header;
use crate::ids::{AttemptId, Hash32};
use crate::ink::Signature;
use crate::lost::{LossCause, ProofLostBody};
use crate::taxonomy::ProofKind;
use crate::transitions::Correction;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem;\
color:#111;background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;border-top:1px solid #888;\
padding-top:1rem;margin-top:2rem}dl{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;\
gap:.3rem 1rem;margin:0}dt{color:#444}dd{margin:0;overflow-wrap:anywhere}figure{margin:1rem 0}\
img{max-width:100%;height:auto}code{font-size:.8rem;overflow-wrap:anywhere}.note{background:#eee;\
padding:.6rem}svg{max-width:100%;border:1px solid #ccc}@media print{body{max-width:none}}";

const ABOUT: &str = "本文件由配送系统生成。页面内容与内嵌证据一致时，可用 <code>satchel verify</code> \
离线核验：谁签了名、何时、是否进入公开日志。<br>This file can be checked without a network by \
<code>satchel verify</code>: who signed, when, and whether it is in the hub's public log. Until it was \
checked, the page alone proves nothing.";

/// The whole page.
pub(super) fn draw(bundle: &Bundle, photos: &Photos) -> String {
    let mut page = String::new();
    let file = File {
        bundle,
        photos,
        said_lost: bundle.said_lost(),
    };
    // Writing into memory cannot fail.
    let _ = write_page(&mut page, &file);
    page
}

/// What is drawn.
struct File<'a> {
    bundle: &'a Bundle,
    photos: &'a Photos,
    /// The proofs that their phones can no longer bring.
    said_lost: BTreeSet<Hash32>,
}

fn write_page(page: &mut String, file: &File<'_>) -> core::fmt::Result {
    let bundle = file.bundle;
    let waybill = escape(&bundle.waybill);
    write!(
        page,
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'\">\n<title>派送证据 Delivery evidence {waybill}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>派送证据 <span lang=\"en\">Delivery evidence</span></h1>\n<p class=\"note\">{ABOUT}</p>\n<dl>\n"
    )?;
    let maker = if bundle.made_by_phone {
        "快递员手机 the courier's phone"
    } else {
        "服务器 the hub"
    };
    row(page, "运单号", "Waybill", &waybill)?;
    row(page, "服务器", "Hub", &escape(&bundle.hub_url))?;
    row(
        page,
        "服务器公钥",
        "The hub's key",
        &bundle.hub_key.to_string(),
    )?;
    row(page, "出具方", "Made by", maker)?;
    row(page, "出具时间", "Made at", &utc(bundle.made_at_ms))?;
    page.push_str("</dl>\n");
    for bundled in &bundle.entries {
        write_entry(page, file, bundled)?;
    }
    write!(
        page,
        "</main>\n{EVIDENCE_OPEN}{}</script>\n</body>\n</html>\n",
        evidence(bundle)
    )
}

fn write_entry(page: &mut String, file: &File<'_>, bundled: &BundledEntry) -> core::fmt::Result {
    let Ok(header) = Header::decode(&bundled.entry.header) else {
        return page.write_str("<h2>无法读取的记录 An entry that cannot be read</h2>\n");
    };
    let said = attempt_of(&header, &bundled.entry);
    let (body, again) = said.map_or((None, None), |(body, again)| (Some(body), again));
    let correction = correction_of(&header, &bundled.entry);
    let lost = lost_of(&header, &bundled.entry);
    let (zh, en) = match &body {
        Some(body) => (body.outcome.zh(), body.outcome.en()),
        None if correction.is_some() => ("更正", "Correction"),
        None if lost.is_some() => ("凭证丢失", "A proof was lost"),
        None if bundled.entry.body.is_none() => ("内容已删除", "Content erased"),
        None => ("其他记录", "Another record"),
    };
    writeln!(page, "<h2>{zh} <span lang=\"en\">{en}</span></h2>\n<dl>")?;
    row(page, "手机时间", "The phone's time", &local(&header))?;
    row(page, "设备", "Device", &header.device.to_string())?;
    row(page, "序号", "Place in its log", &header.seq.to_string())?;
    row(
        page,
        "记录哈希",
        "Entry's hash",
        &bundled.entry.hash().to_string(),
    )?;
    if let Some((seq, hash)) = again {
        let zh = format!("第 {seq} 号(哈希 {hash})的记录服务器无法接受,内容由手机在此重新签名");
        let en = format!(
            "what stood at {seq}, under the hash {hash}, could not be accepted; the phone says it again here, under a new signature"
        );
        row(
            page,
            "替代",
            "Says again",
            &format!("{zh} <span lang=\"en\">{en}</span>"),
        )?;
    }
    if let Some(body) = &body {
        write_attempt(page, body)?;
    }
    if let Some(correction) = &correction {
        write_correction(page, correction)?;
    }
    if let Some(lost) = &lost {
        write_lost(page, lost)?;
    }
    page.push_str("</dl>\n");
    for proof in correction.iter().flat_map(|late| &late.proofs) {
        write_proof(page, file, None, proof.kind, &proof.hash)?;
    }
    if let Some(body) = &body {
        if let (Some(fix), Some(door)) = (&body.fix, file.bundle.door) {
            write_sketch(page, fix, door)?;
        }
        for proof in &body.proofs {
            let visit = Some(body.attempt);
            write_proof(page, file, visit, proof.kind, &proof.hash)?;
        }
    }
    Ok(())
}

/// What was corrected and why; the event itself is shown above, as it was recorded.
fn write_correction(page: &mut String, body: &CorrectionBody) -> core::fmt::Result {
    let (zh, en) = match body.correction {
        Correction::Undo => ("撤销", "Undone"),
        Correction::Reopen => ("重新打开", "Opened again"),
        Correction::LateProof => ("补交凭证", "Late proof"),
        Correction::WrongParcel { .. } => ("实为另一件快件", "It was another parcel"),
        Correction::WrongReason { .. } => ("原因有误", "It failed for another reason"),
    };
    let both = |zh: &str, en: &str| format!("{zh} <span lang=\"en\">{en}</span>");
    row(page, "更正内容", "What is corrected", &both(zh, en))?;
    let of = body.of.seq.to_string();
    row(page, "更正对象", "Place of what is corrected", &of)?;
    match body.correction {
        Correction::WrongParcel { meant } => {
            row(page, "应为快件", "The parcel meant", &meant.to_string())?;
        }
        Correction::WrongReason { reason, action } => {
            row(page, "原因", "Reason", &both(reason.zh(), reason.en()))?;
            let next = both(action.zh(), action.en());
            row(page, "后续", "What follows", &next)?;
        }
        Correction::Undo | Correction::Reopen | Correction::LateProof => {}
    }
    match &body.words {
        Some(words) => row(page, "说明", "In the courier's words", &escape(words)),
        None => Ok(()),
    }
}

/// Which proof its phone can no longer bring, and why. What it proved is still named by the entry that binds it.
fn write_lost(page: &mut String, body: &ProofLostBody) -> core::fmt::Result {
    let (zh, en) = match body.cause {
        LossCause::MISSING => ("手机上的文件不见了", "its file is gone from the phone"),
        LossCause::DAMAGED => ("手机上的文件已损坏", "its file on the phone is damaged"),
        LossCause::GONE_AFTER_RECEIPT => (
            "服务器曾签收，之后手机不再保存",
            "the hub had signed for it, and the phone kept it no longer",
        ),
        LossCause(_) => ("未知", "unknown"),
    };
    row(page, "凭证哈希", "The proof's hash", &body.hash.to_string())?;
    let of = body.of_seq.to_string();
    row(page, "所属记录", "Place of the entry that binds it", &of)?;
    let cause = format!("{zh} <span lang=\"en\">{en}</span>");
    row(page, "原因", "Reason", &cause)
}

fn write_attempt(page: &mut String, body: &AttemptBody) -> core::fmt::Result {
    let both = |zh: &str, en: &str| format!("{zh} <span lang=\"en\">{en}</span>");
    row(page, "次数", "Attempt", &body.attempt_no.to_string())?;
    row(
        page,
        "交付方式",
        "Handoff",
        &both(body.handoff.zh(), body.handoff.en()),
    )?;
    if let Some(reason) = body.reason {
        row(page, "原因", "Reason", &both(reason.zh(), reason.en()))?;
    }
    if let Some(action) = body.action {
        row(
            page,
            "后续",
            "What follows",
            &both(action.zh(), action.en()),
        )?;
    }
    if let Some(name) = &body.signer_name {
        row(page, "签收人", "Signed by", &escape(name))?;
    }
    if let Some(relation) = body.relation {
        row(
            page,
            "与收件人关系",
            "Relation",
            &both(relation.zh(), relation.en()),
        )?;
    }
    if let Some(inspection) = body.inspection {
        row(
            page,
            "验视",
            "Inspection",
            &both(inspection.zh(), inspection.en()),
        )?;
    }
    if let Some(consent) = &body.consent {
        row(page, "依据的同意", "Consent", &escape(consent))?;
    }
    if let Some(fix) = &body.fix {
        let mut place = format!("{:.6}, {:.6} ±{:.0} m", fix.lat, fix.lng, fix.accuracy_m);
        if let Some(distance_m) = fix.distance_m {
            write!(place, "; {distance_m:.0} m")?;
        }
        if fix.mock {
            place.push_str("; 模拟位置 mock location");
        }
        row(page, "位置（距门口）", "Position (from the door)", &place)?;
    }
    if let Some(note) = &body.note {
        row(page, "备注", "Note", &escape(note))?;
    }
    if let Some(disclaimer) = body.signature.as_ref().and_then(|s| s.disclaimer.as_ref()) {
        row(
            page,
            "签名前所示文字",
            "Shown before signing",
            &escape(&disclaimer.text),
        )?;
    }
    Ok(())
}

fn write_proof(
    page: &mut String,
    file: &File<'_>,
    attempt: Option<AttemptId>,
    kind: ProofKind,
    hash: &Hash32,
) -> core::fmt::Result {
    let held = file.bundle.proofs.iter().find(|p| p.hash == *hash);
    page.push_str("<figure>\n");
    match (
        kind,
        file.photos.get(hash),
        held.and_then(|p| p.bytes.as_ref()),
    ) {
        (ProofKind::Photo, Some(bytes), _) => page.push_str(&photo(hash, bytes, "照片 photo")),
        // Ink belongs to the visit at which it was given: what comes late with a correction is of none.
        (ProofKind::Signature, _, Some(bytes)) => {
            match attempt.map(|visit| Signature::decode_for(&bytes.0, visit)) {
                Some(Ok(ink)) => page.push_str(&ink.to_svg(480, 160)),
                _ => page.push_str("<p>签名不属于本次派送 The ink is not of this visit</p>"),
            }
        }
        _ if file.said_lost.contains(hash) => page.push_str(
            "<p>不在本文件中，手机已说明丢失 Not in this file; its phone says that it is lost</p>",
        ),
        _ => page.push_str("<p>不在本文件中 Not in this file</p>"),
    }
    writeln!(
        page,
        "\n<figcaption>{} <span lang=\"en\">{}</span> <code>{}</code></figcaption>\n</figure>",
        kind.zh(),
        kind.en(),
        HEXLOWER.encode(&hash.0)
    )
}

/// Door and position on a square of paper, north up. No map is needed to see that they are close.
fn write_sketch(page: &mut String, fix: &Fix, (lat, lng): (f64, f64)) -> core::fmt::Result {
    const M_PER_DEGREE: f64 = 111_320.0;
    let east_m = (fix.lng - lng) * M_PER_DEGREE * lat.to_radians().cos();
    let north_m = (fix.lat - lat) * M_PER_DEGREE;
    let reach_m = (east_m.hypot(north_m) + f64::from(fix.accuracy_m)).max(50.0);
    if !reach_m.is_finite() {
        return Ok(());
    }
    // A round scale: 50, 100, 200 … metres from the door to the rim.
    let mut rim_m = 50.0;
    while rim_m < reach_m && rim_m < 1e7 {
        rim_m *= 2.0;
    }
    let px = |m: f64| m / rim_m * 100.0;
    writeln!(
        page,
        "<figure><svg viewBox=\"-110 -110 220 220\" width=\"220\" height=\"220\" role=\"img\" \
         aria-label=\"位置示意 position sketch\"><circle r=\"100\" fill=\"none\" stroke=\"#aaa\"/>\
         <path d=\"M-6 6V-3L0 -8L6 -3V6Z\" fill=\"#06c\"/>\
         <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r:.1}\" fill=\"#c30\" fill-opacity=\".15\" stroke=\"#c30\"/>\
         <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#c30\"/></svg>\
         <figcaption>门口在中心，圆半径 {rim_m:.0} 米 <span lang=\"en\">The door is the house in the middle; \
         the rim is {rim_m:.0} m away</span></figcaption></figure>",
        x = px(east_m),
        y = -px(north_m),
        r = px(f64::from(fix.accuracy_m)).max(3.0),
    )
}

fn row(page: &mut String, zh: &str, en: &str, html: &str) -> core::fmt::Result {
    writeln!(
        page,
        "<dt>{zh} <span lang=\"en\">{en}</span></dt><dd>{html}</dd>"
    )
}

/// Text that is nothing but text. Control characters are dropped: they could hide what stands beside them.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
