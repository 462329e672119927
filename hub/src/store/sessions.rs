//! Login links and sessions of the board. Only hashes are stored.

use satchel_protocol::ids::Hash32;
use sqlx::sqlite::SqlitePool;

use crate::db::Tx;
use crate::error::HubError;

pub(crate) async fn add_link(
    tx: &mut Tx,
    token_hash: &Hash32,
    expires_at_ms: i64,
) -> Result<(), HubError> {
    sqlx::query("INSERT INTO login_link (token_hash, expires_at_ms) VALUES (?, ?)")
        .bind(&token_hash.0[..])
        .bind(expires_at_ms)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Uses a link up. `false`: unknown, used or expired.
pub(crate) async fn use_link(
    tx: &mut Tx,
    token_hash: &Hash32,
    now_ms: i64,
) -> Result<bool, HubError> {
    let done = sqlx::query(
        "UPDATE login_link SET used_at_ms = ?1 \
         WHERE token_hash = ?2 AND used_at_ms IS NULL AND expires_at_ms >= ?1",
    )
    .bind(now_ms)
    .bind(&token_hash.0[..])
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn add_session(
    tx: &mut Tx,
    token_hash: &Hash32,
    now_ms: i64,
    expires_at_ms: i64,
) -> Result<(), HubError> {
    sqlx::query(
        "INSERT INTO board_session (token_hash, created_at_ms, expires_at_ms) VALUES (?, ?, ?)",
    )
    .bind(&token_hash.0[..])
    .bind(now_ms)
    .bind(expires_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) async fn session_is_valid(
    db: &SqlitePool,
    token_hash: &Hash32,
    now_ms: i64,
) -> Result<bool, HubError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM board_session WHERE token_hash = ? AND expires_at_ms >= ?)",
    )
    .bind(&token_hash.0[..])
    .bind(now_ms)
    .fetch_one(db)
    .await?)
}

pub(crate) async fn end_session(tx: &mut Tx, token_hash: &Hash32) -> Result<(), HubError> {
    sqlx::query("DELETE FROM board_session WHERE token_hash = ?")
        .bind(&token_hash.0[..])
        .execute(&mut **tx)
        .await?;
    Ok(())
}
