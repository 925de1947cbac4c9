//! The secrets of a run: what is sent of them, and how they are kept out of everything that is written down.

use std::collections::BTreeSet;

use assayer_vectors::{
    Authorization, Capability, Credential, CredentialField, CredentialText, Request, SecretUse,
};

use crate::blot::Blotter;
use crate::names::random_hex;
use crate::record::Fields;

/// The secrets of a run. They are sent to the target and written down nowhere.
#[derive(Clone, Default)]
pub struct Secrets {
    /// For registration and attribution.
    pub operator_token: Option<String>,
    /// For DNS events.
    pub dns_event_secret: Option<String>,
}

impl Secrets {
    pub(crate) fn capabilities(&self) -> BTreeSet<Capability> {
        let mut found = BTreeSet::new();
        if self.operator_token.is_some() {
            found.insert(Capability::OperatorToken);
        }
        if self.dns_event_secret.is_some() {
            found.insert(Capability::DnsEventSecret);
        }
        found
    }

    /// The header fields that carry the credentials of a request, as they are sent.
    pub(crate) fn fields(&self, authorization: Authorization, request: &Request) -> Result<Fields, String> {
        let (operator, dns_event) = (self.operator_token.as_deref(), self.dns_event_secret.as_deref());
        let (known, other) = match authorization {
            Authorization::Operator => (operator, dns_event),
            Authorization::DnsEvent => (dns_event, operator),
        };
        let usual = match authorization {
            Authorization::Operator => CredentialField::Bearer,
            Authorization::DnsEvent => CredentialField::OwnField,
        };
        let credentials = match (request.secret, known) {
            _ if !request.credentials.is_empty() => request.credentials.clone(),
            (Some(SecretUse::None), _) | (None, None) => Vec::new(),
            (Some(SecretUse::Wrong), _) => vec![Credential { field: usual, is: CredentialText::Wrong }],
            (None, Some(_)) => vec![Credential { field: usual, is: CredentialText::Right }],
        };
        let field = |credential: &Credential| {
            Ok(field_of(authorization, credential.field, &text_of(known, other, credential.is)?))
        };
        credentials.iter().map(field).collect()
    }

    /// The secrets, and what else is sent that a reader could make them from.
    fn known(&self) -> impl Iterator<Item = String> {
        let known = [&self.operator_token, &self.dns_event_secret].into_iter().flatten();
        known.filter(|secret| !secret.is_empty()).flat_map(|secret| {
            let forms = [Some(secret.clone()), other_case(secret), prefix(secret)];
            forms.into_iter().flatten()
        })
    }

    /// What takes them out of everything that is written down.
    pub(crate) fn blotter(&self) -> Blotter {
        Blotter::new(self.known())
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({:?})", self.capabilities())
    }
}

fn field_of(authorization: Authorization, field: CredentialField, text: &str) -> (String, String) {
    let own = match authorization {
        Authorization::Operator => "X-Oversight-Operator-Token",
        Authorization::DnsEvent => "X-Oversight-DNS-Secret",
    };
    match field {
        CredentialField::Bare => ("Authorization".to_owned(), text.to_owned()),
        CredentialField::Bearer => ("Authorization".to_owned(), format!("Bearer {text}")),
        CredentialField::LowerCaseBearer => ("Authorization".to_owned(), format!("bearer {text}")),
        CredentialField::OtherScheme => ("Authorization".to_owned(), format!("Token {text}")),
        CredentialField::OwnField => (own.to_owned(), text.to_owned()),
    }
}

