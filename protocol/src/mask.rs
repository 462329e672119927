//! Masked views of personal data (A038, GB/T 41833-2022): a name hides all but its first character, a
//! phone number at least six digits, an address its unit and room.

/// Hides all but the first character of a name.
#[must_use]
pub fn name(name: &str) -> String {
    let mut chars = name.trim().chars();
    match (chars.next(), chars.next()) {
        (None, _) => String::new(),
        (Some(_), None) => "*".to_owned(),
        (Some(first), Some(_)) => format!("{first}*"),
    }
}

/// Hides at least six digits of a phone number; short numbers are hidden whole.
#[must_use]
pub fn phone(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 8 {
        return "*".repeat(digits.len());
    }
    let tail = if digits.len() >= 11 { 2 } else { 1 };
    let head = digits.len().saturating_sub(6 + tail).min(3);
    let hidden = digits.len() - head - tail;
    let head: String = digits.iter().take(head).collect();
    let tail: String = digits.iter().skip(digits.len() - tail).collect();
    format!("{head}{}{tail}", "*".repeat(hidden))
}

/// Hides unit and room and keeps the way to the building.
///
/// In a Chinese address every number is hidden but those that name a building or a street (588号, 2栋,
/// 3号楼): people write rooms with and without 室. Otherwise what follows "unit", "room" and their like
/// is hidden.
#[must_use]
pub fn address(address: &str) -> String {
    let chars: Vec<char> = address.chars().collect();
    let hidden = if chars.iter().any(|c| ('\u{4e00}'..='\u{9fff}').contains(c)) {
        chinese_numbers(&chars)
    } else {
        western_units(&chars)
    };
    chars
        .iter()
        .zip(hidden)
        .map(|(c, hide)| if hide { '*' } else { *c })
        .collect()
}

fn chinese_numbers(chars: &[char]) -> Vec<bool> {
    const INNER: [&str; 4] = ["单元", "室", "房", "户"];
    const KEEPERS: &str = "号栋幢座弄巷路街道区期村组里环楼大";
    let mut hidden = vec![false; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        let end = run_end(chars, at);
        if end == at {
            at += 1;
            continue;
        }
        let run = chars.iter().take(end).skip(at);
        let has_digit = run.clone().any(|c| c.is_numeric());
        let after: String = chars
            .iter()
            .skip(end)
            .filter(|c| **c != ' ')
            .take(2)
            .collect();
        let inner = INNER.iter().any(|word| after.starts_with(word));
        let keeps = after.chars().next().is_some_and(|c| KEEPERS.contains(c));
        if inner || (has_digit && !keeps) {
            hidden
                .iter_mut()
                .take(end)
                .skip(at)
                .for_each(|flag| *flag = true);
        }
        at = end;
    }
    hidden
}

fn western_units(chars: &[char]) -> Vec<bool> {
    const BEFORE_NUMBER: [&str; 6] = ["unit", "room", "apt", "suite", "flat", "#"];
    let mut hidden = vec![false; chars.len()];
    for at in 0..chars.len() {
        let rest: String = chars.iter().skip(at).take(6).collect();
        let lower = rest.to_ascii_lowercase();
        let before = at.checked_sub(1).and_then(|i| chars.get(i));
        let starts_word = before.is_none_or(|c| !c.is_ascii_alphabetic());
        if let Some(word) = BEFORE_NUMBER
            .iter()
            .find(|w| lower.starts_with(**w) && starts_word)
        {
            let mut from = at + word.len();
            while chars
                .get(from)
                .is_some_and(|c| matches!(c, ' ' | '.' | ':'))
            {
                from += 1;
            }
            let end = run_end(chars, from);
            hidden
                .iter_mut()
                .take(end)
                .skip(from)
                .for_each(|flag| *flag = true);
        }
    }
    hidden
}

/// Where the run of number characters that starts at `from` ends.
fn run_end(chars: &[char], from: usize) -> usize {
    chars
        .iter()
        .enumerate()
        .skip(from)
        .find(|(_, c)| !is_number_part(**c))
        .map_or(chars.len(), |(at, _)| at)
}

fn is_number_part(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c == '-'
        || c.is_numeric()
        || "一二三四五六七八九十零〇".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn masked_forms_are_those_of_the_standard() {
        assert_eq!(name("张三丰"), "张*");
        assert_eq!(name("李"), "*");
        assert_eq!(phone("13812345612"), "138******12");
        assert_eq!(phone("0535-6212345"), "053******45");
        assert_eq!(phone("110"), "***");
        assert_eq!(
            address("港城东大街588号3单元1201室"),
            "港城东大街588号*单元****室"
        );
        assert_eq!(address("云雀小区 2 栋 304"), "云雀小区 2 栋 ***");
        assert_eq!(address("三里屯SOHO B座1201"), "三里屯SOHO B座****");
        assert_eq!(
            address("5 Harbour Road, Room 12B, Unit 3"),
            "5 Harbour Road, Room ***, Unit *"
        );
    }

    proptest! {
        #[test]
        fn a_masked_phone_hides_at_least_six_digits_or_all(p in "[0-9]{0,15}") {
            let masked = phone(&p);
            let shown = masked.chars().filter(char::is_ascii_digit).count();
            prop_assert!(shown == 0 || p.len() - shown >= 6);
        }

        #[test]
        fn a_masked_name_shows_at_most_one_character(n in "\\PC{0,12}") {
            prop_assert!(name(&n).chars().filter(|c| *c != '*').count() <= 1);
        }

        #[test]
        fn no_address_panics_and_room_numbers_never_survive(a in "\\PC{0,30}", room in "[0-9]{3,4}") {
            let _ = address(&a);
            for with_room in [format!("光明路{room}室"), format!("光明路8号楼{room}"), format!("光明路 {room}")] {
                prop_assert!(!address(&with_room).contains(&room));
            }
        }
    }
}
