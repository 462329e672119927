//! What a customer's page shows instead of a whole waybill number and a courier's full name. Names,
//! telephone numbers and addresses of recipients are masked by the protocol crate, as on the phone.

/// The last four characters of a waybill number, enough for a customer to know the parcel.
pub(crate) fn waybill_tail(waybill: &str) -> String {
    let count = waybill.chars().count();
    waybill.chars().skip(count.saturating_sub(4)).collect()
}

/// What a customer reads instead of the courier's name: 王师傅, or an initial.
pub(crate) fn courier(full: &str, chinese_page: bool) -> String {
    let Some(first) = full.trim().chars().next() else {
        return String::new();
    };
    match (first.is_ascii(), chinese_page) {
        (false, true) => format!("{first}师傅"),
        (true, true) => format!("{first}. 师傅"),
        (_, false) => format!("{first}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_see_the_courier_s_short_form_and_the_end_of_the_waybill() {
        assert_eq!(courier("王强", true), "王师傅");
        assert_eq!(courier("Wang Qiang", false), "W.");
        assert_eq!(waybill_tail("YT0814000123"), "0123");
        assert_eq!(waybill_tail("12"), "12");
    }
}
