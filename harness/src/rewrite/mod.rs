//! The rewriting layer: a registry with one deliberate difference, made of any registry by changing what passes between it
//! and its clients, or what it is about to sign. What is changed is data (`assayer_vectors::Rule`).

mod conditions;
mod document;
mod http;
mod message;
mod proxy;
mod spelling;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assayer_reference_registry as registry;
use assayer_vectors::{Earlier, Reference, Rule, Stage, Step, Wire, resolve};
use serde_json::{Value as Json, json};

use crate::names::random_hex;
use conditions::{Calls, Seen};
use document::{change, places, remove, rename, set};
use message::{field, json_of, remove_field, set_field};
use spelling::spelt;

pub(crate) use conditions::path_variables;
pub(crate) use message::{Reply, Request};
pub(crate) use proxy::Upstream;
pub use proxy::{Proxy, ProxyError};

/// Rules at work, and what they remember.
pub(crate) struct Rewriting {
    rules: Vec<Rule>,
    calls: Calls,
    memory: Mutex<Memory>,
    acted: AtomicBool,
}

#[derive(Default)]
struct Memory {
    /// How often the conditions of each rule were met, turns set aside.
    turns: BTreeMap<usize, u64>,
    /// The registry's own first and latest answers of 2xx, by call.
    first: BTreeMap<String, Reply>,
    latest: BTreeMap<String, Reply>,
    /// The first and the latest document of each stage inside of the registry, as they would have been.
    first_inside: BTreeMap<String, Json>,
    latest_inside: BTreeMap<String, Json>,
}

/// What becomes of a request before it reaches the registry.
struct Forwarding {
    request: Request,
    /// The answer, where the registry is not asked.
    reply: Option<Reply>,
    /// What is sent before.
    before: Vec<Request>,
}

impl Rewriting {
    pub(crate) fn new(rules: &[Rule], wire: &Wire) -> Self {
        let (memory, acted) = (Mutex::new(Memory::default()), AtomicBool::new(false));
        Self { rules: rules.to_vec(), calls: Calls::of(wire), memory, acted }
    }

    /// Whether a rule has made a difference so far.
    pub(crate) fn acted(&self) -> bool {
        self.acted.load(Ordering::SeqCst)
    }

