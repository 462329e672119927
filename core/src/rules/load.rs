//! The load check: what should be on the vehicle against what was scanned (A204, A202).
//!
//! Found at the depot, a missort costs a minute; found at a door, a day. A scan is judged by what the
//! hub said about the number: on this round, on another one, or nowhere. Scanning a parcel twice is no
//! fault, and scanning it off again takes it back, whichever of the two came last.

use std::collections::{BTreeMap, BTreeSet};

use satchel_protocol::ids::ParcelId;

use super::coded::Text;
use super::codes::{Resolution, Scan, expect};

/// Layers of parcels that the bottom one bears (A202); a hint, nobody can scan it.
pub const MAX_STACK_LAYERS: u32 = 5;

/// A share in ten-thousandths that sorting is to come below: 0.5 % (A204).
pub const SORT_ERROR_TARGET_BP: u64 = 50;

/// A hint the courier reads at the load check.
#[must_use]
pub fn stacking_hint() -> Text {
    Text::new(
        format!("堆叠不超过 {MAX_STACK_LAYERS} 层,易碎品放最上层"),
        format!("Stack no more than {MAX_STACK_LAYERS} layers, fragile on top"),
    )
}

/// A parcel of this round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The parcel.
    pub parcel: ParcelId,
    /// Its waybill number.
    pub waybill: String,
}

/// A number that the hub knows to belong to another round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its waybill number.
    pub waybill: String,
    /// What people call that round.
    pub round: String,
}

/// One scan at the vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadScan {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// What was read.
    pub scan: Scan,
    /// Taken off again instead of loaded.
    pub off: bool,
}

/// What one scan means, for the sound the phone makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanResult {
    /// Of this round.
    Expected(ParcelId),
    /// Of another round: hand it back (A204).
    Missort {
        /// That round.
        round: String,
    },
    /// A number nobody announced: hand it back and tell the hub.
    Surplus,
    /// Several parcels of this round carry the number.
    Ambiguous(Vec<ParcelId>),
    /// No parcel's code.
    NotAParcel,
}

/// The state of the load check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    /// On the vehicle.
    pub loaded: BTreeSet<ParcelId>,
    /// Expected and not on the vehicle.
    pub missing: BTreeSet<ParcelId>,
    /// Waybill numbers of other rounds, with the round; to be handed back.
    pub missorts: BTreeMap<String, String>,
    /// Numbers nobody announced; to be handed back.
    pub surplus: BTreeSet<String>,
    /// Numbers carried by several parcels; a person must choose.
    pub ambiguous: BTreeSet<String>,
    /// Parcels scanned, each once: the denominator of A204.
    pub distinct_scans: u64,
}

impl LoadReport {
    /// Missorts in ten-thousandths of the numbers scanned, rounded down; nothing without a scan (A204).
    #[must_use]
    pub fn missort_bp(&self) -> Option<u64> {
        (self.missorts.len() as u64)
            .saturating_mul(10_000)
            .checked_div(self.distinct_scans)
    }

    /// Whether the round can start without a question.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty()
            && self.missorts.is_empty()
            && self.surplus.is_empty()
            && self.ambiguous.is_empty()
    }
}

/// What one scan means.
#[must_use]
pub fn judge(scan: &Scan, expected: &[Expected], elsewhere: &[Elsewhere]) -> ScanResult {
    let ours: Vec<(ParcelId, &str)> = expected
        .iter()
        .map(|e| (e.parcel, e.waybill.as_str()))
        .collect();
    match expect(scan, &ours) {
        Resolution::Parcel(parcel) => ScanResult::Expected(parcel),
        Resolution::Ambiguous(parcels) => ScanResult::Ambiguous(parcels),
        Resolution::NotAParcel(_) => ScanResult::NotAParcel,
        Resolution::Unexpected => number(scan)
            .and_then(|n| {
                elsewhere
                    .iter()
                    .find(|e| e.waybill.trim().eq_ignore_ascii_case(&n))
            })
            .map_or(ScanResult::Surplus, |e| ScanResult::Missort {
                round: e.round.clone(),
            }),
    }
}

