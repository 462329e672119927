//! What a stranger reads in a dispute: an evidence file, a log proof, a note.

use std::collections::BTreeMap;

use satchel_protocol::bundle::{BUNDLE_VERSION, Bundle, Trust, pack, unpack, verify};
use satchel_protocol::ids::{Hash32, ParcelId};
use satchel_protocol::tlog::{Note, TlogProof, Vkey};

/// A file that is read is judged, and what is packed again reads the same.
pub fn bundle(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok((read, photos)) = unpack(text) else {
        assert!(verify(text, &Trust::default()).is_err());
        return;
    };
    let report = verify(text, &Trust::default());
    assert!(report.is_ok(), "a file that can be read is judged");
    if let Ok((again, _)) = unpack(&pack(&read, &photos)) {
        assert_eq!(again.entries, read.entries);
    }
}

/// Files without an entry, with and without things around it.
pub fn bundles() -> Vec<Vec<u8>> {
    ["", "https://hub.example.com"]
        .into_iter()
        .map(|url| {
            let bundle = Bundle {
                version: BUNDLE_VERSION,
                made_at_ms: 1_790_000_000_000,
                made_by_phone: url.is_empty(),
                hub_url: url.to_owned(),
                hub_key: Hash32([7; 32]),
                parcel: "01890000-0000-7000-8000-000000000001"
                    .parse::<ParcelId>()
                    .unwrap_or_else(|_| ParcelId::from_parts(0, [0; 10])),
                waybill: "SF1&2".to_owned(),
                certificates: vec![],
                entries: vec![],
                receipts: vec![],
                proofs: vec![],
                timestamps: vec![],
                records: vec![],
                door: Some((37.5, 121.4)),
                rotations: None,
            };
            pack(&bundle, &BTreeMap::new()).into_bytes()
        })
        .collect()
}

/// A proof or a note that is read is written as it was read, but for extra data that nobody believes.
pub fn notes(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(Note::parse(&note.to_string()).as_ref(), Ok(&note));
    }
    if let Ok(proof) = text.parse::<TlogProof>() {
        assert_eq!(proof.to_string().parse().as_ref(), Ok(&proof));
    }
    if let Ok(key) = text.parse::<Vkey>() {
        assert_eq!(key.to_string().parse().as_ref(), Ok(&key));
    }
}

/// A checkpoint, a proof and a key as others publish them.
pub fn published() -> Vec<Vec<u8>> {
    let hash = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let note = format!(
        "hub.example.com/log/1\n20852163\n{hash}\n\n— hub.example.com/log/1 \
         Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    );
    let proof = format!("c2sp.org/tlog-proof@v1\nindex 7\n{hash}\n{hash}\n\n{note}");
    vec![note.into_bytes(), proof.into_bytes()]
}
