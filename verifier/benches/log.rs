//! Replaying a log beside hashing the same leaves and nodes with `sha2` alone.
//!
//! `cargo bench -p assayer-verifier --bench log`
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a bench"
)]

mod common;

use std::hint::black_box;
use std::sync::LazyLock;

use assayer_verifier::oversight::{LogPart, LogVerifier};
use assayer_verifier::{Document, GrowingTree, Limits, TreeHead, Verdict, leaf_hash};
use common::{medians, ratio};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const COUNT: usize = 20_000;
/// As `assayer verify` hands them on.
const BLOCK: usize = 1 << 17;

struct Corpus {
    name: &'static str,
    /// What each leaf hash is over, and each node.
    leaves: Vec<Vec<u8>>,
    nodes: Vec<[u8; 65]>,
    /// Lines, cut into blocks of whole lines, each with the number of its first.
    blocks: Vec<(u64, Vec<u8>)>,
    lines: Vec<String>,
    head: TreeHead,
}

static CORPORA: LazyLock<Vec<Corpus>> = LazyLock::new(|| {
    vec![
        // As the later registries write them, as the earliest does, with a member that is not known, and with one that only
        // the strict reader takes.
        Corpus::new("with-hex", |record, leaf| record["leaf_data_hex"] = hex(leaf).into()),
        Corpus::new("text-only", |_, _| {}),
        Corpus::new("unknown", |record, leaf| {
            record["leaf_data_hex"] = hex(leaf).into();
            record["stored_at"] = json!(1_795_196_772);
        }),
        Corpus::new("nested", |record, leaf| {
            record["leaf_data_hex"] = hex(leaf).into();
            record["stored"] = json!({"at": 1_795_196_772});
        }),
    ]
});

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn leaf(n: usize) -> Vec<u8> {
    let event = json!({
        "event": "beacon", "file_id": format!("e008bfab-9116-43e0-83c8-{n:012x}"), "kind": "http_img",
        "recipient_id": "reader@registry.example", "source_ip": format!("203.0.113.{}", n % 256),
        "timestamp": format!("2026-01-01T{:02}:{:02}:{:02}Z", n / 3_600 % 24, n / 60 % 60, n % 60),
        "token_id": format!("{:032x}", n as u128 * 0x9E37_79B9_7F4A_7C15), "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    });
    serde_jcs::to_vec(&event).unwrap()
}

impl Corpus {
    fn new(name: &'static str, change: impl Fn(&mut Value, &[u8])) -> Self {
        let mut tree = GrowingTree::new();
        let mut lines = Vec::new();
        let (mut leaves, mut stack, mut nodes) = (Vec::new(), Vec::<[u8; 32]>::new(), Vec::new());
        for index in 0..COUNT {
            let bytes = leaf(index);
            let hash = leaf_hash(&bytes);
            let text = String::from_utf8(bytes.clone()).unwrap();
            let mut record = json!({"index": index, "leaf_hash": hash.to_hex(), "leaf_data": text});
            change(&mut record, &bytes);
            lines.push(format!("{record}\n"));
            tree.push(hash);
            let mut top = hash.0;
            for _ in 0..index.trailing_ones() {
                let node: [u8; 65] = [&[1][..], &stack.pop().unwrap(), &top].concat().try_into().unwrap();
                top = Sha256::digest(node).into();
                nodes.push(node);
            }
            stack.push(top);
            leaves.push([&[0][..], &bytes].concat());
        }
        let mut blocks: Vec<(u64, Vec<u8>)> = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            match blocks.last_mut().filter(|(_, block)| block.len() < BLOCK) {
                Some((_, block)) => block.extend_from_slice(line.as_bytes()),
                None => blocks.push((number as u64 + 1, line.clone().into_bytes())),
            }
        }
        Self { name, leaves, nodes, blocks, lines, head: tree.head() }
    }

    fn replay(&self) -> Verdict {
        let limits = Limits::default();
        let mut verifier = LogVerifier::with_heads([self.head], &limits);
        for (line, block) in &self.blocks {
            verifier.add(LogPart::read(*line, black_box(block), &limits));
        }
        verifier.finish().verdict()
    }

    /// Nothing but the digests, over bytes that lie ready.
    fn hash(&self) {
        for leaf in &self.leaves {
            black_box(Sha256::digest(black_box(leaf)));
        }
        for node in &self.nodes {
            black_box(Sha256::digest(black_box(node)));
        }
    }

    /// The strict reader alone, as a peer for what reading costs.
    fn read_strictly(&self) {
        for line in &self.lines {
            black_box(Document::read(black_box(line.as_bytes()), &Limits::default()).unwrap());
        }
    }
}

fn print_ratios() {
    println!(
        "{:<12} {:>9} {:>9} {:>12} {:>14} {:>12}",
        "ns a leaf", "sha2", "replay", "replay/sha2", "JSON and rest", "strict read"
    );
    for corpus in CORPORA.iter() {
        assert_eq!(corpus.replay(), Verdict::Authentic);
        let [hash, replay, strict] = medians([
            &mut || corpus.hash(),
            &mut || {
                black_box(corpus.replay());
            },
            &mut || corpus.read_strictly(),
        ]);
        let each = |time: std::time::Duration| time.as_secs_f64() * 1e9 / COUNT as f64;
        println!(
            "{:<12} {:>9.0} {:>9.0} {:>11.2}x {:>14.0} {:>12.0}",
            corpus.name,
            each(hash),
            each(replay),
            ratio(replay, hash),
            each(replay) - each(hash),
            each(strict)
        );
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    CORPORA.iter().map(|corpus| corpus.name)
}

fn named(name: &str) -> &'static Corpus {
    CORPORA.iter().find(|corpus| corpus.name == name).unwrap()
}

#[divan::bench(args = names())]
fn sha2_alone(corpus: &str) {
    named(corpus).hash();
}

#[divan::bench(args = names())]
fn replay(corpus: &str) -> Verdict {
    named(corpus).replay()
}

fn main() {
    if common::is_bench() {
        print_ratios();
    }
    divan::main();
}
