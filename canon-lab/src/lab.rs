//! One run: texts are generated, given to every engine, and what the engines disagree about is shrunk and classified.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use assayer_verifier::{Document, Limits, Scheme, canonicalize};

use crate::classify::{Class, classify};
use crate::engine::{Answer, Engine, Identity, Outcome, SLOW, all_at_once};
use crate::generate::{catalogue, text_of};
use crate::history::{History, Repeats, outcomes};
use crate::shrink::{Budget, Difference, Shrunk, shrink};

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many texts are generated.
    pub cases: u64,
    /// Where the random ones come from.
    pub seed: u64,
    /// The scheme that the engines mean to follow, if they are to be held to one.
    pub scheme: Option<Scheme>,
    /// Whether to end after the portion of texts in which a difference was found.
    pub first: bool,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Texts generated.
    pub generated: u64,
    /// Pairs of outcomes compared.
    pub compared: u64,
    /// Texts that every engine accepted.
    pub accepted_by_all: u64,
    /// Texts about which at least two engines differ.
    pub divergent: u64,
    /// Texts on which at least one engine broke.
    pub broke: u64,
}

/// Two engines disagree about a text.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// The cause.
    pub class: Class,
    /// In which way.
    pub difference: Difference,
    /// Positions of the two engines in the run.
    pub engines: [usize; 2],
    /// The text, as small as it could be made.
    pub text: Vec<u8>,
    /// Whether no single reduction of the text still shows it, in the sense of `within`.
    pub minimal: bool,
    /// What stayed the same while the text was made smaller.
    pub within: Within,
    /// What every engine of the run makes of the text.
    pub answers: Vec<Answer>,
    /// How many generated texts showed it before any was shrunk (as far as it could be told without shrinking each).
    pub seen: u64,
    /// Whether the text shows it by itself.
    pub repeats: Repeats,
}

/// What stays the same while a text is made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    /// That the two engines differ, and in which way.
    Difference,
    /// That, and the cause.
    Cause,
}

impl Within {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Difference => "difference",
            Self::Cause => "cause",
        }
    }
}

/// A law that an engine breaks by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Canonical bytes are their own canonical form.
    Idempotent,
    /// Members given in another order lead to the same bytes.
    OrderIndependent,
    /// The same text leads to the same bytes, whatever was asked in between.
    Deterministic,
    /// Two texts of different values lead to different bytes.
    Injective,
    /// The bytes are those of the scheme.
    Scheme,
    /// An answer comes within a second.
    Prompt,
}

impl Law {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idempotent => "idempotent",
            Self::OrderIndependent => "order-independent",
            Self::Deterministic => "deterministic",
            Self::Injective => "injective",
            Self::Scheme => "scheme",
            Self::Prompt => "prompt",
        }
    }
}

/// A text on which an engine breaks a law.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// For [`Law::Scheme`], the cause.
    pub class: Option<Class>,
    /// Position of the engine in the run.
    pub engine: usize,
    /// The text.
    pub text: Vec<u8>,
    /// The bytes, or what came instead.
    pub found: Answer,
    /// The bytes by the law; for [`Law::Injective`] the other text.
    pub expected: Option<Vec<u8>>,
}

/// What a run found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The engines.
    pub engines: Vec<Identity>,
    /// How often something happened.
    pub counts: Counts,
    /// What the engines disagree about: one for each pair and cause, the smallest text of each.
    pub divergences: Vec<Divergence>,
    /// Laws that an engine breaks: the first text of each.
    pub violations: Vec<Violation>,
    /// Engines that broke so often that they were given up: position in the run, and how many texts they were given till then.
    pub given_up: Vec<(usize, u64)>,
}

impl Found {
    /// Below this share of texts that all accept, a run says little.
    pub const ENOUGH: f64 = 0.6;

    /// The share of texts that all engines accepted.
    #[must_use]
    pub fn accepted_share(&self) -> f64 {
        self.counts.accepted_by_all as f64 / self.counts.generated.max(1) as f64
    }
}

/// Fewer than two engines disagree about nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a comparison needs at least two engines, found {found}")]
pub struct TooFew {
    /// How many there are.
    pub found: usize,
}

