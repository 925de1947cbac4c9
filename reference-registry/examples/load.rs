//! Measures a registry over loopback; `docs/registry-storage.md` says how to read what it prints.
//!
//! ```text
//! cargo run --release -p assayer-reference-registry --example load -- all
//! cargo run --release -p assayer-reference-registry --example load -- register --url http://127.0.0.1:8765 --pid PID
//! ```

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a program for those who measure")]

#[path = "common/mod.rs"]
mod common;

use std::{
    fs,
    hint::black_box,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use ring::signature::Ed25519KeyPair;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use common::{Client, Issuer, Program, Server, post};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything, each with a registry of its own in a temporary directory
    All {
        /// Leaves of the large log
        #[arg(long, default_value_t = 1_000_000)]
        leaves: u64,
        /// Where the databases are created; fsync is that of this disk
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Registrations per second with 1, 8 and 64 clients
    Register {
        /// A registry that runs already, of any make, without a rate limit
        #[arg(long)]
        url: Option<String>,
        /// Its process, for the CPU time
        #[arg(long)]
        pid: Option<u32>,
        #[arg(long, default_value_t = 4000)]
        registrations: usize,
        #[arg(long, value_delimiter = ',', default_value = "1,8,64")]
        clients: Vec<usize>,
        /// Value of X-Forwarded-For, another one for each request, where a registry limits by it
        #[arg(long)]
        spread: bool,
    },
    /// Bundles, range, start and memory on a log of 1,000 leaves and on one of so many
    Log {
        #[arg(long, default_value_t = 1_000_000)]
        leaves: u64,
    },
    /// Clients that mean no good, and how others fare meanwhile
    Hostile {
        /// Connections that say nothing
        #[arg(long, default_value_t = 10_000)]
        idle: usize,
    },
    #[command(hide = true)]
    Serve {
        #[arg(long)]
        bind: SocketAddr,
        #[arg(long)]
        db: PathBuf,
    },
}

fn main() {
    match Arguments::parse().command {
        Command::Serve { bind, db } => common::serve(db, bind),
        Command::All { leaves, dir } => {
            if let Some(dir) = dir {
                tempfile::env::override_temp_dir(&dir).unwrap();
            }
            register_own(&[1, 8, 64], 4000);
            logs(leaves);
        }
        Command::Register { url: None, registrations, clients, .. } => register_own(&clients, registrations),
        Command::Register { url: Some(url), pid, registrations, clients, spread } => {
            let address = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
            register(address, pid, &clients, registrations, spread);
        }
        Command::Log { leaves } => logs(leaves),
        Command::Hostile { idle } => hostile(idle),
    }
}

fn register_own(clients: &[usize], registrations: usize) {
    let directory = tempfile::tempdir().unwrap();
    let server = Program::this().start(&directory.path().join("registry.sqlite")).unwrap();
    register(server.address, Some(server.child.id()), clients, registrations, false);
}

/// Closed loop: each client sends its next registration when it has the answer to the one before.
fn register(address: SocketAddr, pid: Option<u32>, clients: &[usize], registrations: usize, spread: bool) {
    println!(
        "POST /register, every registration durable before it is answered, new file each time, 2 beacons and 2 watermarks"
    );
    let mut alone = None;
    for &clients in clients {
        // One client alone would take long for as many.
        let each = (registrations / clients).clamp(1, 1000);
        let run = run_registrations(address, pid, clients, each, spread);
        let rate = (clients * each) as f64 / run.wall.as_secs_f64();
        let alone = *alone.get_or_insert(rate);
        let cpu = run
            .cpu
            .map_or_else(|| String::from("-"), |cpu| format!("{:.3}", cpu * 1e3 / (clients * each) as f64));
        println!(
            "  {clients:>3} clients: {rate:>8.0}/s ({:>4.1}x of one), CPU {cpu} ms each, p50 {:.2} ms, p99 {:.2} ms",
            rate / alone,
            run.percentile(50),
            run.percentile(99),
        );
    }
}

struct Run {
    wall: Duration,
    cpu: Option<f64>,
    times: Vec<Duration>,
}

impl Run {
    fn percentile(&self, percent: usize) -> f64 {
        self.times[(self.times.len() * percent / 100).min(self.times.len() - 1)].as_secs_f64() * 1e3
    }
}

fn run_registrations(
    address: SocketAddr,
    pid: Option<u32>,
    clients: usize,
    each: usize,
    spread: bool,
) -> Run {
    let run = Instant::now().elapsed().subsec_nanos() ^ std::process::id();
    let stamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let requests: Vec<Vec<Vec<u8>>> = (0..clients)
        .map(|client| {
            let issuer = Issuer::new([u8::try_from(client % 250).unwrap() + 1; 32]);
            (0..each)
                .map(|number| {
                    request(&issuer, &format!("{run:x}-{stamp:x}-{client}-{number}"), spread, number)
                })
                .collect()
        })
        .collect();
    let barrier = Arc::new(Barrier::new(clients + 1));
    let threads: Vec<_> = requests
        .into_iter()
        .map(|requests| {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                let mut client = Client::connect(address).unwrap();
                barrier.wait();
                requests.iter().map(|request| timed(&mut client, request)).collect::<Vec<_>>()
            })
        })
        .collect();
    let before = pid.and_then(cpu_seconds);
    barrier.wait();
    let start = Instant::now();
    let mut times: Vec<Duration> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let wall = start.elapsed();
    let cpu = pid.and_then(cpu_seconds).zip(before).map(|(after, before)| after - before);
    times.sort_unstable();
    Run { wall, cpu, times }
}

