//! What phone and hub tell each other beside the batches: bodies of entries, feed pages, signed requests,
//! invites, files of a phone that gives up its work.

use ed25519_dalek::SigningKey;
use satchel_protocol::appeal::AppealBody;
use satchel_protocol::attempt::{AttemptBody, EnrolledBody, PhotoFacts, RevealedBody};
use satchel_protocol::contradiction;
use satchel_protocol::crypto::Secret32;
use satchel_protocol::doorstep::{
    CallBody, CodeEntryBody, ConsentRecord, ConsentWithdrawnBody, CorrectionBody, DutyBody,
    LoadScanBody, ParcelStepBody, PickupBody, ReminderBody, ReportBody, RuleSetRefusedBody,
    TemperatureBody,
};
use satchel_protocol::doubt::DoubtAnswerBody;
use satchel_protocol::enrol::Invite;
use satchel_protocol::entry::Header;
use satchel_protocol::escrow::{Escrow, EscrowFile, RecoveryKey, key_check};
use satchel_protocol::export::{Frame, HEADER_BYTES, MAX_FRAME_BYTES, Opener, Sealer};
use satchel_protocol::feed::{FeedContent, FeedPage};
use satchel_protocol::http_sig;
use satchel_protocol::ids::{AttemptId, DeviceId, ParcelId, StopId};
use satchel_protocol::taxonomy::{HandoffKind, Outcome, ProofKind};
use satchel_protocol::{erase::ErasedBody, lost::ProofLostBody, wedge::ReplacementBody};

/// The body of an entry: what is read is written and read again as the same.
macro_rules! read_bodies {
    ($bytes:expr, $($body:ty),+ $(,)?) => {
        $(if let Ok(read) = <$body>::decode($bytes) {
            assert_eq!(<$body>::decode(&read.encode()).as_ref(), Ok(&read));
        })+
    };
}

/// Bodies of every kind of entry, and an entry's head.
pub fn bodies(bytes: &[u8]) {
    read_bodies!(
        bytes,
        AttemptBody,
        AppealBody,
        CallBody,
        CodeEntryBody,
        ConsentRecord,
        ConsentWithdrawnBody,
        CorrectionBody,
        DoubtAnswerBody,
        DutyBody,
        EnrolledBody,
        ErasedBody,
        LoadScanBody,
        ParcelStepBody,
        PhotoFacts,
        PickupBody,
        ReminderBody,
        ReplacementBody,
        ProofLostBody,
        ReportBody,
        RevealedBody,
        RuleSetRefusedBody,
        TemperatureBody,
    );
    let _ = Header::decode(bytes);
}

/// An attempt and a withdrawal.
pub fn some_bodies() -> Vec<Vec<u8>> {
    let attempt = AttemptBody::bare(
        AttemptId::from_parts(1, [0; 10]),
        ParcelId::from_parts(2, [0; 10]),
        StopId::from_parts(3, [0; 10]),
        Outcome::Delivered,
        HandoffKind::Recipient,
    );
    let withdrawn = ConsentWithdrawnBody {
        consent_id: "c-1".to_owned(),
        withdrawn_at_ms: 1_790_000_000_000,
        stop: None,
    };
    vec![attempt.encode(), withdrawn.encode()]
}

/// A page of the feed, and what each item in it means. Unknown kinds and unfit contents have a name.
pub fn feed(bytes: &[u8]) {
    let Ok(page) = serde_json::from_slice::<FeedPage>(bytes) else {
        return;
    };
    for item in &page.items {
        match item.content() {
            Ok(FeedContent::Route(_)) => assert_eq!(item.kind, "route"),
            Ok(_) => {}
            Err(bad) => assert_eq!((bad.seq, &bad.kind), (item.seq, &item.kind)),
        }
    }
}

/// Pages with items known, unknown and unfit.
pub fn feed_pages() -> Vec<Vec<u8>> {
    let page = |kind: &str, data: &str| {
        format!(
            r#"{{"items":[{{"seq":1,"kind":"{kind}","data":{data}}}],"cursor":"1","more":false,"server_time_ms":1}}"#
        )
        .into_bytes()
    };
    vec![
        page("route", "{}"),
        page("of-next-year", r#"{"deep":[[[[1]]]]}"#),
        page(
            "stop_removed",
            r#"{"stop_id":"01890000-0000-7000-8000-000000000001"}"#,
        ),
    ]
}

/// The two headers of a signed request, one a line.
pub fn request_headers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (input, signature) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(parsed) = http_sig::parse(input, signature) {
        assert_eq!(
            parsed.expires_s.checked_sub(parsed.created_s),
            Some(http_sig::LIFETIME_S)
        );
        assert!(input.contains(&parsed.key_id));
    }
}

