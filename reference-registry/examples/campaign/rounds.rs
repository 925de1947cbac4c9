//! Rounds of a campaign: a registry under load meets an accident, is started again, and must have everything that it acknowledged.

use std::{
    collections::HashMap,
    fs, io,
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use assayer_reference_registry::Defect;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::common::{Client, Issuer, Program, Server};

/// Clients that write at the same moment.
const WRITERS: u64 = 6;

/// What happens to a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Accident {
    /// SIGKILL at a random moment.
    Kill,
    /// The process ends at a step between request and answer; the number counts steps.
    CrashAt(&'static str),
    /// A step answers with an error for a while, and then the process is killed.
    FailAt(&'static str),
    /// No file may grow beyond a bound; then SIGKILL.
    DiskFull,
    /// Nothing can be written for a while, as on a disk that turned read-only; then SIGKILL.
    ReadOnly,
    /// A registry with a defect, killed like the others: what a campaign must notice.
    Seeded(Defect),
    /// SIGKILL; then bytes that no commit wrote stand at the end of the write-ahead log.
    TornWal,
    /// SIGKILL; then the write-ahead log ends within a transaction that was not acknowledged, or a bit of it is flipped.
    CutWal,
}

impl Accident {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Kill => String::from("kill -9 at a random moment"),
            Self::CrashAt(step) => format!("crash at step {step}"),
            Self::FailAt(step) => format!("errors at step {step}, kill -9"),
            Self::DiskFull => String::from("disk full, kill -9"),
            Self::ReadOnly => String::from("read-only disk for a while, kill -9"),
            Self::Seeded(defect) => format!("seeded defect {}, kill -9", defect.name()),
            Self::TornWal => String::from("kill -9, garbage behind the write-ahead log"),
            Self::CutWal => String::from("kill -9, write-ahead log cut behind the last acknowledgement"),
        }
    }
}

/// What was acknowledged.
#[derive(Default)]
pub(crate) struct Acknowledged {
    /// Manifest signature and index of each file.
    files: HashMap<String, (String, u64)>,
    /// File of each event, by the user agent that is its own, and the index that the log must hold it before.
    events: HashMap<String, String>,
    /// Size and root of heads.
    heads: HashMap<u64, String>,
    /// Bytes of the write-ahead log after an acknowledgement, while it grew only.
    wal: u64,
    pub(crate) refused: u64,
}

impl Acknowledged {
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        (self.files.len(), self.events.len(), self.heads.len())
    }
}

/// Numbers that look random and can be repeated (SplitMix64).
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// A database through its accidents.
pub(crate) struct Campaign {
    program: Program,
    db: PathBuf,
    acknowledged: Arc<Mutex<Acknowledged>>,
    round: u64,
}

/// Why a round failed.
pub(crate) type Failure = String;