    /// The call that a request is.
    pub(crate) fn call_of(&self, method: &str, target: &str) -> Option<String> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        self.calls.find(method, path).map(|(call, _)| call)
    }

    /// One exchange: the request as it came, the registry asked by `ask`, the answer as it goes back.
    pub(crate) fn exchange(&self, request: Request, ask: &dyn Fn(&Request) -> Reply) -> Reply {
        let seen = Seen::of(&request, &self.calls);
        let mut forwarding = Forwarding { request, reply: None, before: Vec::new() };
        for (number, rule) in self.rules_at(Stage::Request) {
            if self.is_due(number, rule, &seen, None) {
                let before = (forwarding.request.clone(), forwarding.reply.clone(), forwarding.before.len());
                rule.then.iter().for_each(|step| self.on_request(step, &mut forwarding, &seen));
                let after = (&forwarding.request, &forwarding.reply, forwarding.before.len());
                self.note((&before.0, &before.1, before.2) != after);
            }
        }
        if let Some(reply) = forwarding.reply {
            return reply;
        }
        for earlier in &forwarding.before {
            ask(earlier);
        }
        let honest = ask(&forwarding.request);
        let reply = self.on_answer(honest.clone(), &seen);
        self.remember(&seen, honest);
        reply
    }

    /// The answer as it goes back.
    fn on_answer(&self, honest: Reply, seen: &Seen) -> Reply {
        let mut reply = honest;
        for (number, rule) in self.rules_at(Stage::Answer) {
            if self.is_due(number, rule, seen, Some(&reply)) {
                let before = reply.clone();
                let document = json_of(&reply.body);
                for step in &rule.then {
                    self.on_reply(step, &mut reply, seen, document.as_ref());
                }
                self.note(reply != before);
            }
        }
        reply
    }

    /// Changes a document before the registry writes, hashes or signs it.
    fn inside(&self, stage: Stage, document: &mut Json) {
        let honest = document.clone();
        for (number, rule) in self.rules_at(stage) {
            if conditions::hold_for_document(&rule.when, document) && self.takes_turn(number, rule) {
                let before = document.clone();
                for step in &rule.then {
                    self.on_document(step, document, &Seen::default(), Some(&before));
                }
                self.note(*document != before);
            }
        }
        let mut memory = self.memory();
        memory.first_inside.entry(stage.as_str().to_owned()).or_insert_with(|| honest.clone());
        memory.latest_inside.insert(stage.as_str().to_owned(), honest);
    }

    fn rules_at(&self, stage: Stage) -> impl Iterator<Item = (usize, &Rule)> {
        self.rules.iter().enumerate().filter(move |(_, rule)| rule.at == stage)
    }

    fn is_due(&self, number: usize, rule: &Rule, seen: &Seen, reply: Option<&Reply>) -> bool {
        seen.is_of(&rule.calls) && conditions::hold(&rule.when, seen, reply) && self.takes_turn(number, rule)
    }

    /// Counts a turn of a rule whose other conditions are met, and says whether it is one that counts.
    fn takes_turn(&self, number: usize, rule: &Rule) -> bool {
        let mut memory = self.memory();
        let turn = memory.turns.entry(number).or_insert(0);
        *turn += 1;
        rule.when.turns.is_none_or(|turns| turns.includes(*turn))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, differs: bool) {
        self.acted.fetch_or(differs, Ordering::SeqCst);
    }

    fn remember(&self, seen: &Seen, honest: Reply) {
        if let Some(call) = seen.call.clone().filter(|_| honest.is_success()) {
            let mut memory = self.memory();
            memory.first.entry(call.clone()).or_insert_with(|| honest.clone());
            memory.latest.insert(call, honest);
        }
    }

    fn on_request(&self, step: &Step, forwarding: &mut Forwarding, seen: &Seen) {
        if let Some(reply) = &mut forwarding.reply {
            return self.on_reply(step, reply, seen, None);
        }
        let request = &mut forwarding.request;
        let text = |text: &str| self.text(text, seen, None);
        match step {
            Step::Answer(status) => {
                let empty =
                    Reply { status: *status, headers: Vec::new(), body: Vec::new(), sending: Vec::new() };
                forwarding.reply = Some(empty);
            }
            Step::Echo => {
                let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
                let body = request.body.clone();
                forwarding.reply = Some(Reply { status: 200, headers, body, sending: Vec::new() });
            }
            Step::Twice => forwarding.before.push(request.clone()),
            Step::AlsoSend { method, target, json } => {
                let body = json.as_ref().and_then(|json| self.value(json, seen, None));
                if let Some(target) = text(target) {
                    forwarding.before.push(also(request, method, target, body.as_ref()));
                }
            }
            Step::Method(method) => request.method.clone_from(method),
            Step::Target(target) => request.target = text(target).unwrap_or_else(|| request.target.clone()),
            Step::Header { name, to } => {
                if let Some(value) = text(to) {
                    set_field(&mut request.headers, name, value.as_bytes());
                }
            }
            Step::RemoveHeader(name) => remove_field(&mut request.headers, name),
            Step::Wait(milliseconds) => self.wait(*milliseconds),
            step => self.on_body(step, &mut request.body, seen, seen.body.as_ref()),
        }
    }

    fn on_reply(&self, step: &Step, reply: &mut Reply, seen: &Seen, before: Option<&Json>) {
        match step {
            Step::Status(status) | Step::Answer(status) => reply.status = *status,
            Step::Header { name, to } => {
                if let Some(value) = self.text(to, seen, before) {
                    set_field(&mut reply.headers, name, value.as_bytes());
                }
            }
            Step::RemoveHeader(name) => remove_field(&mut reply.headers, name),
            Step::Repeat(which) => {
                if let Some(earlier) = self.earlier(seen, *which) {
                    *reply = earlier;
                }
            }
            Step::Spell(spelling) => {
                if let Some(document) = json_of(&reply.body) {
                    reply.body = spelt(&document, *spelling);
                }
            }
            Step::Send(sending) => reply.sending.push(*sending),
            Step::Wait(milliseconds) => self.wait(*milliseconds),
            Step::Json(_) if field(&reply.headers, "content-type").is_none() => {
                set_field(&mut reply.headers, "content-type", b"application/json");
                self.on_body(step, &mut reply.body, seen, before);
            }
            step => self.on_body(step, &mut reply.body, seen, before),
        }
    }

    /// Steps that make another body.
    fn on_body(&self, step: &Step, body: &mut Vec<u8>, seen: &Seen, before: Option<&Json>) {
        match step {
            Step::Text(text) => {
                if let Some(text) = self.text(text, seen, before) {
                    *body = text.into_bytes();
                }
            }
            Step::Hex(text) => *body = hex::decode(text).unwrap_or_default(),
            Step::Json(json) => {
                if let Some(value) = self.value(json, seen, before) {
                    *body = value.to_string().into_bytes();
                }
            }
            step => {
                if let Some(mut document) = json_of(body) {
                    let whole = document.clone();
                    self.on_document(step, &mut document, seen, before);
                    if document != whole {
                        *body = document.to_string().into_bytes();
                    }
                }
            }
        }
    }

    fn on_document(&self, step: &Step, document: &mut Json, seen: &Seen, before: Option<&Json>) {
        match step {
            Step::Set { at, to } => {
                for place in places(document, at) {
                    // Resolved for each place, so that random values differ.
                    if let Some(value) = self.value(to, seen, before) {
                        set(document, &place, value);
                    }
                }
            }
            // From the end, so that the places before stay where they are.
            Step::Remove { at } => {
                places(document, at).iter().rev().for_each(|place| remove(document, place))
            }
            Step::Rename { at, to } => {
                places(document, at).iter().for_each(|place| rename(document, place, to));
            }
            Step::Change { at, by } => {
                for place in places(document, at) {
                    document.pointer_mut(&place).into_iter().for_each(|value| change(value, *by));
                }
            }
            _ => {}
        }
    }

    fn wait(&self, milliseconds: u64) {
        std::thread::sleep(Duration::from_millis(milliseconds));
        self.note(milliseconds > 0);
    }

    fn earlier(&self, seen: &Seen, which: Earlier) -> Option<Reply> {
        let memory = self.memory();
        let kept = match which {
            Earlier::First => &memory.first,
            Earlier::Previous => &memory.latest,
        };
        kept.get(seen.call.as_ref()?).cloned()
    }

    /// An earlier answer to a call, or an earlier document of a stage.
    fn remembered(&self, first: bool, name: &str) -> Option<Json> {
        let memory = self.memory();
        let (inside, answers) = match first {
            true => (&memory.first_inside, &memory.first),
            false => (&memory.latest_inside, &memory.latest),
        };
        inside.get(name).cloned().or_else(|| json_of(&answers.get(name)?.body))
    }

    /// A text with its references resolved; `None` where one leads nowhere.
    fn text(&self, text: &str, seen: &Seen, document: Option<&Json>) -> Option<String> {
        match self.value(&Json::from(text), seen, document)? {
            Json::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    /// A value with its references resolved; `None` where one leads nowhere.
    fn value(&self, value: &Json, seen: &Seen, document: Option<&Json>) -> Option<Json> {
        resolve(value, &|reference| self.look_up(reference, seen, document)).ok()
    }

    fn look_up(&self, reference: &Reference, seen: &Seen, document: Option<&Json>) -> Option<Json> {
        let below = |value: &Json| value.pointer(&reference.pointer).cloned();
        let (kind, rest) = reference.name.split_once('.').unwrap_or((&reference.name, ""));
        match kind {
            "request" => below(seen.body.as_ref()?),
            "document" => below(document?),
            "path" => seen.path.get(rest).map(|text| json!(text)),
            "header" => field(&seen.headers, rest).map(|value| json!(String::from_utf8_lossy(value))),
            "first" | "latest" => below(&self.remembered(kind == "first", rest)?),
            "random" => random_hex(rest.parse().ok()?).ok().map(Json::from),
            "time" => {
                let moved = jiff::SignedDuration::from_secs(rest.parse().ok()?);
                let then = jiff::Timestamp::now().checked_add(moved).ok()?;
                Some(json!(then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))
            }
            _ => None,
        }
    }
}

/// A request beside another one: with the same header fields, and a body of its own.
fn also(request: &Request, method: &str, target: String, body: Option<&Json>) -> Request {
    let mut headers = request.headers.clone();
    remove_field(&mut headers, "content-length");
    let body = body.map(|json| json.to_string().into_bytes());
    Request { method: method.to_owned(), target, headers, body: body.unwrap_or_default() }
}

impl std::fmt::Debug for Rewriting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rewriting({} rules)", self.rules.len())
    }
}

impl registry::Meddler for Rewriting {
    fn meddle(&self, stage: registry::Stage, document: &mut Json) {
        let stage = match stage {
            registry::Stage::Event => Stage::Event,
            registry::Stage::Leaf => Stage::Leaf,
            registry::Stage::Head => Stage::Head,
            registry::Stage::Bundle => Stage::Bundle,
        };
        self.inside(stage, document);
    }
}