/// Headers as the phone writes them.
pub fn some_headers() -> Vec<Vec<u8>> {
    let key = SigningKey::from_bytes(&[5; 32]);
    let parts = http_sig::RequestParts {
        method: "POST",
        target_uri: "https://hub.example.com/v1/entries",
        idempotency_key: "k-1",
        body: b"{}",
    };
    let params = http_sig::SignParams {
        created_s: 1_790_000_000,
        nonce: &[3; 12],
        key_id: "0011223344556677",
    };
    http_sig::sign(&parts, &params, &key)
        .map(|h| format!("{}\n{}", h.signature_input, h.signature).into_bytes())
        .into_iter()
        .collect()
}

/// What a camera or a finger gives as an invite.
pub fn invite(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(invite) = Invite::parse(text) {
        assert_eq!(Invite::parse(&invite.to_text()), Ok(invite));
    }
}

/// A file of sealed keys as it lies beside a store that came off a phone: nothing but what was sealed opens.
pub fn sealed_keys(bytes: &[u8]) {
    let Ok(file) = EscrowFile::decode(bytes) else {
        return;
    };
    assert_eq!(EscrowFile::decode(&file.encode()).as_ref(), Ok(&file));
    let recovery = RecoveryKey::new(Secret32::new([1; 32]));
    for escrow in &file.keys {
        if let Ok(key) = escrow.open(&recovery) {
            assert_eq!(key_check(&key), escrow.key_check);
        }
    }
}

/// A file with two keys.
pub fn some_sealed_keys() -> Vec<Vec<u8>> {
    let recovery = RecoveryKey::new(Secret32::new([1; 32])).public();
    let device = DeviceId::from_parts(1, [1; 10]);
    let keys = [2, 3].into_iter().filter_map(|n| {
        let (key, one_time) = (Secret32::new([n; 32]), Secret32::new([n + 10; 32]));
        Escrow::seal(device, &key, recovery, one_time).ok()
    });
    vec![
        EscrowFile {
            keys: keys.collect(),
        }
        .encode(),
    ]
}

/// Two invites.
pub fn invites() -> Vec<Vec<u8>> {
    ["https://hub.example.com", "http://127.0.0.1:8080"]
        .into_iter()
        .map(|url| {
            let invite = Invite {
                version: 1,
                hub_url: url.to_owned(),
                code: [9; 16],
                hub_key: [7; 32],
                pins: None,
            };
            invite.to_text().into_bytes()
        })
        .collect()
}

/// A file of work that a phone gives away, opened by the hub it is for: every frame is as it was sealed, or
/// nothing of it is taken.
pub fn export(bytes: &[u8]) {
    let hub = SigningKey::from_bytes(&[1; 32]);
    let Some((header, mut rest)) = bytes.split_at_checked(HEADER_BYTES) else {
        return;
    };
    let Ok(mut opener) = Opener::begin(header, &hub) else {
        return;
    };
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((sealed, after)) = after.split_at_checked(length) else {
            return;
        };
        match opener.frame(sealed) {
            Ok(Frame::Batch(bytes)) => assert!(bytes.len() <= MAX_FRAME_BYTES),
            Ok(Frame::Proof { hash, bytes, .. }) => {
                assert_eq!(satchel_protocol::crypto::sha256(&[&bytes]), hash);
            }
            Ok(Frame::End { .. }) => {}
            Err(_) => return,
        }
        rest = after;
    }
}

/// A whole file with one frame of each kind.
pub fn exports() -> Vec<Vec<u8>> {
    let hub = SigningKey::from_bytes(&[1; 32]);
    let device = DeviceId::from_parts(4, [0; 10]);
    let Ok((mut sealer, mut file)) =
        Sealer::begin(device, &hub.verifying_key(), &Secret32::new([3; 32]))
    else {
        return vec![];
    };
    let frames = [
        Frame::Batch(vec![1; 90]),
        Frame::Proof {
            hash: satchel_protocol::crypto::sha256(&[b"photo"]),
            kind: ProofKind::Photo,
            bytes: b"photo".to_vec(),
        },
        Frame::End { frames: 2 },
    ];
    for frame in frames {
        file.extend(sealer.frame(frame).unwrap_or_default());
    }
    vec![file]
}

/// A file that says somebody contradicted himself: judged, never believed for its form alone.
pub fn contradictions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match contradiction::unpack(text) {
        Ok(read) => {
            assert!(text.len() <= contradiction::MAX_CONTRADICTION_BYTES);
            let again = contradiction::unpack(&contradiction::pack(&read));
            assert_eq!(again.as_ref(), Ok(&read));
        }
        Err(_) => assert!(contradiction::verify(text, &Default::default()).is_err()),
    }
}

/// A file about a hub with two pasts.
pub fn some_contradictions() -> Vec<Vec<u8>> {
    let fork = contradiction::HubFork {
        hub_url: "https://hub.example.com".to_owned(),
        hub_key: satchel_protocol::ids::Hash32([7; 32]),
        before: "hub.example.com/log\n1\nAAAA\n".to_owned(),
        after: "hub.example.com/log\n1\nBBBB\n".to_owned(),
        consistency: vec![],
    };
    let file = contradiction::pack(&contradiction::Contradiction::Hub(fork));
    vec![file.into_bytes()]
}