/// So many texts are given to an engine in one go.
const TOGETHER: u64 = 512;
/// Of so many texts one is asked once more after the others.
const REPEATED: usize = 32;
/// So often the same provisional cause of one pair is shrunk: behind one name several causes may hide, most of all behind a
/// vague one.
fn shrunk_each(class: Class) -> u64 {
    match class {
        Class::Refused
        | Class::InputSyntax
        | Class::OrderOther
        | Class::StringChanged
        | Class::MemberLost => 6,
        _ => 2,
    }
}

/// At most so many texts are shrunk for each pair.
const MOST_SHRUNK: u64 = 400;
/// So many texts are tried while one is shrunk.
const MOST_TRIES: usize = 20_000;
/// And so many bytes of them, each given to two engines of this process.
const MOST_BYTES: usize = 96 << 20;
/// Fewer where one of the two is another process, which is given them as text of twice the length.
const MOST_BYTES_ABROAD: usize = 16 << 20;
/// In all for one such pair. Once it is spent, texts are only shrunk a little.
const MOST_BYTES_ABROAD_IN_ALL: usize = 192 << 20;
const A_LITTLE: usize = 1 << 20;
/// For so many divergences of a pair it is looked for what has to be asked before.
const MOST_SEQUENCES: u64 = 3;
/// So many outputs of one engine are remembered to see whether another text leads to them.
const REMEMBERED: usize = 200_000;

/// Runs the comparison. `progress` is told after each portion how many texts are done.
///
/// # Errors
/// [`TooFew`] engines.
pub fn run(
    engines: &mut [Box<dyn Engine>],
    plan: &Plan,
    progress: &mut dyn FnMut(u64),
) -> Result<Found, TooFew> {
    if engines.len() < 2 {
        return Err(TooFew { found: engines.len() });
    }
    let mut run = Run::new(engines, plan);
    let fixed = catalogue();
    let mut done = 0;
    while done < plan.cases && !(plan.first && run.has_found()) {
        let together = TOGETHER.min(plan.cases - done);
        let texts: Vec<Vec<u8>> = (done..done + together).map(|index| text_at(&fixed, plan, index)).collect();
        run.portion(&texts);
        done += together;
        progress(done);
    }
    Ok(run.finish())
}

/// The fixed texts first, as far as half of the run takes them (spread evenly where it does not take all), then random ones.
fn text_at(fixed: &[Vec<u8>], plan: &Plan, index: u64) -> Vec<u8> {
    let known = fixed.len() as u64;
    let taken = known.min(plan.cases.div_ceil(2));
    if index < taken {
        let at = index * known / taken.max(1);
        if let Some(text) = usize::try_from(at).ok().and_then(|at| fixed.get(at)) {
            return text.clone();
        }
    }
    text_of(plan.seed, index)
}

/// What tells divergences apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    engines: [usize; 2],
    difference: Difference,
    class: Class,
}

struct Run<'e> {
    engines: &'e mut [Box<dyn Engine>],
    scheme: Option<Scheme>,
    counts: Counts,
    /// How often each provisional cause was seen and shrunk.
    seen: BTreeMap<Key, (u64, u64)>,
    spent: BTreeMap<[usize; 2], Spent>,
    /// For each engine: what it was asked lately.
    asked: Vec<History>,
    divergences: BTreeMap<Key, Divergence>,
    violations: BTreeMap<(Law, Option<Class>, usize), Violation>,
    /// For each engine: a digest of its output, and the text.
    outputs: Vec<BTreeMap<[u8; 16], Vec<u8>>>,
    /// How many of the texts each engine answered.
    answered: Vec<u64>,
}

/// What was done for one pair of engines.
#[derive(Clone, Copy, Default)]
struct Spent {
    /// Texts shrunk.
    shrunk: u64,
    /// Bytes of the texts tried meanwhile.
    bytes: usize,
    /// Divergences for which a sequence was looked for.
    sequences: u64,
}

