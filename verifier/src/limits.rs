//! Bounds on what may come from outside. Every one is named and says where its number comes from.

/// How much a document may ask of the reader before it is refused.
///
/// Lower a bound to be stricter; [`Limits::default`] accepts everything that the recorded registries emit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text in bytes. The largest recorded bundle (100 events) is under 200 KB.
    pub bytes: usize,
    /// Nesting depth of arrays and objects; a scalar root has depth 0. One recorded registry accepts 400 levels.
    /// Never more than [`Limits::MAX_DEPTH`] is used.
    pub depth: usize,
    /// Length of one number's text in bytes. `CPython` refuses integers of more than 4,300 digits; one more for a sign.
    pub number: usize,
    /// Number of values and member names together; each costs 16 bytes of memory.
    pub values: usize,
}

impl Limits {
    /// The deepest nesting ever followed, whatever is asked for: writers recurse, and a thread's stack is finite.
    pub const MAX_DEPTH: usize = 2_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, depth: 1_000, number: 4_301, values: 4_000_000 }
    }
}
