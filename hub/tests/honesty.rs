//! A thousand couriers who rate themselves, among customers who do not: what is paid for, what is set
//! aside, and who is wronged. Played through the real hub, with networks and browsers as they are.
//!
//! `SATCHEL_COURIERS` sets how many of each kind; 40 by default, so that every run of the tests has it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use common::{Answer, Bench, NOW_MS, PUBLIC_URL, Phone, rating_path};
use satchel_hub::ImportOptions;
use satchel_hub::import::Mapping;
use satchel_protocol::batch::Batch;
use satchel_protocol::feed::{FeedContent, StopItem};
use satchel_protocol::ids::ParcelId;

const PARCELS: usize = 8;
const MINUTE_MS: i64 = 60_000;
const MAPPING: &str = r#"{"version":1,"source":"sim","datum":"wgs84",
  "time":{"format":"%m-%d %H:%M:%S","utc_offset_min":480,"default_year":2026},
  "fields":{"waybill":{"column":"id"},"lat":{"column":"lat"},"lng":{"column":"lng"},
    "address":{"column":"address"},"recipient_name":{"column":"name"},
    "recipient_phone":{"column":"phone"},"accepted_at":{"column":"at"},
    "promise_class":{"constant":"same_city"}},"group":"single"}"#;

/// The same dice for every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % n
    }
    fn ms(&mut self, from_s: u64, to_s: u64) -> i64 {
        i64::try_from(1_000 * (from_s + self.below(to_s - from_s))).unwrap()
    }
    /// One of three carriers' gateways, 64 addresses each, shared by everybody.
    fn mobile(&mut self) -> [u8; 4] {
        [
            117,
            136,
            u8::try_from(self.below(3)).unwrap(),
            u8::try_from(self.below(64)).unwrap(),
        ]
    }
    fn home(&mut self) -> [u8; 4] {
        let byte = |d: &mut Self| u8::try_from(d.below(256)).unwrap();
        [60, byte(self), byte(self), byte(self)]
    }
    fn customer_net(&mut self) -> [u8; 4] {
        if self.below(10) < 6 {
            self.mobile()
        } else {
            self.home()
        }
    }
    /// Forty kinds of telephone, the first ones far more common.
    fn agent(&mut self) -> String {
        let n = self.below(40).min(self.below(40));
        format!("Mozilla/5.0 (model {n}) MicroMessenger")
    }
}

/// Somebody's browser.
#[derive(Clone)]
struct Browser {
    ip: [u8; 4],
    agent: String,
    /// Kept between pages; a private window forgets.
    cookie: Option<String>,
}

impl Browser {
    fn customer(dice: &mut Dice) -> Self {
        Self {
            ip: dice.customer_net(),
            agent: dice.agent(),
            cookie: None,
        }
    }