/// What one engine was asked about a portion of texts, and said.
struct Asked {
    /// To the texts themselves.
    answers: Vec<Answer>,
    /// To its own bytes, where they are not the text itself: position of the text, and the bytes.
    again: Vec<(usize, Vec<u8>, Answer)>,
    /// To the texts with members in the opposite order.
    turned: Vec<Answer>,
    /// To some of the texts once more.
    repeated: Vec<Answer>,
}

fn ask(engine: &mut dyn Engine, texts: &[Vec<u8>], turned: &[Vec<u8>], repeated: &[Vec<u8>]) -> Asked {
    let answers = engine.canonicalize(texts);
    let outputs = answers.iter().zip(texts).enumerate().filter_map(|(at, (answer, text))| {
        let bytes = answer.outcome.bytes().filter(|bytes| bytes != text)?;
        Some((at, bytes.to_vec()))
    });
    let (positions, outputs): (Vec<usize>, Vec<Vec<u8>>) = outputs.unzip();
    let again = engine.canonicalize(&outputs);
    let again = positions.into_iter().zip(outputs).zip(again).map(|((at, bytes), again)| (at, bytes, again));
    Asked {
        again: again.collect(),
        turned: engine.canonicalize(turned),
        repeated: engine.canonicalize(repeated),
        answers,
    }
}

impl<'e> Run<'e> {
    fn new(engines: &'e mut [Box<dyn Engine>], plan: &Plan) -> Self {
        let outputs = engines.iter().map(|_| BTreeMap::new()).collect();
        let answered = engines.iter().map(|_| 0).collect();
        let asked = engines.iter().map(|engine| History::of(engine.as_ref())).collect();
        Self {
            engines,
            scheme: plan.scheme,
            counts: Counts::default(),
            seen: BTreeMap::new(),
            spent: BTreeMap::new(),
            asked,
            divergences: BTreeMap::new(),
            violations: BTreeMap::new(),
            outputs,
            answered,
        }
    }

    fn has_found(&self) -> bool {
        !self.divergences.is_empty()
    }

    fn portion(&mut self, texts: &[Vec<u8>]) {
        let read: Vec<Option<Document<'_>>> =
            texts.iter().map(|text| Document::read(text, &Limits::default()).ok()).collect();
        // Names that stand twice are no law's business: which of them wins depends on the order.
        let turned = texts.iter().zip(&read).enumerate().filter(|(_, (_, read))| read.is_some());
        let (positions, turned): (Vec<usize>, Vec<Vec<u8>>) = turned
            .filter_map(|(at, (text, _))| Some((at, crate::loose::members_turned_round(text)?)))
            .unzip();
        let repeated: Vec<Vec<u8>> = texts.iter().step_by(REPEATED).cloned().collect();
        let engines = self.engines.iter_mut().map(AsMut::as_mut);
        let asked = all_at_once(engines, |engine| ask(engine, texts, &turned, &repeated));
        for (answered, asked) in self.answered.iter_mut().zip(&asked) {
            *answered += asked.answers.len() as u64;
        }
        for (at, text) in texts.iter().enumerate() {
            let of_text: Vec<Option<&Answer>> = asked.iter().map(|asked| asked.answers.get(at)).collect();
            self.compare(texts.get(..at).unwrap_or_default(), text, &of_text);
        }
        for (history, asked) in self.asked.iter_mut().zip(&asked) {
            let again = asked.again.iter().map(|(_, bytes, _)| bytes);
            history.extend(texts.iter().chain(again).chain(&turned).chain(&repeated));
        }
        for (engine, asked) in asked.iter().enumerate() {
            self.idempotent(engine, texts, asked);
            self.order_independent(engine, texts, &positions, asked);
            self.deterministic(engine, texts, asked);
            self.injective(engine, texts, &read, &asked.answers);
            self.of_the_scheme(engine, texts, &read, &asked.answers);
        }
    }

    /// In: the texts of this portion that were asked before, the text, and what came of it.
    fn compare(&mut self, before: &[Vec<u8>], text: &[u8], answers: &[Option<&Answer>]) {
        let given = answers.iter().flatten().count();
        let accepted = answers.iter().flatten().filter(|answer| answer.outcome.bytes().is_some()).count();
        self.counts.generated += 1;
        self.counts.compared += (given * given.saturating_sub(1) / 2) as u64;
        self.counts.accepted_by_all += u64::from(accepted == answers.len());
        self.counts.broke +=
            u64::from(answers.iter().flatten().any(|answer| answer.outcome == Outcome::Error));
        let pairs = pairs(answers);
        self.counts.divergent += u64::from(!pairs.is_empty());
        for (engines, difference) in pairs {
            self.diverge(before, text, engines, difference, answers);
        }
    }

