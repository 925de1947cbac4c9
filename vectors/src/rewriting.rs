//! What the schema of rewritings cannot say: which step belongs to which stage, and what references may name.

use crate::fault::{HollowAnswers, Rule, Stage, Step};
use crate::model::Suite;
use crate::reference::Reference;

/// Everything in the rewritings of a suite that does not fit.
pub(crate) fn complaints(suite: &Suite) -> Vec<String> {
    let mut found = Vec::new();
    for fault in &suite.faults {
        rules(suite, &format!("fault `{}`", fault.id), &fault.rewrite, &mut found);
    }
    for variant in &suite.variants {
        let at = format!("variant `{}`", variant.id);
        if variant.rewrite.is_empty() && variant.setup.is_usual() {
            found.push(format!("{at}: it differs in nothing"));
        }
        rules(suite, &at, &variant.rewrite, &mut found);
    }
    for hollow in &suite.hollow {
        let at = format!("hollow registry `{}`", hollow.id);
        if (hollow.answers == HollowAnswers::Rules) == hollow.rewrite.is_empty() {
            found.push(format!("{at}: expected rules if, and only if, it answers by rules"));
        }
        rules(suite, &at, &hollow.rewrite, &mut found);
    }
    found
}

fn rules(suite: &Suite, at: &str, rules: &[Rule], found: &mut Vec<String>) {
    for (position, rule) in rules.iter().enumerate() {
        let at = format!("{at}, rule {}", position + 1);
        if rule.then.is_empty() {
            found.push(format!("{at}: it does nothing"));
        }
        if rule.at.is_inside() && !rule.calls.is_empty() {
            found.push(format!("{at}: what happens inside of the registry belongs to no call"));
        }
        for call in rule.calls.iter().filter(|call| !is_call(suite, call)) {
            found.push(format!("{at}: no wire profile has a call `{call}`"));
        }
        for step in rule.then.iter().filter(|step| !belongs(step, rule)) {
            found.push(format!("{at}: {step:?} has no meaning at this stage"));
        }
        for reference in rule.references().iter().filter(|reference| !is_known(suite, reference)) {
            found.push(format!("{at}: {reference} refers to nothing that is defined"));
        }
    }
}

fn is_call(suite: &Suite, call: &str) -> bool {
    suite.wires.iter().any(|wire| wire.calls.contains_key(call))
}

/// Inside of the registry there are documents only; what shapes an answer needs one.
fn belongs(step: &Step, rule: &Rule) -> bool {
    let is_answered = rule.then.iter().any(|step| matches!(step, Step::Answer(_) | Step::Echo));
    match step {
        Step::Set { .. } | Step::Remove { .. } | Step::Rename { .. } | Step::Change { .. } => true,
        Step::Header { .. } | Step::RemoveHeader(_) | Step::Text(_) | Step::Hex(_) | Step::Json(_) => {
            !rule.at.is_inside()
        }
        Step::Wait(_) => !rule.at.is_inside(),
        Step::Method(_)
        | Step::Target(_)
        | Step::Answer(_)
        | Step::Echo
        | Step::Twice
        | Step::AlsoSend { .. } => rule.at == Stage::Request,
        Step::Status(_) | Step::Spell(_) | Step::Send(_) => {
            rule.at == Stage::Answer || (rule.at == Stage::Request && is_answered)
        }
        Step::Repeat(_) => rule.at == Stage::Answer,
    }
}

fn is_known(suite: &Suite, reference: &Reference) -> bool {
    let name = reference.name.as_str();
    match name.split_once('.') {
        None => matches!(name, "request" | "document"),
        Some(("path" | "header", rest)) => !rest.is_empty(),
        Some(("first" | "latest", name)) => {
            is_call(suite, name) || ["event", "leaf", "head", "bundle"].contains(&name)
        }
        Some(("random", bytes)) => bytes.parse::<u16>().is_ok(),
        Some(("time", seconds)) => seconds.parse::<i32>().is_ok(),
        Some(_) => false,
    }
}