    async fn ask(
        &self,
        bench: &Bench,
        request: axum::http::request::Builder,
        body: Body,
    ) -> Answer {
        let mut request = request.header("user-agent", &self.agent);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let mut request = request.body(body).unwrap();
        let peer = SocketAddr::from((self.ip, 40_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        bench.send(request).await
    }

    /// Scans, then rates after `think_ms`. Gives the status.
    async fn rate(
        &mut self,
        bench: &Bench,
        path: &str,
        at_ms: i64,
        think_ms: i64,
        form: &str,
    ) -> u16 {
        bench.clock.set(at_ms);
        let page = self.ask(bench, Request::get(path), Body::empty()).await;
        let set = page
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap_or("")
            .to_owned();
        if self.cookie.is_none() && set.starts_with("satchel_b=") {
            self.cookie = Some(set);
        }
        bench.clock.set(at_ms + think_ms);
        let post = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        let answer = self.ask(bench, post, Body::from(form.to_owned())).await;
        answer.status.as_u16()
    }
}

/// How a courier rates himself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
enum Trick {
    OwnPhone,
    Hotspot,
    SecondPhone,
    PrivateWindows,
    EveningAtHome,
    EveningHiding,
    HidingAtEachDoor,
}

impl Trick {
    fn of(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..30 => Self::OwnPhone,
            30..50 => Self::Hotspot,
            50..72 => Self::SecondPhone,
            72..80 => Self::PrivateWindows,
            80..92 => Self::EveningAtHome,
            92..97 => Self::EveningHiding,
            _ => Self::HidingAtEachDoor,
        }
    }
}

fn csv(couriers: usize) -> String {
    let mut text = String::from("id,lat,lng,at,address,name,phone,courier\n");
    for n in 0..couriers * PARCELS {
        let lat = 30.0 + f64::from(u32::try_from(n).unwrap()) / 1_000.0;
        let courier = n / PARCELS;
        text.push_str(&format!(
            "S{n:06},{lat:.4},120.1,08-14 06:00:00,路{n}号,客{n},139{n:08},courier {courier:05}\n"
        ));
    }
    text
}

/// A courier's phone on its network, its round delivered: the rating path and the time of each handoff.
async fn play_round(
    bench: &Bench,
    courier: usize,
    ip: [u8; 4],
    online: bool,
) -> Vec<(StopItem, String, i64)> {
    let start_ms = NOW_MS - 59 * MINUTE_MS;
    let mut phone = Phone::new(0);
    phone.device.0 = uuid::Uuid::from_u128(0xc0de_0000 + courier as u128);
    let seed = u64::try_from(courier).unwrap().to_be_bytes().repeat(4);
    phone.key = ed25519_dalek::SigningKey::from_bytes(&seed.try_into().unwrap());
    bench.clock.set(start_ms);
    let invite = bench
        .hub
        .invite(&format!("courier {courier:05}"))
        .await
        .unwrap();
    assert_eq!(phone.enrol(bench, &invite).await.status, 200);
    let mut cursor = String::new();
    let mut stops = Vec::new();
    loop {
        let page = phone.pull(bench, &cursor, 500).await;
        stops.extend(
            page.items
                .iter()
                .filter_map(|i| match i.content().unwrap() {
                    FeedContent::Stop(stop) => Some(*stop),
                    _ => None,
                }),
        );
        cursor = page.cursor;
        if !page.more {
            break;
        }
    }
    assert_eq!(stops.len(), PARCELS);
    let mut out = Vec::new();
    let mut late = Vec::new();
    for (i, stop) in (0_i64..).zip(stops) {
        phone.minutes_later = i * 9;
        let entry = phone.delivery(&stop, &[]);
        let occurred_ms =
            NOW_MS - 60 * MINUTE_MS + phone.seq * 1_000 + phone.minutes_later * MINUTE_MS;
        let path = rating_path(&stop.parcels[0], &entry.hash());
        late.push(entry);
        if online {
            upload(
                bench,
                &mut phone,
                ip,
                occurred_ms + 3_000,
                std::mem::take(&mut late),
            )
            .await;
        }
        out.push((stop, path, occurred_ms));
    }
    if !late.is_empty() {
        let end_ms = out.last().unwrap().2 + 40 * MINUTE_MS;
        upload(bench, &mut phone, ip, end_ms, late).await;
    }
    out
}

async fn upload(
    bench: &Bench,
    phone: &mut Phone,
    ip: [u8; 4],
    at_ms: i64,
    entries: Vec<satchel_protocol::entry::SignedEntry>,
) {
    bench.clock.set(at_ms);
    let batch = Batch {
        entries,
        blobs: vec![],
    };
    let media = [("content-type", "application/vnd.satchel.batch")];
    let signed = phone.request(bench, "POST", "/v1/log", &media, batch.encode().unwrap());
    let mut request = signed.build();
    let peer = SocketAddr::from((ip, 50_000));
    request.extensions_mut().insert(ConnectInfo(peer));
    assert_eq!(bench.send(request).await.status, 200);
}

/// What a courier tries to make his own rating count: everything he can see or guess.
async fn try_to_verify(bench: &Bench, path: &str, stop: &StopItem, foreign_session: &str) {
    let phone = &stop.recipient.phone;
    let last6 = &phone[phone.len() - 6..];
    let last4 = &phone[phone.len() - 4..];
    for code in [last6, last4, "123456"] {
        bench
            .post_form(path, &format!("stars=5&code={code}"), &[])
            .await;
    }
    for cookie in [foreign_session, "satchel_me=0000000000000000000000000"] {
        bench
            .post_form(path, "stars=5&code=999999", &[("cookie", cookie)])
            .await;
    }
}

/// Rates `rated` of the round in the courier's own favour.
async fn rate_oneself(
    bench: &Bench,
    dice: &mut Dice,
    trick: Trick,
    courier_ip: [u8; 4],
    rated: &[(StopItem, String, i64)],
) {
    let second_sim = dice.mobile();
    let home = dice.home();
    let mut kept = Browser {
        ip: second_sim,
        agent: dice.agent(),
        cookie: None,
    };
    let evening_ms = rated.last().unwrap().2 + 5 * 60 * MINUTE_MS;
    for (i, (_, path, occurred_ms)) in (0_i64..).zip(rated) {
        let at_door_ms = occurred_ms + dice.ms(8, 70);
        let think_ms = dice.ms(5, 30);
        let evening_ms = evening_ms + i * dice.ms(30, 70);
        let hiding = Browser::customer(dice);
        let fresh = |ip, agent: &str| Browser {
            ip,
            agent: agent.to_owned(),
            cookie: None,
        };
        let agent = kept.agent.clone();
        let (mut one, at_ms) = match trick {
            Trick::OwnPhone => (fresh(courier_ip, &agent), at_door_ms),
            Trick::Hotspot => (fresh(courier_ip, "another telephone"), at_door_ms),
            Trick::SecondPhone => {
                kept.rate(bench, path, at_door_ms, think_ms, "stars=5")
                    .await;
                continue;
            }
            Trick::PrivateWindows => (fresh(second_sim, &agent), at_door_ms),
            Trick::EveningAtHome => (fresh(home, &hiding.agent), evening_ms),
            Trick::EveningHiding => (hiding, evening_ms),
            Trick::HidingAtEachDoor => (hiding, at_door_ms),
        };
        one.rate(bench, path, at_ms, think_ms, "stars=5").await;
    }
}

#[tokio::test]
async fn no_courier_rates_himself_into_pay_and_few_customers_are_doubted() {
    let each: usize = std::env::var("SATCHEL_COURIERS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(40);
    let bench = Bench::new().await;
    let options = ImportOptions {
        group: Some("column=courier".parse().unwrap()),
        ..ImportOptions::default()
    };
    let mapping = Mapping::from_json(MAPPING.as_bytes()).unwrap();
    let text = csv(2 * each);
    bench
        .hub
        .import(text.as_bytes(), &mapping, &options)
        .await
        .unwrap();
    let links: HashMap<_, _> = bench
        .hub
        .customer_links(None)
        .await
        .unwrap()
        .into_iter()
        .map(|l| (l.waybill, l.url))
        .collect();

    let mut dice = Dice(8);
    let mut by_himself: HashMap<ParcelId, Trick> = HashMap::new();
    let mut honest_verified = 0;
    // The courier has a parcel of his own on the way, and so a session of his own.
    let own = links["S000000"].strip_prefix(PUBLIC_URL).unwrap();
    let foreign = bench.get(own, &[]).await;
    let foreign = foreign
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    for courier in 0..2 * each {
        let dishonest = courier >= each;
        let ip = dice.mobile();
        let online = dice.below(10) < 6;
        let round = play_round(&bench, courier, ip, online).await;
        let (his, theirs) = round.split_at(if dishonest { 5 } else { 0 });
        if dishonest {
            let trick = Trick::of(&mut dice);
            let (stop, path, _) = &his[0];
            if courier % 2 == 0 {
                try_to_verify(&bench, path, stop, &foreign).await;
            }
            rate_oneself(&bench, &mut dice, trick, ip, his).await;
            by_himself.extend(
                his.iter()
                    .map(|(stop, ..)| (stop.parcels[0].parcel_id, trick)),
            );
        }
        for (i, (stop, path, occurred_ms)) in theirs.iter().enumerate() {
            let mut customer = Browser::customer(&mut dice);
            if i % 3 == 2 {
                // This one has opened the link in his message before.
                let link = links[&stop.parcels[0].waybill]
                    .strip_prefix(PUBLIC_URL)
                    .unwrap();
                let page = customer
                    .ask(&bench, Request::get(link), Body::empty())
                    .await;
                customer.cookie = Some(
                    page.header("set-cookie")
                        .split(';')
                        .next()
                        .unwrap()
                        .to_owned(),
                );
                honest_verified += 1;
            }
            let at_ms = occurred_ms + dice.ms(6, 90);
            let think_ms = dice.ms(6, 120);
            let stars = ["stars=5", "stars=4", "stars=5", "stars=2"][i % 4];
            let status = customer.rate(&bench, path, at_ms, think_ms, stars).await;
            assert_eq!(status, 303);
        }
    }
    bench.clock.set(NOW_MS + 24 * 60 * MINUTE_MS);
    bench.hub.review_ratings().await.unwrap();
    report(&bench, &by_himself, honest_verified).await;
}

async fn report(bench: &Bench, by_himself: &HashMap<ParcelId, Trick>, honest_verified: usize) {
    let audit = bench.hub.audit().await.unwrap();
    let mut self_verified = 0;
    let (mut self_qr, mut self_flagged) = (0, 0);
    let (mut honest_qr, mut honest_flagged, mut verified) = (0, 0, 0);
    let mut missed: HashMap<Trick, usize> = HashMap::new();
    for rating in &audit.ratings {
        match (by_himself.get(&rating.parcel), rating.class.as_str()) {
            (Some(_), "verified") => self_verified += 1,
            (Some(trick), class) => {
                self_qr += 1;
                if class == "flagged" {
                    self_flagged += 1;
                } else {
                    *missed.entry(*trick).or_default() += 1;
                }
            }
            (None, "verified") => verified += 1,
            (None, class) => {
                honest_qr += 1;
                honest_flagged += usize::from(class == "flagged");
            }
        }
    }
    assert_eq!(self_verified, 0);
    assert_eq!(verified, honest_verified);
    assert!(
        self_flagged * 100 >= self_qr * 95,
        "{self_flagged} of {self_qr}, missed {missed:?}"
    );
    assert!(
        honest_flagged * 100 <= honest_qr * 2,
        "{honest_flagged} of {honest_qr}"
    );
}
