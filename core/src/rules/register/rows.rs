//! The rows themselves. `at!` makes the compiler check that each item is there.

use super::{Honoured, RuleRow};

/// The named items, as text; naming one that does not exist does not compile.
macro_rules! at {
    ($($path:path),+ $(,)?) => {{
        $( const _: () = {
            #[allow(unused_imports, reason = "the import is the check")]
            use $path as _;
        }; )+
        &[ $( stringify!($path) ),+ ]
    }};
}

macro_rules! row {
    ($row:literal, $rule:literal, [$($path:path),+ $(,)?], [$($test:literal),+ $(,)?]) => {
        RuleRow {
            row: $row,
            rule: $rule,
            honoured: Honoured::Here { at: at!($($path),+), shown_by: &[$($test),+] },
        }
    };
    ($row:literal, $rule:literal, not here: $why:literal) => {
        RuleRow { row: $row, rule: $rule, honoured: Honoured::NotHere { why: $why } }
    };
}

/// Every row, by number.
pub const ROWS: &[RuleRow] = &[
    row!(
        "A001",
        "A same-city parcel is promised within 12 hours of acceptance.",
        [crate::rules::promise::Promise],
        ["same_city_is_missed_after_twelve_hours_and_hurts_after_a_day"]
    ),
    row!(
        "A002",
        "A parcel from another province is promised within 48 hours.",
        [crate::rules::promise::Promise],
        ["another_province_hurts_three_days_past_its_48_hours"]
    ),
    row!(
        "A007",
        "Express in a closed area is promised within 30 minutes.",
        [crate::rules::promise::Promise],
        ["the_express_of_a_campus_has_half_an_hour"]
    ),
    row!("A011", "The order of stops is worked out on the phone, without a network.",
        not here: "belongs to the re-sequencer (core/route), which is tested there"),
    row!("A012", "Slow areas and hours are avoided by the hub's last known table.",
        not here: "belongs to the re-sequencer (core/route), which is tested there"),
    row!("A013", "Parcels short of time come first.",
        not here: "the order is the re-sequencer's (core/route); rules::promise gives it the deadlines"),
    row!("A014", "The order follows the courier's position, on demand or when he leaves it.",
        not here: "belongs to the re-sequencer (core/route), which is tested there"),
    row!("A017", "Planning by optimisation instead of by hand.",
        not here: "the same work as A011: the re-sequencer (core/route)"),
    row!(
        "A018",
        "Under bad weather or a peak the reason is preselected and promises may be excused.",
        [crate::rules::promise::ExceptionRegime],
        ["a_typhoon_excuses_and_a_peak_only_preselects"]
    ),
    row!(
        "A021",
        "One reminder per attempt, when the arrival is first an hour away or less.",
        [crate::rules::contact::reminders_due],
        ["one_reminder_for_each_attempt"]
    ),
    row!(
        "A022",
        "The recipient's own hands are the default; anything else needs a stored consent.",
        [crate::rules::consent::gate],
        ["every_handoff_that_needs_a_record_is_locked_without_one_and_opens_with_one"]
    ),
    row!(
        "A023",
        "A station is open only to a customer who asked for it, on record.",
        [crate::rules::consent::Consent, crate::rules::consent::gate],
        [
            "nothing_opens_a_locked_handoff_but_a_complete_valid_consent",
            "a_record_without_its_fields_is_named"
        ]
    ),
    row!(
        "A024",
        "The courier offers to open and inspect, in the words the parcel calls for.",
        [crate::rules::ruleset::minimum, crate::rules::ruleset::Item],
        ["a_general_rule_is_lifted_where_the_parcel_is_stricter"]
    ),
    row!(
        "A025",
        "A photo of the handoff is kept as evidence and may not be skipped.",
        [
            crate::rules::ruleset::minimum,
            crate::proof::photo::ingest_photo
        ],
        ["an_item_is_skipped_only_where_that_is_allowed_and_with_a_reason"]
    ),
    row!(
        "A026",
        "The rating code is drawn on the phone without a network.",
        [crate::rating::qr::QrCodeError],
        ["a_rating_url_fits_version_four"]
    ),
    row!(
        "A027",
        "Compliant signing: share of deliveries with all three steps done.",
        [crate::rules::kpi::sheet],
        ["failures_need_a_contact_and_signing_needs_all_three_steps"]
    ),
    row!(
        "A028",
        "The recipient is checked by name, last four digits or code; only the result is kept.",
        [crate::rules::ruleset::minimum],
        [
            "no_document_ever_gets_below_the_minimum",
            "an_item_is_skipped_only_where_that_is_allowed_and_with_a_reason"
        ]
    ),
    row!(
        "A029",
        "The prompt to inspect is a step of its own with an answer.",
        [crate::rules::ruleset::minimum],
        ["a_rule_that_weakens_the_law_is_refused_by_name_and_the_old_set_stays"]
    ),
    row!(
        "A030",
        "Signature, name and relation of who signs, as the handoff calls for.",
        [crate::rules::ruleset::minimum, crate::proof::ink::Signature],
        ["a_verified_code_stands_for_the_signature_a_sealed_one_does_not"]
    ),
    row!(
        "A031",
        "Delivered to the address: door or agreed alternative, with the distance recorded.",
        [crate::rules::kpi::sheet, crate::rules::position::note],
        [
            "a_proxy_with_consent_is_no_violation_and_a_named_one_is_no_proxy",
            "the_zones_warn_and_say_how_sure_they_are"
        ]
    ),
    row!(
        "A032",
        "Nothing is dropped at a station, locker or proxy at will.",
        [crate::rules::consent::gate],
        [
            "nothing_opens_a_locked_handoff_but_a_complete_valid_consent",
            "every_handoff_that_needs_a_record_is_locked_without_one_and_opens_with_one"
        ]
    ),
    row!(
        "A033",
        "A consent carries its evidence, by a channel that suffices for the handoff.",
        [
            crate::rules::consent::channels,
            crate::rules::consent::ConsentEvidence
        ],
        [
            "the_signature_of_a_neighbour_is_not_the_consent_of_the_recipient",
            "a_call_nobody_answered_is_no_consent"
        ]
    ),
    row!(
        "A034",
        "Left at a station or signed by a proxy without consent counts as a violation.",
        [crate::rules::kpi::HandedOver],
        ["a_proxy_with_consent_is_no_violation_and_a_named_one_is_no_proxy"]
    ),
    row!(
        "A035",
        "Above 15 % proxy signatures, and not at 15 %, training is due.",
        [crate::rules::kpi::Figure],
        ["the_proxy_line_is_crossed_above_fifteen_percent_and_not_at_it"]
    ),
    row!(
        "A036",
        "The customer is called before a station or an absence is recorded.",
        [crate::rules::contact::check_contact],
        [
            "nobody_at_home_cannot_be_recorded_before_a_call",
            "unreachable_takes_two_calls_and_is_contradicted_by_an_answer"
        ]
    ),
    row!(
        "A038",
        "Names, numbers and addresses are masked unless somebody asks, and asking is logged.",
        [
            crate::rules::mask::phone,
            crate::rules::contact::MaskedPhone
        ],
        [
            "a_masked_phone_hides_at_least_six_digits_or_all",
            "what_masking_makes_is_always_masked"
        ]
    ),
    row!(
        "A039",
        "Cooled goods carry temperature samples; an excursion opens an exception.",
        [crate::rules::coldchain::report],
        [
            "an_excursion_is_told_with_its_time_and_its_worst",
            "silence_is_no_proof_of_cold"
        ]
    ),
    row!(
        "A040",
        "Valuable and perishable goods need more: photos at both ends, temperature, code.",
        [crate::rules::ruleset::RuleSet],
        ["the_built_in_set_keeps_to_the_minimum_and_asks_more_for_valuable_goods"]
    ),
    row!(
        "A041",
        "Handling labels are put on at pickup; fragile forces the offer to inspect.",
        [crate::rules::pickup::judge, crate::rules::ruleset::minimum],
        [
            "a_fragile_parcel_needs_its_label",
            "a_general_rule_is_lifted_where_the_parcel_is_stricter"
        ]
    ),
    row!(
        "A042",
        "An abnormal report is one tap and a reason, at any time; a photo may follow.",
        [crate::rules::remedy::take_report],
        ["a_report_without_its_photo_is_taken_and_the_photo_owed"]
    ),
    row!(
        "A043",
        "Remedies are proposed at once; only legal pairs of reason and action exist.",
        [crate::rules::remedy::remedies],
        [
            "every_reason_leaves_the_courier_something_to_do",
            "nobody_at_home_offers_a_second_delivery_and_the_station_only_after_asking"
        ]
    ),
    row!(
        "A045",
        "Exception notice: share of failures the customer was told of.",
        [
            crate::rules::kpi::sheet,
            crate::rules::contact::contact_need
        ],
        ["failures_need_a_contact_and_signing_needs_all_three_steps"]
    ),
    row!(
        "A046",
        "Address unclear and nobody at home are reasons with their own next steps.",
        [
            crate::protocol::taxonomy::Reason,
            crate::rules::remedy::remedies
        ],
        ["every_legal_pair_of_reason_and_action_leads_somewhere_from_the_vehicle"]
    ),
    row!(
        "A047",
        "A refusal leads to the return of the parcel.",
        [crate::rules::transitions::step_after_failure],
        ["a_wrong_reason_is_replaced_by_a_legal_one_only"]
    ),
    row!(
        "A048",
        "A vague address needs a try to reach the customer first.",
        [crate::rules::contact::contact_need],
        ["a_vague_address_is_asked_about_first"]
    ),
    row!(
        "A049",
        "Delay, damage and loss are warned of before they are complained about.",
        [
            crate::rules::promise::predicted_late,
            crate::rules::remedy::warning_kind
        ],
        [
            "a_stop_that_will_be_late_is_seen_before_it_is",
            "a_report_without_its_photo_is_taken_and_the_photo_owed"
        ]
    ),
    row!(
        "A143",
        "Points name the event that earned them and go with its correction.",
        [crate::rules::kpi::Ledger],
        [
            "a_correction_takes_back_what_its_event_earned_and_shows_it",
            "the_ledger_knows_no_order"
        ]
    ),
    row!(
        "A146",
        "Stars are shown with every input; a person confirms a change.",
        [crate::rules::kpi::stars],
        ["stars_show_every_input_and_hold_nothing_unknown_against_the_courier"]
    ),
    row!(
        "A147",
        "Earnings are pieces times the star's unit price, in whole minor units.",
        [crate::rules::kpi::estimate],
        ["earnings_are_whole_fen_and_never_guessed"]
    ),
    row!(
        "A198",
        "A pickup is one check, two questions and three labels, none left out.",
        [crate::rules::pickup::judge],
        [
            "one_check_two_questions_and_three_labels_make_a_pickup",
            "nothing_is_accepted_half_done"
        ]
    ),
    row!(
        "A199",
        "The contents are looked at; prohibited goods are not taken.",
        [crate::rules::pickup::Contents],
        ["prohibited_goods_and_strangers_are_not_accepted_whatever_else_is_done"]
    ),
    row!(
        "A200",
        "The sender is asked how soon and what else; having no wish is an answer.",
        [crate::rules::pickup::Pickup],
        ["one_check_two_questions_and_three_labels_make_a_pickup"]
    ),
    row!(
        "A202",
        "No more than five layers: a hint at the load check, since nobody can scan a stack.",
        [crate::rules::load::stacking_hint],
        ["the_stacking_hint_names_five_layers"]
    ),
    row!(
        "A204",
        "Missorts are found at loading: scans of other rounds out of all scans.",
        [crate::rules::load::check],
        [
            "missing_missorted_and_surplus_parcels_are_told_apart",
            "a_missort_that_was_handed_back_still_counts_in_the_rate"
        ]
    ),
    row!(
        "A210",
        "Pickups and returns are stops of the same round.",
        [crate::rules::transitions::PARCEL_TABLE],
        [
            "nothing_is_delivered_before_it_was_collected",
            "from_every_state_a_parcel_can_still_come_to_an_end"
        ]
    ),
    row!(
        "A211",
        "Packaging taken back is counted, if the operator wants it; nothing depends on it.",
        [crate::rules::pickup::Pickup],
        ["packaging_taken_back_is_counted_and_never_asked_for"]
    ),
];
