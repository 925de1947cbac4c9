//! No secret in any output of any command; no secret to anybody but the target.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use crate::{Server, assayer, code};

const TOKEN: &str = "operator-Hush/7+q";
const DNS: &str = "dns-Hush=8&z";
const SECRETS: [(&str, &str); 2] = [("OVERSIGHT_OPERATOR_TOKEN", TOKEN), ("OVERSIGHT_DNS_EVENT_SECRET", DNS)];

/// A server that gives one answer to everything, and what it was asked: heads and bodies.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    /// In: the whole answer to what was asked, given the number of the request.
    pub(crate) fn start(answer: impl Fn(usize, &str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let written = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = one(stream, &answer, &written);
            }
        });
        Self { address, heard }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

fn one(
    stream: TcpStream,
    answer: &impl Fn(usize, &str) -> String,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut asked, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        asked.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.push_str(&String::from_utf8_lossy(&body));
    let number = heard.lock().map(|heard| heard.len()).unwrap_or(0);
    let text = answer(number, &asked);
    let _ = heard.lock().map(|mut heard| heard.push(asked));
    reader.into_inner().write_all(text.as_bytes())
}

/// An answer with header fields, each with its line end.
pub(crate) fn answer(status: u16, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// Everything that was said and written, to be searched.
#[derive(Default)]
struct Said {
    texts: Vec<(String, Vec<u8>)>,
    commands: BTreeSet<String>,
}

impl Said {
    fn run(&mut self, arguments: &[&str]) -> Output {
        let output = assayer(arguments).envs(SECRETS).output().unwrap();
        self.commands.insert(arguments[0].to_owned());
        for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            self.texts.push((format!("{stream} of {arguments:?}"), bytes.clone()));
        }
        output
    }

    fn files(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(&path);
            } else {
                self.texts.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }

    /// Fails where a secret stands, as it is, in hexadecimal, as in a URL, or in base64.
    fn has_no_secret(&self) {
        for secret in [TOKEN, DNS] {
            let in_url: String = secret.bytes().fold(String::new(), |text, byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => text + &char::from(byte).to_string(),
                _ => text + &format!("%{byte:02X}"),
            });
            let in_base64 = {
                use base64ct::Encoding;
                base64ct::Base64::encode_string(secret.as_bytes())
            };
            for form in [secret.to_owned(), hex::encode(secret), in_url, in_base64] {
                let finder = memchr::memmem::Finder::new(&form);
                for (name, bytes) in &self.texts {
                    assert!(finder.find(bytes).is_none(), "{name} has {form}");
                }
            }
        }
    }
}

/// The commands, as the program lists them.
fn commands() -> BTreeSet<String> {
    let help = assayer(&["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn no_command_writes_a_secret_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let registry = Server::start(&["--no-rate-limit", "--data-dir", &path("data")], &SECRETS);
    let echo = Listener::start(|_, asked| {
        let hex = hex::encode(asked);
        answer(200, &format!("X-Heard: {}\r\n", asked.replace(['\r', '\n'], " ")), &format!("{asked}{hex}"))
    });
    let (registry, echo) = (registry.url.as_str(), echo.url());
    let mut said = Said::default();
    let only = ["--only", "*dns*", "--only", "register*", "--only", "*token*", "--only", "evidence-*"];
    let checked = said.run(
        &[&["check", "--rate", "1000", "--url", registry, "--out", &path("archive")], &only[..]].concat(),
    );
    assert!(code(&checked) < 2, "{}", String::from_utf8_lossy(&checked.stderr));
    said.run(&[&["check", "--rate", "1000", "--url", &echo, "--out", &path("echo")], &only[..]].concat());
    said.run(&[&["check", "--rate", "1000", "--url", &echo, "--format", "json"], &only[..]].concat());
    said.run(&["check", "--url", &format!("http://x:{TOKEN}@127.0.0.1:9")]);
    said.run(&["recheck", &path("archive")]);
    said.run(&["recheck", &path("echo"), "--format", "json"]);
    said.run(&["baseline", "update", &path("archive"), "--baseline", &path("baseline.yaml")]);
    let burn_in = [
        "burn-in",
        "--rate",
        "1000",
        "--url",
        registry,
        "--hours",
        "0.0003",
        "--interval",
        "1",
        "--no-migration",
    ];
    said.run(
        &[&burn_in[..], &["--edition", "0.4.7", "--mode", "read-only", "--out", &path("burn-in")]].concat(),
    );
    said.run(&["list", "--json"]);
    said.run(&["verify", &path("archive"), "--format", "json"]);
    said.run(&["prove", "consistency", &path("data")]);
    said.run(&["canon", &path("archive/report.json")]);
    said.run(&["selftest", "--only", "head-signature-empty", "--matrix", &path("matrix.json")]);
    said.run(&["serve", "--bind", "no address"]);
    for command in commands() {
        if command != "help" && !said.commands.contains(&command) {
            said.run(&[command.as_str()]);
        }
    }
    said.files(folder.path());
    assert!(
        said.texts.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("Bearer (secret)")),
        "no token was sent"
    );
    said.has_no_secret();
}

#[test]
fn a_redirect_takes_no_secret_and_no_request_to_another_origin() {
    let elsewhere = Listener::start(|_, _| answer(200, "", "{}"));
    for status in [301, 302, 303, 307, 308] {
        let to = elsewhere.url();
        let target = Listener::start(move |_, asked| {
            let path = asked.split(' ').nth(1).unwrap_or("/").to_owned();
            answer(status, &format!("Location: {to}{path}\r\n"), "")
        });
        let mut command =
            assayer(&["check", "--url", &target.url(), "--only", "register*", "--only", "health-200"]);
        let output = command.envs(SECRETS).output().unwrap();
        assert_eq!(code(&output), 1, "{status}");
        let heard = target.heard.lock().unwrap();
        assert!(
            heard.iter().any(|asked| asked.contains(TOKEN)),
            "{status}: the target itself gets the token"
        );
    }
    assert_eq!(elsewhere.count(), 0, "{:?}", elsewhere.heard.lock().unwrap());
}
