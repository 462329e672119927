//! Imports into the database, and the files the hub will not touch.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Bench, Phone, csv, mapping};
use satchel_hub::{Hub, HubConfig, HubError, ImportOptions};

fn couriers(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    let bench = Bench::new().await;
    let first = bench.import(30, &["王强"]).await;
    assert_eq!(
        (first.rows_read, first.new_parcels, first.known_parcels),
        (30, 30, 0)
    );
    let mut phone = Phone::enrolled(&bench, "王强", 1).await;
    let before = phone.pull(&bench, "", 500).await;
    let audit = bench.hub.audit().await.unwrap();

    let second = bench.import(30, &["王强", "李娜"]).await;
    assert_eq!((second.new_parcels, second.known_parcels), (0, 30));
    assert_eq!(phone.pull(&bench, "", 500).await, before);
    assert_eq!(bench.hub.audit().await.unwrap(), audit);

    // More rows of the same day: only the new ones come down.
    let third = bench.import(33, &["王强"]).await;
    assert_eq!((third.new_parcels, third.known_parcels), (3, 30));
    let news = phone.pull(&bench, &before.cursor, 500).await;
    assert_eq!(news.items.iter().filter(|i| i.kind == "stop").count(), 3);
    assert_eq!(bench.hub.audit().await.unwrap().parcels.len(), 33);
}

#[tokio::test]
async fn a_dry_run_reports_and_writes_nothing() {
    let bench = Bench::new().await;
    let options = ImportOptions {
        dry_run: true,
        ..ImportOptions::default()
    };
    let text = format!("{}BAD,95,200,x,,,\n", csv(5));
    let report = bench
        .hub
        .import(text.as_bytes(), &mapping(), &options)
        .await
        .unwrap();
    assert_eq!(
        (report.rows_read, report.rows_rejected, report.new_parcels),
        (6, 1, 5)
    );
    assert!(report.errors.iter().all(|e| e.starts_with("row 7")) && !report.errors.is_empty());
    assert!(report.dry_run);
    let audit = bench.hub.audit().await.unwrap();
    assert!(audit.parcels.is_empty());
    let real = bench.import(5, &["王强"]).await;
    assert_eq!(real.new_parcels, 5);
}

#[tokio::test]
async fn rounds_go_to_the_named_couriers_in_turn_and_to_nobody_else() {
    let bench = Bench::new().await;
    let options = ImportOptions {
        group: Some("single,max=10".parse().unwrap()),
        couriers: couriers(&["王强", "李娜"]),
        dry_run: false,
    };
    let report = bench
        .hub
        .import(csv(40).as_bytes(), &mapping(), &options)
        .await
        .unwrap();
    assert!(report.rounds.len() >= 4);
    let mut phones = [
        Phone::enrolled(&bench, "王强", 1).await,
        Phone::enrolled(&bench, "李娜", 2).await,
    ];
    let mut total = 0;
    for (phone, name) in phones.iter_mut().zip(["王强", "李娜"]) {
        let stops = phone.pull_stops(&bench).await.len();
        let planned: usize = report
            .rounds
            .iter()
            .filter(|r| r.courier.as_deref() == Some(name))
            .map(|r| r.stops)
            .sum();
        assert!(stops > 0);
        assert_eq!(stops, planned);
        total += stops;
    }
    assert_eq!(total, 40);

    let nobody = ImportOptions::default();
    let refused = bench
        .hub
        .import(csv(41).as_bytes(), &mapping(), &nobody)
        .await;
    assert!(matches!(refused, Err(HubError::NoCourier)));
    let html = bench
        .hub
        .import(b"<html>login</html>", &mapping(), &options)
        .await;
    assert!(matches!(html, Err(HubError::Import(_))));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let (bench, mut phone, stops) = Bench::with_round(2).await;
    let entry = phone.delivery(&stops[0], &[]);
    phone
        .push_entries(&bench, &[entry])
        .await
        .receipt(&bench, &phone);
    let (audit, key) = (bench.hub.audit().await.unwrap(), bench.hub.public_key());
    bench.hub.close().await;
    let Bench { dir, .. } = bench;
    let bench = Bench::in_dir(dir).await;
    assert_eq!(bench.hub.audit().await.unwrap(), audit);
    assert_eq!(bench.hub.public_key(), key);
    let next = phone.delivery(&stops[1], &[]);
    assert_eq!(
        phone
            .push_entries(&bench, &[next])
            .await
            .receipt(&bench, &phone)
            .head_seq,
        2
    );
}

#[tokio::test]
async fn foreign_damaged_and_newer_databases_are_left_as_they_are() {
    let open = |dir: &std::path::Path| Hub::open(HubConfig::new(dir, common::PUBLIC_URL));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hub.db");
    std::fs::write(
        &file,
        b"this is no database at all, but long enough to look at",
    )
    .unwrap();
    assert!(matches!(
        open(dir.path()).await,
        Err(HubError::ForeignDatabase)
    ));

    std::fs::remove_file(&file).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true);
    let db = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE theirs (x)")
        .execute(&db)
        .await
        .unwrap();
    db.close().await;
    let before = std::fs::read(&file).unwrap();
    assert!(matches!(
        open(dir.path()).await,
        Err(HubError::ForeignDatabase)
    ));
    assert_eq!(std::fs::read(&file).unwrap(), before);

    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("hub.db"));
    let db = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999, 'later', true, x'00', 1)",
    )
    .execute(&db)
    .await
    .unwrap();
    db.close().await;
    assert!(matches!(
        open(dir.path()).await,
        Err(HubError::NewerDatabase { found: 999 })
    ));
}
