//! Evidence bundles: everything the hub holds about one parcel, with what proves it (A108, 电子签名法 5).
//!
//! The log is published first, so that the bundle's proofs lead to a checkpoint the witnesses have seen.
//! What goes in is what the log has; projections are not asked for more than where to look.

use std::collections::{BTreeMap, BTreeSet};

use satchel_protocol::bundle::{
    self, BUNDLE_VERSION, Bundle, BundledEntry, BundledProof, Certificate, ProofBytes, Token,
};
use satchel_protocol::crypto;
use satchel_protocol::entry::{Header, SignedEntry};
use satchel_protocol::ids::{DeviceId, Hash32, ParcelId};
use satchel_protocol::receipt::SignedReceipt;
use satchel_protocol::taxonomy::ProofKind;
use satchel_protocol::tlog::Note;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::doorstep::{ParcelRef, find_parcel};
use crate::error::HubError;
use crate::hub::Hub;
use crate::store::{device_keys, entries};
use crate::tlog::Tree;

const DAMAGED: HubError = HubError::DamagedRow { what: "evidence" };

impl Hub {
    /// The evidence about one parcel as a file: a web page that can be checked without this hub.
    ///
    /// # Errors
    /// [`HubError::UnknownParcel`] and [`HubError::AmbiguousWaybill`]; those of database and proofs.
    pub async fn evidence(&self, parcel: &ParcelRef) -> Result<String, HubError> {
        let published = self.publish_checkpoint().await?;
        let checkpoint = Note::parse(&published.note).map_err(|_| DAMAGED)?;
        let mut tx = self.db().read().begin().await?;
        let parcel = find_parcel(&mut tx, parcel).await?;
        let row = sqlx::query(
            "SELECT p.waybill, s.lat, s.lng, \
               EXISTS (SELECT 1 FROM erasure x WHERE x.parcel_id = p.parcel_id) AS erased \
             FROM parcel p JOIN stop s USING (stop_id) WHERE p.parcel_id = ?",
        )
        .bind(&parcel.as_bytes()[..])
        .fetch_one(&mut *tx)
        .await?;
        let rows = about(&mut tx, parcel).await?;
        let mut tree = Tree::open(&mut tx).await?;
        let mut entries = Vec::new();
        let mut devices = BTreeMap::new();
        let mut receipts = BTreeMap::new();
        for row in &rows {
            let entry = entries::signed(row, "evidence")?;
            let header = Header::decode(&entry.header).map_err(|_| DAMAGED)?;
            let last = devices.entry(header.device).or_insert(header.seq);
            *last = (*last).max(header.seq);
            add_receipts(&mut tx, &header, &mut receipts).await?;
            let proof = tree
                .proof(&mut tx, entry.hash(), published.size, checkpoint.clone())
                .await?;
            entries.push(BundledEntry {
                entry,
                later: Vec::new(),
                log_proof: proof.map(|p| p.to_string()),
            });
        }
        let certificates = certificates(&mut tx, &devices).await?;
        let mut rotations = Vec::new();
        for (device, last_seq) in devices {
            rotations.extend(device_keys::rotations(&mut tx, device, last_seq).await?);
        }
        let records = records(&mut tx, parcel).await?;
        drop(tx);
        let (proofs, photos) = self.proofs_of(&entries).await?;
        let timestamps = published.timestamp.map(|token| Token {
            text: checkpoint.text.clone(),
            token,
        });
        let bundle = Bundle {
            version: BUNDLE_VERSION,
            made_at_ms: self.now_ms(),
            made_by_phone: false,
            hub_url: self.public_url().to_owned(),
            hub_key: Hash32(self.public_key().to_bytes()),
            parcel,
            waybill: row.try_get("waybill")?,
            certificates,
            entries,
            receipts: receipts.into_values().collect(),
            proofs,
            timestamps: timestamps.into_iter().collect(),
            records,
            door: match row.try_get("erased")? {
                true => None,
                false => Some((row.try_get("lat")?, row.try_get("lng")?)),
            },
            rotations: (!rotations.is_empty()).then_some(rotations),
        };
        Ok(bundle::pack(&bundle, &photos))
    }

