//! What the examples share: an HTTP client over one connection, registrations that are signed beforehand, and a registry in a
//! process of its own.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// A connection that is kept open.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream: BufReader::with_capacity(64 * 1024, stream) })
    }

    pub(crate) fn get(&mut self, target: &str, agent: &str) -> io::Result<(u16, Vec<u8>)> {
        self.exchange(
            format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nuser-agent: {agent}\r\n\r\n").as_bytes(),
        )
    }

    pub(crate) fn json(&mut self, target: &str) -> io::Result<Value> {
        let (status, body) = self.get(target, "campaign")?;
        match status {
            200 => serde_json::from_slice(&body).map_err(io::Error::other),
            _ => Err(io::Error::other(format!(
                "{target}: status {status}: {}",
                String::from_utf8_lossy(&body)
            ))),
        }
    }

    pub(crate) fn post(&mut self, target: &str, body: &str) -> io::Result<(u16, Vec<u8>)> {
        self.exchange(&post(target, body))
    }

    /// Sends a request and reads its answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.stream.get_mut().write_all(request)?;
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
                status = rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            } else if let Some((name, value)) = text.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }
}

/// A POST request of a JSON body.
pub(crate) fn post(target: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A key that signs manifests.
pub(crate) struct Issuer(Ed25519KeyPair);

impl Issuer {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
    }

    /// The body of a registration with two beacons and two watermarks, whose ids begin with that of the file.
    pub(crate) fn registration(&self, file_id: &str, filename: &str) -> Value {
        let mut manifest = json!({
            "beacons": [
                {"kind": "dns", "token_id": format!("{file_id}-t1")},
                {"kind": "http", "token_id": format!("{file_id}-t2")},
            ],
            "canonical_content_hash": "ab".repeat(32),
            "content_hash": "ab".repeat(32),
            "content_type": "text/plain",
            "file_id": file_id,
            "issued_at": 1_750_000_000,
            "issuer_ed25519_pub": hex::encode(self.0.public_key()),
            "issuer_id": "issuer",
            "l3_policy": {},
            "original_filename": filename,
            "policy": {"jurisdiction": "GLOBAL"},
            "recipient": {"recipient_id": "recipient", "x25519_pub": "cd".repeat(32)},
            "signature_ed25519": "",
            "signature_ml_dsa": "",
            "size_bytes": 4096,
            "suite": "OSGT-CLASSIC-v1",
            "version": "OVERSIGHT-v1",
            "watermarks": [
                {"layer": "L1_zero_width", "mark_id": format!("{file_id}-m1")},
                {"layer": "L2_whitespace", "mark_id": format!("{file_id}-m2")},
            ],
        });
        let signed = serde_json_canonicalizer::to_vec(&manifest).unwrap();
        manifest["signature_ed25519"] = json!(hex::encode(self.0.sign(&signed)));
        let list = |name: &str| manifest[name].clone();
        json!({"beacons": list("beacons"), "watermarks": list("watermarks"), "manifest": manifest})
    }
}

/// How to start a registry in a process of its own.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// Arguments before `--bind` and `--db`.
    pub(crate) arguments: Vec<String>,
}

impl Program {
    /// This program itself, which serves when its first argument says so.
    pub(crate) fn this() -> Self {
        Self { path: std::env::current_exe().unwrap(), arguments: vec![String::from("serve")] }
    }

    pub(crate) fn command(&self, db: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).args(["--bind", "127.0.0.1:0", "--db"]).arg(db);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Starts a registry and waits until it listens.
    pub(crate) fn start(&self, db: &Path) -> io::Result<Server> {
        Server::of(self.command(db))
    }
}

/// A registry in a process of its own, killed when it is dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn of(mut command: Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("listening on http://").and_then(|text| text.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                drop(child.kill());
                let status = child.wait()?;
                Err(io::Error::other(format!("the registry did not start: {status}")))
            }
        }
    }

    /// SIGKILL, at whatever it is.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.kill());
    }
}

/// What `serve` does: the registry of this build, as the program starts it.
pub(crate) fn serve(db: PathBuf, bind: SocketAddr) {
    use assayer_reference_registry::{DataLocation, Options, start};
    let data_dir = db.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let data = DataLocation::Files { db, data_dir };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let running = start(Options { bind, data, ..Options::ephemeral() }).await.unwrap();
        println!("listening on {}", running.url());
        tokio::signal::ctrl_c().await.unwrap();
        running.stop().await;
    });
}
