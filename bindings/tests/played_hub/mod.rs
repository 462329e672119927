//! A hub that the test plays: it enrols the phone and gives it stops, without a network.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program takes what it needs"
)]

use std::path::Path;

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use satchel_core::protocol::enrol::{Certificate, EnrolRequest, EnrolResponse, Invite};
use satchel_core::protocol::feed::{FeedItem, FeedPage, LatLng, ParcelItem, Recipient, StopItem};
use satchel_core::protocol::ids::{CourierId, Handle, Hash32, ParcelId, RouteId, StopId};
use satchel_core::protocol::taxonomy::PromiseClass;
use satchel_ffi::{
    Enrolment, HttpAnswer, NetworkState, Satchel, SatchelConfig, SyncTask, TaskOutcome, TaskPurpose,
};
use uuid::Uuid;

pub fn config(dir: &Path) -> SatchelConfig {
    SatchelConfig {
        directory: dir.to_str().unwrap().to_owned(),
        key: vec![7; 32],
        boot_id: None,
        utc_offset_min: Some(480),
    }
}

pub fn hub_key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

pub fn invite() -> String {
    Invite {
        version: 1,
        hub_url: "http://127.0.0.1:9".into(),
        code: [1; 16],
        hub_key: hub_key().verifying_key().to_bytes(),
        pins: None,
    }
    .to_text()
}

pub fn stop(n: u32) -> FeedItem {
    let item = StopItem {
        stop_id: StopId(Uuid::from_u128(u128::from(n))),
        route_id: RouteId(Uuid::from_u128(1)),
        position: n,
        place: LatLng {
            lat: 37.5,
            lng: 121.4,
        },
        address: format!("虚构路 {n} 号 301 室"),
        recipient: Recipient {
            name: "测试甲".into(),
            phone: "10000000001".into(),
        },
        window_start_ms: None,
        window_end_ms: None,
        parcels: vec![ParcelItem {
            rating_key: Hash32([5; 32]),
            ..ParcelItem::bare(
                ParcelId(Uuid::from_u128(u128::from(n))),
                format!("T{n}"),
                Handle(u64::from(n).to_be_bytes()),
                PromiseClass::SameCity,
                1_700_000_000_000,
                2_000_000_000_000,
            )
        }],
    };
    FeedItem {
        seq: i64::from(n),
        kind: StopItem::KIND.into(),
        data: serde_json::to_value(item).unwrap(),
    }
}

pub fn enrolled(body: &[u8]) -> Vec<u8> {
    let request: EnrolRequest = serde_json::from_slice(body).unwrap();
    let courier = CourierId(Uuid::from_u128(9));
    let certificate = Certificate {
        version: 1,
        device: request.device_id,
        log_key: request.log_key,
        courier,
        issued_at_ms: 1,
        hardware_key: None,
    };
    serde_json::to_vec(&EnrolResponse {
        device_id: request.device_id,
        courier_id: courier,
        courier_name: "李".into(),
        hub_time_ms: 1,
        certificate: HEXLOWER.encode(&certificate.sign(&hub_key()).encode()),
    })
    .unwrap()
}

pub fn feed(stops: u32) -> Vec<u8> {
    serde_json::to_vec(&FeedPage {
        items: (1..=stops).map(stop).collect(),
        cursor: "end".into(),
        more: false,
        server_time_ms: 1,
        snapshot: None,
        orders: vec![],
    })
    .unwrap()
}

/// Enrols the phone and gives it its stops; the log is left unanswered.
pub fn with(phone: &Satchel, stops: u32) {
    phone.enrol(invite(), "phone".into()).unwrap();
    assert_eq!(phone.enrolment().unwrap(), Enrolment::Pending);
    while let SyncTask::Http { task } = phone.next_task(NetworkState::Metered).unwrap() {
        let answered = |body| TaskOutcome::Answered {
            answer: HttpAnswer {
                status: 200,
                headers: vec![],
                body,
            },
        };
        let outcome = match task.purpose {
            TaskPurpose::Enrol => answered(enrolled(&task.body)),
            TaskPurpose::Feed => answered(feed(stops)),
            TaskPurpose::Log | TaskPurpose::Proof | TaskPurpose::Escrow => TaskOutcome::Failed,
        };
        phone.complete_task(task.id, outcome).unwrap();
    }
}