    /// The proofs that attempts and corrections speak of, photos apart. One whose bytes have not come stays named.
    async fn proofs_of(
        &self,
        entries: &[BundledEntry],
    ) -> Result<(Vec<BundledProof>, BTreeMap<Hash32, Vec<u8>>), HubError> {
        let (mut proofs, mut photos) = (Vec::new(), BTreeMap::new());
        let mut seen = BTreeSet::new();
        for bundled in entries {
            let header = Header::decode(&bundled.entry.header).map_err(|_| DAMAGED)?;
            for proof in bundle::proofs_of(&header, &bundled.entry) {
                if !seen.insert(proof.hash) {
                    continue;
                }
                // A proof that has not come yet, or that is damaged, is named and not shown.
                let held = self.proof_bytes(&proof.hash).await.ok();
                let held = held.filter(|bytes| crypto::sha256(&[bytes]) == proof.hash);
                let bytes = match (proof.kind, held) {
                    (ProofKind::Photo, Some(photo)) => {
                        photos.insert(proof.hash, photo);
                        None
                    }
                    (_, held) => held.map(ProofBytes),
                };
                proofs.push(BundledProof {
                    hash: proof.hash,
                    kind: proof.kind,
                    bytes,
                });
            }
        }
        Ok((proofs, photos))
    }
}

/// The entries about a parcel, and about proofs of it that were lost, in the order of their time.
async fn about(conn: &mut SqliteConnection, parcel: ParcelId) -> Result<Vec<SqliteRow>, HubError> {
    Ok(sqlx::query(
        "WITH of_parcel (device_id, seq) AS ( \
           SELECT device_id, seq FROM attempt WHERE parcel_id = ?1 \
           UNION SELECT device_id, seq FROM correction WHERE parcel_id = ?1 \
           UNION SELECT device_id, seq FROM code_entry WHERE parcel_id = ?1 \
           UNION SELECT device_id, seq FROM pickup WHERE parcel_id = ?1 \
           UNION SELECT device_id, seq FROM parcel_step WHERE parcel_id = ?1 \
           UNION SELECT device_id, seq FROM erased_entry WHERE parcel_id = ?1) \
         SELECT e.header, e.sig, e.salt, e.body FROM entry e JOIN ( \
           SELECT device_id, seq FROM of_parcel \
           UNION SELECT l.device_id, l.seq FROM of_parcel o JOIN entry_blob b USING (device_id, seq) \
             JOIN proof_lost l ON l.device_id = o.device_id AND l.hash = b.hash \
         ) USING (device_id, seq) ORDER BY e.leaf",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(conn)
    .await?)
}

/// The receipt that first named this entry, and the one the entry names as older than itself: that one
/// was given not long before, so the few before the first are looked through.
async fn add_receipts(
    conn: &mut SqliteConnection,
    header: &Header,
    receipts: &mut BTreeMap<(DeviceId, i64, i64), SignedReceipt>,
) -> Result<(), HubError> {
    let rows = sqlx::query(
        "SELECT first_seq, last_seq, receipt FROM receipt_given \
         WHERE device_id = ?1 AND first_seq <= ?2 ORDER BY first_seq DESC, last_seq LIMIT 64",
    )
    .bind(&header.device.as_bytes()[..])
    .bind(header.seq)
    .fetch_all(conn)
    .await?;
    for row in rows {
        let (first, last): (i64, i64) = (row.try_get("first_seq")?, row.try_get("last_seq")?);
        let bytes: &[u8] = row.try_get("receipt")?;
        let receipt = SignedReceipt::decode(bytes).map_err(|_| DAMAGED)?;
        let names = (first..=last).contains(&header.seq);
        if names || header.anchor == Some(receipt.anchor()) {
            receipts.insert((header.device, first, last), receipt);
        }
    }
    Ok(())
}

async fn certificates(
    conn: &mut SqliteConnection,
    devices: &BTreeMap<DeviceId, i64>,
) -> Result<Vec<Certificate>, HubError> {
    let mut certificates = Vec::new();
    for device in devices.keys() {
        let bytes = sqlx::query_scalar("SELECT certificate FROM device WHERE device_id = ?")
            .bind(&device.as_bytes()[..])
            .fetch_one(&mut *conn)
            .await?;
        certificates.push(Certificate(bytes));
    }
    Ok(certificates)
}

/// What the customer said and which phones were given the parcel, as the hub recorded it.
async fn records(
    conn: &mut SqliteConnection,
    parcel: ParcelId,
) -> Result<Vec<SignedEntry>, HubError> {
    let rows = sqlx::query(
        "SELECT j.header, j.sig, j.salt, j.body FROM journal j WHERE j.seq IN ( \
           SELECT journal_seq FROM rating_said WHERE parcel_id = ?1 \
           UNION SELECT journal_seq FROM assignment WHERE parcel_id = ?1) ORDER BY j.seq",
    )
    .bind(&parcel.as_bytes()[..])
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| entries::signed(row, "evidence"))
        .collect()
}
