//! Migrations: numbered SQL files, each applied in one transaction with its version number.
//!
//! A file from a newer build is refused, never lowered. A migration is never edited once it has shipped.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, StoreError};

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001_init.sql"),
    include_str!("migrations/002_planning.sql"),
    include_str!("migrations/003_photos.sql"),
    include_str!("migrations/004_day.sql"),
    include_str!("migrations/005_thumbs.sql"),
    include_str!("migrations/006_one_row.sql"),
    include_str!("migrations/007_watch.sql"),
    include_str!("migrations/008_sync.sql"),
    include_str!("migrations/009_erasure.sql"),
    include_str!("migrations/010_doubt.sql"),
    include_str!("migrations/011_keys.sql"),
    include_str!("migrations/014_lease.sql"),
    include_str!("migrations/015_pins.sql"),
    include_str!("migrations/016_sync.sql"),
    include_str!("migrations/017_policy.sql"),
    include_str!("migrations/018_lost.sql"),
    include_str!("migrations/019_pace.sql"),
    include_str!("migrations/020_receipted_before.sql"),
    include_str!("migrations/021_unread.sql"),
    include_str!("migrations/022_past.sql"),
];

/// Newest schema version this build knows.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Brings the file to [`KNOWN`].
pub(crate) fn migrate(conn: &mut Connection) -> Result<()> {
    let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > KNOWN {
        return Err(StoreError::Newer {
            found,
            known: KNOWN,
        }
        .into());
    }
    let done = usize::try_from(found).map_err(|_| StoreError::BadRow("schema version"))?;
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", index as i64 + 1)?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::store::db::Db;
    use satchel_protocol::crypto::Secret32;

    #[test]
    fn a_store_of_a_newer_release_is_refused_and_keeps_its_version() {
        let home = tempfile::tempdir().unwrap();
        let open = || Db::open(home.path(), Secret32::new([1; 32]));
        let db = open().unwrap();
        db.write(|tx| Ok(tx.pragma_update(None, "user_version", KNOWN + 1)?))
            .unwrap();
        drop(db);
        for _ in 0..2 {
            match open() {
                Err(Error::Store(StoreError::Newer { found, known })) => {
                    assert_eq!((found, known), (KNOWN + 1, KNOWN));
                }
                other => panic!("{:?}", other.err()),
            }
        }
    }

    #[test]
    fn signatures_of_an_earlier_release_move_to_their_entries_with_what_receipts_said() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        for sql in &MIGRATIONS[..5] {
            conn.execute_batch(sql).unwrap();
        }
        conn.execute_batch(
            "PRAGMA user_version = 5;
             INSERT INTO stop (stop_id, route_id, position, lat, lng, address, recipient_name,
                 recipient_phone, version, raw) VALUES (x'01', x'02', 1, 0, 0, '', '', '', 1, '');
             INSERT INTO attempt (attempt_id, stop_id, handoff, data_key, opened_at_ms, completed_at_ms)
                 VALUES (x'0a', x'01', 'recipient', x'', 5, 6), (x'0b', x'01', 'recipient', x'', 7, 8);
             INSERT INTO entry (seq, hash, kind, header, sig, occurred_at_ms, received_at_ms) VALUES
                 (1, x'', 1, x'', x'', 1, 11), (2, x'', 2, x'', x'', 6, 12), (3, x'', 2, x'', x'', 8, NULL);
             INSERT INTO noted (subject, kind, seq) VALUES (x'01', 2, 2);
             INSERT INTO proof (attempt_id, hash, kind, size_bytes, captured_at_ms, bound_seq,
                 received_at_ms, in_folder, inline_bytes) VALUES
                 (x'0a', x'f1', 'signature', 3, 6, 2, 13, 0, x'aabbcc'),
                 (x'0b', x'f2', 'signature', 2, 8, 3, NULL, 0, x'ddee'),
                 (x'0b', x'f3', 'photo', 9, 8, 3, NULL, 1, NULL);",
        )
        .unwrap();
        migrate(&mut conn).unwrap();
        let rows = |sql: &str| -> Vec<String> {
            let mut stmt = conn.prepare(sql).unwrap();
            let rows = stmt.query_map([], |r| r.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        assert_eq!(
            rows("SELECT seq || ' ' || iif(attempt_id IS NULL, 'none', hex(attempt_id)) || ' ' || iif(ink IS NULL, 'none', hex(ink))
                  FROM entry ORDER BY seq"),
            ["1 none none", "2 0A AABBCC", "3 0B DDEE"]
        );
        assert_eq!(
            rows(
                "SELECT seq || ' ' || at_ms || ' ' || has_ink || ' ' || coalesce(ink_at_ms, '-')
                  FROM received ORDER BY seq"
            ),
            ["1 11 0 -", "2 12 1 13"]
        );
        assert_eq!(rows("SELECT kind FROM proof"), ["photo"]);
        assert!(rows("PRAGMA foreign_key_check").is_empty());
    }

    #[test]
    fn the_store_is_what_its_guarantees_say() {
        let home = tempfile::tempdir().unwrap();
        let db = Db::open(home.path(), Secret32::new([1; 32])).unwrap();
        let pragma = |conn: &Connection, name: &str| -> String {
            let value = conn.query_row(&format!("PRAGMA {name}"), [], |r| {
                r.get::<_, rusqlite::types::Value>(0)
            });
            format!("{:?}", value.unwrap())
        };
        db.write(|tx| {
            assert_eq!(pragma(tx, "journal_mode"), "Text(\"wal\")");
            assert_eq!(pragma(tx, "synchronous"), "Integer(2)", "FULL");
            assert_eq!(pragma(tx, "foreign_keys"), "Integer(1)");
            assert_eq!(pragma(tx, "temp_store"), "Integer(2)", "memory");
            assert_eq!(pragma(tx, "cipher"), "Text(\"sqlcipher\")");
            assert_eq!(pragma(tx, "hmac_check"), "Text(\"1\")");
            Ok(())
        })
        .unwrap();
        // Not one readable word of what is in it.
        db.write(|tx| {
            tx.execute("UPDATE phone SET label = 'readable-marker'", [])?;
            Ok(())
        })
        .unwrap();
        for file in std::fs::read_dir(home.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let hit = |word: &[u8]| bytes.windows(word.len()).any(|w| w == word);
            assert!(!hit(b"readable-marker") && !hit(b"CREATE TABLE"));
        }
    }
}
