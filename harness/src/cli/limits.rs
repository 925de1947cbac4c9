//! How much one document may ask for, on the command line.

use assayer_verifier::Limits;
use clap::Args;

/// Places in a text are counted in 32 bits, and a gibibyte is nobody's bundle.
const MOST_BYTES: u64 = 1 << 30;
/// Each costs 16 bytes of memory.
const MOST_VALUES: u64 = 1 << 26;

#[derive(Args)]
pub(super) struct LimitArguments {
    /// Length in bytes beyond which a document is refused unread, to 2^30. The default keeps every document, hostile ones too, to
    /// a second and 128 MiB.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::DEFAULT.bytes as u64,
        value_parser = clap::value_parser!(u64).range(1..=MOST_BYTES))]
    max_bytes: u64,
    /// Number of values and member names beyond which a document is refused, to 2^26.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::DEFAULT.values as u64,
        value_parser = clap::value_parser!(u64).range(1..=MOST_VALUES))]
    max_values: u64,
}

impl LimitArguments {
    pub(super) fn limits(&self) -> Limits {
        let fitting = |bound: u64| usize::try_from(bound).unwrap_or(usize::MAX);
        Limits { bytes: fitting(self.max_bytes), values: fitting(self.max_values), ..Limits::DEFAULT }
    }
}
