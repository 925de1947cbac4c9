//! What `assayer verify` prints, document by document, and the exit code that follows.

use std::ops::ControlFlow;
use std::time::Instant;

use assayer_harness::evidence::{Joined, Unreadable, report_of};
use assayer_reports::verification::{
    Document, Required, Run, Summary, Tally, complaint, document_text, json_begin, json_document, json_end,
    json_line, summary_text,
};

use super::{Format, VerifyArguments};
use crate::cli::{Exit, complain, print};

/// Prints findings as they come, and keeps the count.
pub(super) struct Output<'a> {
    arguments: &'a VerifyArguments,
    run: Run,
    started: Instant,
    tally: Tally,
    /// How many documents were printed.
    written: usize,
    stopped: bool,
    /// The first failure to print.
    printed: Exit,
}

impl<'a> Output<'a> {
    pub(super) fn new(arguments: &'a VerifyArguments, run: Run) -> Self {
        let tally = Tally::new(run.required);
        let mut output = Self {
            arguments,
            run,
            started: Instant::now(),
            tally,
            written: 0,
            stopped: false,
            printed: Exit::Good,
        };
        if arguments.format == Format::Json {
            output.print(&json_begin(&output.run));
        }
        output
    }

    pub(super) fn take(&mut self, outcome: Result<Joined, Unreadable>) -> ControlFlow<()> {
        let document = match outcome {
            Ok(Joined::Finding(finding)) => report_of(finding),
            Ok(Joined::Skipped(skipped)) => {
                complain(complaint(&skipped.path, &format!("left out, {}", skipped.why)));
                self.tally.skip();
                return ControlFlow::Continue(());
            }
            Err(unreadable) => Document::from(unreadable),
        };
        if let Some(error) = &document.error {
            complain(complaint(&document.path, error));
        }
        let good = self.tally.take(&document);
        if !self.arguments.summary_only {
            self.document(&document);
        }
        if good || !self.arguments.fail_fast {
            return ControlFlow::Continue(());
        }
        self.stopped = true;
        ControlFlow::Break(())
    }

    fn document(&mut self, document: &Document) {
        let text = match self.arguments.format {
            // It was complained about.
            Format::Text if document.error.is_some() => return,
            Format::Text => document_text(document, self.arguments.explain),
            Format::Ndjson => json_line(document),
            Format::Json => json_document(document, self.written),
        };
        self.written += 1;
        self.print(&text);
    }

    fn print(&mut self, text: &str) {
        let printed = print(text);
        if self.printed == Exit::Good {
            self.printed = printed;
        }
    }

    pub(super) fn finish(mut self) -> Exit {
        let summary = self.tally.summary(self.started.elapsed(), self.stopped);
        match self.arguments.format {
            Format::Json => self.print(&json_end(&summary)),
            Format::Text if summary.documents != 1 => self.print(&summary_text(&summary)),
            Format::Text | Format::Ndjson => {}
        }
        if self.printed == Exit::Good { verdict(&summary, self.run.required) } else { self.printed }
    }
}

/// The exit code that follows from the counts: what is refuted weighs more than what could not be read.
fn verdict(summary: &Summary, required: Required) -> Exit {
    let (reached, name) = match required {
        Required::Consistent => (summary.documents, "consistent"),
        Required::Authentic => (summary.authentic, "authentic"),
        Required::Equivocation => (summary.equivocation, "proofs of equivocation"),
    };
    let short = summary.documents - reached;
    let accused = summary.accusations > 0 && required != Required::Equivocation;
    if accused {
        complain("a proof of equivocation is not refuted: its registry is not as it must be");
    }
    if summary.refuted > 0 || accused {
        Exit::Bad
    } else if summary.unreadable > 0 || summary.unknown > 0 {
        Exit::Usage
    } else if summary.documents == 0 {
        complain("there is no document to verify");
        Exit::Usage
    } else if short > 0 {
        complain(format!("{short} of {} documents are not {name}", summary.documents));
        Exit::Bad
    } else {
        Exit::Good
    }
}
