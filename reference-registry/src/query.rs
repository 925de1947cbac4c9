//! Query parameters and path indexes: decimal, once, or refused.

use std::num::IntErrorKind;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use crate::error::ApiError;

/// The parameters of a query string, repetitions kept.
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        query.map(|Query(pairs)| Self(pairs)).map_err(|_| ApiError::missing_field("query cannot be read"))
    }
}

impl Parameters {
    /// A parameter, or `None` where it is absent.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(ApiError::missing_field(format!("{name} is given twice"))),
        }
    }

    /// A decimal parameter, or `None` where it is absent.
    pub(crate) fn decimal(&self, name: &'static str) -> Result<Option<Decimal>, ApiError> {
        let refused = || ApiError::missing_field(format!("{name} is not a non-negative decimal integer"));
        self.text(name)?.map(|text| Decimal::parse(text).ok_or_else(refused)).transpose()
    }
}

/// A non-negative integer in its only spelling; those beyond 64 bits are all `Beyond`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimal {
    Of(u64),
    Beyond,
}

impl Decimal {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let has_one_spelling = text == "0" || !text.starts_with('0');
        if !has_one_spelling || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match text.parse() {
            Ok(value) => Some(Self::Of(value)),
            Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(Self::Beyond),
            Err(_) => None,
        }
    }

    pub(crate) fn clamped(self, low: u64, high: u64) -> u64 {
        match self {
            Self::Of(value) => value.clamp(low, high),
            Self::Beyond => high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_one_spelling() {
        assert_eq!(Decimal::parse("0"), Some(Decimal::Of(0)));
        assert_eq!(Decimal::parse("120"), Some(Decimal::Of(120)));
        assert_eq!(Decimal::parse("18446744073709551616"), Some(Decimal::Beyond));
        for text in ["", "01", "+1", "-1", "-0", " 1", "1.0", "1_0", "0x1", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