/// Folds all scans into the state of the check. The last scan of a number decides.
#[must_use]
pub fn check(scans: &[LoadScan], expected: &[Expected], elsewhere: &[Elsewhere]) -> LoadReport {
    let mut ordered: Vec<&LoadScan> = scans.iter().collect();
    // Stable: of two scans in one millisecond the later one in the log counts.
    ordered.sort_by_key(|s| s.at_ms);
    let mut report = LoadReport {
        loaded: BTreeSet::new(),
        missing: expected.iter().map(|e| e.parcel).collect(),
        missorts: BTreeMap::new(),
        surplus: BTreeSet::new(),
        ambiguous: BTreeSet::new(),
        distinct_scans: 0,
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for LoadScan { scan, off, .. } in ordered {
        let Some(number) = number(scan) else { continue };
        let result = judge(scan, expected, elsewhere);
        // Its label and its waybill number are two texts of one parcel.
        seen.insert(match &result {
            ScanResult::Expected(parcel) => parcel.to_string(),
            _ => number.clone(),
        });
        match result {
            ScanResult::Expected(parcel) if *off => {
                report.loaded.remove(&parcel);
                report.missing.insert(parcel);
            }
            ScanResult::Expected(parcel) => {
                report.missing.remove(&parcel);
                report.loaded.insert(parcel);
            }
            // A missort stays one for the rate after it was handed back: it was found here.
            ScanResult::Missort { round } => {
                report.missorts.insert(number, round);
            }
            ScanResult::Surplus if *off => {
                report.surplus.remove(&number);
            }
            ScanResult::Surplus => {
                report.surplus.insert(number);
            }
            ScanResult::Ambiguous(_) => {
                report.ambiguous.insert(number);
            }
            ScanResult::NotAParcel => {}
        }
    }
    report.distinct_scans = seen.len() as u64;
    report
}

/// The number of a parcel's code, as it is compared.
fn number(scan: &Scan) -> Option<String> {
    match scan {
        Scan::Label(label) => Some(label.parcel.to_string()),
        Scan::S10(s10) => Some(s10.number.clone()),
        Scan::Sscc(sscc) => Some(sscc.digits.clone()),
        Scan::Waybill(number) => Some(number.clone()),
        Scan::NotAParcel(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::codes::{parcel_label, read};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn parcel(n: u128) -> ParcelId {
        ParcelId(Uuid::from_u128(n))
    }

    fn ours() -> Vec<Expected> {
        (1..=3)
            .map(|n| Expected {
                parcel: parcel(n),
                waybill: format!("SF000000{n}"),
            })
            .collect()
    }

    fn theirs() -> Vec<Elsewhere> {
        vec![Elsewhere {
            waybill: "SF9999999".into(),
            round: "开发区二线".into(),
        }]
    }

    fn scan(at_ms: i64, text: &str) -> LoadScan {
        LoadScan {
            at_ms,
            scan: read(text).unwrap(),
            off: false,
        }
    }

    #[test]
    fn missing_missorted_and_surplus_parcels_are_told_apart() {
        let label = parcel_label(parcel(2));
        let scans = [
            scan(1, "SF0000001"),
            scan(2, &label),
            scan(2, "SF0000002"),
            scan(3, "SF9999999"),
            scan(4, "JD5555555"),
            scan(5, "SF0000001"),
            scan(6, "https://example.com/x"),
        ];
        let report = check(&scans, &ours(), &theirs());
        assert_eq!(report.loaded, BTreeSet::from([parcel(1), parcel(2)]));
        assert_eq!(report.missing, BTreeSet::from([parcel(3)]));
        assert_eq!(
            report.missorts.get("SF9999999").map(String::as_str),
            Some("开发区二线")
        );
        assert_eq!(report.surplus, BTreeSet::from(["JD5555555".to_owned()]));
        assert_eq!(report.distinct_scans, 4);
        assert_eq!(report.missort_bp(), Some(2_500));
        assert!(!report.is_clean());
    }

    #[test]
    fn taken_off_again_is_missing_again_whichever_scan_arrived_first() {
        let off = LoadScan {
            off: true,
            ..scan(9, "SF0000001")
        };
        let report = check(&[off.clone(), scan(1, "SF0000001")], &ours(), &[]);
        assert!(report.missing.contains(&parcel(1)));
        let again = check(&[off, scan(10, "SF0000001")], &ours(), &[]);
        assert!(again.loaded.contains(&parcel(1)));
    }

    #[test]
    fn a_missort_that_was_handed_back_still_counts_in_the_rate() {
        let back = LoadScan {
            off: true,
            ..scan(9, "SF9999999")
        };
        let report = check(&[scan(1, "SF9999999"), back], &ours(), &theirs());
        assert_eq!(report.missort_bp(), Some(10_000));
    }

    #[test]
    fn the_stacking_hint_names_five_layers() {
        let hint = stacking_hint();
        assert!(hint.zh.contains("5 层") && hint.en.contains("5 layers"));
    }

    #[test]
    fn without_a_scan_there_is_no_rate() {
        assert_eq!(check(&[], &ours(), &[]).missort_bp(), None);
    }

    #[test]
    fn a_number_of_two_parcels_is_left_to_a_person() {
        let twins = vec![
            Expected {
                parcel: parcel(1),
                waybill: "SF0000001".into(),
            },
            Expected {
                parcel: parcel(2),
                waybill: "SF0000001".into(),
            },
        ];
        let report = check(&[scan(1, "SF0000001")], &twins, &[]);
        assert_eq!(report.missing.len(), 2);
        assert_eq!(report.ambiguous.len(), 1);
    }

    proptest! {
        /// Every expected parcel is on the vehicle or missing, never both and never neither.
        #[test]
        fn loaded_and_missing_share_the_round_out(
            raw in proptest::collection::vec((0i64..20, 0u8..6, any::<bool>()), 0..30)
        ) {
            let scans: Vec<LoadScan> = raw
                .into_iter()
                .map(|(at_ms, n, off)| LoadScan { off, ..scan(at_ms, &format!("SF000000{n}")) })
                .collect();
            let report = check(&scans, &ours(), &theirs());
            for e in ours() {
                prop_assert!(report.loaded.contains(&e.parcel) != report.missing.contains(&e.parcel));
            }
            if let Some(rate) = report.missort_bp() {
                prop_assert!(rate <= 10_000);
            }
        }
    }
}
