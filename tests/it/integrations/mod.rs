//! Reportei's integrations, sessions, merchant settings and metrics over the wire: what the documentation says, and what
//! was decided where it is silent. Names say which statement: `rN` is a numbered defect of the pages, `rule_` a sentence
//! about behaviour, `call_` a row of a table of calls, `beyond_N` a section about other pages of the vendor.

mod beyond;
mod calls;
mod defects;
mod events;
mod later;
mod metrics;
mod page;
mod rules;
mod walks;

use serde_json::{Value as Json, json};

use crate::server::{ACME, Answer, FORM, JSON, REPORTEI, Server, advance};
use crate::support::{keys, text};

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const SECOND: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";
/// The integration that the page on integrations shows; the first customer has it.
const SHOWN: &str = "4addc0da-8583-4dbb-a0e9-c7e2e8470f50";
/// The integration that the page on customers shows; the second customer has it.
const SETTINGS: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";

fn start() -> Server {
    Server::start(&["reportei", "--freeze"])
}

/// A customer with the header that speaks for it.
struct Customer {
    uuid: String,
    token: String,
}

impl Customer {
    fn seed(uuid: &str) -> Customer {
        Customer { uuid: uuid.to_owned(), token: format!("token-{uuid}") }
    }

    fn made(server: &Server) -> Customer {
        let made = server.api("POST", "/customers", Some(json!({ "name": "Walker" }))).expect(201).json();
        let text = |key: &str| made["customer"][key].as_str().unwrap().to_owned();
        Customer { uuid: text("uuid"), token: text("api_token") }
    }

    fn call(&self, server: &Server, method: &str, path: &str, body: Option<Json>) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        server.call(method, path, &[REPORTEI, ("x-customer-token", &self.token), JSON], body)
    }

    fn get(&self, server: &Server, path: &str) -> Answer {
        self.call(server, "GET", path, None)
    }

    /// Makes a session and gives it.
    fn session(&self, server: &Server) -> Json {
        let answer = self.call(server, "POST", "/customer-integrations/session", None).expect(200);
        answer.json()["integration_session"].clone()
    }

    fn pays(&self, server: &Server, is_paying: bool) {
        let path = format!("/customers/{}/update-payment-status", self.uuid);
        server.api("POST", &path, Some(json!({ "is_paying": is_paying }))).expect(200);
    }

    /// Connects a network and gives the integration's id.
    fn connects(&self, server: &Server, network: &str) -> String {
        let entry = fire(server, "connect", json!({ "customer_uuid": self.uuid, "network": network }));
        entry["changes"][0]["id"].as_str().unwrap().to_owned()
    }
}

fn fire(server: &Server, event: &str, input: Json) -> Json {
    server.control("POST", &format!("/events/reportei/{event}"), Some(input)).expect(200).json()
}

/// A browser follows a link: no header of the API.
fn open(server: &Server, link: &Json) -> Answer {
    let link = link.as_str().unwrap();
    let path = link.strip_prefix(&server.url()).unwrap_or_else(|| panic!("{link} does not lead to this server"));
    server.call("GET", path, &[("Accept", "text/html")], "")
}

/// Whether a page of a session has an integration of this network with this status.
fn shows(page: &str, network: &str, status: &str) -> bool {
    let cards = page.split("<li ").filter(|card| card.contains(&format!("<h3>{network}</h3>")));
    cards.into_iter().any(|card| card.contains(&format!("<span class=\"pill {status}\">{status}</span>")))
}

#[track_caller]
fn refused(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })), "{answer}");
}

const TRIAL_ENDED: &str = "The trial has ended and the customer is not paying.";

/// A question about one number of an integration.
fn question(integration: &str) -> Json {
    json!({
        "customer_integration": integration, "start": "2024-09-01", "end": "2024-09-30",
        "metrics": [{ "id": "a", "reference_key": "ig:reach", "component": "number_v1", "metrics": ["reach"] }],
    })
}
