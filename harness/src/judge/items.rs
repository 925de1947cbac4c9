//! Conditions on the items of lists in the bodies of answers.

use std::collections::BTreeMap;

use assayer_vectors::{Every, Expectation, Find, LeafOf};
use assayer_verifier::Value;
use serde_json::Value as Json;

use super::same::shown;
use super::shortfall::{Shortfall, failed};
use super::{Judge, place};
use crate::conditions::{EveryItem, OfAnswer, WantedLeaf, matches};
use crate::transcript::{Answer, Documents, Recorded};

impl<'t> Judge<'t> {
    /// Counts the items that are as described, over all answers of the exchange.
    pub(super) fn find(
        &self,
        find: &Find,
        expectation: &Expectation,
        answers: &[(&'t Recorded, &'t Answer)],
    ) -> Result<(), Shortfall> {
        let conditions = self.conditions(&find.condition)?;
        let lists = Lists { documents: &self.documents, list: &find.list, or_in: find.or_in.as_deref() };
        let (mut count, mut items) = (0, 0);
        lists.each_item(answers, |item, _| {
            items += 1;
            count += usize::from(matches(item, &conditions));
            Ok(())
        })?;
        if count == find.count {
            return Ok(());
        }
        let text = format!(
            "{}: expected {} item(s) in {} with {}, found {count} among {items}",
            expectation.exchange,
            find.count,
            find.list,
            described(&conditions),
        );
        Err(failed("condition.find", text))
    }

    /// Looks at every item that is meant, over all answers of the exchange.
    pub(super) fn every(
        &self,
        every: &Every,
        expectation: &Expectation,
        answers: &[(&'t Recorded, &'t Answer)],
    ) -> Result<(), Shortfall> {
        let lists = Lists { documents: &self.documents, list: &every.list, or_in: every.or_in.as_deref() };
        let mut all = EveryItem::new(every, self.transcript);
        for (recorded, answer) in answers {
            all.turn_to(self.of_answer(every, recorded)?, expectation.wherever.is_some());
            lists.each_item(&[(recorded, answer)], |item, place| all.look_at(item, place))?;
        }
        if answers.is_empty() || all.count >= every.least {
            return Ok(());
        }
        let conditions = self.conditions(&every.condition)?;
        let of =
            if conditions.is_empty() { String::new() } else { format!(" with {}", described(&conditions)) };
        let text = format!(
            "{}: expected at least {} item(s) in {}{of}, found {}",
            expectation.exchange, every.least, every.list, all.count
        );
        Err(failed("condition.count", text))
    }

    /// What the items of one answer are compared with.
    fn of_answer<'e>(&self, every: &'e Every, recorded: &'t Recorded) -> Result<OfAnswer<'e>, Shortfall> {
        let equals =
            every.equals.as_ref().map(|value| self.resolve_for(value, Some(recorded))).transpose()?;
        let wanted = |of: &'e LeafOf| {
            let (log, has) = (self.log(&of.log)?, self.conditions_for(&of.has, Some(recorded))?);
            Ok(WantedLeaf { of, log, has })
        };
        let leaf = every.leaf.as_ref().map(wanted).transpose()?;
        Ok(OfAnswer { conditions: self.conditions_for(&every.condition, Some(recorded))?, equals, leaf })
    }

    fn conditions<'c>(
        &self,
        conditions: &'c BTreeMap<String, Json>,
    ) -> Result<Vec<(&'c str, Json)>, Shortfall> {
        self.conditions_for(conditions, None)
    }

    fn conditions_for<'c>(
        &self,
        conditions: &'c BTreeMap<String, Json>,
        about: Option<&'t Recorded>,
    ) -> Result<Vec<(&'c str, Json)>, Shortfall> {
        let resolved =
            conditions.iter().map(|(pointer, value)| Ok((pointer.as_str(), self.resolve_for(value, about)?)));
        resolved.collect()
    }
}

/// A list in the bodies of answers, under one of two names.
struct Lists<'l, 't> {
    documents: &'l Documents<'t>,
    list: &'l str,
    or_in: Option<&'l str>,
}

impl<'t> Lists<'_, 't> {
    /// Hands over each item with its place, up to the first difference.
    fn each_item(
        &self,
        answers: &[(&'t Recorded, &'t Answer)],
        mut look_at: impl FnMut(Value<'_>, &str) -> Result<(), String>,
    ) -> Result<(), Shortfall> {
        for (recorded, answer) in answers {
            let place = place(recorded);
            let document = self.documents.answered(answer).map_err(|error| {
                failed("condition.json", format!("{place}: expected JSON, found {error}"))
            })?;
            let names = [Some(self.list), self.or_in].into_iter().flatten();
            let found = names.into_iter().find_map(|name| {
                let list = document.root().at(name)?;
                (list.kind() == assayer_verifier::Kind::Array).then_some((name, list))
            });
            let Some((name, list)) = found else {
                let text = format!("{place}: expected a list at {}, found none", self.list);
                return Err(failed("condition.list", text));
            };
            for (position, item) in list.items().enumerate() {
                let looked = look_at(item, &format!("{place}: {name}/{position}"));
                looked.map_err(|text| failed("condition.item", text))?;
            }
        }
        Ok(())
    }
}

pub(super) fn described(conditions: &[(&str, Json)]) -> String {
    let described =
        conditions.iter().map(|(pointer, value)| format!("{pointer} = {}", shown(&value.to_string())));
    described.collect::<Vec<String>>().join(", ")
}
