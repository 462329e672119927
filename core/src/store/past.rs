//! Stops that leave the lists when their day is over, nothing is left to do there and the hub has everything.
//!
//! They stay on the phone and are found by id and by round; any change of one brings it back (triggers of
//! migration 22). Without this each list, each plan and each opening read every stop of every month.

use rusqlite::{Connection, params};
use satchel_protocol::ids::StopId;
use satchel_protocol::transitions::ParcelState;

use super::{entries, row, told};
use crate::error::Result;

/// Stops that leave the lists in one transaction. A day is less; a store that was kept by an earlier build, or a
/// phone that was handed months of rounds at once, takes several.
pub(crate) const AT_ONCE: usize = 1_000;

/// Whether nothing is left to do at the door for a parcel in this state.
pub(crate) const fn is_settled(state: ParcelState) -> bool {
    state.is_final()
        || matches!(
            state,
            ParcelState::AtPickupPoint | ParcelState::AtDepot | ParcelState::Cancelled
        )
}

/// Takes stops of days before `today` (`YYYY-MM-DD`) out of the lists, and brings back those that a wrong clock
/// took out. A stop at which an attempt was recorded after `recent_ms` stays, whatever its day: the courier has just
/// been there. Gives whether there may be more to do at once.
pub(crate) fn settle(writer: &Connection, today: &str, recent_ms: i64) -> Result<bool> {
    writer
        .prepare_cached(
            "UPDATE stop INDEXED BY stop_by_route SET version = next_version()
             WHERE past > 0 AND route_id IN (SELECT route_id FROM route WHERE service_date >= ?1)",
        )?
        .execute([today])?;
    told::forget_other_rounds(writer, today)?;
    let over = over(writer, today, recent_ms)?;
    let waits = entries::stops_waiting(writer)?;
    let mut moved = 0;
    for stop in over.iter().filter(|stop| !waits.contains(stop)) {
        moved += writer
            .prepare_cached(
                "UPDATE stop SET past = next_version(), planned = NULL WHERE stop_id = ?1",
            )?
            .execute([stop.as_bytes()])?;
    }
    Ok(over.len() == AT_ONCE && moved > 0)
}

/// Listed stops of days before `today` at which nothing is left to do.
fn over(conn: &Connection, today: &str, recent_ms: i64) -> Result<Vec<StopId>> {
    let settled: String = ParcelState::ALL
        .iter()
        .filter(|state| is_settled(**state))
        .map(|state| format!("|{}|", state.code()))
        .collect();
    let mut stmt = conn.prepare_cached(
        "SELECT s.stop_id AS stop_id FROM route r JOIN stop s INDEXED BY stop_listed USING (route_id)
         WHERE s.past = 0 AND r.service_date < ?1
             AND (s.removed <> 0 OR NOT EXISTS (
                 SELECT 1 FROM parcel p WHERE p.stop_id = s.stop_id
                     AND instr(?2, '|' || p.state || '|') = 0))
             AND NOT EXISTS (
                 SELECT 1 FROM attempt a WHERE a.stop_id = s.stop_id
                     AND a.completed_at_ms IS NULL AND a.kind = 'visit')
             AND NOT EXISTS (
                 SELECT 1 FROM parcel p CROSS JOIN entry e ON e.seq = p.last_seq
                 WHERE p.stop_id = s.stop_id AND e.occurred_at_ms > ?4)
         LIMIT ?3",
    )?;
    let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let mut rows = stmt.query(params![today, settled, most, recent_ms])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(StopId(row::uuid(r, "stop_id")?));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::Db;
    use crate::store::stops;
    use satchel_protocol::crypto::Secret32;

    const TODAY: &str = "2026-11-21";

    /// A store with a round yesterday and one today, a stop and a parcel of each state in both.
    fn store() -> (tempfile::TempDir, Db) {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path(), Secret32::new([1; 32])).unwrap();
        db.write(|tx| {
            for (route, date) in [(1, "2026-11-20"), (2, TODAY)] {
                tx.execute(
                    "INSERT INTO route (route_id, name, service_date, raw) VALUES (?1, ?2, ?2, '{}')",
                    params![id(route, 0), date],
                )?;
                for (n, state) in (1..).zip(ParcelState::ALL) {
                    tx.execute(
                        "INSERT INTO stop (stop_id, route_id, position, lat, lng, address, recipient_name,
                             recipient_phone, version, raw)
                         VALUES (?1, ?2, ?3, 37.5, 121.4, '', '', '', next_version(), '{}')",
                        params![id(route, n), id(route, 0), n],
                    )?;
                    tx.execute(
                        "INSERT INTO parcel (parcel_id, stop_id, waybill, handle, rating_key, promise_class,
                             promised_by_ms, accepted_at_ms, tags, door_required, state, version)
                         VALUES (?1, ?1, 'W', zeroblob(16), zeroblob(32), 'same_city', 0, 0, '', 0, ?2,
                             next_version())",
                        params![id(route, n), state.code()],
                    )?;
                }
            }
            Ok(())
        })
        .unwrap();
        (home, db)
    }

    fn id(route: u8, n: u8) -> [u8; 16] {
        let mut bytes = [0; 16];
        (bytes[0], bytes[1]) = (route, n);
        bytes
    }

    fn listed(db: &Db) -> Vec<StopId> {
        let rows = db.read(stops::stops).unwrap();
        rows.into_iter().map(|row| row.stop_id).collect()
    }

    #[test]
    fn only_what_is_settled_and_of_a_day_before_leaves_the_lists() {
        let (_home, db) = store();
        let all = ParcelState::ALL.len();
        assert!(!db.write(|tx| settle(tx, TODAY, 0)).unwrap());
        let settled = ParcelState::ALL.iter().filter(|s| is_settled(**s)).count();
        assert!(settled > 0 && settled < all);
        assert_eq!(listed(&db).len(), 2 * all - settled);
        // A clock that is a day fast takes today's out too; the right one brings them back and no others.
        db.write(|tx| settle(tx, "2026-11-22", 0)).unwrap();
        assert_eq!(listed(&db).len(), 2 * (all - settled));
        db.write(|tx| settle(tx, TODAY, 0)).unwrap();
        assert_eq!(listed(&db).len(), 2 * all - settled);
    }

    #[test]
    fn a_store_full_of_months_is_laid_aside_in_steps_and_an_open_handoff_stays() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path(), Secret32::new([1; 32])).unwrap();
        let stops = AT_ONCE + 5;
        db.write(|tx| {
            tx.execute_batch(&format!(
                "INSERT INTO route (route_id, name, service_date, raw) VALUES (zeroblob(16), 'R', '2026-11-20', '');
                 WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < {stops})
                 INSERT INTO stop (stop_id, route_id, position, lat, lng, address, recipient_name,
                     recipient_phone, version, raw)
                 SELECT unhex(printf('%032x', n)), zeroblob(16), n, 0, 0, '', '', '', n, '' FROM more;
                 INSERT INTO attempt (attempt_id, stop_id, handoff, data_key, opened_at_ms)
                     SELECT stop_id, stop_id, 'recipient', x'', 1 FROM stop WHERE position = 3;"
            ))?;
            Ok(())
        })
        .unwrap();
        assert!(db.write(|tx| settle(tx, TODAY, 0)).unwrap());
        assert!(!db.write(|tx| settle(tx, TODAY, 0)).unwrap());
        assert_eq!(listed(&db).len(), 1, "somebody stands at that door");
    }
}
