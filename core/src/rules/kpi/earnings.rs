//! What the day has earned so far: pieces times unit price of the star, in whole minor units (A147).

use thiserror::Error;

use crate::rules::coded::coded;

coded! {
    /// What is paid for.
    pub enum PieceKind {
        Delivery = "DELIVERY", "派件", "Delivery";
        Pickup = "PICKUP", "揽件", "Pickup";
        Return = "RETURN", "退件", "Return";
    }
}

/// The operator's price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff {
    /// ISO 4217 code.
    pub currency: String,
    /// Unit price in minor units (fen, cent) by kind and star.
    pub prices: Vec<(PieceKind, u8, i64)>,
}

/// One line of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarningsLine {
    /// What.
    pub kind: PieceKind,
    /// How many.
    pub pieces: u64,
    /// At this price, minor units.
    pub unit_minor: i64,
    /// Product, minor units.
    pub amount_minor: i64,
}

/// An estimate; the operator's payroll decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earnings {
    /// ISO 4217 code.
    pub currency: String,
    /// By kind.
    pub lines: Vec<EarningsLine>,
    /// Sum, minor units.
    pub total_minor: i64,
}

/// Why there is no estimate. A wrong figure would be worse than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EarningsFault {
    /// The price list has no price, or two, for this kind and star.
    #[error("no single price for {} at {star} stars", .kind.code())]
    NoPrice {
        /// The kind.
        kind: PieceKind,
        /// The star.
        star: u8,
    },
    /// A price below zero, or a code that is no currency.
    #[error("the price list is not usable")]
    BadTariff,
    /// The amount does not fit.
    #[error("the amount is too large")]
    TooLarge,
}

/// Estimates what pieces earn at a star level.
///
/// # Errors
/// [`EarningsFault`]; amounts are checked, never wrapped or rounded.
pub fn estimate(
    pieces: &[(PieceKind, u64)],
    star: u8,
    tariff: &Tariff,
) -> Result<Earnings, EarningsFault> {
    let is_currency =
        tariff.currency.len() == 3 && tariff.currency.bytes().all(|b| b.is_ascii_uppercase());
    if !is_currency || tariff.prices.iter().any(|(_, _, price)| *price < 0) {
        return Err(EarningsFault::BadTariff);
    }
    let mut lines = Vec::with_capacity(pieces.len());
    let mut total_minor = 0i64;
    for (kind, count) in pieces.iter().copied().filter(|(_, count)| *count > 0) {
        let mut prices = tariff
            .prices
            .iter()
            .filter(|(k, s, _)| *k == kind && *s == star)
            .map(|(_, _, price)| *price);
        let (Some(unit_minor), None) = (prices.next(), prices.next()) else {
            return Err(EarningsFault::NoPrice { kind, star });
        };
        let amount_minor = i64::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(unit_minor))
            .ok_or(EarningsFault::TooLarge)?;
        total_minor = total_minor
            .checked_add(amount_minor)
            .ok_or(EarningsFault::TooLarge)?;
        lines.push(EarningsLine {
            kind,
            pieces: count,
            unit_minor,
            amount_minor,
        });
    }
    Ok(Earnings {
        currency: tariff.currency.clone(),
        lines,
        total_minor,
    })
}