impl Campaign {
    pub(crate) fn new(program: Program, directory: &Path) -> Self {
        Self { program, db: directory.join("registry.sqlite"), acknowledged: Arc::default(), round: 0 }
    }

    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        self.acknowledged.lock().unwrap().counts()
    }

    /// One accident, one restart, and a look at everything. Gives how often the registry acknowledged.
    pub(crate) fn round(&mut self, accident: Accident, dice: &mut Dice) -> Result<usize, Failure> {
        self.round += 1;
        let before = self.counts();
        let mut server =
            Server::of(self.command(accident, dice)).map_err(|error| format!("start: {error}"))?;
        self.suffer(accident, &mut server, dice).map_err(|error| format!("load: {error}"))?;
        self.damage(accident, dice).map_err(|error| format!("damage: {error}"))?;
        let mut server = self.program.start(&self.db).map_err(|error| format!("restart: {error}"))?;
        let outcome = self.examine(server.address);
        server.kill().map_err(|error| error.to_string())?;
        outcome?;
        let after = self.counts();
        Ok(after.0 + after.1 - before.0 - before.1)
    }

    fn command(&self, accident: Accident, dice: &mut Dice) -> std::process::Command {
        let mut command = self.program.command(&self.db);
        let after = dice.next(60);
        match accident {
            Accident::CrashAt(step) => {
                command.env("FAILPOINTS", format!("{step}={after}*off->1*panic"));
            }
            Accident::FailAt(step) => {
                command.env("FAILPOINTS", format!("{step}={after}*off->10*return->off"));
            }
            Accident::DiskFull => {
                let largest = fs::metadata(&self.db).map_or(0, |found| found.len());
                let bytes = largest.max(self.wal_bytes()) + 200_000 + dice.next(400_000);
                command = limited(command, &bytes.to_string());
            }
            Accident::ReadOnly => command = limited(command, "unlimited"),
            // Where the answer comes early, the commit comes late enough for a kill to fall between the two.
            Accident::Seeded(defect) => {
                let name = defect.name();
                let steps = "nodes-written=sleep(10);rows-written=10*off->5*return->off";
                command.env("FAILPOINTS", format!("{name}=return;{steps}"));
            }
            Accident::Kill | Accident::TornWal | Accident::CutWal => {}
        }
        command
    }

    fn suffer(&self, accident: Accident, server: &mut Server, dice: &mut Dice) -> io::Result<()> {
        let (address, round) = (server.address, self.round);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (known, wal) = (Arc::clone(&self.acknowledged), self.wal_path());
                let name = format!("r{round}w{writer}");
                thread::spawn(move || write_until_it_dies(address, &name, &known, &wal))
            })
            .collect();
        let known = Arc::clone(&self.acknowledged);
        let reader = thread::spawn(move || read_heads_until_it_dies(address, &known));
        let moment = Duration::from_millis(20 + dice.next(200));
        match accident {
            Accident::CrashAt(_) => wait_for_crash(server, Duration::from_secs(20))?,
            Accident::ReadOnly => {
                thread::sleep(moment);
                outlives_a_read_only_disk(server)?;
                server.kill()?;
            }
            Accident::Kill
            | Accident::FailAt(_)
            | Accident::Seeded(_)
            | Accident::DiskFull
            | Accident::TornWal
            | Accident::CutWal => {
                thread::sleep(moment);
                server.kill()?;
            }
        }
        for thread in writers.into_iter().chain([reader]) {
            thread.join().map_err(|_| io::Error::other("a client panicked"))?;
        }
        Ok(())
    }

    fn wal_path(&self) -> PathBuf {
        let mut name = self.db.as_os_str().to_owned();
        name.push("-wal");
        PathBuf::from(name)
    }

    fn wal_bytes(&self) -> u64 {
        fs::metadata(self.wal_path()).map_or(0, |found| found.len())
    }

    /// What a loss of power can leave of writes that were not on disk yet.
    fn damage(&self, accident: Accident, dice: &mut Dice) -> io::Result<()> {
        let wal = self.wal_path();
        let Ok(mut bytes) = fs::read(&wal) else { return Ok(()) };
        let acknowledged = usize::try_from(self.acknowledged.lock().unwrap().wal).unwrap_or(usize::MAX);
        match accident {
            Accident::TornWal => {
                let tail: Vec<u8> = match dice.next(2) {
                    0 => (0..dice.next(20_000)).map(|_| u8::try_from(dice.next(256)).unwrap_or(0)).collect(),
                    _ => bytes
                        .iter()
                        .skip(32)
                        .take(usize::try_from(dice.next(20_000)).unwrap_or(0))
                        .copied()
                        .collect(),
                };
                bytes.extend(tail);
            }
            Accident::CutWal if bytes.len() > acknowledged => {
                let behind = acknowledged
                    + usize::try_from(dice.next((bytes.len() - acknowledged) as u64)).unwrap_or(0);
                match dice.next(2) {
                    0 => bytes.truncate(behind),
                    _ => bytes[behind] ^= 1 << dice.next(8),
                }
            }
            _ => return Ok(()),
        }
        fs::write(&wal, bytes)
    }

    /// Everything acknowledged must be there, whole, in one growing log.
    fn examine(&self, address: SocketAddr) -> Result<(), Failure> {
        let io_error = |error: io::Error| error.to_string();
        let mut client = Client::connect(address).map_err(io_error)?;
        let head = client.json("/tlog/head").map_err(io_error)?;
        let size = head["size"].as_u64().ok_or("the head has no size")?;
        let leaves = leaves(&mut client, size)?;
        let known = self.acknowledged.lock().map_err(|error| error.to_string())?;
        is_one_log(&leaves, &head, &known.heads)?;
        self.has_nothing_by_halves(&leaves)?;
        for (file_id, (signature, index)) in &known.files {
            let leaf = usize::try_from(*index).ok().and_then(|index| leaves.get(index));
            let is_its_leaf =
                leaf.is_some_and(|leaf| leaf["event"] == "register" && leaf["file_id"] == **file_id);
            if !is_its_leaf {
                return Err(format!("registration of {file_id} at {index} was acknowledged and is lost"));
            }
            let _ = signature;
        }
        let agents: std::collections::HashSet<&str> =
            leaves.iter().filter_map(|leaf| leaf["user_agent"].as_str()).collect();
        match known.events.keys().find(|agent| !agents.contains(agent.as_str())) {
            Some(agent) => Err(format!("event of {agent} was acknowledged and is lost")),
            None => self.has_the_bundles(&mut client, &known),
        }
    }

    /// Bundles of some files: manifest, rows and proofs together.
    fn has_the_bundles(&self, client: &mut Client, known: &Acknowledged) -> Result<(), Failure> {
        let newest = format!("r{}w", self.round);
        for (file_id, (signature, _)) in
            known.files.iter().filter(|(file_id, _)| file_id.starts_with(&newest)).take(20)
        {
            let bundle = client.json(&format!("/evidence/{file_id}")).map_err(|error| error.to_string())?;
            let events = bundle["events"].as_array().map_or(0, Vec::len);
            let expected = known.events.values().filter(|owner| *owner == file_id).count();
            let is_whole = bundle["manifest"]["signature_ed25519"] == **signature
                && bundle["beacons"].as_array().map(Vec::len) == Some(2)
                && bundle["watermarks"].as_array().map(Vec::len) == Some(2)
                && events >= expected
                && bundle["tlog_proofs"].as_array().map(Vec::len) == Some(events);
            if !is_whole {
                return Err(format!(
                    "the bundle of {file_id} is not whole: {expected} events expected, {events} found"
                ));
            }
        }
        Ok(())
    }

    /// Rows and leaves say the same: each leaf has its row and each row its leaf.
    fn has_nothing_by_halves(&self, leaves: &[Value]) -> Result<(), Failure> {
        let text = |error: rusqlite::Error| error.to_string();
        let connection = Connection::open(&self.db).map_err(text)?;
        let count = |statement: &str| -> Result<i64, Failure> {
            connection.query_row(statement, [], |row| row.get(0)).map_err(text)
        };
        let of = |event: &str| {
            i64::try_from(leaves.iter().filter(|leaf| leaf["event"] == event).count()).unwrap_or(-1)
        };
        let pairs = [
            (
                "integrity",
                count("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'")?,
                0,
            ),
            ("events", count("SELECT count(*) FROM events")?, of("beacon")),
            ("indexes of events", count("SELECT count(DISTINCT tlog_index) FROM events")?, of("beacon")),
            ("registrations", count("SELECT count(*) FROM registrations")?, of("register")),
            (
                "manifests",
                count("SELECT count(*) FROM manifests")?,
                count("SELECT count(DISTINCT file_id) FROM registrations")?,
            ),
            ("beacons", count("SELECT count(*) FROM beacons")?, 2 * count("SELECT count(*) FROM manifests")?),
            (
                "watermarks",
                count("SELECT count(*) FROM watermarks")?,
                2 * count("SELECT count(*) FROM manifests")?,
            ),
        ];
        match pairs.into_iter().find(|(_, found, expected)| found != expected) {
            Some((what, found, expected)) => Err(format!("{what}: expected {expected}, found {found}")),
            None => Ok(()),
        }
    }
}