fn request(issuer: &Issuer, file_id: &str, spread: bool, number: usize) -> Vec<u8> {
    let mut request = post("/register", &issuer.registration(file_id, "report.txt").to_string());
    if spread {
        let field =
            format!("x-forwarded-for: 10.{}.{}.{}\r\n", number >> 16 & 255, number >> 8 & 255, number & 255);
        let end = b"POST /register HTTP/1.1\r\n".len();
        request.splice(end..end, field.into_bytes());
    }
    request
}

fn timed(client: &mut Client, request: &[u8]) -> Duration {
    let start = Instant::now();
    let (status, body) = client.exchange(request).unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    start.elapsed()
}

/// User and system time of a process so far, in seconds.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// Resident bytes of a process: now, and at most so far.
fn resident(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

const FILE: &str = "measured-file";

/// Leaves of the log that a large one is compared with.
const SMALL: u64 = 1000;

fn logs(leaves: u64) {
    let (small, large) = (log(SMALL), log(leaves));
    let times = |part: fn(&Bundle) -> f64| part(&large) / part(&small);
    println!(
        "the bundle on {leaves} leaves takes {:.2} times that on {SMALL}: its text is {:.2} times as long, its signature takes {:.2} times, the rest {:.2}",
        times(|bundle| bundle.took),
        times(|bundle| bundle.length as f64),
        times(|bundle| bundle.signing),
        times(|bundle| bundle.took - bundle.signing),
    );
}

/// A bundle: bytes, milliseconds from request to answer, and how many of them its signature takes.
struct Bundle {
    length: usize,
    took: f64,
    signing: f64,
}

/// Signs a text as long as a bundle, as the registry does: two passes of SHA-512 over it, and arithmetic that does not depend on it.
fn signing(length: usize) -> f64 {
    let (key, text) = (Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(), vec![b'0'; length]);
    let sign = |_| {
        let start = Instant::now();
        black_box(key.sign(black_box(&text)));
        start.elapsed()
    };
    let mut taken: Vec<Duration> = (0..300).map(sign).collect();
    taken.sort_unstable();
    taken[taken.len() / 2].as_secs_f64() * 1e3
}

fn log(leaves: u64) -> Bundle {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("registry.sqlite");
    let program = Program::this();
    fill(&program, &db, leaves);
    // Once to make the interior nodes, which a log that was written by hand has not.
    drop(program.start(&db).unwrap());
    let start = Instant::now();
    let server = program.start(&db).unwrap();
    let started = start.elapsed();
    let mut client = Client::connect(server.address).unwrap();
    let size = client.json("/tlog/head").unwrap()["size"].as_u64().unwrap();
    let (rss, _) = resident(server.child.id());
    println!("a log of {size} leaves, one file with 100 events spread over it");
    println!("  start until it listens: {:.3} s; resident then: {:.1} MiB", started.as_secs_f64(), mib(rss));
    thread::sleep(Duration::from_secs(1));
    measured(&mut client, &server, "GET /tlog/head", 2000, |_| String::from("/tlog/head"));
    measured(&mut client, &server, "GET /tlog/proof", 2000, |n| format!("/tlog/proof/{}", n * 7919 % size));
    let bundle = |_| format!("/evidence/{FILE}");
    let took = measured(&mut client, &server, "GET /evidence, 100 events", 300, bundle);
    let length = client.get(&bundle(0), "load").unwrap().1.len();
    let signing = signing(length);
    println!(
        "    of it the signature        p50 {signing:>7.3} ms, {:.0} MB/s twice over the text",
        2.0 * length as f64 / signing / 1e3
    );
    let pages = size.div_ceil(1000);
    measured(&mut client, &server, "GET /tlog/range?limit=1000", 300, |n| {
        format!("/tlog/range?start={}&limit=1000", n * 37 % pages * 1000)
    });
    let (rss, peak) = resident(server.child.id());
    println!("  resident after that: {:.1} MiB, at most {:.1} MiB", mib(rss), mib(peak));
    Bundle { length, took, signing }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Asks one request after another, and gives the median in milliseconds.
fn measured(
    client: &mut Client,
    server: &Server,
    what: &str,
    times: u64,
    target: impl Fn(u64) -> String,
) -> f64 {
    let (mut taken, mut bytes, cpu) = (Vec::new(), 0, cpu_seconds(server.child.id()).unwrap());
    for number in 0..times {
        let target = target(number);
        let start = Instant::now();
        let (status, body) = client.get(&target, "load").unwrap();
        taken.push(start.elapsed());
        assert_eq!(status, 200, "{target}: {}", String::from_utf8_lossy(&body));
        bytes += body.len();
    }
    let cpu = cpu_seconds(server.child.id()).unwrap() - cpu;
    let all: Duration = taken.iter().sum();
    taken.sort_unstable();
    let at = |percent: usize| taken[taken.len() * percent / 100].as_secs_f64() * 1e3;
    println!(
        "  {what:<28} p50 {:>7.3} ms, p10 {:>7.3}, p99 {:>7.3}, CPU {:>6.3} ms, body {:>8.1} kB, {:>6.0} MB/s",
        at(50),
        at(10),
        at(99),
        cpu * 1e3 / times as f64,
        bytes as f64 / 1e3 / times as f64,
        bytes as f64 / 1e6 / all.as_secs_f64(),
    );
    at(50)
}

/// A database as a registry would have written it: one file is registered, 100 of its beacon events are spread over the log, and
/// the other leaves are events of unknown tokens.
fn fill(program: &Program, db: &Path, leaves: u64) {
    let mut server = program.start(db).unwrap();
    let mut client = Client::connect(server.address).unwrap();
    let body = Issuer::new([9; 32]).registration(FILE, "report.txt").to_string();
    assert_eq!(client.post("/register", &body).unwrap().0, 200);
    server.kill().unwrap();
    let mut connection = Connection::open(db).unwrap();
    connection.execute_batch("DELETE FROM tlog_nodes").unwrap();
    let transaction = connection.transaction().unwrap();
    let every = (leaves / 100).max(1);
    for index in 1..leaves {
        let is_ours = index % every == every / 2 + 1;
        let leaf = event(index, is_ours);
        insert(&transaction, i64::try_from(index).unwrap(), is_ours, &leaf);
    }
    transaction.commit().unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

/// A leaf, and the row of its event.
fn insert(connection: &Connection, at: i64, is_ours: bool, leaf: &Value) {
    let bytes = serde_json_canonicalizer::to_vec(&leaf).unwrap();
    let hash: [u8; 32] = Sha256::new().chain_update([0]).chain_update(&bytes).finalize().into();
    connection
        .prepare_cached("INSERT INTO tlog (leaf_index, leaf_hash, leaf) VALUES (?1, ?2, ?3)")
        .unwrap()
        .execute(params![at, hash, bytes])
        .unwrap();
    let text = |name: &str| leaf[name].as_str().map(String::from);
    connection
        .prepare_cached(
            "INSERT INTO events (token_id, file_id, recipient_id, issuer_id, kind, source_ip, user_agent, extra, timestamp,
             qualified_timestamp, tlog_index) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '{}', 1750000000, ?8, ?9)",
        )
        .unwrap()
        .execute(params![
            text("token_id"),
            text("file_id"),
            text("recipient_id"),
            is_ours.then_some("issuer"),
            text("kind"),
            text("source_ip"),
            text("user_agent"),
            text("timestamp"),
            at
        ])
        .unwrap();
}

fn event(index: u64, is_ours: bool) -> Value {
    let token = if is_ours { format!("{FILE}-t1") } else { format!("unknown-{index:026}") };
    json!({
        "event": "beacon",
        "file_id": is_ours.then_some(FILE),
        "kind": "http_img",
        "recipient_id": is_ours.then_some("recipient"),
        "source_ip": "127.0.0.1",
        "timestamp": "2025-06-15T15:06:40Z",
        "token_id": token,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    })
}

fn hostile(idle: usize) {
    let directory = tempfile::tempdir().unwrap();
    let server = Program::this().start(&directory.path().join("registry.sqlite")).unwrap();
    let (address, pid) = (server.address, server.child.id());
    let fares = |what: &str| others_fare(address, pid, what);
    fares("nobody else");
    let silent: Vec<_> = (0..idle).map_while(|_| TcpStream::connect(address).ok()).collect();
    fares(&format!("{} connections that say nothing", silent.len()));
    drop(silent);
    let head = "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let half = format!("{head}content-length: 4000\r\n\r\n{{\"manifest\":");
    let halves = opened(address, 2000, half.as_bytes());
    fares(&format!("{} bodies sent by half", halves.len()));
    let mut slow = opened(address, 500, b"GET /health HTTP/1.1\r\nhost:");
    for _ in 0..3 {
        slow.iter_mut().for_each(|stream| drop(stream.write_all(b"x")));
        thread::sleep(Duration::from_secs(1));
    }
    fares(&format!("{} headers at one byte a second", slow.len()));
    let answer = flooded(address, &format!("{head}content-length: 100000000\r\n\r\n"), 100_000_000);
    fares(&format!("a body of 100 MB ({answer})"));
    let answer = flooded(address, "GET /health HTTP/1.1\r\nx: ", 100_000_000);
    fares(&format!("a header of 100 MB ({answer})"));
    let many: String = (0..100_000).map(|number| format!("x{number}: y\r\n")).collect();
    let answer = flooded(address, &format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 0);
    fares(&format!("100,000 header fields ({answer})"));
}

/// How 200 clients who ask for the health fare meanwhile, one after another.
fn others_fare(address: SocketAddr, pid: u32, what: &str) {
    let asked = |_| {
        let start = Instant::now();
        let mut client = Client::connect(address).unwrap();
        assert_eq!(client.get("/health", "load").unwrap().0, 200);
        start.elapsed()
    };
    let mut times: Vec<Duration> = (0..200).map(asked).collect();
    times.sort_unstable();
    let (rss, peak) = resident(pid);
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    println!(
        "  {what:<58} others: p50 {:>6.2} ms, max {:>7.2} ms; resident {:>5.1} MiB, at most {:>5.1}",
        ms(100),
        ms(199),
        mib(rss),
        mib(peak)
    );
}

/// Connections that have sent a beginning.
fn opened(address: SocketAddr, count: usize, beginning: &[u8]) -> Vec<TcpStream> {
    let one = || {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.write_all(beginning).ok().map(|()| stream)
    };
    (0..count).map_while(|_| one()).collect()
}

/// Sends a beginning and so many bytes more, as far as the registry takes them, and gives the first line of the answer.
fn flooded(address: SocketAddr, beginning: &str, bytes: usize) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let (mut sent, part) = (0, vec![b'a'; 1 << 16]);
    let mut goes_on = stream.write_all(beginning.as_bytes()).is_ok();
    while goes_on && sent < bytes {
        goes_on = stream.write_all(&part).is_ok();
        sent += part.len();
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or("closed").to_owned();
    format!("{line}, after {sent} bytes")
}
