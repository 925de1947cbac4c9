//! A route and what is promised about it, in one place: the router and the OpenAPI document are made from the same table.

use axum::{
    handler::Handler,
    http::{Method, StatusCode},
    routing::MethodRouter,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::{app::Shared, error::Code, hosts::Family};

/// One path and the methods that it has. What GET answers, HEAD answers without the body.
pub(crate) struct Endpoint {
    /// As the specification writes it.
    pub(crate) path: &'static str,
    pub(crate) family: Family,
    pub(crate) operations: Vec<Operation>,
    router: MethodRouter<Shared>,
}

impl Endpoint {
    pub(crate) fn new(family: Family, path: &'static str) -> Self {
        Self { path, family, operations: Vec::new(), router: MethodRouter::new() }
    }

    pub(crate) fn get<H: Handler<T, Shared>, T: 'static>(self, handler: H, operation: Operation) -> Self {
        self.with(Method::GET, operation, |router| router.get(handler))
    }

    pub(crate) fn post<H: Handler<T, Shared>, T: 'static>(self, handler: H, operation: Operation) -> Self {
        self.with(Method::POST, operation, |router| router.post(handler))
    }

    /// HEAD of its own, where what GET does must not happen.
    pub(crate) fn head<H: Handler<T, Shared>, T: 'static>(mut self, handler: H) -> Self {
        self.router = self.router.head(handler);
        self
    }

    fn with(
        mut self,
        method: Method,
        operation: Operation,
        add: impl FnOnce(MethodRouter<Shared>) -> MethodRouter<Shared>,
    ) -> Self {
        self.router = add(self.router);
        self.operations.push(Operation { method, ..operation });
        self
    }

    /// As the router writes it: it matches no suffix within a segment, so the handler takes `.png` off.
    pub(crate) fn route(&self) -> &'static str {
        if self.path == "/p/{token}.png" { "/p/{name}" } else { self.path }
    }

    pub(crate) fn into_route(self) -> (&'static str, MethodRouter<Shared>) {
        (self.route(), self.router)
    }
}

/// What a method of a path takes and answers.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<SchemaOf>,
    pub(crate) answer: Answer,
    pub(crate) secret: Option<SecretOf>,
    pub(crate) refusals: Vec<Refusal>,
}

/// Adds the schema of a type to those of the document, and refers to it.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A code, and the status of HTTP's own that it has here in place of its usual one.
pub(crate) type Refusal = (Code, Option<StatusCode>);

/// What a good answer is.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Empty,
    Image,
    Json(SchemaOf),
    Redirect,
}

/// Whose secret is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretOf {
    DnsReporter,
    Operator,
}

/// A parameter of path or query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: &'static str,
    pub(crate) is_required: bool,
    pub(crate) description: &'static str,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

/// What every route may refuse with.
const EVERYWHERE: [Refusal; 6] = [
    (Code::MissingField, None),
    (Code::MissingField, Some(StatusCode::URI_TOO_LONG)),
    (Code::MissingField, Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)),
    (Code::RateLimited, None),
    (Code::ServerError, None),
    (Code::ServerError, Some(StatusCode::SERVICE_UNAVAILABLE)),
];

/// What a route with a body may refuse with besides.
const WITH_BODY: [Refusal; 3] = [
    (Code::MissingField, Some(StatusCode::REQUEST_TIMEOUT)),
    (Code::MissingField, Some(StatusCode::PAYLOAD_TOO_LARGE)),
    (Code::MissingField, Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
];

impl Operation {
    pub(crate) fn new(id: &'static str, summary: &'static str, answer: Answer) -> Self {
        let (parameters, refusals) = (Vec::new(), EVERYWHERE.to_vec());
        Self { method: Method::GET, id, summary, parameters, body: None, answer, secret: None, refusals }
    }

    pub(crate) fn takes(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    pub(crate) fn reads<T: JsonSchema>(mut self) -> Self {
        self.refusals.extend(WITH_BODY);
        Self { body: Some(schema_of::<T>()), ..self }
    }

    pub(crate) fn asks(mut self, secret: SecretOf) -> Self {
        self.refusals.push((Code::AuthRequired, None));
        Self { secret: Some(secret), ..self }
    }

    pub(crate) fn refuses(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.refusals.extend(codes.into_iter().map(|code| (code, None)));
        self
    }
}

impl Answer {
    pub(crate) fn json<T: JsonSchema>() -> Self {
        Self::Json(schema_of::<T>())
    }
}

fn schema_of<T: JsonSchema>() -> SchemaOf {
    |generator| generator.subschema_for::<T>()
}

impl Parameter {
    /// An identifier as a segment of the path.
    pub(crate) fn identifier(name: &'static str, description: &'static str, example: &str) -> Self {
        let schema = json!({"type": "string", "minLength": 1, "maxLength": 256});
        Self { name, place: "path", is_required: true, description, schema, example: json!(example) }
    }

    /// A non-negative integer as a segment of the path.
    pub(crate) fn index(name: &'static str, description: &'static str) -> Self {
        Self { place: "path", is_required: true, ..Self::decimal(name, description, 0) }
    }

    /// A non-negative integer in the query.
    pub(crate) fn decimal(name: &'static str, description: &'static str, example: u64) -> Self {
        let schema = json!({"type": "integer", "minimum": 0});
        Self { name, place: "query", is_required: false, description, schema, example: json!(example) }
    }

    /// A text in the query.
    pub(crate) fn text(name: &'static str, description: &'static str, pattern: &str) -> Self {
        let schema = json!({"type": "string", "pattern": pattern});
        Self { schema, example: json!("1750000000-1"), ..Self::decimal(name, description, 0) }
    }

    pub(crate) fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}