    fn diverge(
        &mut self,
        before: &[Vec<u8>],
        text: &[u8],
        engines: [usize; 2],
        difference: Difference,
        answers: &[Option<&Answer>],
    ) {
        let [first, second] = engines;
        let answer = |at: usize| answers.get(at).copied().flatten();
        let (Some(left), Some(right)) = (answer(first), answer(second)) else { return };
        // Without further questions to the engines: this happens for every text.
        let provisional = classify(text, &left.outcome, &right.outcome, &mut |_| false);
        let seen = self.seen.entry(Key { engines, difference, class: provisional }).or_default();
        seen.0 += 1;
        let spent = self.spent.entry(engines).or_default();
        if seen.1 >= shrunk_each(provisional) || spent.shrunk >= MOST_SHRUNK {
            return;
        }
        seen.1 += 1;
        spent.shrunk += 1;
        let key = Key { engines, difference, class: provisional };
        self.set_experimenting(engines, true);
        if self.shows_alone(text, engines, difference) {
            self.shrink(text, key);
        } else {
            self.keep_unstable(before, text, key);
        }
        self.set_experimenting(engines, false);
    }

    /// Whether two engines that know of nothing before differ about a text in this way, and do once more.
    fn shows_alone(&mut self, text: &[u8], engines: [usize; 2], difference: Difference) -> bool {
        two(self.engines, engines)
            .is_some_and(|mut pair| outcomes(&mut pair, &[], text, difference).is_some())
    }

    /// Keeps what a text shows only after others, with the fewest others that were found.
    fn keep_unstable(&mut self, before: &[Vec<u8>], text: &[u8], key: Key) {
        let spent = self.spent.entry(key.engines).or_default();
        spent.sequences += 1;
        let is_looked_for = spent.sequences <= MOST_SEQUENCES;
        let [first, second] = key.engines.map(|at| self.asked.get(at).filter(|history| history.is_kept()));
        let (history, pair) = (second.or(first).filter(|_| is_looked_for), two(self.engines, key.engines));
        let repeats = history.zip(pair).map_or(Repeats::Never { tried: 0 }, |(history, mut pair)| {
            history.shortest(&mut pair, before, text, key.difference)
        });
        let shrunk = Shrunk { text: text.to_vec(), minimal: false };
        self.keep(Key { class: Class::Unstable, ..key }, Within::Difference, shrunk, repeats);
    }

    fn set_experimenting(&mut self, engines: [usize; 2], on: bool) {
        if let Some(pair) = two(self.engines, engines) {
            pair.into_iter().for_each(|engine| engine.set_experimenting(on));
        }
    }

    /// Shrinks a text twice: as far as the two engines differ at all, and as far as the cause stays the same.
    ///
    /// An engine with one defect shows it best in the first way. Where engines differ in several ways the first way leads to the few
    /// causes with the shortest texts, and the second keeps the others apart.
    fn shrink(&mut self, text: &[u8], key: Key) {
        let Key { engines, difference, class: cause } = key;
        for (within, kept) in [(Within::Difference, None), (Within::Cause, Some(cause))] {
            let mut budget = self.budget(engines);
            let bytes = budget.bytes;
            let Some(mut pair) = two(self.engines, engines) else { return };
            let shrunk = shrink(text, difference, kept, &mut pair, &mut budget);
            let class = class_of(&mut pair, &shrunk.text, difference);
            self.spent.entry(engines).or_default().bytes += bytes - budget.bytes;
            // It was found among others, and those had a part in it; the whole text shows it alone.
            let whole = || (cause, Shrunk { text: text.to_vec(), minimal: false });
            let (class, shrunk) = class.map_or_else(whole, |class| (class, shrunk));
            self.keep(Key { engines, difference, class }, within, shrunk, Repeats::Alone);
            if class == cause {
                return;
            }
        }
    }