fn text_of(known: Option<&str>, other: Option<&str>, text: CredentialText) -> Result<String, String> {
    let secret = || known.ok_or_else(|| "the run does not know this secret".to_owned());
    let random = || random_hex(16).map_err(|error| error.to_string());
    match text {
        CredentialText::Empty => Ok(String::new()),
        CredentialText::Longer => Ok(format!("{}0", secret()?)),
        CredentialText::OfOtherRoutes => {
            other.filter(|other| known != Some(*other)).map_or_else(random, |other| Ok(other.to_owned()))
        }
        CredentialText::OtherCase => {
            other_case(secret()?).ok_or_else(|| "the secret has no letter in it".to_owned())
        }
        CredentialText::Prefix => {
            prefix(secret()?).ok_or_else(|| "the secret is too short to be cut".to_owned())
        }
        CredentialText::Right => secret().map(str::to_owned),
        CredentialText::Wrong => random(),
    }
}

/// The secret with its letters in the other case; `None` if it has none.
fn other_case(secret: &str) -> Option<String> {
    let other: String = secret
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    (other != secret).then_some(other)
}

/// The secret without its last character; `None` if little would be left of it.
fn prefix(secret: &str) -> Option<String> {
    let (last, _) = secret.char_indices().next_back()?;
    secret.get(..last).filter(|text| text.len() > 3).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blot::BLOT;

    #[test]
    fn secrets_are_blotted_out_wherever_they_come_back() {
        let secrets = Secrets { operator_token: Some("hush".to_owned()), dns_event_secret: None };
        assert_eq!(secrets.blotter().text("you said Bearer hush"), "you said Bearer (secret)");
        let odd = Secrets { operator_token: Some(r#"a"b\c/d"#.to_owned()), dns_event_secret: None };
        for text in [r#"a"b\c/d"#, r#"{"x":"a\"b\\c/d"}"#, "a%22b%5Cc%2Fd", "6122625c632f64", "YSJiXGMvZA=="]
        {
            assert!(odd.blotter().text(text).contains(BLOT), "{text}");
        }
        // As PHP, Go, a template and a proxy write it; within `Bearer …` in base64; in hexadecimal of bytes that are no text.
        for text in [
            r#"{"x":"a\"b\\c\/d"}"#,
            r"a\u0022b\u005Cc\u002fd",
            "a%22b%5cc%2fd",
            "a&quot;b&#92;c&#x2F;d",
            "6122625C632F64",
            "QmVhcmVyIGEiYlxjL2Q=",
        ] {
            assert!(odd.blotter().text(text).contains(BLOT), "{text}");
        }
        // As a proxy writes what an application escaped already; by name; in letters of the other case, or of both.
        for text in [
            r#"{"x":"{\"y\":\"a\\\"b\\\\c\\/d\"}"}"#,
            r"a\\u0022b\\u005cc\\u002fd",
            r"a\x22b\x5cc\x2fd",
            "a%2522b%255Cc%252Fd",
            "a%252522b%25255Cc%25252Fd",
            "a&amp;quot;b&amp;#92;c&amp;sol;d",
            "a&quot;b&bsol;c&sol;d",
            r#"A"b\C/D"#,
            "%41%22%42%5c%43%2f%44",
        ] {
            assert!(odd.blotter().text(text).contains(BLOT), "{text}");
        }
        let marks = Secrets { operator_token: Some("a&b%c<d".to_owned()), dns_event_secret: None };
        for text in ["a&amp;amp;b%c&amp;lt;d", "a%2526b%2525c%253Cd", "a&amp;b&percnt;c&amp;#60;d"] {
            assert!(marks.blotter().text(text).contains(BLOT), "{text}");
        }
        let long = Secrets { operator_token: Some("ab?>cd?>ef?>gh".to_owned()), dns_event_secret: None };
        let plain = "YWI/PmNkPz5lZj8+Z2g=";
        for text in [
            plain.to_owned(),
            plain.replace('/', r"\/"),
            plain.replace('/', "%2F").replace('+', "%2B"),
            plain.replace('/', r"\u002f").replace('+', r"\u002b"),
            plain.replace('/', "&#x2F;").replace('+', "&#x2B;"),
        ] {
            assert!(long.blotter().text(&text).contains(BLOT), "{text}");
        }
        assert_eq!(odd.blotter().hex("ff6122625c632f64ff"), format!("ff{}ff", hex::encode(BLOT)));
        let near = r#"a"b\c%2Ed, a"b\c&#x2E;d, a"b\c\u002ed, %, &, \, \u, &#;"#;
        assert_eq!(odd.blotter().text(near), near, "what is not the secret stays as it came");
        assert!(!format!("{secrets:?}").contains("hush"));
    }

    #[test]
    fn of_two_secrets_that_begin_alike_nothing_stays() {
        let [short, long] = ["hush-hush", "hush-hush-two"].map(|secret| Some(secret.to_owned()));
        for (operator_token, dns_event_secret) in [(short.clone(), long.clone()), (long, short)] {
            let secrets = Secrets { operator_token, dns_event_secret };
            assert_eq!(secrets.blotter().text("you said hush-hush-two."), "you said (secret).");
            let in_hex = hex::encode("hush-hush-two");
            assert_eq!(secrets.blotter().text(&in_hex), "(secret)");
        }
    }

    #[test]
    fn what_is_nearly_the_secret_is_blotted_out_too() {
        let secrets = Secrets { operator_token: None, dns_event_secret: Some("Hush-hush".to_owned()) };
        for is in
            [CredentialText::Longer, CredentialText::OtherCase, CredentialText::Prefix, CredentialText::Right]
        {
            let sent = text_of(secrets.dns_event_secret.as_deref(), None, is).unwrap();
            let blotted = secrets.blotter().text(&format!("you said {sent}"));
            assert!(
                blotted.starts_with("you said (secret)") && !blotted.contains("ush"),
                "{is:?}: {blotted}"
            );
        }
    }

    #[test]
    fn credentials_stand_in_their_fields_and_are_never_right_by_chance() {
        let secrets = Secrets { operator_token: Some("Token-77".to_owned()), dns_event_secret: None };
        let sent = |field, is| {
            let credentials = vec![Credential { field, is }];
            let request = Request { credentials, ..Request::default() };
            secrets.fields(Authorization::Operator, &request)
        };
        let bearer = |is| sent(CredentialField::Bearer, is).unwrap().remove(0).1;
        assert_eq!(bearer(CredentialText::Right), "Bearer Token-77");
        assert_eq!(bearer(CredentialText::Prefix), "Bearer Token-7");
        assert_eq!(bearer(CredentialText::Longer), "Bearer Token-770");
        assert_eq!(bearer(CredentialText::OtherCase), "Bearer tOKEN-77");
        assert_eq!(bearer(CredentialText::Empty), "Bearer ");
        let lower = sent(CredentialField::LowerCaseBearer, CredentialText::Right).unwrap();
        assert_eq!(lower, [("Authorization".to_owned(), "bearer Token-77".to_owned())]);
        let bare = sent(CredentialField::Bare, CredentialText::Right).unwrap();
        assert_eq!(bare, [("Authorization".to_owned(), "Token-77".to_owned())]);
        let scheme = sent(CredentialField::OtherScheme, CredentialText::Right).unwrap();
        assert_eq!(scheme, [("Authorization".to_owned(), "Token Token-77".to_owned())]);
        let other = |known, other| text_of(Some(known), other, CredentialText::OfOtherRoutes).unwrap();
        assert_eq!(other("Token-77", Some("dns")), "dns");
        assert_ne!(other("Token-77", Some("Token-77")), "Token-77", "one secret for both opens both");
        assert_eq!(other("Token-77", None).len(), 32);
        let own = sent(CredentialField::OwnField, CredentialText::Right).unwrap();
        assert_eq!(own, [("X-Oversight-Operator-Token".to_owned(), "Token-77".to_owned())]);
        let unknown = Request { secret: Some(SecretUse::Wrong), ..Request::default() };
        assert_eq!(secrets.fields(Authorization::DnsEvent, &unknown).unwrap().len(), 1);
        assert!(
            text_of(None, None, CredentialText::Prefix).is_err()
                && text_of(Some("12"), None, CredentialText::OtherCase).is_err()
        );
    }
}