/// The same command with a bound on the size of files, beyond which writes fail as they do on a full disk. The signal that would
/// end the process is ignored.
fn limited(command: std::process::Command, bytes: &str) -> std::process::Command {
    let script = "trap '' XFSZ; bytes=$1; shift; exec prlimit --fsize=\"$bytes\" -- \"$@\"";
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", script, "sh", bytes]).arg(command.get_program()).args(command.get_args());
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    limited
}

/// While nothing can be written, what was written is read, and nothing is acknowledged; afterwards the registry goes on.
fn outlives_a_read_only_disk(server: &Server) -> io::Result<()> {
    let allow = |bytes: &str| {
        let pid = server.child.id().to_string();
        let status = std::process::Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}:")])
            .status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("prlimit failed")) }
    };
    let issuer = Issuer::new([8; 32]);
    let mut client = Client::connect(server.address)?;
    let registers = |client: &mut Client, name: &str| -> io::Result<u16> {
        let file_id = format!("{name}-{}", server.child.id());
        client
            .post("/register", &issuer.registration(&file_id, "report.txt").to_string())
            .map(|(status, _)| status)
    };
    allow("0")?;
    let refused = registers(&mut client, "read-only")?;
    let head = client.json("/tlog/head");
    allow("unlimited")?;
    let accepted = registers(&mut client, "writable")?;
    match (refused, head, accepted) {
        (500, Ok(_), 200) => Ok(()),
        (refused, head, accepted) => Err(io::Error::other(format!(
            "expected 500, a head, and 200 afterwards; found {refused}, {head:?}, {accepted}"
        ))),
    }
}

fn wait_for_crash(server: &mut Server, patience: Duration) -> io::Result<()> {
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Some(status) = server.child.try_wait()? {
            return match status.signal() {
                Some(6) => Ok(()),
                _ => Err(io::Error::other(format!("expected an abort, found {status}"))),
            };
        }
        thread::sleep(Duration::from_millis(2));
    }
    Err(io::Error::other("the step was never reached"))
}

