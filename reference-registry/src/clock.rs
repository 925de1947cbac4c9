//! One instant in the two spellings that the protocol uses.

use jiff::Timestamp;

/// An instant, to the second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(Timestamp);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(Timestamp::now())
    }

    /// Seconds since 1970, as rows carry it.
    pub(crate) fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// `YYYY-MM-DDThh:mm:ssZ`, as leaves and bundles carry it.
    pub(crate) fn text(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_second() {
        let instant = Instant(Timestamp::from_millisecond(1_750_000_000_999).unwrap());
        assert_eq!(instant.seconds(), 1_750_000_000);
        assert_eq!(instant.text(), "2025-06-15T15:06:40Z");
    }
}
