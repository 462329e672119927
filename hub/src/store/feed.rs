//! The feed's rows: what each courier's phones are told, in order.

use satchel_protocol::feed::{
    OtherRoundItem, RULE_SET, RegimeItem, RouteItem, StopItem, StopRemovedItem, TrafficItem,
};
use satchel_protocol::ids::{CourierId, DeviceId, ParcelId};
use serde::Serialize;
use serde_json::Value;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, SqliteConnection};

use crate::db::{RowExt, Tx};
use crate::error::HubError;

/// One stored item; `data` is JSON without rating keys.
#[derive(Debug)]
pub(crate) struct FeedRow {
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) data: String,
}

/// Appends an item to a courier's feed. An earlier item about the same thing is not sent any more.
pub(crate) async fn append(
    tx: &mut Tx,
    courier: CourierId,
    kind: &str,
    data: &impl Serialize,
) -> Result<(), HubError> {
    let unfit = |_| HubError::DamagedRow { what: "feed item" };
    let data = serde_json::to_value(data).map_err(unfit)?;
    let topic = topic(kind, &data);
    if topic.is_some() {
        sqlx::query(
            "UPDATE feed_item INDEXED BY feed_item_by_topic SET superseded = 1 \
             WHERE courier_id = ? AND topic = ? AND NOT superseded",
        )
        .bind(&courier.as_bytes()[..])
        .bind(&topic)
        .execute(&mut **tx)
        .await?;
    }
    sqlx::query(
        "INSERT INTO feed_item (courier_id, seq, kind, data, topic) \
         SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4 FROM feed_item WHERE courier_id = ?1",
    )
    .bind(&courier.as_bytes()[..])
    .bind(kind)
    .bind(data.to_string())
    .bind(topic)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO feed_news (courier_id, news) \
         SELECT ?1, coalesce(max(news), 0) + 1 FROM feed_news WHERE true \
         ON CONFLICT (courier_id) DO UPDATE SET news = excluded.news",
    )
    .bind(&courier.as_bytes()[..])
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What an item is about, where the last word about it is all that counts. Facts and words of people are not
/// replaced by later ones.
fn topic(kind: &str, data: &Value) -> Option<String> {
    let about = |kind: &str, field: &str| {
        let id = data.get(field)?.as_str()?;
        Some(about(kind, id))
    };
    match kind {
        RouteItem::KIND | OtherRoundItem::KIND => about(kind, "route_id"),
        StopItem::KIND | StopRemovedItem::KIND => about(StopItem::KIND, "stop_id"),
        RegimeItem::KIND => about(kind, "regime_id"),
        RULE_SET | TrafficItem::KIND => Some(kind.to_owned()),
        _ => None,
    }
}

/// The topic of items of `kind` about `id`.
pub(crate) fn about(kind: &str, id: &str) -> String {
    format!("{kind}:{id}")
}

/// Items behind `after` that still hold, in order.
pub(crate) async fn after(
    db: &SqlitePool,
    courier: CourierId,
    after: i64,
    limit: i64,
) -> Result<Vec<FeedRow>, HubError> {
    let rows = sqlx::query(
        "SELECT seq, kind, data FROM feed_item \
         WHERE courier_id = ? AND seq > ? AND NOT superseded ORDER BY seq LIMIT ?",
    )
    .bind(&courier.as_bytes()[..])
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(FeedRow {
                seq: row.try_get("seq")?,
                kind: row.try_get("kind")?,
                data: row.try_get("data")?,
            })
        })
        .collect()
}

/// The current epoch and where this courier's feed ends.
pub(crate) async fn end(
    conn: &mut SqliteConnection,
    courier: CourierId,
) -> Result<(i64, i64), HubError> {
    let row = sqlx::query(
        "SELECT epoch, (SELECT coalesce(max(seq), 0) FROM feed_item WHERE courier_id = ?) AS seq \
         FROM feed_epoch",
    )
    .bind(&courier.as_bytes()[..])
    .fetch_one(conn)
    .await?;
    Ok((row.try_get("epoch")?, row.try_get("seq")?))
}

/// Begins another history: every cursor given out so far leads to a snapshot from now on.
pub(crate) async fn begin_epoch(
    conn: &mut SqliteConnection,
    epoch: i64,
    now_ms: i64,
) -> Result<(), HubError> {
    sqlx::query("UPDATE feed_epoch SET epoch = ?, began_at_ms = ?")
        .bind(epoch)
        .bind(now_ms)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whose feed grew behind `news`, and up to where that looks.
pub(crate) async fn news_after(
    conn: &mut SqliteConnection,
    news: i64,
) -> Result<(Vec<CourierId>, i64), HubError> {
    let rows = sqlx::query("SELECT courier_id, news FROM feed_news WHERE news > ? ORDER BY news")
        .bind(news)
        .fetch_all(conn)
        .await?;
    let last = match rows.last() {
        Some(row) => row.try_get("news")?,
        None => news,
    };
    let couriers = rows.iter().map(|row| row.courier("courier_id"));
    Ok((couriers.collect::<Result<_, _>>()?, last))
}

/// Records that `device` was given the rating key of `parcel`. `false`: it had it before.
pub(crate) async fn assign(
    tx: &mut Tx,
    parcel: ParcelId,
    device: DeviceId,
    now_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "INSERT INTO assignment (parcel_id, device_id, served_at_ms) VALUES (?, ?, ?) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&parcel.as_bytes()[..])
    .bind(&device.as_bytes()[..])
    .bind(now_ms)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