/// Registers files and opens their beacons, one after another, and writes down what was acknowledged.
fn write_until_it_dies(address: SocketAddr, name: &str, known: &Mutex<Acknowledged>, wal: &Path) {
    let Ok(mut client) = Client::connect(address) else { return };
    let issuer = Issuer::new([7; 32]);
    let mut gone = 0;
    for number in 0_u64.. {
        let file_id = format!("{name}f{number}");
        let body = issuer.registration(&file_id, "report.txt");
        let agent = format!("{file_id}-agent");
        let registered = client.post("/register", &body.to_string());
        let opened = match registered {
            Ok((200, answer)) => {
                let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
                let signature = body["manifest"]["signature_ed25519"].as_str().unwrap_or_default().to_owned();
                let index = answer["tlog_index"].as_u64().unwrap_or(u64::MAX);
                let mut known = known.lock().unwrap();
                known.files.insert(file_id.clone(), (signature, index));
                known.wal = known.wal.max(fs::metadata(wal).map_or(0, |found| found.len()));
                drop(known);
                client.get(&format!("/p/{file_id}-t1.png"), &agent)
            }
            other => other,
        };
        match opened {
            Ok((200, _)) => {
                let mut known = known.lock().unwrap();
                known.events.insert(agent, file_id);
                known.wal = known.wal.max(fs::metadata(wal).map_or(0, |found| found.len()));
            }
            Ok(_) => known.lock().unwrap().refused += 1,
            Err(_) => {
                gone += 1;
                match Client::connect(address) {
                    Ok(again) if gone < 100 => client = again,
                    _ => return,
                }
            }
        }
    }
}

fn read_heads_until_it_dies(address: SocketAddr, known: &Mutex<Acknowledged>) {
    let Ok(mut client) = Client::connect(address) else { return };
    while let Ok(head) = client.json("/tlog/head") {
        if let (Some(size), Some(root)) = (head["size"].as_u64(), head["root"].as_str()) {
            known.lock().unwrap().heads.insert(size, root.to_owned());
        }
        thread::sleep(Duration::from_millis(3));
    }
}

/// Every leaf, out of pages, each contiguous and hashed again.
fn leaves(client: &mut Client, size: u64) -> Result<Vec<Value>, Failure> {
    let mut leaves = Vec::new();
    while (leaves.len() as u64) < size {
        let start = leaves.len();
        let page = client
            .json(&format!("/tlog/range?start={start}&limit=1000"))
            .map_err(|error| error.to_string())?;
        let entries =
            page["entries"].as_array().filter(|entries| !entries.is_empty()).ok_or("an empty page")?;
        for entry in entries {
            if entry["index"] != json!(leaves.len()) {
                return Err(format!("the log has a gap at {}", leaves.len()));
            }
            let bytes =
                entry["leaf_data_hex"].as_str().and_then(|text| hex::decode(text).ok()).unwrap_or_default();
            if entry["leaf_hash"] != hex::encode(hash(0, &[&bytes])) {
                return Err(format!("leaf {} does not hash to its hash", leaves.len()));
            }
            leaves.push(serde_json::from_slice(&bytes).map_err(|error| error.to_string())?);
        }
    }
    Ok(leaves)
}

fn hash(prefix: u8, parts: &[&[u8]]) -> [u8; 32] {
    let start = Sha256::new().chain_update([prefix]);
    parts.iter().fold(start, |hash, part| hash.chain_update(part)).finalize().into()
}

/// The head is that of the leaves, and each older head that of the first of them.
fn is_one_log(leaves: &[Value], head: &Value, older: &HashMap<u64, String>) -> Result<(), Failure> {
    let mut peaks: Vec<(u32, [u8; 32])> = Vec::new();
    let mut roots = HashMap::from([(0, hex::encode(Sha256::digest(b"")))]);
    for (size, leaf) in (1_u64..).zip(leaves) {
        let bytes = serde_json_canonicalizer::to_vec(leaf).map_err(|error| error.to_string())?;
        peaks.push((0, hash(0, &[&bytes])));
        while let [.., (one, left), (other, right)] = *peaks.as_slice()
            && one == other
        {
            peaks.truncate(peaks.len() - 2);
            peaks.push((one + 1, hash(1, &[&left, &right])));
        }
        if older.contains_key(&size) || size == leaves.len() as u64 {
            let root =
                peaks.iter().rev().map(|(_, hash)| *hash).reduce(|right, left| hash(1, &[&left, &right]));
            roots.insert(size, root.map(hex::encode).unwrap_or_default());
        }
    }
    if roots.get(&(leaves.len() as u64)).map(String::as_str) != head["root"].as_str() {
        return Err(String::from("the head is not that of the leaves"));
    }
    match older.iter().find(|(size, root)| roots.get(size) != Some(root)) {
        Some((size, _)) => {
            Err(format!("the head of {size} leaves that was served before is no prefix of the log"))
        }
        None => Ok(()),
    }
}
