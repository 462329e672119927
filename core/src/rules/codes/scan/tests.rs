//! Test vectors of C4, and everything that must not be taken for a parcel.

use proptest::prelude::*;
use satchel_protocol::crypto::Secret32;
use satchel_protocol::ids::{Handle, Hash32};
use satchel_protocol::token::rating_url;

use super::*;

fn parcel(n: u128) -> ParcelId {
    ParcelId(Uuid::from_u128(n))
}

#[test]
fn postal_numbers_of_the_standard_are_read() {
    for (number, service, country) in [
        ("EE471108151FR", "EE", "FR"),
        ("EB000717618HK", "EB", "HK"),
        ("ee123456785gb", "EE", "GB"),
    ] {
        assert_eq!(
            read(number),
            Ok(Scan::S10(S10 {
                number: number.to_ascii_uppercase(),
                service: service.into(),
                country: country.into()
            }))
        );
    }
    assert_eq!(read("EE471108152FR"), Err(ScanFault::S10CheckDigit));
}

#[test]
fn container_codes_are_read_in_every_spelling_with_their_ai() {
    for digits in ["095287654321012346", "106141411234567897"] {
        let expected = Ok(Scan::Sscc(Sscc {
            digits: digits.into(),
        }));
        assert_eq!(read(&format!("00{digits}")), expected);
        assert_eq!(read(&format!("(00){digits}")), expected);
        assert_eq!(read(&format!("]C100{digits}")), expected);
        assert_eq!(read(&format!("\u{1d}00{digits}\u{1d}")), expected);
        assert_eq!(read(&format!("https://id.gs1.org/00/{digits}")), expected);
        assert_eq!(
            read(&format!("https://shop.example/p/00/{digits}?linkType=x")),
            expected
        );
    }
    assert_eq!(
        read("(00)106141411234567898"),
        Err(ScanFault::SsccCheckDigit)
    );
    assert_eq!(
        read("https://id.gs1.org/00/106141411234567898"),
        Err(ScanFault::SsccCheckDigit)
    );
}

#[test]
fn eighteen_bare_digits_are_a_waybill_number_and_not_guessed_to_be_a_container() {
    assert_eq!(
        read("106141411234567897"),
        Ok(Scan::Waybill("106141411234567897".into()))
    );
}

#[test]
fn a_rating_code_an_invite_goods_and_a_web_page_are_no_parcels() {
    let token = RatingToken::mint(&Secret32::new([4; 32]), Handle([1; 8]), &Hash32([2; 32]));
    let what = |text: &str| match read(text) {
        Ok(Scan::NotAParcel(what)) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        what(&rating_url("https://r.example.com", &token)),
        NotAParcel::RatingLink
    );
    assert_eq!(what("SATCHEL:ABC123456"), NotAParcel::OtherSatchelCode);
    assert_eq!(
        what("https://id.gs1.org/01/09506000134352/21/XYZ"),
        NotAParcel::GoodsLink
    );
    assert_eq!(what("https://example.com/track"), NotAParcel::OtherLink);
}

#[test]
fn our_own_label_is_read_in_either_case_and_a_damaged_one_is_said_to_be() {
    let text = parcel_label(parcel(77));
    let expected = Ok(Scan::Label(Label { parcel: parcel(77) }));
    assert_eq!(read(&text), expected);
    assert_eq!(read(&format!("  {} \n", text.to_lowercase())), expected);
    let damaged = format!("{}{}", &text[..text.len() - 1], "!");
    assert_eq!(read(&damaged), Err(ScanFault::DamagedLabel));
    assert_eq!(read("SATCHEL:P1:"), Err(ScanFault::DamagedLabel));
}

#[test]
fn words_and_nothing_are_no_numbers() {
    assert_eq!(read("  "), Err(ScanFault::Empty));
    assert_eq!(read("hello"), Err(ScanFault::NotANumber));
    assert_eq!(read("SHANGHAI-ROAD"), Err(ScanFault::NotANumber));
    assert_eq!(read("张三 13812345612"), Err(ScanFault::NotANumber));
    assert_eq!(read(&"1".repeat(600)), Err(ScanFault::TooLong));
}

#[test]
fn a_scan_is_one_expected_parcel_or_said_not_to_be() {
    let expected = [
        (parcel(1), "SF1234567890123"),
        (parcel(2), "YT0000001"),
        (parcel(3), "YT0000001"),
    ];
    let look = |text: &str| expect(&read(text).unwrap(), &expected);
    assert_eq!(look("sf1234567890123"), Resolution::Parcel(parcel(1)));
    assert_eq!(
        look("YT0000001"),
        Resolution::Ambiguous(vec![parcel(2), parcel(3)])
    );
    assert_eq!(look("SF1234567890124"), Resolution::Unexpected);
    assert_eq!(
        look("https://example.com/x"),
        Resolution::NotAParcel(NotAParcel::OtherLink)
    );
    assert_eq!(
        look(&parcel_label(parcel(2))),
        Resolution::Parcel(parcel(2))
    );
    assert_eq!(look(&parcel_label(parcel(9))), Resolution::Unexpected);
}

proptest! {
    /// One wrong digit is always noticed.
    #[test]
    fn a_misread_digit_of_a_postal_number_is_noticed(
        digits in proptest::array::uniform8(0u8..10), at in 0usize..8, by in 1u8..10
    ) {
        let write = |d: &[u8; 8], check: u8| {
            let body: String = d.iter().map(|d| char::from(b'0' + d)).collect();
            format!("RR{body}{check}CN")
        };
        let check = s10_check_digit(&digits);
        let is_s10 = matches!(read(&write(&digits, check)), Ok(Scan::S10(_)));
        prop_assert!(is_s10);
        let mut wrong = digits;
        wrong[at] = (wrong[at] + by) % 10;
        // The check digits 0 and 5 each stand for two remainders; such a pair cannot be told apart.
        if s10_check_digit(&wrong) != check {
            prop_assert_eq!(read(&write(&wrong, check)), Err(ScanFault::S10CheckDigit));
        }
    }

    #[test]
    fn a_misread_digit_of_a_container_code_is_noticed(
        digits in proptest::collection::vec(0u8..10, 17), at in 0usize..17, by in 1u8..10
    ) {
        let digits: [u8; 17] = digits.try_into().unwrap();
        let check = sscc_check_digit(&digits);
        let mut wrong = digits;
        wrong[at] = (wrong[at] + by) % 10;
        prop_assert_ne!(sscc_check_digit(&wrong), check);
    }

    #[test]
    fn every_label_is_read_back(n in any::<u128>()) {
        prop_assert_eq!(read(&parcel_label(parcel(n))), Ok(Scan::Label(Label { parcel: parcel(n) })));
    }

    #[test]
    fn rubbish_never_panics_and_never_becomes_a_checked_code(text in "\\PC{0,60}") {
        if let Ok(Scan::Label(_)) = read(&text) {
            prop_assert!(false, "{text}");
        }
    }
}