    fn budget(&self, engines: [usize; 2]) -> Budget {
        let is_abroad = engines.iter().any(|at| self.engines.get(*at).is_some_and(|engine| engine.waits()));
        let spent = self.spent.get(&engines).map_or(0, |spent| spent.bytes);
        let bytes = match () {
            () if !is_abroad => MOST_BYTES,
            () if spent < MOST_BYTES_ABROAD_IN_ALL => MOST_BYTES_ABROAD,
            () => A_LITTLE,
        };
        Budget { texts: MOST_TRIES, bytes }
    }

    fn keep(&mut self, key: Key, within: Within, shrunk: Shrunk, repeats: Repeats) {
        let rank = |within, repeats: &Repeats, text: &[u8]| (within, repeats.rank(), text.len());
        let is_better = |known: &Divergence| {
            rank(within, &repeats, &shrunk.text) < rank(known.within, &known.repeats, &known.text)
        };
        if self.divergences.get(&key).is_some_and(|known| !is_better(known)) {
            return;
        }
        let text = shrunk.text;
        let Key { engines, difference, class } = key;
        let answers = self.published(&text, &repeats);
        let divergence = Divergence {
            class,
            difference,
            engines,
            minimal: shrunk.minimal,
            within,
            answers,
            seen: 0,
            repeats,
            text,
        };
        self.divergences.insert(key, divergence);
    }

    /// What every engine makes of a text, after those that it has to be asked after.
    fn published(&mut self, text: &[u8], repeats: &Repeats) -> Vec<Answer> {
        let none = || Answer::error("no answer");
        let ask = |engine: &mut Box<dyn Engine>| {
            if let Repeats::After(texts) = repeats {
                engine.start_anew();
                engine.canonicalize(texts);
            }
            engine.answer(text).unwrap_or_else(none)
        };
        self.engines.iter_mut().map(ask).collect()
    }

    fn violate(&mut self, violation: Violation) {
        let key = (violation.law, violation.class, violation.engine);
        let is_better = self.violations.get(&key).is_none_or(|known| violation.text.len() < known.text.len());
        if is_better {
            self.violations.insert(key, violation);
        }
    }

    fn idempotent(&mut self, engine: usize, texts: &[Vec<u8>], asked: &Asked) {
        for (at, bytes, again) in &asked.again {
            if again.outcome.bytes() != Some(bytes)
                && let Some(text) = texts.get(*at)
            {
                let violation = Violation {
                    law: Law::Idempotent,
                    class: None,
                    engine,
                    text: text.clone(),
                    found: again.clone(),
                    expected: Some(bytes.clone()),
                };
                self.violate(violation);
            }
        }
    }

    fn order_independent(&mut self, engine: usize, texts: &[Vec<u8>], positions: &[usize], asked: &Asked) {
        let turned = positions.iter().zip(&asked.turned).map(|(at, again)| (*at, again));
        self.alike(Law::OrderIndependent, engine, texts, &asked.answers, turned);
    }

    fn deterministic(&mut self, engine: usize, texts: &[Vec<u8>], asked: &Asked) {
        let repeated = (0..texts.len()).step_by(REPEATED).zip(&asked.repeated);
        self.alike(Law::Deterministic, engine, texts, &asked.answers, repeated);
    }

    /// Each answer to a changed or repeated text, beside that to the text at this position.
    fn alike<'a>(
        &mut self,
        law: Law,
        engine: usize,
        texts: &[Vec<u8>],
        answers: &[Answer],
        others: impl Iterator<Item = (usize, &'a Answer)>,
    ) {
        for (at, again) in others {
            let Some((text, answer)) = texts.get(at).zip(answers.get(at)) else { continue };
            if again.outcome != answer.outcome {
                let expected = answer.outcome.bytes().map(<[u8]>::to_vec);
                let (text, found) = (text.clone(), again.clone());
                self.violate(Violation { law, class: None, engine, text, found, expected });
            }
        }
    }

