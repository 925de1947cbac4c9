//! Bounds on what may come from outside. Every one is named and says where its number comes from.

/// How much a document may ask of the reader before it is refused.
///
/// Lower a bound to be stricter. [`Limits::DEFAULT`] accepts everything that the recorded registries emit, and lets no document, whatever
/// is in it, ask for more than a second and 128 MiB of a verifier, nor of whoever explains the verdict; raise a bound for a document that you know to be large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text in bytes. The largest recorded bundle (100 events) is under 200 KB, so that there is room for 2,000 events.
    pub bytes: usize,
    /// Nesting depth of arrays and objects; a scalar root has depth 0. One recorded registry accepts 400 levels.
    /// Never more than [`Limits::MAX_DEPTH`] is used.
    pub depth: usize,
    /// Length of one number's text in bytes. `CPython` refuses integers of more than 4,300 digits; one more for a sign.
    pub number: usize,
    /// Number of values and member names together; each costs 16 bytes of memory. The recorded bundles have one in 23 bytes or more, so
    /// that this is the stricter bound for none of them.
    pub values: usize,
}

impl Limits {
    /// The deepest nesting ever followed, whatever is asked for: writers recurse, and a thread's stack is finite.
    pub const MAX_DEPTH: usize = 2_000;
    /// What is asked for if nobody says anything else.
    pub const DEFAULT: Self = Self { bytes: 4 << 20, depth: 1_000, number: 4_301, values: 200_000 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
