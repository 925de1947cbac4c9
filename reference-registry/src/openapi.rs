//! The OpenAPI 3.1 document of the routes, made from the table that the router is made from.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use schemars::{
    Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value, json};

use crate::{
    auth::{DNS_HEADER, OPERATOR_HEADER},
    dialect::Dialect,
    endpoint::{Answer, Endpoint, Operation, Parameter, Refusal, SchemaOf, SecretOf},
    error::Code,
    options::Options,
    routes,
};

/// What of the operator's decisions shows in the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) dialect: Dialect,
    pub(crate) asks_operator: bool,
    pub(crate) asks_dns_reporter: bool,
}

impl Settings {
    pub(crate) fn of(options: &Options) -> Self {
        Self {
            dialect: options.dialect,
            asks_operator: options.operator_token.is_some(),
            asks_dns_reporter: options.dns_event_secret.is_some(),
        }
    }
}

/// The OpenAPI 3.1 document of a registry that is started with these options.
#[must_use]
pub fn openapi(options: &Options) -> Value {
    document(Settings::of(options))
}

pub(crate) fn document(settings: Settings) -> Value {
    let mut document = Document::new(settings);
    let paths: Map<String, Value> = routes::all(settings.dialect)
        .iter()
        .map(|endpoint| (endpoint.path.to_owned(), document.path(endpoint)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Oversight registry",
            "summary": "Registration, attribution and evidence of marked copies, in a transparency log",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": paths,
        "components": {"schemas": document.schemas(), "securitySchemes": security_schemes()},
    })
}

struct Document {
    settings: Settings,
    /// Schemas of what is read, and of what is answered: a member with a default may be absent only in the first.
    questions: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Document {
    fn new(settings: Settings) -> Self {
        let generator = |contract| {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings.contract = contract;
            settings.into_generator()
        };
        Self {
            settings,
            questions: generator(Contract::Deserialize),
            answers: generator(Contract::Serialize),
        }
    }

    fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.questions.take_definitions(true);
        schemas.extend(self.answers.take_definitions(true));
        schemas.insert(String::from("Error"), error_schema(self.settings.dialect));
        schemas.sort_keys();
        schemas
    }

    fn path(&mut self, endpoint: &Endpoint) -> Value {
        let mut methods = Map::new();
        for operation in &endpoint.operations {
            let described = self.operation(operation);
            if operation.method == Method::GET {
                methods.insert(String::from("head"), without_body(&described));
            }
            methods.insert(operation.method.as_str().to_ascii_lowercase(), described);
        }
        Value::Object(methods)
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let mut described = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "responses": self.responses(operation),
        });
        let mut set = |name: &str, value: Value| {
            described.as_object_mut().map(|members| members.insert(name.to_owned(), value));
        };
        if !operation.parameters.is_empty() {
            set("parameters", operation.parameters.iter().map(parameter).collect());
        }
        if let Some(body) = operation.body {
            set("requestBody", self.request_body(body));
        }
        if let Some(secret) = operation.secret {
            set("security", self.security(secret));
        }
        described
    }

    fn request_body(&mut self, schema: SchemaOf) -> Value {
        json!({"required": true, "content": {"application/json": {"schema": schema(&mut self.questions)}}})
    }

    fn security(&self, secret: SecretOf) -> Value {
        let (is_asked, own, bearer) = match secret {
            SecretOf::DnsReporter => (self.settings.asks_dns_reporter, "dnsSecret", "dnsBearer"),
            SecretOf::Operator => (self.settings.asks_operator, "operatorToken", "operatorBearer"),
        };
        if is_asked { json!([{(bearer): []}, {(own): []}]) } else { json!([]) }
    }

    fn responses(&mut self, operation: &Operation) -> Value {
        let mut responses = BTreeMap::new();
        let (status, answer) = self.answer(operation.answer);
        responses.insert(status.as_u16(), answer);
        for (status, names) in self.refusals(&operation.refusals) {
            responses.insert(status.as_u16(), refusal(status, &names));
        }
        responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), response))
            .collect::<Map<_, _>>()
            .into()
    }

    fn answer(&mut self, answer: Answer) -> (StatusCode, Value) {
        let content = |media: &str, schema: Schema| json!({"description": "Done", "content": {media: {"schema": schema}}});
        match answer {
            Answer::Empty => (StatusCode::OK, json!({"description": "An empty body"})),
            Answer::Image => (StatusCode::OK, content("image/png", Schema::default())),
            Answer::Json(schema) => (StatusCode::OK, content("application/json", schema(&mut self.answers))),
            Answer::Redirect => {
                let location = json!({"Location": {"required": true, "schema": {"type": "string"}}});
                (StatusCode::FOUND, json!({"description": "To the well-known document", "headers": location}))
            }
        }
    }

    /// The names of the codes under each status.
    fn refusals(&self, refusals: &[Refusal]) -> BTreeMap<StatusCode, Vec<&'static str>> {
        let mut by_status: BTreeMap<StatusCode, Vec<&'static str>> = BTreeMap::new();
        for (code, status) in refusals {
            let (name, usual) = self.settings.dialect.error(*code);
            let names = by_status.entry(status.unwrap_or(usual)).or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        by_status
    }
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.is_required,
        "description": parameter.description,
        "schema": parameter.schema,
        "example": parameter.example,
    })
}

fn refusal(status: StatusCode, names: &[&str]) -> Value {
    let mut refusal = json!({
        "description": format!("Refused: {}", names.join(", ")),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    });
    let header =
        |description| json!({"required": true, "description": description, "schema": {"type": "string"}});
    let headers = match status {
        StatusCode::TOO_MANY_REQUESTS => {
            json!({"Retry-After": header("Seconds until a request is let through")})
        }
        _ => return refusal,
    };
    refusal.as_object_mut().map(|members| members.insert(String::from("headers"), headers));
    refusal
}

/// HEAD: the same answers, and nothing in them.
fn without_body(get: &Value) -> Value {
    let mut head = get.clone();
    if let Some(members) = head.as_object_mut() {
        let id = members.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let id = format!("{id}-head");
        members.insert(String::from("operationId"), json!(id));
    }
    let responses = head.get_mut("responses").and_then(Value::as_object_mut);
    for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
        response.as_object_mut().map(|members| members.remove("content"));
    }
    head
}

fn error_schema(dialect: Dialect) -> Value {
    let mut names = Code::ALL.map(|code| dialect.error(code).0).to_vec();
    names.sort_unstable();
    names.dedup();
    let members = |name: &str| {
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": [name, "message"],
            "properties": {
                name: {"type": "string", "enum": names},
                "message": {"type": "string", "minLength": 1, "description": "For people; may change"},
            },
        })
    };
    match dialect {
        Dialect::Announced => members("error"),
        Dialect::Candidate => json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["error"],
            "properties": {"error": members("code")},
        }),
    }
}

fn security_schemes() -> Value {
    let bearer = json!({"type": "http", "scheme": "bearer"});
    let own = |name: &str| json!({"type": "apiKey", "in": "header", "name": name});
    json!({
        "dnsBearer": bearer,
        "dnsSecret": own(DNS_HEADER),
        "operatorBearer": bearer,
        "operatorToken": own(OPERATOR_HEADER),
    })
}