    fn injective(
        &mut self,
        engine: usize,
        texts: &[Vec<u8>],
        read: &[Option<Document<'_>>],
        answers: &[Answer],
    ) {
        for ((text, document), answer) in texts.iter().zip(read).zip(answers) {
            let (Some(document), Some(bytes)) = (document, answer.outcome.bytes()) else { continue };
            let Some(outputs) = self.outputs.get_mut(engine) else { continue };
            let digest = digest(bytes);
            let Some(other) = outputs.get(&digest) else {
                if outputs.len() < REMEMBERED {
                    outputs.insert(digest, text.clone());
                }
                continue;
            };
            if !same_value(document, other) {
                let violation = Violation {
                    law: Law::Injective,
                    class: None,
                    engine,
                    text: text.clone(),
                    found: answer.clone(),
                    expected: Some(other.clone()),
                };
                self.violate(violation);
            }
        }
    }

    fn of_the_scheme(
        &mut self,
        engine: usize,
        texts: &[Vec<u8>],
        read: &[Option<Document<'_>>],
        answers: &[Answer],
    ) {
        let Some(scheme) = self.scheme else { return };
        for ((text, document), answer) in texts.iter().zip(read).zip(answers) {
            // What the scheme does not write at all is not held against an engine here.
            let Some(expected) =
                document.as_ref().and_then(|document| canonicalize(document.root(), scheme).ok())
            else {
                continue;
            };
            if answer.outcome.bytes() == Some(&expected) {
                continue;
            }
            let of_scheme = Outcome::Bytes(expected.clone());
            let class = Some(classify(text, &of_scheme, &answer.outcome, &mut |_| false));
            let violation = Violation {
                law: Law::Scheme,
                class,
                engine,
                text: text.clone(),
                found: answer.clone(),
                expected: Some(expected),
            };
            self.violate(violation);
        }
    }

    /// Whether texts whose answers were long in coming are always answered late.
    fn prompt(&mut self) {
        for engine in 0..self.engines.len() {
            let Some(asked) = self.engines.get_mut(engine) else { return };
            let Some(text) = asked.slowest() else { continue };
            let Some(times) = late(asked.as_mut(), &text) else { continue };
            let found = Answer::error(format!("answered only after {times}"));
            let (law, class, expected) = (Law::Prompt, None, None);
            self.violate(Violation { law, class, engine, text, found, expected });
        }
    }

    fn finish(mut self) -> Found {
        self.prompt();
        let (seen, known) = (self.seen, self.divergences);
        let total = self.counts.generated;
        let given_up =
            self.answered.into_iter().enumerate().filter(|(_, answered)| *answered < total).collect();
        // Where every text of a pair leads to one cause, that is the defect; what other causes kept apart are its shadows.
        let causes = |engines: [usize; 2]| {
            let plain =
                known.values().filter(|other| other.engines == engines && other.within == Within::Difference);
            plain.map(|other| other.class).collect::<BTreeSet<Class>>().len()
        };
        let shown =
            known.iter().filter(|(_, found)| found.within == Within::Difference || causes(found.engines) > 1);
        let divergences = shown
            .map(|(key, found)| Divergence { seen: seen.get(key).map_or(1, |seen| seen.0), ..found.clone() });
        Found {
            engines: self.engines.iter().map(|engine| engine.identity().clone()).collect(),
            counts: self.counts,
            divergences: divergences.collect(),
            violations: self.violations.into_values().collect(),
            given_up,
        }
    }
}

/// Each engine beside the first that differs from it; engines that agree stand together.
fn pairs(answers: &[Option<&Answer>]) -> Vec<([usize; 2], Difference)> {
    let mut known: BTreeSet<&Outcome> = BTreeSet::new();
    let mut pairs = Vec::new();
    let given =
        || answers.iter().enumerate().filter_map(|(at, answer)| Some((at, &answer.as_ref()?.outcome)));
    for (second, outcome) in given() {
        if !known.insert(outcome) {
            continue;
        }
        let mut against = given().take_while(|(first, _)| *first < second);
        pairs.extend(
            against.find_map(|(first, other)| Some(([first, second], Difference::between(other, outcome)?))),
        );
    }
    pairs
}

/// The cause of what two engines make of a text, if they differ in this way when they were asked nothing before.
fn class_of(pair: &mut [&mut dyn Engine; 2], text: &[u8], difference: Difference) -> Option<Class> {
    let (left, right) = outcomes(pair, &[], text, difference)?;
    let mut differ = |text: &[u8]| {
        let [first, second] = &mut *pair;
        let both = first.answer(text).zip(second.answer(text));
        both.and_then(|(left, right)| Difference::between(&left.outcome, &right.outcome)) == Some(difference)
    };
    Some(classify(text, &left, &right, &mut differ))
}

/// So often a text whose answer was late is asked once more.
const LATE: usize = 3;

/// How long the answers took, if each of them was late.
fn late(engine: &mut dyn Engine, text: &[u8]) -> Option<String> {
    let mut times = Vec::new();
    for _ in 0..LATE {
        let asked = Instant::now();
        engine.answer(text).filter(|answer| answer.outcome != Outcome::Error)?;
        let time = asked.elapsed();
        (time >= SLOW).then(|| times.push(format!("{:.1} s", time.as_secs_f64())))?;
    }
    Some(times.join(", "))
}

fn two(engines: &mut [Box<dyn Engine>], [first, second]: [usize; 2]) -> Option<[&mut dyn Engine; 2]> {
    let (before, after) = engines.split_at_mut_checked(second)?;
    Some([before.get_mut(first)?.as_mut(), after.first_mut()?.as_mut()])
}

fn digest(bytes: &[u8]) -> [u8; 16] {
    let hash = assayer_verifier::sha256(bytes);
    let mut short = [0; 16];
    short.copy_from_slice(hash.0.split_at(16).0);
    short
}

/// Whether two texts are of the same value: the same RFC 8785 form, or texts that differ in numbers beyond a double only.
fn same_value(document: &Document<'_>, other: &[u8]) -> bool {
    let Ok(other) = Document::read(other, &Limits::default()) else { return false };
    let forms = |document: &Document<'_>| canonicalize(document.root(), Scheme::Jcs).ok();
    forms(document) == forms(&other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Builtin;

    fn of(names: &[&str]) -> Vec<Box<dyn Engine>> {
        names.iter().map(|name| Box::new(Builtin::named(name).unwrap()) as Box<dyn Engine>).collect()
    }

    fn plan(cases: u64) -> Plan {
        Plan { cases, seed: 1, scheme: None, first: false }
    }

    #[test]
    fn an_engine_agrees_with_itself_and_keeps_every_law() {
        for name in Builtin::NAMES.iter().filter(|name| name.parse::<Scheme>().is_ok()) {
            let scheme = Some(name.parse().unwrap());
            let found = run(&mut of(&[name, name]), &Plan { scheme, ..plan(4_000) }, &mut |_| {}).unwrap();
            assert!(found.divergences.is_empty());
            assert_eq!((found.counts.generated, found.counts.compared), (4_000, 4_000));
            for violation in &found.violations {
                // Python's form of what is too large for a double is not JSON, so it is no form of itself.
                let excused = violation.law == Law::Idempotent && name.starts_with("python")
                    || violation.law == Law::Injective;
                assert!(excused, "{name}: {:?} {}", violation.law, violation.text.escape_ascii());
            }
        }
    }

    #[test]
    fn one_engine_is_too_few() {
        assert_eq!(run(&mut of(&["jcs"]), &plan(10), &mut |_| {}).unwrap_err(), TooFew { found: 1 });
    }

    #[test]
    fn the_five_schemes_part_ways_where_their_rules_do() {
        let found = run(&mut of(&["jcs", "python-sort-keys"]), &plan(20_000), &mut |_| {}).unwrap();
        let classes: BTreeSet<Class> = found.divergences.iter().map(|divergence| divergence.class).collect();
        for class in [
            Class::EscapeDelete,
            Class::EscapeNonAscii,
            Class::NumberExponent,
            Class::NumberInteger,
            Class::NumberIntegral,
            Class::NumberThreshold,
            Class::OrderUtf16,
            Class::NumberNegativeZero,
            Class::NumberOverflow,
        ] {
            assert!(classes.contains(&class), "{class:?} of {classes:?}");
        }
    }
}
