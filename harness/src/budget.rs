//! What a run is going to send, before anything is sent.

use std::time::Duration;

use assayer_vectors::{Effect, Exchange};

use crate::client::Pace;

/// How many requests a run takes, and how many of them store something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// At least so many requests, if nothing is refused and nothing has to be read again.
    pub least: u64,
    /// At most so many, readings that are taken once more set aside.
    pub most: u64,
    /// At most so many registrations.
    pub registers: u64,
    /// At most so many recorded events.
    pub records_events: u64,
}

impl Budget {
    /// The budget of exchanges.
    #[must_use]
    pub fn of(exchanges: &[&Exchange]) -> Self {
        let mut budget = Self::default();
        for exchange in exchanges {
            let (least, most) = match (&exchange.each, exchange.burst) {
                (Some(each), _) => (0, each.most),
                (None, Some(most)) => (1, u64::from(most)),
                (None, None) => (1, 1),
            };
            budget.least += least;
            budget.most += most;
            match exchange.effect {
                Effect::None => {}
                Effect::RecordsEvent => budget.records_events += most,
                Effect::Registers => budget.registers += most,
            }
        }
        budget
    }

    /// How long so many requests take at a pace.
    fn at_pace(requests: u64, pace: Pace) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
        let beyond = (requests as f64 - pace.burst).max(0.0);
        Duration::from_secs_f64(beyond / pace.per_second)
    }
}

impl Budget {
    /// What is going to be sent, and how long that takes at a pace, in words.
    #[must_use]
    pub fn told(&self, pace: Pace) -> String {
        let Self { least, most, registers, records_events } = self;
        let Pace { burst, per_second } = pace;
        let [shortest, longest] = [*least, *most].map(|count| Self::at_pace(count, pace).as_secs());
        let requests = range(*least, *most);
        let seconds = range(shortest, longest);
        format!(
            "requests: {requests}, of which at most {registers} register a file and at most {records_events} record an event; \
             {burst} at once, then {per_second} a second, in {seconds} s if the target answers at once"
        )
    }
}

fn range(least: u64, most: u64) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

#[cfg(test)]
mod tests {
    use assayer_vectors::{SUITE, load_embedded};

    use super::*;
    use crate::plan::{cases, exchanges};

    #[test]
    fn a_budget_counts_what_can_be_sent() {
        let suite = load_embedded(SUITE).unwrap();
        let of = |name: &str| {
            let edition = suite.editions.iter().find(|edition| edition.edition == name).unwrap();
            Budget::of(&exchanges(&suite, &cases(&suite, edition)))
        };
        // One registration, an event by DNS and two by hits, and thirteen requests that store nothing.
        let frozen = Budget { least: 17, most: 17, registers: 1, records_events: 3 };
        assert_eq!(of("0.4.12"), frozen);
        let strict = of("strict");
        assert!(strict.least > 200 && strict.most > strict.least + 100 && strict.registers > 1, "{strict:?}");
        assert_eq!(Budget::of(&[]), Budget::default());
        let said = frozen.told(Pace::POLITE);
        assert!(
            said.starts_with("requests: 17, of which at most 1 register a file and at most 3 record"),
            "{said}"
        );
        let range = format!("requests: {} to {}, ", strict.least, strict.most);
        let said = strict.told(Pace::of(1000));
        assert!(said.starts_with(&range) && said.contains("in 0 s"), "{said}");
    }
}
