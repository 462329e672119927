//! Personal data as the board and the customer's pages show it: masked (A038, GB/T 41833).
//!
//! The standard hides at least one character of the name, six digits of the telephone number and the
//! unit or door of the address. In doubt more is hidden.

/// Hides all of a name but its first character.
pub(crate) fn name(full: &str) -> String {
    match full.trim().chars().next() {
        Some(first) => format!("{first}**"),
        None => String::new(),
    }
}

/// Hides at least six digits of a telephone number, or all of a short one.
pub(crate) fn phone(full: &str) -> String {
    let digits: Vec<char> = full.chars().filter(char::is_ascii_digit).collect();
    let shown = digits.len().saturating_sub(6).min(5);
    let tail = shown.min(2);
    let head = shown - tail;
    digits
        .iter()
        .enumerate()
        .map(|(i, d)| {
            if i < head || i >= digits.len() - tail {
                *d
            } else {
                '*'
            }
        })
        .collect()
}

/// Words after which a Chinese address names a building, unit or door.
const UNIT_WORDS: [&str; 7] = ["单元", "室", "栋", "幢", "座", "楼", "户"];
const NUMERALS: &str = "零〇一二三四五六七八九十百";
/// A street name is at least this long; an address that begins with its number is masked otherwise.
const MIN_STREET_CHARS: usize = 4;

/// Hides the number, unit and door of an address and keeps the way to the street.
pub(crate) fn address(full: &str) -> String {
    let full = full.trim();
    let digit = full.find(char::is_numeric);
    let unit = UNIT_WORDS.iter().filter_map(|w| full.find(w)).min();
    let cut = digit.into_iter().chain(unit).min();
    let street = cut.and_then(|at| full.get(..at)).unwrap_or(full);
    let street = street.trim_end_matches(|c: char| NUMERALS.contains(c) || c == '-' || c == ' ');
    if cut.is_none() {
        return full.to_owned();
    }
    if street.chars().count() >= MIN_STREET_CHARS {
        return format!("{street}***");
    }
    // "12 Main St, Apt 5": the number comes first, so cut behind the street and star the digits.
    let street = full.split(',').next().unwrap_or_default();
    let starred: String = street
        .chars()
        .map(|c| if c.is_numeric() { '*' } else { c })
        .collect();
    format!("{starred}***")
}

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
    fn a_name_keeps_one_character() {
        assert_eq!(name("王小明"), "王**");
        assert_eq!(name("欧阳"), "欧**");
        assert_eq!(name(""), "");
    }

    #[test]
    fn at_least_six_digits_of_a_phone_are_hidden() {
        assert_eq!(phone("13812345678"), "138******78");
        assert_eq!(phone("+86 138-1234-5678"), "861********78");
        assert_eq!(phone("12345"), "*****");
        for n in 0..20 {
            let full: String = std::iter::repeat_n('7', n).collect();
            let hidden = phone(&full).chars().filter(|c| *c == '*').count();
            assert!(hidden >= n.min(6), "{n}");
        }
    }

    #[test]
    fn an_address_never_shows_number_unit_or_door() {
        assert_eq!(
            address("山东省烟台市芝罘区南大街12号3单元502室"),
            "山东省烟台市芝罘区南大街***"
        );
        assert_eq!(
            address("烟台市莱山区滨海路阳光小区三单元五零二室"),
            "烟台市莱山区滨海路阳光小区***"
        );
        assert_eq!(address("12 Main St, Apt 5"), "** Main St***");
        assert_eq!(address("Baker Street 221B"), "Baker Street***");
        assert_eq!(address("人民广场"), "人民广场");
    }

    #[test]
    fn customers_see_the_courier_s_short_form() {
        assert_eq!(courier("王强", true), "王师傅");
        assert_eq!(courier("Wang Qiang", false), "W.");
        assert_eq!(waybill_tail("YT0814000123"), "0123");
    }
}
