//! The floor: the least outbox that keeps its promise. An attempt and its outbox row in one transaction,
//! a hundred of them in one JSON request with base64, a server that stores them by id with one flush a
//! request; and a route of JSON pages into one table.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::wire::{Line, Wire};
use super::{Measured, Start};
use crate::Failure;
use crate::record::Payload;

const BATCH: usize = 100;
const PAGE: usize = 1_000;

/// Pushes `attempts` and pulls `items`, over a line of its own.
pub(super) fn run(
    (client, server): (&Path, &Path),
    (attempts, ink_bytes): (usize, usize),
    items: &[Value],
    line: Line,
) -> Result<(Measured, Measured), Failure> {
    std::fs::create_dir_all(client)?;
    std::fs::create_dir_all(server)?;
    let wire = Wire::to(serve(server.join("floor.db"), items.to_vec())?, line)?;
    let agent = ureq::Agent::new_with_defaults();
    let pushed = push(client, &Payload::make(attempts, ink_bytes), &wire, &agent)?;
    let pulled = pull(client, &wire, &agent)?;
    Ok((pushed, pulled))
}

fn open(path: &Path) -> Result<Connection, Failure> {
    let conn = Connection::open(path)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch("PRAGMA synchronous = FULL")?;
    Ok(conn)
}

fn push(
    dir: &Path,
    payloads: &[Payload],
    wire: &Wire,
    agent: &ureq::Agent,
) -> Result<Measured, Failure> {
    let mut conn = open(&dir.join("outbox.db"))?;
    conn.execute_batch(
        "CREATE TABLE attempt (id TEXT PRIMARY KEY, record TEXT NOT NULL, signature BLOB NOT NULL);
         CREATE TABLE outbox (seq INTEGER PRIMARY KEY, id TEXT NOT NULL);",
    )?;
    let tx = conn.transaction()?;
    for payload in payloads {
        tx.execute(
            "INSERT INTO attempt VALUES (?1, ?2, ?3)",
            params![payload.id, payload.record, payload.signature],
        )?;
        tx.execute("INSERT INTO outbox (id) VALUES (?1)", [&payload.id])?;
    }
    tx.commit()?;
    let (before, start, mut requests) = (wire.traffic(), Start::now(), 0);
    loop {
        let mut select = conn.prepare_cached(
            "SELECT seq, record, signature FROM outbox JOIN attempt USING (id) ORDER BY seq LIMIT ?1",
        )?;
        let rows: Vec<(i64, String, Vec<u8>)> = select
            .query_map([i64::try_from(BATCH)?], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })?
            .collect::<Result<_, _>>()?;
        let Some((last, _, _)) = rows.last() else {
            break;
        };
        let list: Vec<Value> = rows
            .iter()
            .map(|(_, record, ink)| json!({"record": record, "signature": BASE64.encode(ink)}))
            .collect();
        let answer = agent
            .post(format!("{}/push", wire.url))
            .send(serde_json::to_vec(&list)?)?;
        if answer.status() != 200 {
            return Err("the floor's server refused".into());
        }
        answer.into_body().read_to_vec()?;
        requests += 1;
        conn.execute("DELETE FROM outbox WHERE seq <= ?1", [last])?;
    }
    Ok(Measured::new(start, wire.traffic().since(before), requests))
}

fn pull(dir: &Path, wire: &Wire, agent: &ureq::Agent) -> Result<Measured, Failure> {
    let before = wire.traffic();
    let (start, mut requests) = (Start::now(), 0);
    let mut conn = open(&dir.join("route.db"))?;
    conn.execute_batch("CREATE TABLE item (seq INTEGER PRIMARY KEY, data TEXT NOT NULL)")?;
    let mut after = 0_usize;
    loop {
        let mut answer = agent.get(format!("{}/pull/{after}", wire.url)).call()?;
        let page: Vec<Value> = serde_json::from_slice(&answer.body_mut().read_to_vec()?)?;
        requests += 1;
        let tx = conn.transaction()?;
        for item in &page {
            tx.prepare_cached("INSERT INTO item (data) VALUES (?1)")?
                .execute([item.to_string()])?;
        }
        tx.commit()?;
        after += page.len();
        if page.len() < PAGE {
            break;
        }
    }
    Ok(Measured::new(start, wire.traffic().since(before), requests))
}

fn serve(db: PathBuf, items: Vec<Value>) -> Result<SocketAddr, Failure> {
    let conn = open(&db)?;
    conn.execute_batch(
        "CREATE TABLE attempt (id TEXT PRIMARY KEY, record TEXT NOT NULL, signature BLOB NOT NULL)",
    )?;
    drop(conn);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (db, items) = (db.clone(), items.clone());
            std::thread::spawn(move || {
                let _ = answer(stream, &db, &items);
            });
        }
    });
    Ok(address)
}

fn answer(stream: TcpStream, db: &Path, items: &[Value]) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut conn = open(db)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = first.split(' ').nth(1).unwrap_or_default();
        let answer = match path.strip_prefix("/pull/") {
            Some(after) => {
                let after: usize = after.parse()?;
                let page: Vec<&Value> = items.iter().skip(after).take(PAGE).collect();
                serde_json::to_vec(&page)?
            }
            None => {
                store(&mut conn, &body)?;
                b"{}".to_vec()
            }
        };
        let mut out = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        out.reserve(answer.len());
        let mut out = out.into_bytes();
        out.extend(answer);
        writer.write_all(&out)?;
    }
}

fn store(conn: &mut Connection, body: &[u8]) -> Result<(), Failure> {
    let list: Vec<Value> = serde_json::from_slice(body)?;
    let tx = conn.transaction()?;
    for attempt in &list {
        let text = |name| attempt.get(name).and_then(Value::as_str).unwrap_or("");
        let record: Value = serde_json::from_str(text("record"))?;
        let id = record.get("id").and_then(Value::as_str).unwrap_or("");
        tx.prepare_cached("INSERT INTO attempt VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![
                id,
                text("record"),
                BASE64.decode(text("signature").as_bytes())?
            ])?;
    }
    tx.commit()?;
    Ok(())
}
