//! What the operator decided about one courier: training, prices, stars, points, radii, photos and what they may cost.

use satchel_protocol::feed::CourierItem;
use thiserror::Error;

use crate::error::HubError;
use crate::hub::Hub;
use crate::store::{couriers, feed};

/// Why settings are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingFault {
    /// Nothing is set.
    #[error("nothing to set")]
    Empty,
    /// The training ends before it was passed.
    #[error("the training ends before it was passed")]
    Training,
    /// A currency that is not three capital letters, or a piece that is none.
    #[error("a tariff needs an ISO 4217 currency and pieces DELIVERY, PICKUP or RETURN")]
    Tariff,
    /// A star outside 1 to 5.
    #[error("stars go from 1 to 5")]
    Star,
    /// Radii that are not 0 < inside <= extended <= 10 km.
    #[error("radii need 0 < inside <= extended, in metres")]
    Radii,
    /// Photo targets that make no usable photo.
    #[error(
        "photos need a long side of 640 to 4096 pixels, 20 KB to 4 MB, and qualities from 1 to 95"
    )]
    Photos,
}

const MAX_RADIUS_M: f64 = 10_000.0;

impl Hub {
    /// Sets what is given and tells the courier; what is left out stays as it is.
    ///
    /// # Errors
    /// [`HubError::UnknownCourier`], [`HubError::Setting`].
    pub async fn set_courier(&self, name: &str, item: &CourierItem) -> Result<(), HubError> {
        check(item)?;
        let mut tx = self.db().write().await?;
        let courier = couriers::courier_by_name(&mut tx, name.trim())
            .await?
            .ok_or(HubError::UnknownCourier)?;
        let held: Option<String> =
            sqlx::query_scalar("SELECT item FROM courier_setting WHERE courier_id = ?")
                .bind(&courier.as_bytes()[..])
                .fetch_optional(&mut *tx)
                .await?;
        let damaged = |_| HubError::DamagedRow {
            what: "courier setting",
        };
        let held: CourierItem = match held {
            Some(json) => serde_json::from_str(&json).map_err(damaged)?,
            None => CourierItem::default(),
        };
        let whole = serde_json::to_string(&merged(held, item)).map_err(damaged)?;
        sqlx::query(
            "INSERT INTO courier_setting (courier_id, item) VALUES (?1, ?2) \
             ON CONFLICT (courier_id) DO UPDATE SET item = ?2",
        )
        .bind(&courier.as_bytes()[..])
        .bind(whole)
        .execute(&mut *tx)
        .await?;
        feed::append(&mut tx, courier, CourierItem::KIND, item).await?;
        Ok(tx.commit().await?)
    }
}

fn merged(held: CourierItem, new: &CourierItem) -> CourierItem {
    let new = new.clone();
    CourierItem {
        training: new.training.or(held.training),
        tariff: new.tariff.or(held.tariff),
        stars: new.stars.or(held.stars),
        star_level: new.star_level.or(held.star_level),
        points: new.points.or(held.points),
        radii: new.radii.or(held.radii),
        photos: new.photos.or(held.photos),
        photos_on_metered: new.photos_on_metered.or(held.photos_on_metered),
    }
}

fn check(item: &CourierItem) -> Result<(), SettingFault> {
    if *item == CourierItem::default() {
        return Err(SettingFault::Empty);
    }
    if item
        .training
        .is_some_and(|t| t.valid_until_ms <= t.passed_at_ms)
    {
        return Err(SettingFault::Training);
    }
    let star = |s: u8| (1..=5).contains(&s);
    if item.star_level.is_some_and(|s| !star(s)) {
        return Err(SettingFault::Star);
    }
    if let Some(tariff) = &item.tariff {
        let currency =
            tariff.currency.len() == 3 && tariff.currency.bytes().all(|b| b.is_ascii_uppercase());
        let piece = |p: &str| matches!(p, "DELIVERY" | "PICKUP" | "RETURN");
        if !currency || !tariff.prices.iter().all(|p| piece(&p.piece)) {
            return Err(SettingFault::Tariff);
        }
        if !tariff.prices.iter().all(|p| star(p.star)) {
            return Err(SettingFault::Star);
        }
    }
    let fits = |r: satchel_protocol::feed::RadiiItem| {
        r.inside_m > 0.0 && r.inside_m <= r.extended_m && r.extended_m <= MAX_RADIUS_M
    };
    if item.radii.is_some_and(|r| !fits(r)) {
        return Err(SettingFault::Radii);
    }
    if item.photos.is_some_and(|photos| !photos.is_valid()) {
        return Err(SettingFault::Photos);
    }
    Ok(())
}
